//! Small tables: what would be several files becomes one short transaction a deploy.
//!
//! Enters: ordered deploys. Leaves: the same, in which consecutive steps on a table of few rows are
//! one. Batches and concurrent builds are for tables whose rows take long: here the lock is held for
//! the whole, and the whole is short. What keeps old code working stays.

use std::collections::VecDeque;

use crate::catalog::{Constraint, TableName};
use crate::dialect::{Action, Server, Verdict, strength};

use super::condition::{Condition, Reason};
use super::op::Op;
use super::rows::Walk;
use super::strategy::ask_first;
use super::{Deploy, Phase, Policy, Step, Unit};

/// Rows that are written, indexed and checked in about a tenth of a second: 7 s for a million rows
/// updated, 0.6 s for a million indexed (PostgreSQL 15).
pub const ROWS: u64 = 10_000;

/// Whether `--rows` says that the table is small.
pub fn is_small(policy: &Policy, table: &TableName) -> bool {
    policy.rows.get(table).is_some_and(|rows| *rows <= ROWS)
}

pub(super) fn shorten(server: &Server, policy: &Policy, deploys: &mut [Deploy]) {
    if !server.can(Action::CreateIndexOnline) {
        return;
    }
    for (at, deploy) in deploys.iter_mut().enumerate() {
        let mut short: Vec<Step> = Vec::new();
        for step in std::mem::take(&mut deploy.steps) {
            match short.last_mut() {
                Some(last) if last.table == step.table && is_small(policy, &step.table) => {
                    fold(last, step);
                    if last.phase < Phase::Switch && at > 0 {
                        last.slug = Phase::Enforce.slug().into();
                    }
                }
                _ => short.push(step),
            }
        }
        for step in &mut short {
            if is_small(policy, &step.table) {
                step.unit = Unit::Transaction;
                step.up = without_detours(server, plain(server, std::mem::take(&mut step.up)));
                step.down.ops =
                    without_detours(server, plain(server, std::mem::take(&mut step.down.ops)));
                see_all(&mut step.up);
                see_all(&mut step.down.ops);
            }
        }
        deploy.steps = short;
    }
}

/// The block that tries for the lock would take the snapshot of a stricter transaction, before it has it.
fn see_all(ops: &mut Vec<Op>) {
    let locks = ops.iter().any(|op| matches!(op, Op::Lock { .. }));
    let writes =
        |op: &Op| matches!(op, Op::Backfill(_) | Op::Delete(_) | Op::PutBack(_) | Op::Copy(_));
    if locks && ops.iter().any(writes) {
        ask_first(ops, vec![Condition::ReadCommitted]);
    }
}

fn fold(into: &mut Step, next: Step) {
    into.up.extend(next.up);
    let mut down = next.down.ops;
    down.append(&mut into.down.ops);
    into.down.ops = down;
    into.down.loses |= next.down.loses;
    into.down.note = match (into.down.note.take(), next.down.note) {
        // "Nothing to undo" is said of a step that was alone.
        (Some(a), Some(b)) if b.starts_with("Nothing") || a == b => Some(a),
        (Some(a), Some(b)) => Some(format!("{a} {b}")),
        (a, b) => a.or(b.filter(|note| !note.starts_with("Nothing"))),
    };
    into.slug = into.phase.slug().into();
    if into.phase < Phase::Switch {
        into.slug = Phase::Expand.slug().into();
    }
    if next.phase == Phase::Contract {
        into.slug = Phase::Contract.slug().into();
    }
    into.phase = into.phase.max(next.phase);
    into.title = format!("{}; {}", into.title, next.title);
    if next.phase == Phase::Contract {
        // What was in step is one column again.
        into.verify
            .retain(|one| !matches!(one, Condition::NoRows { reason: Reason::OutOfStep, .. }));
    }
    for condition in next.verify {
        if !into.verify.contains(&condition) {
            into.verify.push(condition);
        }
    }
    into.model.extend(next.model);
}

/// The same in one transaction: one lock, and no build that has to be alone.
fn plain(server: &Server, ops: Vec<Op>) -> Vec<Op> {
    let mut all: Vec<Op> = Vec::new();
    let strongest = strongest(&ops);
    for op in ops {
        match op {
            // All at once: who held one while it tries for another would stop what needs both.
            Op::Lock { tables, mode } => {
                let first = all.iter_mut().find_map(|known| match known {
                    Op::Lock { tables, .. } => Some(tables),
                    _ => None,
                });
                match first {
                    Some(known) => {
                        for table in tables {
                            if !known.contains(&table) {
                                known.push(table);
                            }
                        }
                    }
                    None => all.push(Op::Lock { tables, mode: strongest.unwrap_or(mode) }),
                }
            }
            // A build that fails takes the whole transaction with it: nothing to ask before or after.
            Op::Guard(conditions) => {
                let needed = |one: &Condition| {
                    !matches!(
                        one,
                        Condition::NoDuplicates { .. }
                            | Condition::IndexValid { .. }
                            | Condition::ConstraintOn { .. }
                    )
                };
                let conditions: Vec<Condition> = conditions.into_iter().filter(needed).collect();
                if !conditions.is_empty() && !all.contains(&Op::Guard(conditions.clone())) {
                    all.push(Op::Guard(conditions));
                }
            }
            // In one transaction no run can end between the two.
            Op::UsingIndex { table, name, index, options, primary, comment } => {
                let built = all.iter_mut().rev().find_map(|op| match op {
                    Op::CreateIndex { index: built, .. } if built.name == index => Some(built),
                    _ => None,
                });
                if let Some(built) = built {
                    built.name.clone_from(&name);
                }
                let index = name.clone();
                all.push(Op::UsingIndex { table, name, index, options, primary, comment });
            }
            Op::CreateIndex { table, index, .. } => {
                if !all.iter().any(|known| matches!(known, Op::Lock { .. }))
                    && let Verdict::Yes(fact) = server.verdict(Action::CreateIndex)
                {
                    let mode = strongest.unwrap_or(fact.lock);
                    all.push(Op::Lock { tables: vec![table.clone()], mode });
                }
                all.push(Op::CreateIndex { table, index, online: false });
            }
            Op::RestoreIndex { table, index, .. } => {
                all.push(Op::RestoreIndex { table, index, online: false });
            }
            Op::DropIndex { table, index, .. } => {
                all.push(Op::DropIndex { table, index, online: false });
            }
            Op::Backfill(mut backfill) => {
                backfill.walk = Walk::Once;
                all.push(Op::Backfill(backfill));
            }
            Op::Delete(mut delete) => {
                delete.walk = Walk::Once;
                all.push(Op::Delete(delete));
            }
            Op::PutBack(mut rows) => {
                rows.walk = Walk::Once;
                all.push(Op::PutBack(rows));
            }
            Op::Copy(mut copy) => {
                copy.walk = Walk::Once;
                all.push(Op::Copy(copy));
            }
            op => all.push(op),
        }
    }
    all
}

/// What comes only to prove something beside running writers, or goes with its column anyway, is
/// left out.
fn without_detours(server: &Server, ops: Vec<Op>) -> Vec<Op> {
    let validated: Vec<String> = names(&ops, |op| match op {
        Op::Validate { name, .. } => Some(name),
        _ => None,
    });
    let gone: Vec<String> = names(&ops, |op| match op {
        Op::DropColumn { column, .. } => Some(column),
        _ => None,
    });
    let mut brought: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let mut ops = VecDeque::from(ops);
    while let Some(op) = ops.pop_front() {
        // One that is there before is dropped and comes again: that is no detour.
        let dropped: Vec<String> = names(&ops, |op| match op {
            Op::DropConstraint { name, .. } => Some(name),
            _ => None,
        });
        match op {
            Op::AddColumn { table, column, mut constraints } => {
                constraints.retain_mut(|one| keep(one, &dropped, &validated, &mut brought));
                all.push(Op::AddColumn { table, column, constraints });
            }
            Op::AddConstraint { table, mut constraint } => {
                let with_column = gone.iter().any(|column| constraint.uses(column, server.dialect));
                let kept = keep(&mut constraint, &dropped, &validated, &mut brought);
                if with_column {
                    brought.extend(constraint.name);
                } else if kept {
                    all.push(Op::AddConstraint { table, constraint });
                }
            }
            Op::Validate { ref name, .. } | Op::DropConstraint { ref name, .. }
                if brought.contains(name) => {}
            Op::DropNotNull { ref column, .. } if gone.contains(column) => {}
            op => all.push(op),
        }
    }
    all
}

fn names<'o>(
    ops: impl IntoIterator<Item = &'o Op>,
    of: impl Fn(&'o Op) -> Option<&'o String>,
) -> Vec<String> {
    ops.into_iter().filter_map(of).cloned().collect()
}

/// A constraint of this transaction that is dropped in it is none; one that is validated is valid.
fn keep(
    constraint: &mut Constraint,
    dropped: &[String],
    validated: &[String],
    brought: &mut Vec<String>,
) -> bool {
    let Some(name) = constraint.name.clone() else { return true };
    if dropped.contains(&name) {
        brought.push(name);
        return false;
    }
    if validated.contains(&name) {
        brought.push(name);
        constraint.valid = true;
    }
    true
}

/// The first lock is the one that all that follows needs: to strengthen it later is how two
/// transactions block each other.
fn strongest(ops: &[Op]) -> Option<&'static str> {
    let modes = ops.iter().filter_map(|op| match op {
        Op::Lock { mode, .. } => Some(*mode),
        _ => None,
    });
    modes.max_by_key(|mode| strength(mode))
}
