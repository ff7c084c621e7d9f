//! `CREATE INDEX`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | writers wait for the whole build (SHARE) | built concurrently, outside a transaction, after what an earlier try left is dropped; checked for validity |
//! | SQLite | writers wait: there is one writer | as written |
//!
//! A unique one asks for duplicates first: a build that fails has cost its whole time.

use crate::catalog::{Index, TableName};
use crate::change::{Asked, Change, CreateIndex, Named, RenameName};
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::{Condition, Missing};
use super::super::op::Op;
use super::super::strategy::named;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::{Context, rename_name};

pub(super) fn steps(context: &Context, create: &CreateIndex) -> Result<Vec<Step>> {
    let CreateIndex { table, index } = create;
    let model = vec![ModelChange::AddIndex { table: table.clone(), index: index.clone() }];
    let dropped = |asked: &Asked| match &asked.change {
        Change::DropIndex(old) => old.table == *table && old.index.name == index.name,
        _ => false,
    };
    rename_name::not_handed_over(context, table, Some(&index.name), dropped)?;
    if !context.intent.asked.iter().any(dropped) {
        return Ok(vec![built(context, table, index).modelled(model)]);
    }
    let name = &index.name;
    if !context.can(Action::CreateIndexOnline) {
        return Err(context
            .refuse(format!("`{name}` is dropped and made again"), "the same name")
            .note("until the new one is built, queries would be without any")
            .hint(format!(
                "give the new index another name: it is built before {name} is dropped"
            )));
    }
    if let Some(mark) = context.before.marked(table, name) {
        return Err(context
            .refuse(format!("{name} is marked by {mark}"), "which another would not be")
            .hint("give the new one another name, and the mark to it"));
    }
    // It takes its name when the one before is gone.
    let aside = Index { name: named(name, "_next"), ..index.clone() };
    let of = Named::Index(aside.clone());
    let rename = RenameName { table: table.clone(), of, to: name.clone() };
    let last = Step { phase: Phase::Enforce, model, ..rename_name::step(context, &rename) };
    let verify = built(context, table, index).verify;
    let first = Step { verify: Vec::new(), ..built(context, table, &aside) };
    Ok(vec![first, Step { verify, ..last }])
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
        title: format!("index {} on {}", index.name, table),
        unit: if online { Unit::Alone } else { Unit::Transaction },
        up,
        down: Down::ops(vec![Op::DropIndex { table: table.clone(), index: index.clone(), online }]),
        verify: vec![valid],
        model: Vec::new(),
    }
}
