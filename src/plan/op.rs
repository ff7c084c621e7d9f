//! The typed operations a plan is made of, and what each does to the catalog.
//!
//! Enters: an operation and a catalog. Leaves: the catalog after it, or why it cannot be carried
//! out there. Must not know: SQL text, frameworks.

mod apply;
mod sync;

use std::collections::BTreeMap;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Table, TableName};
use crate::change::CommentOn;
use crate::dialect::Action;

use super::condition::{Condition, Predicate};
use super::rows::{Backfill, CopyRows, DeleteRows, PutBack, Walk};

pub use apply::Misfit;
pub use sync::{Computed, Derived, Sync, SyncKind};

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
    /// A sequence that goes with the column, for it to count by.
    CreateSequence(Counted),
    /// The column counts by itself, on from where its sequence is; the sequence goes.
    BecomeIdentity {
        counted: Counted,
        identity: String,
    },
    /// The way back: the column counts by the sequence, on from where it is.
    LeaveIdentity {
        counted: Counted,
        identity: String,
    },
    /// What numbers `from` numbers `to` instead, on from where it is.
    PassNumbering {
        table: TableName,
        from: String,
        to: String,
        numbering: Numbering,
    },
    /// How far the sequence of a column of the table counts.
    SetSequenceType {
        table: TableName,
        sequence: TableName,
        ty: String,
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
    /// The NOT NULL of a column is called another way.
    RenameNotNull {
        table: TableName,
        column: String,
        from: String,
        to: String,
    },
    /// Makes a unique index a constraint, which it gets the name of. Under a name of its own it takes
    /// the place of a constraint that an earlier run has made.
    UsingIndex {
        table: TableName,
        name: String,
        index: String,
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
    PutBack(PutBack),
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

/// A column and the sequence it counts by.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub table: TableName,
    pub column: String,
    /// Of the column and the sequence: `bigint`.
    pub ty: String,
    /// Name of the sequence, beside the table.
    pub sequence: String,
    /// `(START WITH 1000)`, as written for an identity; may be empty.
    pub options: String,
}

/// What gives a column its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbering {
    /// A default that asks a sequence, which belongs to the column.
    Sequence { name: TableName, next: Expr },
    /// `GENERATED … AS IDENTITY`, verbatim.
    Identity(String),
}

/// A table made anew under its own name, for what ALTER TABLE cannot do.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild {
    /// The table is as `from` says.
    pub as_planned: Condition,
    pub from: Table,
    pub to: Table,
    /// The name that the new table has until the old one is gone.
    pub aside: String,
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
                let mut actions = vec![match (&column.default, &column.generated) {
                    _ if column.numbers_itself() => Action::AddColumnRewrite,
                    (_, Some(generated)) if generated.stored => Action::AddColumnRewrite,
                    (_, Some(_)) => Action::AddColumnVirtual,
                    (None, None) => Action::AddColumn,
                    (Some(_), None) => Action::AddColumnConstantDefault,
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
            Op::CreateSequence(_) | Op::SetSequenceType { .. } => vec![],
            Op::BecomeIdentity { .. } | Op::LeaveIdentity { .. } => vec![Action::SetIdentity],
            Op::PassNumbering { numbering: Numbering::Sequence { .. }, .. } => {
                vec![Action::SetDefault]
            }
            Op::PassNumbering { numbering: Numbering::Identity(_), .. } => {
                vec![Action::SetIdentity]
            }
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
            Op::RenameNotNull { .. } => vec![Action::RenameNotNull],
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
            Op::Backfill(_) | Op::Delete(_) | Op::Copy(_) | Op::PutBack(_) => {
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
            Op::PutBack(rows) => Some((&rows.walk, &rows.table)),
            Op::Job { op, .. } => op.walk(),
            _ => None,
        }
    }

    /// The backfill that it is, or that is a person's to run.
    pub fn backfill(&self) -> Option<&Backfill> {
        match self {
            Op::Backfill(fill) => Some(fill),
            Op::Job { op, .. } => op.backfill(),
            _ => None,
        }
    }

    /// The rows that a walk has yet to deal with.
    pub fn remaining(&self) -> Option<Predicate> {
        match self {
            Op::Backfill(backfill) => Some(backfill.remaining.clone()),
            Op::Delete(rows) => Some(rows.filter.clone()),
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
            | Op::PassNumbering { table, .. }
            | Op::SetSequenceType { table, .. }
            | Op::SetType { table, .. }
            | Op::SetNotNull { table, .. }
            | Op::DropNotNull { table, .. }
            | Op::AddConstraint { table, .. }
            | Op::Validate { table, .. }
            | Op::DropConstraint { table, .. }
            | Op::RenameConstraint { table, .. }
            | Op::RenameNotNull { table, .. }
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
            Op::CreateSequence(counted)
            | Op::BecomeIdentity { counted, .. }
            | Op::LeaveIdentity { counted, .. } => Some(&counted.table),
            Op::Backfill(backfill) => Some(&backfill.table),
            Op::Delete(rows) => Some(&rows.table),
            Op::Copy(rows) => Some(&rows.into),
            Op::PutBack(rows) => Some(&rows.table),
            Op::Job { op, .. } => op.table(),
            Op::Insert { table, .. } | Op::DeleteExactly { table, .. } => Some(table),
            Op::Rebuild(rebuild) => Some(&rebuild.from.name),
        }
    }
}
