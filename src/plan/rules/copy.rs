//! `INSERT INTO a (…) SELECT … FROM b`: the rows of one table, copied to another.
//!
//! In batches along `b` where the server has them. A row is copied when `a` holds its key, so a
//! second run goes on where the first one ended, and rows that were there stay as they are.

use crate::change::Copy;
use crate::error::Result;

use super::super::condition::{Condition, Predicate, Reason};
use super::super::op::Op;
use super::super::rows::CopyRows;
use super::super::{Down, Phase, Step};
use super::Context;
use crate::plan::strategy::backfill_unit;

pub(super) fn steps(context: &Context, copy: &Copy) -> Result<Vec<Step>> {
    let missing = Predicate::Missing {
        from: copy.from.clone(),
        alias: copy.alias.clone(),
        into: copy.into.clone(),
        key: copy.key.clone(),
    };
    let remaining = match &copy.filter {
        Some(filter) => Predicate::And(vec![Predicate::Given(filter.clone()), missing]),
        None => missing,
    };
    let remaining = remaining.called(copy.alias.as_ref());
    let walk = context.walk(&copy.from)?;
    context.reads_little(&copy.from, &walk, &copy.reads)?;
    let rows = CopyRows {
        from: copy.from.clone(),
        into: copy.into.clone(),
        walk,
        list: copy.list.clone(),
        remaining: remaining.clone(),
        renewed: Vec::new(),
    };
    Ok(vec![Step {
        phase: Phase::Backfill,
        table: copy.into.clone(),
        slug: "copy".into(),
        title: format!("copy rows of {} to {}", copy.from, copy.into),
        unit: backfill_unit(context.server),
        up: vec![Op::Copy(rows)],
        down: Down::noted(Vec::new(), "Nothing to undo: which rows were there before is not kept."),
        verify: vec![Condition::NoRows {
            table: copy.from.clone(),
            filter: remaining,
            reason: Reason::Left,
        }],
        model: Vec::new(),
    }])
}
