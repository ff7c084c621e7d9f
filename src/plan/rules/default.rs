//! `SET DEFAULT` and `DROP DEFAULT` of a column that is there.
//!
//! A new default touches no row. One that is dropped is still what old code relies on: it goes in
//! deploy 2, when only code runs that gives the value itself.

use crate::catalog::{Column, Expr, TableName};
use crate::change::SetDefault;
use crate::dialect::Action;

use super::super::condition::Condition;
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::rebuild;
use super::super::{Down, Downtime, Field, ModelChange, Phase, Step, Unit};

pub(super) fn steps(context: &Context, set: &SetDefault) -> Vec<Step> {
    let (table, name) = (&set.table, &set.column);
    let (unit, mut up, mut down) = if context.can(Action::SetDefault) {
        let lock = context.lock(&[table], Action::SetDefault);
        (Unit::Transaction, lock.clone(), lock)
    } else {
        (Unit::Rebuild, Vec::new(), Vec::new())
    };
    let there = change(table, name, set.after.as_ref());
    let back = change(table, name, set.before.as_ref());
    if unit == Unit::Rebuild {
        up.push(rebuild::anew(table, vec![there]));
        down.push(rebuild::anew(table, vec![back]));
    } else {
        up.push(there);
        down.push(back);
    }
    let model: Vec<ModelChange> = context
        .table(table)
        .column(name)
        .map(|column| {
            let field = |default: &Option<Expr>| Field {
                column: Column { default: default.clone(), ..column.clone() },
                unique: None,
                references: None,
            };
            ModelChange::AlterField {
                table: table.clone(),
                before: field(&set.before),
                field: field(&set.after),
            }
        })
        .into_iter()
        .collect();
    let step = |phase: Phase, slug: &str, title: String, unit, up, down, model| Step {
        phase,
        table: table.clone(),
        slug: slug.into(),
        title,
        unit,
        up,
        down: Down::ops(down),
        verify: Vec::new(),
        model,
    };
    let column = format!("{}.{name}", table.name);
    if set.after.is_some() {
        let title = format!("the default of {column}");
        return vec![step(Phase::Expand, "default", title, unit, up, down, model)];
    }
    let title = format!("the default of {column} is dropped");
    if context.policy.downtime != Downtime::None {
        return vec![step(Phase::Expand, "default", title, unit, up, down, model)];
    }
    if let Some(date) = context.policy.not_before {
        let what = format!("the default of {column}");
        up.insert(0, Op::Guard(vec![Condition::NotBefore { date, what }]));
    }
    let first = format!("no code relies on the default of {column} any more");
    vec![
        step(Phase::Expand, "forget", first, Unit::Transaction, Vec::new(), Vec::new(), model),
        step(Phase::Contract, "contract", title, unit, up, down, Vec::new()),
    ]
}

fn change(table: &TableName, column: &str, default: Option<&Expr>) -> Op {
    let (table, column) = (table.clone(), column.to_owned());
    match default {
        Some(expr) => Op::SetDefault { table, column, expr: expr.clone() },
        None => Op::DropDefault { table, column },
    }
}

/// The default that a column of the same script came with goes: old code relies on it until deploy 2.
pub(super) fn dropped(
    context: &Context,
    table: &TableName,
    column: &str,
    was: &Expr,
) -> Option<Step> {
    let (table, column) = (table.clone(), column.to_owned());
    steps(context, &SetDefault { table, column, before: Some(was.clone()), after: None }).pop()
}
