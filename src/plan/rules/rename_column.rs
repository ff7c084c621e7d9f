//! `ALTER TABLE … RENAME COLUMN`.
//!
//! As written it breaks the running application in the same instant. With `--downtime` that is what
//! is planned, for it is instant. Without, both names work at once:
//!
//! | phase | what |
//! |---|---|
//! | expand | a copy under the new name, and a trigger that keeps both equal whoever writes |
//! | backfill, index, enforce | the copy is filled, indexed, NOT NULL: what the new code needs of it |
//! | check, equal | deploy 2: nothing out of step; their downs are the way back |
//! | contract | the trigger and the *copy* go, and the old column takes the new name |
//!
//! That the original stays and is renamed is the point: whatever hangs on it (primary key, foreign
//! keys both ways, checks, defaults, sequences, views, grants, comments, statistics) is carried by the
//! server itself, nothing is lost, and the way back from deploy 2 loses nothing either.
//!
//! Where no trigger can fill a row before NOT NULL is checked (SQLite), a required column without
//! default is made optional for the time, by a rebuild, with a CHECK that one of both is given.

mod copy;
mod indexes;
mod rebuild;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Key, Table, TableName};
use crate::change::RenameColumn;
use crate::dialect::Action;
use crate::error::Result;
use crate::plan::Downtime;

use super::super::condition::{Condition, Missing, Predicate, Reason};
use super::super::op::{Op, Sync, SyncKind};
use super::super::strategy::constrain::{further_options, not_null_check};
use super::super::strategy::dependants::read_through_a_view;
use super::super::strategy::{named, sync};
use super::super::{Down, Field, ModelChange, Phase, RenamedIndex, Step, Unit, column_expr};
use super::Context;
use crate::plan::context::primary_key;

pub(super) fn steps(context: &Context, rename: &RenameColumn) -> Result<Vec<Step>> {
    let before = context.table(&rename.table);
    let Some(column) = before.column(&rename.from) else {
        return Err(context.refuse(
            "miggen does not plan renaming a column of the same script yet",
            "added above",
        ));
    };
    let rule = Rule { context, rename, table: before, old: column, sync: sync_of(context, rename) };
    rule.refuse_what_cannot_be_carried()?;
    if context.policy.downtime != Downtime::None {
        return Ok(vec![rule.direct()?]);
    }
    rule.refuse_what_needs_a_window()?;
    context.refuse_without_rowid(&rename.table)?;
    let indexes = rule.indexes()?;
    if rule.needs_optional() {
        return Ok(rule.by_rebuild(&indexes));
    }
    rule.by_copy(&indexes)
}

fn sync_of(context: &Context, rename: &RenameColumn) -> Sync {
    let old = context.table(&rename.table).column(&rename.from);
    Sync {
        name: sync::name(context.before, &rename.table, &rename.from),
        table: rename.table.clone(),
        kind: SyncKind::Mirror {
            old: rename.from.clone(),
            new: rename.to.clone(),
            as_text: old
                .is_some_and(|column| !sync::is_exact(context.server, context.before, column)),
            old_default: old.is_some_and(|column| column.default.is_some()),
            needs_given: false,
        },
    }
}

struct Rule<'c> {
    context: &'c Context<'c>,
    rename: &'c RenameColumn,
    table: &'c Table,
    old: &'c Column,
    sync: Sync,
}

impl Rule<'_> {
    fn refuse_what_cannot_be_carried(&self) -> Result<()> {
        let RenameColumn { table, from, .. } = self.rename;
        let triggers = sync::triggers_naming(self.context.before, table, from);
        if !triggers.is_empty() && self.context.can(Action::TriggerSetsNew) {
            return Err(self
                .context
                .refuse(
                    format!("the trigger {} names `{from}`", triggers.join(", ")),
                    "a rename does not reach into its body",
                )
                .note("after the rename every write to the table would fail in it")
                .hint("make the trigger independent of the name first"));
        }
        self.refuse_readers_of_views()
    }

    /// Where RENAME writes the new name into views, and not into what reads these.
    fn refuse_readers_of_views(&self) -> Result<()> {
        let RenameColumn { table, from, to } = self.rename;
        let reader = read_through_a_view(self.context.before, table, from)
            .filter(|_| !self.context.can(Action::TriggerSetsNew));
        let Some((view, reader)) = reader else { return Ok(()) };
        let Expr(own) = column_expr(self.context.server, from);
        Err(self
            .context
            .refuse(
                format!("{reader} reads `{from}` of the view {view}, where it would be `{to}`"),
                "a rename does not reach through a view",
            )
            .note("the server refuses the rename while something would not find the old name")
            .hint(format!(
                "let {view} name it by itself (`{own} AS {own}`), by a migration of your own first"
            )))
    }

    fn refuse_what_needs_a_window(&self) -> Result<()> {
        let from = &self.rename.from;
        let short = "`--downtime 5m` plans the plain rename, in one moment with the application";
        let named = |keys: &[Key]| {
            keys.iter().any(|key| matches!(key, Key::Column { name, .. } if name == from))
        };
        let further = self.table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintKind::Unique(keys) if named(keys))
                && further_options(constraint)
        });
        let reasons = [
            (primary_key(self.table).is_some_and(named), "it is part of the primary key"),
            (self.old.generated.is_some(), "it is generated"),
            (
                self.context.before.is_granted(&self.rename.table, from),
                "a GRANT names it, and its copy would be nobody's",
            ),
            (self.old.identity.is_some(), "it numbers itself"),
            (further, "a unique constraint on it has further options"),
        ];
        let why = reasons.iter().find(|(holds, _)| *holds).map(|(_, why)| why);
        match why {
            Some(why) => Err(self
                .context
                .refuse(
                    format!("`{from}` cannot have two names for a while: {why}"),
                    "without downtime",
                )
                .hint(short)),
            None => Ok(()),
        }
    }

    /// The server checks NOT NULL before any trigger could fill the old column for new code.
    fn needs_optional(&self) -> bool {
        self.old.not_null && self.old.default.is_none() && !self.context.can(Action::TriggerSetsNew)
    }

    /// The rename itself, in one moment.
    fn direct(&self) -> Result<Step> {
        let RenameColumn { table, from, to } = self.rename;
        let lock = self.context.lock(&[table], Action::RenameColumn);
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let indexes = self.indexes()?;
        let moved = moved(&indexes);
        let mut up = lock.clone();
        up.push(rename(from, to));
        up.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.before.name, &i.after.name)),
        );
        let mut down = lock;
        down.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.after.name, &i.before.name)),
        );
        down.push(rename(to, from));
        let exists = Condition::ColumnExists { table: table.clone(), column: to.clone() };
        Ok(Step {
            phase: Phase::Expand,
            table: table.clone(),
            slug: "rename".into(),
            title: format!("{table}.{from} is {to}"),
            unit: Unit::Transaction,
            up,
            down: Down::ops(down),
            verify: vec![exists],
            model: vec![self.rename_field(true, &indexes)],
        })
    }

    fn may_contract(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if let Some(date) = self.context.policy.not_before {
            let RenameColumn { table, from, .. } = self.rename;
            conditions.push(Condition::NotBefore { date, what: format!("{}.{from}", table.name) });
        }
        conditions.push(sync::on(&self.sync, Missing::Finish(1)));
        conditions
    }

    fn in_step(&self) -> Condition {
        let RenameColumn { table, from, to } = self.rename;
        let mut filter = Predicate::ColumnsDiffer(from.clone(), to.clone());
        if matches!(self.sync.kind, SyncKind::Mirror { as_text: true, .. }) {
            filter = Predicate::AsText(Box::new(filter));
        }
        Condition::NoRows { table: table.clone(), filter, reason: Reason::OutOfStep }
    }

    fn gone(&self) -> Vec<Condition> {
        let RenameColumn { table, from, to } = self.rename;
        vec![
            Condition::ColumnGone { table: table.clone(), column: from.clone() },
            Condition::ColumnExists { table: table.clone(), column: to.clone() },
            Condition::SyncGone { table: table.clone(), name: self.sync.name.clone() },
        ]
    }

    fn touch(&self, column: &str) -> Op {
        Op::Touch {
            table: self.rename.table.clone(),
            key: self.context.row_key(&self.rename.table),
            column: column.to_owned(),
        }
    }

    /// The copy is NOT NULL from deploy 1 on.
    fn not_null_now(&self) -> bool {
        self.old.not_null && self.context.can(Action::TriggerSetsNew)
    }

    fn not_null_check(&self) -> Constraint {
        not_null_check(self.context.server, &self.rename.table, &self.rename.to)
    }

    fn unique_options(&self, name: &str) -> Option<String> {
        let named = |c: &&Constraint| c.name.as_deref() == Some(name);
        self.table.constraints.iter().find(named).and_then(|c| c.options.clone())
    }

    fn rename_index(&self, index: &RenamedIndex, definition: &Index, from: &str, to: &str) -> Op {
        let table = self.rename.table.clone();
        if index.constraint {
            return Op::RenameConstraint { table, from: from.to_owned(), to: to.to_owned() };
        }
        let index = Index { name: from.to_owned(), ..definition.clone() };
        Op::RenameIndex { table, index, to: to.to_owned() }
    }

    fn rename_field(&self, not_null: bool, indexes: &[RenamedIndex]) -> ModelChange {
        ModelChange::RenameField {
            table: self.rename.table.clone(),
            from: self.rename.from.clone(),
            field: self.field(not_null),
            indexes: indexes.to_vec(),
        }
    }

    fn required_at_last(&self) -> Vec<ModelChange> {
        if self.old.not_null && !self.not_null_now() {
            let table: TableName = self.rename.table.clone();
            vec![ModelChange::AlterField {
                table,
                before: self.field(false),
                field: self.field(true),
            }]
        } else {
            Vec::new()
        }
    }

    fn field(&self, not_null: bool) -> Field {
        let from = [self.rename.from.clone()];
        let reference = self.table.constraints.iter().find(|constraint| {
            matches!(&constraint.kind, ConstraintKind::ForeignKey { columns, .. } if *columns == from)
        });
        Field {
            column: Column {
                name: self.rename.to.clone(),
                not_null: self.old.not_null && not_null,
                ..self.old.clone()
            },
            unique: None,
            references: reference.cloned(),
        }
    }
}

fn renamed_index(before: Index, after: Index, constraint: bool) -> RenamedIndex {
    let mut copy = after.clone();
    if before.name == after.name {
        copy.name = named(&after.name, "_copy");
    }
    RenamedIndex { before, after, copy, constraint }
}

/// Those that get a new name with their column.
fn moved(indexes: &[RenamedIndex]) -> Vec<&RenamedIndex> {
    indexes.iter().filter(|index| index.before.name != index.after.name).collect()
}
