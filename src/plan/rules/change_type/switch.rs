//! Deploy 2: the copy takes the column's name, and all that goes with it.
//!
//! Whatever takes long is done before, in deploy 1, or comes after: the switch changes the catalog
//! only, and so does its way back. What that needs beside (the old column's NOT NULL, the index of its
//! primary key) is built by the down of the step behind it; what the primary key took from the copy, by
//! the down of the step before.

use crate::catalog::{Expr, Identity, Sequence, TableName, usual_not_null_name};
use crate::dialect::{Action, type_change};
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::{Numbering, Op, Sync};
use crate::plan::rules::numbered::next_value;
use crate::plan::strategy::constrain::{not_null_renamed, require_again, unique_name};
use crate::plan::strategy::sync;
use crate::plan::{Down, Phase, Step, Unit, column_expr};

use super::Rule;

impl Rule<'_> {
    /// Both columns change names in one transaction; whoever waits for the lock meets the new one.
    pub(super) fn switch(&self, forward: &Sync, backward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let (column, copy, aside) = (&old.name, self.copy_name(), self.aside_name());
        let own = self.table.not_null_name(column);
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let lock = context.lock(&self.switched(), Action::RenameColumn);
        let mut up = vec![Op::Guard(self.may_switch(forward))];
        up.extend(lock.clone());
        up.push(Op::DropSync(forward.clone()));
        let mut down: Vec<Op> =
            self.fits_back().map(|one| Op::Guard(vec![one])).into_iter().collect();
        down.extend(lock);
        down.push(Op::DropSync(backward.clone()));
        self.change_foreign_keys(&mut up, &mut down);
        if let Some(key) = self.key() {
            let name = unique_name(table, key);
            let gone = Op::DropConstraint { table: table.clone(), name };
            up.push(gone.clone());
            down.push(gone);
        }
        up.extend([rename(column, &aside), rename(&copy, column)]);
        self.change_defaults(&mut up, &mut down);
        self.change_names(&mut up, &mut down);
        down.extend(self.not_null_named(column, &own, &usual_not_null_name(table, &copy)));
        down.extend([rename(column, &copy), rename(&aside, column)]);
        if let Some(key) = self.key() {
            up.extend(self.key_index(column, "_new").iter().flat_map(|i| self.become_key(key, i)));
            down.extend(
                self.key_index(column, "_old").iter().flat_map(|i| self.become_key(key, i)),
            );
        }
        if let Some(numbering) = self.numbering() {
            let pass = |from: &str| Op::PassNumbering {
                table: table.clone(),
                from: from.to_owned(),
                to: column.clone(),
                numbering: numbering.clone(),
            };
            up.push(pass(&aside));
            down.push(pass(&copy));
        } else if let Some(expr) = &old.default {
            let (table, column, expr) = (table.clone(), column.clone(), expr.clone());
            down.push(Op::SetDefault { table, column, expr });
        }
        if let Some([grow, shrink]) = self.sequence_grows() {
            up.push(grow);
            down.push(shrink);
        }
        if self.required_to_the_switch() {
            up.push(Op::DropNotNull { table: table.clone(), column: aside.clone() });
            down.extend(self.not_null_named(column, &usual_not_null_name(table, &aside), &own));
        }
        up.extend(self.not_null_named(column, &usual_not_null_name(table, &copy), &own));
        up.push(Op::CreateSync(backward.clone()));
        up.extend(self.touch());
        down.push(Op::CreateSync(forward.clone()));
        let note = if self.back_loses() {
            let ty = old.integer_type();
            format!("Only while no row holds what {ty} cannot: {aside} followed every other write.")
        } else {
            format!("Loses nothing: {aside} followed every write.")
        };
        let mut step = self.step(
            Phase::Switch,
            "switch",
            format!("{column} is {}, and {aside} follows it", change.after.ty),
            Unit::Transaction,
            up,
            Down::noted(down, note),
            vec![self.alter_field(&change.after)],
        );
        step.verify = vec![
            Condition::ColumnExists { table: table.clone(), column: aside },
            sync::on(backward, Missing::RunAgain),
        ];
        step
    }

    /// Within the lock that is held anyway.
    fn not_null_named(&self, column: &str, from: &str, to: &str) -> Option<Op> {
        let Rule { context, change, old, .. } = self;
        let renamed = not_null_renamed(context, &change.table, column, from, to);
        renamed.into_iter().last().filter(|_| old.not_null)
    }

    fn may_switch(&self, forward: &Sync) -> Vec<Condition> {
        let Rule { context, change, old, .. } = self;
        let (table, copy) = (&change.table, self.copy_name());
        let mut guards = vec![sync::on(forward, Missing::Finish(1))];
        guards.extend(self.twins_valid());
        guards.push(Condition::NoRows {
            table: table.clone(),
            filter: Predicate::And(vec![
                Predicate::IsNull(copy.clone()),
                Predicate::ExprIsNotNull(change.forward.clone()),
            ]),
            reason: Reason::Left,
        });
        if self.casts_are_compared() {
            let Expr(ident) = column_expr(context.server, &old.name);
            let Expr(copied) = column_expr(context.server, &copy);
            let back = Expr(change.backward.0.replacen(&ident, &copied, 1));
            guards.push(Condition::NoRows {
                table: table.clone(),
                filter: context.compared(old, Predicate::Differs(old.name.clone(), back)),
                reason: Reason::DoesNotFit { ty: change.after.ty.clone() },
            });
        }
        guards
    }

    /// Way back: the old column could hold all that was written since the switch.
    fn fits_back(&self) -> Option<Condition> {
        if !self.back_loses() {
            return None;
        }
        let Rule { change, old, .. } = self;
        let given = match &change.back {
            Some(back) => Predicate::ExprIsNotNull(back.clone()),
            None => Predicate::IsNotNull(old.name.clone()),
        };
        Some(Condition::NoRows {
            table: change.table.clone(),
            filter: Predicate::And(vec![Predicate::IsNull(self.aside_name()), given]),
            reason: Reason::DoesNotFit { ty: old.integer_type().to_owned() },
        })
    }

    /// A default of its own changes over; one that numbers is passed on.
    fn change_defaults(&self, up: &mut Vec<Op>, down: &mut Vec<Op>) {
        let Rule { change, old, .. } = self;
        if old.identity.is_some() {
            return;
        }
        let (table, column) = (change.table.clone(), old.name.clone());
        if let Some(expr) = change.after.default.clone() {
            up.push(Op::SetDefault { table: table.clone(), column: column.clone(), expr });
            down.push(Op::DropDefault { table: table.clone(), column });
        }
        if old.default.is_some() {
            up.push(Op::DropDefault { table, column: self.aside_name() });
        }
    }

    /// What numbers the column.
    pub(super) fn numbering(&self) -> Option<Numbering> {
        match self.old.identity.as_ref()? {
            Identity::Generated(text) => Some(Numbering::Identity(text.clone())),
            Identity::Serial => {
                let (name, _) = self.sequence()?;
                let next = self.old.default.clone();
                let next = next.unwrap_or_else(|| next_value(self.context, name));
                Some(Numbering::Sequence { name: name.clone(), next })
            }
            Identity::AutoIncrement => None,
        }
    }

    fn sequence(&self) -> Option<(&TableName, &Sequence)> {
        let owner = Some((self.change.table.clone(), self.old.name.clone()));
        self.context.before.sequences.iter().find(|(_, sequence)| sequence.owned_by == owner)
    }

    /// The sequence counts as far as the new type, and back.
    pub(super) fn sequence_grows(&self) -> Option<[Op; 2]> {
        let (name, sequence) = self.sequence()?;
        let was = sequence.ty.as_deref().unwrap_or("bigint");
        let will = self.change.after.integer_type();
        let greatest = |ty| type_change::integer_range(ty).map(|range| *range.end());
        let set = |ty: &str| Op::SetSequenceType {
            table: self.change.table.clone(),
            sequence: name.clone(),
            ty: ty.to_owned(),
        };
        (greatest(was) < greatest(will)).then(|| [set(will), set(was)])
    }

    /// The copy can be the key; the way back builds what the key, when it went, took from the copy.
    pub(super) fn key_copied(&self) -> Option<Step> {
        let (context, table) = (self.context, &self.change.table);
        let index = self.key_index(&self.copy_name(), "_new")?;
        let valid = Condition::IndexValid {
            table: table.clone(),
            name: index.name.clone(),
            missing: Missing::Finish(1),
        };
        let title = format!("check that {} is built", index.name);
        let online = context.can(Action::CreateIndexOnline);
        let mut down = vec![Op::RestoreIndex { table: table.clone(), index, online }];
        down.extend(self.leaning_again(&self.copy_name(), "_new"));
        Some(self.step(
            Phase::Switch,
            "key",
            title,
            Unit::Alone,
            vec![Op::Guard(vec![valid])],
            Down::noted(down, "Part of the way back: what stood on the copy goes with the key."),
            Vec::new(),
        ))
    }

    /// The old column follows; the way back builds what the old column needs to be itself again.
    pub(super) fn followed(&self, backward: &Sync) -> Step {
        let (context, table) = (self.context, &self.change.table);
        let aside = self.aside_name();
        let online = context.can(Action::CreateIndexOnline);
        let mut down: Vec<Op> =
            self.fits_back().map(|one| Op::Guard(vec![one])).into_iter().collect();
        let asked = !down.is_empty();
        let required = require_again(context, table, &aside).into_iter();
        down.extend(required.filter(|op| !(asked && matches!(op, Op::Guard(_)))));
        if let Some(index) = self.key_index(&aside, "_old") {
            down.push(Op::RestoreIndex { table: table.clone(), index, online });
        }
        down.extend(self.leaning_again(&aside, "_old"));
        self.step(
            Phase::Switch,
            "follows",
            format!("check that {aside} follows"),
            Unit::Alone,
            vec![Op::Guard(vec![
                sync::on(backward, Missing::RunStepBefore),
                Condition::ColumnOptional { table: table.clone(), column: aside.clone() },
            ])],
            Down::noted(
                down,
                format!("Part of the way back: from here on {aside} must hold what is written."),
            ),
            Vec::new(),
        )
    }

    /// The old column is required no more: after the switch it only follows.
    pub(super) fn loosen(&self) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let mut up = context.lock(&[table], Action::DropNotNull);
        up.push(Op::DropNotNull { table: table.clone(), column: old.name.clone() });
        self.step(
            Phase::Switch,
            "prepare",
            format!("{} optional, for it will only follow", old.name),
            Unit::Alone,
            up,
            Down::ops(require_again(context, table, &old.name)),
            Vec::new(),
        )
    }
}
