//! What was asked for, as data.
//!
//! Enters: the schema before, and the statements of the change. Leaves: an [`Intent`]: typed
//! changes, each with its place, and the schema they lead to. Must not know: how it is carried out.
//! What is not understood, or not offered yet, is refused here, with its place.

pub mod names;
mod read;
mod tables;
mod types;

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Column, Constraint, Expr, Index, Table, TableName};
use crate::source::{Source, Span};

pub use read::read;

/// One change script, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub asked: Vec<Asked>,
    /// The schema as the naive statements would leave it.
    pub after: Catalog,
    pub keep: Option<Keep>,
    /// `rename posts.created to created_at`
    pub title: String,
    /// `rename_created`
    pub slug: String,
    pub source: Source,
}

/// How long what a contract drops is kept after deploy 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// As written: `14 days`.
    pub text: String,
    pub days: u32,
    pub span: Span,
}

impl Keep {
    /// Ten years; more is a slip of the pen.
    const MOST: u32 = 3650;

    /// A number of days that something can be kept.
    pub fn days(number: &str) -> Option<u32> {
        number.parse().ok().filter(|days| *days <= Keep::MOST)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub change: Change,
    /// Where it stands in the change script.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    AddColumn(AddColumn),
    Comment(Comment),
    CreateIndex(CreateIndex),
    CreateTable(CreateTable),
    DropColumn(DropColumn),
    DropIndex(DropIndex),
    DropTable(DropTable),
    ChangeType(Box<ChangeType>),
    Require(Require),
    Relax(Relax),
    SetDefault(SetDefault),
    RenameName(RenameName),
    AddConstraint(OfConstraint),
    ValidateConstraint(OfConstraint),
    DropConstraint(OfConstraint),
    RenameColumn(RenameColumn),
    Replace(Replace),
    RenameTable(RenameTable),
    Update(Update),
    Delete(Delete),
    Copy(Copy),
    Seed(Seed),
}

impl Change {
    /// The columns it adds to tables that are there.
    pub fn added(&self) -> &[AddColumn] {
        match self {
            Change::AddColumn(add) => std::slice::from_ref(add),
            Change::Replace(replace) => &replace.new,
            _ => &[],
        }
    }

    pub fn reads(&self) -> Option<&Reads> {
        match self {
            Change::Update(update) => Some(&update.reads),
            Change::Delete(delete) => Some(&delete.reads),
            Change::Copy(copy) => Some(&copy.reads),
            _ => None,
        }
    }
}

/// A new column, with all that the script says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddColumn {
    pub table: TableName,
    /// As it is to be in the end.
    pub column: Column,
    /// The default it comes with, which is what rows that are there get; later statements of the
    /// script may have given the column another, or none.
    pub existing: Option<Expr>,
    /// What that costs.
    pub default: DefaultKind,
    pub unique: Option<Constraint>,
    pub checks: Vec<Constraint>,
    pub references: Option<Constraint>,
    /// What existing rows get, where an UPDATE of the script says so.
    pub fill: Option<Fill>,
}

/// What a default costs on existing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultKind {
    None,
    Constant,
    /// One value for all existing rows.
    Stable,
    /// A value of its own for every row.
    Volatile,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    pub expr: Expr,
    /// Columns the expression reads.
    pub sources: Vec<String>,
    /// It is NULL where one of these is, and nowhere else; `None`: that is not known.
    pub needs: Option<Vec<String>>,
    /// It is of the column's type, its length apart.
    pub typed: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    pub table: TableName,
    pub index: Index,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropIndex {
    pub table: TableName,
    /// As it was.
    pub index: Index,
}

/// A new table as the whole script leaves it: with its indexes, later columns, comments.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    pub table: Table,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub on: CommentOn,
    /// `None`: there is to be none.
    pub text: Option<String>,
    pub before: Option<String>,
}

/// What a comment is about, with the table it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub enum CommentOn {
    Table(TableName),
    Column(TableName, String),
    Index(TableName, String),
    Constraint(TableName, String),
}

impl CommentOn {
    pub fn table(&self) -> &TableName {
        match self {
            CommentOn::Table(table)
            | CommentOn::Column(table, _)
            | CommentOn::Index(table, _)
            | CommentOn::Constraint(table, _) => table,
        }
    }

    /// `users.email`, `users_email_idx`
    pub fn title(&self) -> String {
        match self {
            CommentOn::Table(table) => table.name.clone(),
            CommentOn::Column(table, column) => format!("{}.{column}", table.name),
            CommentOn::Index(_, name) | CommentOn::Constraint(_, name) => name.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct RenameColumn {
    pub table: TableName,
    pub from: String,
    pub to: String,
}

/// New columns that are computed from others, which go.
#[derive(Debug, Clone, PartialEq)]
pub struct Replace {
    pub table: TableName,
    /// Each with its value, of the new columns.
    pub old: Vec<(DropColumn, Expr)>,
    /// Each with its fill.
    pub new: Vec<AddColumn>,
}

impl Replace {
    /// As they are in `table`, the one they are columns of.
    pub fn old_columns<'t>(&'t self, table: &'t Table) -> impl Iterator<Item = &'t Column> {
        self.old.iter().filter_map(|(drop, _)| table.column(&drop.column))
    }

    /// `first_name and last_name`
    pub fn olds(&self) -> String {
        let names: Vec<&str> = self.old.iter().map(|(drop, _)| drop.column.as_str()).collect();
        names.join(" and ")
    }

    pub fn news(&self) -> String {
        let names: Vec<&str> = self.new.iter().map(|new| new.column.name.as_str()).collect();
        names.join(" and ")
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropColumn {
    pub table: TableName,
    pub column: String,
    /// What it would cost to add it again.
    pub default: DefaultKind,
    /// Its value of the columns that take its place, where a hint says so.
    pub back: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropTable {
    pub table: TableName,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RenameTable {
    pub from: TableName,
    pub to: TableName,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChangeType {
    pub table: TableName,
    pub before: Column,
    pub after: Column,
    /// As the script says it.
    pub using: Option<Expr>,
    /// As a hint of the script says it.
    pub back: Option<Expr>,
    /// The new value of a row; `using`, or a cast.
    pub forward: Expr,
    /// The old value, of a row that has the new one under the same name; `back`, or a cast.
    pub backward: Expr,
}

/// `SET NOT NULL` of a column that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Require {
    pub table: TableName,
    pub column: String,
    /// What rows without a value get, where an UPDATE of the script says so.
    pub fill: Option<Fill>,
}

/// `DROP NOT NULL`.
#[derive(Debug, Clone, PartialEq)]
pub struct Relax {
    pub table: TableName,
    pub column: String,
}

/// A default set or dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct SetDefault {
    pub table: TableName,
    pub column: String,
    pub before: Option<Expr>,
    pub after: Option<Expr>,
}

/// A constraint of columns that are there, named as the server names it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfConstraint {
    pub table: TableName,
    pub constraint: Constraint,
}

/// An index or a constraint gets another name, and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct RenameName {
    pub table: TableName,
    pub of: Named,
    pub to: String,
}

/// As it was before.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    Index(Index),
    Constraint(Constraint),
}

impl Named {
    pub fn name(&self) -> &str {
        match self {
            Named::Index(index) => &index.name,
            Named::Constraint(constraint) => constraint.name.as_deref().unwrap_or_default(),
        }
    }
}

/// What a statement reads besides the rows that it walks through.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reads {
    /// Tables that it does not write.
    pub tables: BTreeSet<TableName>,
    /// Tables of which no index finds the rows that are asked for: each statement reads all of them.
    pub whole: BTreeSet<TableName>,
    /// Tables of which one row is asked for, and nothing proves that there are no more: the server
    /// refuses a second one.
    pub several: BTreeSet<TableName>,
}

impl Reads {
    fn add(&mut self, more: Reads) {
        self.tables.extend(more.tables);
        self.whole.extend(more.whole);
        self.several.extend(more.several);
    }
}

/// An UPDATE of existing columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub table: TableName,
    /// What the expressions call it, if that is another name.
    pub alias: Option<String>,
    pub set: Vec<Assignment>,
    pub filter: Option<Expr>,
    pub reads: Reads,
    /// Its columns are new: no trigger could keep them in step with other tables, so rows from before are
    /// filled when all code that runs gives them.
    pub late: bool,
}

impl Update {
    /// Those that it writes: `a, b`.
    pub fn columns(&self) -> String {
        self.set.iter().map(|set| set.column.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A DELETE of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    pub table: TableName,
    /// What the condition calls it, if that is another name.
    pub alias: Option<String>,
    pub filter: Expr,
    pub reads: Reads,
}

/// `INSERT INTO into (…) SELECT … FROM from`.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    pub from: TableName,
    /// What the expressions call the table that is copied from, if that is another name.
    pub alias: Option<String>,
    pub into: TableName,
    /// Columns of `into`, and what they get.
    pub list: Vec<(String, Expr)>,
    pub filter: Option<Expr>,
    /// Columns of `into` and of `from` by which a copied row is known.
    pub key: Vec<(String, String)>,
    pub reads: Reads,
}

/// `INSERT … VALUES`.
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    pub table: TableName,
    /// The statement as written.
    pub text: Expr,
    pub rows: usize,
    /// For each row, the columns of a key and their values; empty where rows may have been there.
    pub keys: Vec<Vec<(String, Expr)>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub column: String,
    pub expr: Expr,
    /// The value as the column holds it, where storing may change it.
    pub stored: Option<Expr>,
    /// Gives another value each time.
    pub volatile: bool,
}
