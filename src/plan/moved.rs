//! Rows that one statement of a script copies elsewhere, and a later one takes away.
//!
//! Old code writes between the two: what it writes into the old place after the copy would be lost.

use crate::catalog::{Catalog, TableName};
use crate::change::{Change, Copy, Intent};
use crate::error::{Error, Result};
use crate::input;

/// Refuses what is copied and then taken away.
pub(super) fn refuse(before: &Catalog, intent: &Intent) -> Result<()> {
    for (at, then) in intent.asked.iter().enumerate() {
        let copies = intent.asked[..at].iter().filter_map(|asked| match &asked.change {
            Change::Copy(copy) => Some(copy),
            _ => None,
        });
        for copy in copies {
            let Some(what) = taken_away(before, copy, &then.change) else { continue };
            return Err(Error::refused(format!(
                "what old code writes into {what} after it was copied would be lost"
            ))
            .at(&intent.source, then.span, "takes away what a statement above copies")
            .note(format!("nothing keeps `{}` in step meanwhile", copy.into.name))
            .hint(hint(copy, &then.change)));
        }
    }
    Ok(())
}

fn taken_away(before: &Catalog, copy: &Copy, then: &Change) -> Option<String> {
    let from = |table: &TableName| before.share_rows(&copy.from, table);
    match then {
        // Of the rows that were copied, and no others.
        Change::Delete(delete) if delete.reads.tables.contains(&copy.into) => None,
        Change::Delete(delete) if from(&delete.table) => Some(format!("`{}`", delete.table.name)),
        Change::DropColumn(drop) if from(&drop.table) => {
            let mut read = copy.list.iter().map(|(_, expr)| expr).chain(&copy.filter);
            let named = read.any(|expr| input::mentions(&expr.0, &drop.column, before.dialect));
            named.then(|| format!("`{}.{}`", drop.table.name, drop.column))
        }
        _ => None,
    }
}

fn hint(copy: &Copy, then: &Change) -> String {
    match then {
        Change::Delete(_) => format!(
            "first a rollout that copies; then one that deletes the rows that are in `{0}`: \
             … WHERE EXISTS (SELECT 1 FROM {0} WHERE …)",
            copy.into.name
        ),
        _ => format!(
            "first a rollout that copies, and a release that writes `{}` as well; then one that drops",
            copy.into.name
        ),
    }
}
