//! The typed operations a plan is made of, and what each does to the catalog.
//!
//! Enters: an operation and a catalog. Leaves: the catalog after it, or why it cannot be carried
//! out there. Must not know: SQL text, frameworks.

use std::collections::BTreeMap;

use crate::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Expr, Index, Origin, Table, TableName, Trigger,
    View,
};
use crate::change::CommentOn;
use crate::dialect::Action;
use crate::source::Dialect;

use super::condition::{Condition, Predicate};
use super::rows::{Backfill, CopyRows, DeleteRows, Walk};

/// An option of a unique constraint that stands with its index, where it is made of one.
pub const NULLS_NOT_DISTINCT: &str = "NULLS NOT DISTINCT";

#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Refuses to go on unless every condition holds.
    Guard(Vec<Condition>),
    /// Takes a lock in short tries and keeps it to the end of the transaction; the first table is
    /// the one that is changed, `mode` the server's own name.
    Lock {
        tables: Vec<TableName>,
        mode: &'static str,
    },
    /// `constraints` come with the column in one statement, not valid yet.
    AddColumn {
        table: TableName,
        column: Column,
        constraints: Vec<Constraint>,
    },
    /// With its indexes and comments.
    CreateTable(Box<Table>),
    /// The definition is kept for who asks what is lost.
    DropTable(Box<Table>),
    /// What stands on a table that comes back, by the text that made it: a trigger, a policy, a grant.
    Restore {
        table: TableName,
        /// Its name, where it is a trigger.
        trigger: Option<String>,
        text: String,
    },
    RenameTable {
        from: TableName,
        to: TableName,
    },
    /// A view of all of `table` under another name, with the owner and grants that the table has on
    /// the server; `as_invoker`: it checks rights and row security for whoever uses it.
    CreateStandIn {
        name: TableName,
        table: TableName,
        as_invoker: bool,
    },
    /// In short tries, for whoever still uses the name waits meanwhile.
    DropStandIn {
        name: TableName,
    },
    Comment {
        on: CommentOn,
        text: Option<String>,
    },
    DropColumn {
        table: TableName,
        column: String,
    },
    RenameColumn {
        table: TableName,
        from: String,
        to: String,
    },
    SetDefault {
        table: TableName,
        column: String,
        expr: Expr,
    },
    DropDefault {
        table: TableName,
        column: String,
    },
    /// Type and collation of `to`; `using` computes the values.
    SetType {
        table: TableName,
        column: String,
        to: Box<Column>,
        using: Option<Expr>,
        free: bool,
    },
    SetNotNull {
        table: TableName,
        column: String,
    },
    DropNotNull {
        table: TableName,
        column: String,
    },
    /// Where the server can: not valid, existing rows are not looked at.
    AddConstraint {
        table: TableName,
        constraint: Constraint,
    },
    /// `parent`: the table a foreign key points to.
    Validate {
        table: TableName,
        name: String,
        parent: Option<TableName>,
    },
    DropConstraint {
        table: TableName,
        name: String,
    },
    RenameConstraint {
        table: TableName,
        from: String,
        to: String,
    },
    /// Makes a unique index the constraint of the same name.
    UsingIndex {
        table: TableName,
        name: String,
        options: Option<String>,
        primary: bool,
        comment: Option<String>,
    },
    /// What an earlier try left is replaced.
    CreateIndex {
        table: TableName,
        index: Index,
        online: bool,
    },
    /// As part of a way back: an index that is there is kept.
    RestoreIndex {
        table: TableName,
        index: Index,
        online: bool,
    },
    /// As part of a way back: only where the condition does not hold already.
    Unless {
        table: TableName,
        holds: Condition,
        ops: Vec<Op>,
    },
    DropIndex {
        table: TableName,
        index: Index,
        online: bool,
    },
    /// The definition is kept for servers that build it again.
    RenameIndex {
        table: TableName,
        index: Index,
        to: String,
    },
    CreateSync(Sync),
    DropSync(Sync),
    /// Writes one row, so that a trigger is run once before users meet it.
    Touch {
        table: TableName,
        key: Option<String>,
        column: String,
    },
    Backfill(Backfill),
    /// One that walks through rows, from a file of the rollout: only asserts that it was run.
    Job {
        op: Box<Op>,
        file: String,
    },
    Delete(DeleteRows),
    Copy(CopyRows),
    /// A few rows, in the user's own statement.
    Insert {
        table: TableName,
        text: Expr,
    },
    /// The rows with these values of a key, and no other.
    DeleteExactly {
        table: TableName,
        rows: Vec<Vec<(String, Expr)>>,
    },
    /// `edits` carried out by making the table anew; settled into a [`Rebuild`] once the plan stands.
    Anew {
        table: TableName,
        edits: Vec<Op>,
        /// Where a column gets its values; others are copied by name.
        copy: BTreeMap<String, Expr>,
    },
    Rebuild(Box<Rebuild>),
}

/// A trigger that keeps columns in step while two versions of the application run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// Of the trigger and its function.
    pub name: String,
    pub table: TableName,
    pub kind: SyncKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SyncKind {
    /// `new` is a copy of `old`; whoever is written, the other follows.
    Mirror {
        old: String,
        new: String,
        /// `old` has a default, which an INSERT that names only `new` also gets.
        old_default: bool,
        /// The table says that one of both must be given: `new` may be NULL in an INSERT of old code.
        needs_given: bool,
    },
    /// `column` is computed in every row that is written.
    Follow {
        column: String,
        /// Every column read from the row being written.
        row_expr: Expr,
    },
    /// Either side is computed from the one that was written; expressions read the row being
    /// written.
    Replace { forward: Vec<(String, Expr)>, backward: Vec<(String, Expr)> },
    /// `column` gets `expr` whenever it would be NULL.
    Fill {
        column: String,
        expr: Expr,
        /// The same with every column read from the row being written.
        row_expr: Expr,
    },
    /// `column` is filled from `expr` where the writer does not give it.
    Derive {
        column: String,
        expr: Expr,
        /// The same with every column read from the row being written.
        row_expr: Expr,
        /// The columns `expr` reads.
        sources: Vec<String>,
        /// NULL in `column` always means "not given".
        required: bool,
    },
}

/// A table made anew under its own name, for what ALTER TABLE cannot do.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild {
    pub from: Table,
    pub to: Table,
    /// Where a column of `to` gets its values; others are copied by name.
    pub copy: BTreeMap<String, Expr>,
    /// Views, and triggers of any table that name this one: dropped before, created after, verbatim.
    pub dependants: Vec<Dependant>,
    /// The table keeps a counter that must not fall.
    pub autoincrement: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dependant {
    /// `VIEW` or `TRIGGER`.
    pub kind: &'static str,
    pub name: String,
    /// Drop it first: it lies on another table, or is a view.
    pub drop: bool,
    pub text: String,
}

/// Why an operation does not fit the catalog it meets.
pub type Misfit = String;

impl Op {
    /// What the server is asked to do, strongest lock first; empty for what only asks.
    pub fn actions(&self) -> Vec<Action> {
        match self {
            Op::Guard(conditions) => {
                if conditions.iter().any(Condition::reads_rows) {
                    vec![Action::Scan]
                } else {
                    vec![]
                }
            }
            Op::Lock { .. } | Op::Touch { .. } => vec![],
            Op::AddColumn { column, constraints, .. } => {
                let mut actions = vec![match &column.default {
                    None => Action::AddColumn,
                    Some(_) => Action::AddColumnConstantDefault,
                }];
                if constraints
                    .iter()
                    .any(|c| !c.valid && matches!(c.kind, ConstraintKind::Check(_)))
                {
                    actions.push(Action::AddCheckNotValid);
                }
                actions
            }
            Op::CreateTable(_) => vec![Action::CreateTable],
            Op::DropTable(_) => vec![Action::DropTable],
            Op::Restore { trigger: Some(_), .. } => vec![Action::CreateTrigger],
            Op::Restore { trigger: None, .. } => vec![],
            Op::RenameTable { .. } => vec![Action::RenameTable],
            Op::CreateStandIn { as_invoker: false, .. } => vec![Action::ViewStandsIn],
            Op::CreateStandIn { as_invoker: true, .. } => vec![Action::ViewAsInvoker],
            Op::DropStandIn { .. } => vec![Action::DropView],
            Op::Comment { .. } => vec![Action::Comment],
            Op::DropColumn { .. } => vec![Action::DropColumn],
            Op::RenameColumn { .. } => vec![Action::RenameColumn],
            Op::SetDefault { .. } => vec![Action::SetDefault],
            Op::DropDefault { .. } => vec![Action::DropDefault],
            Op::SetType { free: true, .. } => vec![Action::SetTypeFree],
            Op::SetType { free: false, .. } => vec![Action::SetTypeRewrite],
            Op::SetNotNull { .. } => vec![Action::SetNotNullProven],
            Op::DropNotNull { .. } => vec![Action::DropNotNull],
            Op::AddConstraint { constraint, .. } => vec![match constraint.kind {
                ConstraintKind::ForeignKey { .. } => Action::AddForeignKeyNotValid,
                _ => Action::AddCheckNotValid,
            }],
            Op::Validate { parent: None, .. } => vec![Action::ValidateCheck],
            Op::Validate { parent: Some(_), .. } => vec![Action::ValidateForeignKey],
            Op::DropConstraint { .. } => vec![Action::DropConstraint],
            Op::RenameConstraint { .. } => vec![Action::RenameConstraint],
            Op::UsingIndex { .. } => vec![Action::UniqueUsingIndex],
            Op::CreateIndex { online, .. } | Op::RestoreIndex { online, .. } => {
                vec![if *online { Action::CreateIndexOnline } else { Action::CreateIndex }]
            }
            Op::Unless { ops, .. } => ops.iter().flat_map(Op::actions).collect(),
            Op::DropIndex { online: true, .. } => vec![Action::DropIndexOnline],
            Op::DropIndex { online: false, .. } => vec![Action::DropIndex],
            Op::RenameIndex { .. } => vec![Action::RenameIndex],
            Op::CreateSync(_) => vec![Action::CreateTrigger],
            Op::DropSync(_) => vec![Action::DropTrigger],
            Op::Backfill(_) | Op::Delete(_) | Op::Copy(_) => {
                let batched = self.walk().is_some_and(|(walk, _)| walk.is_batched());
                vec![if batched { Action::UpdateBatch } else { Action::UpdateAll }]
            }
            Op::Job { .. } => vec![Action::Scan],
            Op::Insert { .. } | Op::DeleteExactly { .. } => vec![Action::WriteFew],
            Op::Anew { .. } | Op::Rebuild(_) => vec![Action::Rebuild],
        }
    }

    /// The walk of an operation that goes through a table's rows, and that table.
    pub fn walk(&self) -> Option<(&Walk, &TableName)> {
        match self {
            Op::Backfill(backfill) => Some((&backfill.walk, &backfill.table)),
            Op::Delete(rows) => Some((&rows.walk, &rows.table)),
            Op::Copy(rows) => Some((&rows.walk, &rows.from)),
            Op::Job { op, .. } => op.walk(),
            _ => None,
        }
    }

    /// The rows that a walk has yet to deal with.
    pub fn remaining(&self) -> Option<Predicate> {
        match self {
            Op::Backfill(backfill) => Some(backfill.remaining.clone()),
            Op::Delete(rows) => Some(Predicate::Given(rows.filter.clone())),
            Op::Copy(rows) => Some(rows.remaining.clone()),
            _ => None,
        }
    }

    pub fn table(&self) -> Option<&TableName> {
        match self {
            Op::Guard(_) => None,
            Op::Lock { tables, .. } => tables.first(),
            Op::AddColumn { table, .. }
            | Op::DropColumn { table, .. }
            | Op::RenameColumn { table, .. }
            | Op::SetDefault { table, .. }
            | Op::DropDefault { table, .. }
            | Op::SetType { table, .. }
            | Op::SetNotNull { table, .. }
            | Op::DropNotNull { table, .. }
            | Op::AddConstraint { table, .. }
            | Op::Validate { table, .. }
            | Op::DropConstraint { table, .. }
            | Op::RenameConstraint { table, .. }
            | Op::UsingIndex { table, .. }
            | Op::CreateIndex { table, .. }
            | Op::RestoreIndex { table, .. }
            | Op::Unless { table, .. }
            | Op::DropIndex { table, .. }
            | Op::RenameIndex { table, .. }
            | Op::Touch { table, .. }
            | Op::Restore { table, .. }
            | Op::Anew { table, .. } => Some(table),
            Op::CreateTable(table) | Op::DropTable(table) => Some(&table.name),
            Op::Comment { on, .. } => Some(on.table()),
            Op::RenameTable { from: name, .. }
            | Op::CreateStandIn { name, .. }
            | Op::DropStandIn { name } => Some(name),
            Op::CreateSync(sync) | Op::DropSync(sync) => Some(&sync.table),
            Op::Backfill(backfill) => Some(&backfill.table),
            Op::Delete(rows) => Some(&rows.table),
            Op::Copy(rows) => Some(&rows.into),
            Op::Job { op, .. } => op.table(),
            Op::Insert { table, .. } | Op::DeleteExactly { table, .. } => Some(table),
            Op::Rebuild(rebuild) => Some(&rebuild.from.name),
        }
    }

    /// Carries the operation out on the catalog.
    pub fn apply(&self, catalog: &mut Catalog) -> Result<(), Misfit> {
        match self {
            Op::Guard(_) | Op::Lock { .. } | Op::Touch { .. } => Ok(()),
            Op::AddColumn { table, column, constraints } => {
                let table = table_mut(catalog, table)?;
                if table.columns.iter().any(|c| c.name == column.name) {
                    return Err(format!("column {} is already there", column.name));
                }
                table.columns.push(column.clone());
                for constraint in constraints {
                    add_constraint(table, constraint)?;
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
                column_mut(table_mut(catalog, table)?, column)?.not_null = false;
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
            Op::UsingIndex { table, name, options, primary, comment } => {
                let table = table_mut(catalog, table)?;
                let at = table.indexes.iter().position(|index| index.name == *name);
                let Some(at) = at else {
                    return Err(format!("index {name} is not there"));
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
                if let Walk::Key(columns) = &backfill.walk {
                    for column in columns {
                        column_mut(table, column)?;
                    }
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
