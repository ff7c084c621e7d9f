//! `ADD COLUMN … GENERATED ALWAYS AS (…)`.
//!
//! | kind | PostgreSQL | SQLite |
//! |---|---|---|
//! | VIRTUAL, nullable | from 18 on as written, catalog only | as written, catalog only |
//! | STORED | every row is written while everybody waits: only in a downtime or on a small table, for nothing makes a plain column a generated one later | the table is made anew |
//! | NOT NULL | every row is computed while everybody waits: the same | the table is made anew |

use crate::catalog::{Expr, Generated};
use crate::change::AddColumn;
use crate::dialect::{Action, quote};
use crate::error::Result;

use super::super::small::is_small;
use super::super::{Downtime, Step};
use super::{Context, add_column};

pub(super) fn add(context: &Context, add: &AddColumn, generated: &Generated) -> Result<Vec<Step>> {
    let Expr(expr) = &generated.expr;
    let free = !generated.stored && !add.column.not_null && add.checks.is_empty();
    if context.can(Action::Rebuild) && !context.can(Action::AddColumnVirtual) {
        let error = context
            .refuse(format!("{} has no generated columns", context.server), "needs sqlite 3.31");
        return Err(context.server.with_newer(error));
    }
    if !generated.stored && !context.can(Action::AddColumnVirtual) {
        return Err(context
            .refuse(
                format!("{} has no virtual generated columns", context.server),
                "every generated column is STORED",
            )
            .hint(format!("GENERATED ALWAYS AS ({expr}) STORED")));
    }
    if free {
        return add_column::at_once(context, add);
    }
    if context.can(Action::Rebuild) {
        return Ok(add_column::by_rebuild(context, add));
    }
    if context.policy.downtime != Downtime::None || is_small(context.policy, &add.table) {
        return add_column::at_once(context, add);
    }
    let name = quote::ident(context.server.dialect, &add.table.name);
    let mut error = context
        .refuse(
            format!("`{}` would be computed for every row while everybody waits", add.column.name),
            "generated, in a table that may be large",
        )
        .note("nothing makes a generated column of a plain one that was filled before")
        .hint(format!("--downtime 5m, or --rows {}=… where the table is small", add.table))
        .hint(format!("an index needs no column: `CREATE INDEX … ON {name} (({expr}))`"));
    if generated.stored && context.can(Action::AddColumnVirtual) {
        error = error.hint("VIRTUAL is free: it is computed when it is read");
    }
    Err(error)
}
