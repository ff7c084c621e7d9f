//! Which indexes, constraints and generated columns of a table are about a column.
//!
//! Enters: a name. Leaves: yes or no; an expression is about every name that stands in it. Must not
//! know: what follows from it.

use crate::input;
use crate::source::Dialect;

use super::{Column, Constraint, ConstraintKind, Index, Key, Table, names};

impl Index {
    /// As a key, in an expression, in the predicate, or beside the keys.
    pub fn uses(&self, column: &str, dialect: Dialect) -> bool {
        keys_use(&self.keys, column, dialect)
            || self.include.iter().any(|own| names::same(dialect, own, column))
            || self
                .filter
                .as_ref()
                .is_some_and(|filter| input::mentions(&filter.0, column, dialect))
    }
}

impl Constraint {
    pub fn uses(&self, column: &str, dialect: Dialect) -> bool {
        let same = |own: &str| names::same(dialect, own, column);
        match &self.kind {
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => {
                keys_use(keys, column, dialect)
                    || self
                        .options
                        .as_deref()
                        .is_some_and(|options| input::mentions(options, column, dialect))
            }
            ConstraintKind::Check(expr) => input::mentions(&expr.0, column, dialect),
            ConstraintKind::ForeignKey { columns, .. } => columns.iter().any(|own| same(own)),
            ConstraintKind::NotNull(own) => same(own),
            ConstraintKind::Exclude(text) => input::mentions(text, column, dialect),
        }
    }
}

impl Table {
    /// The columns that a generated one is computed from, also through another; none of a plain one.
    pub fn computed_from(&self, column: &str) -> Vec<&str> {
        let reads = |column: &Column, other: &str| {
            let generated = column.generated.as_ref();
            generated.is_some_and(|how| input::mentions(&how.expr.0, other, self.dialect))
        };
        let mut found: Vec<&Column> = Vec::new();
        let mut left: Vec<&Column> = self.column(column).into_iter().collect();
        while let Some(column) = left.pop() {
            for other in &self.columns {
                if reads(column, &other.name) && !found.contains(&other) {
                    found.push(other);
                    left.push(other);
                }
            }
        }
        found.iter().map(|column| column.name.as_str()).collect()
    }
}

fn keys_use(keys: &[Key], column: &str, dialect: Dialect) -> bool {
    keys.iter().any(|key| match key {
        Key::Column { name, .. } => names::same(dialect, name, column),
        Key::Expr(expr) => input::mentions(&expr.0, column, dialect),
    })
}
