//! `CREATE TABLE`, with the indexes, constraints and comments that the same script gives it.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | a foreign key waits for writers of the table it points to, and they for it | in one transaction, with the locks on those tables taken in short tries first |
//! | SQLite | writers wait: there is one writer | as written, in one transaction |
//!
//! Nobody uses the table yet: nothing is built concurrently or validated apart.

use crate::catalog::{ConstraintKind, Table, TableName};
use crate::change::CreateTable;
use crate::dialect::Action;

use super::super::condition::Condition;
use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;

pub(super) fn steps(context: &Context, create: &CreateTable) -> Vec<Step> {
    let table = &create.table;
    let parents = parents(context, table);
    let lock = |action| match parents.as_slice() {
        [] => Vec::new(),
        parents => context.lock(parents, action),
    };
    let mut up = lock(Action::CreateTableReferences);
    up.push(Op::CreateTable(Box::new(table.clone())));
    let mut down = lock(Action::DropTableReferences);
    down.push(Op::DropTable(Box::new(table.clone())));
    vec![Step {
        phase: Phase::Expand,
        table: table.name.clone(),
        slug: "table".into(),
        title: format!("table {}", table.name),
        unit: Unit::Transaction,
        up,
        down: Down::noted(down, format!("Loses the rows written to {} by then.", table.name)),
        verify: vec![Condition::TableExists { table: table.name.clone() }],
        model: vec![ModelChange::AddModel(Box::new(table.clone()))],
    }]
}

/// Tables that were there before and that foreign keys point to, each once.
fn parents<'t>(context: &Context, table: &'t Table) -> Vec<&'t TableName> {
    let mut parents = Vec::new();
    for constraint in &table.constraints {
        if let ConstraintKind::ForeignKey { table: parent, .. } = &constraint.kind
            && context.before.table(parent).is_some()
            && !parents.contains(&parent)
        {
            parents.push(parent);
        }
    }
    parents
}
