//! Comments of what is made again: no server takes them along with a definition.

use crate::catalog::{Constraint, Index, TableName};
use crate::change::CommentOn;

use super::super::op::Op;
use super::super::{Deploy, Unit};

/// After each operation that makes a thing with a comment, one that says the comment.
pub(in crate::plan) fn say(deploys: &mut [Deploy]) {
    for step in deploys.iter_mut().flat_map(|deploy| &mut deploy.steps) {
        for ops in [&mut step.up, &mut step.down.ops] {
            *ops = said(step.unit, std::mem::take(ops));
        }
    }
}

fn said(unit: Unit, ops: Vec<Op>) -> Vec<Op> {
    let mut all = Vec::with_capacity(ops.len());
    let mut lock = None;
    for op in ops {
        let comments = comments(&op);
        if matches!(op, Op::Lock { .. }) {
            lock = Some(op.clone());
        }
        all.push(op);
        for comment in comments {
            // Alone, a lock lasts for one statement; an index has one that no writer meets.
            let of_table = !matches!(comment, Op::Comment { on: CommentOn::Index(..), .. });
            if unit == Unit::Alone && of_table {
                all.extend(lock.clone());
            }
            all.push(comment);
        }
    }
    all
}

fn comments(op: &Op) -> Vec<Op> {
    match op {
        Op::AddColumn { table, column, constraints } => {
            let on = CommentOn::Column(table.clone(), column.name.clone());
            let own = comment(on, column.comment.as_ref());
            own.into_iter().chain(constraints.iter().filter_map(|c| of(table, c))).collect()
        }
        Op::AddConstraint { table, constraint } => of(table, constraint).into_iter().collect(),
        Op::UsingIndex { table, name, comment: text, .. } => {
            let on = CommentOn::Constraint(table.clone(), name.clone());
            comment(on, text.as_ref()).into_iter().collect()
        }
        Op::CreateIndex { table, index, .. } | Op::RestoreIndex { table, index, .. } => {
            let Index { name, comment: text, .. } = index;
            let on = CommentOn::Index(table.clone(), name.clone());
            comment(on, text.as_ref()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn of(table: &TableName, constraint: &Constraint) -> Option<Op> {
    let on = CommentOn::Constraint(table.clone(), constraint.name.clone()?);
    comment(on, constraint.comment.as_ref())
}

fn comment(on: CommentOn, text: Option<&String>) -> Option<Op> {
    text.map(|text| Op::Comment { on, text: Some(text.clone()) })
}
