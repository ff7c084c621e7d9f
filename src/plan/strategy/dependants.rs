//! What stands on a column and does not come along by itself.

use crate::catalog::{Catalog, ConstraintKind, Key, Table, TableName, names};
use crate::input;

use super::sync;

/// In words, for a refusal: `the view active_users`, `the trigger posts_touch`.
pub(in crate::plan) fn in_the_way(
    catalog: &Catalog,
    table: &TableName,
    column: &str,
) -> Vec<String> {
    let mut found = in_the_way_but_keys(catalog, table, column);
    for (from, constraint) in catalog.references_to(table) {
        if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
            && references.iter().any(|name| names::same(catalog.dialect, name, column))
        {
            let name = constraint.name.as_deref().unwrap_or("without a name");
            found.push(format!("the foreign key {name} of {}", from.name));
        }
    }
    found
}

/// The same without the foreign keys that point to the column.
pub(in crate::plan) fn in_the_way_but_keys(
    catalog: &Catalog,
    table: &TableName,
    column: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    let has = |mentions: &[String], name: &str| mentions.iter().any(|mention| mention == name);
    for (name, view) in &catalog.views {
        // Its text is as it was before a rename.
        let reads = if view.stale {
            view.origin.text.contains('*') || has(&view.mentions, column)
        } else {
            input::view_reads(&view.origin.text, &table.name, column, catalog.dialect)
        };
        if has(&view.mentions, &table.name) && reads {
            found.push(format!("the view {name}"));
        }
    }
    for trigger in sync::triggers_naming(catalog, table, column) {
        found.push(format!("the trigger {trigger}"));
    }
    for ((of, name), trigger) in &catalog.triggers {
        if !catalog.same_table(of, table)
            && has(&trigger.mentions, &table.name)
            && has(&trigger.mentions, column)
        {
            found.push(format!("the trigger {name} on {of}"));
        }
    }
    for other in &catalog.others {
        let on_table = other.on.as_ref().is_some_and(|on| catalog.same_table(on, table));
        let kind = other.kind.trim_start_matches("CREATE ").to_ascii_lowercase();
        // It lists columns, or filters by them.
        let publishes = kind.ends_with("publication") && has(&other.mentions, &table.name);
        if (on_table || publishes) && has(&other.mentions, column) {
            let kind = kind.trim_start_matches("alter ");
            let name = other.object.as_ref().map(ToString::to_string).unwrap_or_default();
            found.push(format!("the {kind} {name}"));
        }
    }
    for own in catalog.tables.get(table).iter().flat_map(|table| &table.columns) {
        if let Some(generated) = &own.generated
            && input::mentions(&generated.expr.0, column, catalog.dialect)
        {
            found.push(format!("the generated column {}", own.name));
        }
    }
    found
}

/// A view that has the column by its own name, and what may read it there: both in words.
pub(in crate::plan) fn read_through_a_view(
    catalog: &Catalog,
    table: &TableName,
    column: &str,
) -> Option<(String, String)> {
    let has = |mentions: &[String], name: &str| mentions.iter().any(|mention| mention == name);
    let mut shown: Vec<&str> = vec![&table.name];
    let mut at = 0;
    while let Some(from) = shown.get(at).copied() {
        at += 1;
        for (name, view) in catalog.views.iter().filter(|(_, view)| has(&view.mentions, from)) {
            let text = &view.origin.text;
            let names_it = has(&view.mentions, column);
            if names_it && from != table.name {
                return Some((from.to_owned(), format!("the view {name}")));
            }
            let passes_on = names_it && !input::gives_name(text, column, catalog.dialect);
            if (passes_on || text.contains('*')) && !shown.contains(&name.name.as_str()) {
                shown.push(&name.name);
            }
        }
        if from == table.name {
            continue;
        }
        let reads = |of: &TableName, mentions: &[String]| of.name == from || has(mentions, from);
        let trigger = catalog.triggers.iter().find(|((of, _), trigger)| {
            reads(of, &trigger.mentions) && has(&trigger.mentions, column)
        });
        if let Some(((_, name), _)) = trigger {
            return Some((from.to_owned(), format!("the trigger {name}")));
        }
    }
    None
}

pub(in crate::plan) const IN_THE_WAY: &str = "change or drop that first; views, policies and \
    triggers by a migration of your own, for miggen plans none";

pub(in crate::plan) fn in_primary_key(table: &Table, column: &str) -> bool {
    table
        .primary_key()
        .is_some_and(|keys| keys.iter().filter_map(Key::column).any(|name| name == column))
}

/// Functions and procedures whose body may name the table, in words.
pub(in crate::plan) fn functions_naming(catalog: &Catalog, table: &TableName) -> Vec<String> {
    let named = catalog.others.iter().filter(|other| {
        (other.is_function() || other.kind == "CREATE PROCEDURE")
            && other.mentions.contains(&table.name)
    });
    named
        .map(|other| {
            let kind = other.kind.rsplit(' ').next().unwrap_or("function").to_ascii_lowercase();
            let name = other.object.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("the {kind} {name}")
        })
        .collect()
}

/// Views that may read the table, and triggers of other tables that may name it, in words.
pub(in crate::plan) fn using_table(catalog: &Catalog, table: &TableName) -> Vec<String> {
    let has = |mentions: &[String]| mentions.contains(&table.name);
    let views = catalog.views.iter().filter(|(_, view)| has(&view.mentions));
    let triggers = catalog
        .triggers
        .iter()
        .filter(|((of, _), trigger)| !catalog.same_table(of, table) && has(&trigger.mentions));
    let sequences = catalog.sequences.iter().filter(|(_, sequence)| {
        sequence.owned_by.as_ref().is_some_and(|(of, _)| catalog.same_table(of, table))
    });
    let defaults = sequences.flat_map(|(sequence, _)| {
        let others = catalog.tables.values().filter(|other| other.name != *table);
        others.flat_map(|other| &other.columns).filter(move |column| {
            column.default.as_ref().is_some_and(|default| default.0.contains(&sequence.name))
        })
    });
    views
        .map(|(name, _)| format!("the view {name}"))
        .chain(triggers.map(|((of, name), _)| format!("the trigger {name} on {of}")))
        .chain(defaults.map(|column| format!("the default of {}", column.name)))
        .collect()
}
