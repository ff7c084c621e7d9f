//! Triggers that keep two versions of the application in step.

use crate::catalog::{Catalog, Column, Expr, TableName};
use crate::dialect::types::Type;
use crate::dialect::{Server, type_change};
use crate::input;

use super::super::condition::{Condition, Missing};
use super::super::op::{Derived, Sync, SyncKind};
use super::named;

/// `posts_created_sync`; behind other triggers of the table, for they fire by name and it must see
/// what they wrote.
pub(in crate::plan) fn name(catalog: &Catalog, table: &TableName, column: &str) -> String {
    let last = catalog.triggers.keys().filter(|(of, _)| of == table).map(|(_, name)| name).max();
    let name = |prefix: &str| named(&format!("{prefix}{}_{column}", table.name), "_sync");
    match last {
        None => name(""),
        Some(last) if name("zz_") > *last => name("zz_"),
        Some(last) => name(&format!("{last}_")),
    }
}

/// Whether a change of a value shows: a comparison tells any two of its values apart.
pub(in crate::plan) fn tells_apart(server: &Server, catalog: &Catalog, column: &Column) -> bool {
    let collation = column.collation.as_deref();
    type_change::tells_apart(server, &column.ty, collation)
        && !collation.is_some_and(|name| catalog.is_nondeterministic(name))
}

/// Whether two values that are equal are the same one, so that nothing is lost where a write of an
/// equal value is taken for none: not so for `1.5` and `1.50`, or two boxes of one area.
pub(in crate::plan) fn is_exact(server: &Server, catalog: &Catalog, column: &Column) -> bool {
    (is_enum(catalog, &column.ty) || type_change::is_exact(server, &column.ty))
        && tells_apart(server, catalog, column)
}

pub(in crate::plan) fn is_enum(catalog: &Catalog, ty: &str) -> bool {
    let named = Type::read(ty);
    catalog.enums.keys().any(|known| known.name == named.element().trim_matches('"'))
}

/// What `column` gets; `None` where its expression cannot be read.
pub(in crate::plan) fn derived(
    server: &Server,
    catalog: &Catalog,
    table: &TableName,
    column: &Column,
    fill: &crate::change::Fill,
    required: bool,
) -> Option<Derived> {
    let row_expr = input::qualify(&fill.expr.0, server.dialect, &fill.sources, "NEW")?;
    let own = catalog.tables.get(table);
    let sources = fill.sources.iter().filter_map(|source| own?.column(source));
    let as_text = sources
        .chain([column])
        .filter(|column| !tells_apart(server, catalog, column))
        .map(|column| column.name.clone())
        .collect();
    Some(Derived {
        column: column.name.clone(),
        expr: fill.expr.clone(),
        row_expr: Expr(row_expr),
        sources: fill.sources.clone(),
        as_text,
        required,
    })
}

/// Old code may still write NULL, or nothing: it gets `fill`.
pub(in crate::plan) fn fill(
    server: &Server,
    catalog: &Catalog,
    table: &TableName,
    column: &str,
    fill: &crate::change::Fill,
) -> Option<Sync> {
    let row_expr = input::qualify(&fill.expr.0, server.dialect, &fill.sources, "NEW")?;
    Some(Sync {
        name: name(catalog, table, column),
        table: table.clone(),
        kind: SyncKind::Fill {
            column: column.to_owned(),
            expr: fill.expr.clone(),
            row_expr: Expr(row_expr),
        },
    })
}

pub(in crate::plan) fn on(sync: &Sync, missing: Missing) -> Condition {
    Condition::SyncOn { table: sync.table.clone(), name: sync.name.clone(), missing }
}

/// Triggers of the table, and functions they may call, that name the column: a copy beside it, or
/// another name for it, would pass them by.
pub(in crate::plan) fn triggers_naming(
    catalog: &Catalog,
    table: &TableName,
    column: &str,
) -> Vec<String> {
    let names = |mentions: &[String]| mentions.iter().any(|name| name == column);
    let mut found = Vec::new();
    for ((of, name), trigger) in &catalog.triggers {
        if of != table {
            continue;
        }
        let by_itself = names(&trigger.mentions)
            || input::columns_mentioned(&trigger.origin.text, catalog.dialect)
                .iter()
                .any(|mentioned| mentioned == column);
        let by_function = catalog.others.iter().any(|other| {
            other.is_function()
                && names(&other.mentions)
                && other.object.as_ref().is_some_and(|f| trigger.mentions.contains(&f.name))
        });
        if by_itself || by_function {
            found.push(name.clone());
        }
    }
    found
}
