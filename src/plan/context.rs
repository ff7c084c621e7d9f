//! What a rule is given, and what it asks all the time.

use crate::catalog::{Catalog, Column, ConstraintKind, Key, Table, TableName};
use crate::change::{Asked, Intent, Reads};
use crate::dialect::{Action, Server, Verdict};
use crate::error::Error;
use crate::error::Result;
use crate::source::Span;

use super::Policy;
use super::condition::Predicate;
use super::op::Op;
use super::rows::Walk;
use super::small;
use super::strategy::sync::tells_apart;
use super::strategy::walk::{self, NoWalk};

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

    /// A comparison with that column.
    pub(super) fn compared(&self, column: &Column, predicate: Predicate) -> Predicate {
        if self.tells_apart(column) { predicate } else { Predicate::AsText(Box::new(predicate)) }
    }

    /// A trigger that is to fill a row before it is stored cannot read what the server computes after.
    pub(super) fn refuse_generated(&self, table: &TableName, sources: &[String]) -> Result<()> {
        let generated = |name: &&String| {
            self.table(table).column(name).is_some_and(|column| column.generated.is_some())
        };
        match sources.iter().find(generated).filter(|_| self.can(Action::TriggerSetsNew)) {
            Some(name) => Err(self
                .refuse(
                    format!("`{name}` is generated, and no trigger can read it in time"),
                    "filled from it",
                )
                .hint(format!("say what {name} is generated from instead"))),
            None => Ok(()),
        }
    }

    /// Triggers that write a row again know it by its rowid, where they cannot set it before.
    pub(super) fn refuse_without_rowid(&self, table: &TableName) -> Result<()> {
        let own = self.table(table);
        let without = own.is_without_rowid() || own.column("rowid").is_some();
        if self.can(Action::TriggerSetsNew) || !without {
            return Ok(());
        }
        Err(self
            .refuse(
                format!("rows of `{}` have no rowid of the server's", table.name),
                "needed here",
            )
            .note("old and new code are kept in step by triggers that find the row by it"))
    }

    pub(super) fn tells_apart(&self, column: &Column) -> bool {
        tells_apart(self.server, self.before, column)
    }

    /// Two forms of a value can be kept in step only where they can be compared.
    pub(super) fn refuse_incomparable<'t>(
        &self,
        mut columns: impl Iterator<Item = &'t Column>,
    ) -> Result<()> {
        match columns.find(|column| !self.tells_apart(column)) {
            Some(column) => Err(self.refuse(
                format!("values of `{}` cannot be compared exactly", column.name),
                "nobody can tell which form is the newer one",
            )),
            None => Ok(()),
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

    /// Of an expression in which a name may be a column or something else.
    pub(super) fn refuse_to_carry(&self, span: Span) -> Error {
        self.refuse_at(span, "miggen cannot carry this expression into a trigger", "here")
            .note("a name in it may be a column or something else")
            .hint("name the columns plainly, or put it into a function of the database")
    }

    /// How the rows of a table are come by.
    pub(super) fn walk(&self, table: &TableName) -> Result<Walk> {
        walk::walk(self.server, self.before, self.table(table)).map_err(|why| match why {
            NoWalk::NoKey => self
                .refuse(
                    format!("`{}` is made of several tables and has no key", table.name),
                    "its rows must be walked through",
                )
                .note("a walk in batches needs the pages of one table, or a key that is never NULL")
                .hint("write the change for each of the tables, or add a primary key first"),
            NoWalk::Foreign => self
                .refuse(format!("`{}` is a foreign table", table.name), "its rows are elsewhere")
                .hint("run the change on the server that has them"),
        })
    }

    /// A batch takes a tenth of a second, and there may be thousands: none may read a large table whole.
    pub(super) fn reads_little(&self, table: &TableName, walk: &Walk, reads: &Reads) -> Result<()> {
        let large = |name: &&TableName| !small::is_small(self.policy, name);
        let once = !walk.is_batched() || small::is_small(self.policy, table);
        match reads.whole.iter().find(large).filter(|_| !once) {
            None => Ok(()),
            Some(whole) => Err(self
                .refuse(
                    format!("each batch would read all of `{}`", whole.name),
                    "no index leads to the rows that are asked for",
                )
                .note("there may be thousands of batches")
                .hint(format!(
                    "ask row by row, by a column with an index: EXISTS (SELECT 1 FROM {0} WHERE {0}.… = {1}.…)",
                    whole.name, table.name
                ))
                .hint(format!("or is it small? `--rows {whole}=2000`"))),
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
