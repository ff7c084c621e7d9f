//! What one change puts at risk.

use std::collections::BTreeSet;

use crate::catalog::{ConstraintKind, TableName};
use crate::change::{Change, ChangeType, DropColumn};
use crate::dialect::type_change;
use crate::plan::Plan;
use crate::plan::condition::{Condition, Reason};
use crate::plan::op::Op;

use super::super::strategy::{dependants, named};
use super::{Reasons, steps};

pub(super) fn reasons(plan: &Plan, change: &Change, reasons: &mut Reasons) {
    let in_two = plan.deploys.len() > 1;
    match change {
        Change::AddColumn(add) if add.unique.is_some() && add.fill.is_some() => reasons.warn(
            "writes",
            format!(
                "once the unique index is there, a row with the {} of another fails, also from old code",
                add.column.name
            ),
        ),
        Change::Require(one) if one.fill.is_some() => reasons.say(
            "loses",
            format!("which rows had no {}: a way back leaves them what they got", one.column),
        ),
        Change::Require(one) => reasons.warn(
            "writes",
            format!("a statement that leaves {} NULL fails from the first step on", one.column),
        ),
        Change::CreateTable(create) => reasons.say(
            "loses",
            format!("nothing; the way back loses the rows of {}", create.table.name.name),
        ),
        Change::DropIndex(drop) => {
            reasons.warn(
                "reads",
                format!(
                    "queries that used {} become slow at once: see `idx_scan` in the pre-checks",
                    drop.index.name
                ),
            );
            if drop.index.unique {
                reasons.say(
                    "meaning",
                    format!(
                        "nothing keeps rows of `{}` from sharing {} any more; `ON CONFLICT` on it fails",
                        drop.table.name, drop.index.name
                    ),
                );
            }
        }
        Change::DropTable(drop) if plan.archives.is_empty() => reasons.warn(
            "loses",
            format!(
                "the rows of {}, with the last deploy: a way back brings the table, empty",
                drop.table
            ),
        ),
        Change::RenameTable(rename) if in_two => reasons.warn(
            "view",
            format!(
                "until deploy 2 {} is a view: rows are read, written and locked through it as before. What a view cannot do: \
                 COPY, TRUNCATE, ON CONFLICT ON CONSTRAINT, GROUP BY the key alone with other columns (Django's \
                 `annotate` writes that), MERGE before PostgreSQL 17, ctid and xmin, TABLESAMPLE, pg_get_serial_sequence; \
                 triggers see {} in TG_TABLE_NAME",
                rename.from, rename.to
            ),
        ),
        Change::Update(update) if plan.is_late(update) => {}
        Change::Update(update) => {
            let lost = update.columns();
            reasons.warn(
                "loses",
                format!("the values that {lost} had before: there is no way back"),
            );
        }
        Change::Delete(delete) => {
            let lost = ["the rows that are deleted: there is no way back".to_owned()];
            let follow = dependants(plan, &delete.table);
            reasons.warn("loses", lost.into_iter().chain(follow).collect::<Vec<_>>().join(". "));
        }
        Change::DropColumn(drop) if plan.archives.is_empty() && holds(plan, drop) => reasons.warn(
            "loses",
            format!(
                "what {} holds, with the last deploy: a way back brings the column, not its values",
                drop.column
            ),
        ),
        Change::ChangeType(one) if in_two => of_type(plan, one, reasons),
        Change::Replace(one) => {
            let olds: Vec<&str> = one.old.iter().map(|(drop, _)| drop.column.as_str()).collect();
            reasons.warn(
                "loses",
                format!(
                    "what {} held beyond what the new columns can say, with the last deploy",
                    olds.join(" and ")
                ),
            );
        }
        Change::AddConstraint(one) => reasons.warn(
            "writes",
            format!(
                "a statement that breaks {} fails from the first step on",
                named(&one.constraint)
            ),
        ),
        Change::DropConstraint(one)
            if matches!(
                one.constraint.kind,
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
            ) =>
        {
            reasons.warn(
                "writes",
                format!(
                    "ON CONFLICT on the columns of {} fails from then on: change such statements first",
                    named(&one.constraint)
                ),
            );
        }
        Change::RenameColumn(rename) if in_two => {
            let old = plan.before.tables.get(&rename.table).and_then(|t| t.column(&rename.from));
            if old.is_some_and(|column| !column.not_null && column.default.is_some()) {
                reasons.say(
                    "meaning",
                    format!(
                        "an INSERT that gives {} as NULL gets the default of {} until deploy 2",
                        rename.to, rename.from
                    ),
                );
            }
        }
        _ => {}
    }
}

/// Its values are its own, and not computed from others.
fn holds(plan: &Plan, drop: &DropColumn) -> bool {
    let column = plan.before.tables.get(&drop.table).and_then(|table| table.column(&drop.column));
    column.is_none_or(|column| column.generated.is_none())
}

fn of_type(plan: &Plan, one: &ChangeType, reasons: &mut Reasons) {
    let name = &one.before.name;
    if !type_change::holds_all(&one.before.ty, &one.after.ty) {
        reasons.say(
            "writes",
            format!("a value that {} cannot hold fails from deploy 1 on", one.after.ty),
        );
    }
    if let Some(ty) = may_not_fit(plan) {
        reasons.say(
            "back",
            format!("while a row holds what {ty} cannot in {name}, deploy 2 has no way back"),
        );
    }
    reasons.warn(
        "switch",
        format!(
            "prepared statements that select {name} fail once in deploy 2: let clients reconnect, or prepare again"
        ),
    );
    reasons.warn(
        "order",
        format!(
            "{name} stands behind the other columns from deploy 2 on: an INSERT or a COPY that names no columns would put values elsewhere"
        ),
    );
}

/// The type whose values the way back of a type change asks for.
fn may_not_fit(plan: &Plan) -> Option<&str> {
    let conditions = steps(plan).flat_map(|step| &step.down.ops).filter_map(|op| match op {
        Op::Guard(conditions) => Some(conditions),
        _ => None,
    });
    conditions.flatten().find_map(|condition| match condition {
        Condition::NoRows { reason: Reason::DoesNotFit { ty }, .. } => Some(ty.as_str()),
        _ => None,
    })
}

/// Triggers that rows fire as they are written, and a table that decides what is written.
pub(super) fn triggers_behind<'p>(
    plan: &'p Plan,
    change: &'p Change,
) -> BTreeSet<(&'p str, &'p str)> {
    let written = match change {
        Change::Update(update) => &update.table,
        Change::Delete(delete) => &delete.table,
        Change::Copy(copy) => &copy.into,
        _ => return BTreeSet::new(),
    };
    let read = change.reads().into_iter().flat_map(|reads| &reads.tables);
    read.flat_map(|read| {
        let triggers = plan.before.triggers_naming(written, read);
        triggers.into_iter().map(|trigger| (trigger, read.name.as_str()))
    })
    .collect()
}

/// Tables whose rows a foreign key deletes or changes along with those that are deleted.
pub(super) fn rows_that_follow(plan: &Plan, change: &Change) -> BTreeSet<TableName> {
    let Change::Delete(delete) = change else { return BTreeSet::new() };
    let children = plan.before.children(&delete.table).into_iter();
    children
        .filter(|child| child.on_delete.is_some() && child.table != delete.table)
        .map(|child| child.table)
        .collect()
}
