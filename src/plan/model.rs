//! What the application's models may say from a step on, as data: each framework has its own words.

use crate::catalog::{Column, Constraint, Index, Table, TableName};
use crate::change::CommentOn;

/// A change of the application's models.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelChange {
    AddField {
        table: TableName,
        field: Field,
    },
    /// The field as it was before, and as it may be declared now.
    AlterField {
        table: TableName,
        before: Field,
        field: Field,
    },
    /// The same of a primary key's only column.
    AlterKey {
        table: TableName,
        before: Field,
        field: Field,
    },
    AddConstraint {
        table: TableName,
        constraint: Constraint,
    },
    RemoveConstraint {
        table: TableName,
        constraint: Constraint,
    },
    /// `indexes` keep their names and now name the new column.
    RenameField {
        table: TableName,
        from: String,
        field: Field,
        indexes: Vec<RenamedIndex>,
    },
    AddIndex {
        table: TableName,
        index: Index,
    },
    RemoveIndex {
        table: TableName,
        index: Index,
    },
    AddModel(Box<Table>),
    /// No code names the table from now on.
    RemoveModel {
        table: TableName,
    },
    /// `references` are the tables whose foreign keys name it, with the column.
    RenameModel {
        from: TableName,
        to: TableName,
        references: Vec<(TableName, Constraint)>,
    },
    /// A comment the models may repeat.
    Comment {
        on: CommentOn,
        text: Option<String>,
        before: Option<String>,
    },
    /// No code names it from now on; `indexes` and constraints on it go from the models as well.
    RemoveField {
        table: TableName,
        field: Field,
        indexes: Vec<Index>,
    },
}

impl ModelChange {
    /// The table of the model, as it is called before.
    pub fn table(&self) -> &TableName {
        match self {
            ModelChange::AddField { table, .. }
            | ModelChange::AlterField { table, .. }
            | ModelChange::AlterKey { table, .. }
            | ModelChange::AddConstraint { table, .. }
            | ModelChange::RemoveConstraint { table, .. }
            | ModelChange::RenameField { table, .. }
            | ModelChange::AddIndex { table, .. }
            | ModelChange::RemoveIndex { table, .. }
            | ModelChange::RemoveModel { table }
            | ModelChange::RenameModel { from: table, .. }
            | ModelChange::RemoveField { table, .. } => table,
            ModelChange::AddModel(table) => &table.name,
            ModelChange::Comment { on, .. } => on.table(),
        }
    }
}

/// A column as a model declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub column: Column,
    /// The name of the unique constraint or index of this column alone.
    pub unique: Option<String>,
    /// A foreign key of this column alone.
    pub references: Option<Constraint>,
}

/// An index (or unique constraint) on a renamed column.
#[derive(Debug, Clone, PartialEq)]
pub struct RenamedIndex {
    pub before: Index,
    pub after: Index,
    /// The one on the copy of the column: no name of the old one's goes to it while both exist, for
    /// code may name a constraint in ON CONFLICT, or in what it makes of an error.
    pub copy: Index,
    pub constraint: bool,
}
