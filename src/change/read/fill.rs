//! What an UPDATE of the script gives a column that the script adds.

use crate::catalog::{Column, Expr, TableName};
use crate::dialect::compose;
use crate::error::{Error, Result};
use crate::input;
use crate::input::ast::Slice;
use crate::input::expr::ExprFacts;
use crate::source::{Dialect, Span};

use super::super::{DefaultKind, Fill};
use super::Reader;
use super::rows::needs;

impl Reader<'_> {
    /// Rows that `filter` does not find keep what ADD COLUMN gave them. `called` is what the UPDATE
    /// calls the table.
    pub(super) fn fill(
        &mut self,
        table: &TableName,
        name: &str,
        called: &str,
        (value, facts): (&str, &ExprFacts),
        filter: Option<Slice>,
        span: Span,
    ) -> Result<()> {
        let dialect = self.server.dialect;
        let value = &*input::unqualified(value, dialect, called);
        let plain = filter.map(|filter| input::unqualified(filter.text, dialect, called));
        let add = self.added_mut(table, name);
        let (column, existing, default) = (add.column.clone(), add.existing.clone(), add.default);
        if add.fill.is_some() {
            return Err(Error::refused(format!("`{name}` is filled twice")).at(
                self.source,
                span,
                "again here",
            ));
        }
        if !matches!(default, DefaultKind::None | DefaultKind::Constant) {
            return Err(Error::refused(format!(
                "`{name}` gets both a default that is no constant and an UPDATE"
            ))
            .at(self.source, span, "nobody can tell later which rows have which")
            .hint("leave out the one that is not meant"));
        }
        let every_row = match filter.zip(plain.as_ref()) {
            None => true,
            Some((filter, plain)) if input::is_null_test(plain, name, dialect) => {
                if existing.is_some() {
                    return Err(Error::refused("no row is filled by this")
                        .at(self.source, filter.span(), "every row has the default already")
                        .hint("leave out the default, or this condition"));
                }
                true
            }
            Some(_) => false,
        };
        let mut fill = Fill {
            expr: Expr(value.to_owned()),
            sources: facts.columns.clone(),
            needs: needs(value, facts, dialect),
            typed: false,
            span,
        };
        if let Some((filter, plain)) = filter.zip(plain).filter(|_| !every_row) {
            let read = self.understood(table, filter.text, filter.start)?.columns;
            if let Some(own) = read.iter().find(|own| self.added(table, own).is_some()) {
                return Err(Error::refused(format!(
                    "which rows are filled depends on `{own}`, which this script adds"
                ))
                .at(self.source, filter.span(), "nobody has written it yet")
                .hint("say it by columns that were there before"));
            }
            fill.expr = among_others(&column, &fill.expr, &plain, existing.as_ref(), dialect);
            fill.typed = true;
            fill.sources.extend(read);
            fill.sources.sort();
            fill.sources.dedup();
            fill.needs = fill.needs.filter(|needs| existing.is_some() && needs.is_empty());
        }
        self.added_mut(table, name).fill = Some(fill);
        Ok(())
    }
}

/// The value of every row, where an UPDATE gives `value` to some.
fn among_others(
    column: &Column,
    value: &Expr,
    filter: &str,
    existing: Option<&Expr>,
    dialect: Dialect,
) -> Expr {
    // The branches of a CASE agree on a type of their own, whatever the column is.
    let typed = |Expr(text): &Expr| compose::typed(dialect, text, &column.ty);
    Expr(compose::when(filter, &typed(value), existing.map(typed).as_deref()))
}
