//! A new column that an UPDATE of the script fills.
//!
//! | before the UPDATE, the rows have | planned |
//! |---|---|
//! | nothing | the column comes empty, with a trigger that fills it for old code; backfill; NOT NULL by a proven CHECK |
//! | a constant default | the column comes with it, which writes no row, and loses it at once: what is left out is NULL, and the trigger's; only rows that are to have another value are written |
//! | either, where no trigger can fill a row before it is checked (SQLite) | the column comes empty and optional; backfill |
//!
//! Columns without a default that stand beside each other in the script have one trigger and one backfill:
//! every row is written once. The last of them brings both.
//!
//! In deploy 2 the trigger leaves, and the column gets its own default and, on SQLite, NOT NULL.

use crate::catalog::{Column, Expr};
use crate::change::{Asked, Change, Fill};
use crate::dialect::{Action, compose};
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::{Op, Sync, SyncKind};
use crate::plan::strategy::{rebuild, sync};
use crate::plan::{Down, ModelChange, Phase, Step, Unit, column_expr};

use super::Rule;

impl Rule<'_> {
    pub(super) fn filled(&self, fill: &Fill) -> Result<Vec<Step>> {
        self.refuse_what_comes_by_itself(fill)?;
        let checked_after_trigger = self.context.can(Action::TriggerSetsNew);
        match &self.add.existing {
            Some(constant) if self.is_over_default() => self.over_default(fill, constant),
            _ => self.empty_first(fill, checked_after_trigger),
        }
    }

    fn empty_first(&self, fill: &Fill, checked_after_trigger: bool) -> Result<Vec<Step>> {
        let column = &self.add.column;
        let check = (column.not_null && checked_after_trigger).then(|| self.not_null_check());
        let first = Column { not_null: false, default: None, ..column.clone() };
        let model = Column { not_null: check.is_some(), ..first.clone() };
        let required = check.is_some();
        let together = self.together();
        let brings = together.last().is_none_or(|last| last.add == self.add);
        let sync = self.sync(&together)?;
        let watch = if brings { self.watch(&sync) } else { Vec::new() };
        let expand = self.expand(first, check.into_iter().collect(), watch, true);
        let mut steps = vec![self.guarded(expand, fill, brings.then_some(&sync), &model)];
        if brings {
            steps.push(self.filling(&together, &sync)?);
        }
        steps.extend(self.enforce(required)?);
        let takes = if brings { together.as_slice() } else { &[] };
        steps.extend(self.contract(&sync, model, takes));
        Ok(steps)
    }

    /// This column and those filled with it, in their order.
    fn together(&self) -> Vec<Rule<'_>> {
        let asked = &self.context.intent.asked;
        let beside = |asked: &'_ Asked| match &asked.change {
            Change::AddColumn(add) if add.table == self.add.table => Some(add.column.name.clone()),
            _ => None,
        };
        let names: Vec<Option<String>> = asked.iter().map(beside).collect();
        let own = names.iter().position(|name| name.as_ref() == Some(&self.add.column.name));
        let run = own.map_or(0..0, |own| {
            let from = names[..own].iter().rposition(Option::is_none).map_or(0, |at| at + 1);
            let to = names[own..].iter().position(Option::is_none).map_or(asked.len(), |n| own + n);
            from..to
        });
        asked[run]
            .iter()
            .filter_map(|asked| match &asked.change {
                Change::AddColumn(add) => Some(Rule { context: self.context, add }),
                _ => None,
            })
            .filter(|rule| rule.add.fill.is_some() && !rule.is_over_default())
            .collect()
    }

    /// A trigger reads what other triggers of this rollout have not written yet, or never do.
    fn refuse_what_comes_by_itself(&self, fill: &Fill) -> Result<()> {
        let Rule { context, add } = self;
        let moves = |change: &Change, name: &String| match change {
            Change::AddColumn(other) => {
                other.table == add.table && other.column.name == *name && other.fill.is_some()
            }
            Change::RenameColumn(one) => {
                one.table == add.table && (one.from == *name || one.to == *name)
            }
            Change::Replace(one) => {
                one.table == add.table
                    && (one.new.iter().any(|new| new.column.name == *name)
                        || one.old.iter().any(|(old, _)| old.column == *name))
            }
            _ => false,
        };
        let asked = || context.intent.asked.iter();
        match fill.sources.iter().find(|name| asked().any(|asked| moves(&asked.change, name))) {
            None => Ok(()),
            Some(name) => Err(context
                .refuse(
                    format!("`{}` is computed from `{name}`", add.column.name),
                    "which this script fills or moves as well",
                )
                .note("old and new code write side by side meanwhile, and only one of them writes it")
                .hint("compute it from columns that stay as they are, or plan it when this rollout is through")),
        }
    }

    fn is_over_default(&self) -> bool {
        self.add.existing.is_some() && self.context.can(Action::TriggerSetsNew)
    }

    /// Where several are filled each keeps the value that it has.
    fn filling(&self, together: &[Rule], sync: &Sync) -> Result<Step> {
        let several = together.len() > 1;
        let mut set = Vec::new();
        let mut left = Vec::new();
        for rule in together {
            let Some(fill) = &rule.add.fill else { continue };
            let name = &rule.add.column.name;
            let Expr(own) = column_expr(self.context.server, name);
            let Expr(value) = &fill.expr;
            let value = if several { compose::or_else(&own, value) } else { value.clone() };
            set.push((name.clone(), Expr(value)));
            left.push(Predicate::all(rule.unfilled(fill)));
        }
        self.backfill(set, Predicate::any(left), Some(sync))
    }

    fn unfilled(&self, fill: &Fill) -> Vec<Predicate> {
        let column = &self.add.column;
        let mut left = vec![Predicate::IsNull(column.name.clone())];
        if !self.always_valued(fill) && !column.not_null {
            match &fill.needs {
                Some(needs) => left.extend(needs.iter().cloned().map(Predicate::IsNotNull)),
                None => left.push(Predicate::ExprIsNotNull(fill.expr.clone())),
            }
        }
        left
    }

    fn over_default(&self, fill: &Fill, constant: &Expr) -> Result<Vec<Step>> {
        let Rule { add, .. } = self;
        let column = &add.column;
        let alone = [Rule { context: self.context, add }];
        let sync = self.sync(&alone)?;
        let first = Column { default: Some(constant.clone()), ..column.clone() };
        let model = Column { default: None, ..column.clone() };
        let (table, name) = (add.table.clone(), column.name.clone());
        let mut tail = vec![Op::DropDefault { table, column: name.clone() }];
        tail.extend(self.watch(&sync));
        let expand = self.expand(first, Vec::new(), tail, true);
        let expand = self.guarded(expand, fill, Some(&sync), &model);

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
        let set = vec![(column.name.clone(), fill.expr.clone())];
        let backfill = self.backfill(set, Predicate::all(remaining), Some(&sync))?;
        let mut steps = vec![expand, backfill];
        steps.extend(self.enforce(false)?);
        steps.extend(self.contract(&sync, model, &alone));
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

    /// The trigger of all of them, called after the first.
    fn sync(&self, together: &[Rule]) -> Result<Sync> {
        let Rule { context, add } = self;
        context.refuse_without_rowid(&add.table)?;
        let (server, before) = (context.server, context.before);
        let mut columns = Vec::new();
        for rule in together {
            let Some(fill) = &rule.add.fill else { continue };
            context.refuse_generated(&add.table, &fill.sources)?;
            let required = rule.add.column.not_null && !rule.is_over_default();
            let fill = rule.for_old_code(fill);
            let derived =
                sync::derived(server, before, &add.table, &rule.add.column, &fill, required);
            columns.push(derived.ok_or_else(|| context.refuse_to_carry(fill.span))?);
        }
        let first = columns.first().map_or(add.column.name.as_str(), |first| &first.column);
        Ok(Sync {
            name: sync::name(before, &add.table, first),
            table: add.table.clone(),
            kind: SyncKind::Derive(columns),
        })
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
    fn guarded(&self, mut expand: Step, fill: &Fill, sync: Option<&Sync>, model: &Column) -> Step {
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
        if let Some(sync) = sync {
            let after_lock = usize::from(matches!(expand.down.ops.first(), Some(Op::Lock { .. })));
            expand.down.ops.insert(after_lock, Op::DropSync(sync.clone()));
            expand.verify.push(sync::on(sync, Missing::RunAgain));
        }
        expand.title = format!("{table}.{}, filled by a trigger", column.name);
        let field = self.field(model.clone());
        expand.model = vec![ModelChange::AddField { table: table.clone(), field }];
        expand
    }

    /// Deploy 2: the application gives the column itself; `was` is the column until then. The trigger
    /// goes with the one that brought it, which `takes` it from all that it fills.
    fn contract(&self, sync: &Sync, was: Column, takes: &[Rule]) -> Option<Step> {
        let Rule { context, add } = self;
        let (table, column) = (&add.table, &add.column);
        let mut verify = Vec::new();
        let mut guards = Vec::new();
        if let Some(date) = context.policy.not_before {
            guards.push(Condition::NotBefore { date, what: format!("the trigger {}", sync.name) });
        }
        guards.push(sync::on(sync, Missing::Finish(1)));
        let brought = !takes.is_empty();
        if brought {
            verify.push(Condition::SyncGone { table: table.clone(), name: sync.name.clone() });
        }
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
        if there.is_empty() && !brought {
            return None;
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
        up.extend(brought.then(|| Op::DropSync(sync.clone())));
        up.extend(there);
        let mut down = context.lock(&[table], Action::CreateTrigger);
        down.extend(back);
        down.extend(brought.then(|| Op::CreateSync(sync.clone())));
        let filled: Vec<&str> = takes.iter().map(|rule| rule.add.column.name.as_str()).collect();
        let title = match filled.as_slice() {
            [] => format!("{}.{} as it was asked for", table.name, column.name),
            [one] => format!("{}.{one} without its trigger", table.name),
            several => format!("{}.{} without their trigger", table.name, several.join(", ")),
        };
        Some(Step {
            phase: Phase::Contract,
            table: of(),
            slug: "contract".into(),
            title,
            unit,
            up,
            down: Down::noted(
                down,
                "Loses nothing: the trigger fills the column for old code again.",
            ),
            verify,
            model,
        })
    }
}
