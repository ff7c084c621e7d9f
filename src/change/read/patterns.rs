//! Patterns that a collation cannot match: a CHECK with one is taken on an empty table, and fails
//! every write from then on.

use crate::catalog::{Constraint, ConstraintKind, Expr, TableName};
use crate::dialect::Action;
use crate::error::{Error, Result};
use crate::input;
use crate::source::Span;

use super::Reader;

impl Reader<'_> {
    pub(super) fn refuse_unmatched(
        &self,
        table: &TableName,
        constraint: &Constraint,
        span: Span,
    ) -> Result<()> {
        let ConstraintKind::Check(Expr(text)) = &constraint.kind else { return Ok(()) };
        self.columns_exist(&self.after.tables[table], text, span)?;
        let dialect = self.server.dialect;
        let like = !self.server.can(Action::LikeNondeterministic);
        let fails = |token: &str| {
            let is = |words: &[&str]| words.iter().any(|word| token.eq_ignore_ascii_case(word));
            let calls = token.to_ascii_lowercase().starts_with("regexp_");
            calls || is(&["~", "~*", "!~", "!~*", "SIMILAR"]) || like && is(&["LIKE", "ILIKE"])
        };
        let collates = |token: &str| token.eq_ignore_ascii_case("COLLATE");
        let pattern = input::says(text, dialect, fails) && !input::says(text, dialect, collates);
        let column = self.after.tables[table].columns.iter().find(|column| {
            column.collation.as_ref().is_some_and(|name| self.before.is_nondeterministic(name))
                && input::mentions(text, &column.name, dialect)
        });
        match column.filter(|_| pattern) {
            None => Ok(()),
            Some(column) => Err(Error::refused(format!(
                "a pattern cannot be matched against `{}`",
                column.name
            ))
            .at(self.source, span, "its collation is not deterministic")
            .note("the server takes the CHECK, and then fails every row that is written")
            .hint(format!("name a deterministic collation: `{} COLLATE \"C\" ~ …`", column.name))),
        }
    }
}
