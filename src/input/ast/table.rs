//! What is said of tables: their columns, constraints and indexes, and changes to them.

use std::borrow::Cow;

use super::{Ident, Name, Slice};

// Each says whether a word stood in the source.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable<'a> {
    pub name: Name<'a>,
    /// MariaDB: `CREATE OR REPLACE TABLE` drops the old one first.
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub temporary: bool,
    pub columns: Vec<ColumnDef<'a>>,
    pub constraints: Vec<TableConstraint<'a>>,
    /// MySQL `KEY k (…)` inside the parentheses.
    pub indexes: Vec<CreateIndex<'a>>,
    /// `PARTITION BY …` verbatim.
    pub partition_by: Option<Slice<'a>>,
    /// `PARTITION OF parent`.
    pub partition_of: Option<Name<'a>>,
    /// Everything behind the closing parenthesis that is not above, verbatim: options,
    /// `STRICT`, `WITHOUT ROWID`, `INHERITS`, `AS SELECT` …
    pub options: Option<Slice<'a>>,
    /// Elements that were not understood (`LIKE u`, `PERIOD FOR …`): the table is partial.
    pub unknown: Vec<Slice<'a>>,
    /// `AS SELECT`, `LIKE`, `OF type`, `CREATE VIRTUAL TABLE`: columns are not (all) known.
    pub partial: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef<'a> {
    pub name: Ident<'a>,
    /// Verbatim, with its parentheses and array marks; `None` in SQLite's untyped columns.
    pub ty: Option<Slice<'a>>,
    pub constraints: Vec<ColumnConstraint<'a>>,
    /// The whole definition.
    pub text: Slice<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnConstraint<'a> {
    /// `CONSTRAINT name`.
    pub name: Option<Ident<'a>>,
    pub kind: ColumnConstraintKind<'a>,
    /// The constraint with its name.
    pub text: Slice<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ColumnConstraintKind<'a> {
    /// `rest`: SQLite's `ON CONFLICT …`.
    NotNull {
        rest: Option<Slice<'a>>,
    },
    Null,
    /// The expression, verbatim (with its parentheses where it has them).
    Default(Slice<'a>),
    PrimaryKey {
        autoincrement: bool,
        rest: Option<Slice<'a>>,
    },
    /// `rest`: `NULLS NOT DISTINCT`, `WITH (…)`, `ON CONFLICT …`.
    Unique {
        rest: Option<Slice<'a>>,
    },
    /// The expression inside the parentheses; `rest`: `NO INHERIT`, `NOT ENFORCED`.
    Check {
        expr: Slice<'a>,
        rest: Option<Slice<'a>>,
    },
    References(References<'a>),
    Collate(Slice<'a>),
    /// The expression inside the parentheses.
    Generated {
        expr: Slice<'a>,
        stored: bool,
    },
    /// `GENERATED … AS IDENTITY (…)`, verbatim in `text`; MySQL's `AUTO_INCREMENT`.
    Identity {
        always: bool,
    },
    AutoIncrement,
    /// MySQL: `COMMENT '…'`, unescaped.
    Comment(Cow<'a, str>),
    /// MySQL: the expression of `ON UPDATE`.
    OnUpdate(Slice<'a>),
    /// Understood as an attribute without meaning for plans: STORAGE, COMPRESSION, CHARACTER SET,
    /// VISIBLE, `COLUMN_FORMAT` …
    Other,
    /// Not understood: in a schema it makes the table partial, in a change it is refused.
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct References<'a> {
    pub table: Name<'a>,
    pub columns: Vec<Ident<'a>>,
    /// `MATCH …`, `ON DELETE …`, `ON UPDATE …`, `DEFERRABLE …`, verbatim and in order.
    pub actions: Option<Slice<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableConstraint<'a> {
    pub name: Option<Ident<'a>>,
    pub kind: TableConstraintKind<'a>,
    pub not_valid: bool,
    pub text: Slice<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableConstraintKind<'a> {
    /// `rest`: INCLUDE, WITH, NULLS NOT DISTINCT, DEFERRABLE, ON CONFLICT …
    PrimaryKey {
        columns: Vec<IndexKey<'a>>,
        rest: Option<Slice<'a>>,
    },
    Unique {
        /// What stands between UNIQUE and the columns: `NULLS NOT DISTINCT`, MySQL's `USING …`.
        before: Option<Slice<'a>>,
        columns: Vec<IndexKey<'a>>,
        rest: Option<Slice<'a>>,
    },
    /// `UNIQUE|PRIMARY KEY USING INDEX i`.
    UsingIndex {
        primary: bool,
        index: Ident<'a>,
        rest: Option<Slice<'a>>,
    },
    Check {
        expr: Slice<'a>,
        rest: Option<Slice<'a>>,
    },
    ForeignKey {
        columns: Vec<Ident<'a>>,
        references: References<'a>,
    },
    /// `NOT NULL c` (PostgreSQL 18).
    NotNull {
        column: Ident<'a>,
    },
    /// `EXCLUDE …`, verbatim in `text`.
    Exclude,
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IndexKey<'a> {
    /// The whole key with operator class, collation, order, prefix length: `lower(email) DESC`.
    pub text: Slice<'a>,
    /// Set when the key is a plain column.
    pub column: Option<Ident<'a>>,
    /// What stands behind the column or expression: `DESC NULLS LAST`, `COLLATE "C"`, `(10)` …
    pub rest: Option<Slice<'a>>,
}

// Each says whether a word stood in the source.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex<'a> {
    pub name: Option<Name<'a>>,
    pub table: Name<'a>,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    /// `ON ONLY t`.
    pub only: bool,
    /// `USING gin`; MySQL's FULLTEXT and SPATIAL stand here too.
    pub method: Option<Slice<'a>>,
    pub keys: Vec<IndexKey<'a>>,
    pub include: Vec<Ident<'a>>,
    /// The predicate without WHERE.
    pub filter: Option<Slice<'a>>,
    /// `NULLS NOT DISTINCT`, `WITH (…)`, `TABLESPACE x`, MySQL's options: verbatim, in order.
    pub options: Option<Slice<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DropIndex<'a> {
    pub names: Vec<Name<'a>>,
    /// MySQL: `ON t`.
    pub table: Option<Name<'a>>,
    pub concurrently: bool,
    pub if_exists: bool,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable<'a> {
    pub table: Name<'a>,
    pub if_exists: bool,
    pub only: bool,
    pub actions: Vec<AlterAction<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterAction<'a> {
    pub kind: AlterKind<'a>,
    pub text: Slice<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterKind<'a> {
    /// `position`: MySQL's `FIRST` or `AFTER c`, verbatim.
    AddColumn {
        column: ColumnDef<'a>,
        if_not_exists: bool,
        position: Option<Slice<'a>>,
    },
    DropColumn {
        column: Ident<'a>,
        if_exists: bool,
        cascade: bool,
    },
    RenameColumn {
        from: Ident<'a>,
        to: Ident<'a>,
    },
    RenameTable {
        to: Name<'a>,
    },
    RenameIndex {
        from: Ident<'a>,
        to: Ident<'a>,
    },
    RenameConstraint {
        from: Ident<'a>,
        to: Ident<'a>,
    },
    SetNotNull {
        column: Ident<'a>,
    },
    DropNotNull {
        column: Ident<'a>,
    },
    SetDefault {
        column: Ident<'a>,
        expr: Slice<'a>,
    },
    DropDefault {
        column: Ident<'a>,
    },
    /// `TYPE t [COLLATE c] [USING e]`.
    SetType {
        column: Ident<'a>,
        ty: Slice<'a>,
        collate: Option<Slice<'a>>,
        using: Option<Slice<'a>>,
    },
    /// MySQL's MODIFY, and CHANGE with a new name in the definition.
    Redefine {
        from: Ident<'a>,
        column: ColumnDef<'a>,
        position: Option<Slice<'a>>,
    },
    AddConstraint(TableConstraint<'a>),
    ValidateConstraint {
        name: Ident<'a>,
    },
    /// `kind`: MySQL's `FOREIGN KEY`, `CHECK`, `PRIMARY KEY`; else empty.
    DropConstraint {
        name: Option<Ident<'a>>,
        kind: &'static str,
        if_exists: bool,
        cascade: bool,
    },
    /// MySQL's `ADD KEY`.
    AddIndex(CreateIndex<'a>),
    /// MySQL's `DROP KEY`.
    DropIndex {
        name: Ident<'a>,
        if_exists: bool,
    },
    /// `ALTER CONSTRAINT c [NOT] DEFERRABLE …`, `ALTER CHECK c NOT ENFORCED`.
    AlterConstraint {
        name: Ident<'a>,
        options: Slice<'a>,
    },
    /// `SET GENERATED ALWAYS|BY DEFAULT` of an identity.
    SetGenerated {
        column: Ident<'a>,
        always: bool,
    },
    AddIdentity {
        column: Ident<'a>,
        always: bool,
    },
    DropIdentity {
        column: Ident<'a>,
    },
    /// `SET EXPRESSION AS (…)`: the expression inside the parentheses.
    SetExpression {
        column: Ident<'a>,
        expr: Slice<'a>,
    },
    DropExpression {
        column: Ident<'a>,
    },
    AttachPartition {
        partition: Name<'a>,
        bound: Slice<'a>,
    },
    DetachPartition {
        partition: Name<'a>,
    },
    SetSchema {
        schema: Ident<'a>,
    },
    /// Recognised, without meaning for the catalog: OWNER TO, SET STATISTICS, ENGINE=, RLS …
    /// The words say which.
    Other {
        words: Cow<'a, str>,
    },
    /// Not understood.
    Unknown,
}
