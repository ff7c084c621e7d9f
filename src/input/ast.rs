//! What the front end says of a script: statements with exact places, foreign text verbatim.
//!
//! Everything borrows from the source. A [`Slice`] is cut from it, never rebuilt; an
//! [`Ident`] keeps its place and the name as the server would store it.

use std::borrow::Cow;

use crate::source::Span;

/// A verbatim piece of the source, outer white space and trailing comments removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice<'a> {
    pub text: &'a str,
    pub start: usize,
}

impl Slice<'_> {
    pub fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

/// A name as the server stores it: unquoted, folded by the dialect's rule when it stood bare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident<'a> {
    pub name: Cow<'a, str>,
    pub quoted: bool,
    pub span: Span,
}

/// `[schema.]name`; a catalog or database in front of the schema is refused by the parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    pub schema: Option<Ident<'a>>,
    pub name: Ident<'a>,
}

impl Name<'_> {
    pub fn span(&self) -> Span {
        self.schema.as_ref().map_or(self.name.span, |schema| schema.span.to(self.name.span))
    }
}

/// One statement of a script, without its terminator.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement<'a> {
    pub text: Slice<'a>,
    /// What stands behind `-- miggen:` in the comment lines right before or inside it.
    pub hints: Vec<Slice<'a>>,
    /// Contains a placeholder of a template language, so its text is not final SQL.
    pub templated: bool,
    pub kind: Kind<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    CreateTable(CreateTable<'a>),
    AlterTable(AlterTable<'a>),
    DropTable(Drop<'a>),
    /// `RENAME TABLE a TO b, …` (MySQL); `ALTER TABLE a RENAME TO b` is in [`AlterAction`].
    RenameTable(Vec<(Name<'a>, Name<'a>)>),
    CreateIndex(CreateIndex<'a>),
    DropIndex(DropIndex<'a>),
    /// `ALTER INDEX a RENAME TO b`.
    RenameIndex {
        index: Name<'a>,
        to: Ident<'a>,
        if_exists: bool,
    },
    /// `CREATE TYPE … AS ENUM`: labels unescaped, in order.
    CreateEnum {
        name: Name<'a>,
        labels: Vec<Cow<'a, str>>,
    },
    /// `ALTER TYPE … ADD VALUE`.
    AddEnumValue {
        name: Name<'a>,
        label: Cow<'a, str>,
        if_not_exists: bool,
        /// `None`: behind the last label.
        position: Option<EnumPosition<'a>>,
    },
    /// `ALTER TYPE … RENAME VALUE`.
    RenameEnumValue {
        name: Name<'a>,
        from: Cow<'a, str>,
        to: Cow<'a, str>,
    },
    /// Base type, and everything behind it verbatim.
    CreateDomain {
        name: Name<'a>,
        ty: Slice<'a>,
        rest: Option<Slice<'a>>,
    },
    /// `CREATE SEQUENCE`; `owned_by` is table and column.
    CreateSequence {
        name: Name<'a>,
        if_not_exists: bool,
        ty: Option<Slice<'a>>,
        owned_by: Option<(Name<'a>, Ident<'a>)>,
    },
    /// `ALTER SEQUENCE … OWNED BY`.
    OwnSequence {
        name: Name<'a>,
        owned_by: Option<(Name<'a>, Ident<'a>)>,
    },
    CreateView(CreateView<'a>),
    CreateTrigger(CreateTrigger<'a>),
    /// `COMMENT ON TABLE|COLUMN|INDEX|CONSTRAINT`.
    Comment(Comment<'a>),
    /// `ALTER VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|TRIGGER … RENAME TO`; `on` is a
    /// trigger's table.
    RenameOther {
        what: &'static str,
        name: Name<'a>,
        on: Option<Name<'a>>,
        to: Ident<'a>,
    },
    /// DROP of a type, view, trigger, sequence, function …
    DropOther {
        what: &'static str,
        names: Vec<Name<'a>>,
        on: Option<Name<'a>>,
        if_exists: bool,
        cascade: bool,
    },
    Update(Update<'a>),
    Delete(Delete<'a>),
    Insert(Insert<'a>),
    /// Recognised and kept verbatim: see [`Opaque`].
    Opaque(Opaque<'a>),
}

/// A statement that is kept as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Opaque<'a> {
    /// Leading words in upper case that say what it is: `CREATE FUNCTION`, `GRANT`, `DO`, `SET`,
    /// `INSERT`, `COPY`, `PRAGMA` …; for a statement that begins with nothing known, its first word.
    pub kind: Cow<'a, str>,
    /// The object it is about, where the syntax names one.
    pub object: Option<Name<'a>>,
    /// The table a policy, rule or statistics object belongs to.
    pub on: Option<Name<'a>>,
    /// `DO`, `CALL`, `EXECUTE`, `PREPARE`, a SELECT that calls a function: may hide DDL.
    pub may_hide_ddl: bool,
    /// The first words mean nothing in this dialect, or what follows them was not understood.
    pub unknown: bool,
}

/// Where a new label goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnumPosition<'a> {
    Before(Cow<'a, str>),
    After(Cow<'a, str>),
}

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
    NotNull,
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
pub struct Drop<'a> {
    pub names: Vec<Name<'a>>,
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

#[derive(Debug, Clone, PartialEq)]
pub struct CreateView<'a> {
    pub name: Name<'a>,
    pub materialized: bool,
    pub or_replace: bool,
    pub temporary: bool,
    /// The query, verbatim.
    pub query: Slice<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigger<'a> {
    pub name: Ident<'a>,
    pub table: Name<'a>,
    /// `EXECUTE FUNCTION f(…)`, or the body from BEGIN to END, verbatim.
    pub body: Slice<'a>,
    pub temporary: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comment<'a> {
    /// `TABLE`, `COLUMN`, `INDEX`, `CONSTRAINT`.
    pub what: &'static str,
    /// The table (of a column or constraint too), or the index.
    pub object: Name<'a>,
    /// The column or constraint.
    pub part: Option<Ident<'a>>,
    /// The literal as written; `None` for NULL.
    pub text: Option<Slice<'a>>,
}

/// `UPDATE t SET …`, cut at the top level only.
#[derive(Debug, Clone, PartialEq)]
pub struct Update<'a> {
    pub table: Name<'a>,
    pub alias: Option<Ident<'a>>,
    pub set: Vec<Assignment<'a>>,
    /// `FROM …` (or MySQL's join), verbatim.
    pub from: Option<Slice<'a>>,
    /// The condition without WHERE.
    pub filter: Option<Slice<'a>>,
    /// `WITH …`, `OR IGNORE`, `ORDER BY`, `LIMIT`, `RETURNING`: whatever else there was.
    pub rest: Option<Slice<'a>>,
}

/// `DELETE FROM t [USING …] WHERE …`; any other form is opaque.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete<'a> {
    pub table: Name<'a>,
    pub alias: Option<Ident<'a>>,
    /// Without USING, verbatim.
    pub using: Option<Slice<'a>>,
    /// The condition without WHERE.
    pub filter: Option<Slice<'a>>,
}

/// `INSERT INTO t (a, b) …`; forms with a query of another shape than [`Selected`] are opaque.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert<'a> {
    pub table: Name<'a>,
    /// Empty where none are named.
    pub columns: Vec<Ident<'a>>,
    pub source: InsertSource<'a>,
    /// `ON CONFLICT …`, whole.
    pub conflict: Option<Slice<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InsertSource<'a> {
    Values(Vec<Vec<Slice<'a>>>),
    Select(Selected<'a>),
}

/// `SELECT list FROM from [AS alias] [join] [WHERE filter]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected<'a> {
    pub list: Vec<Slice<'a>>,
    pub from: Name<'a>,
    pub alias: Option<Ident<'a>>,
    pub join: Option<Join<'a>>,
    /// The condition without WHERE.
    pub filter: Option<Slice<'a>>,
}

/// The tables behind the first one of FROM.
#[derive(Debug, Clone, PartialEq)]
pub struct Join<'a> {
    /// `c AS x`, or several with commas.
    pub tables: Slice<'a>,
    /// The condition behind ON.
    pub on: Option<Slice<'a>>,
    /// Further ones, with the comma or the JOIN in front.
    pub more: Option<Slice<'a>>,
}

/// `column = expr`; `(a, b) = (SELECT …)` has several columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment<'a> {
    pub columns: Vec<Ident<'a>>,
    pub expr: Slice<'a>,
}
