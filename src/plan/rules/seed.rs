//! `INSERT … VALUES`: a few rows that the application counts on, as written, in one transaction.
//!
//! The down deletes exactly these rows, by a key that they give; with ON CONFLICT nobody knows which
//! of them were there before, so nothing is undone.

use crate::change::Seed;

use super::super::op::Op;
use super::super::{Down, Phase, Step, Unit};

pub(super) fn steps(seed: &Seed) -> Vec<Step> {
    let table = &seed.table;
    let down = if seed.keys.is_empty() {
        Down::noted(Vec::new(), "Nothing to undo: which of the rows were there before is not kept.")
    } else {
        Down::ops(vec![Op::DeleteExactly { table: table.clone(), rows: seed.keys.clone() }])
    };
    let rows = if seed.rows == 1 { "1 row".into() } else { format!("{} rows", seed.rows) };
    vec![Step {
        phase: Phase::Backfill,
        table: table.clone(),
        slug: "rows".into(),
        title: format!("{rows} for {table}"),
        unit: Unit::Transaction,
        up: vec![Op::Insert { table: table.clone(), text: seed.text.clone() }],
        down,
        verify: Vec::new(),
        model: Vec::new(),
    }]
}
