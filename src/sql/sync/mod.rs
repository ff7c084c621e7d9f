//! Triggers that keep columns in step: before the row is stored, or, on SQLite, right after (`after`).

mod after;
mod path;

use crate::catalog::Expr;
use crate::dialect::Dialect;
use crate::input;
use crate::plan::op::{Computed, Derived, Sync, SyncKind};

use super::predicate::exactly;
use super::{Sql, Writer, dollar, indent};

/// A parameter of the session: the trigger that a batch goes without. It would compute
/// what the batch has computed.
pub(super) const BACKFILL: &str = "miggen.backfill";

impl Writer<'_> {
    pub(super) fn create_sync(&self, sync: &Sync) -> Vec<Sql> {
        if self.dialect == Dialect::Sqlite {
            return self.create_after_triggers(sync);
        }
        let name = self.sync_name(sync);
        let body = match &sync.kind {
            SyncKind::Mirror { old, new, as_text, old_default, .. } => {
                self.mirror_body([old, new], *as_text, *old_default)
            }
            SyncKind::Replace { forward, backward } => self.replace_body(forward, backward),
            SyncKind::Follow { column, row_expr: Expr(expr), may_fail } => {
                let c = self.ident(column);
                if *may_fail {
                    format!(
                        "\
BEGIN
    BEGIN
        NEW.{c} := {expr};
    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
        NEW.{c} := NULL;    -- the row is written all the same
    END;
    RETURN NEW;
END"
                    )
                } else {
                    format!("BEGIN\n    NEW.{c} := {expr};\n    RETURN NEW;\nEND")
                }
            }
            SyncKind::Fill { column, row_expr: Expr(expr), .. } => {
                let c = self.ident(column);
                format!(
                    "BEGIN\n    IF NEW.{c} IS NULL THEN\n        NEW.{c} := {};\n    END IF;\n    RETURN NEW;\nEND",
                    indent(self.dialect, expr, 8)
                )
            }
            SyncKind::Derive(columns) => self.derive_body(columns),
        };
        // It runs in the writer's session, which may find other names.
        let path = if path::is_asked(&sync.kind) { "\nSET search_path FROM CURRENT" } else { "" };
        vec![
            Sql::named(
                "SYNC_FUNCTION",
                format!(
                    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{path} AS {}",
                    dollar("sync", &body)
                ),
            ),
            Sql::named(
                "SYNC_TRIGGER",
                format!(
                    "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {}\n\
                     FOR EACH ROW\n\
                     WHEN (current_setting('{BACKFILL}', true) IS DISTINCT FROM {})\n\
                     EXECUTE FUNCTION {name}()",
                    self.ident(&sync.name),
                    self.table(&sync.table),
                    self.literal(&sync.name),
                ),
            )
            .comment("Batches of its own backfill compute the same, and go without it."),
        ]
    }

    pub(super) fn drop_sync(&self, sync: &Sync) -> Vec<Sql> {
        if self.dialect == Dialect::Sqlite {
            return sync_triggers(sync)
                .iter()
                .map(|name| Sql::new(format!("DROP TRIGGER {}", self.ident(name))))
                .collect();
        }
        vec![
            Sql::new(format!(
                "DROP TRIGGER {} ON {}",
                self.ident(&sync.name),
                self.table(&sync.table)
            )),
            Sql::new(format!("DROP FUNCTION {}()", self.sync_name(sync))),
        ]
    }

    /// What stands behind either side of a comparison.
    fn marks(&self, as_text: bool) -> [&'static str; 2] {
        if as_text { exactly(self.dialect) } else { ["", ""] }
    }

    fn sync_name(&self, sync: &Sync) -> String {
        let mut name = sync.table.clone();
        name.name.clone_from(&sync.name);
        self.table(&name)
    }

    /// Who wrote is asked of the new column alone: it is a copy, so whatever else happened, it
    /// follows the old one.
    fn mirror_body(&self, [old, new]: [&str; 2], as_text: bool, old_default: bool) -> String {
        let (o, n) = (self.ident(old), self.ident(new));
        let [left, right] = self.marks(as_text);
        let first = if old_default {
            format!("        -- {o} may hold no more than its default: {n} goes first.\n")
        } else {
            String::new()
        };
        format!(
            "BEGIN
    IF TG_OP = 'INSERT' THEN
{first}        NEW.{o} := coalesce(NEW.{n}, NEW.{o});
        NEW.{n} := NEW.{o};
    ELSIF NEW.{n}{left} IS DISTINCT FROM OLD.{n}{right} THEN
        NEW.{o} := NEW.{n};     -- new code wrote
    ELSE
        NEW.{n} := NEW.{o};     -- old code wrote, or the row was not filled yet
    END IF;
    RETURN NEW;
END"
        )
    }

    /// Whether both sides agree is asked before who wrote: so a backfill, forth or back, never
    /// overwrites what it was computed from with what can be computed from it.
    fn replace_body(&self, forward: &[Computed], backward: &[Computed]) -> String {
        type Line<'l> = &'l dyn Fn(&str, &str) -> String;
        let each = |by: usize, line: Line, all: &[Computed]| {
            let lines: Vec<String> = all
                .iter()
                .map(|Computed { column, row_expr: Expr(expr), .. }| {
                    let expr = indent(self.dialect, expr, by - 4);
                    format!("{}{}", " ".repeat(by), line(&self.ident(column), &expr))
                })
                .collect();
            lines.join("\n")
        };
        let test = |by: usize, word: &str, line: Line, all: &[Computed]| {
            let parts: Vec<String> = all
                .iter()
                .map(|Computed { column, row_expr: Expr(expr), .. }| {
                    let expr = indent(self.dialect, &input::operand(expr, self.dialect), by);
                    line(&self.ident(column), &expr)
                })
                .collect();
            let line = parts.join(&format!(" {word} "));
            if line.len() < 70 {
                return line;
            }
            parts.join(&format!("\n{}{word} ", " ".repeat(by)))
        };
        let apart = |text: String, all: &[Computed]| match all {
            [_] => text,
            _ => format!("({text})"),
        };
        let set: Line = &|c, expr| format!("NEW.{c} := {expr};");
        let fill: Line = &|c, expr| format!("IF NEW.{c} IS NULL THEN NEW.{c} := {expr}; END IF;");
        let follows: Line = &|c, expr| format!("NEW.{c} IS NOT DISTINCT FROM {expr}");
        let same: Line = &|c, _| format!("NEW.{c} IS NOT DISTINCT FROM OLD.{c}");
        let changed: Line = &|c, _| format!("NEW.{c} IS DISTINCT FROM OLD.{c}");
        format!(
            "BEGIN
    IF TG_OP = 'INSERT' THEN
        IF {empty} THEN
{from_old}
        END IF;
    ELSIF {was_empty} THEN
        -- Not filled yet: what is left out comes from the old side.
{fills}
    END IF;
    IF {old_agrees}
        OR {new_agrees}
    THEN
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE'
        AND {old_changed}
        AND {new_same}
    THEN
        -- Old code wrote.
{from_old_again}
    ELSE
        -- New code wrote.
{from_new}
    END IF;
    RETURN NEW;
END",
            empty = test(12, "AND", &|c, _| format!("NEW.{c} IS NULL"), forward),
            from_old = each(12, set, forward),
            was_empty = test(8, "AND", &|c, _| format!("OLD.{c} IS NULL"), forward),
            fills = each(8, fill, forward),
            old_agrees = apart(test(12, "AND", follows, backward), backward),
            new_agrees = apart(test(12, "AND", follows, forward), forward),
            old_changed = apart(test(12, "OR", changed, backward), backward),
            new_same = test(8, "AND", same, forward),
            from_old_again = each(8, set, forward),
            from_new = each(8, set, backward),
        )
    }

    /// A row that was not filled yet says nothing of who wrote; else an UPDATE of what it is computed
    /// from, and not of itself, is old code's.
    fn derive_body(&self, columns: &[Derived]) -> String {
        let by = if columns.len() == 1 { 4 } else { 8 };
        let mut given = Vec::new();
        let mut written = Vec::new();
        for derived in columns {
            let Derived { column, row_expr: Expr(expr), sources, as_text, required, .. } = derived;
            let c = self.ident(column);
            given.push(format!(
                "        IF NEW.{c} IS NULL THEN
            NEW.{c} := {};
        END IF;
",
                indent(self.dialect, expr, 4)
            ));
            let cast = |name: &String| self.marks(as_text.contains(name));
            let changed = sources.iter().map(|source| {
                let ([new, old], source) = (cast(source), self.ident(source));
                format!("NEW.{source}{new} IS DISTINCT FROM OLD.{source}{old}")
            });
            let [new, old] = cast(column);
            let empty = required.then(|| format!("OLD.{c} IS NULL"));
            let when: Vec<String> = empty.into_iter().chain(changed).collect();
            if !when.is_empty() {
                let pad = " ".repeat(by);
                written.push(format!(
                    "IF NEW.{c}{new} IS NOT DISTINCT FROM OLD.{c}{old}
{pad}    AND ({})
{pad}THEN
{pad}    -- Old code wrote, or the row was not filled yet.
{pad}    NEW.{c} := {};
",
                    when.join(" OR "),
                    indent(self.dialect, expr, by),
                ));
            }
        }
        let update = match (columns, written.as_slice()) {
            (_, []) => String::new(),
            ([_], [one]) => format!("    ELS{one}"),
            (_, several) => {
                let each = several.iter().map(|one| format!("        {one}        END IF;\n"));
                format!("    ELSE\n{}", each.collect::<String>())
            }
        };
        format!(
            "BEGIN
    IF TG_OP = 'INSERT' THEN
{}{update}    END IF;
    RETURN NEW;
END",
            given.concat()
        )
    }
}

/// SQLite has a trigger for one event only.
pub(super) fn sync_triggers(sync: &Sync) -> [String; 2] {
    sync_trigger_names(&sync.name)
}

pub(super) fn sync_trigger_names(name: &str) -> [String; 2] {
    [format!("{name}_insert"), format!("{name}_update")]
}
