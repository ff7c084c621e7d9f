//! `ALTER TABLE … RENAME COLUMN`.
//!
//! As written it breaks the running application in the same instant. With `--downtime` that is what
//! is planned, for it is instant. Without, both names work at once:
//!
//! | phase | what |
//! |---|---|
//! | expand | a copy under the new name, and a trigger that keeps both equal whoever writes |
//! | backfill, index, enforce | the copy is filled, indexed, NOT NULL: what the new code needs of it |
//! | check, equal | deploy 2: nothing out of step; their downs are the way back |
//! | contract | the trigger and the *copy* go, and the old column takes the new name |
//!
//! That the original stays and is renamed is the point: whatever hangs on it (primary key, foreign
//! keys both ways, checks, defaults, sequences, views, grants, comments, statistics) is carried by the
//! server itself, nothing is lost, and the way back from deploy 2 loses nothing either.
//!
//! Where no trigger can fill a row before NOT NULL is checked (SQLite), a required column without
//! default is made optional for the time, by a rebuild, with a CHECK that one of both is given.

use crate::catalog::{
    Column, Constraint, ConstraintKind, Expr, Index, Key, Origin, Table, TableName,
};
use crate::change::RenameColumn;
use crate::dialect::Action;
use crate::error::Result;
use crate::input;
use crate::plan::Downtime;

use super::super::condition::{Condition, Missing, Predicate, Reason};
use super::super::op::{Op, Sync, SyncKind};
use super::super::rows::Backfill;
use super::super::strategy::constrain::{further_options, index_options, not_null_check, required};
use super::super::strategy::{backfill_unit, named, sync};
use super::super::{Down, Field, ModelChange, Phase, RenamedIndex, Step, Unit, column_expr};
use super::Context;
use crate::plan::context::primary_key;

pub(super) fn steps(context: &Context, rename: &RenameColumn) -> Result<Vec<Step>> {
    let before = context.table(&rename.table);
    let Some(column) = before.column(&rename.from) else {
        return Err(context.refuse(
            "miggen does not plan renaming a column of the same script yet",
            "added above",
        ));
    };
    let rule = Rule { context, rename, table: before, old: column, sync: sync_of(context, rename) };
    rule.refuse_what_cannot_be_carried()?;
    if context.policy.downtime != Downtime::None {
        return Ok(vec![rule.direct()?]);
    }
    rule.refuse_what_needs_a_window()?;
    let indexes = rule.indexes()?;
    if rule.needs_optional() {
        return Ok(rule.by_rebuild(&indexes));
    }
    rule.by_copy(&indexes)
}

fn sync_of(context: &Context, rename: &RenameColumn) -> Sync {
    let old = context.table(&rename.table).column(&rename.from);
    Sync {
        name: sync::name(context.before, &rename.table, &rename.from),
        table: rename.table.clone(),
        kind: SyncKind::Mirror {
            old: rename.from.clone(),
            new: rename.to.clone(),
            old_default: old.is_some_and(|column| column.default.is_some()),
            needs_given: false,
        },
    }
}

struct Rule<'c> {
    context: &'c Context<'c>,
    rename: &'c RenameColumn,
    table: &'c Table,
    old: &'c Column,
    sync: Sync,
}

impl Rule<'_> {
    fn refuse_what_cannot_be_carried(&self) -> Result<()> {
        let RenameColumn { table, from, .. } = self.rename;
        let triggers = sync::triggers_naming(self.context.before, table, from);
        if !triggers.is_empty() && self.context.can(Action::TriggerSetsNew) {
            return Err(self
                .context
                .refuse(
                    format!("the trigger {} names `{from}`", triggers.join(", ")),
                    "a rename does not reach into its body",
                )
                .note("after the rename every write to the table would fail in it")
                .hint("make the trigger independent of the name first"));
        }
        Ok(())
    }

    fn refuse_what_needs_a_window(&self) -> Result<()> {
        let RenameColumn { table, from, .. } = self.rename;
        let short = "`--downtime 5m` plans the plain rename, in one moment with the application";
        let named = |keys: &[Key]| {
            keys.iter().any(|key| matches!(key, Key::Column { name, .. } if name == from))
        };
        let pointed_at = self.context.before.references_to(table).any(|(_, constraint)| {
            matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if references.contains(from))
        });
        let points = self.table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintKind::ForeignKey { columns, .. } if columns.contains(from))
        });
        let further = self.table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintKind::Unique(keys) if named(keys))
                && further_options(constraint)
        });
        let reasons = [
            (primary_key(self.table).is_some_and(named), "it is part of the primary key"),
            (self.old.generated.is_some(), "it is generated"),
            (self.old.identity.is_some(), "it numbers itself"),
            (pointed_at, "foreign keys point at it"),
            (points, "it is a foreign key"),
            (further, "a unique constraint on it has further options"),
            (no_equality(&self.old.ty), "values of its type cannot be compared"),
        ];
        let why = reasons.iter().find(|(holds, _)| *holds).map(|(_, why)| why);
        match why {
            Some(why) => Err(self
                .context
                .refuse(
                    format!("`{from}` cannot have two names for a while: {why}"),
                    "without downtime",
                )
                .hint(short)),
            None => Ok(()),
        }
    }

    /// The server checks NOT NULL before any trigger could fill the old column for new code.
    fn needs_optional(&self) -> bool {
        self.old.not_null && self.old.default.is_none() && !self.context.can(Action::TriggerSetsNew)
    }

    /// Indexes and unique constraints on the column: as they are, and as they will be.
    fn indexes(&self) -> Result<Vec<RenamedIndex>> {
        let RenameColumn { table, from, .. } = self.rename;
        // What the rename alone leaves; the script may give an index a name that follows.
        let mut alone = self.context.before.clone();
        alone.rename_column(table, from, &self.rename.to);
        let alone = &alone.tables[table];
        let after = &self.context.intent.after.tables[table];
        let mut found = Vec::new();
        for (position, index) in self.table.indexes.iter().enumerate() {
            if !self.index_names(index) {
                continue;
            }
            let mut renamed = alone.indexes[position].clone();
            if after.index(&renamed.name).is_none()
                && let Some(new) = after.indexes.iter().find(|new| {
                    self.table.index(&new.name).is_none()
                        && Index { name: renamed.name.clone(), ..(*new).clone() } == renamed
                })
            {
                renamed.name.clone_from(&new.name);
            }
            if self.index_names(&renamed) {
                return Err(self
                    .context
                    .refuse(
                        format!("the index {} names `{from}` in an expression", index.name),
                        "cannot be copied for the new name",
                    )
                    .hint("`--downtime 5m` plans the plain rename, which carries it"));
            }
            found.push(renamed_index(index.clone(), renamed, false));
        }
        let uniques = |table: &Table| -> Vec<Constraint> {
            let unique = |c: &&Constraint| matches!(c.kind, ConstraintKind::Unique(_));
            table.constraints.iter().filter(unique).cloned().collect()
        };
        for (old, mut new) in uniques(self.table).iter().zip(uniques(alone)) {
            let name = new.name.as_deref().unwrap_or_default();
            if after.constraint(name).is_none()
                && let Some(renamed) = uniques(after).into_iter().find(|one| {
                    let known =
                        one.name.as_deref().is_some_and(|n| self.table.constraint(n).is_some());
                    !known && one.kind == new.kind
                })
            {
                new.name = renamed.name;
            }
            let (ConstraintKind::Unique(keys), ConstraintKind::Unique(new_keys)) =
                (&old.kind, &new.kind)
            else {
                continue;
            };
            if !keys.iter().any(|key| matches!(key, Key::Column { name, .. } if name == from)) {
                continue;
            }
            let named = |constraint: &Constraint, keys: &[Key]| Index {
                name: constraint.name.clone().unwrap_or_else(|| {
                    named(&format!("{}_{}", table.name, self.rename.to), "_key")
                }),
                keys: keys.to_vec(),
                unique: true,
                method: None,
                include: Vec::new(),
                filter: None,
                options: index_options(constraint),
                comment: None,
                origin: Origin::default(),
            };
            let constraint = self.context.can(Action::UniqueUsingIndex);
            let mut renamed = renamed_index(named(old, keys), named(&new, new_keys), constraint);
            if !constraint {
                // The constraint of the table itself stays and has no name to give way.
                renamed.aside.clone_from(&renamed.before.name);
            }
            found.push(renamed);
        }
        Ok(found)
    }

    fn index_names(&self, index: &Index) -> bool {
        let from = &self.rename.from;
        let dialect = self.context.server.dialect;
        let mentions = |text: &str| input::columns_mentioned(text, dialect).contains(from);
        index.keys.iter().any(|key| match key {
            Key::Column { name, .. } => name == from,
            Key::Expr(Expr(text)) => mentions(text),
        }) || index.filter.as_ref().is_some_and(|Expr(text)| mentions(text))
            || index.include.contains(from)
    }

    /// The rename itself, in one moment.
    fn direct(&self) -> Result<Step> {
        let RenameColumn { table, from, to } = self.rename;
        let lock = self.context.lock(&[table], Action::RenameColumn);
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let indexes = self.indexes()?;
        let moved: Vec<&RenamedIndex> =
            indexes.iter().filter(|index| index.before.name != index.after.name).collect();
        let mut up = lock.clone();
        up.push(rename(from, to));
        up.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.before.name, &i.after.name)),
        );
        let mut down = lock;
        down.extend(
            moved.iter().map(|i| self.rename_index(i, &i.after, &i.after.name, &i.before.name)),
        );
        down.push(rename(to, from));
        let exists = Condition::ColumnExists { table: table.clone(), column: to.clone() };
        Ok(Step {
            phase: Phase::Expand,
            table: table.clone(),
            slug: "rename".into(),
            title: format!("{}.{from} is {to}", table.name),
            unit: Unit::Transaction,
            up,
            down: Down::ops(down),
            verify: vec![exists],
            model: vec![self.rename_field(true, &indexes)],
        })
    }

    fn by_copy(&self, indexes: &[RenamedIndex]) -> Result<Vec<Step>> {
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
        let aside: Vec<&RenamedIndex> =
            indexes.iter().filter(|i| i.aside != i.before.name).collect();
        let mut up = vec![Op::Guard(vec![Condition::ColumnIs {
            table: table.clone(),
            column: from.clone(),
            ty: self.old.ty.clone(),
            not_null: self.old.not_null,
        }])];
        up.extend(lock.clone());
        up.extend(aside.iter().map(|i| self.rename_index(i, &i.before, &i.before.name, &i.aside)));
        up.extend(self.add_copy());
        up.push(self.touch(from));
        let mut down = lock;
        down.push(Op::DropSync(self.sync.clone()));
        down.push(Op::DropColumn { table: table.clone(), column: to.clone() });
        down.extend(
            aside.iter().map(|i| self.rename_index(i, &i.before, &i.aside, &i.before.name)),
        );
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
        let filter =
            if remaining.len() == 1 { remaining.remove(0) } else { Predicate::And(remaining) };
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
        let copy = index.after.clone();
        let valid = Condition::IndexValid {
            table: table.clone(),
            name: copy.name.clone(),
            missing: Missing::RunAgain,
        };
        let mut up = vec![Op::CreateIndex { table: table.clone(), index: copy.clone(), online }];
        let mut down = Vec::new();
        if index.constraint {
            up.extend(self.context.lock(&[table], Action::UniqueUsingIndex));
            up.push(Op::UsingIndex {
                table: table.clone(),
                name: copy.name.clone(),
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

    fn index_again(&self, index: &RenamedIndex) -> Vec<Op> {
        let table = self.rename.table.clone();
        let online = self.context.can(Action::CreateIndexOnline);
        let name = index.after.name.clone();
        let mut ops =
            vec![Op::RestoreIndex { table: table.clone(), index: index.after.clone(), online }];
        if index.constraint {
            let options = self.unique_options(&index.before.name);
            ops.push(Op::Unless {
                table: table.clone(),
                holds: Condition::ConstraintValid { table: table.clone(), name: name.clone() },
                ops: vec![Op::UsingIndex { table, name, options, primary: false, comment: None }],
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
            name: index.after.name.clone(),
            missing: Missing::FinishDeploy1,
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
                name: index.after.name.clone(),
                missing: Missing::FinishDeploy1,
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
                index: i.after.clone(),
                online: false,
            }));
        }
        up.push(Op::DropColumn { table: table.clone(), column: to.clone() });
        up.push(Op::RenameColumn { table: table.clone(), from: from.clone(), to: to.clone() });
        let moved: Vec<&RenamedIndex> =
            indexes.iter().filter(|i| i.aside != i.after.name).collect();
        up.extend(moved.iter().map(|i| self.rename_index(i, &i.after, &i.aside, &i.after.name)));
        up.push(self.touch(to));

        let mut down = lock;
        down.extend(moved.iter().map(|i| self.rename_index(i, &i.after, &i.after.name, &i.aside)));
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

    // ---- the form by rebuild

    fn by_rebuild(&self, indexes: &[RenamedIndex]) -> Vec<Step> {
        let RenameColumn { table, from, to } = self.rename;
        let mut sync = self.sync.clone();
        if let SyncKind::Mirror { needs_given, .. } = &mut sync.kind {
            *needs_given = true;
        }
        let (Expr(old), Expr(new)) =
            (column_expr(self.context.server, from), column_expr(self.context.server, to));
        let given = Constraint {
            name: Some(named(&format!("{}_{to}", table.name), "_given")),
            named: true,
            kind: ConstraintKind::Check(Expr(format!("{old} IS NOT NULL OR {new} IS NOT NULL"))),
            options: None,
            valid: true,
            comment: None,
        };
        let copy = Column { name: to.clone(), not_null: false, ..self.old.clone() };
        let add = Op::AddColumn { table: table.clone(), column: copy, constraints: vec![given] };
        let drop = Op::DropColumn { table: table.clone(), column: to.clone() };
        let optional =
            |column: &str| Op::DropNotNull { table: table.clone(), column: column.into() };
        let required =
            |column: &str| Op::SetNotNull { table: table.clone(), column: column.into() };
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.into(),
            to: to.into(),
        };
        // A UNIQUE of the table itself has no name to give way, and is copied as an index.
        let own = |index: &&RenamedIndex| is_constraint_of(self.table, index);
        let moved: Vec<&RenamedIndex> = indexes
            .iter()
            .filter(|index| !own(index) && index.aside != index.before.name)
            .collect();
        let copies: Vec<Op> = indexes
            .iter()
            .map(|index| Op::CreateIndex {
                table: table.clone(),
                index: if own(&index) {
                    let name = named(&format!("{}_{to}", table.name), "_key");
                    Index { name, ..index.after.clone() }
                } else {
                    index.after.clone()
                },
                online: false,
            })
            .collect();

        let mut expand = vec![optional(from)];
        expand.extend(
            moved.iter().map(|i| self.rename_index(i, &i.before, &i.before.name, &i.aside)),
        );
        expand.push(add.clone());
        expand.extend(copies.clone());
        let mut unexpand = vec![drop.clone()];
        unexpand.extend(
            moved.iter().map(|i| self.rename_index(i, &i.before, &i.aside, &i.before.name)),
        );
        unexpand.push(required(from));
        let mut contract = vec![drop, rename(from, to)];
        contract
            .extend(moved.iter().map(|i| self.rename_index(i, &i.after, &i.aside, &i.after.name)));
        contract.push(required(to));
        let mut uncontract = vec![optional(to)];
        uncontract
            .extend(moved.iter().map(|i| self.rename_index(i, &i.after, &i.after.name, &i.aside)));
        uncontract.push(rename(to, from));
        uncontract.push(add);
        uncontract.extend(copies);
        let anew = |edits: Vec<Op>, copy: Option<(&String, String)>| Op::Anew {
            table: table.clone(),
            edits,
            copy: copy.map(|(column, expr)| (column.clone(), Expr(expr))).into_iter().collect(),
        };
        let mut guards = self.may_contract();
        guards.push(self.in_step());
        vec![
            Step {
                phase: Phase::Expand,
                table: table.clone(),
                slug: "expand".into(),
                title: format!("{to}, kept in step by a trigger"),
                unit: Unit::Rebuild,
                up: vec![
                    Op::Guard(vec![Condition::ColumnIs {
                        table: table.clone(),
                        column: from.clone(),
                        ty: self.old.ty.clone(),
                        not_null: self.old.not_null,
                    }]),
                    anew(expand, Some((to, old))),
                    Op::CreateSync(sync.clone()),
                    self.touch(from),
                ],
                down: Down::noted(
                    vec![Op::DropSync(sync.clone()), anew(unexpand, None)],
                    format!("Loses nothing: {from} holds every value."),
                ),
                verify: vec![
                    Condition::ColumnExists { table: table.clone(), column: to.clone() },
                    sync::on(&sync, Missing::RunAgain),
                    self.in_step(),
                ],
                model: vec![self.rename_field(false, indexes)],
            },
            Step {
                phase: Phase::Contract,
                table: table.clone(),
                slug: "contract".into(),
                title: format!("{from} is {to}"),
                unit: Unit::Rebuild,
                up: vec![Op::Guard(guards), Op::DropSync(sync.clone()), anew(contract, None)],
                down: Down::noted(
                    vec![anew(uncontract, Some((from, new))), Op::CreateSync(sync)],
                    "Loses nothing: both names hold every value again.",
                ),
                verify: self.gone(),
                model: self.required_at_last(),
            },
        ]
    }

    // ---- parts

    fn may_contract(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if let Some(date) = self.context.policy.not_before {
            let RenameColumn { table, from, .. } = self.rename;
            conditions.push(Condition::NotBefore { date, what: format!("{}.{from}", table.name) });
        }
        conditions.push(sync::on(&self.sync, Missing::FinishDeploy1));
        conditions
    }

    fn in_step(&self) -> Condition {
        Condition::NoRows {
            table: self.rename.table.clone(),
            filter: Predicate::ColumnsDiffer(self.rename.from.clone(), self.rename.to.clone()),
            reason: Reason::OutOfStep,
        }
    }

    fn gone(&self) -> Vec<Condition> {
        let RenameColumn { table, from, to } = self.rename;
        vec![
            Condition::ColumnGone { table: table.clone(), column: from.clone() },
            Condition::ColumnExists { table: table.clone(), column: to.clone() },
            Condition::SyncGone { table: table.clone(), name: self.sync.name.clone() },
        ]
    }

    fn touch(&self, column: &str) -> Op {
        Op::Touch {
            table: self.rename.table.clone(),
            key: self.context.row_key(&self.rename.table),
            column: column.to_owned(),
        }
    }

    /// The copy is NOT NULL from deploy 1 on.
    fn not_null_now(&self) -> bool {
        self.old.not_null && self.context.can(Action::TriggerSetsNew)
    }

    fn not_null_check(&self) -> Constraint {
        not_null_check(self.context.server, &self.rename.table, &self.rename.to)
    }

    fn unique_options(&self, name: &str) -> Option<String> {
        let named = |c: &&Constraint| c.name.as_deref() == Some(name);
        self.table.constraints.iter().find(named).and_then(|c| c.options.clone())
    }

    fn rename_index(&self, index: &RenamedIndex, definition: &Index, from: &str, to: &str) -> Op {
        let table = self.rename.table.clone();
        if index.constraint {
            return Op::RenameConstraint { table, from: from.to_owned(), to: to.to_owned() };
        }
        let index = Index { name: from.to_owned(), ..definition.clone() };
        Op::RenameIndex { table, index, to: to.to_owned() }
    }

    fn rename_field(&self, not_null: bool, indexes: &[RenamedIndex]) -> ModelChange {
        ModelChange::RenameField {
            table: self.rename.table.clone(),
            from: self.rename.from.clone(),
            field: self.field(not_null),
            indexes: indexes.to_vec(),
        }
    }

    fn required_at_last(&self) -> Vec<ModelChange> {
        if self.old.not_null && !self.not_null_now() {
            let table: TableName = self.rename.table.clone();
            vec![ModelChange::AlterField {
                table,
                before: self.field(false),
                field: self.field(true),
            }]
        } else {
            Vec::new()
        }
    }

    fn field(&self, not_null: bool) -> Field {
        Field {
            column: Column {
                name: self.rename.to.clone(),
                not_null: self.old.not_null && not_null,
                ..self.old.clone()
            },
            unique: None,
            references: None,
        }
    }
}

fn renamed_index(before: Index, after: Index, constraint: bool) -> RenamedIndex {
    let aside =
        if before.name == after.name { named(&before.name, "_old") } else { before.name.clone() };
    RenamedIndex { before, after, aside, constraint }
}

/// A UNIQUE of the table itself, which stays with it.
fn is_constraint_of(table: &Table, index: &RenamedIndex) -> bool {
    !table.indexes.iter().any(|own| own.name == index.before.name)
}

/// PostgreSQL's types without an equality operator.
fn no_equality(ty: &str) -> bool {
    let word = ty.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    matches!(
        word.to_ascii_lowercase().as_str(),
        "json" | "xml" | "point" | "polygon" | "path" | "line"
    )
}
