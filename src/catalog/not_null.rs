//! Names of NOT NULL, which PostgreSQL keeps from 18 on.
//!
//! Enters: tables, columns, names. Leaves: tables whose constraints hold the names that the server
//! would not have chosen by itself; the usual ones are not said. Must not know: plans.
//! Source: names read from `pg_constraint` on 18; before, a name that is given is forgotten.

use super::names::{self, pg_object_name};
use super::{Catalog, Constraint, ConstraintKind, Table, TableName};

/// The name that a column's NOT NULL gets where none is given.
pub fn usual_not_null_name(table: &TableName, column: &str) -> String {
    pg_object_name(&table.name, Some(column), "not_null")
}

impl Catalog {
    /// As a server has them that knows of no names.
    pub fn forget_not_null_names(&mut self) {
        self.names_not_null = false;
        for table in self.tables.values_mut() {
            table.constraints.retain(|one| !matches!(one.kind, ConstraintKind::NotNull(_)));
        }
    }
}

impl Table {
    /// What the NOT NULL of a column is called.
    pub fn not_null_name(&self, column: &str) -> String {
        let said = self.constraints.iter().find(|one| self.is_not_null_of(one, column));
        let said = said.and_then(|one| one.name.clone());
        said.unwrap_or_else(|| usual_not_null_name(&self.name, column))
    }

    /// The column whose NOT NULL is called so.
    pub fn required_by(&self, name: &str) -> Option<&str> {
        let other = |kind: &ConstraintKind| !matches!(kind, ConstraintKind::NotNull(_));
        if self.constraint(name).is_some_and(|one| other(&one.kind)) {
            return None;
        }
        let required = self.columns.iter().filter(|column| column.not_null);
        let mut names = required.map(|column| column.name.as_str());
        names.find(|column| self.not_null_name(column) == name)
    }

    /// The NOT NULL of a column is called `name` from now on.
    pub fn name_not_null(&mut self, column: &str, name: &str) {
        self.forget_not_null_name(column);
        if name != usual_not_null_name(&self.name, column) {
            self.constraints.push(not_null(column, name.to_owned()));
        }
    }

    /// The NOT NULL of a column as the constraint that the server has.
    pub fn not_null_of(&self, column: &str) -> Constraint {
        not_null(column, self.not_null_name(column))
    }

    pub fn forget_not_null_name(&mut self, column: &str) {
        let kept = std::mem::take(&mut self.constraints);
        self.constraints =
            kept.into_iter().filter(|one| !self.is_not_null_of(one, column)).collect();
    }

    /// Required columns with their names, before something else is called another way.
    pub(super) fn not_null_names(&self) -> Vec<(String, String)> {
        let required = self.columns.iter().filter(|column| column.not_null);
        required.map(|column| (column.name.clone(), self.not_null_name(&column.name))).collect()
    }

    fn is_not_null_of(&self, constraint: &Constraint, column: &str) -> bool {
        matches!(&constraint.kind, ConstraintKind::NotNull(own) if names::same(self.dialect, own, column))
    }
}

fn not_null(column: &str, name: String) -> Constraint {
    Constraint {
        name: Some(name),
        named: true,
        kind: ConstraintKind::NotNull(column.to_owned()),
        options: None,
        valid: true,
        comment: None,
    }
}
