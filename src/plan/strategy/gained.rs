//! What came upon a column while a rollout was under way: an index, a key, a view, a publication.
//!
//! Enters: the steps of a plan. Leaves: the same, where a deploy behind the first asks, before it drops a
//! column or gives its name to another, whether anything stands on it that the plan does not know. The server drops an index or a key
//! along with its column, and says nothing.

use crate::catalog::{Catalog, ConstraintKind, Table, TableName};
use crate::dialect::{Action, Server};

use super::super::Deploy;
use super::super::condition::Condition;
use super::super::op::Op;
use super::ask_first;

pub(in crate::plan) fn ask(server: &Server, before: &Catalog, deploys: &mut [Deploy]) {
    // Where it does not, the table is made anew, and that asks by itself.
    if !server.can(Action::DropColumnTakesIndexes) {
        return;
    }
    let mut catalog = before.clone();
    for (position, deploy) in deploys.iter_mut().enumerate() {
        let start = catalog.clone();
        let mut all = Vec::new();
        for step in &mut deploy.steps {
            let dropped = step.up.iter().filter_map(dropped);
            let own = dropped.chain(changed_over(&step.up));
            let own: Vec<Condition> =
                own.filter_map(|(table, column)| nothing_new(&start, table, column)).collect();
            for op in &step.up {
                // What does not fit is found when the plan is proven.
                let _ = op.apply(&mut catalog);
            }
            if position > 0 {
                all.extend(own.clone());
                ask_first(&mut step.up, own);
            }
        }
        let first = deploy.steps.iter_mut().find(|step| !step.up.is_empty());
        if let Some(first) = first.filter(|first| !first.up.iter().any(is_drop)) {
            ask_first(&mut first.up, all);
        }
    }
}

fn is_drop(op: &Op) -> bool {
    matches!(op, Op::DropColumn { .. })
}

fn dropped(op: &Op) -> Option<(&TableName, &String)> {
    match op {
        Op::DropColumn { table, column } => Some((table, column)),
        _ => None,
    }
}

/// A column whose name another takes in the same moment: what stands on it goes aside with it.
fn changed_over(ops: &[Op]) -> Option<(&TableName, &String)> {
    let mut all = ops.iter().filter_map(renamed);
    all.find_map(|(table, from, _)| {
        let taken = ops.iter().filter_map(renamed).any(|(of, _, to)| of == table && to == from);
        taken.then_some((table, from))
    })
}

fn renamed(op: &Op) -> Option<(&TableName, &String, &String)> {
    match op {
        Op::RenameColumn { table, from, to } => Some((table, from, to)),
        _ => None,
    }
}

fn nothing_new(catalog: &Catalog, table: &TableName, column: &str) -> Option<Condition> {
    let names = standing(catalog, catalog.tables.get(table)?, column);
    Some(Condition::NothingNew { table: table.clone(), column: column.to_owned(), names })
}

/// The names of indexes, constraints and views that have to do with a column.
fn standing(catalog: &Catalog, table: &Table, column: &str) -> Vec<String> {
    let dialect = catalog.dialect;
    let indexes = table.indexes.iter().filter(|index| index.uses(column, dialect));
    let constraints = table.constraints.iter().filter(|one| one.uses(column, dialect));
    let to_it = |key: &ConstraintKind| match key {
        ConstraintKind::ForeignKey { references, .. } => {
            references.is_empty() || references.iter().any(|own| own == column)
        }
        _ => false,
    };
    let pointing = catalog.references_to(&table.name).map(|(_, constraint)| constraint);
    let pointing = pointing.filter(|key| to_it(&key.kind));
    let constraints = constraints.chain(pointing).filter_map(|c| c.name.clone());
    let views = catalog.views.iter().filter(|(_, view)| view.mentions.contains(&table.name.name));
    let views = views.map(|(TableName { name, .. }, _)| name.clone());
    let mut names: Vec<String> =
        indexes.map(|index| index.name.clone()).chain(constraints).chain(views).collect();
    names.sort();
    names.dedup();
    names
}
