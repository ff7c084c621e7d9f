//! Steps in their order, those that belong together as one.
//!
//! Two rules, and no more: within a deploy phases run in the order of [`Phase`]; steps of one phase on one table
//! that are both transactions become one, so that its lock is taken once, and a table that has to be
//! made anew is made anew once.

use crate::catalog::TableName;
use crate::dialect::strength;

use super::op::Op;
use super::{Deploy, DualWrite, Phase, Step, Unit};

/// `steps` with their place in deploy 1: what is to come behind others has a greater one.
pub(super) fn order(mut steps: Vec<(usize, Step)>, dual_write: DualWrite) -> Vec<Deploy> {
    for (place, step) in &mut steps {
        if step.phase.release(dual_write) > 0 {
            *place = 0;
        }
    }
    steps.sort_by_key(|(place, step)| (step.phase.release(dual_write), *place, step.phase));
    let mut merged: Vec<Step> = Vec::new();
    let mut before = None;
    for (place, step) in steps {
        match merged.last_mut() {
            Some(last) if before == Some(place) && belongs(last, &step) => merge(last, step),
            _ => merged.push(step),
        }
        before = Some(place);
    }
    let mut deploys: Vec<Deploy> = Vec::new();
    let mut release = None;
    for step in merged {
        if release != Some(step.phase.release(dual_write)) {
            release = Some(step.phase.release(dual_write));
            deploys.push(Deploy { steps: Vec::new() });
        }
        if let Some(deploy) = deploys.last_mut() {
            deploy.steps.push(step);
        }
    }
    deploys
}

fn belongs(last: &Step, next: &Step) -> bool {
    let together = |unit: Unit| matches!(unit, Unit::Transaction | Unit::Rebuild);
    last.phase == next.phase
        && last.table == next.table
        && together(last.unit)
        && together(next.unit)
        && next.phase != Phase::Backfill
}

/// Guards first, then one lock, then the rest; the downs the other way round.
fn merge(into: &mut Step, next: Step) {
    if next.unit == Unit::Rebuild {
        into.unit = Unit::Rebuild;
    }
    into.up = join(std::mem::take(&mut into.up), next.up);
    into.down.ops = join(next.down.ops, std::mem::take(&mut into.down.ops));
    into.down.loses |= next.down.loses;
    into.down.note = match (into.down.note.take(), next.down.note) {
        (Some(a), Some(b)) if a != b => Some(format!("{a} {b}")),
        (a, b) => a.or(b),
    };
    if into.slug != next.slug {
        into.phase.slug().clone_into(&mut into.slug);
    }
    into.title = format!("{}; {}", into.title, next.title);
    into.verify.extend(next.verify);
    into.model.extend(next.model);
}

fn join(first: Vec<Op>, second: Vec<Op>) -> Vec<Op> {
    if first.is_empty() || second.is_empty() {
        return if first.is_empty() { second } else { first };
    }
    let rank = |op: &Op| match op {
        Op::Guard(_) => 0,
        // Validation reads the table under a weak lock, before the strong one is taken.
        Op::Validate { .. } => 1,
        Op::Lock { .. } => 2,
        Op::DropSync(_) => 3,
        // A table made anew loses the triggers of the rollout: they go before and come after.
        Op::Anew { .. } => 4,
        Op::Touch { .. } => 6,
        _ => 5,
    };
    let mut all: Vec<Op> = first.into_iter().chain(second).collect();
    all.sort_by_key(rank);
    let mut guards = Vec::new();
    let mut rest: Vec<Op> = Vec::new();
    for op in all {
        match op {
            Op::Guard(conditions) => guards.extend(conditions),
            Op::Lock { tables, mode } => lock(&mut rest, tables, mode),
            Op::Touch { .. } if rest.contains(&op) => {}
            Op::Anew { table, edits, copy } => match rest.last_mut() {
                Some(Op::Anew { edits: all, copy: copies, .. }) => {
                    all.extend(edits);
                    copies.extend(copy);
                }
                _ => rest.push(Op::Anew { table, edits, copy }),
            },
            op => rest.push(op),
        }
    }
    if !guards.is_empty() {
        rest.insert(0, Op::Guard(guards));
    }
    rest
}

/// Taken once, and as strong as it will be: two transactions that strengthen theirs later block each
/// other.
fn lock(ops: &mut Vec<Op>, tables: Vec<TableName>, mode: &'static str) {
    for op in ops.iter_mut() {
        let Op::Lock { tables: known, mode: held } = op else { continue };
        let within = |some: &[TableName], all: &[TableName]| some.iter().all(|t| all.contains(t));
        if within(&tables, known) && strength(mode) <= strength(held) {
            return;
        }
        if within(known, &tables) && strength(held) <= strength(mode) {
            *op = Op::Lock { tables, mode };
            return;
        }
    }
    ops.push(Op::Lock { tables, mode });
}

/// Two index steps would give two files of one name.
pub(super) fn number_twins(deploys: &mut [Deploy]) {
    for deploy in deploys {
        let slugs: Vec<String> = deploy.steps.iter().map(|step| step.slug.clone()).collect();
        for (at, step) in deploy.steps.iter_mut().enumerate() {
            let total = slugs.iter().filter(|slug| **slug == step.slug).count();
            if total > 1 {
                let number = slugs[..=at].iter().filter(|slug| **slug == step.slug).count();
                step.slug = format!("{}_{number}", step.slug);
            }
        }
    }
}

impl Phase {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Backfill => "backfill",
            Phase::Constrain => "constrain",
            Phase::Index => "index",
            Phase::Enforce => "enforce",
            Phase::Switch => "switch",
            Phase::Check => "check",
            Phase::Equal => "equal",
            Phase::Contract => "contract",
        }
    }
}
