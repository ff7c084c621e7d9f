//! The same for SQLite, which tells of its schema by pragmas and in one table.

use crate::catalog::TableName;
use crate::dialect::{Server, quote};
use crate::plan::condition::Condition;

use super::super::sync::sync_trigger_names;
use super::no_rows;

pub(super) fn boolean(server: &Server, condition: &Condition) -> String {
    let literal = |text: &str| quote::literal(server.dialect, text);
    let column = |of: &TableName, column: &str, more: &str| {
        format!(
            "EXISTS (\n    SELECT 1 FROM pragma_table_xinfo({})\n    WHERE lower(name) = lower({}){more}\n)",
            literal(&of.name),
            literal(column)
        )
    };
    let objects = |kind: &str, names: &[String]| {
        let list: Vec<String> = names.iter().map(|name| literal(name)).collect();
        format!(
            "(\n    SELECT count(*) FROM sqlite_master\n    WHERE type = '{kind}' AND name IN ({})\n)",
            list.join(", ")
        )
    };
    match condition {
        Condition::ColumnIs { table: of, column: name, ty, not_null } => column(
            of,
            name,
            &format!(
                "\n        AND lower(type) = lower({}) AND \"notnull\" = {}",
                literal(ty),
                u8::from(*not_null)
            ),
        ),
        Condition::ColumnExists { table: of, column: name } => column(of, name, ""),
        Condition::ColumnGone { table: of, column: name } => {
            format!("NOT {}", column(of, name, ""))
        }
        Condition::ColumnNotNull { table: of, column: name } => {
            column(of, name, " AND \"notnull\" = 1")
        }
        Condition::ColumnOptional { table: of, column: name } => {
            column(of, name, " AND \"notnull\" = 0")
        }
        Condition::SyncOn { name, .. } => {
            format!("{} = 2", objects("trigger", &sync_trigger_names(name)))
        }
        Condition::SyncGone { name, .. } => {
            format!("{} = 0", objects("trigger", &sync_trigger_names(name)))
        }
        Condition::IndexValid { name, .. } => {
            format!("{} = 1", objects("index", std::slice::from_ref(name)))
        }
        Condition::IndexGone { name, .. } => {
            format!("{} = 0", objects("index", std::slice::from_ref(name)))
        }
        Condition::TableExists { table: of } => {
            format!("{} = 1", objects("table", std::slice::from_ref(&of.name)))
        }
        Condition::TableHas { table: of, columns, objects, syncs } => {
            let triggers = syncs.iter().flat_map(|name| sync_trigger_names(name));
            let objects: Vec<String> = objects.iter().cloned().chain(triggers).collect();
            let name = literal(&of.name.to_ascii_lowercase());
            // What a constraint has made by itself has no text.
            let standing = format!(
                "sqlite_master\n    WHERE lower(tbl_name) = {name} AND sql IS NOT NULL AND type IN ('index', 'trigger')"
            );
            let pragma = format!("pragma_table_xinfo({})", literal(&of.name));
            format!("{} AND {}", only(server, columns, &pragma), only(server, &objects, &standing))
        }
        Condition::NameFree { name } => {
            format!("{} = 0", objects("table", std::slice::from_ref(&name.name)))
        }
        Condition::StandIn { name } => {
            format!("{} = 1", objects("view", std::slice::from_ref(&name.name)))
        }
        // There is no row security.
        Condition::NoRowSecurity { .. }
        | Condition::RowsVisible { .. }
        | Condition::ReadCommitted
        | Condition::NothingNew { .. } => "1".into(),
        // There is no such state: a constraint is part of its table.
        Condition::DefaultFits { .. }
        | Condition::ConstraintOn { .. }
        | Condition::ConstraintValid { .. } => "1".into(),
        Condition::NoRows { .. } | Condition::NoDuplicates { .. } => no_rows(server, condition),
        Condition::NotBefore { date, .. } => {
            format!("date('now') >= {}", literal(&date.to_string()))
        }
    }
}

/// What is found there has these names, and no other does.
fn only(server: &Server, names: &[String], from: &str) -> String {
    let count = names.len();
    if count == 0 {
        return format!("NOT EXISTS (\n    SELECT 1 FROM {from}\n)");
    }
    let list: Vec<String> = names
        .iter()
        .map(|name| quote::literal(server.dialect, &name.to_ascii_lowercase()))
        .collect();
    format!(
        "(\n    SELECT count(*) = {count} AND sum(lower(name) IN ({})) = {count}\n    FROM {from}\n)",
        list.join(", ")
    )
}
