//! The schema as data.
//!
//! Enters: statements, replayed in order. Leaves: a [`Catalog`]. Must not know: changes, plans.
//! Expressions, types and bodies are verbatim text of the source; names are as the server stores
//! them, never quoted.

use std::collections::BTreeMap;

use crate::source::Dialect;

/// `[schema.]name` of a table, index, type, view …; the default schema (`public`, `main`) is `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    pub fn new(name: impl Into<String>) -> TableName {
        TableName {
            schema: None,
            name: name.into(),
        }
    }
}

/// A verbatim SQL expression; never edited as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expr(pub String);

#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    pub dialect: Dialect,
    pub tables: BTreeMap<TableName, Table>,
    /// Labels in order.
    pub enums: BTreeMap<TableName, Vec<String>>,
    pub domains: BTreeMap<TableName, Domain>,
    pub sequences: BTreeMap<TableName, Sequence>,
    pub views: BTreeMap<TableName, View>,
    /// Keyed by table, then name (a trigger's name is unique per table in PostgreSQL, per schema
    /// elsewhere).
    pub triggers: BTreeMap<(TableName, String), Trigger>,
    /// Functions, policies, rules, grants …: whatever is kept as text.
    pub others: Vec<Other>,
    /// Statements that may have changed the schema unseen (`DO`, `CALL` …).
    pub taints: Vec<Taint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: TableName,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub indexes: Vec<Index>,
    /// Verbatim text behind the column list: `STRICT`, `WITHOUT ROWID`, `WITH (…)`, `ENGINE=…`.
    pub options: Option<String>,
    pub partition_by: Option<String>,
    pub partition_of: Option<TableName>,
    pub comment: Option<String>,
    /// Why the table is not known in full; empty when it is.
    pub partial: Vec<String>,
    /// The CREATE TABLE statement as written.
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    /// As written, white space folded: `character varying(255)`, `INTEGER`; empty if untyped.
    pub ty: String,
    pub not_null: bool,
    /// `DEFAULT NULL` is no default.
    pub default: Option<Expr>,
    pub collation: Option<String>,
    pub generated: Option<Generated>,
    pub identity: Option<Identity>,
    pub comment: Option<String>,
    /// Further attributes, verbatim: `STORAGE EXTERNAL`, `ON UPDATE now()`, `INVISIBLE`.
    pub other: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub expr: Expr,
    pub stored: bool,
}

/// What numbers a column by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    /// `serial`, `bigserial`, or a `nextval` default with an owned sequence.
    Serial,
    /// `GENERATED … AS IDENTITY`, verbatim.
    Generated(String),
    /// MySQL's AUTO_INCREMENT, SQLite's AUTOINCREMENT.
    AutoIncrement,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Given, or derived by the server's own rule; SQLite's unnamed ones have none.
    pub name: Option<String>,
    /// The name stands in the source.
    pub named: bool,
    pub kind: ConstraintKind,
    /// `DEFERRABLE …`, `NO INHERIT`, `NULLS NOT DISTINCT`, `ON CONFLICT …`, `INCLUDE (…)`: verbatim.
    pub options: Option<String>,
    pub valid: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    PrimaryKey(Vec<Key>),
    Unique(Vec<Key>),
    Check(Expr),
    ForeignKey {
        columns: Vec<String>,
        table: TableName,
        references: Vec<String>,
        actions: Option<String>,
    },
    /// A named NOT NULL (PostgreSQL 18).
    NotNull(String),
    /// Verbatim.
    Exclude(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    pub name: String,
    /// Schema of the index, where it differs from the table's it cannot be created; kept for DROP.
    pub keys: Vec<Key>,
    pub unique: bool,
    /// `None` is the server's default (B-tree).
    pub method: Option<String>,
    pub include: Vec<String>,
    pub filter: Option<Expr>,
    pub options: Option<String>,
    pub comment: Option<String>,
    pub origin: Origin,
}

/// One key of an index or constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A plain column, and what follows it: `DESC`, an operator class, a collation, a prefix length.
    Column { name: String, rest: Option<String> },
    /// Anything else, verbatim as the server takes it (with its parentheses), `rest` included.
    Expr(Expr),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    pub ty: String,
    pub rest: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sequence {
    pub owned_by: Option<(TableName, String)>,
}

/// A view or materialized view; `mentions` are the names found by token scan: it *may* depend on them.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub materialized: bool,
    pub mentions: Vec<String>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    pub mentions: Vec<String>,
    pub origin: Origin,
}

/// A function, policy, rule, grant …: verbatim, with the names found by token scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// `CREATE FUNCTION`, `CREATE POLICY`, `GRANT` …
    pub kind: String,
    pub object: Option<TableName>,
    pub mentions: Vec<String>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Taint {
    pub kind: String,
    pub origin: Origin,
}

/// Where an object came from, and its text, verbatim, without terminator.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Origin {
    /// Name of the source.
    pub source: String,
    /// Byte range in it.
    pub start: usize,
    pub end: usize,
    pub text: String,
}
