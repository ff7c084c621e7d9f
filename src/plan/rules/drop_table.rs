//! `DROP TABLE`.
//!
//! | deploy | what |
//! |---|---|
//! | 1 | nothing names the table any more: new code goes out |
//! | 2 | its foreign keys are dropped one by one, each in a short lock on the table it points to, then the table |
//!
//! As written it breaks running code, and takes the strongest lock on every table its keys point to, for
//! as long as the files take to go. What else uses it (a view, a function, a trigger elsewhere, a foreign
//! key that points at it) is refused by name.

use crate::catalog::{Constraint, ConstraintKind, Table, TableName};
use crate::change::{Change, DropTable};
use crate::dialect::{Action, quote};
use crate::error::Result;

use super::super::condition::Condition;
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::constrain::{not_valid, tables_of, validated};
use super::super::strategy::dependants::{IN_THE_WAY, functions_naming, using_table};
use super::super::{Down, Downtime, ModelChange, Phase, Step, Unit};

pub(super) fn steps(context: &Context, drop: &DropTable) -> Result<Vec<Step>> {
    let table = context.table(&drop.table);
    let rule = Rule { context, table };
    rule.refuse_what_uses_it()?;
    let mut steps = vec![rule.forget()];
    steps.extend(rule.keys().map(|key| rule.key(key)));
    steps.push(rule.contract());
    if context.policy.downtime != Downtime::None {
        // The application stands still: all at once.
        for step in &mut steps {
            step.phase = Phase::Expand;
        }
    }
    Ok(steps)
}

struct Rule<'c> {
    context: &'c Context<'c>,
    table: &'c Table,
}

impl Rule<'_> {
    fn refuse_what_uses_it(&self) -> Result<()> {
        let Rule { context, table } = self;
        let mut users = using_table(context.before, &table.name);
        users.extend(functions_naming(context.before, &table.name));
        let others = !users.is_empty();
        let mut first = Vec::new();
        for (from, constraint) in context.before.references_to(&table.name) {
            if from.name != table.name && !self.goes_before(&from.name) {
                let name = constraint.name.as_deref().unwrap_or("without a name");
                users.push(format!("the foreign key {name} of {}", from.name));
                first.push(self.without_key(from, constraint));
            }
        }
        if !users.is_empty() {
            let mut error = context.refuse(
                format!("`{}` is used by {}", table.name, users.join(" and ")),
                "cannot be dropped yet",
            );
            if others {
                error = error.hint(IN_THE_WAY);
            }
            if !first.is_empty() {
                error = error.hint(format!(
                    "first, as a rollout of its own: `{}`; when its last deploy is through, this one",
                    first.join("; ")
                ));
            }
            return Err(error);
        }
        let stale = context.before.triggers_of(&table.name).find(|(_, trigger)| trigger.stale);
        match stale {
            Some((name, _)) => Err(context
                .refuse(
                    format!("the text of the trigger {name} is not known any more"),
                    "there would be no way back",
                )
                .note("something that it names was renamed since")
                .hint("give a fresh dump of the schema: `--schema schema.sql`")),
            None => Ok(()),
        }
    }

    /// The statement that takes the key away; a column takes along the one that has no name.
    fn without_key(&self, from: &Table, key: &Constraint) -> String {
        let ident = |name: &str| quote::ident(self.context.server.dialect, name);
        let schema = from.name.schema.as_deref().map(|schema| format!("{}.", ident(schema)));
        let table = format!("{}{}", schema.unwrap_or_default(), ident(&from.name.name));
        match (&key.name, &key.kind) {
            (None, ConstraintKind::ForeignKey { columns, .. }) => {
                let drops: Vec<String> = columns
                    .iter()
                    .map(|column| format!("ALTER TABLE {table} DROP COLUMN {}", ident(column)))
                    .collect();
                drops.join("; ")
            }
            (name, _) => {
                let name = ident(name.as_deref().unwrap_or_default());
                format!("ALTER TABLE {table} DROP CONSTRAINT {name}")
            }
        }
    }

    /// The script drops the other table too, in an order in which its keys are not in the way.
    fn goes_before(&self, other: &TableName) -> bool {
        let position = |name: &TableName| {
            self.context.intent.asked.iter().position(
                |asked| matches!(&asked.change, Change::DropTable(drop) if drop.table == *name),
            )
        };
        match (position(other), position(&self.table.name)) {
            (Some(other), Some(own)) => self.context.can(Action::DropConstraint) || other < own,
            _ => false,
        }
    }

    /// Foreign keys to other tables that can be dropped by themselves.
    fn keys(&self) -> impl Iterator<Item = &Constraint> {
        let Rule { context, table } = self;
        table.constraints.iter().filter(|constraint| {
            matches!(&constraint.kind, ConstraintKind::ForeignKey { table: to, .. } if *to != table.name)
                && context.can(Action::DropConstraint)
        })
    }

    fn forget(&self) -> Step {
        let table = self.table.name.clone();
        Step {
            phase: Phase::Expand,
            slug: "forget".into(),
            title: format!("no code names {table} any more"),
            unit: Unit::Transaction,
            up: Vec::new(),
            down: Down::ops(Vec::new()),
            verify: Vec::new(),
            model: vec![ModelChange::RemoveModel { table: table.clone() }],
            table,
        }
    }

    fn key(&self, key: &Constraint) -> Step {
        let Rule { context, table } = self;
        let name = key.name.clone().unwrap_or_default();
        let mut up = context.lock(&tables_of(&table.name, key), Action::DropConstraint);
        up.push(Op::DropConstraint { table: table.name.clone(), name: name.clone() });
        let back = [not_valid(context, &table.name, key), validated(context, &table.name, key)];
        Step {
            phase: Phase::Check,
            table: table.name.clone(),
            slug: "foreign_key".into(),
            title: format!("drop {name}"),
            unit: Unit::Alone,
            up,
            down: Down::ops(back.into_iter().flat_map(|step| step.up).collect()),
            verify: Vec::new(),
            model: Vec::new(),
        }
    }

    fn contract(&self) -> Step {
        let Rule { context, table } = self;
        let name = &table.name;
        let left = self.without_keys();
        let date = context.policy.not_before;
        let mut up: Vec<Op> = date
            .map(|date| Op::Guard(vec![Condition::NotBefore { date, what: name.to_string() }]))
            .into_iter()
            .collect();
        up.extend(context.lock(&[name], Action::DropTable));
        up.push(Op::DropTable(Box::new(left.clone())));
        let mut down = vec![Op::CreateTable(Box::new(left))];
        down.extend(self.restored());
        Step {
            phase: Phase::Contract,
            table: name.clone(),
            slug: "contract".into(),
            title: format!("{name} is dropped"),
            unit: Unit::Transaction,
            up,
            down: Down::lossy(
                down,
                format!(
                    "The table comes back as the schema file has it, but empty: the rows of {name} are lost."
                ),
            ),
            verify: vec![Condition::NameFree { name: name.clone() }],
            model: Vec::new(),
        }
    }

    /// As it is when its keys are gone; each name is said, for the way back must find the same.
    fn without_keys(&self) -> Table {
        let mut left = self.table.clone();
        let keys: Vec<&Constraint> = self.keys().collect();
        left.constraints.retain(|constraint| !keys.contains(&constraint));
        for constraint in &mut left.constraints {
            constraint.named = constraint.name.is_some();
        }
        left
    }

    /// Triggers, policies and grants, by their own text.
    fn restored(&self) -> Vec<Op> {
        let Rule { context, table } = self;
        let name = &table.name;
        let restore = |trigger: Option<&str>, text: &str| Op::Restore {
            table: name.clone(),
            trigger: trigger.map(str::to_owned),
            text: text.to_owned(),
        };
        let triggers = context.before.triggers_of(name);
        let mut ops: Vec<Op> =
            triggers.map(|(trigger, of)| restore(Some(trigger), &of.origin.text)).collect();
        let others = context.before.others.iter().filter(|other| {
            let on = other.on.as_ref().is_some_and(|on| context.before.same_table(on, name));
            on || other.kind == "GRANT" && other.mentions.contains(&name.name)
        });
        ops.extend(others.map(|other| restore(None, &other.origin.text)));
        ops
    }
}
