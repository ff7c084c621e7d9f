//! Columns that others take the place of: a split, a merge, another form of the same.
//!
//! Asked for as new columns, an UPDATE that computes them, a DROP of what they are computed from, and
//! a hint for the way back: `-- miggen: back full_name = first_name || ' ' || last_name`.
//!
//! | deploy | what |
//! |---|---|
//! | 1 | the new columns, and a trigger that computes either side from the one that was written; filled in batches, required where asked |
//! | 2 | the trigger and the old columns go, what hangs on them apart; the way back computes them again |
//!
//! Where no trigger can fill a row before it is checked (SQLite) the table is made anew in either
//! deploy: `replace/rebuild.rs`.

mod rebuild;

use crate::catalog::{Column, Expr};
use crate::change::{AddColumn, Replace};
use crate::dialect::types::Type;
use crate::dialect::{Action, Server, compose};
use crate::error::Result;
use crate::input;

use super::super::condition::{Condition, Missing, Predicate, Reason};
use super::super::context::Context;
use super::super::op::{Computed, Op, Sync, SyncKind};
use super::super::rows::Backfill;
use super::super::strategy::constrain::{not_null_check, require_again};
use super::super::strategy::dependants::{IN_THE_WAY, in_primary_key, in_the_way};
use super::super::strategy::{backfill_unit, sync};
use super::super::{Down, Phase, Step, Unit};
use super::{add_column, drop_column};

pub(super) fn steps(context: &Context, replace: &Replace) -> Result<Vec<Step>> {
    let rule = Rule { context, replace, sync: sync_of(context, replace)? };
    rule.refuse_what_cannot_be_carried()?;
    if !context.can(Action::TriggerSetsNew) {
        return rule.by_rebuild();
    }
    let mut steps = vec![rule.expand(), rule.backfill()?];
    for new in &replace.new {
        steps.extend(add_column::enforced(context, new)?);
    }
    steps.extend(rule.loosen());
    steps.push(rule.computed_back()?);
    for (drop, _) in &replace.old {
        steps.extend(drop_column::apart(context, drop)?);
    }
    steps.push(rule.contract());
    Ok(steps)
}

struct Rule<'c> {
    context: &'c Context<'c>,
    replace: &'c Replace,
    sync: Sync,
}

fn sync_of(context: &Context, replace: &Replace) -> Result<Sync> {
    let dialect = context.server.dialect;
    let olds: Vec<String> = replace.old.iter().map(|(drop, _)| drop.column.clone()).collect();
    let news: Vec<String> = replace.new.iter().map(|new| new.column.name.clone()).collect();
    let in_row = |expr: &Expr, of: &[String]| {
        input::qualify(&expr.0, dialect, of, "NEW").map(Expr).ok_or_else(|| {
            context
                .refuse("miggen cannot carry this expression into a trigger", "here")
                .note(format!("`{}`: a name in it may be a column or something else", expr.0))
        })
    };
    let computed = |column: &str, expr: Expr, of: &[String]| {
        let row_expr = in_row(&expr, of)?;
        Ok(Computed { column: column.to_owned(), expr, row_expr })
    };
    let mut forward = Vec::new();
    for new in &replace.new {
        if let Some(fill) = &new.fill {
            forward.push(computed(&new.column.name, fill.expr.clone(), &olds)?);
        }
    }
    let table = context.table(&replace.table);
    let mut backward = Vec::new();
    for (drop, back) in &replace.old {
        let mut one =
            computed(&drop.column, cut(context.server, table.column(&drop.column), back), &news)?;
        let required = table.column(&drop.column).is_some_and(|column| column.not_null);
        // A required column keeps what it had where nothing can be computed.
        if required {
            let Expr(own) = super::super::column_expr(context.server, &drop.column);
            one.expr = Expr(compose::or_else(&one.expr.0, &own));
            one.row_expr = Expr(compose::or_else(&one.row_expr.0, &format!("NEW.{own}")));
        }
        backward.push(one);
    }
    Ok(Sync {
        name: sync::name(context.before, &replace.table, &olds[0]),
        table: replace.table.clone(),
        kind: SyncKind::Replace { forward, backward },
    })
}

/// A write of new code must not fail because the old column has less room, where that is checked.
fn cut(server: &Server, old: Option<&Column>, Expr(back): &Expr) -> Expr {
    let room = old.and_then(|column| {
        let ty = Type::read(&column.ty);
        ty.numbers.first().copied().filter(|_| ty.is_text() && server.can(Action::TriggerSetsNew))
    });
    Expr(match room {
        Some(room) => compose::cut(&input::operand(back, server.dialect), room),
        None => back.clone(),
    })
}

impl Rule<'_> {
    /// What the old columns are computed from, with room for it.
    fn backward(&self) -> impl Iterator<Item = (String, Expr)> {
        let Rule { context, replace, .. } = self;
        let table = context.table(&replace.table);
        replace.old.iter().map(|(drop, back)| {
            (drop.column.clone(), cut(context.server, table.column(&drop.column), back))
        })
    }

    fn forward(&self) -> impl Iterator<Item = (String, Expr)> {
        self.replace
            .new
            .iter()
            .filter_map(|new| Some((new.column.name.clone(), new.fill.as_ref()?.expr.clone())))
    }

    fn refuse_what_cannot_be_carried(&self) -> Result<()> {
        let Rule { context, replace, .. } = self;
        for (drop, _) in &replace.old {
            let name = &drop.column;
            let mut in_the_way = in_the_way(context.before, &replace.table, name);
            if in_primary_key(context.table(&replace.table), name) {
                in_the_way.push("the primary key".into());
            }
            if !in_the_way.is_empty() {
                return Err(context
                    .refuse(
                        format!("`{name}` is used by {}", in_the_way.join(" and ")),
                        "cannot be dropped yet",
                    )
                    .hint(IN_THE_WAY));
            }
        }
        let columns = self.old_columns().chain(replace.new.iter().map(|new| &new.column));
        context.refuse_incomparable(columns)?;
        let olds: Vec<String> = self.old_columns().map(|column| column.name.clone()).collect();
        context.refuse_generated(&replace.table, &olds)?;
        context.refuse_without_rowid(&replace.table)?;
        let has_default = |new: &&AddColumn| new.existing.is_some() || new.column.default.is_some();
        match replace.new.iter().find(has_default) {
            Some(new) => Err(context
                .refuse(
                    format!(
                        "`{}` has a default, which nobody can tell from a value",
                        new.column.name
                    ),
                    "it is computed from what it replaces",
                )
                .hint("set the default in a rollout of its own, after this one")),
            None => Ok(()),
        }
    }

    fn old_columns(&self) -> impl Iterator<Item = &Column> {
        self.replace.old_columns(self.context.table(&self.replace.table))
    }

    fn expand(&self) -> Step {
        let Rule { context, replace, sync } = self;
        let table = &replace.table;
        let lock = context.lock(&[table], Action::AddColumn);
        let mut up: Vec<Op> = vec![Op::Guard(self.as_planned())];
        up.extend(lock.clone());
        let mut down = lock;
        down.push(Op::DropSync(sync.clone()));
        let mut verify = vec![sync::on(sync, Missing::RunAgain)];
        let mut model = Vec::new();
        for new in &replace.new {
            let column = &new.column;
            let mut constraints: Vec<_> = new.checks.clone();
            for check in &mut constraints {
                check.valid = false;
            }
            if column.not_null {
                constraints.push(not_null_check(context.server, table, &column.name));
            }
            up.push(Op::AddColumn {
                table: table.clone(),
                column: Column { not_null: false, ..column.clone() },
                constraints,
            });
            down.push(Op::DropColumn { table: table.clone(), column: column.name.clone() });
            let (table, column) = (table.clone(), column.name.clone());
            verify.push(Condition::ColumnExists { table, column });
            model.push(add_column::model(new));
        }
        for (drop, _) in &replace.old {
            model.extend(drop_column::model(context, drop));
        }
        up.push(Op::CreateSync(sync.clone()));
        up.push(Op::Touch {
            table: table.clone(),
            key: context.row_key(table),
            column: replace.new[0].column.name.clone(),
        });
        self.step(
            Phase::Expand,
            "expand",
            format!(
                "{}, kept in step with {} by a trigger",
                self.replace.news(),
                self.replace.olds()
            ),
            Unit::Transaction,
            up,
            Down::noted(
                down,
                format!("Loses what new code wrote and {} cannot say.", self.replace.olds()),
            ),
            verify,
        )
        .modelled(model)
    }

    fn as_planned(&self) -> Vec<Condition> {
        let is = self.old_columns().map(|column| Condition::ColumnIs {
            table: self.replace.table.clone(),
            column: column.name.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null,
        });
        is.chain(self.replace.new.iter().filter_map(|new| self.no_value(new))).collect()
    }

    /// Rows for which a required column would get no value.
    fn no_value(&self, new: &AddColumn) -> Option<Condition> {
        let fill = new.fill.as_ref().filter(|_| new.column.not_null)?;
        Some(Condition::NoRows {
            table: self.replace.table.clone(),
            filter: Predicate::ExprIsNull(fill.expr.clone()),
            reason: Reason::NoValue { column: new.column.name.clone() },
        })
    }

    fn backfill(&self) -> Result<Step> {
        let Rule { context, replace, sync } = self;
        let table = &replace.table;
        let fills: Vec<(String, Expr)> = self.forward().collect();
        // As for the trigger: a row of which any part is given is filled.
        let mut left: Vec<Predicate> =
            fills.iter().map(|(column, _)| Predicate::IsNull(column.clone())).collect();
        left.push(Predicate::any(
            fills.iter().map(|(_, expr)| Predicate::ExprIsNotNull(expr.clone())),
        ));
        let left = Predicate::And(left);
        Ok(self.step(
            Phase::Backfill,
            "backfill",
            format!("fill {}", self.replace.news()),
            backfill_unit(context.server),
            vec![Op::Backfill(Backfill {
                table: table.clone(),
                walk: context.walk(table)?,
                set: fills,
                remaining: left.clone(),
                sync: Some(sync.name.clone()),
            })],
            Down::noted(Vec::new(), "Nothing to undo: the values go with their columns."),
            vec![Condition::NoRows { table: table.clone(), filter: left, reason: Reason::Left }],
        ))
    }

    /// The way back adds the old columns empty: they can only be required again when they are filled.
    fn loosen(&self) -> Option<Step> {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let required: Vec<&Column> = self.old_columns().filter(|column| column.not_null).collect();
        if required.is_empty() {
            return None;
        }
        let (mut up, mut down) = (vec![Op::Guard(self.may_contract())], Vec::new());
        for column in &required {
            let column = column.name.clone();
            up.extend(context.lock(&[table], Action::DropNotNull));
            down.extend(require_again(context, table, &column));
            up.push(Op::DropNotNull { table: table.clone(), column });
        }
        Some(self.step(
            Phase::Check,
            "optional",
            format!("{} optional", self.replace.olds()),
            Unit::Alone,
            up,
            Down::ops(down),
            Vec::new(),
        ))
    }

    /// Asks whether all is in place; its down computes the old columns again.
    fn computed_back(&self) -> Result<Step> {
        let Rule { context, replace, sync } = self;
        let table = &replace.table;
        let set: Vec<(String, Expr)> = self.backward().collect();
        let remaining = Predicate::any(set.iter().map(|(column, expr)| {
            Predicate::And(vec![
                Predicate::IsNull(column.clone()),
                Predicate::ExprIsNotNull(expr.clone()),
            ])
        }));
        let back = Op::Backfill(Backfill {
            table: table.clone(),
            walk: context.walk(table)?,
            set,
            remaining,
            sync: Some(sync.name.clone()),
        });
        Ok(self.step(
            Phase::Check,
            "check",
            format!("check that {} may go", self.replace.olds()),
            Unit::Alone,
            vec![Op::Guard(self.may_contract().into_iter().chain([self.in_step()]).collect())],
            Down::noted(
                vec![back],
                format!("Part of the way back: computes {} again.", self.replace.olds()),
            ),
            vec![self.in_step()],
        ))
    }

    fn contract(&self) -> Step {
        let Rule { context, replace, sync } = self;
        let table = &replace.table;
        let lock = context.lock(&[table], Action::DropColumn);
        let mut up = vec![Op::Guard(self.may_contract())];
        up.extend(lock.clone());
        up.push(Op::DropSync(sync.clone()));
        let mut down = lock;
        let mut verify =
            vec![Condition::SyncGone { table: table.clone(), name: sync.name.clone() }];
        for column in self.old_columns() {
            up.push(Op::DropColumn { table: table.clone(), column: column.name.clone() });
            // Its default apart: it would take the place of what is computed.
            let back = Column { not_null: false, default: None, ..column.clone() };
            down.push(Op::AddColumn {
                table: table.clone(),
                column: back,
                constraints: Vec::new(),
            });
            down.extend(column.default.clone().map(|expr| Op::SetDefault {
                table: table.clone(),
                column: column.name.clone(),
                expr,
            }));
            let (table, column) = (table.clone(), column.name.clone());
            verify.push(Condition::ColumnGone { table, column });
        }
        down.push(Op::CreateSync(sync.clone()));
        self.step(
            Phase::Contract,
            "contract",
            format!("{} dropped", self.replace.olds()),
            Unit::Transaction,
            up,
            Down::lossy(
                down,
                format!(
                    "The values of {} come back as the hint of the change computes them, not as they were.",
                    self.replace.olds()
                ),
            ),
            verify,
        )
    }

    /// Neither side follows from the other: a row not filled, or written past the trigger.
    fn in_step(&self) -> Condition {
        let sides: [&[Computed]; 2] = match &self.sync.kind {
            SyncKind::Replace { forward, backward } => [forward, backward],
            _ => [&[], &[]],
        };
        let differ = |one: &Computed| Predicate::Differs(one.column.clone(), one.expr.clone());
        Condition::NoRows {
            table: self.replace.table.clone(),
            filter: Predicate::And(
                sides.iter().map(|side| Predicate::any(side.iter().map(differ))).collect(),
            ),
            reason: Reason::OutOfStep,
        }
    }

    fn may_contract(&self) -> Vec<Condition> {
        let Rule { context, replace, sync } = self;
        let what = format!("{}.{}", replace.table.name, self.replace.olds());
        let date = context.policy.not_before;
        date.map(|date| Condition::NotBefore { date, what })
            .into_iter()
            .chain([sync::on(sync, Missing::Finish(1))])
            .collect()
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
        verify: Vec<Condition>,
    ) -> Step {
        Step {
            phase,
            table: self.replace.table.clone(),
            slug: slug.into(),
            title,
            unit,
            up,
            down,
            verify,
            model: Vec::new(),
        }
    }
}
