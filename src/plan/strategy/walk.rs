//! How the rows of a table are walked through.
//!
//! | table | walked |
//! |---|---|
//! | plain, server ranges over pages (PostgreSQL 14+) | by pages: what is to be done lies there, in that order, whatever the key |
//! | plain, with a key, server does not | along the primary key, or a unique key that cannot be NULL |
//! | plain, no key, server does not | by pages as well, each row by its address |
//! | with partitions or heirs | along a key: a page number would mean one page in each |

use crate::catalog::{Catalog, ConstraintKind, Key, Table};
use crate::dialect::{Action, Server};

use super::super::rows::Walk;

/// Why there is no way through a table.
pub(in crate::plan) enum NoWalk {
    /// Made of several tables, and without a key.
    NoKey,
    /// Its rows are elsewhere.
    Foreign,
}

pub(in crate::plan) fn walk(
    server: &Server,
    catalog: &Catalog,
    table: &Table,
) -> Result<Walk, NoWalk> {
    if !server.can(Action::UpdateBatch) {
        return Ok(Walk::Once);
    }
    if table.partial.iter().any(|reason| reason == "it is a foreign table") {
        return Err(NoWalk::Foreign);
    }
    let several = table.partition_by.is_some() || has_heirs(catalog, table);
    if !several && server.can(Action::PageRange) {
        return Ok(Walk::Pages);
    }
    match key(table) {
        Some(columns) => Ok(Walk::Key(columns)),
        None if several => Err(NoWalk::NoKey),
        None => Ok(Walk::Pages),
    }
}

/// The columns of the primary key, or of a unique key that does as well.
pub(in crate::plan) fn key(table: &Table) -> Option<Vec<String>> {
    let keys = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
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
    let indexes = table
        .indexes
        .iter()
        .filter(|index| index.unique && index.filter.is_none())
        .map(|index| (2, &index.keys, &None));
    let mut all: Vec<_> = constraints.chain(indexes).collect();
    all.sort_by_key(|(rank, keys, _)| (*rank, keys.len()));
    all.into_iter().find_map(|(_, keys, _)| columns(table, keys))
}

/// Plain columns, none of which may be NULL, in the order of the index.
fn columns(table: &Table, keys: &[Key]) -> Option<Vec<String>> {
    keys.iter()
        .map(|key| match key {
            Key::Column { name, rest: None } if required(table, name) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

fn required(table: &Table, name: &str) -> bool {
    let primary = table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::PrimaryKey(keys)
            if keys.iter().any(|key| key.column() == Some(name)))
    });
    primary || table.column(name).is_some_and(|column| column.not_null)
}

/// Another table `INHERITS` from this one: its rows are rows of this one too.
fn has_heirs(catalog: &Catalog, table: &Table) -> bool {
    catalog.tables.values().any(|other| {
        other.options.as_ref().is_some_and(|options| {
            options.to_ascii_uppercase().starts_with("INHERITS")
                && crate::input::columns_mentioned(options, catalog.dialect)
                    .contains(&table.name.name)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{TableName, build};
    use crate::source::{Dialect, Source};

    fn catalog(sql: &str) -> Catalog {
        build(&[Source::new("schema.sql", sql)], Dialect::Postgres).unwrap().0
    }

    fn key_of(sql: &str) -> Option<Vec<String>> {
        key(&catalog(sql).tables[&TableName::new("t")])
    }

    fn walk_of(server: &str, sql: &str) -> Option<Walk> {
        let catalog = catalog(sql);
        let table = &catalog.tables[&TableName::new("t")];
        walk(&Server::parse(server).unwrap(), &catalog, table).ok()
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

    #[test]
    fn a_table_of_several_is_walked_along_a_key() {
        let plain = "CREATE TABLE t (a int PRIMARY KEY)";
        let parts = "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a)";
        let heirs = "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u () INHERITS (t)";
        let along = Some(Walk::Key(vec!["a".into()]));
        assert_eq!(walk_of("postgres@15", plain), Some(Walk::Pages));
        assert_eq!(walk_of("postgres@13", plain), along);
        assert_eq!(walk_of("postgres@13", "CREATE TABLE t (a int)"), Some(Walk::Pages));
        assert_eq!(walk_of("postgres@15", parts), along);
        assert_eq!(walk_of("postgres@15", heirs), along);
        assert_eq!(walk_of("postgres@15", "CREATE TABLE t (a int) PARTITION BY RANGE (a)"), None);
        assert_eq!(walk_of("postgres@15", "CREATE FOREIGN TABLE t (a int) SERVER s"), None);
    }
}
