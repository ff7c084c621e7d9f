//! `CREATE TABLE`, with the indexes, constraints and comments that the same script gives it.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | a foreign key waits for writers of the table it points to, and they for it | in one transaction, with the locks on those tables taken in short tries first |
//! | SQLite | writers wait: there is one writer | as written, in one transaction |
//!
//! Nobody uses the table yet: nothing is built concurrently or validated apart.

use crate::catalog::{ConstraintKind, Table, TableName};
use crate::change::{Asked, Change, CreateTable};
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::Condition;
use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;

pub(super) fn steps(context: &Context, create: &CreateTable) -> Result<Vec<Step>> {
    let table = &create.table;
    if let Some(later) = later(context, table) {
        return Err(context
            .refuse(
                format!("`{}` and `{}` point to each other", table.name.name, later.name),
                "one of them is not there yet",
            )
            .hint("plan the second foreign key when this rollout is through"));
    }
    let parents = parents(context, table);
    let lock = |action| match parents.as_slice() {
        [] => Vec::new(),
        parents => context.lock(parents, action),
    };
    let mut up = lock(Action::CreateTableReferences);
    up.push(Op::CreateTable(Box::new(table.clone())));
    let mut down = lock(Action::DropTableReferences);
    down.push(Op::DropTable(Box::new(table.clone())));
    Ok(vec![Step {
        phase: Phase::Expand,
        table: table.name.clone(),
        slug: "table".into(),
        title: format!("table {}", table.name),
        unit: Unit::Transaction,
        up,
        down: Down::noted(down, format!("Loses the rows written to {} by then.", table.name)),
        verify: vec![Condition::TableExists { table: table.name.clone() }],
        model: vec![ModelChange::AddModel(Box::new(table.clone()))],
    }])
}

/// A table that a foreign key points to and that the script makes only afterwards.
fn later<'t>(context: &Context, table: &'t Table) -> Option<&'t TableName> {
    let made = |asked: &Asked| match &asked.change {
        Change::CreateTable(create) => Some(create.table.name.clone()),
        _ => None,
    };
    let order: Vec<TableName> = context.intent.asked.iter().filter_map(made).collect();
    let own = order.iter().position(|name| *name == table.name)?;
    table.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table: parent, .. } => {
            let at = order.iter().position(|name| name == parent)?;
            (at > own && context.can(Action::ValidateCheck)).then_some(parent)
        }
        _ => None,
    })
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
