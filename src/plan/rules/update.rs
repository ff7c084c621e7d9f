//! `UPDATE … SET … [WHERE …]` of columns that are already there: a backfill. One of new columns that reads
//! other tables comes in deploy 2, when all code gives them: no trigger could follow those tables.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | every row locked to the end, the table doubled | batches along the primary key, a commit each; killed and run again it goes on |
//! | SQLite | one writer, so others wait for all of it | as written, but only for rows that differ |
//!
//! A row is left when the condition of the change holds and a value differs, so a second run finds
//! nothing to do. A volatile value never equals itself: there the change's own WHERE must tell.
//! What is read from further tables is asked for row by row, as it is when the row's batch runs.

use crate::catalog::Expr;
use crate::change::{Assignment, Update};
use crate::dialect::compose;
use crate::error::Result;
use crate::input;

use super::super::condition::{Condition, Predicate, Reason};
use super::super::op::Op;
use super::super::rows::Backfill;
use super::super::{Down, Downtime, Phase, Step, column_expr};
use super::Context;
use crate::plan::strategy::backfill_unit;

pub(super) fn steps(context: &Context, update: &Update) -> Result<Vec<Step>> {
    let table = &update.table;
    let remaining = remaining(context, update).called(update.alias.as_ref());
    let columns = update.columns();
    let walk = context.walk(table)?;
    context.reads_little(table, &walk, &update.reads)?;
    let backfill = Backfill {
        table: table.clone(),
        walk,
        set: update
            .set
            .iter()
            .map(|set| (set.column.clone(), value(context, update, set)))
            .collect(),
        remaining: remaining.clone(),
        sync: None,
    };
    let (phase, down) = if is_late(context, update) {
        let note = "Nothing to undo: the values go with their column.";
        (Phase::Switch, Down::noted(Vec::new(), note))
    } else {
        let note = format!("Nothing to undo: which rows had another {columns} is not kept.");
        (Phase::Backfill, Down::lossy(Vec::new(), note))
    };
    Ok(vec![Step {
        phase,
        table: table.clone(),
        slug: "backfill".into(),
        title: format!("fill {table}.{columns}"),
        unit: backfill_unit(context.server),
        up: vec![Op::Backfill(backfill)],
        down,
        verify: vec![Condition::NoRows {
            table: table.clone(),
            filter: remaining,
            reason: Reason::Left,
        }],
        model: Vec::new(),
    }])
}

fn remaining(context: &Context, update: &Update) -> Predicate {
    let dialect = context.server.dialect;
    if is_late(context, update) {
        return untouched(update);
    }
    let differs: Vec<Predicate> = update
        .set
        .iter()
        .filter(|set| !set.volatile)
        .map(|set| {
            let expr = set.stored.as_ref().unwrap_or(&set.expr).clone();
            let differs = Predicate::Differs(set.column.clone(), expr);
            match context.table(&update.table).column(&set.column) {
                Some(column) => context.compared(column, differs),
                None => differs,
            }
        })
        .collect();
    let Some(filter) = &update.filter else {
        return Predicate::any(differs);
    };
    let given = Predicate::Given(filter.clone());
    // `SET c = 'x' WHERE c IS NULL` says itself when a row is done.
    let says_itself = update.set.len() == 1
        && input::is_null_test(&filter.0, &update.set[0].column, dialect)
        && (update.set[0].volatile || is_literal(&update.set[0].expr));
    if says_itself || differs.is_empty() {
        return given;
    }
    Predicate::And(vec![given, Predicate::any(differs)])
}

fn is_late(context: &Context, update: &Update) -> bool {
    update.late && context.policy.downtime == Downtime::None
}

/// Where several new columns are filled each keeps what it has.
fn value(context: &Context, update: &Update, set: &Assignment) -> Expr {
    if is_late(context, update) && update.set.len() > 1 {
        let Expr(own) = column_expr(context.server, &set.column);
        return Expr(compose::or_else(&own, &set.expr.0));
    }
    set.expr.clone()
}

/// What new code has given stays.
fn untouched(update: &Update) -> Predicate {
    let given = update.filter.iter().cloned().map(Predicate::Given);
    let left = update.set.iter().map(|set| {
        let value = Predicate::ExprIsNotNull(set.expr.clone());
        Predicate::all([Predicate::IsNull(set.column.clone()), value])
    });
    Predicate::all(given.chain([Predicate::any(left)]))
}

/// A literal that is not NULL.
fn is_literal(Expr(text): &Expr) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c == '\'' || c.is_ascii_digit())
        || text.eq_ignore_ascii_case("true")
        || text.eq_ignore_ascii_case("false")
}
