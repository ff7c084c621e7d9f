//! Two rollouts at a time: what one still holds on to, the other must leave alone.
//!
//! A trigger of the one names columns, and fails every writer once the other has taken one away; a
//! table that the one makes anew later would lose what the other did to it meanwhile.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Constraint, ConstraintKind, TableName};
use crate::change::{AddColumn, Change};
use crate::input;
use crate::source::Span;

use super::op::Op;
use super::{Deploy, Plan, meet};

/// Where a new plan meets one that is not finished.
pub struct Meeting {
    /// `` `users.email` ``
    pub what: String,
    /// In the new one's script.
    pub span: Span,
}

/// `written`: how many deploys of the one that is begun are written.
pub fn meeting(begun: &Plan, written: usize, new: &Plan) -> Option<Meeting> {
    // A rollout keeps the part of the schema that it needs for itself.
    let whole = &new.before;
    let held: Vec<Touch> =
        begun.intent.asked.iter().map(|asked| Touch::of(begun, &asked.change, whole)).collect();
    let anew_later = made_anew(&begun.deploys[written..]);
    let anew = made_anew(&new.deploys);
    let (work_of_begun, work_of_new) = (worked_on(begun), worked_on(new));
    let together = |table: &&TableName| {
        work_of_new.contains(*table)
            && (anew_later.contains(*table)
                || anew.contains(*table) && work_of_begun.contains(*table))
    };
    new.intent.asked.iter().find_map(|asked| {
        let touch = Touch::of(new, &asked.change, whole);
        let table = touch.tables.iter().find(together);
        let what = held
            .iter()
            .find_map(|held| held.meets(&touch))
            .or_else(|| Some(format!("`{}`, which is made anew", table?.name)))?;
        Some(Meeting { what, span: asked.span })
    })
}

type Part = (TableName, String);

/// What a change needs as it is.
#[derive(Default)]
struct Touch {
    tables: BTreeSet<TableName>,
    /// Tables that go, or get another name.
    gone: BTreeSet<TableName>,
    /// Columns that it changes, or ties something to.
    columns: BTreeSet<Part>,
    /// Columns that it reads over several deploys.
    reads: BTreeSet<Part>,
    /// Indexes and constraints that move with a column.
    moved: BTreeSet<Part>,
}

impl Touch {
    fn of(plan: &Plan, change: &Change, whole: &Catalog) -> Touch {
        let (before, after) = (&plan.before, &plan.intent.after);
        let mut touch = Touch {
            tables: change.tables().into_iter().cloned().collect(),
            moved: named(change),
            ..Touch::default()
        };
        match change {
            Change::DropTable(drop) => touch.gone.extend([drop.table.clone()]),
            Change::RenameTable(rename) => {
                touch.gone.extend([rename.from.clone(), rename.to.clone()]);
            }
            _ => {}
        }
        for table in &touch.tables {
            let found = [before, after].into_iter().filter_map(|state| state.tables.get(table));
            let names: BTreeSet<&String> =
                found.flat_map(|table| &table.columns).map(|column| &column.name).collect();
            for name in names {
                let part = (table.clone(), name.clone());
                if meet::about(before, change, table, name) || ties(before, change, table, name) {
                    touch.columns.insert(part);
                } else if plan.deploys.len() > 1 && meet::reads(before, change, table, name) {
                    touch.reads.insert(part);
                }
            }
        }
        if meet::moves(change) || !touch.gone.is_empty() {
            for schema in [before, whole] {
                touch.moved.extend(touch.hangs_on(schema));
            }
        }
        touch
    }

    /// Indexes and constraints of its columns, and foreign keys that point to them.
    fn hangs_on(&self, before: &Catalog) -> Vec<Part> {
        let dialect = before.dialect;
        let mut parts = Vec::new();
        for table in before.tables.values() {
            let own = |uses: &dyn Fn(&str) -> bool| {
                self.columns.iter().any(|(of, column)| *of == table.name && uses(column))
            };
            for index in &table.indexes {
                if own(&|column| index.uses(column, dialect)) {
                    parts.push((table.name.clone(), index.name.clone()));
                }
            }
            for constraint in &table.constraints {
                let points = match &constraint.kind {
                    ConstraintKind::ForeignKey { table: target, references, .. } => {
                        self.gone.contains(target)
                            || self
                                .columns
                                .iter()
                                .any(|(of, column)| of == target && references.contains(column))
                    }
                    _ => false,
                };
                if points || own(&|column| constraint.uses(column, dialect)) {
                    let name = constraint.name.clone().unwrap_or_default();
                    parts.push((table.name.clone(), name));
                }
            }
        }
        parts
    }

    fn meets(&self, other: &Touch) -> Option<String> {
        let mut gone = self.gone.intersection(&other.tables);
        let mut tables = gone.by_ref().chain(other.gone.intersection(&self.tables));
        if let Some(table) = tables.next() {
            return Some(format!("`{}`", table.name));
        }
        let mut columns = self
            .columns
            .intersection(&other.columns)
            .chain(self.columns.intersection(&other.reads))
            .chain(self.reads.intersection(&other.columns));
        if let Some((table, column)) = columns.next() {
            return Some(format!("`{}.{column}`", table.name));
        }
        let (table, name) = self.moved.intersection(&other.moved).next()?;
        let name = if name.is_empty() { "a constraint" } else { name };
        Some(format!("{name} of `{}`", table.name))
    }
}

/// The index or constraint that the change is about.
fn named(change: &Change) -> BTreeSet<Part> {
    let (table, name) = match change {
        Change::DropIndex(drop) => (&drop.table, Some(drop.index.name.as_str())),
        Change::RenameName(rename) => (&rename.table, Some(rename.of.name())),
        Change::AddConstraint(of) | Change::ValidateConstraint(of) | Change::DropConstraint(of) => {
            (&of.table, of.constraint.name.as_deref())
        }
        _ => return BTreeSet::new(),
    };
    name.map(|name| (table.clone(), name.to_owned())).into_iter().collect()
}

/// Something that stays is made of the column, or the column gets its values.
fn ties(before: &Catalog, change: &Change, table: &TableName, name: &str) -> bool {
    let dialect = before.dialect;
    let points = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table: target, references, .. } => {
            target == table && references.iter().any(|column| column == name)
        }
        _ => false,
    };
    let adds = |add: &AddColumn| {
        let generated = add.column.generated.as_ref();
        add.references.as_ref().is_some_and(points)
            || add.table == *table
                && (add.column.name == name
                    || add.checks.iter().any(|check| check.uses(name, dialect))
                    || generated.is_some_and(|by| input::mentions(&by.expr.0, name, dialect)))
    };
    match change {
        Change::CreateTable(create) => create.table.constraints.iter().any(points),
        Change::Update(update) => {
            update.table == *table && update.set.iter().any(|set| set.column == name)
        }
        Change::Replace(replace) => {
            let fills = replace.new.iter().filter_map(|new| new.fill.as_ref());
            replace.new.iter().any(adds)
                || replace.table == *table
                    && fills.flat_map(|fill| &fill.sources).any(|column| column == name)
        }
        _ => change.added().iter().any(adds),
    }
}

fn worked_on(plan: &Plan) -> BTreeSet<&TableName> {
    plan.deploys.iter().flat_map(|deploy| &deploy.steps).map(|step| &step.table).collect()
}

/// Tables of which a copy takes the place.
fn made_anew(deploys: &[Deploy]) -> BTreeSet<&TableName> {
    let steps = deploys.iter().flat_map(|deploy| &deploy.steps);
    let ops = steps.flat_map(|step| step.up.iter().chain(&step.down.ops));
    let mut found = BTreeSet::new();
    let mut left: Vec<&Op> = ops.collect();
    while let Some(op) = left.pop() {
        match op {
            Op::Rebuild(rebuild) => found.extend([&rebuild.from.name, &rebuild.to.name]),
            Op::Anew { table, .. } => found.extend([table]),
            Op::Unless { ops, .. } => left.extend(ops),
            _ => {}
        }
    }
    found
}
