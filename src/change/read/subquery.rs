//! UPDATE and DELETE that read further tables.
//!
//! `UPDATE … FROM b WHERE c` is read as what it means where each row has one partner at most, which the
//! catalog must prove: `SET x = (SELECT … FROM b WHERE c) … WHERE EXISTS (SELECT … FROM b WHERE c)`.
//! Rows without a partner stay as they are, and the written table stands alone in its statement, so a
//! batch can say which of its rows it means.

use std::collections::BTreeSet;

use crate::catalog::{Expr, TableName, names};
use crate::dialect::functions::Volatility;
use crate::dialect::types::compare_alike;
use crate::dialect::{compose, quote};
use crate::error::{Error, Result};
use crate::input::ast::{
    Assignment as Said, Delete as DeleteStatement, Ident, Slice, Update as UpdateStatement,
};
use crate::input::expr;
use crate::input::expr::query::{self, Called};
use crate::source::{Dialect, Span};

use super::super::{Assignment, Change, Delete, Reads, Update};
use super::Reader;
use super::quoted::Quoted;
use super::scopes::{Effect, Found, Written};

impl Reader<'_> {
    /// Whether the statement is for this file.
    pub(super) fn reads_more(&self, update: &UpdateStatement) -> bool {
        let texts = || update.set.iter().map(|said| said.expr).chain(update.filter);
        let calls_it = |alias: &Ident| texts().any(|slice| self.is_named_by(slice, &alias.name));
        let table = TableName::of(&update.table, self.server.dialect);
        let is_new = |column: &Ident| self.added(&table, &column.name).is_some();
        update.from.is_some()
            || self.asks(texts())
            || update.alias.as_ref().is_some_and(calls_it)
                && !update.set.iter().flat_map(|said| &said.columns).any(is_new)
    }

    fn is_named_by(&self, slice: Slice, alias: &str) -> bool {
        let dialect = self.server.dialect;
        let Some(Ok(scope)) = query::scopes(slice.text, dialect) else { return false };
        scope.names.iter().any(|name| {
            let called = name.qualifier.as_ref().unwrap_or(&name.column);
            names::same(dialect, called, alias)
        })
    }

    pub(super) fn asks<'s>(&self, mut texts: impl Iterator<Item = Slice<'s>>) -> bool {
        let facts = |slice: Slice| expr::read(slice.text, self.server.dialect);
        texts.any(|slice| facts(slice).is_some_and(|facts| facts.subquery))
    }

    pub(super) fn update_reading(&mut self, update: &UpdateStatement, span: Span) -> Result<()> {
        let table = TableName::of(&update.table, self.server.dialect);
        let mut columns = Vec::new();
        for said in &update.set {
            columns.push(self.written_column(&table, said)?);
        }
        let new = columns.iter().filter(|name| self.added(&table, name).is_some()).count();
        if new > 0 && new < columns.len() {
            return Err(self.not_yet("filling old and new columns together", span));
        }
        let written = Written {
            table: &table,
            alias: update.alias.as_ref().map(|alias| alias.name.as_ref()),
            effect: Effect::Set(&columns),
            beside: update.from.is_some(),
        };
        let mut reads = Reads::default();
        let mut nulls = BTreeSet::new();
        let filter = self.joined("UPDATE", update.from, update.filter, span)?;
        if let Some(filter) = &filter {
            let found = self.scoped(written, filter)?;
            self.steady(&found.functions, |function| {
                function.is_some_and(|volatility| volatility != Volatility::Volatile)
            })?;
            reads.add(found.reads);
            nulls = found.nulls;
        }
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut set = Vec::new();
        for (said, column) in update.set.iter().zip(&columns) {
            let text = match update.from.zip(update.filter) {
                Some((from, filter)) if !self.is_constant(said.expr.text) => {
                    Quoted::query("", Some(said.expr), &[from], &[filter])
                }
                _ => Quoted::of(said.expr),
            };
            let found = self.scoped(written, &text)?;
            // What stands in a condition beside it says which row, not which value.
            let inside = |span: &Span| holds(said.expr, *span);
            let mut functions = found.functions.iter().filter(|(_, span)| inside(span));
            let volatile = functions.any(|(called, _)| self.varies(&called.name));
            if volatile && self.asks(std::iter::once(said.expr)) {
                return Err(Error::refused("this gives another value each time it runs")
                    .at(self.source, said.expr.span(), "volatile, inside a query")
                    .note("the server may ask such a query once for all rows of a statement, or once for each"));
            }
            if volatile && (new > 0 || !nulls.contains(column)) {
                return Err(self.never_done(column, said.expr));
            }
            let mut own = found.own.iter().filter(|(_, span)| inside(span));
            let changes = |own: &String| columns.contains(own) || self.follows(&table, own, &names);
            if let Some((own, _)) = own.find(|(own, _)| changes(own)) {
                return Err(self.would_apply_twice(column, own, said.expr));
            }
            let stored = self.stored(&table, column, &found, &text);
            reads.add(found.reads);
            set.push(Assignment {
                column: column.clone(),
                expr: Expr(text.text),
                stored,
                volatile,
            });
        }
        let change = Update {
            alias: written.alias.map(str::to_owned),
            set,
            filter: filter.map(|filter| Expr(filter.text)),
            reads,
            table,
            late: new > 0,
        };
        self.ask(Change::Update(change), span);
        Ok(())
    }

    pub(super) fn delete_reading(&mut self, delete: &DeleteStatement, span: Span) -> Result<()> {
        let table = TableName::of(&delete.table, self.server.dialect);
        let written = Written {
            table: &table,
            alias: delete.alias.as_ref().map(|alias| alias.name.as_ref()),
            effect: Effect::Go,
            beside: delete.using.is_some(),
        };
        let Some(filter) = self.joined("DELETE", delete.using, delete.filter, span)? else {
            return Err(Error::bug("a DELETE of all rows"));
        };
        let found = self.scoped(written, &filter)?;
        self.steady(&found.functions, |function| function == Some(Volatility::Immutable))?;
        let change = Delete {
            alias: written.alias.map(str::to_owned),
            filter: Expr(filter.text),
            reads: found.reads,
            table,
        };
        self.ask(Change::Delete(change), span);
        Ok(())
    }

    pub(super) fn delete_reads_more(&self, delete: &DeleteStatement) -> bool {
        delete.filter.is_some()
            && (delete.using.is_some()
                || delete.alias.is_some()
                || self.asks(delete.filter.into_iter()))
    }

    /// Which rows: the condition, or that there is a partner.
    fn joined(
        &self,
        verb: &str,
        from: Option<Slice>,
        filter: Option<Slice>,
        span: Span,
    ) -> Result<Option<Quoted>> {
        match (from, filter) {
            (None, filter) => Ok(filter.map(Quoted::of)),
            (Some(from), Some(filter)) => {
                Ok(Some(Quoted::query("EXISTS ", None, &[from], &[filter])))
            }
            (Some(from), None) => {
                Err(Error::refused(format!("this {verb} joins without a condition"))
                    .at(self.source, span, "no WHERE")
                    .hint(format!("say which rows belong together: `WHERE {}.… = …`", from.text)))
            }
        }
    }

    fn written_column(&self, table: &TableName, said: &Said) -> Result<String> {
        let [column] = said.columns.as_slice() else {
            return Err(self
                .not_yet("several columns of one subquery", said.expr.span())
                .hint("write one for each: `a = (SELECT …), b = (SELECT …)`"));
        };
        self.written(table, column)?;
        self.refuse_default(table, column, said.expr)?;
        if let Some(add) = self.added(table, &column.name) {
            if add.existing.is_none() && add.fill.is_none() && !add.column.not_null {
                return Ok(add.column.name.clone());
            }
            return Err(Error::refused(format!(
                "`{}` is new, and filled from another table",
                column.name
            ))
            .at(self.source, said.expr.span(), "nothing would keep it in step meanwhile")
            .note("its rows are filled in deploy 2, when all code gives it: until then it is NULL in those from before")
            .hint("add it without NOT NULL and without a default; plan those when its rollout is through"));
        }
        self.known_before(&self.after.tables[table], &column.name, column.span)?;
        let known = &self.after.tables[table];
        Ok(known.column(&column.name).map_or(column.name.to_string(), |known| known.name.clone()))
    }

    /// The value names no column at all, so it is the same for every partner.
    fn is_constant(&self, text: &str) -> bool {
        let facts = expr::read(text, self.server.dialect);
        facts.is_some_and(|facts| facts.columns.is_empty() && !facts.subquery)
    }

    /// A condition that calls `function`; `column` is one that it asks for.
    pub(super) fn other_rows(&self, function: &str, column: Option<&String>, span: Span) -> Error {
        let column = quote::ident(self.server.dialect, column.map_or("created", String::as_str));
        let every = if self.batches() { "batch" } else { "run" };
        Error::refused("which rows these are changes while it runs")
            .at(self.source, span, format!("`{function}` gives each {every} another answer"))
            .note("a file may come to run again, and must find none left")
            .hint(format!("write the value itself: `{column} < '2020-01-01'`"))
    }

    fn steady(
        &self,
        functions: &[(Called, Span)],
        fits: impl Fn(Option<Volatility>) -> bool,
    ) -> Result<()> {
        match functions.iter().find(|(called, _)| !fits(self.volatility(&called.name))) {
            None => Ok(()),
            Some((called, span)) => Err(self.other_rows(&called.name, None, *span)),
        }
    }

    /// What a row holds when it is done, where the column's type changes the value.
    fn stored(
        &self,
        table: &TableName,
        column: &str,
        found: &Found,
        text: &Quoted,
    ) -> Option<Expr> {
        let dialect = self.server.dialect;
        if dialect == Dialect::Sqlite || found.others.is_empty() {
            return None;
        }
        let own = self.after.tables[table].column(column)?;
        let same = found.value.as_ref().is_some_and(|value| {
            let plain = !own.ty.contains('(') || own.ty == value.ty;
            plain && compare_alike(dialect, own.integer_type(), value.integer_type())
        });
        (!same).then(|| Expr(compose::cast(&text.text, own.integer_type())))
    }
}

pub(super) fn holds(slice: Slice, span: Span) -> bool {
    slice.span().start <= span.start && span.end <= slice.span().end
}
