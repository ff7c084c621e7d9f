//! Questions a file asks before it acts and after: guards, verifications, pre-checks.
//!
//! Enters: names and verbatim expressions. Leaves: typed conditions. Must not know: SQL text.

use chrono::NaiveDate;

use crate::catalog::{Expr, Key, TableName};

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The column is as the plan saw it.
    ColumnIs {
        table: TableName,
        column: String,
        ty: String,
        not_null: bool,
    },
    ColumnExists {
        table: TableName,
        column: String,
    },
    ColumnGone {
        table: TableName,
        column: String,
    },
    ColumnNotNull {
        table: TableName,
        column: String,
    },
    /// Nobody has made it NOT NULL as the first part of a way back.
    ColumnOptional {
        table: TableName,
        column: String,
    },
    /// The trigger is there and fires.
    SyncOn {
        table: TableName,
        name: String,
        missing: Missing,
    },
    SyncGone {
        table: TableName,
        name: String,
    },
    IndexValid {
        table: TableName,
        name: String,
        missing: Missing,
    },
    IndexGone {
        table: TableName,
        name: String,
    },
    TableExists {
        table: TableName,
    },
    /// The table has these columns, in any order, and nothing else stands on it: who makes it anew
    /// would lose what they do not know.
    TableHas {
        table: TableName,
        columns: Vec<String>,
        /// Names of its indexes, and of triggers that are not the rollout's.
        objects: Vec<String>,
        syncs: Vec<String>,
    },
    /// Neither a table nor a view has the name.
    NameFree {
        name: TableName,
    },
    /// A view stands under the name.
    StandIn {
        name: TableName,
    },
    /// Rows are not filtered by who asks.
    NoRowSecurity {
        table: TableName,
    },
    /// Of indexes, constraints and views none stands on the column but these.
    NothingNew {
        table: TableName,
        column: String,
        names: Vec<String>,
    },
    /// No policy keeps rows from who asks: a table's owner, unless that too is forced, and BYPASSRLS.
    RowsVisible {
        table: TableName,
    },
    /// Each statement sees what was written until it began, not until the transaction did.
    ReadCommitted,
    /// A CHECK of this column alone takes its default: else every INSERT that leaves it out fails.
    DefaultFits {
        table: TableName,
        column: String,
        ty: String,
        default: Expr,
        check: Expr,
        name: String,
    },
    /// No constraint has the name, but one on just these columns.
    ConstraintOn {
        table: TableName,
        name: String,
        columns: Vec<String>,
    },
    ConstraintValid {
        table: TableName,
        name: String,
    },
    /// No row fulfils the predicate.
    NoRows {
        table: TableName,
        filter: Predicate,
        reason: Reason,
    },
    /// No two rows share the keys (NULLs apart).
    NoDuplicates {
        table: TableName,
        keys: Vec<Key>,
        filter: Option<Expr>,
    },
    /// `what` is kept until a day.
    NotBefore {
        date: NaiveDate,
        what: String,
    },
}

/// What to do where something a deploy should have brought is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The step before this one brings it.
    RunStepBefore,
    /// This very step brings it.
    RunAgain,
    /// The deploy of that number brings it.
    Finish(usize),
}

/// What rows that should not be there mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A backfill is not done.
    Left,
    /// The same, where a person runs it from a file of the rollout.
    JobLeft { file: String },
    /// They hold a value that is to be dropped, and this table does not.
    NotKept { archive: String },
    /// Two columns that a trigger keeps equal are not.
    OutOfStep,
    /// The expression of the change says nothing for them, and the column is required.
    NoValue { column: String },
    /// They hold what a type cannot.
    DoesNotFit { ty: String },
    /// They do not fulfil a constraint.
    Violates { name: String },
    /// They point at no row of another table.
    Orphans { parent: TableName },
}

/// A filter over the rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    IsNull(String),
    IsNotNull(String),
    ExprIsNull(Expr),
    ExprIsNotNull(Expr),
    /// The column does not hold the expression's value, NULL counted as a value.
    Differs(String, Expr),
    /// It does hold it, and that is not NULL.
    Holds(String, Expr),
    /// The same of values that have no equality: their texts are compared.
    AsText(Box<Predicate>),
    ColumnsDiffer(String, String),
    /// A CHECK of this expression refuses the row: NULL is no refusal.
    Refused(Expr),
    /// No row of `parent` has what the columns of `table` say, and none of them is NULL.
    Orphan {
        table: TableName,
        columns: Vec<String>,
        parent: TableName,
        references: Vec<String>,
    },
    /// No row of `into` has the key of this row of `from`; pairs of their columns.
    Missing {
        from: TableName,
        /// What `from` is called where it stands, if that is another name.
        alias: Option<String>,
        into: TableName,
        key: Vec<(String, String)>,
    },
    /// The row of `into` that has the key of this row of `from` holds other values in these columns;
    /// `true`: values that have no equality, whose texts are compared.
    Outdated {
        from: TableName,
        into: TableName,
        key: Vec<String>,
        columns: Vec<(String, bool)>,
    },
    /// As the user wrote it.
    Given(Expr),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    /// Of a table that the texts in it call by this name.
    Called(String, Box<Predicate>),
}

impl Predicate {
    pub fn all(parts: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut parts: Vec<Predicate> = parts.into_iter().collect();
        if parts.len() == 1 { parts.remove(0) } else { Predicate::And(parts) }
    }

    #[must_use]
    pub fn called(self, alias: Option<&String>) -> Predicate {
        match alias {
            Some(alias) => Predicate::Called(alias.clone(), Box::new(self)),
            None => self,
        }
    }

    /// What the table is called in it, if that is another name.
    pub fn alias(&self) -> Option<&str> {
        match self {
            Predicate::Called(alias, _) => Some(alias),
            _ => None,
        }
    }

    /// One of them at least holds.
    pub fn any(parts: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut parts: Vec<Predicate> = parts.into_iter().collect();
        if parts.len() == 1 { parts.remove(0) } else { Predicate::Or(parts) }
    }
}

impl Condition {
    pub fn reads_rows(&self) -> bool {
        matches!(self, Condition::NoRows { .. } | Condition::NoDuplicates { .. })
    }
}
