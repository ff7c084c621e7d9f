//! `--dual-write app`: a rename, a split or a merge without a trigger, for applications that write both
//! forms themselves.
//!
//! | deploy | database | then the application |
//! |---|---|---|
//! | 1 | the new columns, empty and optional | writes both, reads the old |
//! | 2 | rows in which they differ are filled, then indexed, checked and required; the old columns become optional | reads the new and writes both; then, in another release, the new only |
//! | 3 | the old columns go; what was built beside them takes its name | |
//!
//! Until deploy 2 the old columns are right in every row, whoever wrote it: so all that differs is
//! filled, and not only what is empty.

use crate::catalog::{
    Column, Constraint, ConstraintKind, Expr, Index, TableName, usual_not_null_name,
};
use crate::change::{AddColumn, DefaultKind, DropColumn, Fill, RenameColumn, Replace};
use crate::dialect::Action;
use crate::error::{Error, Result};

use super::super::condition::{Condition, Predicate, Reason};
use super::super::context::Context;
use super::super::op::Op;
use super::super::rows::Backfill;
use super::super::strategy::constrain::{
    further_options, not_null_check, not_valid, require_again, unique_name,
};
use super::super::strategy::dependants::{in_primary_key, in_the_way};
use super::super::strategy::{backfill_unit, named};
use super::super::{Down, ModelChange, Phase, Step, Unit, column_expr};
use super::{add_column, create_index, drop_column};
use crate::change::CommentOn;

pub(super) fn replace(context: &Context, replace: &Replace) -> Result<Vec<Step>> {
    let rule = Rule { context, replace, indexes: Vec::new(), names: Vec::new() };
    rule.steps()
}

pub(super) fn rename(context: &Context, rename: &RenameColumn) -> Result<Vec<Step>> {
    let (table, from) = (context.table(&rename.table), &rename.from);
    let Some(old) = table.column(from) else {
        return Err(context.refuse("this script adds the column that it renames", "say it there"));
    };
    if let Some(why) = not_twice(context, rename, old) {
        return Err(cannot(context, from, &why));
    }
    let dialect = context.server.dialect;
    let aside = |name: &str| named(name, "_new");
    let mut indexes = Vec::new();
    let mut names = Vec::new();
    for index in table.indexes.iter().filter(|index| index.uses(from, dialect)) {
        let Some(after) = context.intent.after.tables[&rename.table].index(&index.name) else {
            return Err(Error::bug("an index goes with a rename"));
        };
        indexes.push(Index { name: aside(&index.name), ..after.clone() });
        names.push(Renamed::Index { index: after.clone(), aside: aside(&index.name) });
    }
    let mut new = AddColumn {
        table: rename.table.clone(),
        existing: None,
        default: DefaultKind::None,
        column: Column { name: rename.to.clone(), ..old.clone() },
        unique: None,
        checks: Vec::new(),
        references: None,
        fill: Some(Fill {
            expr: column_expr(context.server, from),
            sources: vec![from.clone()],
            needs: Some(vec![from.clone()]),
            typed: true,
            span: context.asked.span,
        }),
    };
    for constraint in table.constraints.iter().filter(|c| c.uses(from, dialect)) {
        let name = match constraint.kind {
            ConstraintKind::NotNull(_) => continue,
            ConstraintKind::Unique(_) => unique_name(&rename.table, constraint),
            _ => constraint.name.clone().unwrap_or_default(),
        };
        let Some(after) = context.intent.after.tables[&rename.table].constraint(&name) else {
            return Err(cannot(context, from, "a constraint on it has no name"));
        };
        let copy = Constraint { name: Some(aside(&name)), named: true, ..after.clone() };
        match copy.kind {
            ConstraintKind::Unique(_) => new.unique = Some(copy),
            _ => new.checks.push(copy),
        }
        names.push(Renamed::Constraint { aside: aside(&name), name });
    }
    if old.not_null && context.can(Action::RenameNotNull) {
        names.push(Renamed::NotNull {
            column: rename.to.clone(),
            aside: usual_not_null_name(&rename.table, &rename.to),
            name: table.not_null_name(from),
        });
    }
    let drop = DropColumn {
        table: rename.table.clone(),
        column: from.clone(),
        default: DefaultKind::None,
        back: None,
    };
    let replace = Replace {
        table: rename.table.clone(),
        old: vec![(drop, column_expr(context.server, &rename.to))],
        new: vec![new],
    };
    Rule { context, replace: &replace, indexes, names }.steps()
}

fn cannot(context: &Context, column: &str, why: &str) -> Error {
    context.refuse(format!("`{column}` cannot stand twice: {why}"), "with --dual-write app").hint(
        "leave out `--dual-write app`: with a trigger the column itself is renamed in the end",
    )
}

/// What a second column of the same kind could not have, or not have at the same time.
fn not_twice(context: &Context, rename: &RenameColumn, old: &Column) -> Option<String> {
    let table = context.table(&rename.table);
    let dialect = context.server.dialect;
    let grants = context.before.others.iter().any(|other| {
        other.kind == "GRANT"
            && other.mentions.contains(&rename.table.name)
            && other.mentions.contains(&rename.from)
    });
    let index = table.indexes.iter().find(|index| {
        let computes = index.keys.iter().any(|key| key.column().is_none());
        index.uses(&rename.from, dialect) && (index.filter.is_some() || computes)
    });
    let mut uniques = 0;
    let constraint = table.constraints.iter().filter(|c| c.uses(&rename.from, dialect)).find(|c| {
        match &c.kind {
            ConstraintKind::Unique(keys) => {
                uniques += 1;
                keys.len() > 1 || further_options(c) || uniques > 1
            }
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => false,
            _ => true,
        }
    });
    let name = |name: Option<&str>| name.unwrap_or("a constraint").to_owned();
    if in_primary_key(table, &rename.from) {
        Some("it is part of the primary key".into())
    } else if old.generated.is_some() || old.identity.is_some() {
        Some("it gets its values by itself".into())
    } else if grants {
        Some("a GRANT names it".into())
    } else if let Some(index) = index {
        Some(format!("the index {} computes with it", index.name))
    } else {
        constraint.map(|c| format!("{} would have to stand twice", name(c.name.as_deref())))
    }
}

/// What is built beside, and takes its name when that is free.
enum Renamed {
    Index { index: Index, aside: String },
    Constraint { aside: String, name: String },
    NotNull { column: String, aside: String, name: String },
}

struct Rule<'c> {
    context: &'c Context<'c>,
    replace: &'c Replace,
    /// Of the old columns, to be built on the new ones.
    indexes: Vec<Index>,
    names: Vec<Renamed>,
}

impl Rule<'_> {
    fn steps(&self) -> Result<Vec<Step>> {
        let Rule { context, replace, .. } = self;
        if !context.can(Action::TriggerSetsNew) {
            return Err(context
                .refuse("miggen does not plan --dual-write app for this server yet", "here")
                .hint("leave out `--dual-write app`, or two rollouts: add the new, drop the old"));
        }
        for old in self.old_columns() {
            let in_the_way = in_the_way(context.before, &replace.table, &old.name);
            if !in_the_way.is_empty() {
                let why = format!("it is used by {}", in_the_way.join(" and "));
                return Err(cannot(context, &old.name, &why));
            }
        }
        let columns = self.old_columns().chain(replace.new.iter().map(|new| &new.column));
        context.refuse_incomparable(columns)?;
        let mut steps = vec![self.expand(), self.backfill()?];
        let built = |index| create_index::built(context, &replace.table, index);
        steps.extend(self.indexes.iter().map(built));
        for new in &replace.new {
            if new.column.not_null {
                steps.push(self.given(new));
            }
            steps.extend(add_column::enforced(context, new)?);
        }
        steps.extend(self.loosen());
        steps.push(self.filled_back()?);
        for (drop, _) in &replace.old {
            steps.extend(drop_column::apart(context, drop)?);
        }
        steps.push(self.contract());
        Ok(steps)
    }

    fn old_columns(&self) -> impl Iterator<Item = &Column> {
        self.replace.old_columns(self.context.table(&self.replace.table))
    }

    fn expand(&self) -> Step {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let guards = self.old_columns().map(|column| Condition::ColumnIs {
            table: table.clone(),
            column: column.name.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null,
        });
        let lock = context.lock(&[table], Action::AddColumn);
        let mut up = vec![Op::Guard(guards.collect())];
        up.extend(lock.clone());
        let mut down = lock;
        let (mut verify, mut model) = (Vec::new(), Vec::new());
        for new in &replace.new {
            let column = &new.column;
            up.push(Op::AddColumn {
                table: table.clone(),
                column: Column { not_null: false, default: None, comment: None, ..column.clone() },
                constraints: new
                    .checks
                    .iter()
                    .map(|check| Constraint { valid: false, ..check.clone() })
                    .collect(),
            });
            // Apart: with the column it would fill every row.
            up.extend(column.default.clone().map(|expr| Op::SetDefault {
                table: table.clone(),
                column: column.name.clone(),
                expr,
            }));
            up.extend(column.comment.clone().map(|text| Op::Comment {
                on: CommentOn::Column(table.clone(), column.name.clone()),
                text: Some(text),
            }));
            down.push(Op::DropColumn { table: table.clone(), column: column.name.clone() });
            let optional = Column { not_null: false, ..column.clone() };
            model.push(add_column::model(&AddColumn { column: optional, ..new.clone() }));
            let (table, column) = (table.clone(), column.name.clone());
            verify.push(Condition::ColumnExists { table, column });
        }
        let note = format!("Loses nothing: {} holds every value.", self.replace.olds());
        let title = format!("{}, for the application to write", self.replace.news());
        let mut step = self.step(
            Phase::Expand,
            "expand",
            title,
            Unit::Transaction,
            up,
            Down::noted(down, note),
        );
        step.verify = verify;
        step.model = model;
        step
    }

    fn fills(&self) -> Vec<(String, Expr)> {
        let fill =
            |new: &AddColumn| Some((new.column.name.clone(), new.fill.as_ref()?.expr.clone()));
        self.replace.new.iter().filter_map(fill).collect()
    }

    fn differing(fills: &[(String, Expr)]) -> Predicate {
        let differs =
            |(name, expr): &(String, Expr)| Predicate::Differs(name.clone(), expr.clone());
        Predicate::any(fills.iter().map(differs))
    }

    fn backfill(&self) -> Result<Step> {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let set = self.fills();
        let remaining = Self::differing(&set);
        let no_value = replace.new.iter().filter_map(|new| {
            let fill = new.fill.as_ref().filter(|_| new.column.not_null)?;
            let filter = Predicate::ExprIsNull(fill.expr.clone());
            let reason = Reason::NoValue { column: new.column.name.clone() };
            Some(Condition::NoRows { table: table.clone(), filter, reason })
        });
        let guards: Vec<Condition> = no_value.collect();
        let mut up = Vec::new();
        if !guards.is_empty() {
            up.push(Op::Guard(guards));
        }
        up.push(Op::Backfill(Backfill {
            table: table.clone(),
            walk: context.walk(table)?,
            set,
            remaining,
            sync: None,
        }));
        let mut step = self.step(
            Phase::Backfill,
            "backfill",
            format!("fill {} where it differs", self.replace.news()),
            backfill_unit(context.server),
            up,
            Down::noted(
                Vec::new(),
                format!(
                    "Only while no release C has written: what it writes into {news} alone, {olds} does not have, and this \
                     backfill, run again, would overwrite. After that: release B first, then an UPDATE of {olds} where they differ.",
                    news = self.replace.news(),
                    olds = self.replace.olds(),
                ),
            ),
        );
        step.verify = vec![self.filled()];
        Ok(step)
    }

    fn filled(&self) -> Condition {
        let (table, filter) = (self.replace.table.clone(), Self::differing(&self.fills()));
        Condition::NoRows { table, filter, reason: Reason::Left }
    }

    /// In force for new rows; every release that runs gives the column.
    fn given(&self, new: &AddColumn) -> Step {
        let (table, column) = (&new.table, &new.column.name);
        let check = not_null_check(self.context.server, table, column);
        let mut step = not_valid(self.context, table, &check);
        step.up.insert(0, Op::Guard(vec![self.filled()]));
        step.slug = "required".into();
        let field = add_column::model(new);
        if let ModelChange::AddField { table, field } = field {
            let mut before = field.clone();
            before.column.not_null = false;
            step.model = vec![ModelChange::AlterField { table, before, field }];
        }
        step
    }

    /// The last release before deploy 3 does not write them any more.
    fn loosen(&self) -> Option<Step> {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for column in self.old_columns().filter(|column| column.not_null) {
            let column = column.name.clone();
            up.extend(context.lock(&[table], Action::DropNotNull));
            down.extend(require_again(context, table, &column));
            up.push(Op::DropNotNull { table: table.clone(), column });
        }
        if up.is_empty() {
            return None;
        }
        let title = format!("{} optional", self.replace.olds());
        Some(self.step(Phase::Enforce, "optional", title, Unit::Alone, up, Down::ops(down)))
    }

    /// Its down fills the old columns, which the contract's has added.
    fn filled_back(&self) -> Result<Step> {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let set: Vec<(String, Expr)> =
            replace.old.iter().map(|(drop, back)| (drop.column.clone(), back.clone())).collect();
        let back = Op::Backfill(Backfill {
            table: table.clone(),
            walk: context.walk(table)?,
            remaining: Self::differing(&set),
            set,
            sync: None,
        });
        let date = context.policy.not_before;
        let what = format!("{}.{}", table.name, self.replace.olds());
        let mut guards: Vec<Condition> =
            date.map(|date| Condition::NotBefore { date, what }).into_iter().collect();
        guards.extend(replace.new.iter().map(|new| Condition::ColumnExists {
            table: table.clone(),
            column: new.column.name.clone(),
        }));
        Ok(self.step(
            Phase::Check,
            "check",
            format!("check that {} may go", self.replace.olds()),
            Unit::Alone,
            vec![Op::Guard(guards)],
            Down::noted(
                vec![back],
                format!("Part of the way back: computes {} again.", self.replace.olds()),
            ),
        ))
    }

    fn contract(&self) -> Step {
        let Rule { context, replace, .. } = self;
        let table = &replace.table;
        let lock = context.lock(&[table], Action::DropColumn);
        let (mut up, mut down) = (lock.clone(), lock);
        let (mut verify, mut model) = (Vec::new(), Vec::new());
        for (drop, _) in &replace.old {
            model.extend(drop_column::model(context, drop));
        }
        for column in self.old_columns() {
            up.push(Op::DropColumn { table: table.clone(), column: column.name.clone() });
            let back = Column { not_null: false, ..column.clone() };
            verify
                .push(Condition::ColumnGone { table: table.clone(), column: column.name.clone() });
            down.push(Op::AddColumn {
                table: table.clone(),
                column: Column { default: None, ..back },
                constraints: Vec::new(),
            });
            down.extend(column.default.clone().map(|expr| Op::SetDefault {
                table: table.clone(),
                column: column.name.clone(),
                expr,
            }));
        }
        for renamed in &self.names {
            let (there, back) = renamed.ops(table);
            up.push(there);
            down.insert(down.iter().take_while(|op| matches!(op, Op::Lock { .. })).count(), back);
            if let Renamed::Index { index, .. } = renamed {
                model.push(ModelChange::AddIndex { table: table.clone(), index: index.clone() });
            }
        }
        let note = format!(
            "Loses nothing: what stood in {} is computed again from {}.",
            self.replace.olds(),
            self.replace.news()
        );
        let title = format!("{} dropped", self.replace.olds());
        let mut step = self.step(
            Phase::Contract,
            "contract",
            title,
            Unit::Transaction,
            up,
            Down::noted(down, note),
        );
        step.verify = verify;
        step.model = model;
        step
    }

    fn step(
        &self,
        phase: Phase,
        slug: &str,
        title: String,
        unit: Unit,
        up: Vec<Op>,
        down: Down,
    ) -> Step {
        Step {
            phase,
            table: self.replace.table.clone(),
            slug: slug.into(),
            title,
            unit,
            up,
            down,
            verify: Vec::new(),
            model: Vec::new(),
        }
    }
}

impl Renamed {
    /// To the name that is free now, and back.
    fn ops(&self, table: &TableName) -> (Op, Op) {
        match self {
            Renamed::Index { index, aside } => {
                let rename = |from: &str, to: &str| Op::RenameIndex {
                    table: table.clone(),
                    index: Index { name: from.to_owned(), ..index.clone() },
                    to: to.to_owned(),
                };
                (rename(aside, &index.name), rename(&index.name, aside))
            }
            Renamed::NotNull { column, aside, name } => {
                let rename = |from: &str, to: &str| Op::RenameNotNull {
                    table: table.clone(),
                    column: column.clone(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                };
                (rename(aside, name), rename(name, aside))
            }
            Renamed::Constraint { aside, name } => {
                let rename = |from: &str, to: &str| Op::RenameConstraint {
                    table: table.clone(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                };
                (rename(aside, name), rename(name, aside))
            }
        }
    }
}
