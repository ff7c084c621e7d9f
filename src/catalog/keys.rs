//! By which columns the rows of a table are told apart.

use crate::source::Dialect;

use super::{ConstraintKind, Key, Table};

impl Table {
    /// The columns of each key, none of which may be NULL: the primary key first, then constraints
    /// before indexes, short ones first. Nothing that is deferred, partial, or of expressions.
    pub fn keys(&self) -> Vec<Vec<String>> {
        let required = |key: &Vec<String>| key.iter().all(|name| self.requires(name));
        self.unique().into_iter().filter(required).collect()
    }

    /// The same, of columns that may be NULL as well: no two rows have the same values in all of one.
    pub fn unique(&self) -> Vec<Vec<String>> {
        let keys = self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) => Some((0, keys, &constraint.options)),
            ConstraintKind::Unique(keys) => Some((1, keys, &constraint.options)),
            _ => None,
        });
        // Deferred uniqueness is none in between.
        let constraints = keys.filter(|(.., options)| {
            options.as_ref().is_none_or(|text| {
                !text.to_ascii_uppercase().replace("NOT DEFERRABLE", "").contains("DEFERRABLE")
            })
        });
        let indexes = self
            .indexes
            .iter()
            .filter(|index| index.unique && index.filter.is_none())
            .map(|index| (2, &index.keys, &None));
        let mut all: Vec<_> = constraints.chain(indexes).collect();
        all.sort_by_key(|(rank, keys, _)| (*rank, keys.len()));
        all.into_iter().filter_map(|(_, keys, _)| key_columns(keys)).collect()
    }

    /// SQLite's, whose rows the primary key alone tells apart.
    pub fn is_without_rowid(&self) -> bool {
        let options = self.options.as_deref().unwrap_or_default();
        self.dialect == Dialect::Sqlite && options.to_ascii_uppercase().contains("WITHOUT ROWID")
    }

    /// An index finds rows by the column.
    pub fn finds_by(&self, column: &str) -> bool {
        let starts = |keys: &[Key]| {
            keys.first()
                .and_then(Key::column)
                .is_some_and(|name| super::names::same(self.dialect, name, column))
        };
        self.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => starts(keys),
            _ => false,
        }) || self.indexes.iter().any(|index| index.filter.is_none() && starts(&index.keys))
    }

    fn requires(&self, name: &str) -> bool {
        let primary = self.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintKind::PrimaryKey(keys)
                if keys.iter().any(|key| key.column() == Some(name)))
        });
        primary || self.column(name).is_some_and(|column| column.not_null)
    }
}

/// Plain columns, in the order of the index.
fn key_columns(keys: &[Key]) -> Option<Vec<String>> {
    keys.iter()
        .map(|key| match key {
            Key::Column { name, rest: None } => Some(name.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{TableName, build};
    use crate::source::{Dialect, Source};

    fn key_of(sql: &str) -> Option<Vec<String>> {
        let (catalog, _) = build(&[Source::new("schema.sql", sql)], Dialect::Postgres).unwrap();
        catalog.tables[&TableName::new("t")].keys().into_iter().next()
    }

    #[test]
    fn a_key_has_columns_that_are_never_null() {
        let name = |columns: &[&str]| Some(columns.iter().map(|&c| c.to_owned()).collect());
        for (sql, expected) in [
            ("CREATE TABLE t (b text, a uuid, PRIMARY KEY (a, b))", name(&["a", "b"])),
            ("CREATE TABLE t (a text NOT NULL UNIQUE)", name(&["a"])),
            ("CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (a)", name(&["a"])),
            (
                "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b), UNIQUE (b))",
                name(&["b"]),
            ),
            ("CREATE TABLE t (a text NOT NULL UNIQUE NOT DEFERRABLE)", name(&["a"])),
            ("CREATE TABLE t (a text UNIQUE)", None),
            ("CREATE TABLE t (a text NOT NULL UNIQUE DEFERRABLE)", None),
            ("CREATE TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)", None),
            ("CREATE TABLE t (a text NOT NULL); CREATE INDEX ON t (a)", None),
            ("CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (a) WHERE a > 'b'", None),
            ("CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (lower(a))", None),
            ("CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (a DESC)", None),
            ("CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (a COLLATE \"C\")", None),
        ] {
            assert_eq!(key_of(sql), expected, "{sql}");
        }
    }
}
