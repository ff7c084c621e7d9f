//! `ALTER TABLE`, action by action.
//!
//! Enters: the actions of one statement. Leaves: the changed table. Must not know: what an action
//! costs.

use crate::input;
use crate::input::ast::{AlterAction, AlterKind, AlterTable, Ident, Slice};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay, did_you_mean};
use super::columns::{default, expr, no_longer_serial};
use super::constraints::constraint;
use super::options::with_options;
use super::rename::rename_in;
use super::{Column, ConstraintKind, Generated, Identity, Key, TableName, names};

impl Replay<'_, '_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable<'_>) {
        let wanted = self.name(&alter.table);
        if self.catalog.table_key(&wanted).is_none() && self.alter_other(&wanted, alter) {
            return;
        }
        let Some(mut table) = self.known_table(&alter.table, alter.if_exists) else {
            return;
        };
        for action in &alter.actions {
            if let Some(renamed) = self.action(&table, action) {
                table = renamed;
            }
        }
    }

    /// PostgreSQL takes `ALTER TABLE` for views, sequences and indexes too.
    fn alter_other(&mut self, name: &TableName, alter: &AlterTable<'_>) -> bool {
        if self.dialect() != Dialect::Postgres {
            return false;
        }
        let what = if self.catalog.views.contains_key(name) {
            "VIEW"
        } else if self.catalog.sequences.contains_key(name) {
            "SEQUENCE"
        } else if self.catalog.table_of_index(name).is_some() {
            "INDEX"
        } else {
            return false;
        };
        for action in &alter.actions {
            if let AlterKind::RenameTable { to } = &action.kind {
                if what == "INDEX" {
                    self.rename_index(&alter.table, &to.name.name, false);
                } else {
                    self.rename_other(what, &alter.table, None, &to.name.name);
                }
            }
        }
        true
    }

    /// Gives the table's new name, where the action changes it.
    fn action(&mut self, table: &TableName, action: &AlterAction<'_>) -> Option<TableName> {
        match &action.kind {
            AlterKind::AddColumn { column, if_not_exists, position } => {
                self.add_column(table, column, *if_not_exists, position.as_ref());
            }
            AlterKind::DropColumn { column, if_exists, cascade } => {
                self.drop_column(table, column, *if_exists, *cascade);
            }
            AlterKind::RenameColumn { from, to } => self.rename_column(table, from, to),
            AlterKind::RenameTable { to } => {
                let is_placed = to.is_placed();
                let mut to = self.name(to);
                // PostgreSQL and SQLite rename within the schema.
                if to.schema.is_none() || is_placed {
                    to.schema.clone_from(&table.schema);
                }
                if self.catalog.table_key(&to).is_some_and(|key| key != table) {
                    let message = format!("there is a table `{to}` already");
                    self.problem(message, action.text.span(), "the new name is taken");
                    return None;
                }
                self.rename_table(table, &to);
                return Some(to);
            }
            AlterKind::SetSchema { schema } => {
                let default = schema.name == "public" && self.dialect() == Dialect::Postgres;
                let to = TableName {
                    schema: (!default).then(|| schema.name.to_string()),
                    name: table.name.clone(),
                };
                self.rename_table(table, &to);
                return Some(to);
            }
            AlterKind::RenameIndex { from, to } | AlterKind::RenameConstraint { from, to } => {
                let required = self.required_by(table, &from.name);
                let found = self.catalog.table_mut(table).is_some_and(|table| match required {
                    Some(column) => {
                        table.name_not_null(&column, &to.name);
                        true
                    }
                    None => rename_in(table, &from.name, &to.name),
                });
                if !found {
                    self.missing_constraint(table, from);
                }
            }
            AlterKind::SetNotNull { column } => {
                self.with_column(table, column, |column| column.not_null = true);
            }
            AlterKind::DropNotNull { column } => {
                self.with_column(table, column, |column| column.not_null = false);
                if let Some(table) = self.catalog.table_mut(table) {
                    table.forget_not_null_name(&column.name);
                }
            }
            AlterKind::SetDefault { column, expr } => {
                let dialect = self.dialect();
                self.with_column(table, column, |column| {
                    no_longer_serial(column);
                    column.default = default(expr, dialect);
                });
                self.find_serial(table, &column.name);
            }
            AlterKind::DropDefault { column } => self.with_column(table, column, |column| {
                no_longer_serial(column);
                column.default = None;
            }),
            AlterKind::SetType { column, ty, collate, .. } => {
                let dialect = self.dialect();
                self.with_column(table, column, |column| {
                    column.ty = input::folded(ty.text, dialect);
                    column.collation = collate.map(|name| input::folded(name.text, dialect));
                });
            }
            AlterKind::Redefine { from, column, position } => {
                self.redefine(table, from, column, position.as_ref());
            }
            AlterKind::AddConstraint(of) => {
                if self.constraint_using_index(table, of) || !self.constraint_fits(table, of) {
                    return None;
                }
                match constraint(of, self.dialect()) {
                    Some(constraint) => {
                        if let Some(mut owner) = self.catalog.tables.remove(table) {
                            self.add_constraint(&mut owner, constraint, None);
                            self.catalog.tables.insert(table.clone(), owner);
                        }
                    }
                    None => self.partial(table, &of.text),
                }
            }
            AlterKind::ValidateConstraint { name } => {
                self.with_constraint(table, name, |constraint| constraint.valid = true);
            }
            AlterKind::AlterConstraint { name, options } => {
                let options = input::folded(options.text, self.dialect());
                self.with_constraint(table, name, |constraint| {
                    let place = match &mut constraint.kind {
                        ConstraintKind::ForeignKey { actions, .. } => actions,
                        _ => &mut constraint.options,
                    };
                    *place = Some(with_options(place.as_deref().unwrap_or_default(), &options));
                });
            }
            AlterKind::DropConstraint { name, kind, if_exists, cascade } => {
                self.drop_constraint(table, name.as_ref(), kind, *if_exists, *cascade);
            }
            AlterKind::AddIndex(index) => {
                let origin = self.origin_of(&action.text);
                self.create_index(index, origin);
            }
            AlterKind::DropIndex { name, if_exists } => {
                if !self.drop_index(table, &name.name) && !if_exists {
                    let message = format!("`{table}` has no index `{}`", name.name);
                    self.problem(message, name.span, NOT_THERE);
                }
            }
            AlterKind::AddIdentity { column, .. } => {
                let dialect = self.dialect();
                let text = input::folded(action.text.text, dialect);
                let from = text.to_ascii_uppercase().find("GENERATED").unwrap_or(0);
                self.with_column(table, column, |column| {
                    column.identity = Some(Identity::Generated(text[from..].to_owned()));
                    column.not_null = true;
                });
            }
            AlterKind::SetGenerated { column, always } => {
                let kind = if *always { "ALWAYS" } else { "BY DEFAULT" };
                self.with_column(table, column, |column| {
                    if let Some(Identity::Generated(text)) = &mut column.identity {
                        let options = text.find('(').map_or("", |at| &text[at..]);
                        *text = format!("GENERATED {kind} AS IDENTITY {options}");
                        text.truncate(text.trim_end().len());
                    }
                });
            }
            AlterKind::DropIdentity { column } => {
                self.with_column(table, column, |column| column.identity = None);
            }
            AlterKind::SetExpression { column, expr: slice } => {
                let new = expr(slice);
                self.with_column(table, column, |column| {
                    let stored = column.generated.as_ref().is_some_and(|old| old.stored);
                    column.generated = Some(Generated { expr: new, stored });
                });
            }
            AlterKind::DropExpression { column } => {
                self.with_column(table, column, |column| column.generated = None);
            }
            AlterKind::AttachPartition { partition, .. } => {
                if let Some(partition) = self.known_table(partition, false)
                    && let Some(partition) = self.catalog.table_mut(&partition)
                {
                    partition.partition_of = Some(table.clone());
                }
            }
            AlterKind::DetachPartition { partition } => {
                if let Some(partition) = self.known_table(partition, false)
                    && let Some(partition) = self.catalog.table_mut(&partition)
                {
                    partition.partition_of = None;
                }
            }
            AlterKind::Other { words } => self.other_action(table, words, &action.text),
            AlterKind::Unknown => self.partial(table, &action.text),
        }
        None
    }

    fn partial(&mut self, table: &TableName, text: &Slice<'_>) {
        if let Some(table) = self.catalog.table_mut(table) {
            table.partial.push(format!("`{}` is not understood", text.text));
        }
    }

    pub(super) fn with_column(
        &mut self,
        table: &TableName,
        column: &Ident<'_>,
        change: impl FnOnce(&mut Column),
    ) {
        let Some(owner) = self.catalog.table_mut(table) else {
            return;
        };
        match owner.column_mut(&column.name) {
            Some(column) => change(column),
            None => self.missing_column(table, column),
        }
    }

    fn with_constraint(
        &mut self,
        table: &TableName,
        name: &Ident<'_>,
        change: impl FnOnce(&mut super::Constraint),
    ) {
        let dialect = self.dialect();
        let found = self.catalog.table_mut(table).and_then(|table| {
            table.constraints.iter_mut().find(|constraint| {
                constraint.name.as_deref().is_some_and(|own| names::same(dialect, own, &name.name))
            })
        });
        match found {
            Some(constraint) => change(constraint),
            None => self.missing_constraint(table, name),
        }
    }

    fn missing_constraint(&mut self, table: &TableName, name: &Ident<'_>) {
        let Some(owner) = self.catalog.table(table) else {
            return;
        };
        if !owner.partial.is_empty() {
            return;
        }
        let message = format!("`{table}` has no constraint `{}`", name.name);
        let constraints =
            owner.constraints.iter().filter_map(|constraint| constraint.name.as_deref());
        let hint = names::closest(&name.name, constraints).map(did_you_mean);
        self.problem_with_hint(message, name.span, NOT_THERE, hint);
    }

    /// The column whose NOT NULL has the name.
    fn required_by(&self, table: &TableName, name: &str) -> Option<String> {
        let table = self.catalog.table(table).filter(|_| self.catalog.names_not_null)?;
        table.required_by(name).map(str::to_owned)
    }

    fn drop_constraint(
        &mut self,
        table: &TableName,
        name: Option<&Ident<'_>>,
        kind: &str,
        if_exists: bool,
        cascade: bool,
    ) {
        let dialect = self.dialect();
        let required = name.and_then(|name| self.required_by(table, &name.name));
        let Some(owner) = self.catalog.table_mut(table) else {
            return;
        };
        if let Some(column) = required {
            owner.forget_not_null_name(&column);
            if let Some(column) = owner.column_mut(&column) {
                column.not_null = false;
            }
            return;
        }
        let position = owner.constraints.iter().position(|constraint| match name {
            None => matches!(constraint.kind, ConstraintKind::PrimaryKey(_)),
            Some(name) => {
                let of_kind = match kind {
                    "FOREIGN KEY" => matches!(constraint.kind, ConstraintKind::ForeignKey { .. }),
                    "CHECK" => matches!(constraint.kind, ConstraintKind::Check(_)),
                    _ => true,
                };
                of_kind
                    && constraint
                        .name
                        .as_deref()
                        .is_some_and(|own| names::same(dialect, own, &name.name))
            }
        });
        let Some(position) = position else {
            match name {
                Some(name) if !if_exists => self.missing_constraint(table, name),
                None if owner.partial.is_empty() => {
                    let span = self.statement.text.span();
                    let message = format!("`{table}` has no primary key");
                    self.problem(message, span, "nothing to drop");
                }
                _ => {}
            }
            return;
        };
        let dropped = owner.constraints.remove(position);
        match dropped.kind {
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) if cascade => {
                let columns: Vec<String> =
                    keys.iter().filter_map(Key::column).map(str::to_owned).collect();
                self.drop_references(table, Some(&columns));
            }
            _ => {}
        }
    }
}
