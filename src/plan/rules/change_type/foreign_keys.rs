//! Foreign keys at either end of the column.
//!
//! Each has a twin on the copy from deploy 1 on, and gives it its name in the switch: at no moment is
//! there none. One that points to the primary key stands on that key's index, so it goes when the key
//! changes over; any other goes after, in a step of its own.

use std::collections::BTreeSet;

use crate::catalog::{Constraint, ConstraintKind, Key, TableName};
use crate::change::OfConstraint;
use crate::dialect::Action;
use crate::plan::condition::Condition;
use crate::plan::op::Op;
use crate::plan::rules::constraint::brought_back;
use crate::plan::strategy::constrain::{not_valid, tables_of, validated};
use crate::plan::strategy::named;
use crate::plan::{Down, Phase, Step, Unit};

use super::Rule;

/// A foreign key of the column, or to it.
pub(super) struct Tied<'c> {
    /// The table that the key is of.
    pub(super) table: &'c TableName,
    pub(super) own: &'c Constraint,
    /// It stands on the index of the primary key that the column is part of.
    pub(super) leans: bool,
    /// The other end changes its type as well, and its twin has the name.
    taken: bool,
}

impl Tied<'_> {
    fn name(&self, suffix: &str) -> String {
        let mark = if self.taken && !suffix.is_empty() { "_key" } else { "" };
        named(self.own.name.as_deref().unwrap_or_default(), &format!("{suffix}{mark}"))
    }

    fn rename(&self, from: &str, to: &str) -> Op {
        let (from, to) = (self.name(from), self.name(to));
        Op::RenameConstraint { table: self.table.clone(), from, to }
    }

    fn drop(&self, suffix: &str) -> Op {
        Op::DropConstraint { table: self.table.clone(), name: self.name(suffix) }
    }
}

impl Rule<'_> {
    pub(super) fn tied(&self) -> Vec<Tied<'_>> {
        let Rule { context, change, old, .. } = self;
        let own_key: Option<BTreeSet<&str>> = self.key().and_then(|key| match &key.kind {
            ConstraintKind::PrimaryKey(keys) => keys.iter().map(Key::column).collect(),
            _ => None,
        });
        let tables = &context.before.tables;
        let all =
            tables.values().flat_map(|table| table.constraints.iter().map(|c| (&table.name, c)));
        all.filter_map(|(table, own)| {
            let ConstraintKind::ForeignKey { columns, table: target, references, .. } = &own.kind
            else {
                return None;
            };
            let leaves = *table == change.table && columns.contains(&old.name);
            let points = *target == change.table && references.contains(&old.name);
            let leans = points && own_key == Some(references.iter().map(String::as_str).collect());
            let twin = named(own.name.as_deref().unwrap_or_default(), "_new");
            let taken = tables[table].constraint(&twin).is_some();
            (leaves || points).then_some(Tied { table, own, leans, taken })
        })
        .collect()
    }

    /// The key with `column` in the place of the column.
    fn foreign_key(&self, tied: &Tied, column: &str, suffix: &str) -> Constraint {
        let mut key = Constraint { name: Some(tied.name(suffix)), named: true, ..tied.own.clone() };
        if let ConstraintKind::ForeignKey { columns, table, references, .. } = &mut key.kind {
            let renamed = |names: &mut Vec<String>| {
                names.iter_mut().filter(|name| **name == self.old.name).for_each(|name| {
                    column.clone_into(name);
                });
            };
            if *tied.table == self.change.table {
                renamed(columns);
            }
            if *table == self.change.table {
                renamed(references);
            }
        }
        key
    }

    /// In force for new rows as soon as the copy is filled and unique, then for all.
    pub(super) fn twins(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for tied in self.tied() {
            let twin = self.foreign_key(&tied, &self.copy_name(), "_new");
            // Behind the unique index that it points to.
            let first = not_valid(self.context, tied.table, &twin);
            steps.push(Step { phase: Phase::Index, ..first });
            if tied.own.valid {
                steps.push(validated(self.context, tied.table, &twin));
            }
        }
        steps
    }

    pub(super) fn twins_valid(&self) -> impl Iterator<Item = Condition> {
        self.tied().into_iter().filter(|tied| tied.own.valid).map(|tied| {
            Condition::ConstraintValid { table: tied.table.clone(), name: tied.name("_new") }
        })
    }

    /// The tables that the switch changes. Who writes a row that points to another has its table
    /// first, and then the other: the same order here, and neither waits for the other.
    pub(super) fn switched(&self) -> Vec<&TableName> {
        let own = &self.change.table;
        let tied: BTreeSet<&TableName> = self.tied().into_iter().map(|tied| tied.table).collect();
        tied.into_iter().filter(|table| *table != own).chain([own]).collect()
    }

    /// The same, and what the column points to: the server makes each of these keys again.
    pub(super) fn compared(&self) -> Vec<&TableName> {
        let mut tables = self.switched();
        for tied in self.tied() {
            if let ConstraintKind::ForeignKey { table, .. } = &tied.own.kind
                && !tables.contains(&table)
            {
                tables.push(table);
            }
        }
        tables
    }

    /// The twins take the names.
    pub(super) fn change_foreign_keys(&self, up: &mut Vec<Op>, down: &mut Vec<Op>) {
        for tied in self.tied() {
            if tied.leans {
                up.extend([tied.drop(""), tied.rename("_new", "")]);
                down.extend([tied.drop(""), tied.rename("_old", "")]);
            } else {
                up.extend([tied.rename("", "_old"), tied.rename("_new", "")]);
                down.extend([tied.rename("", "_new"), tied.rename("_old", "")]);
            }
        }
    }

    /// Way back: those that point to the primary key, on `column`, which has its index again.
    pub(super) fn leaning_again(&self, column: &str, suffix: &str) -> Vec<Op> {
        let leaning = self.tied().into_iter().filter(|tied| tied.leans);
        leaning
            .flat_map(|tied| self.again(tied.table, self.foreign_key(&tied, column, suffix)))
            .collect()
    }

    fn again(&self, table: &TableName, constraint: Constraint) -> Vec<Op> {
        brought_back(self.context, &OfConstraint { table: table.clone(), constraint })
    }

    /// After the switch the old ones say nothing that the new ones do not.
    pub(super) fn without_foreign_keys(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for tied in self.tied().into_iter().filter(|tied| !tied.leans) {
            let aside = self.foreign_key(&tied, &self.aside_name(), "_old");
            let tables = tables_of(tied.table, &aside);
            let mut up = self.context.lock(&tables, Action::DropConstraint);
            up.push(tied.drop("_old"));
            steps.push(Step {
                table: tied.table.clone(),
                ..self.step(
                    Phase::Switch,
                    "drop_foreign_key",
                    format!("drop {}", tied.name("_old")),
                    Unit::Alone,
                    up,
                    Down::ops(self.again(tied.table, aside)),
                    Vec::new(),
                )
            });
        }
        steps
    }
}
