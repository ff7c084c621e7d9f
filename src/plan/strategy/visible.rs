//! Row-level security: who migrates must see every row.
//!
//! Enters: the steps of a plan. Leaves: the same, where each that reads rows of a table with policies
//! asks first whether they apply, and the first of its deploy does. A backfill would pass by what they
//! hide, and every count that asks whether it is done would say so.

use crate::catalog::{Catalog, TableName};

use super::super::condition::Condition;
use super::super::op::Op;
use super::super::{Deploy, Step};
use super::ask_first;

pub(in crate::plan) fn ask(before: &Catalog, deploys: &mut [Deploy]) {
    for deploy in deploys {
        let all = deploy.steps.iter().flat_map(|step| read_by(&step.up)).collect();
        let mut of_deploy = Some(filtered(before, all));
        for step in &mut deploy.steps {
            let own = filtered(before, read_by(&step.up));
            let conditions = if step.up.is_empty() { own } else { of_deploy.take().unwrap_or(own) };
            ask_first(&mut step.up, conditions);
            let conditions = filtered(before, read_by(&step.down.ops));
            ask_first(&mut step.down.ops, conditions);
            let conditions = filtered(before, verified(step));
            step.verify.splice(0..0, conditions);
        }
    }
}

/// The tables through whose rows they go.
fn read_by(ops: &[Op]) -> Vec<TableName> {
    let of = |op: &Op| match op {
        Op::Guard(conditions) => conditions.iter().filter_map(rows_of).cloned().collect(),
        op => op.walk().map(|(_, table)| table.clone()).into_iter().collect::<Vec<_>>(),
    };
    ops.iter().flat_map(of).collect()
}

fn verified(step: &Step) -> Vec<TableName> {
    step.verify.iter().filter_map(rows_of).cloned().collect()
}

fn rows_of(condition: &Condition) -> Option<&TableName> {
    match condition {
        Condition::NoRows { table, .. } | Condition::NoDuplicates { table, .. } => Some(table),
        _ => None,
    }
}

fn filtered(before: &Catalog, mut tables: Vec<TableName>) -> Vec<Condition> {
    tables.retain(|table| before.has_row_security(table));
    tables.sort();
    tables.dedup();
    tables.into_iter().map(|table| Condition::RowsVisible { table }).collect()
}
