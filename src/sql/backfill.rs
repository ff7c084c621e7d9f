//! Backfills: an UPDATE in batches, or one where the server has no batches.

use crate::catalog::Expr;
use crate::plan::condition::Predicate;
use crate::plan::rows::{Backfill, PutBack, Walk};

use super::batches::{Batches, PAUSE};
use super::predicate::{named, predicate};
use super::{Sql, Writer, dollar};

impl Writer<'_> {
    pub(super) fn backfill(&self, backfill: &Backfill) -> Sql {
        let columns: Vec<&str> = backfill.set.iter().map(|(column, _)| column.as_str()).collect();
        let columns = columns.join(" and ");
        let remaining = predicate(self.server, &backfill.remaining);
        let from = named(self.server, &backfill.table, &backfill.remaining);
        let head = format!("UPDATE {from}\nSET {}", self.assignments(backfill));
        if backfill.walk == Walk::Once {
            return Sql::named("BACKFILL", format!("{head}\nWHERE {remaining}"))
                .comment(format!("Fills {columns}; a second run finds nothing to do."));
        }
        let quoted: Vec<String> = backfill.set.iter().map(|(c, _)| self.ident(c)).collect();
        let body = self.batches(&Batches {
            table: &backfill.table,
            from,
            walk: &backfill.walk,
            what: format!("backfill {}", backfill.table.name),
            head,
            tail: String::new(),
            remaining,
            sync: backfill.sync.as_deref(),
            in_place: true,
            end: format!("    ANALYZE {} ({});\n", self.table(&backfill.table), quoted.join(", ")),
        });
        let mut sql = Sql::named("BACKFILL", format!("DO {}", dollar("backfill", &body)))
            .alone()
            .comment(format!(
                "Fills {columns}; one commit per batch. It may be killed and run again at any time."
            ));
        if body.contains("v_stripes") {
            for line in [
                "A window is updated in stripes: each finds room in the same pages, freed by the stripes",
                "before it, so no index is touched and WAL is halved. While an old snapshot keeps dead",
                "rows alive that fails, and plain batches are used.",
            ] {
                sql = sql.comment(line);
            }
        }
        sql.comment(PAUSE)
    }

    pub(super) fn put_back(&self, rows: &PutBack) -> Sql {
        let (archive, own) = (self.ident(&rows.archive.name), self.ident(&rows.table.name));
        let same: Vec<String> = rows
            .key
            .iter()
            .map(|key| format!("{archive}.{0} = {own}.{0}", self.ident(key)))
            .collect();
        let kept = |column: &String| {
            Expr(format!(
                "(SELECT {archive}.{} FROM {} WHERE {})",
                self.ident(column),
                self.table(&rows.archive),
                same.join(" AND ")
            ))
        };
        let set: Vec<(String, Expr)> =
            rows.columns.iter().map(|column| (column.clone(), kept(column))).collect();
        let open = set.iter().map(|(column, kept)| {
            let there = Predicate::ExprIsNotNull(kept.clone());
            Predicate::And(vec![Predicate::IsNull(column.clone()), there])
        });
        self.backfill(&Backfill {
            table: rows.table.clone(),
            walk: rows.walk.clone(),
            remaining: Predicate::any(open),
            set,
            sync: None,
        })
    }

    fn assignments(&self, backfill: &Backfill) -> String {
        backfill
            .set
            .iter()
            .map(|(column, expr)| format!("{} = {}", self.ident(column), expr.0))
            .collect::<Vec<_>>()
            .join(",\n    ")
    }
}
