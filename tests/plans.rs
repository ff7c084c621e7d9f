//! Any schema, any change of the kinds miggen plans: a plan that holds in memory, or a refusal.
//!
//! Planning proves itself: ups arrive at the wanted schema, downs return. A plan that does not would
//! come back as an error of kind `Bug`, which no input may cause.

use miggen::change;
use miggen::dialect::{Dialect, Server, quote};
use miggen::error::ErrorKind;
use miggen::input::{self, ast::Kind};
use miggen::plan::{self, Downtime, Policy};
use miggen::source::Source;
use proptest::prelude::*;

#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Column {
    name: String,
    ty: &'static str,
    not_null: bool,
    default: bool,
    index: bool,
    unique: bool,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,12}",
        Just("order".to_owned()),
        Just("Select".to_owned()),
        "[A-Za-z][A-Za-z0-9 'é%$:\"]{0,10}[a-z]",
        Just("a_name_that_is_so_long_that_what_is_derived_from_it_has_to_be_cut_off".to_owned()),
    ]
}

fn column() -> impl Strategy<Value = Column> {
    let ty = prop_oneof![Just("text"), Just("integer"), Just("boolean"), Just("varchar(40)")];
    (name(), ty, any::<[bool; 4]>()).prop_map(|(name, ty, [not_null, default, index, unique])| {
        Column { name, ty, not_null, default, index, unique }
    })
}

fn default_of(ty: &str) -> &'static str {
    match ty {
        "integer" => "7",
        "boolean" => "false",
        _ => "'it''s'",
    }
}

/// `t` with a key and the columns; names that the server would take for the same are left out.
fn schema(dialect: Dialect, columns: &[Column]) -> (String, Vec<Column>) {
    let mut kept: Vec<Column> = Vec::new();
    for column in columns {
        let same = |other: &str| other.eq_ignore_ascii_case(&column.name);
        if !same("id") && !same("brand_new") && !kept.iter().any(|other| same(&other.name)) {
            kept.push(column.clone());
        }
    }
    let mut text = "CREATE TABLE t (id integer PRIMARY KEY".to_owned();
    let mut indexes = String::new();
    for (at, column) in kept.iter().enumerate() {
        let name = quote::ident(dialect, &column.name);
        text.push_str(&format!(", {name} {}", column.ty));
        if column.not_null {
            text.push_str(" NOT NULL");
        }
        if column.default {
            text.push_str(&format!(" DEFAULT {}", default_of(column.ty)));
        }
        if column.unique && !column.index {
            text.push_str(" UNIQUE");
        }
        if column.index {
            let unique = if column.unique { "UNIQUE " } else { "" };
            indexes.push_str(&format!("CREATE {unique}INDEX idx_{at} ON t ({name});\n"));
        }
    }
    (format!("{text});\n{indexes}"), kept)
}

fn change_of(kind: u8, dialect: Dialect, columns: &[Column], extra: &Column) -> Option<String> {
    let first = columns.first()?;
    let old = quote::ident(dialect, &first.name);
    let new = "brand_new";
    let not_null = if extra.not_null { " NOT NULL" } else { "" };
    let default =
        if extra.default { format!(" DEFAULT {}", default_of(extra.ty)) } else { String::new() };
    Some(match kind {
        0 => format!("ALTER TABLE t RENAME COLUMN {old} TO {new}"),
        1 => format!("ALTER TABLE t ADD COLUMN {new} {}{not_null}{default}", extra.ty),
        2 => format!(
            "ALTER TABLE t ADD COLUMN {new} text{not_null}; UPDATE t SET {new} = lower({old})"
        ),
        3 => format!("ALTER TABLE t ADD COLUMN {new} text UNIQUE CHECK ({new} <> '') DEFAULT 'x'"),
        4 => format!("CREATE UNIQUE INDEX one_more ON t ({old}) WHERE {old} IS NOT NULL"),
        5 => format!("UPDATE t SET {old} = {} WHERE {old} IS NULL", default_of(first.ty)),
        _ => {
            format!("ALTER TABLE t ADD COLUMN {new} timestamp{not_null} DEFAULT CURRENT_TIMESTAMP")
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_holds_or_is_refused(
        columns in prop::collection::vec(column(), 1..5),
        extra in column(),
        kind in 0_u8..7,
        server in prop_oneof![
            Just("postgres@12"), Just("postgres@18"), Just("sqlite@3.26"), Just("sqlite@3.40")
        ],
        downtime in prop_oneof![Just(Downtime::None), Just(Downtime::Minutes(5))],
    ) {
        let server = Server::parse(server).unwrap();
        let (text, kept) = schema(server.dialect, &columns);
        let Some(sql) = change_of(kind, server.dialect, &kept, &extra) else { return Ok(()) };
        let (before, warnings) = server.catalog(&[Source::new("schema.sql", &*text)]).unwrap();
        prop_assert!(warnings.is_empty(), "{text}\n{warnings:?}");
        let planned = change::read(&server, &before, &Source::new("change.sql", &*sql), &[]).and_then(|intent| {
            let policy = Policy { downtime, ..Policy::default() };
            plan::plan(server, &before, &intent, &policy)
        });
        match planned {
            Ok(plan) => {
                prop_assert!(!plan.deploys.is_empty());
                for step in plan.deploys.iter().flat_map(|deploy| &deploy.steps) {
                    prop_assert!(!step.title.is_empty());
                    prop_assert!(!step.up.is_empty());
                    // Without a way back there is at least a reason.
                    prop_assert!(!step.down.ops.is_empty() || step.down.note.is_some(), "{}", step.title);
                }
            }
            Err(error) => prop_assert!(error.kind() != ErrorKind::Bug, "{text}\n{sql}\n{error}"),
        }
    }

    #[test]
    fn a_quoted_name_is_read_back_as_it_was(name in "[^\\x00]{1,30}") {
        for dialect in [Dialect::Postgres, Dialect::Sqlite, Dialect::MySql] {
            let text = format!("DROP TABLE {}", quote::ident(dialect, &name));
            let source = Source::new("quoted", text);
            let statements = input::read(&source, dialect).unwrap();
            prop_assert_eq!(statements.len(), 1);
            let Kind::DropTable(drop) = &statements[0].kind else {
                return Err(TestCaseError::fail(format!("{:?}", statements[0].kind)));
            };
            // PostgreSQL cuts names at 63 bytes, on a character.
            let mut end = name.len().min(if dialect == Dialect::Postgres { 63 } else { name.len() });
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            prop_assert_eq!(&drop.names[0].name.name, &name[..end]);
        }
    }
}
