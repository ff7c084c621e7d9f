//! A table made anew: what is copied, and what must be dropped before and created after.
//!
//! Rules say only what is to become of the table. The tables before and after, and what stands around
//! them, are read off the catalog when all steps are known: several changes may meet in one rebuild.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Expr, Identity, Table, TableName};

use super::super::condition::Condition;
use super::super::op::{Dependant, Misfit, Op, Rebuild};
use super::super::{Deploy, Step, Unit};

pub(in crate::plan) fn anew(table: &TableName, edits: Vec<Op>) -> Op {
    Op::Anew { table: table.clone(), edits, copy: BTreeMap::new() }
}

/// Where the server drops no column, the table is made anew without it.
pub(in crate::plan) fn drop_by_rebuild(step: &mut Step) {
    for ops in [&mut step.up, &mut step.down.ops] {
        while let Some(at) = ops.iter().position(|op| matches!(op, Op::DropColumn { .. })) {
            let table = ops[at].table().cloned().expect("a column is of a table");
            let is_it = |op: &Op| matches!(op, Op::DropColumn { table: of, .. } if *of == table);
            let edits = ops.iter().filter(|op| is_it(op)).cloned().collect();
            ops[at] = anew(&table, edits);
            ops.retain(|op| !is_it(op));
            step.unit = Unit::Rebuild;
        }
    }
}

/// Walks through each deploy and back, and settles every rebuild on the way.
pub(in crate::plan) fn settle(before: &Catalog, deploys: &mut [Deploy]) -> Result<(), Misfit> {
    let all = deploys.iter().flat_map(|deploy| &deploy.steps);
    let anew = |op: &Op| matches!(op, Op::Anew { .. });
    if !all.flat_map(|step| step.up.iter().chain(&step.down.ops)).any(anew) {
        return Ok(());
    }
    let mut catalog = before.clone();
    for deploy in deploys {
        for step in &mut deploy.steps {
            settle_ops(&mut catalog, &mut step.up)?;
        }
        let mut back = catalog.clone();
        for step in deploy.steps.iter_mut().rev() {
            settle_ops(&mut back, &mut step.down.ops)?;
        }
    }
    Ok(())
}

fn settle_ops(catalog: &mut Catalog, ops: &mut [Op]) -> Result<(), Misfit> {
    for op in ops {
        if !matches!(op, Op::Anew { .. }) {
            op.apply(catalog)?;
            continue;
        }
        let before = catalog.clone();
        op.apply(catalog)?;
        if let Op::Anew { table, copy, .. } = op {
            let (from, to) = (before.tables[table].clone(), catalog.tables[table].clone());
            let stays = |trigger: &(TableName, String)| catalog.triggers.contains_key(trigger);
            *op = rebuild(&before, from, to, std::mem::take(copy), stays);
        }
    }
    Ok(())
}

/// Views that may read the table, also through one another, and triggers on these or naming them.
fn rebuild(
    catalog: &Catalog,
    from: Table,
    to: Table,
    copy: BTreeMap<String, Expr>,
    stays: impl Fn(&(TableName, String)) -> bool,
) -> Op {
    let upon = catalog.views_upon(&from.name);
    let views = upon.iter().map(|view| Dependant {
        kind: "VIEW",
        name: view.name.clone(),
        drop: true,
        text: catalog.views[*view].origin.text.clone(),
    });
    let reached: Vec<&String> =
        upon.iter().map(|view| &view.name).chain([&from.name.name]).collect();
    let staying = catalog.triggers.iter().filter(|(trigger, _)| stays(trigger));
    let triggers = staying.filter_map(|((of, trigger), definition)| {
        let goes_along = reached.contains(&&of.name);
        let named = definition.mentions.iter().any(|one| reached.contains(&one));
        // Triggers of a rollout itself have no text; its steps drop and create them.
        (!definition.origin.text.is_empty() && (goes_along || named)).then(|| Dependant {
            kind: "TRIGGER",
            name: trigger.clone(),
            drop: !goes_along,
            text: definition.origin.text.clone(),
        })
    });
    let dependants = views.chain(triggers).collect();
    let autoincrement =
        from.columns.iter().any(|column| column.identity == Some(Identity::AutoIncrement));
    let (aside, _) = catalog.aside(&from.name);
    let as_planned = as_planned(catalog, &from);
    Op::Rebuild(Box::new(Rebuild { as_planned, from, to, aside, copy, dependants, autoincrement }))
}

fn as_planned(catalog: &Catalog, table: &Table) -> Condition {
    let mut objects: Vec<String> = table.indexes.iter().map(|index| index.name.clone()).collect();
    let mut syncs = Vec::new();
    for ((of, name), trigger) in &catalog.triggers {
        if *of == table.name {
            let own = trigger.origin.text.is_empty();
            if own { &mut syncs } else { &mut objects }.push(name.clone());
        }
    }
    Condition::TableHas {
        table: table.name.clone(),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
        objects,
        syncs,
    }
}
