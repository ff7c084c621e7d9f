//! The old column goes.

use crate::catalog::Column;
use crate::dialect::Action;
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate};
use crate::plan::op::{Op, Sync};
use crate::plan::rows::Backfill;
use crate::plan::strategy::sync;
use crate::plan::{Down, Phase, Step, Unit};

use super::Rule;

impl Rule<'_> {
    /// Asks whether all is in place; its down fills the old column that the contract's has added.
    pub(super) fn filled_back(&self, backward: &Sync) -> Result<Step> {
        let Rule { context, change, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let back = Op::Backfill(Backfill {
            table: table.clone(),
            walk: context.walk(table)?,
            set: vec![(aside.clone(), self.back())],
            remaining: Predicate::And(vec![
                Predicate::IsNull(aside.clone()),
                Predicate::ExprIsNotNull(self.back()),
            ]),
            sync: Some(backward.name.clone()),
        });
        Ok(self.step(
            Phase::Equal,
            "check",
            format!("check that {aside} may go"),
            Unit::Alone,
            vec![Op::Guard(self.may_contract(backward))],
            Down::noted(vec![back], format!("Part of the way back: fills {aside} again.")),
            Vec::new(),
        ))
    }

    fn may_contract(&self, backward: &Sync) -> Vec<Condition> {
        let what = format!("{}.{}", self.change.table.name, self.aside_name());
        let date = self.context.policy.not_before;
        date.map(|date| Condition::NotBefore { date, what })
            .into_iter()
            .chain([sync::on(backward, Missing::Finish(2))])
            .collect()
    }

    /// Deploy 3.
    pub(super) fn contract(&self, backward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let lock = context.lock(&[table], Action::DropColumn);
        let mut up = vec![Op::Guard(self.may_contract(backward))];
        up.extend(lock.clone());
        up.push(Op::DropSync(backward.clone()));
        up.push(Op::DropColumn { table: table.clone(), column: aside.clone() });
        up.extend(self.touch());
        let mut down = lock;
        let back = Column {
            name: aside.clone(),
            ty: old.integer_type().to_owned(),
            not_null: false,
            default: None,
            identity: None,
            ..(*old).clone()
        };
        down.push(Op::AddColumn { table: table.clone(), column: back, constraints: Vec::new() });
        down.push(Op::CreateSync(backward.clone()));
        let mut step = self.step(
            Phase::Contract,
            "contract",
            format!("{aside} is dropped"),
            Unit::Transaction,
            up,
            Down::noted(
                down,
                format!("Loses nothing: {aside} is computed again; the down before fills it."),
            ),
            Vec::new(),
        );
        step.verify = vec![
            Condition::ColumnGone { table: table.clone(), column: aside },
            Condition::SyncGone { table: table.clone(), name: backward.name.clone() },
        ];
        step
    }
}
