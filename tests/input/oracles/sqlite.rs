//! SQLite, by sqlite3-parser.

use miggen::input::ast::{
    AlterKind, ColumnConstraintKind, ColumnDef, Kind, Slice, TableConstraintKind,
};
use miggen::input::read;
use miggen::source::{Dialect, Source};
use sqlite3_parser::ast::{
    AlterTableBody, Cmd, ColumnConstraint, ColumnDefinition, CreateTableBody, Stmt, TableConstraint,
};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator as _};

use super::join;
use crate::support::{Random, SQLITE, statements_of};

/// The statement's expressions as text of the other parser's tree.
fn sqlite_expressions(written: &str) -> Option<Vec<String>> {
    let bump = Bump::new();
    let mut parser = Parser::new(&bump, written.as_bytes());
    let first = parser.next().ok()??;
    if parser.next().ok()?.is_some() {
        return None;
    }
    let mut found = Vec::new();
    let mut column = |column: &ColumnDefinition<'_>| {
        for constraint in column.constraints {
            match &constraint.constraint {
                ColumnConstraint::Default(expr)
                | ColumnConstraint::Check(expr)
                | ColumnConstraint::Generated { expr, .. } => found.push(format!("{expr:?}")),
                _ => {}
            }
        }
    };
    match &first {
        Cmd::Stmt(Stmt::CreateTable {
            body: CreateTableBody::ColumnsAndConstraints { columns, constraints, .. },
            ..
        }) => {
            columns.iter().for_each(&mut column);
            for constraint in constraints.iter().copied().flatten() {
                if let TableConstraint::Check(expr, _) = &constraint.constraint {
                    found.push(format!("{expr:?}"));
                }
            }
        }
        Cmd::Stmt(Stmt::AlterTable(_, AlterTableBody::AddColumn(definition))) => column(definition),
        Cmd::Stmt(Stmt::CreateIndex { where_clause, .. }) => {
            found.extend(where_clause.iter().map(|expr| format!("{expr:?}")));
        }
        _ => {}
    }
    Some(found)
}

fn agrees_with_sqlite(written: &str) {
    let source = Source::new("statement.sql", written);
    let statements = read(&source, Dialect::Sqlite).expect("a statement");
    assert_eq!(statements.len(), 1, "{written}");
    let Some(theirs) = sqlite_expressions(written) else {
        panic!("SQLite refuses {written}");
    };
    let statement = &statements[0];
    let mut ours = Vec::new();
    let alone = |slice: &Slice<'_>| {
        let check = format!("CREATE TABLE x (c CHECK ({}))", slice.text);
        let found = sqlite_expressions(&check).unwrap_or_else(|| panic!("{}", slice.text));
        found.concat()
    };
    let mut column = |column: &ColumnDef<'_>| {
        for constraint in &column.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Default(expr)
                | ColumnConstraintKind::Check { expr, .. }
                | ColumnConstraintKind::Generated { expr, .. } => ours.push(alone(expr)),
                _ => {}
            }
        }
    };
    match &statement.kind {
        Kind::CreateTable(table) => {
            table.columns.iter().for_each(&mut column);
            for constraint in &table.constraints {
                if let TableConstraintKind::Check { expr, .. } = &constraint.kind {
                    ours.push(alone(expr));
                }
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                if let AlterKind::AddColumn { column: added, .. } = &action.kind {
                    column(added);
                }
            }
        }
        Kind::CreateIndex(index) => ours.extend(index.filter.iter().map(alone)),
        _ => {}
    }
    assert_eq!(ours, theirs, "{written}");
}

#[test]
fn sqlite_features_agree_with_its_grammar() {
    for written in statements_of(SQLITE) {
        agrees_with_sqlite(&written);
    }
}

fn sqlite_statement(random: &mut Random) -> String {
    let types = ["", "INTEGER", "TEXT", "VARCHAR(10, 2)", "UNSIGNED BIG INT", "'a b'", "\"x\" (3)"];
    let defaults = [
        "1",
        "-1",
        "+1.5e3",
        "'x''y'",
        "NULL",
        "x'00'",
        "CURRENT_TIMESTAMP",
        "(1 + 2)",
        "abc",
        "\"dq\"",
        "(strftime('%Y-%m', 'now'))",
        "TRUE",
        "(CASE WHEN 1 THEN 2 END)",
    ];
    let conditions = [
        "a > 0",
        "json_valid(a) AND a ->> '$.x' GLOB '*'",
        "a NOT LIKE 'x' ESCAPE '\\'",
        "a ISNULL OR a NOTNULL",
        "a IS NOT 'y'",
        "a IN (1, 2)",
        "CASE a WHEN 1 THEN 2 ELSE 3 END",
    ];
    let mut columns = Vec::new();
    for _ in 0..=random.below(4) {
        let condition = format!("({})", random.pick(&conditions));
        let default = random.pick(&defaults);
        let mut words = vec![random.pick(&["a", "[b c]", "`key`", "'e'", "\"select\"", "value"])];
        words.push(random.pick(&types));
        for _ in 0..random.below(4) {
            match random.below(8) {
                0 => words.extend(["NOT NULL", "ON CONFLICT FAIL"]),
                1 => words.extend(["DEFAULT", default]),
                2 => words.extend(["CHECK", &condition]),
                3 => words.extend(["CONSTRAINT", "c", "CHECK", &condition]),
                4 => words.extend([
                    "REFERENCES",
                    "u",
                    "(id)",
                    "ON DELETE CASCADE",
                    "DEFERRABLE INITIALLY DEFERRED",
                ]),
                5 => words.extend(["UNIQUE", "ON CONFLICT REPLACE"]),
                6 => words.extend(["COLLATE", "NOCASE"]),
                _ => words.extend(["AS", &condition, "STORED"]),
            }
        }
        words.retain(|word| !word.is_empty());
        columns.push(join(random, &words));
    }
    columns.push(format!("CHECK ({})", random.pick(&conditions)));
    let elements = format!("({})", columns.join(", "));
    let tail = random.pick(&["", "STRICT"]);
    join(random, &["CREATE", "TABLE", "t", &elements, tail])
}

#[test]
fn generated_sqlite_agrees_with_its_grammar() {
    let mut random = Random::new(3_053);
    for _ in 0..2_000 {
        let statement = format!("{};", sqlite_statement(&mut random));
        // A definition may be nonsense in itself: two columns of one name, a generated default.
        if sqlite_expressions(&statement).is_some() {
            agrees_with_sqlite(&statement);
        }
    }
}
