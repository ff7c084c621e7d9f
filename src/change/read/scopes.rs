//! Which table each name of an expression belongs to, where the expression holds queries.
//!
//! Enters: an expression over the rows that a statement writes. Leaves: what it reads and calls. A
//! name belongs to the innermost query that has such a column, as on the server.

use std::collections::BTreeSet;

use crate::catalog::{Column, Table, TableName, names};
use crate::dialect::functions::is_aggregate;
use crate::error::{Error, Result};
use crate::input::expr::query::{self, Called, Name, Role, Scope};
use crate::input::is_query;
use crate::source::{Dialect, Span};

use super::super::Reads;
use super::Reader;
use super::quoted::Quoted;

/// What a statement does to rows.
#[derive(Clone, Copy)]
pub(super) enum Effect<'w> {
    /// Columns get another value.
    Set(&'w [String]),
    Go,
    /// Rows come to another table.
    Come(&'w TableName),
}

/// The rows that a statement walks through.
#[derive(Clone, Copy)]
pub(super) struct Written<'w> {
    pub(super) table: &'w TableName,
    pub(super) alias: Option<&'w str>,
    pub(super) effect: Effect<'w>,
    /// The tables of a query stand beside this one, as in UPDATE … FROM: neither hides the other's
    /// names.
    pub(super) beside: bool,
}

impl<'w> Written<'w> {
    /// The table that is not the same afterwards.
    pub(super) fn changed(&self) -> &'w TableName {
        match self.effect {
            Effect::Come(into) => into,
            _ => self.table,
        }
    }

    pub(super) fn called(&self) -> &'w str {
        self.alias.unwrap_or(&self.table.name)
    }
}

/// What an expression names, calls and reads.
#[derive(Default)]
pub(super) struct Found {
    pub(super) reads: Reads,
    /// Columns of the written row itself, and where they are named.
    pub(super) own: Vec<(String, Span)>,
    /// Of these, those that are NULL where the expression, or the join in it, holds.
    pub(super) nulls: BTreeSet<String>,
    /// Where columns of other rows are named.
    pub(super) others: Vec<Span>,
    pub(super) functions: Vec<(Called, Span)>,
    /// The column whose value a query gives, as it is.
    pub(super) value: Option<Column>,
}

/// The tables of a query, each as it is called there.
pub(super) struct Level<'t> {
    /// The first of them is the written one.
    pub(super) own: bool,
    pub(super) tables: Vec<(String, &'t Table)>,
}

/// From the written row inwards.
pub(super) struct Levels<'t> {
    pub(super) all: Vec<Level<'t>>,
    pub(super) dialect: Dialect,
}

/// A column: of which level, and of which of its tables.
pub(super) struct Place<'t> {
    pub(super) level: usize,
    pub(super) table: usize,
    pub(super) column: &'t Column,
}

/// Why a name has no place.
enum Lost {
    /// Nothing is called like its qualifier.
    Qualifier,
    /// What is called so has no such column; by level and place.
    Column(usize, usize),
    Nowhere,
    /// Two tables of one query have it.
    Ambiguous,
}

impl<'t> Levels<'t> {
    pub(super) fn find(&self, name: &Name) -> Option<Place<'t>> {
        self.place(name).ok()
    }

    fn place(&self, name: &Name) -> std::result::Result<Place<'t>, Lost> {
        for (level, Level { tables, .. }) in self.all.iter().enumerate().rev() {
            let found = |table: usize| {
                let column = tables[table].1.column(&name.column)?;
                Some(Place { level, table, column })
            };
            if let Some(qualifier) = &name.qualifier {
                let is = |(called, _): &(String, _)| names::same(self.dialect, called, qualifier);
                if let Some(at) = tables.iter().position(is) {
                    return found(at).ok_or(Lost::Column(level, at));
                }
                continue;
            }
            let mut all = (0..tables.len()).filter_map(found);
            match (all.next(), all.next()) {
                (Some(_), Some(_)) => return Err(Lost::Ambiguous),
                (Some(only), None) => return Ok(only),
                _ => {}
            }
        }
        Err(if name.qualifier.is_some() { Lost::Qualifier } else { Lost::Nowhere })
    }

    fn calls(&self, name: &str) -> bool {
        let mut tables = self.all.iter().flat_map(|level| &level.tables);
        tables.any(|(called, _)| names::same(self.dialect, called, name))
    }

    pub(super) fn is_own(&self, place: &Place) -> bool {
        place.table == 0 && self.all[place.level].own
    }
}

impl Reader<'_> {
    /// Resolves every name, and refuses what cannot be done batch by batch.
    pub(super) fn scoped(&self, written: Written, text: &Quoted) -> Result<Found> {
        let scope = match query::scopes(&text.text, self.server.dialect) {
            Some(Ok(scope)) => scope,
            Some(Err(unfit)) => {
                let span = unfit.at.map_or(text.whole(), |at| text.span(&at));
                return Err(self.not_yet(&format!("{} in a backfill", unfit.what), span));
            }
            None => {
                return Err(Error::refused("miggen does not understand this expression")
                    .at(self.source, text.whole(), "here")
                    .hint("put it into a function of the database, or write it more plainly"));
            }
        };
        let mut levels = Levels { all: Vec::new(), dialect: self.server.dialect };
        levels.all.push(self.own_level(written));
        let mut found = Found::default();
        self.walk_scope(written, text, &scope, &mut levels, &mut found)?;
        Ok(found)
    }

    fn own_level(&self, written: Written) -> Level<'_> {
        let table = &self.after.tables[written.table];
        let called = written.called().to_owned();
        Level { own: true, tables: vec![(called, table)] }
    }

    fn walk_scope<'s>(
        &'s self,
        written: Written,
        text: &Quoted,
        scope: &Scope,
        levels: &mut Levels<'s>,
        found: &mut Found,
    ) -> Result<()> {
        self.names_known(written, text, scope, levels, found)?;
        let own = scope.nulls.iter().filter_map(|name| levels.find(name));
        if levels.all.last().is_some_and(|level| level.own) {
            let own = own.filter(|place| levels.is_own(place));
            found.nulls.extend(own.map(|place| place.column.name.clone()));
        }
        for called in &scope.functions {
            let span = text.span(&called.at);
            if !is_aggregate(&called.name, called.arguments) {
                found.functions.push((called.clone(), span));
                continue;
            }
            self.group(written, called, scope, levels, span)?;
            self.exact(called, scope, levels, span)?;
        }
        for inner in &scope.scopes {
            let beside = written.beside && scope.role == Role::Outermost;
            let mut level = if beside {
                self.own_level(written)
            } else {
                Level { own: false, tables: Vec::new() }
            };
            for from in &inner.tables {
                let table = self.read_table(written, from, text.span(&from.at))?;
                if !self.before.share_rows(written.changed(), &table.name) {
                    found.reads.tables.insert(table.name.clone());
                }
                let called = from.alias.as_ref().unwrap_or(&from.name).clone();
                let is = |(other, _): &(String, _)| names::same(levels.dialect, other, &called);
                if level.tables.iter().any(is) {
                    return Err(Error::refused(format!("two tables here are called `{called}`"))
                        .at(self.source, text.span(&from.at), "the second")
                        .hint("give one of them an alias"));
                }
                level.tables.push((called, table));
            }
            levels.all.push(level);
            self.walk_scope(written, text, inner, levels, found)?;
            found.reads.whole.extend(self.reached(written, text, inner, levels)?);
            found.reads.several.extend(self.provable(written, text, inner, levels)?);
            if scope.role == Role::Outermost && is_query(&text.text, levels.dialect) {
                found.value = value_of(inner, levels);
            }
            levels.all.pop();
        }
        Ok(())
    }

    fn names_known(
        &self,
        written: Written,
        text: &Quoted,
        scope: &Scope,
        levels: &Levels,
        found: &mut Found,
    ) -> Result<()> {
        for name in &scope.names {
            let span = text.span(&name.at);
            let place = match levels.place(name) {
                Ok(place) => place,
                Err(Lost::Nowhere) if scope.aliases.contains(&name.column) => continue,
                Err(lost) => return Err(self.lost(written, levels, name, &lost, span)),
            };
            let table = levels.all[place.level].tables[place.table].1;
            let is_own = levels.is_own(&place);
            if !is_own || !matches!(written.effect, Effect::Come(_)) {
                self.known_before(table, &place.column.name, span)?;
            }
            if is_own {
                found.own.push((place.column.name.clone(), span));
                continue;
            }
            found.others.push(span);
            if self.before.share_rows(written.changed(), &table.name) {
                self.unchanged(written, table, place.column, span)?;
            }
        }
        Ok(())
    }

    fn lost(
        &self,
        written: Written,
        levels: &Levels,
        name: &Name,
        lost: &Lost,
        span: Span,
    ) -> Error {
        let column = &name.column;
        match lost {
            Lost::Column(level, table) => {
                self.no_column(levels.all[*level].tables[*table].1, column, span)
            }
            Lost::Ambiguous => Error::refused(format!("two tables here have a column `{column}`"))
                .at(self.source, span, "which of them?")
                .hint(format!("write the table's name or alias in front: `….{column}`")),
            Lost::Nowhere if levels.calls(column) => self.whole_row(column, span),
            Lost::Nowhere => {
                let innermost = levels.all.last().and_then(|level| level.tables.last());
                let table = innermost.map_or(&self.after.tables[written.table], |(_, table)| table);
                self.no_column(table, column, span)
            }
            Lost::Qualifier => {
                let called = name.qualifier.as_deref().unwrap_or_default();
                let error = Error::refused(format!("no table here is called `{called}`")).at(
                    self.source,
                    span,
                    "which of them?",
                );
                let all = levels.all.iter().rev().flat_map(|level| &level.tables);
                let all: Vec<&str> = all.map(|(called, _)| called.as_str()).collect();
                error.hint(format!("there is {}", all.join(", ")))
            }
        }
    }
}

/// The column that the query passes on as it is: alone, or as the greatest or least of many.
fn value_of(query: &Scope, levels: &Levels) -> Option<Column> {
    let name = match &query.value {
        query::Projected::Column(name) => name,
        query::Projected::Call(called, Some(name)) if called == "max" || called == "min" => name,
        _ => return None,
    };
    levels.find(name).map(|place| place.column.clone())
}
