//! Without downtime: a copy of the new type that a trigger computes; both columns change names; the old
//! one, which follows, goes in deploy 3.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Key};
use crate::dialect::Action;
use crate::error::Result;
use crate::plan::condition::{Condition, Missing, Predicate, Reason};
use crate::plan::op::{Op, Sync, SyncKind};
use crate::plan::rows::Backfill;
use crate::plan::rules::create_index;
use crate::plan::strategy::constrain::{
    not_null_check, require_again, required, unique, unique_index, unique_name,
};
use crate::plan::strategy::{backfill_unit, named, sync};
use crate::plan::{Down, Phase, Step, Unit, column_expr};

use super::Rule;

impl Rule<'_> {
    pub(super) fn by_copy(&self) -> Result<Vec<Step>> {
        let forward = self.follow(&self.copy_name(), &self.change.forward, &self.old.name)?;
        // After the switch the column is the new one, and the old one follows it.
        let backward = self.follow(&self.aside_name(), &self.change.backward, &self.old.name)?;
        let mut steps = vec![self.expand(&forward), self.backfill(&forward)?];
        let (context, table) = (self.context, &self.change.table);
        steps.extend(self.copies().map(|(_, copy)| create_index::built(context, table, &copy)));
        steps.extend(
            self.unique_copies()
                .filter_map(|(_, copy)| unique(self.context, &self.change.table, &copy)),
        );
        if self.old.not_null {
            steps.push(required(self.context, &self.change.table, &self.copy_name()));
        }
        if self.old.not_null {
            steps.push(self.loosen());
        }
        steps.push(self.switch(&forward, &backward));
        steps.extend(self.without_indexes());
        steps.push(self.filled_back(&backward)?);
        steps.push(self.contract(&backward));
        Ok(steps)
    }

    fn copy_name(&self) -> String {
        named(&self.old.name, "_new")
    }

    fn aside_name(&self) -> String {
        named(&self.old.name, "_old")
    }

    /// A trigger that computes `column` from the one the application writes.
    fn follow(&self, column: &str, expr: &Expr, source: &str) -> Result<Sync> {
        let Rule { context, change, .. } = self;
        let sources = vec![source.to_owned()];
        let dialect = context.server.dialect;
        let row = crate::input::qualify(&expr.0, dialect, &sources, "NEW").ok_or_else(|| {
            context
                .refuse("miggen cannot carry this expression into a trigger", "here")
                .hint("name the column plainly, or in a function of the database")
        })?;
        Ok(Sync {
            name: sync::name(context.before, &change.table, column),
            table: change.table.clone(),
            kind: SyncKind::Follow { column: column.to_owned(), row_expr: Expr(row) },
        })
    }

    /// Plain indexes, and the same on the copy under a name that is free.
    fn copies(&self) -> impl Iterator<Item = (&Index, Index)> {
        let (from, to) = (&self.old.name, self.copy_name());
        self.indexes().map(move |index| {
            let keys = index.keys.iter().map(|key| renamed(key, from, &to)).collect();
            let include = index
                .include
                .iter()
                .map(|c| if c == from { to.clone() } else { c.clone() })
                .collect();
            (index, Index { name: named(&index.name, "_new"), keys, include, ..index.clone() })
        })
    }

    fn unique_copies(&self) -> impl Iterator<Item = (&Constraint, Constraint)> {
        let (from, to) = (&self.old.name, self.copy_name());
        self.constraints().filter_map(move |constraint| {
            let index = unique_index(&self.change.table, constraint)?;
            let keys = index.keys.iter().map(|key| renamed(key, from, &to)).collect();
            let name = named(&unique_name(&self.change.table, constraint), "_new");
            let kind = ConstraintKind::Unique(keys);
            Some((constraint, Constraint { name: Some(name), kind, ..constraint.clone() }))
        })
    }

    fn expand(&self, forward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let copy = Column {
            name: self.copy_name(),
            not_null: false,
            default: None,
            ..change.after.clone()
        };
        let constraints = old.not_null.then(|| not_null_check(context.server, table, &copy.name));
        let lock = context.lock(&[table], Action::AddColumn);
        let Expr(ident) = column_expr(context.server, &old.name);
        let mut up = vec![Op::Guard(vec![Condition::ColumnIs {
            table: table.clone(),
            column: old.name.clone(),
            ty: old.ty.clone(),
            not_null: old.not_null,
        }])];
        if change.using.is_none() {
            // A cast to a narrower type cuts off, and says nothing.
            let there_and_back = Expr(change.backward.0.replacen(&ident, &change.forward.0, 1));
            up.push(Op::Guard(vec![Condition::NoRows {
                table: table.clone(),
                filter: Predicate::Differs(old.name.clone(), there_and_back),
                reason: Reason::DoesNotFit { ty: change.after.ty.clone() },
            }]));
        }
        up.extend(lock.clone());
        up.push(Op::AddColumn {
            table: table.clone(),
            column: copy.clone(),
            constraints: constraints.into_iter().collect(),
        });
        up.push(Op::CreateSync(forward.clone()));
        up.push(self.touch());
        let mut down = lock;
        down.push(Op::DropSync(forward.clone()));
        down.push(Op::DropColumn { table: table.clone(), column: copy.name.clone() });
        let mut step = self.step(
            Phase::Expand,
            "expand",
            format!("{}, computed by a trigger", copy.name),
            Unit::Transaction,
            up,
            Down::noted(down, format!("Loses nothing: {} holds every value.", old.name)),
            Vec::new(),
        );
        step.verify = vec![
            Condition::ColumnExists { table: table.clone(), column: copy.name },
            sync::on(forward, Missing::RunAgain),
        ];
        step
    }

    fn backfill(&self, forward: &Sync) -> Result<Step> {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let copy = self.copy_name();
        let mut left = vec![Predicate::IsNull(copy.clone())];
        if !old.not_null {
            left.push(Predicate::ExprIsNotNull(change.forward.clone()));
        }
        let left = if left.len() == 1 { left.remove(0) } else { Predicate::And(left) };
        let mut step = self.step(
            Phase::Backfill,
            "backfill",
            format!("fill {copy}"),
            backfill_unit(context.server),
            vec![Op::Backfill(Backfill {
                table: table.clone(),
                walk: context.walk(table)?,
                set: vec![(copy, change.forward.clone())],
                remaining: left.clone(),
                sync: Some(forward.name.clone()),
            })],
            Down::noted(Vec::new(), "Nothing to undo: the values go with their column."),
            Vec::new(),
        );
        let (table, reason) = (table.clone(), Reason::Left);
        step.verify = vec![Condition::NoRows { table, filter: left, reason }];
        Ok(step)
    }

    /// Both columns change names in one transaction; whoever waits for the lock meets the new one.
    fn switch(&self, forward: &Sync, backward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let (column, copy, aside) = (&old.name, self.copy_name(), self.aside_name());
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let default = |expr: &Option<Expr>| match expr {
            Some(expr) => {
                Op::SetDefault { table: table.clone(), column: column.clone(), expr: expr.clone() }
            }
            None => Op::DropDefault { table: table.clone(), column: column.clone() },
        };
        let mut guards = vec![
            sync::on(forward, Missing::FinishDeploy1),
            Condition::NoRows {
                table: table.clone(),
                filter: Predicate::And(vec![
                    Predicate::IsNull(copy.clone()),
                    Predicate::ExprIsNotNull(change.forward.clone()),
                ]),
                reason: Reason::Left,
            },
        ];
        if change.using.is_none() {
            let Expr(ident) = column_expr(context.server, column);
            let Expr(copied) = column_expr(context.server, &copy);
            let back = Expr(change.backward.0.replacen(&ident, &copied, 1));
            guards.push(Condition::NoRows {
                table: table.clone(),
                filter: Predicate::Differs(column.clone(), back),
                reason: Reason::DoesNotFit { ty: change.after.ty.clone() },
            });
        }
        let mut up = vec![Op::Guard(guards)];
        let lock = context.lock(&[table], Action::RenameColumn);
        up.extend(lock.clone());
        up.push(Op::DropSync(forward.clone()));
        up.push(rename(column, &aside));
        up.push(rename(&copy, column));
        let mut down = lock;
        down.push(Op::DropSync(backward.clone()));
        if change.after.default.is_some() {
            up.push(default(&change.after.default));
            up.push(Op::DropDefault { table: table.clone(), column: aside.clone() });
            down.push(default(&None));
        }
        for (from, to) in self.index_names() {
            up.extend([
                self.rename_index(&from, &from.name, &named(&from.name, "_old")),
                self.rename_index(&to, &to.name, &from.name),
            ]);
            down.extend([
                self.rename_index(&to, &from.name, &to.name),
                self.rename_index(&from, &named(&from.name, "_old"), &from.name),
            ]);
        }
        for (own, copy) in self.unique_copies() {
            let own = unique_name(table, own);
            let copy = copy.name.unwrap_or_default();
            let aside = named(&own, "_old");
            let rename = |from: &str, to: &str| Op::RenameConstraint {
                table: table.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
            };
            up.extend([rename(&own, &aside), rename(&copy, &own)]);
            down.extend([rename(&own, &copy), rename(&aside, &own)]);
        }
        down.push(rename(column, &copy));
        down.push(rename(&aside, column));
        if old.default.is_some() {
            down.push(default(&old.default));
        }
        up.push(Op::CreateSync(backward.clone()));
        up.push(self.touch());
        down.push(Op::CreateSync(forward.clone()));
        let mut step = self.step(
            Phase::Switch,
            "switch",
            format!("{column} is {}, and {aside} follows it", change.after.ty),
            Unit::Transaction,
            up,
            Down::noted(down, format!("Loses nothing: {aside} followed every write.")),
            vec![self.alter_field(&change.after)],
        );
        step.verify = vec![
            Condition::ColumnExists { table: table.clone(), column: aside },
            sync::on(backward, Missing::RunAgain),
        ];
        step
    }

    /// The old column is required no more: after the switch it only follows.
    fn loosen(&self) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let mut up = context.lock(&[table], Action::DropNotNull);
        up.push(Op::DropNotNull { table: table.clone(), column: old.name.clone() });
        self.step(
            Phase::Switch,
            "prepare",
            format!("{} optional, for it will only follow", old.name),
            Unit::Alone,
            up,
            Down::ops(require_again(context, table, &old.name)),
            Vec::new(),
        )
    }

    /// Nobody looks for the old column: its indexes cost every write and serve no one.
    fn without_indexes(&self) -> Vec<Step> {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let online = context.can(Action::DropIndexOnline);
        let on_aside = |index: &Index, name: String| Index {
            keys: index.keys.iter().map(|key| renamed(key, &old.name, &aside)).collect(),
            include: index
                .include
                .iter()
                .map(|c| if *c == old.name { aside.clone() } else { c.clone() })
                .collect(),
            name,
            ..index.clone()
        };
        let mut steps = Vec::new();
        for index in self.indexes() {
            let index = on_aside(index, named(&index.name, "_old"));
            let (of, again) = (table.clone(), index.clone());
            steps.push(self.step(
                Phase::Switch,
                "drop_index",
                format!("drop the index {}", index.name),
                Unit::Alone,
                vec![Op::DropIndex { table: table.clone(), index, online }],
                Down::ops(vec![Op::CreateIndex { table: of, index: again, online }]),
                Vec::new(),
            ));
        }
        for constraint in self.constraints() {
            let Some(index) = unique_index(table, constraint) else { continue };
            let index = on_aside(&index, named(&index.name, "_old"));
            let name = index.name.clone();
            let lock = context.lock(&[table], Action::DropConstraint);
            let mut up = lock.clone();
            up.push(Op::DropConstraint { table: table.clone(), name: name.clone() });
            let mut down = vec![Op::CreateIndex { table: table.clone(), index, online }];
            down.extend(lock);
            down.push(Op::UsingIndex {
                table: table.clone(),
                name: name.clone(),
                index: name.clone(),
                options: constraint.options.clone(),
                primary: false,
                comment: constraint.comment.clone(),
            });
            let title = format!("drop {name}");
            let down = Down::ops(down);
            steps.push(self.step(
                Phase::Switch,
                "drop_unique",
                title,
                Unit::Alone,
                up,
                down,
                Vec::new(),
            ));
        }
        steps
    }

    /// Asks whether all is in place; its down fills the old column that the contract's has added.
    fn filled_back(&self, backward: &Sync) -> Result<Step> {
        let Rule { context, change, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let back = Op::Backfill(Backfill {
            table: table.clone(),
            walk: context.walk(table)?,
            set: vec![(aside.clone(), change.backward.clone())],
            remaining: Predicate::And(vec![
                Predicate::IsNull(aside.clone()),
                Predicate::ExprIsNotNull(change.backward.clone()),
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
            .chain([sync::on(backward, Missing::FinishDeploy1)])
            .collect()
    }

    /// Deploy 3.
    fn contract(&self, backward: &Sync) -> Step {
        let Rule { context, change, old, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let lock = context.lock(&[table], Action::DropColumn);
        let mut up = vec![Op::Guard(self.may_contract(backward))];
        up.extend(lock.clone());
        up.push(Op::DropSync(backward.clone()));
        up.push(Op::DropColumn { table: table.clone(), column: aside.clone() });
        up.push(self.touch());
        let mut down = lock;
        let back = Column { name: aside.clone(), not_null: false, default: None, ..(*old).clone() };
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

    fn index_names(&self) -> Vec<(Index, Index)> {
        self.copies().map(|(own, copy)| (own.clone(), copy)).collect()
    }

    fn rename_index(&self, definition: &Index, from: &str, to: &str) -> Op {
        let index = Index { name: from.to_owned(), ..definition.clone() };
        Op::RenameIndex { table: self.change.table.clone(), index, to: to.to_owned() }
    }

    fn touch(&self) -> Op {
        Op::Touch {
            table: self.change.table.clone(),
            key: self.context.row_key(&self.change.table),
            column: self.old.name.clone(),
        }
    }
}

fn renamed(key: &Key, from: &str, to: &str) -> Key {
    match key {
        Key::Column { name, rest } if name == from => {
            Key::Column { name: to.to_owned(), rest: rest.clone() }
        }
        other => other.clone(),
    }
}
