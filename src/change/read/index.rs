//! DROP INDEX.

use crate::catalog::{ConstraintKind, Table, TableName};
use crate::error::{Error, Result};
use crate::input::ast::{DropIndex as DropStatement, Name, Statement};

use super::super::{Change, DropIndex};
use super::Reader;

impl Reader<'_> {
    /// A column that goes takes its indexes with it: to drop them first says nothing more.
    pub(super) fn gone_with_their_column(&mut self) {
        let columns: Vec<(TableName, String)> = self
            .asked
            .iter()
            .flat_map(|asked| match &asked.change {
                Change::DropColumn(drop) => vec![drop],
                Change::Replace(replace) => replace.old.iter().map(|(drop, _)| drop).collect(),
                _ => Vec::new(),
            })
            .map(|drop| (drop.table.clone(), drop.column.clone()))
            .collect();
        let dialect = self.server.dialect;
        self.asked.retain(|asked| match &asked.change {
            Change::DropIndex(drop) => !columns
                .iter()
                .any(|(table, column)| *table == drop.table && drop.index.uses(column, dialect)),
            _ => true,
        });
    }

    pub(super) fn drop_index(&mut self, drop: &DropStatement, statement: &Statement) -> Result<()> {
        if drop.cascade {
            return Err(Error::refused("miggen does not plan DROP INDEX … CASCADE")
                .at(self.source, statement.text.span(), "it drops what nobody named")
                .hint("drop what depends on the index first, by name"));
        }
        let mut dropped = Vec::new();
        for name in &drop.names {
            let wanted = TableName::of(name, self.server.dialect);
            let missing = || {
                let instead = format!("DROP CONSTRAINT {} drops", wanted.name);
                self.no_index(name, &wanted, "dropped", &instead)
            };
            let Some(table) = self.after.table_of_index(&wanted) else {
                return Err(missing());
            };
            if self.creates(&table.name) || self.before.table_of_index(&wanted).is_none() {
                return Err(self.not_yet("dropping an index of the same script", name.span()));
            }
            if table.partition_by.is_some() || table.partition_of.is_some() {
                return Err(self.not_yet("dropping an index of a partitioned table", name.span()));
            }
            let Some(index) = table.index(&wanted.name).cloned() else {
                return Err(missing());
            };
            self.not_a_key(table, &index, name)?;
            dropped.push((DropIndex { table: table.name.clone(), index }, name.span()));
        }
        self.after.apply(self.source, statement)?;
        for (change, span) in dropped {
            self.ask(Change::DropIndex(change), span);
        }
        Ok(())
    }

    /// Foreign keys may rest on a unique index that is no constraint.
    fn not_a_key(&self, table: &Table, index: &crate::catalog::Index, name: &Name) -> Result<()> {
        let columns: Option<Vec<&str>> =
            index.keys.iter().map(crate::catalog::Key::column).collect();
        let Some(mut columns) = columns.filter(|_| index.unique && index.filter.is_none()) else {
            return Ok(());
        };
        columns.sort_unstable();
        let rests = |references: &[String]| {
            let mut wanted: Vec<&str> = references.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            wanted == columns
        };
        let key = self.after.references_to(&table.name).find(|(_, constraint)| {
            matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if rests(references))
        });
        match key {
            Some((from, constraint)) => Err(Error::refused(format!(
                "the foreign key {} of `{}` may rest on this index",
                constraint.name.as_deref().unwrap_or("without a name"),
                from.name.name
            ))
            .at(self.source, name.span(), "it makes the referenced columns unique")
            .hint("drop the foreign key first, or point it at the primary key")),
            None => Ok(()),
        }
    }

    /// `instead` is what does `done` to both, of an index that is a constraint's.
    pub(super) fn no_index(
        &self,
        name: &Name,
        wanted: &TableName,
        done: &str,
        instead: &str,
    ) -> Error {
        let owner = self.after.tables.values().find(|table| {
            table.name.schema == wanted.schema && table.constraint(&wanted.name).is_some()
        });
        if let Some(table) = owner {
            return Error::refused(format!("`{}` is the index of a constraint", wanted.name))
                .at(self.source, name.span(), format!("cannot be {done} by itself"))
                .hint(format!("ALTER TABLE {} {instead} both", table.name.name));
        }
        let error = Error::refused(format!("there is no index `{}`", wanted.name)).at(
            self.source,
            name.span(),
            "not in the schema",
        );
        let names = self.after.tables.values().flat_map(|table| &table.indexes);
        match crate::catalog::names::closest(&wanted.name, names.map(|index| index.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`--schema FILE` names the schema as it is now"),
        }
    }
}
