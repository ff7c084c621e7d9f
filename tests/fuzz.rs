//! Mutated text, all the way: a plan whose SQL can be read, or an error with its place. Never a panic.
//!
//! The same numbers on every run; `FUZZ_ROUNDS=100000 cargo test --release --test fuzz` asks for more.

#[path = "input/support.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use miggen::change;
use miggen::dialect::Server;
use miggen::error::{ErrorKind, Result};
use miggen::input;
use miggen::plan::{self, Downtime, Plan, Policy};
use miggen::source::{Dialect, Source};
use miggen::sql;

use support::{FEATURES, Random, statements_of};

const SCHEMA: &str = include_str!("data/fuzz/schema.sql");
const CHANGES: &str = include_str!("data/fuzz/changes.sql");
const SERVERS: [&str; 5] =
    ["postgres@12", "postgres@18", "sqlite@3.26", "sqlite@3.45", "mysql@8.0"];

/// What stands in for a word, or between two.
const WORDS: &[&str] = &[
    "users",
    "posts",
    "notes",
    "id",
    "email",
    "name",
    "title",
    "created",
    "\"Order\"",
    "missing",
    "NULL",
    "NOT NULL",
    "DEFAULT",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "PRIMARY KEY",
    "USING",
    "WHERE",
    "ADD COLUMN",
    "DROP COLUMN",
    "RENAME COLUMN",
    "TO",
    "SET",
    "TYPE",
    "CASCADE",
    "IF EXISTS",
    "ONLY",
    "text",
    "integer",
    "bigserial",
    "varchar(3)",
    "numeric(0, -1)",
    "'x'",
    "'a\nb'",
    "$$q$$",
    "''",
    "\"\"",
    "1e400",
    "-1",
    "random()",
    "now()",
    "lower(name)",
    "(",
    ")",
    "((",
    ",",
    ";",
    ".",
    "::",
    "||",
    "--",
    "/*",
    "*/",
    "'",
    "\"",
    "`",
    "[",
    "\\",
    "\0",
    "é",
    "\u{feff}",
    "-- miggen: keep 3 days\n",
    "-- miggen: back name = first\n",
    "-- miggen: renamed from name\n",
    "-- miggen:\n",
    "${x}",
    ":x",
    "$1",
    "\r\n",
];

/// Words with the space before them; what is quoted may be torn apart.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, letter) in text.char_indices() {
        let kind = (letter.is_alphanumeric() || letter == '_', letter.is_whitespace());
        if before.is_some_and(|before| before != kind) {
            words.push(&text[start..at]);
            start = at;
        }
        before = Some(kind);
    }
    words.push(&text[start..]);
    words
}

fn mutant(random: &mut Random, text: &str, other: &str) -> String {
    let others = words(other);
    let mut words = words(text);
    for _ in 0..=random.below(4) {
        let at = random.below(words.len());
        let to = random.below(words.len());
        match random.below(7) {
            0 => words[at] = "",
            1 => words.insert(at, words[to]),
            2 => words.swap(at, to),
            3 => words.insert(at, random.pick(WORDS)),
            4 => words[at] = others[random.below(others.len())],
            5 => words.truncate(at + 1),
            _ => words[at] = random.pick(WORDS),
        }
    }
    let mut text = words.concat();
    if random.below(4) == 0 {
        text.push_str(";\n");
        text.push_str(other);
    }
    text
}

/// Every statement in its place, the rest of the pipeline behind it.
fn planned(schema: &Source, change: &Source, server: Server, policy: &Policy) -> Result<Plan> {
    for source in [schema, change] {
        let mut end = 0;
        for statement in input::read(source, server.dialect)? {
            let span = statement.text.span();
            assert!(end <= span.start && span.start < span.end, "{span:?} after {end}");
            assert_eq!(source.text.get(span.start..span.end), Some(statement.text.text));
            end = span.end;
        }
    }
    let (before, _) = server.catalog(std::slice::from_ref(schema))?;
    let intent = change::read(&server, &before, change, &[])?;
    plan::plan(server, &before, &intent, policy)
}

/// What is written can be cut again, and is what was meant as one statement.
fn can_be_read(plan: &Plan) {
    for step in plan.deploys.iter().flat_map(|deploy| &deploy.steps) {
        for ops in [&step.up, &step.down.ops] {
            for rendered in sql::render(&plan.server, step.unit, ops) {
                for statement in rendered.statements {
                    let source = Source::new("rendered", statement.text);
                    let read = input::read(&source, plan.server.dialect);
                    let read = read.unwrap_or_else(|error| panic!("{error}"));
                    assert_eq!(read.len(), 1, "{}", source.text);
                }
            }
        }
    }
}

fn rounds(usual: usize) -> usize {
    let asked = std::env::var_os("FUZZ_ROUNDS");
    asked.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(usual)
}

/// Says what it was that led to a panic.
fn survives(schema: &str, change: &str, server: &str, downtime: Downtime) -> bool {
    let work = || {
        let server = Server::parse(server).unwrap();
        let policy = Policy { downtime, ..Policy::default() };
        let (schema, change) =
            (Source::new("schema.sql", schema), Source::new("change.sql", change));
        match planned(&schema, &change, server, &policy) {
            Ok(plan) => {
                can_be_read(&plan);
                true
            }
            Err(error) => {
                assert!(error.kind() == ErrorKind::Refused, "{error}");
                assert!(!error.to_string().is_empty());
                false
            }
        }
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map_or("", String::as_str);
        panic!("{server}, {downtime:?}\nschema {schema:?}\nchange {change:?}\n{said}")
    })
}

#[test]
fn mutants_of_changes_are_planned_or_refused() {
    let mut random = Random::new(8_128);
    let seeds = statements_of(CHANGES);
    let mut done = 0;
    let rounds = rounds(4_000);
    for _ in 0..rounds {
        let one = &seeds[random.below(seeds.len())];
        let other = &seeds[random.below(seeds.len())];
        let change = mutant(&mut random, one, other);
        let server = random.pick(&SERVERS);
        let downtime = [Downtime::None, Downtime::Any][random.below(2)];
        done += usize::from(survives(SCHEMA, &change, server, downtime));
    }
    assert!(done * 50 > rounds, "only {done} of {rounds} mutants were planned");
}

#[test]
fn mutants_of_schemas_carry_a_change_or_do_not() {
    let mut random = Random::new(496);
    let changes = statements_of(CHANGES);
    for _ in 0..rounds(1_000) {
        let (dialect, fixture) = FEATURES[random.below(FEATURES.len())];
        let features = statements_of(fixture);
        let feature = &features[random.below(features.len())];
        let schema = mutant(&mut random, SCHEMA, feature);
        let server = match dialect {
            Dialect::Postgres => "postgres@15",
            Dialect::Sqlite => "sqlite@3.40",
            _ => "mysql@8.0",
        };
        let change = &changes[random.below(changes.len())];
        survives(&schema, change, server, Downtime::None);
        survives(SCHEMA, feature, server, Downtime::None);
    }
}
