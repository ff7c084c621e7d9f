//! Without downtime: a copy of the new type that a trigger computes; both columns change names; the old
//! one, which follows, goes in deploy 3.

use crate::catalog::{Column, Constraint, Expr, Identity};
use crate::dialect::{Action, compose, type_change};
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::{Op, Sync, SyncKind};
use crate::plan::rows::Backfill;
use crate::plan::rules::create_index;
use crate::plan::strategy::constrain::{not_null_check, required, unique, validated};
use crate::plan::strategy::{backfill_unit, named, sync};
use crate::plan::{Down, Phase, Step, Unit, column_expr};

use super::Rule;

impl Rule<'_> {
    pub(super) fn by_copy(&self) -> Result<Vec<Step>> {
        let (context, table) = (self.context, &self.change.table);
        let forward = self.follow(&self.copy_name(), &self.change.forward, false)?;
        // After the switch the column is the new one, and the old one follows it.
        let backward = self.follow(&self.aside_name(), &self.back(), self.back_may_fail())?;
        let mut steps = vec![self.expand(&forward), self.backfill(&forward)?];
        steps.extend(self.copies().map(|(_, copy)| create_index::built(context, table, &copy)));
        steps.extend(self.unique_copies().filter_map(|(_, copy)| unique(context, table, &copy)));
        if let Some(copy) = self.key_index(&self.copy_name(), "_new") {
            steps.push(create_index::built(context, table, &copy));
        }
        let checks = self.check_copies().filter(|(own, _)| own.valid);
        steps.extend(checks.map(|(_, check)| validated(context, table, &check)));
        steps.extend(self.twins());
        if self.old.not_null {
            steps.push(required(context, table, &self.copy_name()));
        }
        if self.old.not_null && !self.required_to_the_switch() {
            steps.push(self.loosen());
        }
        steps.extend(self.without_checks());
        steps.extend(self.key_copied());
        steps.push(self.switch(&forward, &backward));
        if self.required_to_the_switch() {
            steps.push(self.followed(&backward));
        }
        steps.extend(self.without_foreign_keys());
        steps.extend(self.without_indexes());
        steps.push(self.filled_back(&backward)?);
        steps.push(self.contract(&backward));
        Ok(steps)
    }

    pub(super) fn copy_name(&self) -> String {
        named(&self.old.name, "_new")
    }

    pub(super) fn aside_name(&self) -> String {
        named(&self.old.name, "_old")
    }

    /// The old value, of a row that has the new one; NULL for a number that the old type cannot hold,
    /// and for a text that is none of its labels.
    pub(super) fn back(&self) -> Expr {
        let cast = &self.change.backward;
        if self.back_is_a_label() {
            let Expr(column) = column_expr(self.context.server, &self.old.name);
            return Expr(compose::when(&compose::is_label(&column, &self.old.ty), &cast.0, None));
        }
        let ranges = type_change::integer_range(&self.old.ty)
            .zip(type_change::integer_range(&self.change.after.ty))
            .filter(|_| self.change.back.is_none());
        match ranges {
            Some((old, new)) if !old.contains(new.end()) => {
                let Expr(column) = column_expr(self.context.server, &self.old.name);
                Expr(compose::when(&compose::within(&column, &old), &cast.0, None))
            }
            _ => cast.clone(),
        }
    }

    /// The old column cannot hold all that the new one can.
    pub(super) fn back_loses(&self) -> bool {
        self.back() != self.change.backward || self.back_may_fail()
    }

    fn back_is_a_label(&self) -> bool {
        self.change.back.is_none() && sync::is_enum(self.context.before, &self.old.ty)
    }

    /// Not for integers and labels, see [`Self::back`], and not for text.
    fn back_may_fail(&self) -> bool {
        let [old, new] =
            [&self.old.ty, &self.change.after.ty].map(|ty| type_change::integer_range(ty));
        let integers = old.is_some() && new.is_some() && self.change.back.is_none();
        !integers && !self.back_is_a_label() && !type_change::takes_anything(&self.old.ty)
    }

    /// The column cannot be optional before: the primary key or the identity on it asks for values.
    pub(super) fn required_to_the_switch(&self) -> bool {
        self.key().is_some() || matches!(self.old.identity, Some(Identity::Generated(_)))
    }

    /// A trigger that computes `column` from the one the application writes.
    fn follow(&self, column: &str, expr: &Expr, may_fail: bool) -> Result<Sync> {
        let Rule { context, change, old, .. } = self;
        let sources = vec![old.name.clone()];
        let dialect = context.server.dialect;
        let row = crate::input::qualify(&expr.0, dialect, &sources, "NEW")
            .ok_or_else(|| context.refuse_to_carry(context.asked.span))?;
        Ok(Sync {
            name: sync::name(context.before, &change.table, column),
            table: change.table.clone(),
            kind: SyncKind::Follow { column: column.to_owned(), row_expr: Expr(row), may_fail },
        })
    }

    fn expand(&self, forward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let copy = Column {
            name: self.copy_name(),
            not_null: false,
            default: None,
            identity: None,
            ..change.after.clone()
        };
        let required = old.not_null.then(|| not_null_check(context.server, table, &copy.name));
        let checks = self.check_copies().map(|(_, check)| Constraint { valid: false, ..check });
        let lock = context.lock(&[table], Action::AddColumn);
        let Expr(ident) = column_expr(context.server, &old.name);
        let mut up = vec![Op::Guard(vec![Condition::ColumnIs {
            table: table.clone(),
            column: old.name.clone(),
            ty: old.integer_type().to_owned(),
            not_null: old.not_null,
        }])];
        if self.casts_are_compared() {
            let there_and_back = Expr(change.backward.0.replacen(&ident, &change.forward.0, 1));
            up.push(Op::Guard(vec![Condition::NoRows {
                table: table.clone(),
                filter: context.compared(old, Predicate::Differs(old.name.clone(), there_and_back)),
                reason: Reason::DoesNotFit { ty: change.after.ty.clone() },
            }]));
        }
        up.extend(lock.clone());
        up.push(Op::AddColumn {
            table: table.clone(),
            column: copy.clone(),
            constraints: required.into_iter().chain(checks).collect(),
        });
        up.push(Op::CreateSync(forward.clone()));
        up.extend(self.touch());
        let mut down = lock;
        down.push(Op::DropSync(forward.clone()));
        down.push(Op::DropColumn { table: table.clone(), column: copy.name.clone() });
        let mut step = self.step(
            Phase::Expand,
            "expand",
            format!("{}, computed by a trigger", copy.name),
            Unit::Transaction,
            up,
            Down::noted(down, format!("Loses nothing: {} holds every value.", old.name)),
            Vec::new(),
        );
        step.verify = vec![
            Condition::ColumnExists { table: table.clone(), column: copy.name },
            sync::on(forward, Missing::RunAgain),
        ];
        step
    }

    fn backfill(&self, forward: &Sync) -> Result<Step> {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let copy = self.copy_name();
        let mut left = vec![Predicate::IsNull(copy.clone())];
        if !old.not_null {
            left.push(Predicate::ExprIsNotNull(change.forward.clone()));
        }
        let left = Predicate::all(left);
        let mut step = self.step(
            Phase::Backfill,
            "backfill",
            format!("fill {copy}"),
            backfill_unit(context.server),
            vec![Op::Backfill(Backfill {
                table: table.clone(),
                walk: context.walk(table)?,
                set: vec![(copy, change.forward.clone())],
                remaining: left.clone(),
                sync: Some(forward.name.clone()),
            })],
            Down::noted(Vec::new(), "Nothing to undo: the values go with their column."),
            Vec::new(),
        );
        let (table, reason) = (table.clone(), Reason::Left);
        step.verify = vec![Condition::NoRows { table, filter: left, reason }];
        Ok(step)
    }

    /// Writes one row; an identity that is always generated takes no value, not even its own.
    pub(super) fn touch(&self) -> Option<Op> {
        let table = &self.change.table;
        let always = |column: &&Column| match &column.identity {
            Some(Identity::Generated(text)) => text.to_ascii_uppercase().contains("ALWAYS"),
            _ => column.generated.is_some(),
        };
        let column = if always(&self.old) {
            self.table.columns.iter().find(|column| !always(column))?
        } else {
            self.old
        };
        let (key, column) = (self.context.row_key(table), column.name.clone());
        Some(Op::Touch { table: table.clone(), key, column })
    }
}
