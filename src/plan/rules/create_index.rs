//! `CREATE INDEX`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | writers wait for the whole build (SHARE) | built concurrently, outside a transaction, after what an earlier try left is dropped; checked for validity |
//! | SQLite | writers wait: there is one writer | as written |
//!
//! A unique one asks for duplicates first: a build that fails has cost its whole time.

use crate::catalog::{Index, TableName};
use crate::change::CreateIndex;
use crate::dialect::Action;

use super::super::condition::{Condition, Missing};
use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;

pub(super) fn steps(context: &Context, create: &CreateIndex) -> Vec<Step> {
    let CreateIndex { table, index } = create;
    let model = ModelChange::AddIndex { table: table.clone(), index: index.clone() };
    vec![built(context, table, index).modelled(vec![model])]
}

/// The index beside the writers, where the server can.
pub(super) fn built(context: &Context, table: &TableName, index: &Index) -> Step {
    let online = context.can(Action::CreateIndexOnline);
    let mut up = Vec::new();
    if index.unique && online {
        up.push(Op::Guard(vec![Condition::NoDuplicates {
            table: table.clone(),
            keys: index.keys.clone(),
            filter: index.filter.clone(),
        }]));
    }
    up.push(Op::CreateIndex { table: table.clone(), index: index.clone(), online });
    let valid = Condition::IndexValid {
        table: table.clone(),
        name: index.name.clone(),
        missing: Missing::RunAgain,
    };
    if online {
        up.push(Op::Guard(vec![valid.clone()]));
    }
    Step {
        phase: Phase::Index,
        table: table.clone(),
        slug: "index".into(),
        title: format!("index {} on {}", index.name, table.name),
        unit: if online { Unit::Alone } else { Unit::Transaction },
        up,
        down: Down::ops(vec![Op::DropIndex { table: table.clone(), index: index.clone(), online }]),
        verify: vec![valid],
        model: Vec::new(),
    }
}
