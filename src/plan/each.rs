//! Each statement's steps, and what a change of type must know of the others.
//!
//! Rules plan from the schema before the script. A column that is of two types for a while takes along
//! what is on it, so it is planned as if two kinds of statements had been carried out before:
//!
//! - those that change the same column and are done in one deploy (an index, a constraint, NOT NULL, a
//!   comment): its own steps come behind theirs, and so do those of a rename;
//! - a change of type at the other end of a foreign key, the end that points first: its copy has a twin
//!   of the key, which is one more foreign key to the end that is pointed to.

use crate::catalog::{Catalog, Column, ConstraintKind, TableName};
use crate::change::{Asked, Change, ChangeType, Intent};
use crate::dialect::Server;
use crate::error::Result;

use super::context::Context;
use super::op::Op;
use super::{Phase, Policy, Step, archive, meet, rules};

pub(super) struct Planned {
    /// By statement, in the order of the script.
    pub(super) steps: Vec<Vec<Step>>,
    /// The order in which statements are carried out.
    pub(super) order: Vec<usize>,
    /// A change of type or a rename, and a statement that it is planned behind.
    pub(super) behind: Vec<(usize, usize)>,
    /// Tables that keep what is dropped.
    pub(super) archives: Vec<TableName>,
}

impl Planned {
    /// Steps in order, each with its place in deploy 1: what comes behind others comes behind all.
    pub(super) fn in_order(&mut self, intent: &Intent) -> Vec<(usize, Step)> {
        let mut all = Vec::new();
        for at in &self.order {
            let late = match &intent.asked[*at].change {
                Change::ChangeType(_) => !self.behind.is_empty(),
                _ => self.behind.iter().any(|(moved, _)| moved == at),
            };
            let own = std::mem::take(&mut self.steps[*at]);
            all.extend(own.into_iter().map(|step| (usize::from(late), step)));
        }
        all
    }
}

pub(super) fn plan(
    server: &Server,
    before: &Catalog,
    intent: &Intent,
    policy: &Policy,
) -> Result<Planned> {
    let count = intent.asked.len();
    let order = order(before, intent);
    let (mut steps, mut archives) = (vec![Vec::new(); count], Vec::new());
    let mut behind = Vec::new();
    for at in planning(before, intent) {
        let asked = &intent.asked[at];
        let alone = with_twins(before, intent, at, &steps);
        let context = Context { server, before: &alone, intent, policy, asked };
        let first: Vec<usize> =
            (0..count).filter(|other| comes_first(before, intent, &steps, *other, at)).collect();
        let mut own = rules::steps(&context);
        if !first.is_empty() && own.as_ref().map_or(true, |steps| lasts(steps)) {
            let (seen, asked) =
                behind_those(alone.clone(), asked, first.iter().map(|x| &steps[*x]));
            let context = Context { server, before: &seen, intent, policy, asked: &asked };
            match rules::steps(&context) {
                Ok(steps) if lasts(&steps) => {
                    own = Ok(steps);
                    behind.extend(first.into_iter().map(|first| (at, first)));
                }
                Err(error) if own.is_ok() => return Err(error),
                _ => {}
            }
        }
        steps[at] = own?;
        if policy.archive {
            let (own, kept) = archive::keep(&context, std::mem::take(&mut steps[at]))?;
            steps[at] = own;
            archives.extend(kept);
        }
    }
    Ok(Planned { steps, order, behind, archives })
}

fn changed(intent: &Intent, at: usize) -> Option<&ChangeType> {
    match &intent.asked[at].change {
        Change::ChangeType(change) => Some(change),
        _ => None,
    }
}

fn lasts(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.phase >= Phase::Switch)
}

/// Whether it is about the column that gets another type or name, and done in one deploy.
fn comes_first(
    before: &Catalog,
    intent: &Intent,
    planned: &[Vec<Step>],
    at: usize,
    moved: usize,
) -> bool {
    let about = match (&intent.asked[moved].change, &intent.asked[at].change) {
        // A default is of the old type before, and the server casts it.
        (_, Change::SetDefault(_)) => false,
        (_, other) if meet::moves(other) => false,
        // What it is on may be new, or have another name.
        (Change::ChangeType(change), Change::Comment(comment)) => {
            *comment.on.table() == change.table
        }
        (Change::ChangeType(change), other) => {
            meet::about(before, other, &change.table, &change.before.name)
        }
        // What else there is before a rename goes with it in any order.
        (
            Change::RenameColumn(rename),
            other @ (Change::Require(_) | Change::Relax(_) | Change::DropIndex(_)),
        ) => at < moved && meet::about(before, other, &rename.table, &rename.from),
        _ => false,
    };
    about && !lasts(&planned[at])
}

/// The schema and the change of type behind those steps.
fn behind_those<'s>(
    mut seen: Catalog,
    asked: &Asked,
    first: impl Iterator<Item = &'s Vec<Step>>,
) -> (Catalog, Asked) {
    for op in first.flatten().flat_map(|step| &step.up) {
        // Proven when the plan is whole.
        let _ = op.apply(&mut seen);
    }
    let mut asked = asked.clone();
    if let Change::ChangeType(change) = &mut asked.change
        && let Some(now) = seen.tables[&change.table].column(&change.before.name)
    {
        let ChangeType { before, after, .. } = &mut **change;
        *after = Column {
            ty: after.ty.clone(),
            collation: after.collation.clone(),
            default: after.default.clone(),
            ..now.clone()
        };
        *before = Column { default: before.default.clone(), ..now.clone() };
    }
    (seen, asked)
}

/// As in the script, but for changes of type that point to others: behind those.
fn order(before: &Catalog, intent: &Intent) -> Vec<usize> {
    let mut left: Vec<usize> = (0..intent.asked.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = |at: &usize| !left.iter().any(|other| points(before, intent, *at, *other));
        let next = left.iter().position(free).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// The order of planning: what moves a column last, changes of type that point to others first.
fn planning(before: &Catalog, intent: &Intent) -> Vec<usize> {
    let (moved, mut all): (Vec<usize>, Vec<usize>) =
        (0..intent.asked.len()).partition(|at| meet::moves(&intent.asked[*at].change));
    for at in moved {
        pointing_first(before, intent, at, &mut all);
    }
    all
}

fn pointing_first(before: &Catalog, intent: &Intent, at: usize, all: &mut Vec<usize>) {
    let pointing = |other: &usize| points(before, intent, *other, at);
    for other in (0..intent.asked.len()).filter(pointing) {
        // Two that point to one another do not come before one another.
        if !all.contains(&other) && !points(before, intent, at, other) {
            pointing_first(before, intent, other, all);
        }
    }
    if !all.contains(&at) {
        all.push(at);
    }
}

/// The schema with the twins of the keys that point to the column.
fn with_twins(before: &Catalog, intent: &Intent, at: usize, planned: &[Vec<Step>]) -> Catalog {
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
                let _ = op.apply(&mut seen);
            }
        }
    }
    seen
}

/// Foreign keys lead either way: neither can come first.
pub(super) fn ring(before: &Catalog, intent: &Intent, one: usize, other: usize) -> bool {
    points(before, intent, one, other) && points(before, intent, other, one)
}

/// Whether a foreign key leads from the column of one change of type to that of the other.
fn points(before: &Catalog, intent: &Intent, from: usize, to: usize) -> bool {
    let Some((from, to)) = changed(intent, from).zip(changed(intent, to)).filter(|_| from != to)
    else {
        return false;
    };
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
