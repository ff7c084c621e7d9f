//! `DROP INDEX`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | everybody waits behind ACCESS EXCLUSIVE on the table | dropped concurrently, outside a transaction; the way back builds it concurrently |
//! | SQLite | writers wait: there is one writer | as written |
//!
//! It comes after new indexes of the same script, so that queries are never without one.

use crate::change::{Change, DropIndex};
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::{Condition, Missing};
use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;
use super::constraint::allows_what_is_written;

pub(super) fn steps(context: &Context, drop: &DropIndex) -> Result<Vec<Step>> {
    let DropIndex { table, index } = drop;
    if index.unique {
        let uses = |column: &str| index.uses(column, context.server.dialect);
        allows_what_is_written(context, table, &index.name, &uses)?;
    }
    let online = context.can(Action::DropIndexOnline);
    let mut back = vec![Op::CreateIndex { table: table.clone(), index: index.clone(), online }];
    if online {
        back.push(Op::Guard(vec![Condition::IndexValid {
            table: table.clone(),
            name: index.name.clone(),
            missing: Missing::RunAgain,
        }]));
    }
    let made_again = context.intent.asked.iter().any(|asked| match &asked.change {
        Change::CreateIndex(new) => new.table == *table && new.index.name == index.name,
        _ => false,
    });
    let note = index
        .unique
        .then(|| format!("Fails where rows share {} by then: make them unique first.", index.name));
    Ok(vec![Step {
        phase: Phase::Enforce,
        table: table.clone(),
        slug: "drop_index".into(),
        title: format!("drop {}", index.name),
        unit: if online { Unit::Alone } else { Unit::Transaction },
        up: vec![Op::DropIndex { table: table.clone(), index: index.clone(), online }],
        down: Down { ops: back, note, loses: false },
        verify: (!made_again)
            .then(|| Condition::IndexGone { table: table.clone(), name: index.name.clone() })
            .into_iter()
            .collect(),
        model: vec![ModelChange::RemoveIndex { table: table.clone(), index: index.clone() }],
    }])
}
