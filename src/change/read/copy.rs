//! `INSERT INTO a (…) SELECT … FROM b`: rows of one table, copied to another.
//!
//! What it joins is read as in UPDATE … FROM: each row of `b` has one partner at most, and the values of
//! the partner are asked for by a query each. So a copied row is known by the key of `b` alone.

use crate::catalog::{Expr, Table, TableName, names};
use crate::error::{Error, Result};
use crate::input::ast::{Join, Selected, Slice};
use crate::input::expr::query;
use crate::source::Span;

use super::super::{Change, Copy, Reads};
use super::Reader;
use super::quoted::Quoted;
use super::scopes::{Effect, Written};
use super::subquery::holds;

impl Reader<'_> {
    pub(super) fn copy(
        &mut self,
        into: &Table,
        columns: Vec<String>,
        selected: &Selected,
        span: Span,
    ) -> Result<()> {
        let Selected { list, from, alias, join, filter } = selected;
        let from_name = TableName::of(from, self.server.dialect);
        let from_table = self.table(&from_name, from.span())?.clone();
        if self.before.share_rows(&from_name, &into.name) {
            return Err(self.not_yet("a copy of a table's rows into itself", span));
        }
        let alias = alias.as_ref().map(|alias| alias.name.as_ref());
        if alias.is_some_and(|alias| names::same(self.server.dialect, alias, &into.name.name)) {
            return Err(Error::refused("the alias is the name of the table that rows come to")
                .at(self.source, from.span(), "which of them?")
                .hint("give it another alias"));
        }
        let written = Written {
            table: &from_name,
            alias,
            effect: Effect::Come(&into.name),
            beside: join.is_some(),
        };
        if let Some(join) = join.as_ref().filter(|join| sides(join, *filter).1.is_empty()) {
            return Err(Error::refused("this INSERT joins without a condition")
                .at(self.source, join.tables.span(), "no ON and no WHERE")
                .hint("say which rows belong together"));
        }
        let mut reads = Reads::default();
        let mut values = Vec::new();
        for slice in list {
            values.push(self.copied_value(written, *slice, join.as_ref(), *filter, &mut reads)?);
        }
        let filter = match join {
            Some(join) => {
                let (from, on) = sides(join, *filter);
                Some(Quoted::query("EXISTS ", None, &from, &on))
            }
            None => filter.map(Quoted::of),
        };
        if let Some(filter) = &filter {
            let found = self.scoped(written, filter)?;
            reads.add(found.reads);
        }
        let key = self.copied_key(into, &columns, &from_table, written, list, span)?;
        let copy = Copy {
            alias: alias.map(str::to_owned),
            into: into.name.clone(),
            list: columns.into_iter().zip(values).collect(),
            filter: filter.map(|filter| Expr(filter.text)),
            key,
            reads,
            from: from_name,
        };
        self.ask(Change::Copy(copy), span);
        Ok(())
    }

    /// As it is written, or a query where it is of the tables that are joined.
    fn copied_value(
        &self,
        written: Written,
        value: Slice,
        join: Option<&Join>,
        filter: Option<Slice>,
        reads: &mut Reads,
    ) -> Result<Expr> {
        let plain = Quoted::of(value);
        let text = match join.map(|join| sides(join, filter)) {
            Some((from, on)) => Quoted::query("", Some(value), &from, &on),
            None => plain.clone(),
        };
        let found = self.scoped(written, &text)?;
        reads.add(found.reads);
        let of_partner = found.others.iter().any(|span| holds(value, *span));
        let keeps = of_partner || self.asks(std::iter::once(value));
        Ok(Expr(if keeps { text.text } else { plain.text }))
    }

    /// Pairs of columns, of the copy and of the table it comes from, by which a row that is copied
    /// is told from one that is not.
    fn copied_key(
        &self,
        into: &Table,
        columns: &[String],
        from: &Table,
        written: Written,
        list: &[Slice],
        span: Span,
    ) -> Result<Vec<(String, String)>> {
        let dialect = self.server.dialect;
        let plain = |name: &str| {
            let at = columns.iter().position(|column| column == name)?;
            let Some(Ok(scope)) = query::scopes(list[at].text, dialect) else { return None };
            let [only] = scope.names.as_slice() else { return None };
            let is_own = only
                .qualifier
                .as_ref()
                .is_none_or(|qualifier| names::same(dialect, qualifier, written.called()));
            let whole = only.at == (0..list[at].text.len());
            (is_own && whole).then(|| from.column(&only.column))?.map(|column| column.name.clone())
        };
        let found = into.keys().into_iter().find_map(|key| {
            let pairs: Option<Vec<(String, String)>> =
                key.iter().map(|name| Some((name.clone(), plain(name)?))).collect();
            pairs.filter(|pairs| {
                from.keys()
                    .iter()
                    .any(|key| key.iter().all(|name| pairs.iter().any(|(_, of)| of == name)))
            })
        });
        let keys = into.keys();
        let holds_it = |key: &Vec<String>| {
            !keys.contains(key)
                && key.iter().all(|name| {
                    plain(name).is_some_and(|of| from.keys().iter().flatten().any(|key| *key == of))
                })
        };
        found.ok_or_else(|| {
            let hint = match into.unique().into_iter().find(holds_it) {
                Some(optional) => format!(
                    "make {} of `{}` NOT NULL first: a row without a key tells nothing",
                    optional.join(" and "),
                    into.name.name
                ),
                None => format!(
                    "add a column with a unique key to `{}` that holds the key of `{}`, NOT NULL",
                    into.name.name, from.name.name
                ),
            };
            Error::refused("nothing says which rows are copied already")
                .at(self.source, span, "cannot be run again after a kill")
                .note(format!(
                    "a key of `{}` must be filled from a key of `{}`, column for column",
                    into.name.name, from.name.name
                ))
                .hint(hint)
        })
    }
}

/// The tables that are joined, and which of their rows.
fn sides<'a>(join: &Join<'a>, filter: Option<Slice<'a>>) -> (Vec<Slice<'a>>, Vec<Slice<'a>>) {
    let from = std::iter::once(join.tables).chain(join.more).collect();
    (from, join.on.into_iter().chain(filter).collect())
}
