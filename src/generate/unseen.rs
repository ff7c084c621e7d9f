//! Whether code that the schema's files run may have changed a table unseen.
//!
//! Enters: a plan, with the schema before it. Leaves: a refusal where rows are written or something
//! goes, for a trigger that is not known decides what is lost; a warning elsewhere. A rollout that is
//! begun is not asked again. Must not know: what such code is.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, TableName, Taint};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::op::Op;
use crate::source::{Dialect, Source, Span};

pub(super) fn warn_or_refuse(schema: &[Source], plan: &Plan) -> Result<Vec<String>> {
    let before = &plan.before;
    let ops = || plan.deploys.iter().flat_map(|deploy| &deploy.steps).flat_map(|step| &step.up);
    let changed = |op: &Op| op.table().filter(|table| before.table(table).is_some()).cloned();
    let written: BTreeSet<TableName> =
        ops().filter(|op| writes_or_drops(op)).filter_map(changed).collect();
    if let Some((table, taint)) = first(before, &written) {
        return Err(refused(schema, before.dialect, table, taint));
    }
    let touched: BTreeSet<TableName> = ops().filter_map(changed).collect();
    Ok(first(before, &touched)
        .map(|(table, taint)| {
            let place = place(schema, taint);
            format!(
                "{place}: this may have made triggers, constraints or columns of `{table}`, which are not known here"
            )
        })
        .into_iter()
        .collect())
}

fn first<'t>(
    before: &'t Catalog,
    tables: &'t BTreeSet<TableName>,
) -> Option<(&'t TableName, &'t Taint)> {
    tables.iter().find_map(|table| Some((table, before.taints_of(table).next()?)))
}

/// Values are written, move or go, so that it matters what else is done to them.
fn writes_or_drops(op: &Op) -> bool {
    match op {
        Op::Job { op, .. } => writes_or_drops(op),
        Op::SetType { free, .. } => !free,
        Op::CreateSync(_)
        | Op::Backfill(_)
        | Op::Delete(_)
        | Op::Copy(_)
        | Op::PutBack(_)
        | Op::Anew { .. }
        | Op::Rebuild(_)
        | Op::DropColumn { .. }
        | Op::DropTable(_)
        | Op::RenameColumn { .. }
        | Op::RenameTable { .. } => true,
        _ => false,
    }
}

fn refused(schema: &[Source], dialect: Dialect, table: &TableName, taint: &Taint) -> Error {
    let error = Error::refused(format!("what this did to `{table}` cannot be read"));
    let error = match source(schema, taint) {
        Some(source) => {
            let line = taint.origin.text.lines().next().unwrap_or_default();
            let span = Span::new(taint.origin.start, taint.origin.start + line.len());
            error.at(source, span, "may have made triggers, constraints, columns")
        }
        None => error,
    };
    let error = error.note(
        "a trigger that is not known may overwrite what the plan writes, and code in it may fail",
    );
    match dialect {
        Dialect::Sqlite => {
            error.hint("`sqlite3 app.db .schema > schema.sql`, then `--schema schema.sql`")
        }
        _ => error.hint("`pg_dump -s … > schema.sql`, then `--schema schema.sql`"),
    }
}

fn place(schema: &[Source], taint: &Taint) -> String {
    let name = &taint.origin.source;
    match source(schema, taint) {
        Some(source) => {
            let line = source.text[..taint.origin.start].matches('\n').count() + 1;
            format!("{name}:{line}")
        }
        None => name.clone(),
    }
}

fn source<'s>(schema: &'s [Source], taint: &Taint) -> Option<&'s Source> {
    schema.iter().find(|source| source.name == taint.origin.source)
}
