//! The part of a schema that a rollout is about, verbatim.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ConstraintKind, TableName};
use crate::error::Result;
use crate::input;
use crate::input::ast::{Kind, Statement};
use crate::source::{Dialect, Source};

/// Statements about the tables, what they reference before and after, and types; in their order.
pub fn excerpt(
    sources: &[Source],
    dialect: Dialect,
    catalog: &Catalog,
    after: &Catalog,
    tables: &BTreeSet<TableName>,
) -> Result<String> {
    let mut wanted = tables.clone();
    let states = [catalog, after];
    for table in tables.iter().flat_map(|name| states.map(|state| state.tables.get(name))).flatten()
    {
        for constraint in &table.constraints {
            if let ConstraintKind::ForeignKey { table, .. } = &constraint.kind {
                wanted.insert(table.clone());
            }
        }
    }
    let mut text = String::new();
    for source in sources {
        for statement in input::read(source, dialect)? {
            if belongs(&statement, &wanted, catalog) {
                text.push_str(statement.text.text);
                text.push_str(";\n");
            }
        }
    }
    Ok(text)
}

fn belongs(statement: &Statement, wanted: &BTreeSet<TableName>, catalog: &Catalog) -> bool {
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
        Kind::CreateEnum { .. } | Kind::AddEnumValue { .. } | Kind::CreateDomain { .. } => true,
        // Whatever else names one of the tables may matter: indexes dropped, views, triggers, bodies.
        _ => {
            let mentioned = input::columns_mentioned(statement.text.text, dialect);
            wanted.iter().any(|table| mentioned.contains(&table.name))
        }
    }
}
