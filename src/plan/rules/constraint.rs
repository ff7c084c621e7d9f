//! `ADD CONSTRAINT`, `VALIDATE CONSTRAINT` and `DROP CONSTRAINT` on columns that are there.
//!
//! | constraint | as written | planned |
//! |---|---|---|
//! | CHECK, foreign key | every row is read while writers wait | a guard finds rows that are in the way; in force for new rows in a short lock; then the others are read with writers at work |
//! | UNIQUE, primary key | the index is built while everybody waits | built concurrently, then made the constraint; the columns of a key are NOT NULL by a proven CHECK first |
//! | added under the name of one that the script drops | at once | as above under another name; the one before goes, and it takes its name |
//! | dropped | at once | in a short lock, after one that the script adds is in force; the way back brings it as above |
//!
//! On SQLite a constraint is part of its table, which is made anew.

use crate::catalog::{Constraint, ConstraintKind, Key, TableName};
use crate::change::{Asked, Change, Named, OfConstraint, RenameName};
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::Condition;
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::constrain::{
    all_given, fulfilled, not_null_check, not_valid, required, tables_of, unique, validated,
};
use super::super::strategy::{named as aside, rebuild};
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::rename_name;

pub(super) fn add(context: &Context, add: &OfConstraint) -> Result<Vec<Step>> {
    let OfConstraint { table, constraint } = add;
    let dropped = |asked: &Asked| match &asked.change {
        Change::DropConstraint(old) => {
            old.table == *table && old.constraint.name == constraint.name
        }
        _ => false,
    };
    rename_name::not_handed_over(context, table, constraint.name.as_deref(), dropped)?;
    match &constraint.name {
        Some(name)
            if context.can(Action::DropConstraint) && context.intent.asked.iter().any(dropped) =>
        {
            replacing(context, add, name)
        }
        _ => added(context, add),
    }
}

/// Under another name first: it takes its own when the one before is gone.
fn replacing(context: &Context, add: &OfConstraint, name: &str) -> Result<Vec<Step>> {
    let OfConstraint { table, constraint } = add;
    if let Some(mark) = context.before.marked(table, name) {
        return Err(context
            .refuse(format!("{name} is marked by {mark}"), "which another would not be")
            .hint("give the new one another name, and the mark to it"));
    }
    if let ConstraintKind::ForeignKey { table: target, .. } = &constraint.kind {
        let rests = |asked: &Asked| {
            matches!(&asked.change, Change::DropConstraint(old) if old.table == *target
                && matches!(old.constraint.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)))
        };
        if context.intent.asked.iter().any(rests) {
            return Err(context
                .refuse(
                    format!("{name} and the key that it rests on are both replaced"),
                    "by one script",
                )
                .hint("drop the foreign key in a rollout of its own; then replace the key, and add it again"));
        }
    }
    let aside = Constraint { name: Some(aside(name, "_next")), ..constraint.clone() };
    let mut steps =
        added(context, &OfConstraint { table: table.clone(), constraint: aside.clone() })?;
    for step in &mut steps {
        // It has this name for a while only.
        step.verify.clear();
        step.model.clear();
    }
    let rename =
        RenameName { table: table.clone(), of: Named::Constraint(aside), to: name.to_owned() };
    let valid = Condition::ConstraintValid { table: table.clone(), name: name.to_owned() };
    steps.push(Step {
        phase: Phase::Enforce,
        verify: constraint.valid.then_some(valid).into_iter().collect(),
        model: vec![ModelChange::AddConstraint {
            table: table.clone(),
            constraint: constraint.clone(),
        }],
        ..rename_name::step(context, &rename)
    });
    Ok(steps)
}

fn added(context: &Context, add: &OfConstraint) -> Result<Vec<Step>> {
    let OfConstraint { table, constraint } = add;
    let by_index =
        matches!(constraint.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_));
    let model = ModelChange::AddConstraint { table: table.clone(), constraint: constraint.clone() };
    if by_index && context.can(Action::UniqueUsingIndex)
        || matches!(constraint.kind, ConstraintKind::Unique(_))
    {
        let mut steps = Vec::new();
        if let ConstraintKind::PrimaryKey(keys) = &constraint.kind {
            steps.extend(keys_required(context, add, keys));
        }
        let mut index = unique(context, table, constraint);
        if let Some(step) = &mut index {
            step.model.push(model.clone());
            if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
                // Behind NOT NULL, which the key would read the table for.
                step.phase = Phase::Enforce;
            }
        }
        steps.extend(index);
        return Ok(steps);
    }
    if !context.can(Action::AddCheckNotValid) {
        return Ok(vec![by_rebuild(context, add, model)?]);
    }
    let mut first = not_valid(context, table, constraint);
    // NOT VALID is written for rows that do not fulfil it.
    let guard =
        fulfilled(table, constraint).filter(|_| constraint.valid && constraint.is_enforced());
    first.up.splice(0..0, guard.map(|one| Op::Guard(vec![one])));
    first.model.push(model);
    let mut steps = vec![first];
    if constraint.valid {
        steps.push(validated(context, table, constraint));
    }
    Ok(steps)
}

pub(super) fn validate(context: &Context, of: &OfConstraint) -> Vec<Step> {
    vec![validated(context, &of.table, &of.constraint)]
}

pub(super) fn drop(context: &Context, drop: &OfConstraint) -> Result<Vec<Step>> {
    let OfConstraint { table, constraint } = drop;
    let name = named(context, constraint)?;
    // One that comes in its place is in force first: at no moment does neither hold.
    let mut replaced = context.intent.asked.iter().filter_map(|asked| match &asked.change {
        Change::AddConstraint(new) if new.table == *table => new.constraint.name.as_ref(),
        Change::CreateIndex(new) if new.table == *table && new.index.unique => {
            Some(&new.index.name)
        }
        _ => None,
    });
    let mut phase = Phase::Expand;
    let uses = |column: &str| constraint.uses(column, context.server.dialect);
    if matches!(constraint.kind, ConstraintKind::Check(_)) {
        proves_nothing(context, table, &name, &uses)?;
    }
    if replaced.clone().next().is_some() {
        allows_what_is_written(context, table, &name, &uses)?;
    }
    if context.can(Action::DropConstraint) && replaced.next().is_some() {
        phase = Phase::Enforce;
    }
    let gone = Op::DropConstraint { table: table.clone(), name: name.clone() };
    let (unit, up, down) = if context.can(Action::DropConstraint) {
        let tables = tables_of(table, constraint);
        let mut up = context.lock(&tables, Action::DropConstraint);
        up.push(gone);
        (Unit::Alone, up, brought_back(context, drop))
    } else {
        let back = Op::AddConstraint { table: table.clone(), constraint: constraint.clone() };
        let mut down: Vec<Op> =
            fulfilled(table, constraint).map(|one| Op::Guard(vec![one])).into_iter().collect();
        down.push(rebuild::anew(table, vec![back]));
        (Unit::Rebuild, vec![rebuild::anew(table, vec![gone])], down)
    };
    Ok(vec![Step {
        phase,
        table: table.clone(),
        slug: "drop_constraint".into(),
        title: format!("{table} without {name}"),
        unit,
        up,
        down: Down::noted(
            down,
            format!("Only while every row fulfils {name}: rows that do not must be mended first."),
        ),
        verify: Vec::new(),
        model: vec![ModelChange::RemoveConstraint {
            table: table.clone(),
            constraint: constraint.clone(),
        }],
    }])
}

/// What goes only when another is in force still holds for values that the script writes before.
pub(super) fn allows_what_is_written(
    context: &Context,
    table: &TableName,
    name: &str,
    uses: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let writes = |change: &Change| match change {
        Change::Update(update) => {
            update.table == *table && update.set.iter().any(|set| uses(&set.column))
        }
        Change::SetDefault(one) => one.table == *table && uses(&one.column),
        Change::Require(one) => one.table == *table && one.fill.is_some() && uses(&one.column),
        _ => false,
    };
    if !context.intent.asked.iter().any(|asked| writes(&asked.change)) {
        return Ok(());
    }
    Err(context
        .refuse(
            format!("{name} would still hold while this script writes what it is about"),
            "goes when what replaces it is in force",
        )
        .hint("drop it in a rollout of its own first, and plan the rest when that is through"))
}

/// A CHECK that spares SET NOT NULL its reading.
fn proves_nothing(
    context: &Context,
    table: &TableName,
    name: &str,
    uses: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let required = context.intent.asked.iter().any(|asked| {
        matches!(&asked.change, Change::Require(one) if one.table == *table && uses(&one.column))
    });
    if !required || !context.can(Action::DropConstraint) {
        return Ok(());
    }
    Err(context
        .refuse(format!("{name} may prove the NOT NULL of this script"), "dropped beside it")
        .hint("plan SET NOT NULL alone, and drop this when its rollout is through"))
}

/// The constraint again, without stopping writers; every statement stands by itself.
pub(super) fn brought_back(context: &Context, of: &OfConstraint) -> Vec<Op> {
    let OfConstraint { table, constraint } = of;
    let steps = if let Some(step) = unique(context, table, constraint) {
        vec![step]
    } else {
        let mut first = not_valid(context, table, constraint);
        // Run again it drops what is there, which takes more; a lock that is made stronger while it
        // is held is how two transactions block each other.
        let lock = context.lock(&tables_of(table, constraint), Action::DropConstraint);
        first.up.retain(|op| !matches!(op, Op::Lock { .. }));
        first.up.splice(0..0, lock);
        let then = constraint.valid.then(|| validated(context, table, constraint));
        [first].into_iter().chain(then).collect()
    };
    let guard = fulfilled(table, constraint).map(|one| Op::Guard(vec![one]));
    let own = steps.into_iter().flat_map(|step| step.up);
    let own = own.filter(|op| !matches!(op, Op::Guard(_)));
    guard.filter(|_| constraint.valid).into_iter().chain(own).collect()
}

/// The columns of a primary key are NOT NULL first, else the server reads the table under its lock.
fn keys_required(context: &Context, add: &OfConstraint, keys: &[Key]) -> Vec<Step> {
    let table = &add.table;
    let optional = |name: &&str| context.table(table).column(name).is_some_and(|c| !c.not_null);
    keys.iter()
        .filter_map(Key::column)
        .filter(optional)
        .flat_map(|name| {
            let check = not_null_check(context.server, table, name);
            let mut first = not_valid(context, table, &check);
            first.up.insert(0, Op::Guard(vec![all_given(table, name)]));
            [first, required(context, table, name)]
        })
        .collect()
}

fn by_rebuild(context: &Context, add: &OfConstraint, model: ModelChange) -> Result<Step> {
    let OfConstraint { table, constraint } = add;
    let name = named(context, constraint)?;
    let mut edits =
        vec![Op::AddConstraint { table: table.clone(), constraint: constraint.clone() }];
    let mut back = vec![Op::DropConstraint { table: table.clone(), name: name.clone() }];
    if let ConstraintKind::PrimaryKey(keys) = &constraint.kind {
        // The server's own rule: columns of a key are required where the naive change made them so.
        for column in keys.iter().filter_map(Key::column) {
            let is = |catalog: &crate::catalog::Catalog| {
                catalog.tables[table].column(column).is_some_and(|c| c.not_null)
            };
            if is(&context.intent.after) && !is(context.before) {
                let (of, column) = (table.clone(), column.to_owned());
                edits.push(Op::SetNotNull { table: of.clone(), column: column.clone() });
                back.push(Op::DropNotNull { table: of, column });
            }
        }
    }
    let mut up: Vec<Op> =
        fulfilled(table, constraint).map(|one| Op::Guard(vec![one])).into_iter().collect();
    up.push(rebuild::anew(table, edits));
    Ok(Step {
        phase: Phase::Expand,
        table: table.clone(),
        slug: "constraint".into(),
        title: format!("{name} on {table}, by making the table anew"),
        unit: Unit::Rebuild,
        up,
        down: Down::ops(vec![rebuild::anew(table, back)]),
        verify: Vec::<Condition>::new(),
        model: vec![model],
    })
}

fn named(context: &Context, constraint: &Constraint) -> Result<String> {
    constraint.name.clone().ok_or_else(|| {
        context
            .refuse("this constraint has no name", "its way back could not name it")
            .hint("ADD CONSTRAINT name …")
    })
}
