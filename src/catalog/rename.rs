//! New names, and everything that holds the old one.
//!
//! Enters: old and new name. Leaves: the catalog in which nothing says the old one. Must not know:
//! which statement asked for it.

use crate::input::{self, ast};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay};
use super::{Catalog, ConstraintKind, Expr, Key, Table, TableName, names};

impl Replay<'_, '_> {
    pub(super) fn rename_table(&mut self, from: &TableName, to: &TableName) {
        self.catalog.rename_table(from, to, self.session.legacy_rename);
    }

    pub(super) fn rename_column(
        &mut self,
        table: &TableName,
        from: &ast::Ident<'_>,
        to: &ast::Ident<'_>,
    ) {
        let Some(owner) = self.catalog.table_mut(table) else {
            return;
        };
        if owner.column(&from.name).is_none() {
            self.missing_column(table, from);
            return;
        }
        if owner.column(&to.name).is_some() && !names::same(owner.dialect, &from.name, &to.name) {
            let message = format!("`{table}` has a column `{}` already", to.name);
            self.problem(message, to.span, "the new name is taken");
            return;
        }
        self.rename_column_to(table, &from.name, &to.name);
    }

    /// Renames a column that exists.
    pub(super) fn rename_column_to(&mut self, table: &TableName, from: &str, to: &str) {
        self.catalog.rename_column(table, from, to);
        self.catalog.mark_stale(from, to);
    }

    pub(super) fn rename_index(&mut self, index: &ast::Name<'_>, to: &str, if_exists: bool) {
        let wanted = self.name(index);
        let owner = self.catalog.tables.values_mut().find(|table| {
            table.name.schema == wanted.schema
                && (table.index(&wanted.name).is_some() || table.constraint(&wanted.name).is_some())
        });
        match owner {
            Some(table) => {
                rename_in(table, &wanted.name, to);
            }
            None if if_exists => {}
            None => {
                let message = format!("there is no index `{wanted}`");
                self.problem(message, index.span(), NOT_THERE);
            }
        }
    }
}

impl Catalog {
    /// Renames a table that exists. Constraints and indexes keep their names in every server;
    /// `keeps_references`: so do the foreign keys of other tables.
    pub fn rename_table(&mut self, from: &TableName, to: &TableName, keeps_references: bool) {
        let Some(mut table) = self.tables.remove(from) else {
            return;
        };
        let required = table.not_null_names();
        table.name = to.clone();
        if self.names_not_null {
            for (column, name) in &required {
                table.name_not_null(column, name);
            }
        }
        self.tables.insert(to.clone(), table);
        let follow = |name: &mut TableName| {
            if name == from {
                *name = to.clone();
            }
        };
        for table in self.tables.values_mut() {
            table.partition_of.as_mut().map(follow);
            for constraint in &mut table.constraints {
                if let ConstraintKind::ForeignKey { table: target, .. } = &mut constraint.kind
                    && !keeps_references
                {
                    follow(target);
                }
            }
        }
        for sequence in self.sequences.values_mut() {
            if let Some((table, _)) = &mut sequence.owned_by {
                follow(table);
            }
        }
        for other in &mut self.others {
            other.on.as_mut().map(follow);
        }
        let triggers = std::mem::take(&mut self.triggers);
        self.triggers = triggers
            .into_iter()
            .map(|((table, name), trigger)| {
                let table = if table == *from { to.clone() } else { table };
                ((table, name), trigger)
            })
            .collect();
        // The server's views follow, and what takes the old name later is none of theirs.
        for view in self.views.values_mut() {
            for mention in &mut view.mentions {
                if *mention == from.name {
                    to.name.clone_into(mention);
                    view.stale = true;
                }
            }
        }
        self.taints_follow(&from.name, &to.name);
        self.mark_stale(&from.name, &to.name);
    }

    /// Views and triggers that mention the old name: the server follows, their text does not.
    fn mark_stale(&mut self, from: &str, to: &str) {
        let note = |mentions: &mut Vec<String>, stale: &mut bool| {
            if mentions.iter().any(|name| name == from) {
                *stale = true;
                if !mentions.iter().any(|name| name == to) {
                    mentions.push(to.to_owned());
                }
            }
        };
        for view in self.views.values_mut() {
            note(&mut view.mentions, &mut view.stale);
        }
        for trigger in self.triggers.values_mut() {
            note(&mut trigger.mentions, &mut trigger.stale);
        }
    }

    /// Renames a column that exists, and in all that holds its name but views and triggers.
    pub fn rename_column(&mut self, table: &TableName, from: &str, to: &str) {
        let names_not_null = self.names_not_null;
        let Some(owner) = self.table_mut(table) else {
            return;
        };
        let required = owner.column(from).is_some_and(|column| column.not_null);
        let name = owner.not_null_name(from);
        in_table(owner, from, to);
        if names_not_null && required {
            owner.name_not_null(to, &name);
        }
        let dialect = self.dialect;
        for other in self.tables.values_mut() {
            if other.partition_of.as_ref() == Some(table) {
                in_table(other, from, to);
            }
            for constraint in &mut other.constraints {
                if let ConstraintKind::ForeignKey { table: target, references, .. } =
                    &mut constraint.kind
                    && target == table
                {
                    in_names(references, from, to, dialect);
                }
            }
        }
        for sequence in self.sequences.values_mut() {
            if let Some((owner, column)) = &mut sequence.owned_by
                && owner == table
                && names::same(dialect, column, from)
            {
                to.clone_into(column);
            }
        }
    }
}

/// An index or constraint of the table under a new name; false if there is none.
pub(super) fn rename_in(table: &mut Table, from: &str, to: &str) -> bool {
    let dialect = table.dialect;
    let mut found = false;
    for index in &mut table.indexes {
        if names::same(dialect, &index.name, from) {
            to.clone_into(&mut index.name);
            found = true;
        }
    }
    for constraint in &mut table.constraints {
        if constraint.name.as_deref().is_some_and(|name| names::same(dialect, name, from)) {
            constraint.name = Some(to.to_owned());
            constraint.named = true;
            found = true;
        }
    }
    found
}

fn in_names(columns: &mut [String], from: &str, to: &str, dialect: Dialect) {
    for column in columns {
        if names::same(dialect, column, from) {
            to.clone_into(column);
        }
    }
}

fn in_table(table: &mut Table, from: &str, to: &str) {
    let dialect = table.dialect;
    let written = names::in_expression(to, dialect);
    let expression = |expr: &mut Expr| expr.0 = input::renamed(&expr.0, from, &written, dialect);
    let keys = |keys: &mut Vec<Key>| {
        for key in keys {
            match key {
                Key::Column { name, .. } => {
                    if names::same(dialect, name, from) {
                        to.clone_into(name);
                    }
                }
                Key::Expr(expr) => expression(expr),
            }
        }
    };
    for column in &mut table.columns {
        if names::same(dialect, &column.name, from) {
            to.clone_into(&mut column.name);
        }
        if let Some(generated) = &mut column.generated {
            expression(&mut generated.expr);
        }
    }
    for constraint in &mut table.constraints {
        match &mut constraint.kind {
            ConstraintKind::PrimaryKey(own) | ConstraintKind::Unique(own) => keys(own),
            ConstraintKind::Check(expr) => expression(expr),
            ConstraintKind::ForeignKey { columns, .. } => in_names(columns, from, to, dialect),
            ConstraintKind::NotNull(column) => {
                if names::same(dialect, column, from) {
                    to.clone_into(column);
                }
            }
            ConstraintKind::Exclude(text) => *text = input::renamed(text, from, &written, dialect),
        }
        if let Some(options) = &mut constraint.options {
            *options = input::renamed(options, from, &written, dialect);
        }
    }
    for index in &mut table.indexes {
        keys(&mut index.keys);
        in_names(&mut index.include, from, to, dialect);
        if let Some(filter) = &mut index.filter {
            expression(filter);
        }
    }
    if let Some(partition) = &mut table.partition_by {
        *partition = input::renamed(partition, from, &written, dialect);
    }
}
