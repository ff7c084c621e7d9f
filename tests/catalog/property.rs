//! A table written as SQL and replayed is the same table.

use std::fmt::Write as _;

use miggen::catalog::{
    Column, Constraint, ConstraintKind, Expr, Generated, Identity, Index, Key, Origin, Table,
    TableName, build,
};
use miggen::source::{Dialect, Source};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Names that need care: quotes, case, spaces, keywords, other scripts.
const NAMES: [&str; 12] = [
    "id",
    "email",
    "Full Name",
    "select",
    "key",
    "été",
    "a\"b",
    "a`b",
    "check",
    "x_1",
    "ORDER",
    "comment",
];

fn quoted(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::MySql | Dialect::MariaDb => format!("`{}`", name.replace('`', "``")),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn list(names: &[String], dialect: Dialect) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name, dialect)).collect();
    names.join(", ")
}

fn keys(keys: &[Key], dialect: Dialect) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|key| match key {
            Key::Column { name, rest } => {
                let rest = rest.as_deref().map_or_else(String::new, |rest| format!(" {rest}"));
                format!("{}{rest}", quoted(name, dialect))
            }
            Key::Expr(expr) => expr.0.clone(),
        })
        .collect();
    keys.join(", ")
}

fn with_options(text: String, options: Option<&String>) -> String {
    match options {
        Some(options) => format!("{text} {options}"),
        None => text,
    }
}

fn write(table: &Table) -> String {
    let dialect = table.dialect;
    let mysql = dialect == Dialect::MySql;
    let mut elements = Vec::new();
    for column in &table.columns {
        let mut text = format!("{} {}", quoted(&column.name, dialect), column.ty);
        if let Some(collation) = &column.collation {
            let _ = write!(text, " COLLATE {collation}");
        }
        if let Some(generated) = &column.generated {
            let stored = if generated.stored { "STORED" } else { "VIRTUAL" };
            let _ = write!(text, " GENERATED ALWAYS AS ({}) {stored}", generated.expr.0);
        }
        match &column.identity {
            Some(Identity::Generated(identity)) => {
                let _ = write!(text, " {identity}");
            }
            Some(Identity::AutoIncrement) => text.push_str(" AUTO_INCREMENT"),
            Some(Identity::Serial) | None => {}
        }
        if let Some(default) = &column.default {
            let _ = write!(text, " DEFAULT {}", default.0);
        }
        if column.not_null {
            text.push_str(" NOT NULL");
        }
        if let (Some(comment), true) = (&column.comment, mysql) {
            let _ = write!(text, " COMMENT '{}'", comment.replace('\'', "''"));
        }
        elements.push(text);
    }
    for constraint in &table.constraints {
        let name = constraint.name.as_deref().unwrap_or_default();
        let mut text = String::new();
        if !name.is_empty() {
            text = format!("CONSTRAINT {} ", quoted(name, dialect));
        }
        let body = match &constraint.kind {
            ConstraintKind::PrimaryKey(of) => format!("PRIMARY KEY ({})", keys(of, dialect)),
            ConstraintKind::Unique(of) => format!("UNIQUE ({})", keys(of, dialect)),
            ConstraintKind::Check(expr) => format!("CHECK ({})", expr.0),
            ConstraintKind::ForeignKey { columns, table: target, references, actions } => {
                with_options(
                    format!(
                        "FOREIGN KEY ({}) REFERENCES {} ({})",
                        list(columns, dialect),
                        quoted(&target.name, dialect),
                        list(references, dialect)
                    ),
                    actions.as_ref(),
                )
            }
            ConstraintKind::NotNull(_) | ConstraintKind::Exclude(_) => {
                unreachable!("not made here")
            }
        };
        text.push_str(&body);
        elements.push(with_options(text, constraint.options.as_ref()));
    }
    let mut script = format!(
        "CREATE TABLE {} (\n  {}\n)",
        quoted(&table.name.name, dialect),
        elements.join(",\n  ")
    );
    script = with_options(script, table.options.as_ref());
    script.push_str(";\n");
    for index in &table.indexes {
        script.push_str(&write_index(table, index));
    }
    if dialect == Dialect::Postgres {
        for column in &table.columns {
            if let Some(comment) = &column.comment {
                let _ = writeln!(
                    script,
                    "COMMENT ON COLUMN {}.{} IS '{}';",
                    quoted(&table.name.name, dialect),
                    quoted(&column.name, dialect),
                    comment.replace('\'', "''")
                );
            }
        }
    }
    script
}

fn write_index(table: &Table, index: &Index) -> String {
    let dialect = table.dialect;
    let unique = if index.unique { "UNIQUE " } else { "" };
    let method = match (&index.method, dialect) {
        (Some(method), Dialect::Postgres) => format!("USING {method} "),
        _ => String::new(),
    };
    let mut text = format!(
        "CREATE {unique}INDEX {} ON {} {method}({})",
        quoted(&index.name, dialect),
        quoted(&table.name.name, dialect),
        keys(&index.keys, dialect)
    );
    if !index.include.is_empty() {
        let _ = write!(text, " INCLUDE ({})", list(&index.include, dialect));
    }
    text = with_options(text, index.options.as_ref());
    if let Some(filter) = &index.filter {
        let _ = write!(text, " WHERE {}", filter.0);
    }
    text.push_str(";\n");
    text
}

fn types(dialect: Dialect) -> Vec<&'static str> {
    match dialect {
        Dialect::Postgres => vec![
            "int",
            "character varying(255)",
            "numeric(10,2)",
            "text[]",
            "timestamp(3) with time zone",
            "double precision",
            "s.\"My Type\"",
        ],
        Dialect::Sqlite => vec!["", "INTEGER", "UNSIGNED BIG INT", "VARCHAR(10,2)"],
        _ => {
            vec!["int(10) unsigned", "enum('a','it''s')", "double precision", "varchar(20)", "json"]
        }
    }
}

fn defaults(dialect: Dialect) -> Vec<&'static str> {
    match dialect {
        Dialect::Postgres => vec![
            "0",
            "-1.5",
            "'it''s'",
            "now()",
            "'{}'::text[]",
            "CURRENT_TIMESTAMP",
            "(now() AT TIME ZONE 'utc')::text",
            "CASE WHEN true THEN 1 ELSE 2 END",
            "$$a, b)$$",
        ],
        Dialect::Sqlite => vec!["0", "-1", "'x''y'", "CURRENT_TIMESTAMP", "(1 + 2)", "x'00'"],
        _ => vec!["0", "'a\\'b'", "CURRENT_TIMESTAMP(3)", "(uuid())", "b'0'", "TRUE"],
    }
}

fn column(name: &'static str, dialect: Dialect) -> impl Strategy<Value = Column> {
    let kind = 0..6_u8;
    (
        select(types(dialect)),
        any::<bool>(),
        proptest::option::of(select(defaults(dialect))),
        any::<bool>(),
        proptest::option::of(select(vec!["it's", "plain"])),
        kind,
    )
        .prop_map(move |(ty, not_null, default, collated, comment, kind)| {
            let mut column = Column {
                name: name.to_owned(),
                ty: ty.to_owned(),
                not_null,
                default: default.map(|default| Expr(default.to_owned())),
                collation: collated.then(|| "\"C\"".to_owned()),
                generated: None,
                identity: None,
                comment: comment.filter(|_| dialect != Dialect::Sqlite).map(str::to_owned),
                other: Vec::new(),
            };
            if dialect == Dialect::MySql {
                column.collation = collated.then(|| "utf8mb4_bin".to_owned());
            }
            if kind == 0 {
                column.default = None;
                column.generated =
                    Some(Generated { expr: Expr("1 + 2 * 3".to_owned()), stored: true });
            } else if kind == 1 && dialect == Dialect::Postgres {
                column.default = None;
                column.not_null = true;
                column.identity = Some(Identity::Generated(
                    "GENERATED BY DEFAULT AS IDENTITY (START WITH 5)".to_owned(),
                ));
            } else if kind == 1 && dialect == Dialect::MySql {
                column.default = None;
                column.not_null = true;
                column.identity = Some(Identity::AutoIncrement);
            }
            column
        })
}

fn plain_keys(columns: &[String]) -> Vec<Key> {
    columns.iter().map(|name| Key::Column { name: name.clone(), rest: None }).collect()
}

fn constraint(
    number: usize,
    columns: Vec<String>,
    dialect: Dialect,
) -> impl Strategy<Value = Constraint> {
    let count = columns.len();
    (subsequence(columns, 1..=count), 0..4_u8, any::<bool>()).prop_map(
        move |(columns, kind, optional)| {
            let mut options = None;
            let name = Some(format!("C {number}"));
            let kind = match kind {
                0 => {
                    options = (optional && dialect == Dialect::Postgres)
                        .then(|| "DEFERRABLE INITIALLY DEFERRED".to_owned());
                    ConstraintKind::Unique(plain_keys(&columns))
                }
                1 => ConstraintKind::Check(Expr(format!(
                    "{} IS NOT NULL OR (1, 2) = (1, 2)",
                    quoted(&columns[0], dialect)
                ))),
                _ => ConstraintKind::ForeignKey {
                    references: columns.clone(),
                    columns,
                    table: TableName::new("Other"),
                    actions: optional.then(|| "ON DELETE SET NULL ON UPDATE CASCADE".to_owned()),
                },
            };
            Constraint { name, named: true, kind, options, valid: true, comment: None }
        },
    )
}

fn index(number: usize, columns: Vec<String>, dialect: Dialect) -> impl Strategy<Value = Index> {
    let count = columns.len();
    (subsequence(columns, 1..=count), any::<bool>(), any::<bool>(), 0..5_u8).prop_map(
        move |(columns, unique, filtered, kind)| {
            let first = quoted(&columns[0], dialect);
            let mut index = Index {
                name: format!("i{number}"),
                keys: plain_keys(&columns),
                unique,
                method: None,
                include: Vec::new(),
                filter: None,
                options: None,
                comment: None,
                origin: Origin::default(),
            };
            if kind == 0 {
                index.keys = vec![Key::Expr(Expr(format!("(lower({first}))")))];
            } else if kind == 1 {
                index.keys =
                    vec![Key::Column { name: columns[0].clone(), rest: Some("DESC".to_owned()) }];
            }
            if filtered && dialect != Dialect::MySql {
                index.filter = Some(Expr(format!("{first} IS NOT NULL")));
            }
            if dialect == Dialect::Postgres && kind == 2 {
                // B-tree is the default, and no method.
                index.method = Some("gist".to_owned());
                index.include = columns;
                index.options = Some("WITH (fillfactor = 70)".to_owned());
            }
            index
        },
    )
}

fn table(dialect: Dialect) -> impl Strategy<Value = Table> {
    subsequence(NAMES.to_vec(), 1..NAMES.len())
        .prop_flat_map(move |names| {
            let owned: Vec<String> = names.iter().map(ToString::to_string).collect();
            let columns: Vec<_> = names.iter().map(|name| column(name, dialect)).collect();
            let constraints: Vec<_> =
                (0..3).map(|number| constraint(number, owned.clone(), dialect)).collect();
            let indexes: Vec<_> =
                (0..3).map(|number| index(number, owned.clone(), dialect)).collect();
            let key = subsequence(owned.clone(), 0..=owned.len());
            (select(NAMES.to_vec()), columns, constraints, indexes, key, 0..=3_usize, 0..=3_usize)
        })
        .prop_map(
            move |(
                name,
                columns,
                mut constraints,
                mut indexes,
                key,
                of_constraints,
                of_indexes,
            )| {
                constraints.truncate(of_constraints);
                indexes.truncate(of_indexes);
                let mut table = Table {
                    name: TableName::new(name),
                    dialect,
                    columns,
                    constraints,
                    indexes,
                    options: None,
                    partition_by: None,
                    partition_of: None,
                    comment: None,
                    partial: Vec::new(),
                    origin: Origin::default(),
                };
                if !key.is_empty() {
                    for column in &mut table.columns {
                        column.not_null |= dialect != Dialect::Sqlite && key.contains(&column.name);
                    }
                    let named = dialect != Dialect::MySql;
                    table.constraints.push(Constraint {
                        name: named.then(|| "The Key".to_owned()),
                        named,
                        kind: ConstraintKind::PrimaryKey(plain_keys(&key)),
                        options: None,
                        valid: true,
                        comment: None,
                    });
                }
                if dialect == Dialect::Postgres {
                    one_index_for_each_key(&mut table.constraints);
                }
                if dialect == Dialect::Sqlite && name == "id" {
                    table.options = Some("STRICT".to_owned());
                }
                table
            },
        )
}

/// PostgreSQL keeps one of two constraints over the same columns.
fn one_index_for_each_key(constraints: &mut Vec<Constraint>) {
    let mut seen: Vec<(Vec<Key>, Option<String>)> = Vec::new();
    constraints.sort_by_key(|constraint| !matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
    constraints.retain(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => {
            let key = (keys.clone(), constraint.options.clone());
            let new = !seen.contains(&key);
            seen.push(key);
            new
        }
        _ => true,
    });
}

/// What the text cannot say: where it stood. The order of constraints is the server's.
fn comparable(table: &Table) -> Table {
    let mut table = table.clone();
    table.origin = Origin::default();
    for index in &mut table.indexes {
        index.origin = Origin::default();
    }
    table.constraints.sort_by(|a, b| a.name.cmp(&b.name));
    table
}

fn survives(table: &Table) -> Result<(), TestCaseError> {
    let script = write(table);
    let other: Vec<String> =
        NAMES.iter().map(|name| format!("{} int", quoted(name, table.dialect))).collect();
    let other = format!("CREATE TABLE {} ({});", quoted("Other", table.dialect), other.join(", "));
    let sources = [Source::new("other.sql", other), Source::new("table.sql", script.as_str())];
    let (catalog, warnings) = build(&sources, table.dialect).expect("a catalog");
    prop_assert_eq!(&warnings, &Vec::<String>::new(), "{}", script);
    let mut replayed = comparable(catalog.table(&table.name).expect("the table"));
    // MySQL's own indexes for foreign keys are not in the text.
    replayed.indexes.retain(|index| table.index(&index.name).is_some());
    prop_assert_eq!(&replayed, &comparable(table), "{}", script);
    // Once more from what was replayed: nothing is lost on the way.
    prop_assert_eq!(write(&replayed), write(&comparable(table)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn postgres_tables(table in table(Dialect::Postgres)) {
        survives(&table)?;
    }

    #[test]
    fn mysql_tables(table in table(Dialect::MySql)) {
        survives(&table)?;
    }

    #[test]
    fn sqlite_tables(table in table(Dialect::Sqlite)) {
        survives(&table)?;
    }
}
