//! `ALTER INDEX … RENAME`, `ALTER TABLE … RENAME CONSTRAINT`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL, index | catalog only, its lock is on the index and no reader or writer asks for it | as written |
//! | PostgreSQL, constraint | catalog only, and everybody waits behind ACCESS EXCLUSIVE on the table | the same, its lock taken in short tries |
//! | SQLite | it has neither | refused |

use crate::catalog::{Constraint, ConstraintKind, TableName};
use crate::change::{Asked, Change, Named, RenameName};
use crate::dialect::Action;
use crate::error::Result;

use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;

pub(super) fn step(context: &Context, rename: &RenameName) -> Step {
    let RenameName { table, of, to } = rename;
    let table = || table.clone();
    let (lock, there, back, model) = match of {
        Named::Index(before) => {
            let mut after = before.clone();
            after.name.clone_from(to);
            let there = Op::RenameIndex { table: table(), index: before.clone(), to: to.clone() };
            let back =
                Op::RenameIndex { table: table(), index: after.clone(), to: before.name.clone() };
            let model = vec![
                ModelChange::RemoveIndex { table: table(), index: before.clone() },
                ModelChange::AddIndex { table: table(), index: after },
            ];
            (Vec::new(), there, back, model)
        }
        Named::Constraint(Constraint { kind: ConstraintKind::NotNull(column), .. }) => {
            let op = |from: &str, to: &str| Op::RenameNotNull {
                table: table(),
                column: column.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
            };
            let lock = context.lock(&[&rename.table], Action::RenameNotNull);
            // Frameworks know of no name.
            (lock, op(of.name(), to), op(to, of.name()), Vec::new())
        }
        Named::Constraint(before) => {
            let mut after = before.clone();
            after.name = Some(to.clone());
            let from = of.name().to_owned();
            let there = Op::RenameConstraint { table: table(), from: from.clone(), to: to.clone() };
            let back = Op::RenameConstraint { table: table(), from: to.clone(), to: from };
            let model = vec![
                ModelChange::RemoveConstraint { table: table(), constraint: before.clone() },
                ModelChange::AddConstraint { table: table(), constraint: after },
            ];
            (context.lock(&[&rename.table], Action::RenameConstraint), there, back, model)
        }
    };
    let with_lock = |op: Op| lock.iter().cloned().chain([op]).collect();
    Step {
        phase: Phase::Expand,
        table: table(),
        slug: "rename".into(),
        title: format!("{} is {to}", of.name()),
        unit: Unit::Transaction,
        up: with_lock(there),
        down: Down::ops(with_lock(back)),
        verify: Vec::new(),
        model,
    }
}

/// Refuses a name that the script takes from an index or constraint of another kind or table: both are
/// there for a while. `same` is what gives way to its like, which takes its name in the end.
pub(super) fn not_handed_over(
    context: &Context,
    table: &TableName,
    name: Option<&str>,
    same: impl Fn(&Asked) -> bool,
) -> Result<()> {
    let drops = |asked: &Asked| match &asked.change {
        Change::DropIndex(old) => {
            old.table.schema == table.schema && Some(old.index.name.as_str()) == name
        }
        Change::DropConstraint(old) => {
            let keyed = matches!(
                old.constraint.kind,
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
            );
            (keyed || old.table == *table)
                && old.table.schema == table.schema
                && old.constraint.name.as_deref() == name
        }
        _ => false,
    };
    let online = context.can(Action::CreateIndexOnline);
    match context.intent.asked.iter().find(|asked| online && drops(asked) && !same(asked)) {
        None => Ok(()),
        Some(_) => Err(context
            .refuse(
                format!(
                    "{} is dropped by this script, and something else gets its name",
                    name.unwrap_or("it")
                ),
                "both are there for a while",
            )
            .hint("give the new one another name")),
    }
}
