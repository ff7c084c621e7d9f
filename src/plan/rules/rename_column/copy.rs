//! Without downtime: a copy under the new name, kept equal by a trigger; in deploy 2 the copy goes and
//! the column takes its name.

use crate::catalog::Column;
use crate::change::RenameColumn;
use crate::dialect::Action;
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::Op;
use crate::plan::rows::Backfill;
use crate::plan::strategy::constrain::{built_as, not_anothers, required};
use crate::plan::strategy::{backfill_unit, sync};
use crate::plan::{Down, Phase, RenamedIndex, Step, Unit, column_expr};

use super::{Rule, moved};

impl Rule<'_> {
    pub(super) fn by_copy(&self, indexes: &[RenamedIndex]) -> Result<Vec<Step>> {
        let mut steps = vec![self.expand(indexes), self.backfill()?];
        steps.extend(indexes.iter().map(|index| self.index(index)));
        steps.extend(self.not_null());
        // The downs of deploy 2 are what deploy 1 did, once more, the last step first; each does
        // nothing where it is reverted without the contract.
        let check = self.required_again();
        let mut fill: Vec<Op> = steps
            .iter()
            .filter(|step| step.phase == Phase::Backfill)
            .flat_map(|step| step.up.clone())
            .collect();
        for index in indexes {
            fill.extend(self.index_again(index));
        }
        if !check.is_empty() {
            steps.push(self.check(indexes, check));
        }
        steps.push(self.equal(indexes, fill));
        steps.push(self.contract(indexes));
        Ok(steps)
    }

    fn expand(&self, indexes: &[RenamedIndex]) -> Step {
        let RenameColumn { table, from, to } = self.rename;
        let lock = self.context.lock(&[table], Action::AddColumn);
        let mut up = vec![Op::Guard(vec![Condition::ColumnIs {
            table: table.clone(),
            column: from.clone(),
            ty: self.old.ty.clone(),
            not_null: self.old.not_null,
        }])];
        up.extend(lock.clone());
        up.extend(self.add_copy());
        up.push(self.touch(from));
        let mut down = lock;
        down.push(Op::DropSync(self.sync.clone()));
        down.push(Op::DropColumn { table: table.clone(), column: to.clone() });
        Step {
            phase: Phase::Expand,
            table: table.clone(),
            slug: "expand".into(),
            title: format!("{to}, kept in step by a trigger"),
            unit: Unit::Transaction,
            up,
            down: Down::noted(down, format!("Loses nothing: {from} holds every value.")),
            verify: vec![
                Condition::ColumnExists { table: table.clone(), column: to.clone() },
                sync::on(&self.sync, Missing::RunAgain),
            ],
            model: vec![self.rename_field(self.not_null_now(), indexes)],
        }
    }

    /// The copy, its promise to be filled, and the trigger.
    fn add_copy(&self) -> Vec<Op> {
        let copy = Column {
            name: self.rename.to.clone(),
            not_null: false,
            // What an INSERT leaves out comes from the old column; with a default of its own the
            // trigger could not tell a default from a value.
            default: None,
            comment: None,
            ..self.old.clone()
        };
        let constraints = self.not_null_now().then(|| self.not_null_check());
        vec![
            Op::AddColumn {
                table: self.rename.table.clone(),
                column: copy,
                constraints: constraints.into_iter().collect(),
            },
            Op::CreateSync(self.sync.clone()),
        ]
    }

    fn backfill(&self) -> Result<Step> {
        let RenameColumn { table, from, to } = self.rename;
        let mut remaining = vec![Predicate::IsNull(to.clone())];
        if !self.old.not_null {
            remaining.push(Predicate::IsNotNull(from.clone()));
        }
        let filter = Predicate::all(remaining);
        let backfill = Backfill {
            table: table.clone(),
            walk: self.context.walk(table)?,
            set: vec![(to.clone(), column_expr(self.context.server, from))],
            remaining: filter.clone(),
            sync: Some(self.sync.name.clone()),
        };
        Ok(Step {
            phase: Phase::Backfill,
            table: table.clone(),
            slug: "backfill".into(),
            title: format!("fill {to}"),
            unit: backfill_unit(self.context.server),
            up: vec![Op::Backfill(backfill)],
            down: Down::noted(Vec::new(), "Nothing to undo: the values go with their column."),
            verify: vec![Condition::NoRows { table: table.clone(), filter, reason: Reason::Left }],
            model: Vec::new(),
        })
    }

    fn index(&self, index: &RenamedIndex) -> Step {
        let table = &self.rename.table;
        let online = self.context.can(Action::CreateIndexOnline);
        let copy = index.copy.clone();
        let valid = Condition::IndexValid {
            table: table.clone(),
            name: copy.name.clone(),
            missing: Missing::RunAgain,
        };
        let mut first = copy.clone();
        if self.is_deferrable(index) {
            first.name = built_as(self.context, &copy.name);
        }
        let mut up: Vec<Op> = self
            .is_deferrable(index)
            .then(|| Op::Guard(vec![not_anothers(table, &copy)]))
            .into_iter()
            .collect();
        up.push(Op::CreateIndex { table: table.clone(), index: first.clone(), online });
        let mut down = Vec::new();
        if self.is_deferrable(index) {
            up.extend(self.context.lock(&[table], Action::UniqueUsingIndex));
            up.push(Op::UsingIndex {
                table: table.clone(),
                name: copy.name.clone(),
                index: first.name,
                options: self.unique_options(&index.before.name),
                primary: false,
                comment: None,
            });
            down.extend(self.context.lock(&[table], Action::DropConstraint));
            down.push(Op::DropConstraint { table: table.clone(), name: copy.name.clone() });
        } else {
            if online {
                up.push(Op::Guard(vec![valid.clone()]));
            }
            down.push(Op::DropIndex { table: table.clone(), index: copy.clone(), online });
        }
        Step {
            phase: Phase::Index,
            table: table.clone(),
            slug: "index".into(),
            title: format!("index {}", self.rename.to),
            unit: if online { Unit::Alone } else { Unit::Transaction },
            up,
            down: Down::ops(down),
            verify: vec![valid],
            model: Vec::new(),
        }
    }

    fn not_null(&self) -> Option<Step> {
        let RenameColumn { table, to, .. } = self.rename;
        self.not_null_now().then(|| required(self.context, table, to))
    }

    fn required_again(&self) -> Vec<Op> {
        let RenameColumn { table, to, .. } = self.rename;
        self.not_null()
            .map(|step| Op::Unless {
                table: table.clone(),
                holds: Condition::ColumnNotNull { table: table.clone(), column: to.clone() },
                ops: step.up.into_iter().filter(|op| !matches!(op, Op::Lock { .. })).collect(),
            })
            .into_iter()
            .collect()
    }

    /// An index alone asks at once.
    fn is_deferrable(&self, index: &RenamedIndex) -> bool {
        let options = self.unique_options(&index.before.name).filter(|_| index.constraint);
        options.is_some_and(|options| options.to_ascii_uppercase().contains("DEFERRABLE"))
    }

    fn index_again(&self, index: &RenamedIndex) -> Vec<Op> {
        let table = self.rename.table.clone();
        let online = self.context.can(Action::CreateIndexOnline);
        let name = index.copy.name.clone();
        let mut ops =
            vec![Op::RestoreIndex { table: table.clone(), index: index.copy.clone(), online }];
        if self.is_deferrable(index) {
            let options = self.unique_options(&index.before.name);
            ops.push(Op::Unless {
                table: table.clone(),
                holds: Condition::ConstraintValid { table: table.clone(), name: name.clone() },
                ops: vec![Op::UsingIndex {
                    table,
                    index: name.clone(),
                    name,
                    options,
                    primary: false,
                    comment: None,
                }],
            });
        } else if online {
            ops.push(Op::Guard(vec![Condition::IndexValid {
                table,
                name,
                missing: Missing::RunAgain,
            }]));
        }
        ops
    }

    fn check(&self, indexes: &[RenamedIndex], back: Vec<Op>) -> Step {
        let mut conditions = self.may_contract();
        conditions.extend(indexes.iter().map(|index| Condition::IndexValid {
            table: self.rename.table.clone(),
            name: index.copy.name.clone(),
            missing: Missing::Finish(1),
        }));
        self.question(
            Phase::Check,
            "check",
            format!("check that {} may go", self.rename.from),
            Unit::Transaction,
            conditions,
            back,
        )
    }

    fn equal(&self, indexes: &[RenamedIndex], back: Vec<Op>) -> Step {
        let mut conditions = Vec::new();
        if !self.not_null_now() {
            // No step before this one has asked.
            conditions.extend(self.may_contract());
            conditions.extend(indexes.iter().map(|index| Condition::IndexValid {
                table: self.rename.table.clone(),
                name: index.copy.name.clone(),
                missing: Missing::Finish(1),
            }));
        }
        conditions.push(self.in_step());
        self.question(
            Phase::Equal,
            "in_step",
            format!("check that {} and {} are equal", self.rename.from, self.rename.to),
            backfill_unit(self.context.server),
            conditions,
            back,
        )
    }

    /// A step that only asks; its down is a part of the way back.
    fn question(
        &self,
        phase: Phase,
        slug: &str,
        title: String,
        unit: Unit,
        conditions: Vec<Condition>,
        back: Vec<Op>,
    ) -> Step {
        Step {
            phase,
            table: self.rename.table.clone(),
            slug: slug.into(),
            title,
            unit,
            up: vec![Op::Guard(conditions)],
            down: Down::noted(
                back,
                format!("Part of the way back: {} as deploy 1 had it.", self.rename.to),
            ),
            verify: if phase == Phase::Equal { vec![self.in_step()] } else { Vec::new() },
            model: Vec::new(),
        }
    }

    fn contract(&self, indexes: &[RenamedIndex]) -> Step {
        let RenameColumn { table, from, to } = self.rename;
        let lock = self.context.lock(&[table], Action::DropColumn);
        let mut up = vec![Op::Guard(self.may_contract())];
        up.extend(lock.clone());
        up.push(Op::DropSync(self.sync.clone()));
        if !self.context.can(Action::DropColumnTakesIndexes) {
            up.extend(indexes.iter().map(|i| Op::DropIndex {
                table: table.clone(),
                index: i.copy.clone(),
                online: false,
            }));
        }
        up.push(Op::DropColumn { table: table.clone(), column: to.clone() });
        up.push(Op::RenameColumn { table: table.clone(), from: from.clone(), to: to.clone() });
        let moved = moved(indexes);
        up.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.before.name, &i.after.name)),
        );
        up.push(self.touch(to));

        let mut down = lock;
        down.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.after.name, &i.before.name)),
        );
        down.push(Op::RenameColumn { table: table.clone(), from: to.clone(), to: from.clone() });
        down.extend(self.add_copy());
        Step {
            phase: Phase::Contract,
            table: table.clone(),
            slug: "contract".into(),
            title: format!("{from} is {to}"),
            unit: Unit::Transaction,
            up,
            down: Down::noted(
                down,
                format!(
                    "Loses nothing: {to} is {from} again, and gets its copy back; the downs before fill it."
                ),
            ),
            verify: self.gone(),
            model: self.required_at_last(),
        }
    }
}
