//! `ALTER TABLE … RENAME TO`.
//!
//! As written it breaks the running application in the same instant. With `--downtime` that is what is
//! planned, for it is instant. Without:
//!
//! | deploy | what |
//! |---|---|
//! | 1 | in one short transaction the table takes the new name, and a view of it the old one, with the same owner and grants |
//! | 2 | the view goes |
//!
//! Rows are written through the view as if it were the table: defaults, identity, RETURNING,
//! ON CONFLICT (columns), FOR UPDATE. What a view cannot do is said as a risk. A view of SQLite takes
//! no writes by itself, so there the rename needs downtime.
//!
//! The way back of deploy 1 locks the view first and the table after it, in the order in which queries
//! through the view lock them.

use crate::catalog::TableName;
use crate::change::RenameTable;
use crate::dialect::Action;
use crate::error::Result;

use super::super::condition::Condition;
use super::super::context::Context;
use super::super::op::Op;
use super::super::strategy::dependants::functions_naming;
use super::super::{Down, Downtime, ModelChange, Phase, Step, Unit};

pub(super) fn steps(context: &Context, rename: &RenameTable) -> Result<Vec<Step>> {
    let rule = Rule { context, rename };
    if context.policy.downtime != Downtime::None {
        return Ok(vec![rule.direct()]);
    }
    rule.refuse_what_needs_a_window()?;
    Ok(vec![rule.expand(), rule.contract()])
}

struct Rule<'c> {
    context: &'c Context<'c>,
    rename: &'c RenameTable,
}

impl Rule<'_> {
    fn refuse_what_needs_a_window(&self) -> Result<()> {
        let Rule { context, rename } = self;
        let short = "`--downtime 5m` plans the plain rename, in one moment with the application";
        let from = &rename.from;
        if !context.can(Action::ViewStandsIn) {
            return Err(context
                .refuse(
                    format!("`{}` cannot have two names for a while", from.name),
                    "without downtime",
                )
                .note(format!(
                    "a view of {} takes writes only by triggers, and these hide RETURNING and the new row's id",
                    context.server.title()
                ))
                .hint(short));
        }
        let functions = functions_naming(context.before, from);
        if !functions.is_empty() {
            return Err(context
                .refuse(
                    format!("{} names `{}`", functions.join(" and "), from.name),
                    "a rename does not reach into its body",
                )
                .note("it would fail from deploy 2 on, when the old name goes")
                .hint("replace the function by one that uses the new name, in a window of its own")
                .hint(short));
        }
        if self.has_policies() && !context.can(Action::ViewAsInvoker) {
            return Err(context
                .refuse(
                    format!("`{}` has row-level security", from.name),
                    "a view would pass it by",
                )
                .note("from PostgreSQL 15 on a view can ask in the name of who uses it")
                .hint(short));
        }
        Ok(())
    }

    fn has_policies(&self) -> bool {
        let before = self.context.before;
        before.others.iter().any(|other| {
            other.kind == "CREATE POLICY"
                && other.on.as_ref().is_some_and(|on| before.same_table(on, &self.rename.from))
        })
    }

    /// Only where rows are filtered by who asks: a role that may read some columns alone could read
    /// none through such a view.
    fn as_invoker(&self) -> bool {
        self.has_policies() && self.context.can(Action::ViewAsInvoker)
    }

    fn rename_op(from: &TableName, to: &TableName) -> Op {
        Op::RenameTable { from: from.clone(), to: to.clone() }
    }

    fn stand_in(&self) -> Op {
        let RenameTable { from, to } = self.rename;
        Op::CreateStandIn { name: from.clone(), table: to.clone(), as_invoker: self.as_invoker() }
    }

    fn model(&self) -> ModelChange {
        let RenameTable { from, to } = self.rename;
        let references = self.context.before.references_to(from);
        ModelChange::RenameModel {
            from: from.clone(),
            to: to.clone(),
            references: references.map(|(of, key)| (of.name.clone(), key.clone())).collect(),
        }
    }

    /// The rename itself, in one moment.
    fn direct(&self) -> Step {
        let RenameTable { from, to } = self.rename;
        let with_lock = |table: &TableName, op: Op| {
            let mut ops = self.context.lock(&[table], Action::RenameTable);
            ops.push(op);
            ops
        };
        Step {
            phase: Phase::Expand,
            table: from.clone(),
            slug: "rename".into(),
            title: match functions_naming(self.context.before, from).as_slice() {
                [] => format!("{from} is {to}"),
                named => {
                    let named = named.join(" and ");
                    format!("{from} is {to}; {named} must follow in the same window")
                }
            },
            unit: Unit::Transaction,
            up: with_lock(from, Self::rename_op(from, to)),
            down: Down::ops(with_lock(to, Self::rename_op(to, from))),
            verify: vec![Condition::TableExists { table: to.clone() }],
            model: vec![self.model()],
        }
    }

    fn expand(&self) -> Step {
        let RenameTable { from, to } = self.rename;
        let lock = self.context.lock(&[from], Action::RenameTable);
        let mut up = Vec::new();
        if !self.as_invoker() {
            up.push(Op::Guard(vec![Condition::NoRowSecurity { table: from.clone() }]));
        }
        up.extend(lock.clone());
        up.push(Self::rename_op(from, to));
        up.push(self.stand_in());
        let mut down = lock;
        down.push(Op::DropStandIn { name: from.clone() });
        down.push(Self::rename_op(to, from));
        Step {
            phase: Phase::Expand,
            table: from.clone(),
            slug: "expand".into(),
            title: format!("{from} is {to}, and a view has its name"),
            unit: Unit::Transaction,
            up,
            down: Down::noted(down, "Loses nothing: it is the same table all the time."),
            verify: vec![
                Condition::TableExists { table: to.clone() },
                Condition::StandIn { name: from.clone() },
            ],
            model: vec![self.model()],
        }
    }

    fn contract(&self) -> Step {
        let RenameTable { from, to } = self.rename;
        let mut guards = vec![Condition::StandIn { name: from.clone() }];
        guards.extend(
            self.context
                .policy
                .not_before
                .map(|date| Condition::NotBefore { date, what: from.name.clone() }),
        );
        Step {
            phase: Phase::Contract,
            table: to.clone(),
            slug: "contract".into(),
            title: format!("the view {from} goes"),
            unit: Unit::Transaction,
            up: vec![Op::Guard(guards), Op::DropStandIn { name: from.clone() }],
            down: Down::noted(vec![self.stand_in()], "Loses nothing: the view holds no rows."),
            verify: vec![Condition::NameFree { name: from.clone() }],
            model: Vec::new(),
        }
    }
}
