//! Reading scripts: every statement of the feature lists, in each dialect.

use std::fmt::Write as _;

use miggen::input::ast::{
    AlterKind, ColumnConstraintKind, Kind, Name, Statement, TableConstraintKind,
};
use miggen::input::read;
use miggen::source::{Dialect, Source};

use crate::support::{FEATURES, MYSQL, POSTGRES, SQLITE, statements_of};

fn name(name: &Name<'_>) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.name, name.name.name),
        None => name.name.name.to_string(),
    }
}

/// Kind, object, and whether it is typed.
fn summary(statement: &Statement<'_>) -> String {
    let typed = |kind: &str, object: String| format!("{kind} | {object} | typed");
    match &statement.kind {
        Kind::CreateTable(table) => typed(
            "CREATE TABLE",
            format!(
                "{} {}+{}+{}",
                name(&table.name),
                table.columns.len(),
                table.constraints.len(),
                table.indexes.len()
            ),
        ),
        Kind::AlterTable(alter) => {
            let actions: Vec<String> = alter
                .actions
                .iter()
                .map(|action| {
                    let debug = format!("{:?}", action.kind);
                    match &action.kind {
                        AlterKind::Other { words } => words.to_string(),
                        _ => debug
                            .split(|c: char| !c.is_alphanumeric())
                            .next()
                            .unwrap_or("")
                            .to_owned(),
                    }
                })
                .collect();
            typed("ALTER TABLE", format!("{} {}", name(&alter.table), actions.join(", ")))
        }
        Kind::DropTable(drop) => typed("DROP TABLE", names(&drop.names)),
        Kind::RenameTable(renames) => {
            let pairs: Vec<String> = renames
                .iter()
                .map(|(from, to)| format!("{} to {}", name(from), name(to)))
                .collect();
            typed("RENAME TABLE", pairs.join(", "))
        }
        Kind::CreateIndex(index) => typed(
            "CREATE INDEX",
            format!(
                "{} on {}",
                index.name.as_ref().map_or_else(|| "-".to_owned(), name),
                name(&index.table)
            ),
        ),
        Kind::DropIndex(drop) => typed("DROP INDEX", names(&drop.names)),
        Kind::RenameIndex { index, to, .. } => {
            typed("RENAME INDEX", format!("{} to {}", name(index), to.name))
        }
        Kind::CreateEnum { name: of, labels } => {
            typed("CREATE ENUM", format!("{} {labels:?}", name(of)))
        }
        Kind::AddEnumValue { name: of, label, .. } => {
            typed("ADD ENUM VALUE", format!("{} {label:?}", name(of)))
        }
        Kind::RenameEnumValue { name: of, from, to } => {
            typed("RENAME ENUM VALUE", format!("{} {from:?} to {to:?}", name(of)))
        }
        Kind::CreateDomain { name: of, ty, .. } => {
            typed("CREATE DOMAIN", format!("{} {}", name(of), ty.text))
        }
        Kind::CreateSequence { name: of, .. } => typed("CREATE SEQUENCE", name(of)),
        Kind::OwnSequence { name: of, .. } => typed("OWN SEQUENCE", name(of)),
        Kind::CreateView(view) => typed("CREATE VIEW", name(&view.name)),
        Kind::CreateTrigger(trigger) => {
            typed("CREATE TRIGGER", format!("{} on {}", trigger.name.name, name(&trigger.table)))
        }
        Kind::Comment(comment) => typed(
            &format!("COMMENT ON {}", comment.what),
            format!(
                "{}{}",
                name(&comment.object),
                comment.part.as_ref().map_or_else(String::new, |part| format!(" {}", part.name))
            ),
        ),
        Kind::RenameOther { what, name: of, to, .. } => {
            typed(&format!("RENAME {what}"), format!("{} to {}", name(of), to.name))
        }
        Kind::DropOther { what, names: of, .. } => typed(&format!("DROP {what}"), names(of)),
        Kind::Delete(delete) => typed("DELETE", name(&delete.table)),
        Kind::Insert(insert) => typed("INSERT", name(&insert.table)),
        Kind::Update(update) => {
            let columns: Vec<&str> = update
                .set
                .iter()
                .flat_map(|set| set.columns.iter().map(|column| column.name.as_ref()))
                .collect();
            typed("UPDATE", format!("{} {}", name(&update.table), columns.join(", ")))
        }
        Kind::Opaque(opaque) => {
            let object = opaque.object.as_ref().map_or_else(|| "-".to_owned(), name);
            let on = opaque.on.as_ref().map_or_else(String::new, |on| format!(" on {}", name(on)));
            let hides = if opaque.may_hide_ddl { ", may hide DDL" } else { "" };
            let unknown = if opaque.unknown { ", unknown" } else { "" };
            format!("{} | {object}{on} | opaque{hides}{unknown}", opaque.kind)
        }
    }
}

fn names(of: &[Name<'_>]) -> String {
    let names: Vec<String> = of.iter().map(name).collect();
    names.join(", ")
}

/// What in a statement was not understood.
fn not_understood(statement: &Statement<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut column = |column: &miggen::input::ast::ColumnDef<'_>| {
        for constraint in &column.constraints {
            if constraint.kind == ColumnConstraintKind::Unknown {
                found.push(constraint.text.text.to_owned());
            }
        }
    };
    match &statement.kind {
        Kind::CreateTable(table) => {
            table.columns.iter().for_each(&mut column);
            found.extend(table.unknown.iter().map(|element| element.text.to_owned()));
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                match &action.kind {
                    AlterKind::AddColumn { column: of, .. }
                    | AlterKind::Redefine { column: of, .. } => column(of),
                    _ => {}
                }
            }
            for action in &alter.actions {
                match &action.kind {
                    AlterKind::Unknown => found.push(action.text.text.to_owned()),
                    AlterKind::AddConstraint(constraint)
                        if constraint.kind == TableConstraintKind::Unknown =>
                    {
                        found.push(constraint.text.text.to_owned());
                    }
                    _ => {}
                }
            }
        }
        Kind::Opaque(opaque) if opaque.unknown => found.push(statement.text.text.to_owned()),
        _ => {}
    }
    found
}

fn snapshot(text: &str, dialect: Dialect) -> String {
    let mut result = String::new();
    for written in statements_of(text) {
        let source = Source::new("feature.sql", written.as_str());
        let statements = read(&source, dialect).expect("a statement");
        let Some(statement) = statements.first() else {
            // A comment for another server.
            assert!(written.starts_with("/*M!") && written.ends_with("*/;"), "{written}");
            let _ = writeln!(result, "{written}\n    no statement");
            continue;
        };
        assert_eq!(statements.len(), 1, "{written}");
        let (start, end) = (statement.text.span().start, statement.text.span().end);
        assert!(start == 0 || written[..start].trim_end().ends_with("*/"), "{written}");
        assert_eq!(written[end..].trim(), ";", "{written}");
        let _ = writeln!(result, "{written}\n    {}", summary(statement));
    }
    result
}

#[test]
fn postgres_features() {
    insta::assert_snapshot!(snapshot(POSTGRES, Dialect::Postgres));
}

#[test]
fn mysql_features() {
    insta::assert_snapshot!(snapshot(MYSQL, Dialect::MySql));
}

#[test]
fn mariadb_features() {
    insta::assert_snapshot!(snapshot(MYSQL, Dialect::MariaDb));
}

#[test]
fn sqlite_features() {
    insta::assert_snapshot!(snapshot(SQLITE, Dialect::Sqlite));
}

/// Looked at on 2026-11-21.
const NOT_UNDERSTOOD: &[(&str, &str)] = &[
    ("NOT VALID", "no server takes it inside a column"),
    ("%TYPE", "PostgreSQL takes it in functions only"),
    (
        "FOREIGN KEY (id, PERIOD v) REFERENCES u (id, PERIOD v)",
        "temporal keys of PostgreSQL 18 have no form in the catalog",
    ),
    (
        "LIKE u INCLUDING ALL EXCLUDING INDEXES",
        "the columns are another table's, so the table is partial",
    ),
    ("LIKE u INCLUDING DEFAULTS", "the columns are another table's, so the table is partial"),
    ("PERIOD FOR SYSTEM_TIME (rs, re)", "periods of MariaDB have no form in the catalog"),
    ("PERIOD FOR p (b, c)", "periods of MariaDB have no form in the catalog"),
];

#[test]
fn nothing_in_the_features_is_unknown_but_what_is_listed() {
    let mut unknown: Vec<String> = Vec::new();
    for (dialect, fixture) in FEATURES {
        for written in statements_of(fixture) {
            let source = Source::new("feature.sql", written.as_str());
            let statements = read(&source, dialect).expect("statements");
            unknown.extend(statements.iter().flat_map(not_understood));
        }
    }
    unknown.sort();
    unknown.dedup();
    let mut listed: Vec<&str> = NOT_UNDERSTOOD.iter().map(|(text, _)| *text).collect();
    listed.sort_unstable();
    assert_eq!(unknown, listed);
    assert!(NOT_UNDERSTOOD.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn a_whole_fixture_is_cut_at_the_same_places() {
    for (dialect, fixture) in FEATURES {
        let single: Vec<String> = statements_of(fixture)
            .iter()
            .flat_map(|written| {
                let source = Source::new("feature.sql", written.as_str());
                let statements = read(&source, dialect).expect("statements");
                let texts: Vec<String> =
                    statements.iter().map(|statement| statement.text.text.to_owned()).collect();
                texts
            })
            .collect();
        for text in
            [fixture.to_owned(), fixture.replace('\n', "\r\n"), format!("\u{feff}{fixture}")]
        {
            let source = Source::new("features.sql", text);
            let statements = read(&source, dialect).expect("statements");
            let together: Vec<String> = statements
                .iter()
                .map(|statement| statement.text.text.replace("\r\n", "\n"))
                .collect();
            assert_eq!(together, single);
        }
    }
}
