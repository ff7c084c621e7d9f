//! DELETE and INSERT: rows that go, and rows that come.

use crate::catalog::{Expr, Table, TableName};
use crate::dialect::functions::Volatility;
use crate::error::{Error, Result};
use crate::input::ast::{
    Delete as DeleteStatement, Insert as InsertStatement, InsertSource, Slice,
};
use crate::input::expr;
use crate::source::Span;

use super::super::{Change, Delete, Reads, Seed};
use super::Reader;

/// More is data, and belongs into a job.
const MOST_ROWS: usize = 1000;

impl Reader<'_> {
    pub(super) fn delete(&mut self, delete: &DeleteStatement, span: Span) -> Result<()> {
        let table = TableName::of(&delete.table, self.server.dialect);
        self.table(&table, delete.table.span())?;
        self.no_rows_yet(&table, delete.table.span())?;
        let Some(filter) = &delete.filter else {
            return Err(Error::refused(
                "a DELETE of all rows would take those that come meanwhile",
            )
            .at(self.source, span, "no WHERE")
            .note("they are deleted while the application goes on writing")
            .hint("say which rows: `WHERE created < '2020-01-01'`"));
        };
        if self.delete_reads_more(delete) {
            return self.delete_reading(delete, span);
        }
        let facts = self.understood(&table, filter.text, filter.start)?;
        let unsteady = facts
            .functions
            .iter()
            .find(|name| self.volatility(name) != Some(Volatility::Immutable));
        if let Some(name) = unsteady {
            return Err(self.other_rows(name, facts.columns.first(), filter.span()));
        }
        let filter = Expr(filter.text.to_owned());
        let change = Delete { table, alias: None, filter, reads: Reads::default() };
        self.ask(Change::Delete(change), span);
        Ok(())
    }

    pub(super) fn insert(
        &mut self,
        insert: &InsertStatement,
        statement: Slice,
        span: Span,
    ) -> Result<()> {
        let name = TableName::of(&insert.table, self.server.dialect);
        let table = self.table(&name, insert.table.span())?.clone();
        if insert.columns.is_empty() {
            return Err(Error::refused("this INSERT does not name its columns")
                .at(self.source, insert.table.span(), "which columns?")
                .note("a column that is added later would change what it means")
                .hint(format!("INSERT INTO {} (…) …", name.name)));
        }
        for (at, column) in insert.columns.iter().enumerate() {
            self.column(&name, column)?;
            if insert.columns[..at].iter().any(|other| other.name == column.name) {
                return Err(Error::refused(format!("`{}` is named twice", column.name)).at(
                    self.source,
                    column.span,
                    "the second",
                ));
            }
        }
        let given = |name: &str| insert.columns.iter().any(|column| column.name == name);
        let missing = table.columns.iter().find(|column| {
            column.not_null
                && column.default.is_none()
                && !column.numbers_itself()
                && column.generated.is_none()
                && !given(&column.name)
        });
        // A trigger may give it.
        let fills = self.after.triggers.keys().any(|(of, _)| *of == name);
        if let Some(column) = missing.filter(|_| !fills) {
            return Err(Error::refused(format!(
                "each row of `{}` needs {}",
                name.name, column.name
            ))
            .at(self.source, insert.table.span(), "it is not given here")
            .note(format!("{} is NOT NULL and has no default", column.name)));
        }
        let columns: Vec<String> =
            insert.columns.iter().map(|column| column.name.to_string()).collect();
        match &insert.source {
            InsertSource::Values(rows) => {
                let keys =
                    self.seed_keys(&table, &columns, rows, insert.conflict.is_some(), span)?;
                let text = Expr(statement.text.to_owned());
                let rows = rows.len();
                self.ask(Change::Seed(Seed { table: name, text, rows, keys }), span);
                Ok(())
            }
            InsertSource::Select(selected) => {
                if let Some(conflict) = &insert.conflict {
                    return Err(Error::refused("ON CONFLICT is not needed here")
                        .at(self.source, conflict.span(), "leave it out")
                        .note("only rows that are not there yet are copied, by their key"));
                }
                if selected.list.len() != columns.len() {
                    return Err(self.uneven(columns.len(), selected.list.len(), span));
                }
                self.copy(&table, columns, selected, span)
            }
        }
    }

    fn uneven(&self, columns: usize, values: usize, span: Span) -> Error {
        Error::refused(format!("{columns} columns and {values} values")).at(
            self.source,
            span,
            "these do not go together",
        )
    }

    /// By which columns and values the rows are known again; empty where that cannot be told from
    /// rows that were there.
    fn seed_keys(
        &self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Slice>],
        conflict: bool,
        span: Span,
    ) -> Result<Vec<Vec<(String, Expr)>>> {
        if rows.len() > MOST_ROWS {
            return Err(Error::refused(format!(
                "{} rows are too many for a migration",
                rows.len()
            ))
            .at(self.source, span, format!("at most {MOST_ROWS}"))
            .hint("load them with COPY, apart from the schema"));
        }
        for row in rows {
            if row.len() != columns.len() {
                return Err(self.uneven(columns.len(), row.len(), span));
            }
        }
        if conflict {
            return Ok(Vec::new());
        }
        let constant = |slice: &Slice| {
            !slice.text.eq_ignore_ascii_case("null")
                && expr::read(slice.text, self.server.dialect).is_some_and(|f| f.is_constant)
        };
        let known = table.keys().into_iter().find_map(|key| {
            let places: Option<Vec<usize>> =
                key.iter().map(|name| columns.iter().position(|column| column == name)).collect();
            places
                .filter(|places| rows.iter().all(|row| places.iter().all(|&at| constant(&row[at]))))
        });
        let Some(places) = known else {
            return Err(Error::refused("the way back would not know these rows again")
                .at(self.source, span, "no key of the table is given as plain values")
                .note("the down deletes exactly the rows that the up inserts")
                .hint("give the key a value in each row, or add `ON CONFLICT DO NOTHING`: then nothing is undone"));
        };
        Ok(rows
            .iter()
            .map(|row| {
                places
                    .iter()
                    .map(|&at| (columns[at].clone(), Expr(row[at].text.to_owned())))
                    .collect()
            })
            .collect())
    }
}
