//! Whether a constraint fits the table it is for.
//!
//! Enters: a constraint of the syntax tree and its table. Leaves: problems. Must not know: how a
//! constraint is kept.

use crate::input::ast::{Ident, IndexKey, References, TableConstraint, TableConstraintKind};
use crate::source::Dialect;

use super::build::Replay;
use super::{Table, TableName};

impl Replay<'_, '_> {
    /// False where the server would have a second constraint of a kind or name it allows once.
    pub(super) fn constraint_fits(&mut self, name: &TableName, of: &TableConstraint<'_>) -> bool {
        let Some(table) = self.catalog.table(name).cloned() else {
            return false;
        };
        if matches!(of.kind, TableConstraintKind::PrimaryKey { .. })
            && table.primary_key().is_some()
        {
            let message = format!("`{name}` has a primary key already");
            self.problem(message, of.text.span(), "a second one");
            return false;
        }
        // MariaDB takes IF NOT EXISTS here, and SQLite any name twice.
        if let (Some(own), Dialect::Postgres | Dialect::MySql) = (&of.name, self.dialect())
            && table.constraint(&own.name).is_some()
        {
            let message = format!("`{name}` has a constraint `{}` already", own.name);
            self.problem(message, own.span, "in the schema");
            return false;
        }
        self.parts_exist(&table, of);
        true
    }

    /// Reports columns and tables that the constraint names and that do not exist.
    pub(super) fn parts_exist(&mut self, table: &Table, of: &TableConstraint<'_>) {
        let columns: Vec<_> = match &of.kind {
            TableConstraintKind::PrimaryKey { columns, .. }
            | TableConstraintKind::Unique { columns, .. } => plain(columns),
            TableConstraintKind::ForeignKey { columns, references } => {
                self.reference_fits(table, references);
                columns.clone()
            }
            TableConstraintKind::NotNull { column } => vec![column.clone()],
            _ => Vec::new(),
        };
        self.columns_exist(table, &columns);
    }

    /// Only PostgreSQL asks for the other table at once, and SQLite not even for its columns.
    pub(super) fn reference_fits(&mut self, table: &Table, references: &References<'_>) {
        if self.dialect() == Dialect::Sqlite {
            return;
        }
        let target = self.name(&references.table);
        if target == table.name {
            self.columns_exist(table, &references.columns);
            return;
        }
        let known = match self.dialect() {
            Dialect::Postgres => self.known_table(&references.table, false),
            _ => self.catalog.table_key(&target).cloned(),
        };
        if let Some(target) = known.and_then(|name| self.catalog.table(&name).cloned()) {
            self.columns_exist(&target, &references.columns);
        }
    }
}

fn plain<'a>(keys: &[IndexKey<'a>]) -> Vec<Ident<'a>> {
    keys.iter().filter_map(|key| key.column.clone()).collect()
}
