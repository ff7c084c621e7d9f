//! A table that is there, renamed.

use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::input::ast::{AlterKind, AlterTable, Name, Statement};

use super::super::{Change, RenameTable};
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

    /// What else a script does to a table would have to say under which of its names.
    pub(super) fn stands_alone(&self) -> Result<()> {
        let renamed =
            self.asked.iter().find(|asked| matches!(asked.change, Change::RenameTable(_)));
        match renamed.filter(|_| self.asked.len() > 1) {
            Some(asked) => Err(Error::refused("renaming a table is a rollout of its own")
                .at(self.source, asked.span, "together with other changes")
                .hint("plan the other changes before or after it")),
            None => Ok(()),
        }
    }
}
