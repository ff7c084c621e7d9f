//! `DELETE FROM t WHERE …`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | every row locked to the end, and held by replicas and vacuum | batches, a commit each; run again it goes on |
//! | SQLite | one writer, so others wait for all of it | as written |
//!
//! Rows of other tables that point to them are looked for one by one, so their key needs an index.

use crate::catalog::{Child, TableName};
use crate::change::Delete;
use crate::dialect::quote;
use crate::error::Result;

use super::super::condition::{Condition, Predicate, Reason};
use super::super::op::Op;
use super::super::rows::DeleteRows;
use super::super::{Down, Phase, Step};
use super::Context;
use crate::plan::strategy::backfill_unit;

pub(super) fn steps(context: &Context, delete: &Delete) -> Result<Vec<Step>> {
    let table = &delete.table;
    for child in context.before.children(table) {
        check(context, table, &child)?;
    }
    let filter = Predicate::Given(delete.filter.clone()).called(delete.alias.as_ref());
    let walk = context.walk(table)?;
    context.reads_little(table, &walk, &delete.reads)?;
    let rows = DeleteRows { table: table.clone(), walk, filter: filter.clone() };
    Ok(vec![Step {
        phase: Phase::Backfill,
        table: table.clone(),
        slug: "delete".into(),
        title: format!("delete rows of {table}"),
        unit: backfill_unit(context.server),
        up: vec![Op::Delete(rows)],
        down: Down {
            ops: Vec::new(),
            note: Some("There is no way back: the rows are gone.".into()),
            loses: true,
        },
        verify: vec![Condition::NoRows { table: table.clone(), filter, reason: Reason::Left }],
        model: Vec::new(),
    }])
}

fn check(context: &Context, table: &TableName, child: &Child) -> Result<()> {
    let columns: Vec<&str> = child.columns.iter().map(String::as_str).collect();
    let names = columns.join(", ");
    if child.table == *table && child.on_delete.is_none() {
        return Err(context
            .refuse(
                format!("rows of `{}` point to rows of the same table", table.name),
                format!("`{names}` may point to a row of an earlier batch"),
            )
            .note("one DELETE would check at its end, a batch cannot")
            .hint(format!(
                "set `{names}` to NULL first, for the rows that stay as well as those that go"
            )));
    }
    if !child.indexed {
        return Err(context
            .refuse(
                format!("each deleted row would read all of `{}`", child.table.name),
                format!("`{}` ({names}) points here and has no index", child.table.name),
            )
            .hint(format!(
                "first, as a change of its own: {}",
                quote::create_index(context.server.dialect, &child.table.name, &columns)
            )));
    }
    Ok(())
}
