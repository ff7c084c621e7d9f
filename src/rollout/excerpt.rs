//! The part of a schema that a rollout is about, verbatim.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ConstraintKind, TableName};
use crate::dialect::quote;
use crate::error::Result;
use crate::input;
use crate::input::ast::{AlterKind, Kind, Statement};
use crate::source::{Dialect, Source};

/// Statements about the tables, all that they reference before and after, types, and functions that
/// these or the change call; in their order.
pub fn excerpt(
    sources: &[Source],
    change: &str,
    dialect: Dialect,
    catalog: &Catalog,
    after: &Catalog,
    tables: &BTreeSet<TableName>,
) -> Result<String> {
    let mut wanted = BTreeSet::new();
    let mut left: Vec<TableName> = tables.iter().cloned().collect();
    while let Some(name) = left.pop() {
        let states = [catalog, after].map(|state| state.tables.get(&name));
        for constraint in states.into_iter().flatten().flat_map(|table| &table.constraints) {
            match &constraint.kind {
                ConstraintKind::ForeignKey { table, .. } if !wanted.contains(table) => {
                    left.push(table.clone());
                }
                _ => {}
            }
        }
        wanted.insert(name);
    }
    for table in tables {
        wanted.extend(catalog.views_upon(table).into_iter().cloned());
        wanted.extend(catalog.aside(table).1.into_iter().cloned());
    }
    let read: Vec<Vec<Statement>> =
        sources.iter().map(|source| input::read(source, dialect)).collect::<Result<_>>()?;
    let statements = || read.iter().flatten();
    // A table is told from its first name on.
    for statement in statements().rev() {
        if let Kind::AlterTable(alter) = &statement.kind {
            for action in &alter.actions {
                if let AlterKind::RenameTable { to } = &action.kind
                    && wanted.contains(&TableName::of(to, dialect))
                {
                    wanted.insert(TableName::of(&alter.table, dialect));
                }
            }
        }
    }
    // Indexes are dropped and renamed by their own name alone.
    let others: BTreeSet<TableName> = statements()
        .filter_map(|statement| match &statement.kind {
            Kind::CreateIndex(create)
                if !wanted.contains(&TableName::of(&create.table, dialect)) =>
            {
                Some(TableName::of(create.name.as_ref()?, dialect))
            }
            _ => None,
        })
        .collect();
    let about = |one: &&Statement| belongs(one, &wanted, &others, catalog);
    let texts = statements().filter(about).map(|statement| statement.text.text);
    let named: BTreeSet<String> =
        texts.chain([change]).flat_map(|text| input::columns_mentioned(text, dialect)).collect();
    let belonging = statements().filter(|one| about(one) || is_function(one, &named));
    let mut text = String::new();
    let mut schema = &None;
    for statement in belonging {
        if statement.schema != *schema {
            schema = &statement.schema;
            let path = schema.as_ref().map(|schema| quote::ident(dialect, schema));
            text.push_str(&format!(
                "SET search_path TO {};\n",
                path.as_deref().unwrap_or("DEFAULT")
            ));
        }
        text.push_str(&format!("{};\n", statement.text.text));
    }
    Ok(text)
}

/// What is said of a function of one of these names: whether it gives the same again hangs on it.
fn is_function(statement: &Statement, names: &BTreeSet<String>) -> bool {
    let Kind::Opaque(other) = &statement.kind else { return false };
    let object = other.object.as_ref().map(|object| object.name.name.as_ref());
    other.kind.ends_with(" FUNCTION") && object.is_some_and(|name| names.contains(name))
}

fn belongs(
    statement: &Statement,
    wanted: &BTreeSet<TableName>,
    others: &BTreeSet<TableName>,
    catalog: &Catalog,
) -> bool {
    let dialect = catalog.dialect;
    let one = |name: &input::ast::Name| wanted.contains(&TableName::of(name, dialect));
    match &statement.kind {
        Kind::CreateTable(create) => one(&create.name),
        Kind::AlterTable(alter) => one(&alter.table),
        Kind::CreateIndex(create) => one(&create.table),
        Kind::Comment(comment) if comment.what == "INDEX" => {
            let index = TableName::of(&comment.object, dialect);
            catalog.table_of_index(&index).is_some_and(|table| wanted.contains(&table.name))
        }
        Kind::DropIndex(drop) => {
            drop.names.iter().any(|name| !others.contains(&TableName::of(name, dialect)))
        }
        Kind::RenameIndex { index, .. } => !others.contains(&TableName::of(index, dialect)),
        // Whose it is, is said apart.
        Kind::CreateSequence { name, .. } => {
            let sequence = catalog.sequences.get(&TableName::of(name, dialect));
            let owner = sequence.and_then(|sequence| sequence.owned_by.as_ref());
            owner.is_some_and(|(table, _)| wanted.contains(table))
        }
        Kind::CreateEnum { .. } | Kind::AddEnumValue { .. } | Kind::CreateDomain { .. } => true,
        // Whether two values are the same hangs on it.
        Kind::Opaque(other) if other.kind == "CREATE COLLATION" => true,
        // Whatever else names one of the tables may matter: views, triggers, bodies.
        _ => {
            let mentioned = input::columns_mentioned(statement.text.text, dialect);
            wanted.iter().any(|table| mentioned.contains(&table.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{self, Table};

    fn of(table: &str, schema: &str) -> String {
        let sources = [Source::new("schema", schema)];
        let (catalog, _) = catalog::build(&sources, Dialect::Postgres).unwrap();
        let tables = BTreeSet::from([TableName::new(table)]);
        let text = excerpt(&sources, "SELECT f(1)", Dialect::Postgres, &catalog, &catalog, &tables)
            .unwrap();
        let again = [Source::new("excerpt", text.as_str())];
        let (replayed, problems) = catalog::build(&again, Dialect::Postgres).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let [one, other] = [&replayed, &catalog].map(|all| &all.tables[&TableName::new(table)]);
        assert_eq!(one.columns, other.columns);
        let indexes = |of: &Table| of.indexes.iter().map(|i| i.name.clone()).collect::<Vec<_>>();
        assert_eq!(indexes(one), indexes(other));
        text
    }

    #[test]
    fn an_index_that_is_dropped_or_renamed_by_its_name_alone() {
        let text = of(
            "a",
            "CREATE TABLE a (id int, n int); CREATE TABLE b (id int);
             CREATE INDEX a_n ON a (n); CREATE INDEX a_id ON a (id); CREATE INDEX b_id ON b (id);
             DROP INDEX a_n; ALTER INDEX a_id RENAME TO a_key; DROP INDEX b_id;",
        );
        assert!(!text.contains("b_id"), "{text}");
    }

    #[test]
    fn a_collation_is_told_by_what_it_calls_equal() {
        let text = of(
            "a",
            "CREATE COLLATION same (provider = icu, locale = 'und', deterministic = false);
             CREATE TABLE a (name text COLLATE same);",
        );
        assert!(text.contains("deterministic"), "{text}");
    }

    #[test]
    fn a_function_is_told_where_it_is_called() {
        let text = of(
            "a",
            "CREATE FUNCTION f(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i';
             CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE TABLE a (id int DEFAULT g());",
        );
        assert!(text.contains("f(i int)") && text.contains("FUNCTION g"), "{text}");
        assert!(!text.contains("FUNCTION h"), "{text}");
    }

    #[test]
    fn a_sequence_is_told_by_its_owner() {
        let text = of(
            "a",
            "CREATE TABLE a (id int NOT NULL); CREATE SEQUENCE far AS int; CREATE SEQUENCE other;
             ALTER SEQUENCE far OWNED BY a.id;
             ALTER TABLE a ALTER COLUMN id SET DEFAULT nextval('far'::regclass);",
        );
        assert!(text.contains("far AS int") && !text.contains("other"), "{text}");
    }

    #[test]
    fn a_table_is_told_from_its_first_name_on() {
        let text = of(
            "people",
            "CREATE TABLE users (id int); CREATE TABLE other (id int);
             CREATE INDEX ON users (id); ALTER TABLE users RENAME TO members;
             ALTER TABLE members ADD COLUMN n int; ALTER TABLE members RENAME TO people;",
        );
        assert!(!text.contains("other"), "{text}");
    }
}
