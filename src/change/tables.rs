//! The tables that a change is about, reads or points to.

use std::collections::BTreeSet;

use crate::catalog::{Constraint, ConstraintKind, TableName};

use super::Change;

impl Change {
    pub fn tables(&self) -> BTreeSet<&TableName> {
        let (own, keys): (Vec<&TableName>, Vec<&Constraint>) = match self {
            Change::AddColumn(add) => (vec![&add.table], add.references.iter().collect()),
            Change::Comment(comment) => (vec![comment.on.table()], vec![]),
            Change::CreateIndex(create) => (vec![&create.table], vec![]),
            Change::CreateTable(create) => {
                (vec![&create.table.name], create.table.constraints.iter().collect())
            }
            Change::DropColumn(drop) => (vec![&drop.table], vec![]),
            Change::DropIndex(drop) => (vec![&drop.table], vec![]),
            Change::DropTable(drop) => (vec![&drop.table], vec![]),
            Change::ChangeType(change) => (vec![&change.table], vec![]),
            Change::Require(one) => (vec![&one.table], vec![]),
            Change::Relax(one) => (vec![&one.table], vec![]),
            Change::SetDefault(set) => (vec![&set.table], vec![]),
            Change::RenameName(rename) => (vec![&rename.table], vec![]),
            Change::AddConstraint(of)
            | Change::ValidateConstraint(of)
            | Change::DropConstraint(of) => (vec![&of.table], vec![&of.constraint]),
            Change::RenameColumn(rename) => (vec![&rename.table], vec![]),
            Change::Replace(replace) => (
                vec![&replace.table],
                replace.new.iter().filter_map(|new| new.references.as_ref()).collect(),
            ),
            Change::RenameTable(rename) => (vec![&rename.from, &rename.to], vec![]),
            Change::Update(update) => (vec![&update.table], vec![]),
            Change::Delete(delete) => (vec![&delete.table], vec![]),
            Change::Copy(copy) => (vec![&copy.from, &copy.into], vec![]),
            Change::Seed(seed) => (vec![&seed.table], vec![]),
        };
        let targets = keys.into_iter().filter_map(|key| match &key.kind {
            ConstraintKind::ForeignKey { table, .. } => Some(table),
            _ => None,
        });
        let read = self.reads().into_iter().flat_map(|reads| &reads.tables);
        own.into_iter().chain(targets).chain(read).collect()
    }
}
