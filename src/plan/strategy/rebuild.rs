//! A table made anew: what is copied, and what must be dropped before and created after.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Expr, Identity, Table};

use super::super::op::{Dependant, Op, Rebuild};

/// Views that may read the table, and triggers on it or naming it. `renamed` is for the way back,
/// where the same objects stand around the new table.
pub(in crate::plan) fn rebuild(
    catalog: &Catalog,
    from: Table,
    to: Table,
    copy: BTreeMap<String, Expr>,
) -> Op {
    let name = &from.name;
    let mut dependants = Vec::new();
    for (view, definition) in &catalog.views {
        if definition.mentions.contains(&name.name) {
            dependants.push(Dependant {
                kind: "VIEW",
                name: view.name.clone(),
                drop: true,
                text: definition.origin.text.clone(),
            });
        }
    }
    for ((of, trigger), definition) in &catalog.triggers {
        let own = of == name;
        // Triggers of a rollout itself have no text; its steps drop and create them.
        if definition.origin.text.is_empty() || !(own || definition.mentions.contains(&name.name)) {
            continue;
        }
        dependants.push(Dependant {
            kind: "TRIGGER",
            name: trigger.clone(),
            drop: !own,
            text: definition.origin.text.clone(),
        });
    }
    let autoincrement =
        from.columns.iter().any(|column| column.identity == Some(Identity::AutoIncrement));
    Op::Rebuild(Box::new(Rebuild { from, to, copy, dependants, autoincrement }))
}
