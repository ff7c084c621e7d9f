//! `SET NOT NULL` and `DROP NOT NULL` of a column that is there.
//!
//! | asked | planned |
//! |---|---|
//! | SET, the script says what rows without a value get | a trigger gives it to old code as well, a CHECK holds it, the rest is filled in batches, NOT NULL by the CHECK; the trigger leaves in deploy 2 |
//! | SET, it does not | no row may be NULL: a guard asks, a CHECK holds it for new rows, then NOT NULL |
//! | SET, a valid CHECK says it already | NOT NULL at once: the server reads no row |
//! | DROP | at once; the way back asks for rows without a value first |
//!
//! Where no trigger can fill a row before it is checked (SQLite), NOT NULL waits for deploy 2.

use crate::catalog::{Column, ConstraintKind, Expr, Table};
use crate::change::{Change, Fill, Relax, Require};
use crate::dialect::Action;
use crate::error::Result;
use crate::input::expr;

use super::super::condition::{Condition, Missing, Predicate, Reason};
use super::super::context::Context;
use super::super::op::{Op, Sync};
use super::super::rows::Backfill;
use super::super::strategy::constrain::{
    all_given, not_null_check, not_valid, require_again, required,
};
use super::super::strategy::{backfill_unit, rebuild, sync};
use super::super::{Down, Field, ModelChange, Phase, Step, Unit};

pub(super) fn require(context: &Context, require: &Require) -> Result<Vec<Step>> {
    let table = context.table(&require.table);
    let Some(column) = table.column(&require.column) else {
        return Err(
            context.refuse("miggen does not plan this for a column of the same script", "here")
        );
    };
    let rule = Rule { context, require, column };
    if let Some(fill) = &require.fill {
        return rule.filled(fill);
    }
    if !context.can(Action::AddCheckNotValid) {
        return Ok(vec![rule.by_rebuild()]);
    }
    if is_proven(table, column) {
        return Ok(vec![rule.proven()]);
    }
    let check = not_null_check(context.server, &require.table, &column.name);
    let mut first = not_valid(context, &require.table, &check);
    first.up.insert(0, Op::Guard(vec![all_given(&require.table, &column.name)]));
    first.title = format!("{}.{} never NULL, for new rows", require.table, column.name);
    Ok(vec![first, rule.required()])
}

pub(super) fn relax(context: &Context, relax: &Relax) -> Vec<Step> {
    let (table, name) = (&relax.table, &relax.column);
    let loosen = Op::DropNotNull { table: table.clone(), column: name.clone() };
    let (unit, up, down) = if context.can(Action::DropNotNull) {
        let mut up = context.lock(&[table], Action::DropNotNull);
        up.push(loosen);
        (Unit::Alone, up, require_again(context, table, name))
    } else {
        let tighten = Op::SetNotNull { table: table.clone(), column: name.clone() };
        let down =
            vec![Op::Guard(vec![all_given(table, name)]), rebuild::anew(table, vec![tighten])];
        (Unit::Rebuild, vec![rebuild::anew(table, vec![loosen])], down)
    };
    let model = context
        .table(table)
        .column(name)
        .map(|column| alter(relax_field(column, true), relax_field(column, false), relax));
    vec![Step {
        phase: Phase::Expand,
        table: table.clone(),
        slug: "optional".into(),
        title: format!("{table}.{name} optional"),
        unit,
        up,
        down: Down::noted(
            down,
            format!("Only while every row has a {name}: rows without one must be given one first."),
        ),
        verify: Vec::new(),
        model: model.into_iter().collect(),
    }]
}

fn relax_field(column: &Column, not_null: bool) -> Field {
    Field { column: Column { not_null, ..column.clone() }, unique: None, references: None }
}

fn alter(before: Field, field: Field, relax: &Relax) -> ModelChange {
    ModelChange::AlterField { table: relax.table.clone(), before, field }
}

struct Rule<'c> {
    context: &'c Context<'c>,
    require: &'c Require,
    column: &'c Column,
}

impl Rule<'_> {
    fn filled(&self, fill: &Fill) -> Result<Vec<Step>> {
        let Rule { context, require, column } = self;
        context.refuse_generated(&require.table, &fill.sources)?;
        context.refuse_without_rowid(&require.table)?;
        let table = &require.table;
        let sync = sync::fill(context.server, context.before, table, &column.name, fill)
            .ok_or_else(|| context.refuse_to_carry(fill.span))?;
        let checked_after_trigger = context.can(Action::TriggerSetsNew);
        let mut steps =
            vec![self.expand(fill, &sync, checked_after_trigger), self.backfill(fill, &sync)?];
        if checked_after_trigger {
            steps.push(self.required());
        }
        steps.push(self.contract(&sync, !checked_after_trigger));
        Ok(steps)
    }

    /// The trigger, and where it runs before the check, the check.
    fn expand(&self, fill: &Fill, sync: &Sync, checked: bool) -> Step {
        let Rule { context, require, column } = self;
        let table = &require.table;
        let mut up = Vec::new();
        if !self.always_valued(fill) {
            up.push(Op::Guard(vec![Condition::NoRows {
                table: table.clone(),
                filter: Predicate::And(vec![
                    Predicate::IsNull(column.name.clone()),
                    Predicate::ExprIsNull(fill.expr.clone()),
                ]),
                reason: Reason::NoValue { column: column.name.clone() },
            }]));
        }
        let lock = context.lock(&[table], Action::AddCheckNotValid);
        let check = not_null_check(context.server, table, &column.name);
        let mut down = lock.clone();
        up.extend(lock);
        up.push(Op::CreateSync(sync.clone()));
        down.push(Op::DropSync(sync.clone()));
        if checked {
            let name = check.name.clone().unwrap_or_default();
            up.push(Op::AddConstraint { table: table.clone(), constraint: check });
            down.push(Op::DropConstraint { table: table.clone(), name });
        }
        up.push(Op::Touch {
            table: table.clone(),
            key: context.row_key(table),
            column: column.name.clone(),
        });
        Step {
            phase: Phase::Expand,
            table: table.clone(),
            slug: "expand".into(),
            title: format!("{}.{}, filled by a trigger where it is not given", table, column.name),
            unit: Unit::Transaction,
            up,
            down: Down::ops(down),
            verify: vec![sync::on(sync, Missing::RunAgain)],
            model: Vec::new(),
        }
    }

    fn backfill(&self, fill: &Fill, sync: &Sync) -> Result<Step> {
        let Rule { context, require, column } = self;
        let table = &require.table;
        let left = Predicate::IsNull(column.name.clone());
        Ok(Step {
            phase: Phase::Backfill,
            table: table.clone(),
            slug: "backfill".into(),
            title: format!("fill {}", column.name),
            unit: backfill_unit(context.server),
            up: vec![Op::Backfill(Backfill {
                table: table.clone(),
                walk: context.walk(table)?,
                set: vec![(column.name.clone(), fill.expr.clone())],
                remaining: left.clone(),
                sync: Some(sync.name.clone()),
            })],
            down: Down::noted(
                Vec::new(),
                format!("Loses which rows had no {}: they keep what they got.", column.name),
            ),
            verify: vec![Condition::NoRows {
                table: table.clone(),
                filter: left,
                reason: Reason::Left,
            }],
            model: Vec::new(),
        })
    }

    fn required(&self) -> Step {
        let mut step = required(self.context, &self.require.table, &self.column.name);
        step.model.push(self.model());
        step
    }

    /// A valid CHECK that the table has anyway is the proof.
    fn proven(&self) -> Step {
        let Rule { context, require, column } = self;
        let (table, name) = (require.table.clone(), column.name.clone());
        let mut up = context.lock(&[&table], Action::SetNotNullProven);
        let mut down = up.clone();
        up.push(Op::SetNotNull { table: table.clone(), column: name.clone() });
        down.push(Op::DropNotNull { table: table.clone(), column: name.clone() });
        Step {
            phase: Phase::Enforce,
            table: table.clone(),
            slug: "not_null".into(),
            title: format!("{table}.{name} not null: a CHECK says so already"),
            unit: Unit::Transaction,
            up,
            down: Down::ops(down),
            verify: vec![Condition::ColumnNotNull { table, column: name }],
            model: vec![self.model()],
        }
    }

    fn by_rebuild(&self) -> Step {
        let Rule { context, require, column } = self;
        let (table, name) = (require.table.clone(), column.name.clone());
        let tighten = Op::SetNotNull { table: table.clone(), column: name.clone() };
        let loosen = Op::DropNotNull { table: table.clone(), column: name.clone() };
        let fills = |change: &Change| match change {
            Change::Update(update) => {
                update.table == table && update.set.iter().any(|set| set.column == name)
            }
            _ => false,
        };
        let filled = context.intent.asked.iter().any(|asked| fills(&asked.change));
        Step {
            phase: if filled { Phase::Enforce } else { Phase::Expand },
            table: table.clone(),
            slug: "not_null".into(),
            title: format!("{table}.{name} not null, by making the table anew"),
            unit: Unit::Rebuild,
            up: vec![
                Op::Guard(vec![all_given(&table, &name)]),
                rebuild::anew(&table, vec![tighten]),
            ],
            down: Down::ops(vec![rebuild::anew(&table, vec![loosen])]),
            verify: vec![Condition::ColumnNotNull { table, column: name }],
            model: vec![self.model()],
        }
    }

    /// Deploy 2: the application always gives a value.
    fn contract(&self, sync: &Sync, require: bool) -> Step {
        let Rule { context, column, .. } = self;
        let (table, name) = (self.require.table.clone(), column.name.clone());
        let mut guards = vec![sync::on(sync, Missing::Finish(1))];
        if let Some(date) = context.policy.not_before {
            guards.insert(
                0,
                Condition::NotBefore { date, what: format!("the trigger {}", sync.name) },
            );
        }
        let mut verify =
            vec![Condition::SyncGone { table: table.clone(), name: sync.name.clone() }];
        let mut up = Vec::new();
        let mut down = context.lock(&[&table], Action::CreateTrigger);
        let mut model = Vec::new();
        up.extend(context.lock(&[&table], Action::DropTrigger));
        up.push(Op::DropSync(sync.clone()));
        if require {
            guards.push(Condition::NoRows {
                table: table.clone(),
                filter: Predicate::IsNull(name.clone()),
                reason: Reason::Left,
            });
            let tighten = Op::SetNotNull { table: table.clone(), column: name.clone() };
            let loosen = Op::DropNotNull { table: table.clone(), column: name.clone() };
            up.push(rebuild::anew(&table, vec![tighten]));
            down.push(rebuild::anew(&table, vec![loosen]));
            model.push(self.model());
            verify.push(Condition::ColumnNotNull { table: table.clone(), column: name.clone() });
        }
        up.insert(0, Op::Guard(guards));
        down.push(Op::CreateSync(sync.clone()));
        Step {
            phase: Phase::Contract,
            table: table.clone(),
            slug: "contract".into(),
            title: format!("{table}.{name} without its trigger"),
            unit: if require { Unit::Rebuild } else { Unit::Transaction },
            up,
            down: Down::noted(
                down,
                "Loses nothing: the trigger fills the column for old code again.",
            ),
            verify,
            model,
        }
    }

    fn always_valued(&self, fill: &Fill) -> bool {
        let table = self.context.table(&self.require.table);
        let given = |source: &String| table.column(source).is_some_and(|column| column.not_null);
        fill.needs.as_ref().is_some_and(|needs| needs.iter().all(given))
    }

    fn model(&self) -> ModelChange {
        let field = |not_null: bool| Field {
            column: Column { not_null, ..self.column.clone() },
            unique: None,
            references: None,
        };
        let table = self.require.table.clone();
        ModelChange::AlterField { table, before: field(false), field: field(true) }
    }
}

/// A valid CHECK of the table says that the column is never NULL.
fn is_proven(table: &Table, column: &Column) -> bool {
    table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Check(Expr(text)) => {
            constraint.valid && expr::proves_not_null(text, &column.name, table.dialect)
        }
        _ => false,
    })
}
