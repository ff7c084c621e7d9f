//! `ALTER COLUMN … TYPE`.
//!
//! | change | planned |
//! |---|---|
//! | one that the server carries out in its catalog | at once, in a short lock; CHECKs are looked at again behind it |
//! | any other, without downtime | deploy 1: a copy of the new type, which a trigger computes from the column; filled, indexed, required. Deploy 2: both change names in one moment, and the trigger computes the old one. Deploy 3: the old one goes |
//! | the same of a key | the copy has a unique index, and each foreign key at either end a twin, in deploy 1; in that moment the key, the foreign keys, and what numbers the column change over |
//! | with downtime, or where a table is made anew anyway (SQLite) | at once |
//!
//! In between one side only is ever written by the application, so there is no question who wrote.
//! The way back is `old type` of the new value, or what `-- miggen: back column = …` says.

mod carry;
mod copy;
mod foreign_keys;
mod hanging;
mod leave;
mod switch;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Table};
use crate::change::{Asked, Change, ChangeType, CommentOn};
use crate::dialect::{Action, compose, type_change};
use crate::error::Result;

use super::super::condition::{Condition, Predicate, Reason};
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::constrain::{unique_index, validated};
use super::super::strategy::dependants::{IN_THE_WAY, in_the_way, in_the_way_but_keys};
use super::super::strategy::{rebuild, sync};
use super::super::{Down, Downtime, DualWrite, Field, ModelChange, Phase, Step, Unit, column_expr};

pub(super) fn steps(context: &Context, change: &ChangeType) -> Result<Vec<Step>> {
    let table = context.table(&change.table);
    let Some(old) = table.column(&change.before.name) else {
        return Err(context.refuse("this script adds the column that it changes", "say it there"));
    };
    rule_out_default(context, change, old)?;
    let in_the_way = if context.can(Action::Rebuild) {
        in_the_way(context.before, &change.table, &old.name)
    } else {
        in_the_way_but_keys(context.before, &change.table, &old.name)
    };
    if !in_the_way.is_empty() {
        return Err(context
            .refuse(
                format!("`{}` is used by {}", old.name, in_the_way.join(" and ")),
                "its type cannot change yet",
            )
            .hint(IN_THE_WAY));
    }
    let rule = Rule { context, change, table, old };
    if context.can(Action::Rebuild) {
        return Ok(vec![rule.by_rebuild()]);
    }
    let free = change.using.is_none()
        && old.collation == change.after.collation
        && type_change::is_free(context.server, &old.ty, &change.after.ty)
        && rule.constraints().all(|constraint| {
            use ConstraintKind::{Check, ForeignKey, PrimaryKey, Unique};
            matches!(constraint.kind, Unique(_) | PrimaryKey(_) | Check(_) | ForeignKey { .. })
        })
        && rule.indexes().all(|index| {
            index.filter.is_none() && index.keys.iter().all(|key| key.column().is_some())
        });
    if free {
        rule.refuse_checks_that_change()?;
    }
    if free || context.policy.downtime != Downtime::None {
        return Ok(rule.direct(free));
    }
    if context.policy.dual_write == DualWrite::App {
        return Err(context
            .refuse(
                "the application cannot write both types under one name",
                "with --dual-write app",
            )
            .hint(
                "a new column of another name: ADD COLUMN, UPDATE, DROP COLUMN with a `back` hint",
            )
            .hint("or leave out `--dual-write app`: a trigger computes the copy"));
    }
    rule.refuse_what_cannot_be_carried()?;
    if change.using.is_none() && type_change::writes_its_own_way(&old.ty, &change.after.ty) {
        let (name, to) = (&old.name, &change.after.ty);
        return Err(context
            .refuse(
                format!("what `{name}` holds would come back written another way"),
                format!("{to} keeps what a text means, not how it is written"),
            )
            .hint(format!(
                "where that is no loss: -- miggen: back {name} = {name}::{}  before  … TYPE {to} USING {name}::{to}",
                old.ty
            )));
    }
    if change.using.is_none()
        && type_change::asks_the_session(context.server, &old.ty, &change.after.ty)
    {
        let name = &old.name;
        return Err(context
            .refuse(
                format!("nothing says in which time zone `{name}` is meant"),
                "each session would compute by its own",
            )
            .hint(format!(
                "-- miggen: back {name} = {}  before  … TYPE {} USING {}",
                type_change::at_utc(name, &change.after.ty, &old.ty),
                change.after.ty,
                type_change::at_utc(name, &old.ty, &change.after.ty),
            )));
    }
    rule.by_copy()
}

/// The server casts a default that stays as it would a value that is stored, and not by USING.
fn rule_out_default(context: &Context, change: &ChangeType, old: &Column) -> Result<()> {
    let Some(Expr(default)) = &change.after.default else { return Ok(()) };
    let stays = change.before.default == change.after.default;
    let is_text = default.starts_with('\'') && default.ends_with('\'');
    if !stays
        || is_text
        || context.can(Action::Rebuild)
        || !(type_change::is_never_assigned(&old.ty, &change.after.ty)
            || sync::is_enum(context.before, &change.after.ty))
    {
        return Ok(());
    }
    let (name, to) = (&old.name, &change.after.ty);
    Err(context
        .refuse(
            format!("the default of `{name}` is {default}, which is no {to}"),
            "the server does not cast it",
        )
        .hint(format!(
            "ALTER COLUMN {name} DROP DEFAULT, ALTER COLUMN {name} TYPE {to} …, ALTER COLUMN {name} SET DEFAULT …"
        )))
}

struct Rule<'c> {
    context: &'c Context<'c>,
    change: &'c ChangeType,
    table: &'c Table,
    old: &'c Column,
}

impl Rule<'_> {
    /// They are dropped and added again around the change, as they are.
    fn refuse_checks_that_change(&self) -> Result<()> {
        let Rule { context, change, .. } = self;
        let named = |name: Option<&str>| self.checks().any(|check| check.name.as_deref() == name);
        let changes = |asked: &&Asked| match &asked.change {
            Change::DropConstraint(one) | Change::ValidateConstraint(one) => {
                one.table == change.table && named(one.constraint.name.as_deref())
            }
            Change::RenameName(one) => one.table == change.table && named(Some(one.of.name())),
            Change::Comment(one) => match &one.on {
                CommentOn::Constraint(table, name) => *table == change.table && named(Some(name)),
                _ => false,
            },
            _ => false,
        };
        if !context.intent.asked.iter().any(|asked| changes(&asked)) {
            return Ok(());
        }
        Err(context
            .refuse(
                format!("a CHECK on `{}` is changed by this script too", self.old.name),
                "the type and the CHECK change together",
            )
            .hint("plan one first, and the other when its rollout is through"))
    }

    /// A cast to a narrower type cuts off, and says nothing: so it is asked whether it comes back. Where
    /// values have no equality no type is narrower.
    fn casts_are_compared(&self) -> bool {
        self.change.using.is_none() && type_change::has_equality(self.context.server, &self.old.ty)
    }

    fn set_type(&self, to: &Column, using: Option<Expr>, free: bool) -> Op {
        let (table, column) = (self.change.table.clone(), to.name.clone());
        Op::SetType { table, column, to: Box::new(to.clone()), using, free }
    }

    /// What of a default goes before the type changes, and what comes after, where the script says so.
    fn defaults(&self, from: Option<&Expr>, to: Option<&Expr>) -> (Option<Op>, Option<Op>) {
        let of = || (self.change.table.clone(), self.old.name.clone());
        if from == to {
            return (None, None);
        }
        let drop = from.map(|_| {
            let (table, column) = of();
            Op::DropDefault { table, column }
        });
        let set = to.cloned().map(|expr| {
            let (table, column) = of();
            Op::SetDefault { table, column, expr }
        });
        (drop, set)
    }

    fn direct(&self, free: bool) -> Vec<Step> {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let action = if free { Action::SetTypeFree } else { Action::SetTypeRewrite };
        let mut up = context.lock(&self.compared(), action);
        let mut down = up.clone();
        let (before, after) = (change.before.default.as_ref(), change.after.default.as_ref());
        let (drop, set) = self.defaults(before, after);
        up.extend(drop);
        // As it was said, and else where the server would not cast by itself.
        let using = |said: Option<&Expr>, from: &Column, to: &Column, cast: &Expr| {
            let needed = !free && !type_change::is_assigned(&from.ty, &to.ty);
            said.or(Some(cast).filter(|_| needed)).cloned()
        };
        let to = using(change.using.as_ref(), old, &change.after, &change.forward);
        let back = using(change.back.as_ref(), &change.after, old, &change.backward);
        // The server would look at every row for each of them, and keep all others out meanwhile.
        let checks: Vec<&Constraint> = self.checks().filter(|c| free && c.is_enforced()).collect();
        up.extend(checks.iter().filter_map(|check| {
            Some(Op::DropConstraint { table: table.clone(), name: check.name.clone()? })
        }));
        up.push(self.set_type(&change.after, to, free));
        up.extend(set);
        up.extend(checks.iter().map(|check| Op::AddConstraint {
            table: table.clone(),
            constraint: Constraint { valid: false, ..(*check).clone() },
        }));
        let checks: Vec<&Constraint> = checks.into_iter().filter(|check| check.valid).collect();
        let (drop, set) = self.defaults(after, before);
        down.extend(drop);
        let old_type = Column { ty: old.integer_type().to_owned(), ..(*old).clone() };
        // The table is written anew anyway: so they are looked at in one go.
        down.extend(checks.iter().filter_map(|check| {
            Some(Op::DropConstraint { table: table.clone(), name: check.name.clone()? })
        }));
        down.push(self.set_type(&old_type, back, false));
        down.extend(set);
        down.extend(
            checks.iter().map(|check| Op::AddConstraint {
                table: table.clone(),
                constraint: (*check).clone(),
            }),
        );
        if let Some([grow, shrink]) = self.sequence_grows() {
            up.push(grow);
            down.push(shrink);
        }
        let mut steps = vec![self.step(
            Phase::Expand,
            "type",
            format!("{}.{} is {}", table.name, old.name, change.after.ty),
            Unit::Transaction,
            up,
            Down::noted(
                down,
                format!(
                    "Writes the table anew under a lock that blocks everything, and fails where a value is no {}: only \
                     with the application stopped.",
                    old.ty
                ),
            ),
            vec![self.alter_field(&change.after)],
        )];
        steps.extend(checks.into_iter().map(|check| validated(context, table, check)));
        steps
    }

    /// Values are copied as they are: the server stores each as the new type where that loses nothing,
    /// and as it was elsewhere. A cast would make 2024 of a date, and 0 of a word.
    fn by_rebuild(&self) -> Step {
        let Rule { change, old, .. } = self;
        let table = &change.table;
        let anew = |from: &Column, to: &Column| {
            let (drop, set) = self.defaults(from.default.as_ref(), to.default.as_ref());
            let mut edits = vec![self.set_type(to, None, false)];
            edits.extend(drop.into_iter().chain(set));
            rebuild::anew(table, edits)
        };
        let mut up: Vec<Op> =
            self.written_another_way().map(|one| Op::Guard(vec![one])).into_iter().collect();
        up.push(anew(&change.before, &change.after));
        self.step(
            Phase::Expand,
            "type",
            format!("{}.{} is {}, by making the table anew", table.name, old.name, change.after.ty),
            Unit::Rebuild,
            up,
            Down::ops(vec![anew(&change.after, &change.before)]),
            vec![self.alter_field(&change.after)],
        )
    }

    /// Texts that become numbers and would not come back: `007`, `1.50`.
    fn written_another_way(&self) -> Option<Condition> {
        let Rule { context, change, old, .. } = self;
        if !type_change::reads_numbers(&old.ty, &change.after.ty) {
            return None;
        }
        let Expr(name) = column_expr(context.server, &old.name);
        let filter = Predicate::Given(Expr(compose::changes_as_number(&name)));
        let ty = change.after.ty.clone();
        Some(Condition::NoRows {
            table: change.table.clone(),
            filter,
            reason: Reason::DoesNotFit { ty },
        })
    }

    fn alter_field(&self, to: &Column) -> ModelChange {
        let alone = |c: &&Constraint| match &c.kind {
            ConstraintKind::ForeignKey { columns, .. } => columns.len() == 1,
            ConstraintKind::Unique(keys) => keys.len() == 1 && c.options.is_none(),
            _ => false,
        };
        let own: Vec<&Constraint> = self.constraints().filter(alone).collect();
        let foreign = |c: &&&Constraint| matches!(c.kind, ConstraintKind::ForeignKey { .. });
        let field = |column: &Column| Field {
            column: column.clone(),
            unique: own.iter().find(|c| !foreign(c)).and_then(|c| c.name.clone()),
            references: own.iter().find(foreign).map(|c| (**c).clone()),
        };
        let (table, before, field) = (self.change.table.clone(), field(self.old), field(to));
        if self
            .key()
            .is_some_and(|key| unique_index(&table, key).is_some_and(|i| i.keys.len() == 1))
        {
            return ModelChange::AlterKey { table, before, field };
        }
        ModelChange::AlterField { table, before, field }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a step")]
    fn step(
        &self,
        phase: Phase,
        slug: &str,
        title: String,
        unit: Unit,
        up: Vec<Op>,
        down: Down,
        model: Vec<ModelChange>,
    ) -> Step {
        Step {
            phase,
            table: self.change.table.clone(),
            slug: slug.into(),
            title,
            unit,
            up,
            down,
            verify: Vec::new(),
            model,
        }
    }
}
