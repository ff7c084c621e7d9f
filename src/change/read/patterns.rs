//! Patterns that a collation cannot match: a CHECK with one is taken on an empty table, and fails
//! every write from then on.

use crate::catalog::{Constraint, ConstraintKind, Expr, TableName};
use crate::dialect::Version;
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
        let upper = text.to_ascii_uppercase();
        let fails: &[&str] = if self.server.version < Version::new(18, 0) {
            &["~", "LIKE", "SIMILAR TO", "REGEXP_"]
        } else {
            &["~", "SIMILAR TO", "REGEXP_"]
        };
        let pattern = fails.iter().any(|op| upper.contains(op)) && !upper.contains("COLLATE");
        let dialect = self.server.dialect;
        let column = self.after.tables[table].columns.iter().find(|column| {
            column.collation.as_ref().is_some_and(|name| self.is_nondeterministic(name))
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

    fn is_nondeterministic(&self, collation: &str) -> bool {
        let name = collation.trim_matches('"').rsplit('.').next().unwrap_or(collation);
        self.before.others.iter().any(|other| {
            let text: String = other.origin.text.to_ascii_lowercase().split_whitespace().collect();
            other.kind == "CREATE COLLATION"
                && other.object.as_ref().is_some_and(|object| object.name == name.trim_matches('"'))
                && (text.contains("deterministic=false") || text.contains("deterministic='false'"))
        })
    }
}
