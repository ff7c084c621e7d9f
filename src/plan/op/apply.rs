//! What an operation does to the catalog.

use crate::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Identity, Index, Origin, Sequence, Table,
    TableName, Trigger, View,
};
use crate::change::CommentOn;
use crate::source::Dialect;

use super::super::condition::Condition;
use super::{Numbering, Op};

/// Why an operation does not fit the catalog it meets.
pub type Misfit = String;

impl Op {
    /// Carries the operation out on the catalog.
    pub fn apply(&self, catalog: &mut Catalog) -> Result<(), Misfit> {
        match self {
            Op::Guard(_) | Op::Lock { .. } | Op::Touch { .. } => Ok(()),
            Op::AddColumn { table, column, constraints } => {
                let owner = table_mut(catalog, table)?;
                if owner.columns.iter().any(|c| c.name == column.name) {
                    return Err(format!("column {} is already there", column.name));
                }
                for constraint in constraints {
                    add_constraint(owner, constraint)?;
                }
                for name in catalog.with_partitions(table) {
                    table_mut(catalog, &name)?.columns.push(column.clone());
                }
                Ok(())
            }
            Op::CreateTable(table) => {
                match catalog.tables.insert(table.name.clone(), (**table).clone()) {
                    None => Ok(()),
                    Some(_) => Err(format!("table {} is already there", table.name.name)),
                }
            }
            Op::DropTable(table) => {
                catalog.triggers.retain(|(of, _), _| *of != table.name);
                match catalog.tables.remove(&table.name) {
                    Some(_) => Ok(()),
                    None => Err(format!("table {} is not there", table.name.name)),
                }
            }
            Op::Restore { table, trigger, text } => {
                table_mut(catalog, table)?;
                if let Some(name) = trigger {
                    let trigger = Trigger {
                        mentions: Vec::new(),
                        stale: false,
                        origin: Origin { text: text.clone(), ..Origin::default() },
                    };
                    catalog.triggers.insert((table.clone(), name.clone()), trigger);
                }
                Ok(())
            }
            Op::RenameTable { from, to } => {
                if catalog.tables.contains_key(to) || catalog.views.contains_key(to) {
                    return Err(format!("{} is taken", to.name));
                }
                table_mut(catalog, from)?;
                catalog.rename_table(from, to, false);
                Ok(())
            }
            Op::CreateStandIn { name, table, .. } => {
                table_mut(catalog, table)?;
                let view = View {
                    materialized: false,
                    stale: false,
                    mentions: vec![table.name.clone()],
                    origin: Origin::default(),
                };
                match catalog.views.insert(name.clone(), view) {
                    None if !catalog.tables.contains_key(name) => Ok(()),
                    _ => Err(format!("{} is taken", name.name)),
                }
            }
            Op::DropStandIn { name } => match catalog.views.remove(name) {
                Some(_) => Ok(()),
                None => Err(format!("view {} is not there", name.name)),
            },
            Op::Comment { on, text } => {
                let table = table_mut(catalog, on.table())?;
                let comment = match on {
                    CommentOn::Table(_) => &mut table.comment,
                    CommentOn::Column(_, name) => &mut column_mut(table, name)?.comment,
                    CommentOn::Index(_, name) => &mut index_mut(table, name)?.comment,
                    CommentOn::Constraint(_, name) => &mut constraint_mut(table, name)?.comment,
                };
                comment.clone_from(text);
                Ok(())
            }
            Op::DropColumn { table, column } => {
                column_mut(table_mut(catalog, table)?, column)?;
                catalog.drop_column(table, column);
                Ok(())
            }
            Op::RenameColumn { table, from, to } => {
                let found = table_mut(catalog, table)?;
                if found.columns.iter().any(|c| c.name == *to) {
                    return Err(format!("column {to} is already there"));
                }
                column_mut(found, from)?;
                catalog.rename_column(table, from, to);
                Ok(())
            }
            Op::SetDefault { table, column, expr } => {
                column_mut(table_mut(catalog, table)?, column)?.default = Some(expr.clone());
                Ok(())
            }
            Op::DropDefault { table, column } => {
                column_mut(table_mut(catalog, table)?, column)?.default = None;
                Ok(())
            }
            Op::CreateSequence(counted) => {
                let name = counted.table.sibling(counted.sequence.clone());
                let owner = (counted.table.clone(), counted.column.clone());
                let sequence = Sequence { ty: Some(counted.ty.clone()), owned_by: Some(owner) };
                match catalog.sequences.insert(name, sequence) {
                    None => Ok(()),
                    Some(_) => Err(format!("sequence {} is already there", counted.sequence)),
                }
            }
            Op::BecomeIdentity { counted, identity } => {
                catalog.sequences.remove(&counted.table.sibling(counted.sequence.clone()));
                let column = column_mut(table_mut(catalog, &counted.table)?, &counted.column)?;
                column.default = None;
                column.identity = Some(Identity::Generated(identity.clone()));
                Ok(())
            }
            Op::LeaveIdentity { counted, .. } => {
                Op::CreateSequence(counted.clone()).apply(catalog)?;
                let column = column_mut(table_mut(catalog, &counted.table)?, &counted.column)?;
                column.identity = Some(Identity::Serial);
                Ok(())
            }
            Op::PassNumbering { table, from, to, numbering } => {
                let owner = Some((table.clone(), to.clone()));
                let next = match numbering {
                    Numbering::Identity(_) => None,
                    Numbering::Sequence { name, next } => {
                        sequence_mut(catalog, name)?.owned_by = owner;
                        Some(next.clone())
                    }
                };
                let table = table_mut(catalog, table)?;
                let column = column_mut(table, from)?;
                let Some(identity) = column.identity.take() else {
                    return Err(format!("{from} does not number itself"));
                };
                column.default = None;
                let column = column_mut(table, to)?;
                column.identity = Some(identity);
                column.default = next;
                Ok(())
            }
            Op::SetSequenceType { sequence, ty, .. } => {
                sequence_mut(catalog, sequence)?.ty = Some(ty.clone());
                Ok(())
            }
            Op::SetType { table, column, to, .. } => {
                let column = column_mut(table_mut(catalog, table)?, column)?;
                column.ty.clone_from(&to.ty);
                column.collation.clone_from(&to.collation);
                Ok(())
            }
            Op::SetNotNull { table, column } => {
                column_mut(table_mut(catalog, table)?, column)?.not_null = true;
                Ok(())
            }
            Op::DropNotNull { table, column } => {
                let table = table_mut(catalog, table)?;
                column_mut(table, column)?.not_null = false;
                table.forget_not_null_name(column);
                Ok(())
            }
            Op::AddConstraint { table, constraint } => {
                add_constraint(table_mut(catalog, table)?, constraint)
            }
            Op::Validate { table, name, .. } => {
                constraint_mut(table_mut(catalog, table)?, name)?.valid = true;
                Ok(())
            }
            Op::DropConstraint { table, name } => {
                let table = table_mut(catalog, table)?;
                constraint_mut(table, name)?;
                table.constraints.retain(|c| c.name.as_deref() != Some(name));
                Ok(())
            }
            Op::RenameConstraint { table, from, to } => {
                constraint_mut(table_mut(catalog, table)?, from)?.name = Some(to.clone());
                Ok(())
            }
            Op::RenameNotNull { table, column, from, to } => {
                let table = table_mut(catalog, table)?;
                if table.required_by(from) != Some(column) {
                    return Err(format!("no NOT NULL of {column} is called {from}"));
                }
                table.name_not_null(column, to);
                Ok(())
            }
            Op::UsingIndex { table, name, index: own, options, primary, comment } => {
                let table = table_mut(catalog, table)?;
                let at = table.indexes.iter().position(|index| index.name == *own);
                let Some(at) = at else {
                    return Err(format!("index {own} is not there"));
                };
                let index = table.indexes.remove(at);
                let constraint = Constraint {
                    name: Some(name.clone()),
                    named: true,
                    kind: if *primary {
                        ConstraintKind::PrimaryKey(index.keys)
                    } else {
                        ConstraintKind::Unique(index.keys)
                    },
                    options: options.clone(),
                    valid: true,
                    comment: comment.clone(),
                };
                add_constraint(table, &constraint)
            }
            Op::RestoreIndex { table, index, .. } => {
                // SQLite's constraints have names of their own, which no index meets.
                let own_names = catalog.dialect == Dialect::Sqlite;
                let table = table_mut(catalog, table)?;
                let taken = !own_names && table.constraint(&index.name).is_some();
                if table.index(&index.name).is_none() && !taken {
                    table.indexes.push(index.clone());
                }
                Ok(())
            }
            Op::Unless { table, holds, ops } => {
                let found = table_mut(catalog, table)?;
                let holds = match holds {
                    Condition::ColumnNotNull { column, .. } => column_mut(found, column)?.not_null,
                    Condition::ConstraintValid { name, .. } => found.constraint(name).is_some(),
                    other => return Err(format!("{other:?} cannot be asked of a catalog")),
                };
                if !holds {
                    for op in ops {
                        op.apply(catalog)?;
                    }
                }
                Ok(())
            }
            Op::CreateIndex { table, index, .. } => {
                if catalog.table_of_index(&table.sibling(index.name.clone())).is_some() {
                    return Err(format!("index {} is already there", index.name));
                }
                table_mut(catalog, table)?.indexes.push(index.clone());
                Ok(())
            }
            Op::DropIndex { table, index, .. } => {
                let table = table_mut(catalog, table)?;
                index_mut(table, &index.name)?;
                table.indexes.retain(|i| i.name != index.name);
                Ok(())
            }
            Op::RenameIndex { table, index, to } => {
                index_mut(table_mut(catalog, table)?, &index.name)?.name.clone_from(to);
                Ok(())
            }
            Op::CreateSync(sync) => {
                table_mut(catalog, &sync.table)?;
                let trigger =
                    Trigger { mentions: Vec::new(), stale: false, origin: Origin::default() };
                match catalog.triggers.insert((sync.table.clone(), sync.name.clone()), trigger) {
                    None => Ok(()),
                    Some(_) => Err(format!("trigger {} is already there", sync.name)),
                }
            }
            Op::DropSync(sync) => {
                match catalog.triggers.remove(&(sync.table.clone(), sync.name.clone())) {
                    Some(_) => Ok(()),
                    None => Err(format!("trigger {} is not there", sync.name)),
                }
            }
            Op::Backfill(backfill) => {
                let table = table_mut(catalog, &backfill.table)?;
                for column in backfill.walk.key().unwrap_or_default() {
                    column_mut(table, column)?;
                }
                for (column, _) in &backfill.set {
                    column_mut(table, column)?;
                }
                if let Some(sync) = &backfill.sync
                    && !catalog.triggers.contains_key(&(backfill.table.clone(), sync.clone()))
                {
                    return Err(format!("trigger {sync} is not there"));
                }
                Ok(())
            }
            Op::Anew { edits, .. } => {
                for edit in edits {
                    edit.apply(catalog)?;
                }
                Ok(())
            }
            Op::Job { op, .. } => op.apply(catalog),
            Op::Delete(rows) => table_mut(catalog, &rows.table).map(|_| ()),
            Op::PutBack(rows) => {
                let named = rows.key.iter().chain(&rows.columns);
                for table in [&rows.archive, &rows.table] {
                    let table = table_mut(catalog, table)?;
                    named.clone().try_for_each(|name| column_mut(table, name).map(|_| ()))?;
                }
                Ok(())
            }
            Op::Copy(rows) => {
                table_mut(catalog, &rows.from)?;
                let into = table_mut(catalog, &rows.into)?;
                rows.list.iter().try_for_each(|(column, _)| column_mut(into, column).map(|_| ()))
            }
            Op::Insert { table, .. } | Op::DeleteExactly { table, .. } => {
                table_mut(catalog, table).map(|_| ())
            }
            Op::Rebuild(rebuild) => {
                let table = table_mut(catalog, &rebuild.from.name)?;
                *table = rebuild.to.clone();
                Ok(())
            }
        }
    }
}

fn table_mut<'c>(catalog: &'c mut Catalog, name: &TableName) -> Result<&'c mut Table, Misfit> {
    catalog.tables.get_mut(name).ok_or_else(|| format!("table {} is not there", name.name))
}

fn sequence_mut<'c>(
    catalog: &'c mut Catalog,
    name: &TableName,
) -> Result<&'c mut Sequence, Misfit> {
    catalog.sequences.get_mut(name).ok_or_else(|| format!("sequence {} is not there", name.name))
}

fn column_mut<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Column, Misfit> {
    let Table { columns, name: of, .. } = table;
    columns
        .iter_mut()
        .find(|column| column.name == name)
        .ok_or_else(|| format!("column {}.{name} is not there", of.name))
}

fn constraint_mut<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Constraint, Misfit> {
    table
        .constraints
        .iter_mut()
        .find(|constraint| constraint.name.as_deref() == Some(name))
        .ok_or_else(|| format!("constraint {name} is not there"))
}

fn index_mut<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Index, Misfit> {
    table
        .indexes
        .iter_mut()
        .find(|index| index.name == name)
        .ok_or_else(|| format!("index {name} is not there"))
}

fn add_constraint(table: &mut Table, constraint: &Constraint) -> Result<(), Misfit> {
    if constraint.name.is_some() && table.constraints.iter().any(|c| c.name == constraint.name) {
        return Err(format!(
            "constraint {} is already there",
            constraint.name.as_deref().unwrap_or("")
        ));
    }
    table.constraints.push(constraint.clone());
    Ok(())
}
