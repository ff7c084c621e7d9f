//! Rows that go and rows that come.

use crate::catalog::{Expr, TableName};
use crate::plan::condition::{Condition, Reason};
use crate::plan::op::Op;
use crate::plan::rows::{CopyRows, DeleteRows, Walk};

use super::batches::{Batches, PAUSE};
use super::predicate::{named, predicate};
use super::{Sql, Writer, dollar};

const RERUN: &str = "One commit per batch. It may be killed and run again at any time.";

impl Writer<'_> {
    pub(super) fn delete_rows(&self, rows: &DeleteRows) -> Sql {
        let table = self.table(&rows.table);
        let remaining = predicate(self.server, &rows.filter);
        let from = named(self.server, &rows.table, &rows.filter);
        let head = format!("DELETE FROM {from}");
        if rows.walk == Walk::Once {
            return Sql::named("DELETE", format!("{head}\nWHERE {remaining}"));
        }
        let body = self.batches(&Batches {
            table: &rows.table,
            from,
            walk: &rows.walk,
            what: format!("delete {}", rows.table.name),
            head,
            tail: String::new(),
            remaining,
            sync: None,
            in_place: false,
            end: format!("    ANALYZE {table};\n"),
        });
        Sql::named("DELETE", format!("DO {}", dollar("delete", &body)))
            .alone()
            .comment(RERUN)
            .comment(PAUSE)
    }

    pub(super) fn copy_rows(&self, rows: &CopyRows) -> Sql {
        let into = self.table(&rows.into);
        let columns: Vec<String> = rows.list.iter().map(|(name, _)| self.ident(name)).collect();
        let values: Vec<&str> = rows.list.iter().map(|(_, Expr(expr))| expr.as_str()).collect();
        let remaining = predicate(self.server, &rows.remaining);
        let from = named(self.server, &rows.from, &rows.remaining);
        let head = format!(
            "INSERT INTO {into} ({})\nSELECT {}\nFROM {from}",
            columns.join(", "),
            values.join(", ")
        );
        let (tail, comment) = if rows.renewed.is_empty() {
            // Somebody else may insert the same key at the same moment.
            ("\nON CONFLICT DO NOTHING".to_owned(), "Only rows that are not there yet.")
        } else {
            let set: Vec<String> = columns
                .iter()
                .filter(|name| !rows.renewed.iter().any(|key| self.ident(key) == **name))
                .map(|name| format!("{name} = excluded.{name}"))
                .collect();
            let key: Vec<String> = rows.renewed.iter().map(|name| self.ident(name)).collect();
            (
                format!("\nON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", ")),
                "Only rows that are not there yet, or not as they are now.",
            )
        };
        if rows.walk == Walk::Once {
            let tail = if rows.renewed.is_empty() { "" } else { &tail };
            return Sql::named("COPY", format!("{head}\nWHERE {remaining}{tail}")).comment(comment);
        }
        let body = self.batches(&Batches {
            table: &rows.from,
            from,
            walk: &rows.walk,
            what: format!("copy {}", rows.from.name),
            head,
            tail,
            remaining,
            sync: None,
            in_place: false,
            end: format!("    ANALYZE {into};\n"),
        });
        Sql::named("COPY", format!("DO {}", dollar("copy", &body)))
            .alone()
            .comment(comment)
            .comment(RERUN)
            .comment(PAUSE)
    }

    /// Asserts that a job was run to its end.
    pub(super) fn job_done(&self, op: &Op, file: &str) -> Vec<Sql> {
        let condition = op.walk().zip(op.remaining()).map(|((_, table), filter)| {
            let reason = Reason::JobLeft { file: file.to_owned() };
            Condition::NoRows { table: table.clone(), filter, reason }
        });
        condition.map_or_else(Vec::new, |condition| self.guard(&[condition]))
    }

    /// Rows by the values of a key.
    pub(super) fn delete_exactly(&self, table: &TableName, rows: &[Vec<(String, Expr)>]) -> Sql {
        let group = |parts: Vec<String>| match parts.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let columns = rows
            .first()
            .map_or_else(Vec::new, |row| row.iter().map(|(name, _)| self.ident(name)).collect());
        let values: Vec<String> = rows
            .iter()
            .map(|row| group(row.iter().map(|(_, Expr(value))| value.clone()).collect()))
            .collect();
        // Values that are rows themselves: SQLite takes them in a list of VALUES only.
        let several = columns.len() > 1;
        let list =
            if several { format!("VALUES {}", values.join(", ")) } else { values.join(", ") };
        Sql::new(format!("DELETE FROM {}\nWHERE {} IN ({list})", self.table(table), group(columns)))
    }
}
