//! SQLite's rebuild: create, copy, drop, rename; each step checked before the next.
//!
//! Every statement is plain SQL, for no runner has a loop: a temporary table whose CHECK fails is
//! what stops it. It must run with foreign keys off, else dropping the old table deletes the rows of
//! its children; the first check sees to that.

use crate::catalog::{ConstraintKind, Table, TableName};
use crate::plan::op::Rebuild;

use super::condition::{boolean, message};
use super::{Sql, Writer};

impl Writer<'_> {
    pub(super) fn rebuild(&self, rebuild: &Rebuild) -> Vec<Sql> {
        let old = self.table(&rebuild.from.name);
        let new_name = TableName { schema: None, name: rebuild.aside.clone() };
        let new = self.table(&new_name);
        let name = self.literal(&rebuild.from.name.name);
        let check = |sentence: &str, condition: String| {
            [
                format!(
                    "CREATE TEMP TABLE miggen_guard (ok NOT NULL CONSTRAINT \"{sentence}\" CHECK (ok))"
                ),
                format!("INSERT INTO miggen_guard SELECT {condition}"),
                "DROP TABLE miggen_guard".to_owned(),
            ]
            .map(Sql::new)
        };
        let mut all = Vec::new();
        // First a write: a transaction that begins by reading could not get to write beside others.
        all.push(Sql::named("NEW_TABLE", self.create_table(&rebuild.to, &new_name)));
        all.extend(self.checks(&[
            (
                "foreign keys are on: dropping the old table would delete its children".into(),
                "(SELECT foreign_keys = 0 FROM pragma_foreign_keys)".into(),
            ),
            (message(&rebuild.as_planned), boolean(self.server, &rebuild.as_planned)),
        ]));
        for dependant in rebuild.dependants.iter().filter(|dependant| dependant.drop) {
            all.push(Sql::new(format!("DROP {} {}", dependant.kind, self.ident(&dependant.name))));
        }
        let (into, from) = self.copied(rebuild);
        all.push(Sql::named(
            "COPY_ROWS",
            format!(
                "INSERT INTO {new} ({})\nSELECT {}\nFROM {old}",
                into.join(", "),
                from.join(", ")
            ),
        ));
        all.extend(check(
            "rows got lost on the way",
            format!("(SELECT count(*) FROM {old}) = (SELECT count(*) FROM {new})"),
        ));
        if rebuild.autoincrement {
            all.push(
                Sql::new(format!(
                    "CREATE TEMP TABLE miggen_counter AS SELECT seq FROM sqlite_sequence WHERE name = {name}"
                ))
                .comment("The counter of AUTOINCREMENT must not fall."),
            );
        }
        all.push(Sql::new(format!("DROP TABLE {old}")));
        all.push(Sql::new(format!("ALTER TABLE {new} RENAME TO {old}")));
        if rebuild.autoincrement {
            all.push(Sql::new(format!(
                "UPDATE sqlite_sequence\nSET seq = max(seq, (SELECT coalesce(max(seq), 0) FROM miggen_counter))\n\
                 WHERE name = {name}"
            )));
            all.push(Sql::new(format!(
                "INSERT INTO sqlite_sequence (name, seq)\nSELECT {name}, seq FROM miggen_counter\n\
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {name})"
            )));
            all.push(Sql::new("DROP TABLE miggen_counter"));
        }
        for index in &rebuild.to.indexes {
            all.push(Sql::new(self.create_index(&rebuild.to.name, index, false)));
        }
        for dependant in &rebuild.dependants {
            all.push(Sql::named(dependant.kind, dependant.text.clone()));
        }
        all.extend(check(
            "a foreign key does not hold",
            "NOT EXISTS (SELECT 1 FROM pragma_foreign_key_check)".into(),
        ));
        all
    }

    /// Columns of the new table, and what each is copied from; generated ones compute themselves.
    fn copied(&self, rebuild: &Rebuild) -> (Vec<String>, Vec<String>) {
        let mut into = Vec::new();
        let mut from = Vec::new();
        // A table without an INTEGER PRIMARY KEY would get new rowids.
        if !has_rowid_alias(&rebuild.to) && !rebuild.to.is_without_rowid() {
            into.push("rowid".to_owned());
            from.push("rowid".to_owned());
        }
        for column in rebuild.to.columns.iter().filter(|column| column.generated.is_none()) {
            let name = self.ident(&column.name);
            match rebuild.copy.get(&column.name) {
                Some(expr) => from.push(expr.0.clone()),
                None if rebuild.from.columns.iter().any(|old| old.name == column.name) => {
                    from.push(name.clone());
                }
                None => continue,
            }
            into.push(name);
        }
        (into, from)
    }
}

fn has_rowid_alias(table: &Table) -> bool {
    table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(keys) => match keys.as_slice() {
            [crate::catalog::Key::Column { name, .. }] => {
                table.column(name).is_some_and(|column| column.ty.eq_ignore_ascii_case("integer"))
            }
            _ => false,
        },
        _ => false,
    })
}
