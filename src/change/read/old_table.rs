//! A table that is there, renamed or dropped.

use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::input::ast::{AlterKind, AlterTable, Drop, Name, Statement};

use super::super::{Change, DropTable, RenameTable};
use super::Reader;

/// The new name, where the statement says nothing else.
pub(super) fn renamed_to<'a>(alter: &'a AlterTable) -> Option<&'a Name<'a>> {
    match alter.actions.as_slice() {
        [action] => match &action.kind {
            AlterKind::RenameTable { to } => Some(to),
            _ => None,
        },
        _ => None,
    }
}

impl Reader<'_> {
    pub(super) fn rename_table(
        &mut self,
        from: &Name,
        to: &Name,
        statement: &Statement,
    ) -> Result<()> {
        let old = TableName::of(from, self.server.dialect);
        let table = self.table(&old, from.span())?;
        if table.partition_by.is_some() || table.partition_of.is_some() {
            return Err(self.not_yet("renaming a partitioned table", from.span()));
        }
        self.nameable(&to.name)?;
        let new = old.sibling(to.name.name.as_ref());
        let taken = self.after.table_key(&new).is_some_and(|key| *key != old)
            || self.after.views.contains_key(&new)
            || self.after.sequences.contains_key(&new)
            || self.after.table_of_index(&new).is_some();
        if taken || new == old {
            return Err(Error::refused(format!("`{}` is taken", new.name)).at(
                self.source,
                to.span(),
                "the new name",
            ));
        }
        self.after.apply(self.source, statement)?;
        self.ask(Change::RenameTable(RenameTable { from: old, to: new }), statement.text.span());
        Ok(())
    }

    pub(super) fn drop_tables(&mut self, drop: &Drop, statement: &Statement) -> Result<()> {
        if drop.cascade {
            return Err(Error::refused("CASCADE drops whatever uses the table, unseen")
                .at(self.source, statement.text.span(), "here")
                .hint("leave it out: miggen drops the table's own keys, and names what else is in the way"));
        }
        for name in &drop.names {
            let table = TableName::of(name, self.server.dialect);
            let found = self.table(&table, name.span())?;
            if found.partition_by.is_some() || found.partition_of.is_some() {
                return Err(self.not_yet("dropping a partitioned table", name.span()));
            }
            if !found.partial.is_empty() {
                return Err(Error::refused(format!("`{}` is not known in full", table.name))
                    .at(self.source, name.span(), found.partial.join("; "))
                    .note("there would be no way back to it"));
            }
            if self.creates(&table) {
                return Err(self.not_yet("dropping a table of the same script", name.span()));
            }
            self.ask(Change::DropTable(DropTable { table }), name.span());
        }
        self.after.apply(self.source, statement)
    }

    /// Whether a table that goes or gets another name is all that the script is about.
    pub(super) fn stands_alone(&self) -> Result<()> {
        let whole =
            |change: &Change| matches!(change, Change::RenameTable(_) | Change::DropTable(_));
        let only_drops =
            self.asked.iter().all(|asked| matches!(asked.change, Change::DropTable(_)));
        let found = self.asked.iter().find(|asked| whole(&asked.change));
        match found.filter(|_| self.asked.len() > 1 && !only_drops) {
            Some(asked) => {
                let (what, order) = match asked.change {
                    Change::DropTable(_) => (
                        "dropping",
                        "plan the others first; when their last deploy is through, this one",
                    ),
                    _ => ("renaming", "plan the other changes before or after it"),
                };
                Err(Error::refused(format!("{what} a table is a rollout of its own"))
                    .at(self.source, asked.span, "together with other changes")
                    .hint(order))
            }
            None => Ok(()),
        }
    }
}
