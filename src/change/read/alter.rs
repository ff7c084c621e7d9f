//! ALTER TABLE.

use crate::catalog::{ConstraintKind, TableName};
use crate::error::{Error, Result};
use crate::input::ast::{
    AlterAction, AlterKind, AlterTable, ColumnConstraintKind, Ident, Kind, Statement,
    TableConstraint, TableConstraintKind,
};

use super::super::{Change, OfConstraint, RenameColumn};
use super::Reader;

impl Reader<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable, statement: &Statement) -> Result<()> {
        let table = TableName::of(&alter.table, self.server.dialect);
        let found = self.table(&table, alter.table.span())?;
        if found.is_heir() {
            return Err(self.not_yet("changing a table that inherits", alter.table.span()));
        }
        if !found.partial.is_empty() {
            return Err(Error::refused(format!("`{}` is not known in full", table.name))
                .at(self.source, alter.table.span(), found.partial.join("; "))
                .hint("give a schema file with the table as it is: `--schema schema.sql`"));
        }
        // These reach every partition by themselves, and read none.
        let of_all = |action: &AlterAction| {
            matches!(
                action.kind,
                AlterKind::AddColumn { .. }
                    | AlterKind::SetDefault { .. }
                    | AlterKind::DropDefault { .. }
                    | AlterKind::DropNotNull { .. }
            )
        };
        let partitioned = found.partition_by.is_some() && !alter.actions.iter().all(of_all);
        if partitioned || found.partition_of.is_some() {
            return Err(self.not_yet("changing a partitioned table", alter.table.span()));
        }
        // Names are checked against the state before an action, what it brings is read off the one after.
        for action in &alter.actions {
            self.action(&table, action)?;
            let one = AlterTable { actions: vec![action.clone()], ..alter.clone() };
            let one = Statement { kind: Kind::AlterTable(one), ..statement.clone() };
            self.after.apply(self.source, &one)?;
            self.finish_action(&table, action)?;
        }
        Ok(())
    }

    /// What must hold before the naive statement is applied.
    pub(super) fn action(&mut self, table: &TableName, action: &AlterAction) -> Result<()> {
        let span = action.text.span();
        match &action.kind {
            AlterKind::AddColumn { column, if_not_exists, .. } => {
                self.nameable_column(column)?;
                let there = self.after.tables[table].column(&column.name.name).is_some();
                if there && !if_not_exists {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, column.name.name
                    ))
                    .at(self.source, column.name.span, "already there")
                    .hint("leave it out, or give it another name"));
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
                self.droppable(table, column, *cascade, span)
            }
            AlterKind::RenameColumn { from, to } => {
                self.column(table, from)?;
                self.nameable(to)?;
                if self.after.tables[table].column(&to.name).is_some() {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, to.name
                    ))
                    .at(self.source, to.span, "already there")
                    .hint("leave it out, or give it another name"));
                }
                Ok(())
            }
            AlterKind::SetNotNull { column }
            | AlterKind::SetDefault { column, .. }
            | AlterKind::DropDefault { column }
            | AlterKind::DropNotNull { column }
            | AlterKind::SetType { column, .. } => self.known_column(table, column),
            AlterKind::AddConstraint(constraint) => {
                if let Some(name) = &constraint.name {
                    self.nameable(name)?;
                }
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
                if about_new_column { Ok(()) } else { self.constraint_known(constraint, span) }
            }
            AlterKind::ValidateConstraint { name } => {
                match self.after.tables[table].constraint(&name.name) {
                    Some(constraint) if !constraint.valid => Ok(()),
                    Some(_) => Err(Error::refused(format!("`{}` is valid already", name.name)).at(
                        self.source,
                        name.span,
                        "nothing to do",
                    )),
                    None => Err(Error::refused(format!(
                        "{} has no constraint `{}`",
                        table.name, name.name
                    ))
                    .at(self.source, name.span, "not in the schema")),
                }
            }
            AlterKind::DropConstraint { name: Some(name), cascade, .. } => {
                if let Some(column) = self.required_by(table, &name.name) {
                    let column = Ident { name: column.to_owned().into(), ..name.clone() };
                    let relax = AlterKind::DropNotNull { column: column.clone() };
                    return self.altered(table, &relax, &column, span);
                }
                let constraint = self.constraint_droppable(table, name, *cascade, span)?;
                let change = OfConstraint { table: table.clone(), constraint };
                self.ask(Change::DropConstraint(change), span);
                Ok(())
            }
            AlterKind::RenameConstraint { from, to } => {
                self.rename_constraint(table, from, to, span)
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
                let key = |kind: &ColumnConstraintKind| {
                    matches!(kind, ColumnConstraintKind::PrimaryKey { .. })
                };
                if column.constraints.iter().any(|constraint| key(&constraint.kind)) {
                    return self.keyed(table, span);
                }
            }
            AlterKind::DropColumn { column, .. } => self.dropped(table, column, span),
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
            | AlterKind::DropDefault { column }
            | AlterKind::DropNotNull { column } => {
                if self.added(table, &column.name).is_none() {
                    return self.altered(table, &action.kind, column, span);
                }
                let now = self.after.tables[table].column(&column.name).cloned();
                if let Some(now) = now {
                    self.default_kind(&now, span)?;
                    self.added_mut(table, &column.name).column = now;
                }
            }
            AlterKind::AddConstraint(constraint) => {
                let added = self.after.tables[table].constraints.last().cloned();
                let own = constraint_column(constraint)
                    .filter(|column| self.added(table, column).is_some());
                let (Some(added), Some(column)) = (added, own) else {
                    return self.constrained(table, span);
                };
                let add = self.added_mut(table, &column);
                match added.kind {
                    ConstraintKind::ForeignKey { .. } => add.references = Some(added),
                    _ => add.unique = Some(added),
                }
            }
            AlterKind::SetType { column, using, .. } => {
                return self.retyped(table, column, using.as_ref().map(|u| u.text), span);
            }
            AlterKind::ValidateConstraint { name } => self.validated(table, name, span),
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
