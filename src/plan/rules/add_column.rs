//! `ALTER TABLE … ADD COLUMN`, with what later statements of the script say of the column.
//!
//! | column | PostgreSQL | SQLite |
//! |---|---|---|
//! | nullable, or with a constant default | as written, catalog only | as written, catalog only |
//! | default that is one value for all rows (`now()`) | as written, catalog only | rebuild |
//! | default of its own for each row | added empty, default set, backfill, NOT NULL by a proven CHECK | rebuild |
//! | that numbers or computes itself | `numbered.rs`, `generated.rs` | the same |
//! | one default for rows that are there, another or none afterwards | as written; a default that goes is old code's until deploy 2 | rebuild; the same |
//! | filled by an UPDATE | `add_column/filled.rs` | the same |
//! | NOT NULL, no default, no UPDATE | refused: the server would | refused |
//!
//! Inline parts are taken apart, for inline they read or index the table under the lock: CHECK and
//! REFERENCES go in not valid and are validated later, UNIQUE is built concurrently.

mod filled;

use std::collections::BTreeMap;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr};
use crate::change::{AddColumn, Asked, Change, DefaultKind};
use crate::dialect::{Action, quote};
use crate::error::Result;
use crate::input;

use super::super::condition::{Condition, Predicate, Reason};
use super::super::op::{Op, Sync};
use super::super::rows::Backfill;
use super::super::strategy::constrain::{
    not_null_check, not_valid, required, unique, unique_name, validated,
};
use super::super::strategy::{backfill_unit, rebuild};
use super::super::{Down, Field, ModelChange, Phase, Step, Unit};
use super::{Context, default, generated, numbered};

pub(super) fn steps(context: &Context, add: &AddColumn) -> Result<Vec<Step>> {
    let rule = Rule { context, add };
    let column = &add.column;
    if context.table(&add.table).partition_by.is_some() && !rule.only_in_the_catalog() {
        return Err(context
            .refuse(
                format!("`{}` is partitioned", add.table.name),
                "such a column is filled, indexed or proven in each partition",
            )
            .note("miggen does not plan that yet")
            .hint("plan the column alone, without UPDATE, keys and checks: the server adds it everywhere at once"));
    }
    if let Some(generated) = &column.generated {
        return generated::add(context, add, generated);
    }
    if column.identity.is_some() {
        return numbered::steps(context, add);
    }
    let late = |asked: &Asked| {
        matches!(&asked.change, Change::Update(update) if update.late && update.table == add.table
            && update.set.iter().any(|set| set.column == column.name))
    };
    if column.not_null && add.fill.is_none() && context.intent.asked.iter().any(late) {
        return Err(context
            .refuse(
                format!("`{}` is filled in deploy 2, from another table", column.name),
                "it cannot be required before",
            )
            .hint("plan SET NOT NULL when this rollout is through"));
    }
    if column.not_null && add.existing.is_none() && add.fill.is_none() {
        let quoted = |name: &str| quote::ident(context.server.dialect, name);
        let name = quoted(&column.name);
        return Err(context
            .refuse(
                format!("`{}` is required, but nothing says what existing rows get", column.name),
                "NOT NULL without a default",
            )
            .note("the server refuses this on a table with rows, and the running application does not give it")
            .hint(format!("a constant: `… {name} {} NOT NULL DEFAULT …`", column.ty))
            .hint(format!("computed:   `UPDATE {} SET {name} = …;` in the same script", quoted(&add.table.name))));
    }
    let can_rebuild = context.can(Action::Rebuild);
    let changes =
        add.existing.as_ref() != add.column.default.as_ref().filter(|text| !text.is_null());
    match (&add.fill, add.default) {
        (Some(fill), _) => rule.filled(fill),
        (None, DefaultKind::Stable | DefaultKind::Volatile) if changes => Err(context
            .refuse(
                format!(
                    "`{}` has one default for existing rows and another afterwards",
                    column.name
                ),
                "which is no constant",
            )
            .hint("plan the second in a rollout of its own")),
        (None, DefaultKind::Volatile) if !can_rebuild => rule.own_value_each(),
        (None, DefaultKind::Stable | DefaultKind::Volatile) if can_rebuild => Ok(rule.rebuilt()),
        // SQLite refuses a reference with a value while foreign keys are on.
        (None, DefaultKind::Constant) if can_rebuild && add.references.is_some() => {
            Ok(rule.rebuilt())
        }
        (None, _) if changes => rule.other_default(),
        (None, _) => rule.in_place(),
    }
}

/// As written; UNIQUE, foreign key and CHECKs behind it, apart.
pub(super) fn at_once(context: &Context, add: &AddColumn) -> Result<Vec<Step>> {
    Rule { context, add }.in_place()
}

pub(super) fn by_rebuild(context: &Context, add: &AddColumn) -> Vec<Step> {
    Rule { context, add }.rebuilt()
}

/// The default gives each row a value of its own.
pub(super) fn valued_each(context: &Context, add: &AddColumn) -> Result<Vec<Step>> {
    Rule { context, add }.own_value_each()
}

/// What follows once a column that another rule brought is filled: UNIQUE, foreign key, CHECKs, NOT
/// NULL.
pub(super) fn enforced(context: &Context, add: &AddColumn) -> Result<Vec<Step>> {
    Rule { context, add }.enforce(add.column.not_null)
}

/// The column in the models, as it is in the end.
pub(super) fn model(add: &AddColumn) -> ModelChange {
    let unique = add.unique.as_ref().map(|unique| unique_name(&add.table, unique));
    let field = Field { column: add.column.clone(), unique, references: add.references.clone() };
    ModelChange::AddField { table: add.table.clone(), field }
}

struct Rule<'c> {
    context: &'c Context<'c>,
    add: &'c AddColumn,
}

impl Rule<'_> {
    /// The server looks at no row, and nothing follows.
    fn only_in_the_catalog(&self) -> bool {
        let AddColumn { column, fill, unique, references, checks, default, existing, .. } =
            self.add;
        let computes = column.generated.is_some() || column.identity.is_some();
        let one_default = *default != DefaultKind::Volatile
            && existing.as_ref() == column.default.as_ref().filter(|text| !text.is_null());
        let apart = fill.is_some() || unique.is_some() || references.is_some();
        !computes && one_default && !apart && checks.is_empty()
    }

    fn in_place(&self) -> Result<Vec<Step>> {
        let mut steps = vec![self.expand(self.add.column.clone(), Vec::new(), Vec::new(), true)];
        steps.extend(self.enforce(false)?);
        Ok(steps)
    }

    /// Rows that are there get one default, and new ones another or none.
    fn other_default(&self) -> Result<Vec<Step>> {
        let Rule { context, add } = self;
        let (table, column) = (add.table.clone(), add.column.name.clone());
        let existing = Column { default: add.existing.clone(), ..add.column.clone() };
        let Some(expr) = add.column.default.clone() else {
            let mut steps = vec![self.expand(existing, Vec::new(), Vec::new(), true)];
            steps.extend(self.enforce(false)?);
            if let Some(was) = &add.existing {
                steps.extend(default::dropped(context, &table, &column, was));
            }
            return Ok(steps);
        };
        if !context.can(Action::SetDefault) {
            return Ok(self.rebuilt());
        }
        let later = vec![Op::SetDefault { table, column, expr }];
        let mut steps = vec![self.expand(existing, Vec::new(), later, true)];
        steps.extend(self.enforce(false)?);
        Ok(steps)
    }

    /// A volatile default: new rows get it at once, existing ones in batches.
    fn own_value_each(&self) -> Result<Vec<Step>> {
        let Rule { add, .. } = self;
        let column = &add.column;
        let Some(default) = column.default.clone() else {
            return self.in_place();
        };
        let empty = Column { not_null: false, default: None, ..column.clone() };
        // Apart from ADD COLUMN, which would write every row under the lock.
        let tail = vec![Op::SetDefault {
            table: add.table.clone(),
            column: column.name.clone(),
            expr: default.clone(),
        }];
        let mut steps = vec![self.expand(empty, Vec::new(), tail, true)];
        let left = Predicate::IsNull(column.name.clone());
        steps.push(self.backfill(vec![(column.name.clone(), default)], left, None)?);
        if column.not_null {
            // Only now: a CHECK that is not valid yet still fails any UPDATE of an unfilled row.
            let mut up = self.context.lock(&[&add.table], Action::AddCheckNotValid);
            let mut down = up.clone();
            let check = self.not_null_check();
            down.push(Op::DropConstraint {
                table: add.table.clone(),
                name: check.name.clone().unwrap_or_default(),
            });
            up.push(Op::AddConstraint { table: add.table.clone(), constraint: check });
            steps.push(Step {
                phase: Phase::Constrain,
                table: add.table.clone(),
                slug: "constrain".into(),
                title: format!("{}.{} not null, from now on", add.table, column.name),
                unit: Unit::Transaction,
                up,
                down: Down::ops(down),
                verify: Vec::new(),
                model: Vec::new(),
            });
        }
        steps.extend(self.enforce(column.not_null)?);
        Ok(steps)
    }

    /// What ALTER TABLE cannot add, added by making the table anew.
    fn rebuilt(&self) -> Vec<Step> {
        let Rule { add, .. } = self;
        let table = add.table.clone();
        let added = Op::AddColumn {
            table: table.clone(),
            column: add.column.clone(),
            constraints: self.inline_constraints(),
        };
        let existing = add.existing.clone().unwrap_or(Expr("NULL".into()));
        let copy = BTreeMap::from([(add.column.name.clone(), existing)]);
        let up = Op::Anew { table: table.clone(), edits: vec![added], copy };
        let dropped = Op::DropColumn { table: table.clone(), column: add.column.name.clone() };
        let down = rebuild::anew(&table, vec![dropped]);
        let mut steps = vec![Step {
            phase: Phase::Expand,
            table: add.table.clone(),
            slug: "expand".into(),
            title: format!("{}.{}, by making the table anew", add.table, add.column.name),
            unit: Unit::Rebuild,
            up: vec![up],
            down: Down::ops(vec![down]),
            verify: vec![self.exists()],
            model: vec![self.add_field(true)],
        }];
        steps.extend(self.unique_step());
        steps
    }

    /// The column, in one short transaction.
    fn expand(
        &self,
        column: Column,
        mut constraints: Vec<Constraint>,
        tail: Vec<Op>,
        model_as_wanted: bool,
    ) -> Step {
        let Rule { context, add } = self;
        let lock = context.lock(&[&add.table], Action::AddColumn);
        constraints.extend(if context.can(Action::AddCheckNotValid) {
            add.checks.iter().map(|c| Constraint { valid: false, ..c.clone() }).collect()
        } else {
            self.inline_constraints()
        });
        let mut up: Vec<Op> = self.default_fits(&column).map(|one| Op::Guard(vec![one])).collect();
        up.extend(lock.clone());
        up.push(Op::AddColumn { table: add.table.clone(), column: column.clone(), constraints });
        up.extend(tail);
        let mut down = lock;
        down.push(Op::DropColumn { table: add.table.clone(), column: column.name });
        Step {
            phase: Phase::Expand,
            table: add.table.clone(),
            slug: "expand".into(),
            title: format!("{}.{}", add.table, add.column.name),
            unit: Unit::Transaction,
            up,
            down: Down::ops(down),
            verify: vec![self.exists()],
            model: vec![self.add_field(model_as_wanted)],
        }
    }

    /// The server would find out by reading the table, which comes later here.
    fn default_fits(&self, column: &Column) -> impl Iterator<Item = Condition> {
        let Rule { context, add } = self;
        let dialect = context.server.dialect;
        let default = column.default.clone().filter(|_| {
            add.default == DefaultKind::Constant && context.can(Action::AddCheckNotValid)
        });
        let name = column.name.clone();
        let ty = column.ty.clone();
        add.checks.iter().filter_map(move |constraint| {
            let ConstraintKind::Check(check) = &constraint.kind else { return None };
            let alone = input::expr::read(&check.0, dialect)
                .is_some_and(|facts| facts.columns.iter().all(|read| *read == name));
            Some(Condition::DefaultFits {
                table: add.table.clone(),
                column: name.clone(),
                ty: ty.clone(),
                default: default.clone()?,
                check: check.clone(),
                name: constraint.name.clone()?,
            })
            .filter(|_| alone)
        })
    }

    fn backfill(
        &self,
        set: Vec<(String, Expr)>,
        filter: Predicate,
        sync: Option<&Sync>,
    ) -> Result<Step> {
        let Rule { context, add } = self;
        let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        let title = format!("fill {}", names.join(", "));
        let backfill = Backfill {
            table: add.table.clone(),
            walk: context.walk(&add.table)?,
            set,
            remaining: filter.clone(),
            sync: sync.map(|sync| sync.name.clone()),
        };
        Ok(Step {
            phase: Phase::Backfill,
            table: add.table.clone(),
            slug: "backfill".into(),
            title,
            unit: backfill_unit(context.server),
            up: vec![Op::Backfill(backfill)],
            down: Down::noted(Vec::new(), "Nothing to undo: the values go with their column."),
            verify: vec![Condition::NoRows {
                table: add.table.clone(),
                filter,
                reason: Reason::Left,
            }],
            model: Vec::new(),
        })
    }

    /// Unique index and constraint, foreign key, validated CHECKs, NOT NULL.
    fn enforce(&self, not_null: bool) -> Result<Vec<Step>> {
        let Rule { context, add } = self;
        let mut steps: Vec<Step> = self.unique_step().into_iter().collect();
        if !context.can(Action::ValidateCheck) {
            return Ok(steps);
        }
        steps.extend(add.references.iter().map(|key| not_valid(context, &add.table, key)));
        for constraint in add.checks.iter().chain(&add.references) {
            if constraint.name.is_none() {
                return Err(context
                    .refuse("miggen needs a name for each constraint of this column", "unnamed")
                    .hint("CONSTRAINT name …"));
            }
            steps.push(validated(context, &add.table, constraint));
        }
        if not_null {
            steps.push(required(context, &add.table, &add.column.name));
        }
        Ok(steps)
    }

    fn unique_step(&self) -> Option<Step> {
        unique(self.context, &self.add.table, self.add.unique.as_ref()?)
    }

    fn not_null_check(&self) -> Constraint {
        not_null_check(self.context.server, &self.add.table, &self.add.column.name)
    }

    /// Where the server takes CHECK and REFERENCES with the column, they come with it.
    fn inline_constraints(&self) -> Vec<Constraint> {
        self.add.checks.iter().chain(&self.add.references).cloned().collect()
    }

    fn exists(&self) -> Condition {
        Condition::ColumnExists {
            table: self.add.table.clone(),
            column: self.add.column.name.clone(),
        }
    }

    fn field(&self, column: Column) -> Field {
        Field {
            column,
            unique: self.add.unique.as_ref().map(|unique| unique_name(&self.add.table, unique)),
            references: self.add.references.clone(),
        }
    }

    fn add_field(&self, as_wanted: bool) -> ModelChange {
        let column = &self.add.column;
        let column = Column { not_null: column.not_null && as_wanted, ..column.clone() };
        ModelChange::AddField { table: self.add.table.clone(), field: self.field(column) }
    }
}
