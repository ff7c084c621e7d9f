//! What the front end says of a script: statements with exact places, foreign text verbatim.
//!
//! Everything borrows from the source. A [`Slice`] is cut from it, never rebuilt; an
//! [`Ident`] keeps its place and the name as the server would store it.

mod rows;
mod table;

use std::borrow::Cow;

use crate::source::Span;

pub use rows::*;
pub use table::*;

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
    /// It stands without the schema, which the search path says.
    pub fn is_placed(&self) -> bool {
        self.schema.as_ref().is_some_and(|schema| schema.span == self.name.span)
    }

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
    /// The schema of names that stand without one, where `SET search_path` says another.
    pub schema: Option<String>,
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

#[derive(Debug, Clone, PartialEq)]
pub struct Drop<'a> {
    pub names: Vec<Name<'a>>,
    pub if_exists: bool,
    pub cascade: bool,
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
