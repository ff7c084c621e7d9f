//! How the rows of a table are walked through.
//!
//! | table | walked |
//! |---|---|
//! | plain, server ranges over pages (PostgreSQL 14+) | by pages: what is to be done lies there, in that order, whatever the key |
//! | plain, with a key, server does not | along the primary key, or a unique key that cannot be NULL |
//! | plain, no key, server does not | by pages as well, each row by its address |
//! | with partitions or heirs | along a key: a page number would mean one page in each |

use crate::catalog::{Catalog, Table};
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
    let several = table.partition_by.is_some() || catalog.has_heirs(&table.name);
    let key = table.keys().into_iter().next();
    if !several && server.can(Action::PageRange) {
        return Ok(Walk::Pages { key });
    }
    match key {
        Some(columns) => Ok(Walk::Key(columns)),
        None if several => Err(NoWalk::NoKey),
        None => Ok(Walk::Pages { key: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{TableName, build};
    use crate::source::{Dialect, Source};

    fn catalog(sql: &str) -> Catalog {
        build(&[Source::new("schema.sql", sql)], Dialect::Postgres).unwrap().0
    }

    fn walk_of(server: &str, sql: &str) -> Option<Walk> {
        let catalog = catalog(sql);
        let table = &catalog.tables[&TableName::new("t")];
        walk(&Server::parse(server).unwrap(), &catalog, table).ok()
    }

    #[test]
    fn a_table_of_several_is_walked_along_a_key() {
        let plain = "CREATE TABLE t (a int PRIMARY KEY)";
        let parts = "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a)";
        let heirs = "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u () INHERITS (t)";
        let along = Some(Walk::Key(vec!["a".into()]));
        let by_pages = Walk::Pages { key: Some(vec!["a".into()]) };
        assert_eq!(walk_of("postgres@15", plain), Some(by_pages));
        assert_eq!(walk_of("postgres@13", plain), along);
        assert_eq!(
            walk_of("postgres@13", "CREATE TABLE t (a int)"),
            Some(Walk::Pages { key: None })
        );
        assert_eq!(walk_of("postgres@15", parts), along);
        assert_eq!(walk_of("postgres@15", heirs), along);
        assert_eq!(walk_of("postgres@15", "CREATE TABLE t (a int) PARTITION BY RANGE (a)"), None);
        assert_eq!(walk_of("postgres@15", "CREATE FOREIGN TABLE t (a int) SERVER s"), None);
    }
}
