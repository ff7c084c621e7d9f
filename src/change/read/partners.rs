//! What a query inside an expression may read, and whether it gives the same answer again.
//!
//! A batch is committed before the next one begins, and all of it may be run again: so no query may
//! read what the statement writes, nor leave to chance which row it takes.

use crate::catalog::{Column, Table, TableName};
use crate::dialect::functions::is_aggregate;
use crate::dialect::quote;
use crate::dialect::types::compare_alike;
use crate::error::{Error, Result};
use crate::input::expr::query::{Called, Equality, FromTable, Name, Other, Projected, Role, Scope};
use crate::source::{Dialect, Span};

use super::Reader;
use super::quoted::Quoted;
use super::scopes::{Effect, Levels, Written};

impl Reader<'_> {
    /// A table of FROM: one that was there before the script, and that the statement leaves alone.
    pub(super) fn read_table(
        &self,
        written: Written,
        from: &FromTable,
        span: Span,
    ) -> Result<&Table> {
        let name =
            TableName::in_schema(from.schema.clone(), from.name.clone(), self.server.dialect);
        if self.after.views.contains_key(&name) {
            return Err(self
                .not_yet("reading a view in a backfill", span)
                .hint("write the query over its tables"));
        }
        let table = self.table(&name, span)?;
        if !self.before.tables.contains_key(&name) {
            return Err(self.own_rollout("a table", span));
        }
        let shares = self.before.share_rows(written.changed(), &name);
        let changes = match written.effect {
            Effect::Set(columns) => {
                !shares && self.before.passes_on(written.table, &name, Some(columns))
            }
            Effect::Go => shares || self.before.passes_on(written.table, &name, None),
            Effect::Come(_) => shares,
        };
        if changes {
            let error = self.moving(&format!("rows of `{}`", name.name), span);
            return Err(match written.effect {
                Effect::Come(_) => error.hint("rows that are there already are left out without being asked for, by their key"),
                _ => error,
            });
        }
        Ok(table)
    }

    /// The column was there before the script.
    pub(super) fn known_before(&self, table: &Table, column: &str, span: Span) -> Result<()> {
        let before = self.before.tables.get(&table.name);
        match before.and_then(|before| before.column(column)) {
            Some(_) => Ok(()),
            None => Err(self.own_rollout("a column", span)),
        }
    }

    fn own_rollout(&self, what: &str, span: Span) -> Error {
        Error::refused(format!("this reads {what} that the same script makes"))
            .at(self.source, span, "not there before")
            .hint("plan this statement when the rollout of the others is through")
    }

    fn moving(&self, what: &str, span: Span) -> Error {
        Error::refused(format!("this reads {what}, and changes them"))
            .at(self.source, span, "reads what it writes")
            .note(if self.batches() {
                "each batch is committed by itself: it would change what the next one reads"
            } else {
                "a file may come to run again: it would read what its first run has changed"
            })
            .hint("keep what is to be known in a table of its own first, and read that")
    }

    /// A column of other rows of the written table, which the statement must not change.
    pub(super) fn unchanged(
        &self,
        written: Written,
        table: &Table,
        column: &Column,
        span: Span,
    ) -> Result<()> {
        let writes = match written.effect {
            Effect::Set(columns) => columns.contains(&column.name),
            _ => true,
        };
        let follows = column.generated.is_some()
            || self.before.triggers_of(&table.name).next().is_some()
            || self.before.triggers_of(written.table).next().is_some();
        if writes || follows {
            return Err(self.moving(&format!("values of `{}`", column.name), span));
        }
        Ok(())
    }

    /// One value of many rows: those of the query it stands in.
    pub(super) fn group(
        &self,
        written: Written,
        called: &Called,
        scope: &Scope,
        levels: &Levels,
        span: Span,
    ) -> Result<()> {
        let here = levels.all.len() - 1;
        let of_here = |name: &Name| levels.find(name).is_some_and(|place| place.level == here);
        let subquery = "write it as a subquery alone: `(SELECT max(…) FROM … WHERE …)`";
        if matches!(written.effect, Effect::Come(_)) && (here == 0 || levels.all[here].own) {
            return Err(self
                .not_yet("an aggregate of the rows that are copied", span)
                .hint(subquery));
        }
        if scope.role == Role::Outermost {
            return Err(Error::refused(format!("`{}` needs a query", called.name))
                .at(self.source, span, "of which rows?")
                .hint(format!("(SELECT {}(…) FROM …)", called.name)));
        }
        if levels.all[here].own {
            return Err(self.not_yet("an aggregate together with a join", span).hint(subquery));
        }
        if !called.names.is_empty() && !called.names.iter().any(of_here) {
            return Err(self.not_yet("an aggregate of the rows outside its query", span));
        }
        Ok(())
    }

    /// The sum of floats depends on the order of rows.
    pub(super) fn exact(
        &self,
        called: &Called,
        scope: &Scope,
        levels: &Levels,
        span: Span,
    ) -> Result<()> {
        let is_float = |column: &Column| {
            let ty = column.ty.to_ascii_lowercase();
            ["real", "double", "float"].iter().any(|start| ty.starts_with(start))
        };
        let sums = matches!(called.name.as_str(), "sum" | "avg");
        let mut columns = scope.names.iter().filter_map(|name| levels.find(name));
        if sums && columns.any(|place| is_float(place.column)) {
            return Err(Error::refused(format!(
                "`{}` of floats differs by the order of rows",
                called.name
            ))
            .at(self.source, span, "may give another answer")
            .note("a row that is done must not look as if it were not")
            .hint("cast to numeric and round: a column of its own, or another type"));
        }
        Ok(())
    }

    /// The innermost query says which row it means; or else the table of which the server refuses a
    /// second row.
    pub(super) fn provable(
        &self,
        written: Written,
        text: &Quoted,
        query: &Scope,
        levels: &Levels,
    ) -> Result<Option<TableName>> {
        let beside = levels.all.last().is_some_and(|level| level.own);
        match query.role {
            Role::Set | Role::Member if query.limited => {
                return Err(self.not_yet("IN of a query with LIMIT", text.whole()));
            }
            Role::Value => {}
            _ => return Ok(None),
        }
        let Some(name) = self.several(query, levels) else { return Ok(None) };
        let several = &name.name;
        let from = query.tables.iter().find(|from| from.name == *several);
        let span = from.map_or(text.whole(), |from| text.span(&from.at));
        let own = &written.table.name;
        if beside {
            return Err(Error::refused(format!(
                "`{several}` may have several rows for one of `{own}`"
            ))
            .at(self.source, span, "no unique key of it is compared with known values")
            .note("which of them counts would be left to chance")
            .hint(format!(
                "join by all columns of a unique key, or say which row counts: SET … = (SELECT max(…) FROM {several} WHERE …)"
            )));
        }
        if query.limited {
            return Err(Error::refused("which row comes first is not said")
                .at(self.source, span, "several may, and another one the next time")
                .hint("ORDER BY … and, as the last, a unique key"));
        }
        let is_group = |called: &&Called| is_aggregate(&called.name, called.arguments);
        let groups: Vec<&Called> = query.functions.iter().filter(is_group).collect();
        let here = levels.all.len() - 1;
        // A column beside an aggregate is one of any row.
        let is_bare = |name: &Name| {
            levels.find(name).is_some_and(|place| place.level == here)
                && !groups.iter().any(|called| called.names.contains(name))
        };
        let one_value = !query.grouped && !groups.is_empty() && !query.valued.iter().any(is_bare);
        // Elsewhere the server itself refuses a second row.
        if one_value {
            return Ok(None);
        }
        if self.server.dialect == Dialect::Sqlite {
            return Err(Error::refused(format!("`{several}` may have several rows here"))
                .at(self.source, span, "no unique key of it is compared with known values")
                .note("SQLite takes the first it meets, and says nothing")
                .hint("say which row counts: max(…), or ORDER BY a unique key LIMIT 1"));
        }
        Ok(Some(name))
    }

    /// The tables of the innermost query that are read whole, for no index leads to the rows that are
    /// asked for; refused where that is so for each row.
    pub(super) fn reached(
        &self,
        written: Written,
        text: &Quoted,
        query: &Scope,
        levels: &Levels,
    ) -> Result<Vec<TableName>> {
        let here = levels.all.len() - 1;
        let level = &levels.all[here];
        let first = usize::from(level.own);
        let mut found = vec![false; level.tables.len()];
        found[..first].fill(true);
        let finds = |at: usize, column: &Column| level.tables[at].1.finds_by(&column.name);
        if let (Role::Member, Projected::Column(name)) = (query.role, &query.value)
            && let Some(place) = levels.find(name).filter(|place| place.level == here)
        {
            found[place.table] |= finds(place.table, place.column);
        }
        let mut for_each_row = None;
        for _ in &level.tables {
            for Equality { column, other, .. } in &query.equalities {
                let Some(place) = levels.find(column).filter(|place| place.level == here) else {
                    continue;
                };
                let known = match other {
                    Other::Literal => true,
                    Other::Column(other) => levels.find(other).is_some_and(|of| {
                        let outside = of.level < here || levels.is_own(&of);
                        if outside && !finds(place.table, place.column) && !levels.is_own(&place) {
                            for_each_row.get_or_insert((place.table, column));
                        }
                        outside || found[of.table]
                    }),
                };
                found[place.table] |= known && finds(place.table, place.column);
            }
        }
        if let Some((at, column)) = for_each_row.filter(|_| !found[first..].contains(&true)) {
            let (name, by) = (&level.tables[at].1.name.name, &column.column);
            return Err(Error::refused(format!(
                "each row of `{}` would read all of `{name}`",
                written.table.name
            ))
            .at(self.source, text.span(&column.at), format!("no index begins with `{by}`"))
            .hint(format!(
                "first, as a change of its own: {}",
                quote::create_index(levels.dialect, name, &[by])
            )));
        }
        let whole = (first..level.tables.len()).filter(|at| !found[*at]);
        Ok(whole.map(|at| level.tables[at].1.name.clone()).collect())
    }

    /// A table of the innermost query that may have several rows for one of those outside.
    fn several(&self, query: &Scope, levels: &Levels) -> Option<TableName> {
        let here = levels.all.len() - 1;
        let level = &levels.all[here];
        let first = usize::from(level.own);
        let mut known = vec![false; level.tables.len()];
        known[..first].fill(true);
        loop {
            let before = known.clone();
            for at in first..level.tables.len() {
                let table = level.tables[at].1;
                let mut given: Vec<&str> = Vec::new();
                for Equality { column, other, only } in &query.equalities {
                    let Some(place) = levels.find(column) else { continue };
                    let holds = only.is_none_or(|only| only + first == at);
                    if (place.level, place.table) != (here, at) || !holds {
                        continue;
                    }
                    let told = match other {
                        Other::Literal => true,
                        Other::Column(other) => levels.find(other).is_some_and(|of| {
                            (of.level < here || known[of.table])
                                && alike(place.column, of.column, levels.dialect)
                        }),
                    };
                    if told {
                        given.push(&place.column.name);
                    }
                }
                if query.limited {
                    let places = query.ordered_by.iter().filter_map(|name| levels.find(name));
                    let own = places.filter(|place| (place.level, place.table) == (here, at));
                    given.extend(own.map(|place| place.column.name.as_str()));
                }
                let all = |key: &Vec<String>| key.iter().all(|name| given.contains(&name.as_str()));
                known[at] = !self.before.has_heirs(&table.name) && table.unique().iter().any(all);
            }
            if known == before {
                break;
            }
        }
        let at = known.iter().position(|known| !known)?;
        Some(level.tables[at].1.name.clone())
    }
}

/// Values that are equal to one another are equal in the sense of a unique key of either.
fn alike(one: &Column, other: &Column, dialect: Dialect) -> bool {
    one.collation == other.collation
        && compare_alike(dialect, one.integer_type(), other.integer_type())
}
