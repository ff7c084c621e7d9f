//! UPDATE: the values of a new column, or a backfill of its own.

use crate::catalog::{Expr, Generated, TableName, names};
use crate::dialect::functions::{Volatility, function, varies};
use crate::dialect::{Action, quote};
use crate::error::{Error, Result};
use crate::input;
use crate::input::ast::{Ident, Slice, Update as UpdateStatement};
use crate::input::expr::{self, ExprFacts};
use crate::source::{Dialect, Span};

use super::super::{Assignment, Change, Reads, Update};
use super::Reader;

/// Applied to their own result they change nothing, nor do they when nested into each other.
const IDEMPOTENT: &[&str] = &["btrim", "lower", "ltrim", "rtrim", "trim", "upper"];

impl Reader<'_> {
    pub(super) fn update(&mut self, update: &UpdateStatement, span: Span) -> Result<()> {
        let table = TableName::of(&update.table, self.server.dialect);
        self.table(&table, update.table.span())?;
        self.no_rows_yet(&table, update.table.span())?;
        if let Some(rest) = update.rest {
            return Err(self.not_yet("an UPDATE with more than SET and WHERE", rest.span()));
        }
        if self.reads_more(update) {
            return self.update_reading(update, span);
        }
        let mut set = Vec::new();
        for assignment in &update.set {
            let [column] = assignment.columns.as_slice() else {
                return Err(
                    self.not_yet("an assignment to several columns", assignment.expr.span())
                );
            };
            self.written(&table, column)?;
            if let Some(own) = self.after.tables[&table].column(&column.name) {
                self.is_value(own, assignment.expr.text, assignment.expr.span())?;
            }
            self.refuse_default(&table, column, assignment.expr)?;
            let facts = self.understood(&table, assignment.expr.text, assignment.expr.start)?;
            let dialect = self.server.dialect;
            // SQLite's date functions read the clock where they are told so.
            let now = |token: &str| token.eq_ignore_ascii_case("'now'");
            let volatile = facts.functions.iter().any(|name| self.varies(name))
                || dialect == Dialect::Sqlite && input::says(assignment.expr.text, dialect, now);
            let again_the_same =
                facts.functions.iter().all(|name| IDEMPOTENT.contains(&name.as_str()))
                    && input::is_calls_only(assignment.expr.text, self.server.dialect)
                    && !assignment.expr.text.contains(['|', '+', '-', ',']);
            if facts.columns.contains(&column.name.to_string()) && !again_the_same {
                return Err(Error::refused(format!(
                    "`{}` is computed from itself: {} that runs again would apply it twice",
                    column.name,
                    self.unit()
                ))
                .at(self.source, assignment.expr.span(), "reads what it writes")
                .note(if self.batches() {
                    "a backfill is committed batch by batch and must survive being killed and run again"
                } else {
                    "no row would say that it is done, and a person, or a runner that was cut off, may run a file again"
                })
                .hint("add a column, fill that one, and switch the application over"));
            }
            let written: Vec<&str> = update
                .set
                .iter()
                .flat_map(|said| &said.columns)
                .map(|column| &*column.name)
                .collect();
            let follows = |read: &&String| self.follows(&table, read, &written);
            if let Some(read) = facts.columns.iter().find(follows) {
                return Err(self.would_apply_twice(&column.name, read, assignment.expr));
            }
            set.push((column.clone(), assignment.expr, facts, volatile));
        }
        if let Some(filter) = &update.filter {
            self.understood(&table, filter.text, filter.start)?;
        }
        let called = update.alias.as_ref().map_or(table.name.as_str(), |alias| &alias.name);
        let fills_new = set.iter().filter(|(c, ..)| self.added(&table, &c.name).is_some()).count();
        if fills_new == set.len() {
            for (column, value, facts, _) in set {
                self.fill(&table, &column.name, called, (value.text, &facts), update.filter, span)?;
            }
            return Ok(());
        }
        if fills_new > 0 {
            return Err(self.not_yet("filling old and new columns together", span));
        }
        let written: Vec<&str> = set.iter().map(|(column, ..)| &*column.name).collect();
        for (column, value, facts, _) in &set {
            let other = |name: &&String| *name != &*column.name && written.contains(&name.as_str());
            if let Some(other) = facts.columns.iter().find(other) {
                return Err(self.would_apply_twice(&column.name, other, *value));
            }
        }
        let volatile = set.iter().find(|(.., volatile)| *volatile);
        if let Some((column, slice, ..)) = volatile {
            let done_when_set = update.filter.as_ref().is_some_and(|filter| {
                input::is_null_test(filter.text, &column.name, self.server.dialect)
            });
            if !done_when_set {
                return Err(self.never_done(&column.name, *slice));
            }
        }
        let change = Update {
            table,
            alias: None,
            reads: Reads::default(),
            late: false,
            filter: update.filter.map(|filter| Expr(filter.text.to_owned())),
            set: set
                .into_iter()
                .map(|(column, slice, _, volatile)| Assignment {
                    column: column.name.to_string(),
                    expr: Expr(slice.text.to_owned()),
                    stored: None,
                    volatile,
                })
                .collect(),
        };
        self.ask(Change::Update(change), span);
        Ok(())
    }

    /// A column that an UPDATE may give a value.
    pub(super) fn written(&self, table: &TableName, column: &Ident) -> Result<()> {
        self.column(table, column)?;
        let known = self.after.tables[table].column(&column.name);
        match known.and_then(|known| known.generated.as_ref()) {
            Some(Generated { expr: Expr(text), .. }) => Err(Error::refused(format!(
                "`{}` is generated",
                column.name
            ))
            .at(self.source, column.span, format!("always {text}"))),
            None => Ok(()),
        }
    }

    pub(super) fn refuse_default(
        &self,
        table: &TableName,
        column: &Ident,
        value: Slice,
    ) -> Result<()> {
        if !value.text.eq_ignore_ascii_case("default") {
            return Ok(());
        }
        let known = self.after.tables[table].column(&column.name);
        let plain = known.filter(|known| known.identity.is_none());
        let Some(default) = plain.map(|known| known.default.as_ref()) else {
            return Err(self.not_yet("DEFAULT as a value", value.span()));
        };
        let own = quote::ident(self.server.dialect, &column.name);
        Err(Error::refused("miggen does not plan DEFAULT as a value yet")
            .at(self.source, value.span(), "here")
            .hint(format!("write it out: `{own} = {}`", default.map_or("NULL", |text| &text.0))))
    }

    /// Reads an expression over one table, and refuses what it cannot vouch for.
    pub(super) fn understood(
        &self,
        table: &TableName,
        text: &str,
        start: usize,
    ) -> Result<ExprFacts> {
        let span = Span::new(start, start + text.len());
        let Some(facts) = expr::read(text, self.server.dialect) else {
            return Err(Error::refused("miggen does not understand this expression")
                .at(self.source, span, "here")
                .hint("put it into a function of the database, or write it more plainly"));
        };
        if facts.subquery {
            return Err(self.not_yet("a subquery in a backfill", span));
        }
        for name in &facts.columns {
            if self.after.tables[table].column(name).is_none() {
                let at = text.find(name.as_str()).unwrap_or(0);
                let span = Span::new(start + at, start + at + name.len());
                if names::same(self.server.dialect, name, &table.name) {
                    return Err(self.whole_row(name, span));
                }
                return Err(self.no_column(&self.after.tables[table], name, span));
            }
        }
        Ok(facts)
    }

    /// Built in, or as the schema declares it; `None`: not known, so the worst is assumed.
    pub(super) fn volatility(&self, name: &str) -> Option<Volatility> {
        let known = function(self.server.dialect, name).map(|known| known.volatility);
        known.or_else(|| self.before.is_immutable(name).then_some(Volatility::Immutable))
    }

    /// It may give another value when it is called again for the same row.
    pub(super) fn varies(&self, name: &str) -> bool {
        varies(self.server.dialect, name) && !self.before.is_immutable(name)
    }

    pub(super) fn batches(&self) -> bool {
        self.server.can(Action::UpdateBatch)
    }

    /// What is done as one.
    fn unit(&self) -> &'static str {
        if self.batches() { "a batch" } else { "a file" }
    }

    /// A generated column that is computed from one of those that are written.
    pub(super) fn follows(&self, table: &TableName, column: &str, written: &[&str]) -> bool {
        let sources = self.after.tables[table].computed_from(column);
        sources.iter().any(|source| written.contains(source))
    }

    pub(super) fn whole_row(&self, called: &str, span: Span) -> Error {
        Error::refused(format!("this reads whole rows of `{called}`"))
            .at(self.source, span, "a table's name, and no column's")
            .hint("name the columns that are meant")
    }

    pub(super) fn never_done(&self, column: &str, value: Slice) -> Error {
        Error::refused("this gives another value each time it runs")
            .at(self.source, value.span(), "volatile")
            .note("a row that is done cannot be told from one that is not, so the backfill could not be resumed")
            .hint(format!("add `WHERE {} IS NULL`", quote::ident(self.server.dialect, column)))
    }

    pub(super) fn would_apply_twice(&self, column: &str, reads: &str, value: Slice) -> Error {
        Error::refused(format!(
            "`{column}` is computed from `{reads}`, which the same statement changes"
        ))
        .at(
            self.source,
            value.span(),
            format!("{} that runs again would apply it twice", self.unit()),
        )
        .hint("add a column, fill that one, and switch the application over")
    }
}

/// The columns it is NULL for want of; `None` where that is not known.
pub(super) fn needs(text: &str, facts: &ExprFacts, dialect: Dialect) -> Option<Vec<String>> {
    let strict = !text.eq_ignore_ascii_case("NULL")
        && facts.functions.iter().all(|name| function(dialect, name).is_some_and(|f| f.total))
        && input::is_calls_only(text, dialect);
    strict.then(|| facts.columns.clone())
}
