//! The schema as data.
//!
//! Enters: statements, replayed in order. Leaves: a [`Catalog`]. Must not know: changes, plans.
//! Expressions, types and bodies are verbatim text of the source; names are as the server stores
//! them, never quoted.

mod alter;
mod build;
mod children;
mod column_changes;
mod columns;
mod constraints;
mod create;
mod expression_name;
mod fit;
mod hidden;
mod keys;
pub mod names;
mod not_null;
mod objects;
mod options;
mod rename;
mod spelling;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use crate::input::ast;
use crate::source::Dialect;

pub use build::build;
pub use children::{Child, Follows};
pub use columns::integer_type;
pub use not_null::usual_not_null_name;
pub use spelling::spelled;

/// `[schema.]name` of a table, index, type, view …; the default schema (`public`, `main`) is `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    pub fn new(name: impl Into<String>) -> TableName {
        TableName { schema: None, name: name.into() }
    }
}

/// A verbatim SQL expression; never edited as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expr(pub String);

impl Expr {
    /// As a default it is none.
    pub fn is_null(&self) -> bool {
        self.0.eq_ignore_ascii_case("NULL")
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    pub dialect: Dialect,
    /// Each NOT NULL has one, see `not_null.rs`.
    pub names_not_null: bool,
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
    /// Decides how its columns' names compare.
    pub dialect: Dialect,
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

impl Column {
    /// Whether the definition itself gives every row a number: `bigserial`, an identity.
    pub fn numbers_itself(&self) -> bool {
        columns::is_serial(&self.ty) || matches!(self.identity, Some(Identity::Generated(_)))
    }

    /// `bigint` for a `bigserial`; else the type as it is.
    pub fn integer_type(&self) -> &str {
        integer_type(&self.ty)
    }
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
    /// MySQL's `AUTO_INCREMENT`, SQLite's `AUTOINCREMENT`.
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
    pub comment: Option<String>,
}

impl Constraint {
    /// PostgreSQL 18 knows constraints that only say something.
    pub(crate) fn is_enforced(&self) -> bool {
        let options = self.options.as_deref().unwrap_or_default();
        !options.to_ascii_uppercase().contains("NOT ENFORCED")
    }
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
    /// As written; `bigint` where nothing is.
    pub ty: Option<String>,
    pub owned_by: Option<(TableName, String)>,
}

/// A view or materialized view; `mentions` are the names found by token scan: it *may* depend on them.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub materialized: bool,
    /// Something it mentions was renamed since: the server holds another text than `origin`.
    pub stale: bool,
    pub mentions: Vec<String>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Something it mentions was renamed since: the server may hold another text than `origin`.
    pub stale: bool,
    pub mentions: Vec<String>,
    pub origin: Origin,
}

/// A function, policy, rule, grant …: verbatim, with the names found by token scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// `CREATE FUNCTION`, `CREATE POLICY`, `GRANT` …
    pub kind: String,
    pub object: Option<TableName>,
    /// The table a policy, rule or statistics object belongs to.
    pub on: Option<TableName>,
    pub mentions: Vec<String>,
    pub origin: Origin,
}

impl Other {
    pub fn is_function(&self) -> bool {
        self.kind == "CREATE FUNCTION"
    }

    /// A statement may call it.
    fn is_code(&self) -> bool {
        self.is_function() || self.kind == "CREATE PROCEDURE"
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Taint {
    /// Words that stand in it: what it changed is named by one. `None`: it may be anything.
    pub about: Option<BTreeSet<String>>,
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

impl TableName {
    /// The name as the server takes it: the default schema is `None`.
    pub fn of(name: &ast::Name<'_>, dialect: Dialect) -> TableName {
        let schema = name.schema.as_ref().map(|schema| schema.name.to_string());
        TableName::in_schema(schema, name.name.name.to_string(), dialect)
    }

    pub fn in_schema(schema: Option<String>, name: String, dialect: Dialect) -> TableName {
        TableName { schema: schema.filter(|schema| schema != dialect.default_schema()), name }
    }

    /// Another object in the same schema.
    #[must_use]
    pub fn sibling(&self, name: impl Into<String>) -> TableName {
        TableName { schema: self.schema.clone(), name: name.into() }
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

impl Catalog {
    pub fn new(dialect: Dialect) -> Catalog {
        Catalog {
            dialect,
            names_not_null: dialect == Dialect::Postgres,
            tables: BTreeMap::new(),
            enums: BTreeMap::new(),
            domains: BTreeMap::new(),
            sequences: BTreeMap::new(),
            views: BTreeMap::new(),
            triggers: BTreeMap::new(),
            others: Vec::new(),
            taints: Vec::new(),
        }
    }

    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.get(self.table_key(name)?)
    }

    /// A table, view, type or sequence of this name.
    fn holds(&self, name: &TableName) -> bool {
        self.table_key(name).is_some()
            || self.views.contains_key(name)
            || self.enums.contains_key(name)
            || self.domains.contains_key(name)
            || self.sequences.contains_key(name)
            || self.table_of_index(name).is_some()
    }

    /// The table that may be meant where there is none of this name: of another schema, with that, or of
    /// a name like it.
    pub fn nearest(&self, missing: &TableName) -> Option<String> {
        if let Some(other) = self.tables.keys().find(|table| table.name == missing.name) {
            let schema = other.schema.as_deref().unwrap_or(self.dialect.default_schema());
            return Some(format!("{schema}.{}", other.name));
        }
        let near = names::closest(&missing.name, self.tables.keys().map(|table| &*table.name))?;
        self.tables.keys().find(|table| table.name == near).map(ToString::to_string)
    }

    pub fn table_mut(&mut self, name: &TableName) -> Option<&mut Table> {
        let key = self.table_key(name)?.clone();
        self.tables.get_mut(&key)
    }

    /// The name as it stands in the catalog; SQLite's tables compare without case.
    pub fn table_key(&self, name: &TableName) -> Option<&TableName> {
        if let Some((key, _)) = self.tables.get_key_value(name) {
            return Some(key);
        }
        if self.dialect != Dialect::Sqlite {
            return None;
        }
        self.tables
            .keys()
            .find(|key| key.name.eq_ignore_ascii_case(&name.name) && key.schema == name.schema)
    }

    /// The column leaves its table with every index and constraint that names it.
    pub fn drop_column(&mut self, table: &TableName, column: &str) {
        for name in self.with_partitions(table) {
            if let Some(table) = self.table_mut(&name) {
                column_changes::drop_column_from(table, column, false);
            }
        }
        let owns = |(of, own): &(TableName, String)| of == table && own == column;
        self.sequences.retain(|_, sequence| !sequence.owned_by.as_ref().is_some_and(owns));
    }

    /// The table that has an index of this name.
    pub fn table_of_index(&self, index: &TableName) -> Option<&Table> {
        self.tables
            .values()
            .find(|table| table.name.schema == index.schema && table.index(&index.name).is_some())
    }

    /// Foreign keys of other tables, and of the table itself, that point to it.
    pub fn references_to<'c>(
        &'c self,
        table: &'c TableName,
    ) -> impl Iterator<Item = (&'c Table, &'c Constraint)> {
        self.tables.values().flat_map(move |from| {
            from.constraints
                .iter()
                .filter(move |constraint| match &constraint.kind {
                    ConstraintKind::ForeignKey { table: to, .. } => self.same_table(to, table),
                    _ => false,
                })
                .map(move |constraint| (from, constraint))
        })
    }

    pub fn triggers_of<'c>(
        &'c self,
        table: &'c TableName,
    ) -> impl Iterator<Item = (&'c str, &'c Trigger)> {
        self.triggers
            .iter()
            .filter(move |((of, _), _)| self.same_table(of, table))
            .map(|((_, name), trigger)| (name.as_str(), trigger))
    }

    pub fn same_table(&self, one: &TableName, other: &TableName) -> bool {
        one.schema == other.schema
            && if self.dialect == Dialect::Sqlite {
                one.name.eq_ignore_ascii_case(&other.name)
            } else {
                one.name == other.name
            }
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        let dialect = self.dialect;
        self.columns.iter().find(|column| names::same(dialect, &column.name, name))
    }

    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        let dialect = self.dialect;
        self.columns.iter_mut().find(|column| names::same(dialect, &column.name, name))
    }

    pub fn index(&self, name: &str) -> Option<&Index> {
        let dialect = self.dialect;
        self.indexes.iter().find(|index| names::same(dialect, &index.name, name))
    }

    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        let dialect = self.dialect;
        self.constraints.iter().find(|constraint| {
            constraint.name.as_deref().is_some_and(|own| names::same(dialect, own, name))
        })
    }

    pub fn primary_key(&self) -> Option<&[Key]> {
        self.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) => Some(keys.as_slice()),
            _ => None,
        })
    }
}

impl Key {
    /// The column, if the key is a plain one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Key::Column { name, .. } => Some(name),
            Key::Expr(_) => None,
        }
    }
}
