//! ALTER TABLE.

use crate::catalog::{ConstraintKind, Key, TableName};
use crate::error::{Error, Result};
use crate::input::ast::{
    AlterAction, AlterKind, AlterTable, Statement, TableConstraint, TableConstraintKind,
};

use super::super::{Change, DefaultKind, DropColumn, RenameColumn};
use super::Reader;

impl Reader<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable, statement: &Statement) -> Result<()> {
        let table = TableName::of(&alter.table, self.server.dialect);
        let found = self.table(&table, alter.table.span())?;
        if !found.partial.is_empty() {
            return Err(Error::refused(format!("`{}` is not known in full", table.name))
                .at(self.source, alter.table.span(), found.partial.join("; "))
                .hint("give a schema file with the table as it is: `--schema schema.sql`"));
        }
        if found.partition_by.is_some() || found.partition_of.is_some() {
            return Err(self.not_yet("changing a partitioned table", alter.table.span()));
        }
        // Names are checked against the state before the statement, which applies as a whole.
        for action in &alter.actions {
            self.action(&table, action)?;
        }
        self.after.apply(self.source, statement)?;
        for action in &alter.actions {
            self.finish_action(&table, action)?;
        }
        Ok(())
    }

    /// What must hold before the naive statement is applied.
    pub(super) fn action(&mut self, table: &TableName, action: &AlterAction) -> Result<()> {
        let span = action.text.span();
        match &action.kind {
            AlterKind::AddColumn { column, if_not_exists, .. } => {
                let there = self.after.tables[table].column(&column.name.name).is_some();
                if there && !if_not_exists {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, column.name.name
                    ))
                    .at(self.source, column.name.span, "already there"));
                }
                if there {
                    return Err(Error::refused("this column is already there").at(
                        self.source,
                        span,
                        "nothing to do",
                    ));
                }
                Ok(())
            }
            AlterKind::DropColumn { column, cascade, .. } => {
                self.column(table, column)?;
                if self.before.tables.get(table).and_then(|t| t.column(&column.name)).is_none() {
                    return Err(Error::refused("this script adds the column that it drops").at(
                        self.source,
                        span,
                        "nothing is left of it",
                    ));
                }
                if *cascade {
                    return Err(Error::refused("CASCADE drops whatever uses the column, unseen")
                        .at(self.source, span, "here")
                        .hint("leave it out: miggen carries indexes and constraints, and names what else is in the way"));
                }
                Ok(())
            }
            AlterKind::RenameColumn { from, to } => {
                self.column(table, from)?;
                if self.after.tables[table].column(&to.name).is_some() {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, to.name
                    ))
                    .at(self.source, to.span, "already there"));
                }
                Ok(())
            }
            AlterKind::SetNotNull { column }
            | AlterKind::SetDefault { column, .. }
            | AlterKind::DropDefault { column } => {
                self.column(table, column)?;
                if self.added(table, &column.name).is_none() {
                    return Err(self.not_yet("this change of a column that is already there", span));
                }
                Ok(())
            }
            AlterKind::AddConstraint(constraint) => {
                let own = |columns: &[&str]| {
                    columns.len() == 1 && self.added(table, columns[0]).is_some()
                };
                let about_new_column = match &constraint.kind {
                    TableConstraintKind::Unique { columns, .. } => {
                        let names: Vec<&str> = columns
                            .iter()
                            .filter_map(|key| key.column.as_ref())
                            .map(|ident| ident.name.as_ref())
                            .collect();
                        own(&names)
                    }
                    TableConstraintKind::ForeignKey { columns, .. } => {
                        let names: Vec<&str> = columns.iter().map(|c| c.name.as_ref()).collect();
                        own(&names)
                    }
                    _ => false,
                };
                if about_new_column {
                    Ok(())
                } else {
                    Err(self.not_yet("a constraint on columns that are already there", span))
                }
            }
            AlterKind::RenameConstraint { from, .. } => {
                let renamed = self.after.tables[table]
                    .constraints
                    .iter()
                    .find(|c| c.name.as_deref() == Some(from.name.as_ref()))
                    .is_some_and(|constraint| match &constraint.kind {
                        ConstraintKind::Unique(keys) => keys.iter().any(|key| {
                            matches!(key, Key::Column { name, .. }
                                if self.renamed.contains_key(&(table.clone(), name.clone())))
                        }),
                        _ => false,
                    });
                if renamed {
                    Ok(())
                } else {
                    Err(self.not_yet("renaming a constraint by itself", span))
                }
            }
            _ => Err(self.not_yet(&first_words(action.text.text), span)),
        }
    }

    /// What the action asks for, read off the schema after it.
    pub(super) fn finish_action(&mut self, table: &TableName, action: &AlterAction) -> Result<()> {
        let span = action.text.span();
        match &action.kind {
            AlterKind::AddColumn { column, .. } => {
                let change = self.add_column(table, column)?;
                self.ask(Change::AddColumn(change), span);
            }
            AlterKind::DropColumn { column, .. } => {
                let known = self.before.tables.get(table).and_then(|t| t.column(&column.name));
                let Some(known) = known else { return Ok(()) };
                let drop = DropColumn {
                    table: table.clone(),
                    column: known.name.clone(),
                    default: self.default_kind(known, span).unwrap_or(DefaultKind::Volatile),
                };
                self.ask(Change::DropColumn(drop), span);
            }
            AlterKind::RenameColumn { from, to } => {
                self.renamed.insert((table.clone(), to.name.to_string()), from.name.to_string());
                self.ask(
                    Change::RenameColumn(RenameColumn {
                        table: table.clone(),
                        from: from.name.to_string(),
                        to: to.name.to_string(),
                    }),
                    span,
                );
            }
            AlterKind::SetNotNull { column }
            | AlterKind::SetDefault { column, .. }
            | AlterKind::DropDefault { column } => {
                let column = self.after.tables[table].column(&column.name).cloned();
                if let Some(column) = column {
                    let default = self.default_kind(&column, span)?;
                    let add = self.added_mut(table, &column.name);
                    add.default = default;
                    add.column = column;
                }
            }
            AlterKind::AddConstraint(constraint) => {
                let added = self.after.tables[table].constraints.last().cloned();
                let (Some(added), Some(column)) = (added, constraint_column(constraint)) else {
                    return Err(self.not_yet("this constraint", span));
                };
                let add = self.added_mut(table, &column);
                match added.kind {
                    ConstraintKind::ForeignKey { .. } => add.references = Some(added),
                    _ => add.unique = Some(added),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn constraint_column(constraint: &TableConstraint) -> Option<String> {
    match &constraint.kind {
        TableConstraintKind::Unique { columns, .. } => {
            columns.first()?.column.as_ref().map(|ident| ident.name.to_string())
        }
        TableConstraintKind::ForeignKey { columns, .. } => {
            columns.first().map(|ident| ident.name.to_string())
        }
        _ => None,
    }
}

fn first_words(text: &str) -> String {
    format!("`{}`", text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}
