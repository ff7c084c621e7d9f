//! What a trigger of the rollout does.

use crate::catalog::{Expr, TableName};

/// A trigger that keeps columns in step while two versions of the application run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// Of the trigger and its function.
    pub name: String,
    pub table: TableName,
    pub kind: SyncKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SyncKind {
    /// `new` is a copy of `old`; whoever is written, the other follows.
    Mirror {
        old: String,
        new: String,
        /// Whether they differ is a question of their texts.
        as_text: bool,
        /// `old` has a default, which an INSERT that names only `new` also gets.
        old_default: bool,
        /// The table says that one of both must be given: `new` may be NULL in an INSERT of old code.
        needs_given: bool,
    },
    /// `column` is computed in every row that is written.
    Follow {
        column: String,
        /// Every column read from the row being written.
        row_expr: Expr,
        /// What the column cannot hold is NULL there, for the row is written all the same.
        may_fail: bool,
    },
    /// Either side is computed from the one that was written.
    Replace { forward: Vec<Computed>, backward: Vec<Computed> },
    /// `column` gets `expr` whenever it would be NULL.
    Fill {
        column: String,
        expr: Expr,
        /// The same with every column read from the row being written.
        row_expr: Expr,
    },
    /// Each is filled where the writer does not give it.
    Derive(Vec<Derived>),
}

/// A new column, and what old code's rows get in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    pub column: String,
    pub expr: Expr,
    /// The same with every column read from the row being written.
    pub row_expr: Expr,
    /// The columns `expr` reads.
    pub sources: Vec<String>,
    /// Of `column` and these, those that are compared by their texts.
    pub as_text: Vec<String>,
    /// NULL in `column` always means "not given".
    pub required: bool,
}

/// A column, and what it is computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    pub column: String,
    pub expr: Expr,
    /// The same with every column read from the row being written.
    pub row_expr: Expr,
}
