//! A table that the script creates, and what its later statements say of it.
//!
//! Nobody uses the table yet, so later statements are folded into it: the catalog carries them out,
//! and the table is read off it in the end.

use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::input::ast::{AlterKind, AlterTable, CreateTable as Definition, Name, Statement};
use crate::source::Span;

use super::super::{Change, CreateTable};
use super::{Reader, types};

impl Reader<'_> {
    pub(super) fn create_table(
        &mut self,
        definition: &Definition,
        statement: &Statement,
    ) -> Result<()> {
        let name = TableName::of(&definition.name, self.server.dialect);
        let span = definition.name.span();
        let kinds = [
            (definition.temporary, "a temporary table"),
            (definition.or_replace, "CREATE OR REPLACE TABLE"),
            (definition.partition_by.is_some(), "a partitioned table"),
            (definition.partition_of.is_some(), "a partition"),
        ];
        if let Some((_, what)) = kinds.iter().find(|(is, _)| *is) {
            return Err(self.not_yet(what, span));
        }
        let second = statement.text.text.split_whitespace().nth(1).unwrap_or_default();
        if !second.eq_ignore_ascii_case("table") {
            return Err(
                self.not_yet(&format!("CREATE {} TABLE", second.to_ascii_uppercase()), span)
            );
        }
        self.nameable(&definition.name.name)?;
        for column in &definition.columns {
            self.nameable_column(column)?;
        }
        for name in definition.constraints.iter().filter_map(|one| one.name.as_ref()) {
            self.nameable(name)?;
        }
        if let Some(there) = self.after.table_key(&name) {
            return Err(Error::refused(format!("there is a table `{}` already", there.name)).at(
                self.source,
                span,
                "in the schema",
            ));
        }
        if self.after.views.contains_key(&name) {
            return Err(Error::refused(format!("there is a view `{}` already", name.name)).at(
                self.source,
                span,
                "the name is taken",
            ));
        }
        self.after.apply(self.source, statement)?;
        let table = self.after.tables[&name].clone();
        if let Some(reason) = table.partial.first() {
            return Err(Error::refused(format!("`{}` is not understood in full", name.name))
                .at(self.source, span, reason.clone())
                .hint("write its columns out"));
        }
        for column in &definition.columns {
            if let Some(ty) = &column.ty {
                types::exists(self.server, &self.after, ty.text)
                    .map_err(|why| Error::refused(why).at(self.source, ty.span(), "this type"))?;
            }
        }
        self.ask(Change::CreateTable(CreateTable { table }), statement.text.span());
        Ok(())
    }

    /// The script created it.
    pub(super) fn is_created(&self, name: &Name) -> bool {
        self.creates(&TableName::of(name, self.server.dialect))
    }

    pub(super) fn creates(&self, name: &TableName) -> bool {
        let same = |table: &TableName| self.after.same_table(table, name);
        self.asked.iter().any(
            |asked| matches!(&asked.change, Change::CreateTable(create) if same(&create.table.name)),
        )
    }

    /// ALTER TABLE of a table that nobody uses yet.
    pub(super) fn alter_created(
        &mut self,
        alter: &AlterTable,
        statement: &Statement,
    ) -> Result<()> {
        for action in &alter.actions {
            match &action.kind {
                AlterKind::AddColumn { .. }
                | AlterKind::SetNotNull { .. }
                | AlterKind::DropNotNull { .. }
                | AlterKind::SetDefault { .. }
                | AlterKind::DropDefault { .. }
                | AlterKind::AddConstraint(_) => {}
                _ => {
                    return Err(
                        self.not_yet("this on a table of the same script", action.text.span())
                    );
                }
            }
        }
        self.after.apply(self.source, statement)
    }

    pub(super) fn no_rows_yet(&self, table: &TableName, span: Span) -> Result<()> {
        if self.creates(table) {
            return Err(Error::refused(format!("`{}` has no rows yet", table.name)).at(
                self.source,
                span,
                "created above",
            ));
        }
        Ok(())
    }

    /// Created tables as the last statement left them.
    pub(super) fn finish_created(&mut self) {
        for asked in &mut self.asked {
            if let Change::CreateTable(create) = &mut asked.change
                && let Some(table) = self.after.tables.get(&create.table.name)
            {
                create.table = table.clone();
            }
        }
    }
}
