//! What a rule is given, and what it asks all the time.

use crate::catalog::{Catalog, ConstraintKind, Key, Table, TableName};
use crate::change::{Asked, Intent};
use crate::dialect::{Action, Server, Verdict};
use crate::error::Error;
use crate::error::Result;
use crate::source::Span;

use super::Policy;
use super::op::Op;

/// All a rule may look at.
pub(super) struct Context<'c> {
    pub(super) server: &'c Server,
    pub(super) before: &'c Catalog,
    pub(super) intent: &'c Intent,
    pub(super) policy: &'c Policy,
    pub(super) asked: &'c Asked,
}

impl Context<'_> {
    /// The table as it is before the rollout.
    pub(super) fn table(&self, name: &TableName) -> &Table {
        &self.before.tables[name]
    }

    pub(super) fn can(&self, action: Action) -> bool {
        self.server.can(action)
    }

    /// The lock that `action` takes, taken before it in short tries; nothing where the server's
    /// writers queue for one lock anyway.
    pub(super) fn lock(&self, tables: &[&TableName], action: Action) -> Vec<Op> {
        match self.server.verdict(action) {
            Verdict::Yes(fact) if self.can(Action::TriggerSetsNew) => vec![Op::Lock {
                tables: tables.iter().map(|table| (*table).clone()).collect(),
                mode: fact.lock,
            }],
            _ => Vec::new(),
        }
    }

    /// A refusal at the place of the change.
    pub(super) fn refuse(&self, message: impl Into<String>, label: impl Into<String>) -> Error {
        Error::refused(message).at(&self.intent.source, self.asked.span, label)
    }

    pub(super) fn refuse_at(
        &self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Error {
        Error::refused(message).at(&self.intent.source, span, label)
    }

    /// The column a backfill walks by.
    pub(super) fn batch_key(&self, table: &TableName) -> Result<Option<String>> {
        if !self.can(Action::UpdateBatch) {
            return Ok(None);
        }
        let found = self.table(table);
        let integer = |name: &str| {
            found.column(name).is_some_and(|column| {
                matches!(
                    column.ty.to_ascii_lowercase().as_str(),
                    "bigint"
                        | "bigserial"
                        | "int"
                        | "int2"
                        | "int4"
                        | "int8"
                        | "integer"
                        | "serial"
                        | "serial4"
                        | "serial8"
                        | "smallint"
                        | "smallserial"
                )
            })
        };
        match primary_key(found) {
            Some([Key::Column { name, .. }]) if integer(name) => Ok(Some(name.clone())),
            Some(_) => Err(self
                .refuse(
                    format!("`{}` has no single integer key to walk by", table.name),
                    "needs a backfill",
                )
                .note("rows are filled in batches along the primary key; other keys are not planned yet")),
            None => Err(self
                .refuse(format!("`{}` has no primary key", table.name), "needs a backfill")
                .note("without a key a batch cannot be found again after a kill")
                .hint("add a primary key first")),
        }
    }

    /// A key of one column, to name one row by.
    pub(super) fn row_key(&self, table: &TableName) -> Option<String> {
        match primary_key(self.table(table)) {
            Some([Key::Column { name, .. }]) => Some(name.clone()),
            _ => None,
        }
    }
}

pub(super) fn primary_key(table: &Table) -> Option<&[Key]> {
    table.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(keys) => Some(keys.as_slice()),
        _ => None,
    })
}
