//! ALTER TABLE, indexes, locks, definitions of columns and constraints.

use crate::catalog::{
    Column, Constraint, ConstraintKind, Expr, Generated, Identity, Index, Key, TableName,
};
use crate::dialect::Dialect;

use super::{Sql, Writer, constant, dollar, indent};

impl Writer<'_> {
    pub(super) fn alter(&self, table: &TableName, action: &str) -> Sql {
        Sql::new(format!("ALTER TABLE {} {action}", self.table(table)))
    }

    pub(super) fn alter_column(&self, table: &TableName, column: &str, action: &str) -> Sql {
        self.alter(table, &format!("ALTER COLUMN {} {action}", self.ident(column)))
    }

    pub(super) fn add_column(
        &self,
        table: &TableName,
        column: &Column,
        constraints: &[Constraint],
    ) -> Sql {
        let definition = format!("ADD COLUMN {}", self.column(column));
        if self.dialect == Dialect::Sqlite {
            // Its ADD COLUMN is the only way to add a constraint, and takes none of its own.
            let inline: String =
                constraints.iter().map(|c| format!(" {}", self.inline_constraint(c))).collect();
            return self.alter(table, &format!("{definition}{inline}"));
        }
        if constraints.is_empty() {
            return self.alter(table, &definition);
        }
        let mut lines = vec![definition];
        lines.extend(constraints.iter().map(|c| format!("ADD {}", self.constraint(c))));
        Sql::named(
            "ADD_COLUMN",
            format!("ALTER TABLE {}\n    {}", self.table(table), lines.join(",\n    ")),
        )
    }

    /// `name type [COLLATE c] [NOT NULL] [DEFAULT d] …`
    pub(super) fn column(&self, column: &Column) -> String {
        let mut text = self.ident(&column.name);
        let mut push = |part: &str| {
            text.push(' ');
            text.push_str(part);
        };
        if !column.ty.is_empty() {
            push(&column.ty);
        }
        if let Some(collation) = &column.collation {
            push(&format!("COLLATE {collation}"));
        }
        if column.not_null {
            push("NOT NULL");
        }
        if let Some(Expr(default)) = &column.default {
            push(&format!("DEFAULT {default}"));
        }
        if let Some(Generated { expr: Expr(expr), stored }) = &column.generated {
            let kind = if *stored { "STORED" } else { "VIRTUAL" };
            push(&format!("GENERATED ALWAYS AS ({expr}) {kind}"));
        }
        if let Some(Identity::Generated(identity)) = &column.identity {
            push(identity);
        }
        for other in &column.other {
            push(other);
        }
        text
    }

    /// As a table constraint: `[CONSTRAINT n] CHECK (…) [NOT VALID]`.
    pub(super) fn constraint(&self, constraint: &Constraint) -> String {
        let mut text = self.constraint_name(constraint);
        match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) => {
                text.push_str(&format!("PRIMARY KEY ({})", self.keys(keys)));
            }
            ConstraintKind::Unique(keys) => {
                let (nulls, _) = nulls(constraint.options.as_deref());
                text.push_str(&format!("UNIQUE{nulls} ({})", self.keys(keys)));
            }
            ConstraintKind::Check(Expr(expr)) => text.push_str(&format!("CHECK ({expr})")),
            ConstraintKind::ForeignKey { columns, .. } => {
                let references = self.references(constraint);
                text.push_str(&format!("FOREIGN KEY ({}) {references}", self.idents(columns)));
            }
            ConstraintKind::NotNull(column) => {
                text.push_str(&format!("NOT NULL {}", self.ident(column)));
            }
            ConstraintKind::Exclude(verbatim) => text.push_str(verbatim),
        }
        let options = match &constraint.kind {
            ConstraintKind::Unique(_) => nulls(constraint.options.as_deref()).1,
            _ => constraint.options.as_deref(),
        };
        if let Some(options) = options {
            text.push_str(&format!(" {options}"));
        }
        if !constraint.valid {
            text.push_str(" NOT VALID");
        }
        text
    }

    /// As part of a column definition.
    fn inline_constraint(&self, constraint: &Constraint) -> String {
        match &constraint.kind {
            ConstraintKind::ForeignKey { .. } => {
                let name = self.constraint_name(constraint);
                format!("{name}{}", self.references(constraint))
            }
            _ => self.constraint(constraint),
        }
    }

    fn constraint_name(&self, constraint: &Constraint) -> String {
        match &constraint.name {
            Some(name) => format!("CONSTRAINT {} ", self.ident(name)),
            None => String::new(),
        }
    }

    fn references(&self, constraint: &Constraint) -> String {
        let ConstraintKind::ForeignKey { table, references, actions, .. } = &constraint.kind else {
            return String::new();
        };
        let mut text = format!("REFERENCES {}", self.table(table));
        if !references.is_empty() {
            text.push_str(&format!(" ({})", self.idents(references)));
        }
        if let Some(actions) = actions {
            text.push_str(&format!(" {actions}"));
        }
        text
    }

    fn idents(&self, names: &[String]) -> String {
        names.iter().map(|name| self.ident(name)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn keys(&self, keys: &[Key]) -> String {
        let key = |key: &Key| match key {
            Key::Column { name, rest: None } => self.ident(name),
            Key::Column { name, rest: Some(rest) } => format!("{} {rest}", self.ident(name)),
            Key::Expr(Expr(text)) => text.clone(),
        };
        keys.iter().map(key).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn create_index(&self, table: &TableName, index: &Index, online: bool) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let online = if online { "CONCURRENTLY " } else { "" };
        let mut text = format!(
            "CREATE {unique}INDEX {online}{} ON {}",
            self.ident(&index.name),
            self.table(table)
        );
        if let Some(method) = &index.method {
            text.push_str(&format!(" USING {method}"));
        }
        text.push_str(&format!(" ({})", self.keys(&index.keys)));
        if !index.include.is_empty() {
            text.push_str(&format!(" INCLUDE ({})", self.idents(&index.include)));
        }
        if let Some(options) = &index.options {
            text.push_str(&format!(" {options}"));
        }
        if let Some(Expr(filter)) = &index.filter {
            text.push_str(&format!(" WHERE {filter}"));
        }
        text
    }

    /// Clears what an earlier try left, then builds: never IF NOT EXISTS, which would keep an
    /// invalid index for good.
    pub(super) fn build_online(&self, table: &TableName, index: &Index) -> Vec<Sql> {
        vec![
            self.drop_index(table, index, true)
                .comment("A build that was cut off left an invalid index: so it is dropped first."),
            Sql::new(self.create_index(table, index, true)).alone(),
        ]
    }

    pub(super) fn drop_index(&self, table: &TableName, index: &Index, online: bool) -> Sql {
        // An index lives in the schema of its table.
        let name = TableName { schema: table.schema.clone(), name: index.name.clone() };
        let name = self.table(&name);
        if online {
            Sql::new(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).alone()
        } else {
            Sql::new(format!("DROP INDEX {name}"))
        }
    }

    /// IF NOT EXISTS would take an invalid index for one; a valid one is kept.
    pub(super) fn drop_invalid(&self, table: &TableName, index: &Index) -> Sql {
        let name = self.table(&table.sibling(index.name.clone()));
        let body = format!(
            "\
BEGIN
    IF EXISTS (
        SELECT FROM pg_index WHERE indexrelid = to_regclass({}) AND NOT indisvalid
    ) THEN
        PERFORM set_config('lock_timeout', '2s', true);
        DROP INDEX {name};
    END IF;
END",
            self.literal(&name)
        );
        Sql::named(constant("INVALID", table), format!("DO {}", dollar("invalid", &body)))
            .comment("A build that was cut off left an invalid index: so it is dropped first.")
    }

    pub(super) fn rename_index(&self, table: &TableName, index: &Index, to: &str) -> Vec<Sql> {
        if self.dialect == Dialect::Sqlite {
            let renamed = Index { name: to.to_owned(), ..index.clone() };
            return vec![
                self.drop_index(table, index, false),
                Sql::new(self.create_index(table, &renamed, false)),
            ];
        }
        let name = TableName { schema: table.schema.clone(), name: index.name.clone() };
        vec![Sql::new(format!("ALTER INDEX {} RENAME TO {}", self.table(&name), self.ident(to)))]
    }

    /// Takes the lock in short tries; `inside` runs in the same try.
    pub(super) fn lock(&self, tables: &[TableName], mode: &str, inside: &[String]) -> Sql {
        let names: Vec<String> = tables.iter().map(|table| self.table(table)).collect();
        let mut statements = vec![format!("LOCK TABLE {} IN {mode} MODE", names.join(", "))];
        statements.extend_from_slice(inside);
        self.in_short_tries(tables, &statements)
    }

    /// Runs statements together, again and again, until they get the locks they need.
    pub(super) fn in_short_tries(&self, tables: &[TableName], inside: &[String]) -> Sql {
        let first = &tables[0];
        let names: Vec<String> = tables.iter().map(|table| self.table(table)).collect();
        let relations: Vec<String> =
            names.iter().map(|name| format!("{}::regclass", self.literal(name))).collect();
        let relation = match relations.as_slice() {
            [one] => format!("relation = {one}"),
            several => format!("relation IN ({})", several.join(", ")),
        };
        let statements: String = inside
            .iter()
            .map(|text| format!("\n            {};", indent(self.dialect, text, 12)))
            .collect();
        let statements = statements.trim_start_matches('\n');
        let busy = self.literal(&format!(
            "{} was busy for 30 tries: end the blocker, then run this again",
            names.join(" or ").replace('%', "%%")
        ));
        let body = format!(
            "BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE {relation} AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
{statements}
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION {busy};
END"
        );
        Sql::named(constant("LOCK", first), format!("DO {}", dollar("lock", &body)))
            .comment("All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long")
            .comment("wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.")
    }

    /// The statements of one operation inside the block that takes its lock.
    pub(super) fn locked(&self, lock: &crate::plan::op::Op, statements: &[Sql]) -> Sql {
        let crate::plan::op::Op::Lock { tables, mode } = lock else {
            return statements[0].clone();
        };
        let inside: Vec<String> = statements.iter().map(|sql| sql.text.clone()).collect();
        self.lock(tables, mode, &inside)
    }

    /// Writes one row, so that what the triggers of the table do is done once in here.
    pub(super) fn touch(&self, table: &TableName, key: Option<&str>, column: &str) -> Sql {
        let (table_text, column) = (self.table(table), self.ident(column));
        let key = match (key, self.dialect) {
            (Some(key), _) => self.ident(key),
            (None, Dialect::Sqlite) => "rowid".to_owned(),
            (None, _) => "ctid".to_owned(),
        };
        let order = if key == "ctid" { String::new() } else { format!(" ORDER BY {key}") };
        Sql::named(
            constant("TOUCH", table),
            format!(
                "UPDATE {table_text} SET {column} = {column}\n\
                 WHERE {key} = (SELECT {key} FROM {table_text}{order} LIMIT 1)"
            ),
        )
        .comment("A trigger's body is checked when it first runs: let that be here, on one row.")
    }
}

/// `NULLS NOT DISTINCT` stands before the columns of a unique constraint, the rest behind them.
fn nulls(options: Option<&str>) -> (&'static str, Option<&str>) {
    for words in [" NULLS NOT DISTINCT", " NULLS DISTINCT"] {
        let own = &words[1..];
        if let Some(start) = options.and_then(|options| options.get(..own.len()))
            && start.eq_ignore_ascii_case(own)
        {
            let rest = options.map(|options| options[own.len()..].trim());
            return (words, rest.filter(|rest| !rest.is_empty()));
        }
    }
    ("", options)
}
