//! Names that a step needs while something else has them.
//!
//! Enters: a catalog and the operation that comes next. Leaves: nothing, or an error with the name.
//! Indexes, and the constraints that stand on them, share their names with all that a schema holds.

use crate::catalog::{Catalog, ConstraintKind, TableName};
use crate::error::{Error, Result};
use crate::source::Dialect;

use super::op::Op;

pub(super) fn refuse(catalog: &Catalog, op: &Op) -> Result<()> {
    let taken = match op {
        Op::AddColumn { table, column, .. } => column_of(catalog, table, &column.name),
        Op::RenameColumn { table, to, .. } => column_of(catalog, table, to),
        Op::CreateIndex { table, index, .. } => relation(catalog, table, &index.name),
        Op::RenameIndex { table, to, .. } => relation(catalog, table, to),
        Op::UsingIndex { table, index, name, .. } if name != index => {
            relation(catalog, table, name)
        }
        Op::AddConstraint { table, constraint } => {
            constraint.name.as_deref().and_then(|name| constraint_of(catalog, table, name))
        }
        Op::RenameConstraint { table, to, .. } | Op::RenameNotNull { table, to, .. } => {
            constraint_of(catalog, table, to)
        }
        _ => None,
    };
    match taken {
        None => Ok(()),
        Some(what) => Err(Error::refused(format!("{what} is there already"))
            .note("a step of this plan needs the name, or a statement of the script takes it too early")
            .hint("rename what has it first, or plan these statements one rollout at a time")),
    }
}

fn column_of(catalog: &Catalog, table: &TableName, name: &str) -> Option<String> {
    let found = catalog.tables.get(table)?.column(name)?;
    Some(format!("the column {}.{}", table.name, found.name))
}

fn constraint_of(catalog: &Catalog, table: &TableName, name: &str) -> Option<String> {
    catalog.tables.get(table)?.constraint(name)?;
    Some(format!("the constraint {name} of `{}`", table.name))
}

/// What else in the table's schema is called so.
fn relation(catalog: &Catalog, table: &TableName, name: &str) -> Option<String> {
    let own = table.sibling(name.to_owned());
    if catalog.tables.contains_key(&own) {
        return Some(format!("a table `{name}`"));
    }
    if catalog.views.contains_key(&own) {
        return Some(format!("a view `{name}`"));
    }
    catalog.tables.values().filter(|other| other.name.schema == table.schema).find_map(|other| {
        let keyed = other.constraint(name).is_some_and(|constraint| {
            use ConstraintKind::{PrimaryKey, Unique};
            let stands_on_one = matches!(constraint.kind, Unique(_) | PrimaryKey(_));
            // SQLite's name of a constraint is nobody else's.
            stands_on_one && catalog.dialect != Dialect::Sqlite
        });
        let found = other.index(name).is_some() || keyed;
        found.then(|| format!("the index {name} of `{}`", other.name.name))
    })
}
