//! Changes of type at both ends of a foreign key, in one script.
//!
//! Each is planned as if it were alone, the end that points first: its copy has a twin of the key, and
//! to the plan of the other end that twin is one more foreign key, which it carries over like any. So
//! the end that is pointed to comes first wherever both have a step of one phase.

use crate::catalog::{Catalog, ConstraintKind, TableName};
use crate::change::{Change, ChangeType, Intent};
use crate::error::{Error, Result};

use super::op::Op;
use super::{Phase, Step};

/// The order in which statements are carried out: as in the script, but for those that point to others.
pub(super) fn order(before: &Catalog, intent: &Intent) -> Result<Vec<usize>> {
    let mut left: Vec<usize> = (0..intent.asked.len()).collect();
    let mut order = Vec::new();
    while let Some(first) = left.first() {
        let free = left.iter().position(|at| {
            !left.iter().any(|other| at != other && points(before, intent, *at, *other))
        });
        let Some(free) = free else {
            let asked = &intent.asked[*first];
            return Err(Error::refused("these columns point to one another in a ring")
                .at(&intent.source, asked.span, "one of them")
                .note("each would have to change its type before the other")
                .hint("drop one of the foreign keys first, in a rollout of its own"));
        };
        order.push(left.remove(free));
    }
    Ok(order)
}

/// The order in which they are planned: as in the script, but for those that others point to.
pub(super) fn planning(before: &Catalog, intent: &Intent) -> Vec<usize> {
    let mut all = Vec::new();
    for at in 0..intent.asked.len() {
        pointing_first(before, intent, at, &mut all);
    }
    all
}

fn pointing_first(before: &Catalog, intent: &Intent, at: usize, all: &mut Vec<usize>) {
    if all.contains(&at) {
        return;
    }
    for other in (0..intent.asked.len()).filter(|other| points(before, intent, *other, at)) {
        pointing_first(before, intent, other, all);
    }
    all.push(at);
}

/// The schema as the plan of a statement must see it: with the twins of those that point to it.
pub(super) fn seen(before: &Catalog, intent: &Intent, at: usize, planned: &[Vec<Step>]) -> Catalog {
    let mut seen = before.clone();
    let pointing = (0..planned.len()).filter(|other| points(before, intent, *other, at));
    for step in pointing.flat_map(|other| &planned[other]) {
        for op in step.up.iter().filter(|_| step.phase < Phase::Switch) {
            let twin = match op {
                Op::AddColumn { .. } => true,
                Op::AddConstraint { constraint, .. } => {
                    matches!(constraint.kind, ConstraintKind::ForeignKey { .. })
                }
                Op::Validate { parent, .. } => parent.is_some(),
                _ => false,
            };
            if twin {
                // Proven when the plan is whole.
                let _ = op.apply(&mut seen);
            }
        }
    }
    seen
}

/// Whether a foreign key leads from the column of one to that of the other.
fn points(before: &Catalog, intent: &Intent, from: usize, to: usize) -> bool {
    let changed = |at: usize| match &intent.asked[at].change {
        Change::ChangeType(change) => Some(&**change),
        _ => None,
    };
    let Some((from, to)) = changed(from).zip(changed(to)) else { return false };
    let is = |change: &ChangeType, table: &TableName, names: &[String]| {
        change.table == *table && names.contains(&change.before.name)
    };
    before.tables.get(&from.table).is_some_and(|table| {
        table.constraints.iter().any(|key| match &key.kind {
            ConstraintKind::ForeignKey { columns, table: target, references, .. } => {
                is(from, &from.table, columns) && is(to, target, references)
            }
            _ => false,
        })
    })
}
