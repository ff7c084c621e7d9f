//! Operations on rows, batch by batch.
//!
//! Enters: names, verbatim expressions. Leaves: typed descriptions that [`super::op::Op`] carries.
//! Must not know: SQL text.

use crate::catalog::{Expr, TableName};

use super::condition::Predicate;

/// How a table's rows are come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Page by page, in the order they lie: touches no index to find a row. A row that others move
    /// from window to window is found by the key, if there is one.
    Pages { key: Option<Vec<String>> },
    /// Along a key: its columns in order, none of them NULL, no two rows the same.
    Key(Vec<String>),
    /// No batches: one statement does it all.
    Once,
}

impl Walk {
    pub fn is_batched(&self) -> bool {
        *self != Walk::Once
    }

    /// Columns by which it tells one row from another.
    pub fn key(&self) -> Option<&[String]> {
        match self {
            Walk::Pages { key } => key.as_deref(),
            Walk::Key(key) => Some(key),
            Walk::Once => None,
        }
    }
}

/// Fills rows in batches, each committed by itself; may be killed and run again.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    pub table: TableName,
    pub walk: Walk,
    pub set: Vec<(String, Expr)>,
    /// What still has to be done; false for a row once it is done.
    pub remaining: Predicate,
    /// The trigger that keeps new rows filled meanwhile.
    pub sync: Option<String>,
}

/// Fills columns that came back empty from the table that kept their values.
#[derive(Debug, Clone, PartialEq)]
pub struct PutBack {
    pub table: TableName,
    pub walk: Walk,
    pub archive: TableName,
    /// Columns by which a row of the archive is one of the table's.
    pub key: Vec<String>,
    pub columns: Vec<String>,
}

/// Takes rows away in batches, each committed by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteRows {
    pub table: TableName,
    pub walk: Walk,
    pub filter: Predicate,
}

/// Copies rows that are not there yet, in batches along the table they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyRows {
    pub from: TableName,
    pub into: TableName,
    pub walk: Walk,
    /// Columns of `into`, and what they get.
    pub list: Vec<(String, Expr)>,
    /// A row of `from` that is to be copied and is not.
    pub remaining: Predicate,
    /// The key by which a row that is there gets the values of now; empty: it stays as it is.
    pub renewed: Vec<String>,
}
