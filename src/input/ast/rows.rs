//! What is said of rows: UPDATE, DELETE, INSERT.

use super::{Ident, Name, Slice};

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
