//! Triggers that mend a row right after it was stored, in the same statement.

use crate::catalog::Expr;
use crate::input;
use crate::plan::op::{Computed, Derived, Sync, SyncKind};

use super::super::{Sql, Writer};
use super::sync_triggers;

impl Writer<'_> {
    /// No trigger can change the row before it is stored: so right after, in the same statement.
    pub(super) fn create_after_triggers(&self, sync: &Sync) -> Vec<Sql> {
        if let SyncKind::Replace { forward, backward } = &sync.kind {
            return self.replacing_triggers(sync, forward, backward);
        }
        let table = self.table(&sync.table);
        let [insert, update] = sync_triggers(sync).map(|name| self.ident(&name));
        let (when_insert, set_insert, when_update, set_update) = match &sync.kind {
            SyncKind::Mirror { old, new, as_text, .. } => {
                let (o, n) = (self.ident(old), self.ident(new));
                let [left, right] = self.marks(*as_text);
                let given = format!("coalesce(NEW.{n}, NEW.{o})");
                let written = format!(
                    "CASE WHEN NEW.{n}{left} IS NOT OLD.{n}{right} THEN NEW.{n} ELSE NEW.{o} END"
                );
                let differ = format!("NEW.{o}{left} IS NOT NEW.{n}{right}");
                (
                    differ.clone(),
                    format!("{o} = {given},\n        {n} = {given}"),
                    differ,
                    format!("{o} = {written},\n        {n} = {written}"),
                )
            }
            SyncKind::Replace { .. } => return Vec::new(),
            SyncKind::Follow { column, row_expr: Expr(expr), .. } => {
                let c = self.ident(column);
                let differs = format!("NEW.{c} IS NOT ({expr})");
                let set = format!("{c} = ({expr})");
                (differs.clone(), set.clone(), differs, set)
            }
            SyncKind::Fill { column, expr: Expr(expr), .. } => {
                let c = self.ident(column);
                let empty = format!("NEW.{c} IS NULL");
                let set = format!("{c} = {expr}");
                (empty.clone(), set.clone(), empty, set)
            }
            SyncKind::Derive(columns) => self.derived_after(columns),
        };
        let trigger = |name: &str, event: &str, when: &str, set: &str| {
            Sql::new(format!(
                "CREATE TRIGGER {name} AFTER {event} ON {table}\nFOR EACH ROW WHEN {when}\nBEGIN\n    \
                 UPDATE {table}\n    SET {set}\n    WHERE rowid = NEW.rowid;\nEND"
            ))
        };
        vec![
            trigger(&insert, "INSERT", &when_insert, &set_insert),
            trigger(&update, "UPDATE", &when_update, &set_update),
        ]
    }

    /// When an INSERT needs more, and what it sets; the same of an UPDATE.
    fn derived_after(&self, columns: &[Derived]) -> (String, String, String, String) {
        let parts = columns.iter().map(|derived| {
            let Derived { column, expr: Expr(expr), sources, as_text, required, .. } = derived;
            let c = self.ident(column);
            let mut when: Vec<String> = sources
                .iter()
                .map(|source| {
                    let [left, right] = self.marks(as_text.contains(source));
                    let source = self.ident(source);
                    format!("NEW.{source}{left} IS NOT OLD.{source}{right}")
                })
                .collect();
            if *required {
                when.insert(0, format!("NEW.{c} IS NULL"));
            }
            if when.is_empty() {
                when.push("0".into());
            }
            let written = format!("NEW.{c} IS OLD.{c} AND ({})", when.join(" OR "));
            (c, expr, written)
        });
        let parts: Vec<_> = parts.collect();
        if let [(c, expr, written)] = parts.as_slice() {
            let set = format!("{c} = {expr}");
            return (format!("NEW.{c} IS NULL"), set.clone(), written.clone(), set);
        }
        let join = |text: &dyn Fn(&str, &str, &str) -> String, with: &str| {
            let each = parts.iter().map(|(c, expr, written)| text(c, expr, written));
            each.collect::<Vec<_>>().join(with)
        };
        (
            join(&|c, _, _| format!("NEW.{c} IS NULL"), " OR "),
            join(&|c, expr, _| format!("{c} = coalesce({c}, {expr})"), ",\n        "),
            join(&|_, _, written| format!("({written})"), "\n    OR "),
            join(
                &|c, expr, written| {
                    format!(
                        "{c} = CASE\n            WHEN {written}\n            THEN {expr} ELSE {c}\n        END"
                    )
                },
                ",\n        ",
            ),
        )
    }

    /// As in [`Writer::replace_body`]: what is not filled yet is; then one side follows the other, unless
    /// they agree by now. Every statement reads the row as the one before has left it.
    fn replacing_triggers(
        &self,
        sync: &Sync,
        forward: &[Computed],
        backward: &[Computed],
    ) -> Vec<Sql> {
        let table = self.table(&sync.table);
        let [insert, update] = sync_triggers(sync).map(|name| self.ident(&name));
        let all = |word: &str, line: &dyn Fn(&str, &str) -> String, side: &[Computed]| {
            let parts: Vec<String> = side
                .iter()
                .map(|one| {
                    line(&self.ident(&one.column), &input::operand(&one.expr.0, self.dialect))
                })
                .collect();
            parts.join(word)
        };
        let set: &dyn Fn(&str, &str) -> String = &|c, expr| format!("{c} = {expr}");
        let fill: &dyn Fn(&str, &str) -> String = &|c, expr| format!("{c} = coalesce({c}, {expr})");
        let is: &dyn Fn(&str, &str) -> String = &|c, expr| format!("{c} IS {expr}");
        let empty: &dyn Fn(&str, &str) -> String = &|c, _| format!("{c} IS NULL");
        let was_empty: &dyn Fn(&str, &str) -> String = &|c, _| format!("OLD.{c} IS NULL");
        let same: &dyn Fn(&str, &str) -> String = &|c, _| format!("NEW.{c} IS OLD.{c}");
        let changed: &dyn Fn(&str, &str) -> String = &|c, _| format!("NEW.{c} IS NOT OLD.{c}");
        let (list, and) = (",\n        ", "\n            AND ");
        let apart = format!(
            "NOT ({})\n        AND NOT ({})",
            all(and, is, backward),
            all(and, is, forward)
        );
        let statement = |why: &str, set: String, when: &str| {
            format!(
                "    -- {why}\n    UPDATE {table}\n    SET {set}\n    WHERE rowid = NEW.rowid\n        AND {when};\n"
            )
        };
        let new_code = statement("New code wrote.", all(list, set, backward), &apart);
        let old_code = format!(
            "({})\n        AND {}\n        AND {apart}",
            all(" OR ", changed, backward),
            all(" AND ", same, forward)
        );
        let on_insert =
            statement("Old code wrote.", all(list, set, forward), &all(" AND ", empty, forward));
        let on_update = statement(
            "Not filled yet.",
            all(list, fill, forward),
            &all(" AND ", was_empty, forward),
        ) + &statement("Old code wrote.", all(list, set, forward), &old_code);
        let trigger = |name: &str, event: &str, body: String| {
            Sql::new(format!(
                "CREATE TRIGGER {name} AFTER {event} ON {table}\nFOR EACH ROW\nBEGIN\n{body}{new_code}END"
            ))
        };
        vec![trigger(&insert, "INSERT", on_insert), trigger(&update, "UPDATE", on_update)]
    }
}
