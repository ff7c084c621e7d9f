//! A new column that an UPDATE of the script fills.
//!
//! | before the UPDATE, the rows have | planned |
//! |---|---|
//! | nothing | the column comes empty, with a trigger that fills it for old code; backfill; NOT NULL by a proven CHECK |
//! | a constant default | the column comes with it, which writes no row, and loses it at once: what is left out is NULL, and the trigger's; only rows that are to have another value are written |
//! | either, where no trigger can fill a row before it is checked (SQLite) | the column comes empty and optional; backfill |
//!
//! In deploy 2 the trigger leaves, and the column gets its own default and, on SQLite, NOT NULL.

use crate::catalog::{Column, Expr};
use crate::change::Fill;
use crate::dialect::{Action, compose};
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::{Op, Sync};
use crate::plan::strategy::{rebuild, sync};
use crate::plan::{Down, ModelChange, Phase, Step, Unit};

use super::Rule;

impl Rule<'_> {
    pub(super) fn filled(&self, fill: &Fill) -> Result<Vec<Step>> {
        let checked_after_trigger = self.context.can(Action::TriggerSetsNew);
        match &self.add.existing {
            Some(constant) if checked_after_trigger => self.over_default(fill, constant),
            _ => self.empty_first(fill, checked_after_trigger),
        }
    }

    fn empty_first(&self, fill: &Fill, checked_after_trigger: bool) -> Result<Vec<Step>> {
        let column = &self.add.column;
        let sync = self.sync(&self.for_old_code(fill), column.not_null)?;
        let check = (column.not_null && checked_after_trigger).then(|| self.not_null_check());
        let first = Column { not_null: false, default: None, ..column.clone() };
        let model = Column { not_null: check.is_some(), ..first.clone() };
        let required = check.is_some();
        let expand = self.expand(first, check.into_iter().collect(), self.watch(&sync), true);
        let expand = self.guarded(expand, fill, &sync, &model);

        let mut remaining = vec![Predicate::IsNull(column.name.clone())];
        if !self.always_valued(fill) && !column.not_null {
            match &fill.needs {
                Some(needs) => remaining.extend(needs.iter().cloned().map(Predicate::IsNotNull)),
                None => remaining.push(Predicate::ExprIsNotNull(fill.expr.clone())),
            }
        }
        let backfill = self.backfill(fill.expr.clone(), remaining, Some(&sync))?;
        let mut steps = vec![expand, backfill];
        steps.extend(self.enforce(required)?);
        steps.push(self.contract(&sync, model));
        Ok(steps)
    }

    fn over_default(&self, fill: &Fill, constant: &Expr) -> Result<Vec<Step>> {
        let Rule { add, .. } = self;
        let column = &add.column;
        let sync = self.sync(&self.for_old_code(fill), false)?;
        let first = Column { default: Some(constant.clone()), ..column.clone() };
        let model = Column { default: None, ..column.clone() };
        let (table, name) = (add.table.clone(), column.name.clone());
        let mut tail = vec![Op::DropDefault { table, column: name.clone() }];
        tail.extend(self.watch(&sync));
        let expand = self.expand(first, Vec::new(), tail, true);
        let expand = self.guarded(expand, fill, &sync, &model);

        let dialect = self.context.server.dialect;
        // As it is stored: rounded to the column's scale, say.
        let stored = |Expr(text): &Expr, typed: bool| {
            let typed = typed || compose::typed(dialect, text, &column.ty) == *text;
            if typed && !column.ty.contains('(') {
                Expr(text.clone())
            } else {
                Expr(compose::cast(text, &column.ty))
            }
        };
        let compared = |predicate| self.context.compared(column, predicate);
        let remaining = vec![
            compared(Predicate::Holds(name.clone(), stored(constant, false))),
            compared(Predicate::Differs(name, stored(&fill.expr, fill.typed))),
        ];
        let backfill = self.backfill(fill.expr.clone(), remaining, Some(&sync))?;
        let mut steps = vec![expand, backfill];
        steps.extend(self.enforce(false)?);
        steps.push(self.contract(&sync, model));
        Ok(steps)
    }

    /// What an INSERT leaves out has no default to fall back on, unless it is here.
    fn for_old_code(&self, fill: &Fill) -> Fill {
        let mut fill = fill.clone();
        if let Some(Expr(constant)) = &self.add.existing
            && self.add.column.not_null
            && !self.always_valued(&fill)
        {
            fill.expr = Expr(compose::or_else(&fill.expr.0, constant));
        }
        fill
    }

    fn sync(&self, fill: &Fill, required: bool) -> Result<Sync> {
        let Rule { context, add } = self;
        context.refuse_generated(&add.table, &fill.sources)?;
        context.refuse_without_rowid(&add.table)?;
        let (server, before) = (context.server, context.before);
        sync::derive(server, before, &add.table, &add.column, fill, required)
            .ok_or_else(|| context.refuse_to_carry(fill.span))
    }

    fn always_valued(&self, fill: &Fill) -> bool {
        let table = self.context.table(&self.add.table);
        let given = |name: &String| table.column(name).is_some_and(|column| column.not_null);
        fill.needs.as_ref().is_some_and(|needs| needs.iter().all(given))
    }

    /// The trigger, run once.
    fn watch(&self, sync: &Sync) -> Vec<Op> {
        let Rule { context, add } = self;
        let touch = Op::Touch {
            table: add.table.clone(),
            key: context.row_key(&add.table),
            column: add.column.name.clone(),
        };
        vec![Op::CreateSync(sync.clone()), touch]
    }

    /// A required column needs a value for every row, before anything is changed.
    fn guarded(&self, mut expand: Step, fill: &Fill, sync: &Sync, model: &Column) -> Step {
        let Rule { add, .. } = self;
        let (table, column) = (&add.table, &add.column);
        if column.not_null && !self.always_valued(fill) {
            let no_value = Condition::NoRows {
                table: table.clone(),
                filter: match &fill.needs {
                    Some(needs) => {
                        Predicate::Or(needs.iter().cloned().map(Predicate::IsNull).collect())
                    }
                    None => Predicate::ExprIsNull(fill.expr.clone()),
                },
                reason: Reason::NoValue { column: column.name.clone() },
            };
            expand.up.insert(0, Op::Guard(vec![no_value]));
        }
        let after_lock = usize::from(matches!(expand.down.ops.first(), Some(Op::Lock { .. })));
        expand.down.ops.insert(after_lock, Op::DropSync(sync.clone()));
        expand.title = format!("{}.{}, filled by a trigger", table.name, column.name);
        expand.verify.push(sync::on(sync, Missing::RunAgain));
        let field = self.field(model.clone());
        expand.model = vec![ModelChange::AddField { table: table.clone(), field }];
        expand
    }

    /// Deploy 2: the application gives the column itself; `was` is the column until then.
    fn contract(&self, sync: &Sync, was: Column) -> Step {
        let Rule { context, add } = self;
        let (table, column) = (&add.table, &add.column);
        let mut verify =
            vec![Condition::SyncGone { table: table.clone(), name: sync.name.clone() }];
        let mut guards = Vec::new();
        if let Some(date) = context.policy.not_before {
            guards.push(Condition::NotBefore { date, what: format!("the trigger {}", sync.name) });
        }
        guards.push(sync::on(sync, Missing::Finish(1)));
        let (of, name) = (|| table.clone(), || column.name.clone());
        let (mut there, mut back) = (Vec::new(), Vec::new());
        if column.not_null && !was.not_null {
            guards.push(Condition::NoRows {
                table: of(),
                filter: Predicate::IsNull(name()),
                reason: Reason::Left,
            });
            verify.push(Condition::ColumnNotNull { table: of(), column: name() });
            there.push(Op::SetNotNull { table: of(), column: name() });
            back.push(Op::DropNotNull { table: of(), column: name() });
        }
        if let Some(default) = &column.default {
            there.push(Op::SetDefault { table: of(), column: name(), expr: default.clone() });
            back.push(Op::DropDefault { table: of(), column: name() });
        }
        let mut model = Vec::new();
        if !there.is_empty() {
            let (before, field) = (self.field(was), self.field(column.clone()));
            model.push(ModelChange::AlterField { table: of(), before, field });
        }
        let mut unit = Unit::Transaction;
        if !there.is_empty() && context.can(Action::Rebuild) {
            unit = Unit::Rebuild;
            there = vec![rebuild::anew(table, there)];
            back = vec![rebuild::anew(table, back)];
        }
        let mut up = vec![Op::Guard(guards)];
        up.extend(context.lock(&[table], Action::DropTrigger));
        up.push(Op::DropSync(sync.clone()));
        up.extend(there);
        let mut down = context.lock(&[table], Action::CreateTrigger);
        down.extend(back);
        down.push(Op::CreateSync(sync.clone()));
        Step {
            phase: Phase::Contract,
            table: of(),
            slug: "contract".into(),
            title: format!("{}.{} without its trigger", table.name, column.name),
            unit,
            up,
            down: Down::noted(
                down,
                "Loses nothing: the trigger fills the column for old code again.",
            ),
            verify,
            model,
        }
    }
}
