//! Walks through rows taken out of the migrations: each becomes a job that a person runs, and the
//! step in its place asserts that it was run.

use super::op::Op;
use super::{Deploy, Unit};

/// How many there are.
pub(super) fn take_out(deploys: &mut [Deploy]) -> usize {
    let mut number = 0;
    for step in deploys.iter_mut().flat_map(|deploy| &mut deploy.steps) {
        for op in &mut step.up {
            if op.walk().is_some_and(|(walk, _)| walk.is_batched()) {
                number += 1;
                let file = format!("jobs/{number:02}_{}.sql", step.slug);
                *op = Op::Job { op: Box::new(op.clone()), file };
                step.unit = Unit::Transaction;
            }
        }
    }
    number
}
