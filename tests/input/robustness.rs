//! Whatever the text: statements in order with exact places, or a clear error. Never a panic.

use std::thread;

use miggen::catalog;
use miggen::input::ast::{ColumnDef, InsertSource, Kind, Selected, Slice, Statement};
use miggen::input::{columns_mentioned, expr, read, strict};
use miggen::source::{Dialect, Source, Span};

use crate::support::{FEATURES, Random, statements_of};

const DIALECTS: [Dialect; 4] =
    [Dialect::Postgres, Dialect::MySql, Dialect::MariaDb, Dialect::Sqlite];

/// Everything that was cut out of a statement, and where.
fn pieces<'s>(statement: &'s Statement<'_>) -> Vec<Slice<'s>> {
    let mut found = Vec::new();
    let mut column = |of: &'s ColumnDef<'_>| {
        found.push(of.text);
        found.extend(of.ty);
        found.extend(of.constraints.iter().map(|constraint| constraint.text));
    };
    match &statement.kind {
        Kind::CreateTable(table) => {
            table.columns.iter().for_each(&mut column);
            found.extend(table.constraints.iter().map(|constraint| constraint.text));
            found.extend(table.options);
            found.extend(table.partition_by);
            found.extend(table.unknown.iter().copied());
        }
        Kind::AlterTable(alter) => found.extend(alter.actions.iter().map(|action| action.text)),
        Kind::CreateIndex(index) => {
            found.extend(index.keys.iter().map(|key| key.text));
            found.extend(index.filter);
        }
        Kind::CreateView(view) => found.push(view.query),
        Kind::CreateTrigger(trigger) => found.push(trigger.body),
        Kind::Delete(delete) => found.extend(delete.using.iter().chain(&delete.filter)),
        Kind::Insert(insert) => match &insert.source {
            InsertSource::Values(rows) => found.extend(rows.iter().flatten()),
            InsertSource::Select(Selected { list, join, filter, .. }) => {
                found.extend(list);
                found.extend(filter);
                if let Some(join) = join {
                    found.extend(std::iter::once(&join.tables).chain(&join.on).chain(&join.more));
                }
            }
        },
        Kind::Update(update) => {
            found.extend(update.set.iter().map(|set| set.expr));
            found.extend(update.filter);
            found.extend(update.rest);
        }
        _ => {}
    }
    found
}

fn stands_in(source: &Source, slice: &Slice<'_>, inside: Span) {
    let span = slice.span();
    assert!(inside.start <= span.start && span.end <= inside.end, "{span:?} in {inside:?}");
    assert_eq!(&source.text[span.start..span.end], slice.text);
}

/// Reads and replays the text; says whether it could be cut.
fn survives(text: &str, dialect: Dialect) -> bool {
    let source = Source::new("mutant.sql", text);
    let statements = match read(&source, dialect) {
        Ok(statements) => statements,
        Err(error) => {
            assert!(error.to_string().contains("mutant.sql"), "{error}");
            return false;
        }
    };
    let mut end = 0;
    for statement in &statements {
        let span = statement.text.span();
        assert!(end <= span.start && span.start < span.end, "{text:?}");
        end = span.end;
        stands_in(&source, &statement.text, Span::new(0, text.len()));
        for hint in &statement.hints {
            stands_in(&source, hint, Span::new(0, text.len()));
        }
        for piece in pieces(statement) {
            stands_in(&source, &piece, span);
        }
    }
    if let Err(error) = strict(&source, &statements, dialect) {
        assert!(error.to_string().contains("mutant.sql"), "{error}");
    }
    columns_mentioned(text, dialect);
    catalog::build(std::slice::from_ref(&source), dialect).expect("what can be read is replayed");
    true
}

const NASTY: &[&str] = &[
    "'",
    "\"",
    "`",
    "$$",
    "$x$",
    "/*",
    "*/",
    "/*!50000",
    "/*M!",
    "--",
    "-- miggen: x\n",
    "#",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    ".",
    "\\",
    "\\gexec",
    "\\;",
    "\0",
    "é",
    "\u{feff}",
    "\u{a0}",
    "E'",
    "U&\"",
    "${",
    "}",
    "{{",
    "}}",
    "@x@",
    "@",
    ":x",
    ":",
    "::",
    "CASE",
    "END",
    "BEGIN",
    "BEGIN ATOMIC",
    "\nDELIMITER //\n",
    "//",
    "CREATE",
    "TRIGGER",
    "FUNCTION",
    "IF",
    "NOT",
    "NULL",
    "DEFAULT",
    "CHECK",
    "PRIMARY KEY",
    "AS",
    "ON",
    "SET",
    "WITH",
    "COPY t FROM stdin;",
    "\n\\.\n",
    "\r",
    "\n",
    "0x",
    "1e+",
];

fn border(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn mutant(random: &mut Random, text: &str, other: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(3) {
        let from = border(&text, random.below(text.len() + 1));
        let to = border(&text, (from + random.below(12)).min(text.len())).max(from);
        match random.below(5) {
            0 => text.replace_range(from..to, ""),
            1 => {
                let copy = text[from..to].to_owned();
                text.insert_str(from, &copy);
            }
            2 => {
                let cut = border(other, random.below(other.len() + 1));
                text.insert_str(from, &other[cut..]);
            }
            3 => text.truncate(from),
            _ => text.insert_str(from, random.pick(NASTY)),
        }
    }
    text
}

#[test]
fn mutants_of_the_features_are_read_or_refused() {
    let mut random = Random::new(479);
    let mut refused = 0;
    for (dialect, fixture) in FEATURES {
        let statements = statements_of(fixture);
        for _ in 0..5_000 {
            let one = &statements[random.below(statements.len())];
            let other = &statements[random.below(statements.len())];
            let text = mutant(&mut random, one, other);
            refused += usize::from(!survives(&text, dialect));
        }
    }
    // Most mutants can still be cut, and many cannot.
    assert!((2_000..15_000).contains(&refused), "{refused} of 20000");
}

#[test]
fn mutants_of_expressions_have_facts_or_none() {
    let mut random = Random::new(63);
    let expressions = [
        "a > 0 AND b IS NOT NULL",
        "coalesce(lower(email), 'x') || ARRAY[1, 2]::text[]",
        "CASE WHEN a THEN (SELECT max(b) FROM t) ELSE $1 END",
    ];
    for _ in 0..600 {
        let text = mutant(&mut random, random_of(&expressions, 1), random_of(&expressions, 2));
        for dialect in DIALECTS {
            let _ = expr::read(&text, dialect);
            expr::proves_not_null(&text, "b", dialect);
        }
    }
}

fn random_of<'t>(from: &[&'t str], at: usize) -> &'t str {
    from[at % from.len()]
}

/// On a stack that no recursion over the nesting would fit.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("no panic");
}

#[test]
fn nesting_costs_no_stack() {
    on_a_small_stack(|| {
        let deep = 10_000;
        let brackets = format!("{}1{}", "(".repeat(deep), ")".repeat(deep));
        let cases = format!("{}1{}", "CASE WHEN a THEN ".repeat(deep), " END".repeat(deep));
        let chain = format!("a{}", " AND a::int || b".repeat(deep));
        for dialect in DIALECTS {
            for inner in [&brackets, &cases, &chain] {
                for text in [
                    format!("SELECT {inner};"),
                    format!("CREATE TABLE t (a int DEFAULT {inner}, b int CHECK ({inner}));"),
                    format!("CREATE TABLE t (a int); CREATE INDEX i ON t (({inner}));"),
                    format!("UPDATE t SET a = {inner} WHERE {inner};"),
                    format!("CREATE VIEW v AS SELECT {inner};"),
                    format!("ALTER TABLE t ADD COLUMN a int DEFAULT {inner};"),
                ] {
                    assert!(survives(&text, dialect));
                }
                let _ = expr::read(inner, dialect);
            }
            assert!(!survives(&format!("SELECT {}", "(".repeat(deep)), dialect));
        }
        let comments = format!("{}{}", "/*".repeat(deep), "*/".repeat(deep));
        assert!(survives(&format!("{comments} SELECT 1"), Dialect::Postgres));
        let mut quotes: Vec<String> = (0..500).map(|n| format!("$a{n}$ ")).collect();
        quotes.extend_from_within(..);
        quotes[500..].reverse();
        assert!(survives(&format!("DO {}", quotes.concat()), Dialect::Postgres));
    });
}

#[test]
fn fifty_megabytes_are_read() {
    let megabyte = 1024 * 1024;
    let mut text = String::with_capacity(52 * megabyte);
    text.push_str("CREATE TABLE t (a text DEFAULT '");
    text.push_str(&"x".repeat(16 * megabyte));
    text.push_str("');\n/*");
    text.push_str(&"y".repeat(16 * megabyte));
    text.push_str("*/\nINSERT INTO t VALUES ");
    text.push_str(&"('it''s'),".repeat(megabyte / 2));
    text.push_str("('');\n");
    text.push_str(&";".repeat(megabyte));
    while text.len() < 50 * megabyte {
        text.push_str("COMMENT ON TABLE t IS 'a comment as long as they are in real dumps, that is to say, long';\n");
    }
    let source = Source::new("dump.sql", text);
    let statements = read(&source, Dialect::Postgres).expect("statements");
    assert!(statements.len() > 100_000);
    let last = statements.last().expect("a statement");
    assert_eq!(last.text.span().end + 2, source.text.len());
}

/// What a scanner that looks ahead too far, or goes back, would take hours for.
#[test]
fn no_text_is_read_again_and_again() {
    let many = 60_000;
    for dialect in DIALECTS {
        for unit in [
            "{{",
            "{%",
            "${",
            "@a-",
            "@a.b",
            "$a",
            "$",
            ":a",
            "/*!",
            "/**/",
            "--\n",
            "\\\n",
            "''",
            "E",
            "a.",
            "1.",
            "1e",
            "[]",
            "()",
            "COPY t FROM stdin;\n",
            ";",
            "\u{feff}",
            "CASE ",
            "a,",
            "SELECT f(a);",
            "/*!50000 a */ ",
            "-- miggen: x\n",
            "é",
            "\0",
        ] {
            let source = Source::new("long.sql", unit.repeat(many / unit.len()));
            let _ = read(&source, dialect).map(|statements| statements.len());
            let table = format!("CREATE TABLE t ({})", source.text);
            let _ =
                read(&Source::new("long.sql", table), dialect).map(|statements| statements.len());
        }
    }
}

fn refusal(text: &str, dialect: Dialect) -> String {
    let source = Source::new("change.sql", text);
    match read(&source, dialect) {
        Ok(statements) => strict(&source, &statements, dialect).expect_err(text).to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn refusals_point_at_the_place() {
    let mut all = String::new();
    for (text, dialect) in [
        ("SELECT 1;\nSELECT 'its;", Dialect::Postgres),
        ("CREATE TABLE \"t (a int);", Dialect::Postgres),
        ("DO $x$ BEGIN END $y$;", Dialect::Postgres),
        ("/* a /* b */ SELECT 1;", Dialect::Postgres),
        ("CREATE TABLE t (a int;\nSELECT 1;", Dialect::Postgres),
        ("CREATE TABLE t (a int));", Dialect::Postgres),
        ("SELECT (a];", Dialect::Postgres),
        ("SELECT (1", Dialect::Sqlite),
        ("/*!50000 SELECT 1", Dialect::MySql),
        ("SELECT [a;", Dialect::Sqlite),
        ("CREATE TABEL t (a int);", Dialect::Postgres),
        ("PRAGMA foreign_keys;", Dialect::Postgres),
        ("CREATE TABLE t (a int,);", Dialect::Sqlite),
        ("CREATE TABLE t (a int, b);", Dialect::Postgres),
        ("CREATE TABLE t (a int NOT NUL);", Dialect::Postgres),
        ("CREATE TABLE t (a int DEFAULT 1 2);", Dialect::Postgres),
        ("CREATE TABLE t (a int) ENGINE=InnoDB;", Dialect::Postgres),
        ("CREATE TABLE t (a int COMMENT 'x');", Dialect::Postgres),
        ("ALTER TABLE t ADD COLUMN a int, MODIFY b int;", Dialect::Postgres),
        ("ALTER TABLE t ADD CONSTRAINT c CHECKS (a > 0);", Dialect::Postgres),
        ("CREATE INDEX i ON t a;", Dialect::Postgres),
        ("ALTER TABLE ${schema}.t ADD a int;", Dialect::Postgres),
        ("ALTER TABLE a.b.t ADD c int;", Dialect::Postgres),
    ] {
        all.push_str(&refusal(text, dialect));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}
