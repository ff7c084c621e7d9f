//! What stands on the column, and the same on its copy: indexes, unique constraints,
//! CHECKs, the primary key.

use crate::catalog::{Constraint, ConstraintKind, Expr, Index, Key};
use crate::dialect::Action;
use crate::plan::op::Op;
use crate::plan::strategy::constrain::{built_as, unique_index, unique_name};
use crate::plan::strategy::named;
use crate::plan::{Down, Phase, Step, Unit, column_expr};

use super::Rule;

impl Rule<'_> {
    /// All constraints of the table that are about the column, but for NOT NULL.
    pub(super) fn constraints(&self) -> impl Iterator<Item = &Constraint> {
        let dialect = self.context.server.dialect;
        self.table
            .constraints
            .iter()
            .filter(move |c| !matches!(c.kind, ConstraintKind::NotNull(_)))
            .filter(move |c| c.uses(&self.old.name, dialect))
    }

    pub(super) fn uniques(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints().filter(|c| matches!(c.kind, ConstraintKind::Unique(_)))
    }

    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        let dialect = self.context.server.dialect;
        self.table.indexes.iter().filter(move |index| index.uses(&self.old.name, dialect))
    }

    /// The primary key, where the column is one of its columns.
    pub(super) fn key(&self) -> Option<&Constraint> {
        self.constraints().find(|c| matches!(c.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// Plain indexes, and the same on the copy under a name that is free.
    pub(super) fn copies(&self) -> impl Iterator<Item = (&Index, Index)> {
        let copy = self.copy_name();
        self.indexes().map(move |index| (index, self.on(index, &copy, "_new")))
    }

    pub(super) fn unique_copies(&self) -> impl Iterator<Item = (&Constraint, Constraint)> {
        let copy = self.copy_name();
        self.uniques().filter_map(move |constraint| {
            let index = self.on(&unique_index(&self.change.table, constraint)?, &copy, "_new");
            let (name, kind) = (Some(index.name), ConstraintKind::Unique(index.keys));
            Some((constraint, Constraint { name, kind, ..constraint.clone() }))
        })
    }

    pub(super) fn checks(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints().filter(|c| matches!(c.kind, ConstraintKind::Check(_)))
    }

    /// CHECKs, and the same of the copy.
    pub(super) fn check_copies(&self) -> impl Iterator<Item = (&Constraint, Constraint)> {
        let copy = self.copy_name();
        self.checks().filter_map(move |own| {
            let ConstraintKind::Check(condition) = &own.kind else { return None };
            let copied = Constraint {
                name: Some(named(own.name.as_deref()?, "_new")),
                kind: ConstraintKind::Check(self.computed(condition, &copy)),
                ..own.clone()
            };
            Some((own, copied))
        })
    }

    /// The expression with `column` in the place of the column.
    fn computed(&self, Expr(text): &Expr, column: &str) -> Expr {
        let Expr(written) = column_expr(self.context.server, column);
        let dialect = self.context.server.dialect;
        Expr(crate::input::renamed(text, &self.old.name, &written, dialect))
    }

    /// The index of the primary key, with `column` in the place of the column.
    pub(super) fn key_index(&self, column: &str, suffix: &str) -> Option<Index> {
        let index = unique_index(&self.change.table, self.key()?)?;
        Some(self.on(&index, column, suffix))
    }

    /// The index with `column` in the place of the column.
    fn on(&self, index: &Index, column: &str, suffix: &str) -> Index {
        let from = &self.old.name;
        let keys = index.keys.iter().map(|key| match key {
            Key::Column { name, rest } if name == from => {
                Key::Column { name: column.to_owned(), rest: rest.clone() }
            }
            Key::Expr(expr) => Key::Expr(self.computed(expr, column)),
            other @ Key::Column { .. } => other.clone(),
        });
        let include =
            index.include.iter().map(|c| if c == from { column } else { c }.to_owned()).collect();
        Index {
            name: named(&index.name, suffix),
            keys: keys.collect(),
            include,
            filter: index.filter.as_ref().map(|filter| self.computed(filter, column)),
            ..index.clone()
        }
    }

    /// Names of indexes and unique constraints change with those of the columns.
    pub(super) fn change_names(&self, up: &mut Vec<Op>, down: &mut Vec<Op>) {
        for (from, to) in self.copies() {
            up.extend([
                self.rename_index(from, &from.name, &named(&from.name, "_old")),
                self.rename_index(&to, &to.name, &from.name),
            ]);
            down.extend([
                self.rename_index(&to, &from.name, &to.name),
                self.rename_index(from, &named(&from.name, "_old"), &from.name),
            ]);
        }
        for (own, copy) in self.unique_copies() {
            let own = unique_name(&self.change.table, own);
            let copy = copy.name.unwrap_or_default();
            let aside = named(&own, "_old");
            up.extend([self.rename_constraint(&own, &aside), self.rename_constraint(&copy, &own)]);
            down.extend([
                self.rename_constraint(&own, &copy),
                self.rename_constraint(&aside, &own),
            ]);
        }
        for (own, copy) in self.check_copies() {
            if let (Some(own), Some(copy)) = (&own.name, &copy.name) {
                up.push(self.rename_constraint(copy, own));
                down.push(self.rename_constraint(own, copy));
            }
        }
    }

    fn rename_constraint(&self, from: &str, to: &str) -> Op {
        let table = self.change.table.clone();
        Op::RenameConstraint { table, from: from.to_owned(), to: to.to_owned() }
    }

    /// What the old column promises, its copy promises by now: after the switch it only follows.
    pub(super) fn without_checks(&self) -> Option<Step> {
        let Rule { context, change, .. } = self;
        let table = &change.table;
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut valid = Vec::new();
        let mut names = Vec::new();
        for check in self.checks() {
            let (of, name) = (|| table.clone(), check.name.clone()?);
            // Every statement stands by itself, and so does its lock.
            up.extend(context.lock(&[table], Action::DropConstraint));
            up.push(Op::DropConstraint { table: of(), name: name.clone() });
            let constraint = Constraint { valid: false, ..check.clone() };
            down.extend(context.lock(&[table], Action::AddCheckNotValid));
            down.push(Op::AddConstraint { table: of(), constraint });
            if check.valid {
                valid.push(Op::Validate { table: of(), name: name.clone(), parent: None });
            }
            names.push(name);
        }
        down.extend(valid);
        let them = if names.len() == 1 { "which" } else { "each of which" };
        (!names.is_empty()).then(|| {
            self.step(
                Phase::Switch,
                "drop_check",
                format!("drop {}, {them} {} has by now", names.join(" and "), self.copy_name()),
                Unit::Alone,
                up,
                Down::ops(down),
                Vec::new(),
            )
        })
    }

    /// The index `from`, which is like the primary key's, becomes the primary key.
    pub(super) fn become_key(&self, key: &Constraint, from: &Index) -> [Op; 2] {
        let name = unique_name(&self.change.table, key);
        [
            self.rename_index(from, &from.name, &name),
            Op::UsingIndex {
                table: self.change.table.clone(),
                index: name.clone(),
                name,
                options: key.options.clone(),
                primary: true,
                comment: key.comment.clone(),
            },
        ]
    }

    fn rename_index(&self, definition: &Index, from: &str, to: &str) -> Op {
        let index = Index { name: from.to_owned(), ..definition.clone() };
        Op::RenameIndex { table: self.change.table.clone(), index, to: to.to_owned() }
    }

    /// Nobody looks for the old column: its indexes cost every write and serve no one.
    pub(super) fn without_indexes(&self) -> Vec<Step> {
        let Rule { context, change, .. } = self;
        let table = &change.table;
        let aside = self.aside_name();
        let online = context.can(Action::DropIndexOnline);
        let mut steps = Vec::new();
        for index in self.indexes() {
            let index = self.on(index, &aside, "_old");
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
        for constraint in self.uniques() {
            let Some(index) = unique_index(table, constraint) else { continue };
            let index = self.on(&index, &aside, "_old");
            let name = index.name.clone();
            let lock = context.lock(&[table], Action::DropConstraint);
            let mut up = lock.clone();
            up.push(Op::DropConstraint { table: table.clone(), name: name.clone() });
            let first = Index { name: built_as(context, &name), ..index };
            let mut down =
                vec![Op::CreateIndex { table: table.clone(), index: first.clone(), online }];
            down.extend(lock);
            down.push(Op::UsingIndex {
                table: table.clone(),
                name: name.clone(),
                index: first.name,
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
}
