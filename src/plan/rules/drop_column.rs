//! `ALTER TABLE … DROP COLUMN`.
//!
//! | deploy | what |
//! |---|---|
//! | 1 | nothing names the column any more: new code goes out; a required column without default becomes optional first |
//! | 2 | its indexes are dropped beside the writers, its constraints in a short lock, then the column |
//!
//! As written it breaks running code, which still reads the column. What else uses it (a view, a
//! trigger, a policy, a generated column, a foreign key that points at it) is refused by name: it has
//! to be changed first, by whoever knows what for.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Key};
use crate::change::{DefaultKind, DropColumn};
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::{Condition, Missing};
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::constrain::{
    all_given, built_as, further_options, not_valid, require_again, tables_of, unique_index,
    unique_name, validated,
};
use super::super::strategy::dependants::{IN_THE_WAY, in_primary_key, in_the_way};
use super::super::strategy::rebuild;
use super::super::{Down, Downtime, Field, ModelChange, Phase, Step, Unit};

pub(super) fn steps(context: &Context, drop: &DropColumn) -> Result<Vec<Step>> {
    let rule = Rule::of(context, drop)?;
    let (table, column) = (context.table(&drop.table), rule.column);
    if in_primary_key(table, &column.name) {
        return Err(context
            .refuse(format!("`{}` is part of the primary key", column.name), "cannot be dropped")
            .note("without it rows of the table could not be told apart"));
    }
    let in_the_way = in_the_way(context.before, &drop.table, &column.name);
    if !in_the_way.is_empty() {
        return Err(context
            .refuse(
                format!("`{}` is used by {}", column.name, in_the_way.join(" and ")),
                "cannot be dropped yet",
            )
            .hint(IN_THE_WAY));
    }
    if let Some(constraint) = rule.own_constraints().find(|c| further_options(c)) {
        let name = constraint.name.as_deref().unwrap_or("a unique constraint");
        return Err(context
            .refuse(format!("{name} has further options"), "its way back would not bring them")
            .hint("drop that constraint first, in a rollout of its own"));
    }
    if let Some(unique) = rule.filled_unique() {
        return Err(context
            .refuse(
                format!("`{}` has a default, and {unique} allows it once", column.name),
                "cannot be forgotten",
            )
            .note("new code does not name the column: its second row would have the same value")
            .hint("drop the default or that index first, in a rollout of its own"));
    }
    let mut steps = vec![rule.forget()];
    if rule.by_rebuild() {
        steps.push(rule.contract_by_rebuild());
    } else {
        steps.extend(rule.constraints());
        steps.extend(rule.indexes());
        steps.push(rule.contract());
    }
    if context.policy.downtime != Downtime::None {
        // The application stands still: all at once.
        for step in &mut steps {
            step.phase = Phase::Expand;
        }
    }
    Ok(steps)
}

/// What hangs on the column, dropped beside running writers before the column is.
pub(super) fn apart(context: &Context, drop: &DropColumn) -> Result<Vec<Step>> {
    let rule = Rule::of(context, drop)?;
    Ok(rule.constraints().into_iter().chain(rule.indexes()).collect())
}

/// The models without the column.
/// What brings the column back where a table is made anew, optional as it was before the drop.
pub(super) fn back(context: &Context, drop: &DropColumn) -> Result<Vec<Op>> {
    Ok(Rule::of(context, drop)?.back())
}

/// Whether the column must be made optional before code stops giving it.
pub(super) fn optional_first(context: &Context, drop: &DropColumn) -> Result<bool> {
    Ok(Rule::of(context, drop)?.optional_first())
}

pub(super) fn model(context: &Context, drop: &DropColumn) -> Option<ModelChange> {
    Some(Rule::of(context, drop).ok()?.removed())
}

struct Rule<'c> {
    context: &'c Context<'c>,
    drop: &'c DropColumn,
    column: &'c Column,
}

impl<'c> Rule<'c> {
    fn of(context: &'c Context<'c>, drop: &'c DropColumn) -> Result<Rule<'c>> {
        match context.table(&drop.table).column(&drop.column) {
            Some(column) => Ok(Rule { context, drop, column }),
            None => {
                Err(context.refuse("this script adds the column that it drops", "nothing is left"))
            }
        }
    }

    fn removed(&self) -> ModelChange {
        ModelChange::RemoveField {
            table: self.drop.table.clone(),
            field: self.field(),
            indexes: self.own_indexes().cloned().collect(),
        }
    }

    /// New code gives no value: a row without one must be possible; or the way back has none at first.
    fn optional_first(&self) -> bool {
        self.column.not_null
            && (self.column.default.is_none()
                || self.drop.default == DefaultKind::Volatile
                || self.context.policy.archive)
            && self.column.identity.is_none()
            && self.column.generated.is_none()
    }

    /// What keeps rows that leave the column to its default from being more than one.
    fn filled_unique(&self) -> Option<String> {
        let one =
            self.drop.default == DefaultKind::Constant || self.drop.default == DefaultKind::Stable;
        let alone = |keys: &[Key]| matches!(keys, [key] if key.column() == Some(&self.column.name));
        let index = self.own_indexes().find(|index| index.unique && alone(&index.keys));
        let constraint = self
            .own_constraints()
            .find(|c| matches!(&c.kind, ConstraintKind::Unique(keys) if alone(keys)));
        let index = index.map(|index| index.name.clone());
        index
            .or_else(|| constraint.map(|c| unique_name(&self.drop.table, c)))
            .filter(|_| one && self.column.default.is_some())
    }

    /// The column as it is while no code names it.
    fn unused(&self) -> Column {
        Column { not_null: self.column.not_null && !self.optional_first(), ..self.column.clone() }
    }

    /// Deploy 1.
    fn forget(&self) -> Step {
        let Rule { context, drop, column } = self;
        let (table, name) = (drop.table.clone(), column.name.clone());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut unit = Unit::Transaction;
        let mut note = None;
        if self.optional_first() {
            let loosen = Op::DropNotNull { table: table.clone(), column: name.clone() };
            if context.can(Action::DropNotNull) {
                unit = Unit::Alone;
                up = context.lock(&[&table], Action::DropNotNull);
                up.push(loosen);
                down = require_again(context, &table, &name);
            } else {
                unit = Unit::Rebuild;
                let tighten = Op::SetNotNull { table: table.clone(), column: name.clone() };
                up.push(rebuild::anew(&table, vec![loosen]));
                down.push(Op::Guard(vec![all_given(&table, &name)]));
                down.push(rebuild::anew(&table, vec![tighten]));
            }
            note = Some(format!(
                "Only while every row has a {name}: rows that new code wrote without one stand in the way, and must be \
                 given one first."
            ));
        }
        Step {
            phase: Phase::Expand,
            table: table.clone(),
            slug: "forget".into(),
            title: if up.is_empty() {
                format!("no code names {table}.{name} any more")
            } else {
                format!("{table}.{name} optional, no code names it any more")
            },
            unit,
            up,
            down: Down { ops: down, note, loses: false },
            verify: Vec::new(),
            model: vec![self.removed()],
        }
    }

    fn by_rebuild(&self) -> bool {
        let Rule { context, drop, column } = self;
        let constrained = context
            .table(&drop.table)
            .constraints
            .iter()
            .any(|c| c.uses(&column.name, context.server.dialect));
        // Empty, and with its default, which ADD COLUMN would give to every row.
        let comes_back_filled = match self.drop.default {
            DefaultKind::None => false,
            DefaultKind::Constant => context.policy.archive,
            _ => true,
        };
        let is_stored = column.generated.as_ref().is_some_and(|generated| generated.stored);
        let cannot_return = comes_back_filled && !context.can(Action::SetDefault)
            || is_stored && !context.can(Action::AddColumnRewrite);
        !context.can(Action::DropColumn)
            || cannot_return
            || constrained && !context.can(Action::DropColumnTakesIndexes)
    }

    fn own_constraints(&self) -> impl Iterator<Item = &Constraint> {
        let Rule { context, drop, column } = self;
        context
            .table(&drop.table)
            .constraints
            .iter()
            .filter(|c| c.uses(&column.name, context.server.dialect))
            // Goes with the column, and comes with NOT NULL.
            .filter(|c| !matches!(c.kind, ConstraintKind::NotNull(_)))
    }

    fn own_indexes(&self) -> impl Iterator<Item = &Index> {
        let Rule { context, drop, column } = self;
        let indexes = context.table(&drop.table).indexes.iter();
        indexes.filter(|index| index.uses(&column.name, context.server.dialect))
    }

    /// The column as the models have it.
    fn field(&self) -> Field {
        let name = |keys: &[Key]| matches!(keys, [key] if key.column() == Some(&self.column.name));
        let unique = self.own_constraints().find_map(|c| match &c.kind {
            ConstraintKind::Unique(keys) if name(keys) => Some(unique_name(&self.drop.table, c)),
            _ => None,
        });
        let references = self.own_constraints().find(
            |c| matches!(&c.kind, ConstraintKind::ForeignKey { columns, .. } if columns.len() == 1),
        );
        Field { column: self.column.clone(), unique, references: references.cloned() }
    }

    /// Each in a short lock of its own; the way back brings them without stopping writers.
    fn constraints(&self) -> Vec<Step> {
        let Rule { context, drop, .. } = self;
        let mut steps = Vec::new();
        for constraint in self.own_constraints() {
            let name = constraint.name.clone().unwrap_or_default();
            let mut up = context.lock(&tables_of(&drop.table, constraint), Action::DropConstraint);
            up.push(Op::DropConstraint { table: drop.table.clone(), name: name.clone() });
            let down = match unique_index(&drop.table, constraint) {
                Some(index) => {
                    let online = context.can(Action::CreateIndexOnline);
                    let first = Index { name: built_as(context, &name), ..index };
                    let built = first.name.clone();
                    let mut ops =
                        vec![Op::CreateIndex { table: drop.table.clone(), index: first, online }];
                    ops.extend(context.lock(&[&drop.table], Action::UniqueUsingIndex));
                    ops.push(Op::UsingIndex {
                        table: drop.table.clone(),
                        name: name.clone(),
                        index: built,
                        options: constraint.options.clone(),
                        primary: false,
                        comment: constraint.comment.clone(),
                    });
                    ops
                }
                None => [
                    not_valid(context, &drop.table, constraint),
                    validated(context, &drop.table, constraint),
                ]
                .into_iter()
                .flat_map(|step| step.up)
                .collect(),
            };
            steps.push(Step {
                phase: Phase::Check,
                table: drop.table.clone(),
                slug: "constraint".into(),
                title: format!("drop {name}"),
                unit: Unit::Alone,
                up,
                down: Down::ops(down),
                verify: Vec::new(),
                model: Vec::new(),
            });
        }
        steps
    }

    fn indexes(&self) -> Vec<Step> {
        let Rule { context, drop, .. } = self;
        let online = context.can(Action::DropIndexOnline);
        let valid = |name: &str| Condition::IndexValid {
            table: drop.table.clone(),
            name: name.to_owned(),
            missing: Missing::RunAgain,
        };
        self.own_indexes()
            .map(|index| {
                let (table, of) = (drop.table.clone(), index.clone());
                let mut down =
                    vec![Op::CreateIndex { table: table.clone(), index: of.clone(), online }];
                if online {
                    down.push(Op::Guard(vec![valid(&index.name)]));
                }
                Step {
                    phase: Phase::Check,
                    table: table.clone(),
                    slug: "index".into(),
                    title: format!("drop the index {}", index.name),
                    unit: if online { Unit::Alone } else { Unit::Transaction },
                    up: vec![Op::DropIndex { table, index: of, online }],
                    down: Down::ops(down),
                    verify: Vec::new(),
                    model: Vec::new(),
                }
            })
            .collect()
    }

    /// The way back adds the column empty, and its default apart where that would fill every row with
    /// something else than it had.
    fn contract(&self) -> Step {
        let Rule { context, drop, column } = self;
        let (table, name) = (drop.table.clone(), column.name.clone());
        let lock = context.lock(&[&table], Action::DropColumn);
        let mut up = self.not_before();
        up.extend(lock.clone());
        up.push(Op::DropColumn { table: table.clone(), column: name.clone() });
        let mut down = lock;
        let mut back = self.unused();
        let default = column
            .default
            .clone()
            .filter(|_| drop.default == DefaultKind::Volatile || context.policy.archive)
            .filter(|_| context.can(Action::SetDefault));
        if default.is_some() {
            back.default = None;
        }
        down.push(Op::AddColumn { table: table.clone(), column: back, constraints: Vec::new() });
        down.extend(default.map(|expr| Op::SetDefault {
            table: table.clone(),
            column: name.clone(),
            expr,
        }));
        self.last(Unit::Transaction, up, down)
    }

    fn contract_by_rebuild(&self) -> Step {
        let Rule { drop, column, .. } = self;
        let table = &drop.table;
        let gone = Op::DropColumn { table: table.clone(), column: column.name.clone() };
        let back = self.back();
        let mut up = self.not_before();
        up.push(rebuild::anew(table, vec![gone]));
        let empty = (column.name.clone(), Expr("NULL".into()));
        let copy = self.context.policy.archive.then_some(empty).into_iter().collect();
        let back = Op::Anew { table: table.clone(), edits: back, copy };
        self.last(Unit::Rebuild, up, vec![back])
    }

    /// The column as it was while no code named it, with what hung on it.
    fn back(&self) -> Vec<Op> {
        let table = &self.drop.table;
        let mut back = vec![Op::AddColumn {
            table: table.clone(),
            column: self.unused(),
            constraints: self.own_constraints().cloned().collect(),
        }];
        back.extend(self.own_indexes().map(|index| Op::CreateIndex {
            table: table.clone(),
            index: index.clone(),
            online: false,
        }));
        back
    }

    fn not_before(&self) -> Vec<Op> {
        let Rule { context, drop, column } = self;
        let what = format!("{}.{}", drop.table.name, column.name);
        let date = context.policy.not_before;
        date.map(|date| Op::Guard(vec![Condition::NotBefore { date, what }])).into_iter().collect()
    }

    fn last(&self, unit: Unit, up: Vec<Op>, down: Vec<Op>) -> Step {
        let Rule { drop, column, .. } = self;
        let (table, name) = (drop.table.clone(), column.name.clone());
        Step {
            phase: Phase::Contract,
            table: table.clone(),
            slug: "contract".into(),
            title: format!("{table}.{name} is dropped"),
            unit,
            up,
            down: if column.generated.is_some() {
                Down::noted(down, "Loses nothing: the column is computed again.")
            } else {
                Down::lossy(
                    down,
                    format!(
                        "The column comes back, but not what it held: the values of {name} are lost."
                    ),
                )
            },
            verify: vec![Condition::ColumnGone { table, column: name }],
            model: Vec::new(),
        }
    }
}
