//! How names compare, and the names a server gives by itself.
//!
//! Enters: tables, columns, keys by name. Leaves: names. Must not know: where they are used.
//! PostgreSQL's rule was compared with several thousand names chosen by servers 10 to 18.

use crate::source::Dialect;

use super::expression_name::pg_expression_name;
use super::{ConstraintKind, Key};

/// Names are cut to so many bytes.
const POSTGRES_BYTES: usize = 63;

/// Whether two names of columns, indexes or constraints, as stored, are one to the server.
pub fn same(dialect: Dialect, one: &str, other: &str) -> bool {
    match dialect {
        Dialect::Postgres => one == other,
        Dialect::MySql | Dialect::MariaDb | Dialect::Sqlite => one.eq_ignore_ascii_case(other),
    }
}

/// The candidate one typing slip away, for a hint.
pub fn closest<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let most = 1 + name.chars().count() / 5;
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two names, case and underscores counting nothing.
fn distance(one: &str, other: &str) -> usize {
    let letters = |name: &str| -> Vec<char> {
        name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
    };
    let (one, other) = (letters(one), letters(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// `table_second_label`, the longer part cut until it fits; on a tie the second is cut.
pub fn pg_object_name(table: &str, second: Option<&str>, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(second.is_some());
    let available = POSTGRES_BYTES.saturating_sub(overhead);
    let mut first_length = table.len();
    let mut second_length = second.map_or(0, str::len);
    while first_length + second_length > available {
        if first_length > second_length {
            first_length -= 1;
        } else {
            second_length -= 1;
        }
    }
    let mut name = table[..table.floor_char_boundary(first_length)].to_owned();
    if let Some(second) = second {
        name.push('_');
        name.push_str(&second[..second.floor_char_boundary(second_length)]);
    }
    name.push('_');
    name.push_str(label);
    name
}

/// The first free name: `label`, `label1`, `label2` …
fn pg_free_name(
    table: &str,
    second: Option<&str>,
    label: &str,
    taken: &dyn Fn(&str) -> bool,
) -> String {
    let mut name = pg_object_name(table, second, label);
    let mut pass = 0;
    while taken(&name) {
        pass += 1;
        name = pg_object_name(table, second, &format!("{label}{pass}"));
    }
    name
}

/// Column names joined, up to the first that reaches 64 bytes.
fn pg_addition<'n>(columns: impl IntoIterator<Item = &'n str>) -> String {
    let mut addition = String::new();
    for column in columns {
        if !addition.is_empty() {
            addition.push('_');
        }
        addition.push_str(column);
        if addition.len() > POSTGRES_BYTES {
            break;
        }
    }
    addition
}

/// `taken` is asked for relations of the schema: tables, indexes, sequences, views.
pub fn pg_index_name(
    table: &str,
    keys: &[Key],
    include: &[String],
    taken: &dyn Fn(&str) -> bool,
) -> String {
    let mut columns: Vec<String> = Vec::new();
    let plain = include.iter().map(|name| name.as_str().to_owned());
    for wanted in keys.iter().map(pg_key_name).chain(plain) {
        let mut name = wanted.clone();
        let mut repeat = 0;
        while columns.contains(&name) {
            repeat += 1;
            let suffix = repeat.to_string();
            let room = wanted.floor_char_boundary(POSTGRES_BYTES - suffix.len());
            name = format!("{}{suffix}", &wanted[..room.min(wanted.len())]);
        }
        columns.push(name);
    }
    let addition = pg_addition(columns.iter().map(String::as_str));
    pg_free_name(table, Some(&addition), "idx", taken)
}

/// `columns` are the key's, the foreign key's, or those a CHECK names; `taken` is asked for
/// constraints of the schema, and for relations too where the constraint has an index.
pub fn pg_constraint_name(
    table: &str,
    kind: &ConstraintKind,
    check_columns: &[String],
    taken: &dyn Fn(&str) -> bool,
) -> String {
    let joined = |keys: &[Key]| {
        let names: Vec<String> = keys.iter().map(pg_key_name).collect();
        pg_addition(names.iter().map(String::as_str))
    };
    match kind {
        ConstraintKind::PrimaryKey(_) => pg_free_name(table, None, "pkey", taken),
        ConstraintKind::Unique(keys) => pg_free_name(table, Some(&joined(keys)), "key", taken),
        ConstraintKind::ForeignKey { columns, .. } => {
            let addition = pg_addition(columns.iter().map(String::as_str));
            pg_free_name(table, Some(&addition), "fkey", taken)
        }
        ConstraintKind::Check(_) => match check_columns {
            [column] => pg_free_name(table, Some(column), "check", taken),
            _ => pg_free_name(table, None, "check", taken),
        },
        ConstraintKind::NotNull(column) => pg_free_name(table, Some(column), "not_null", taken),
        ConstraintKind::Exclude(_) => {
            let addition = pg_addition(check_columns.iter().map(String::as_str));
            pg_free_name(table, Some(&addition), "excl", taken)
        }
    }
}

/// The sequence of a serial or identity column.
pub fn pg_sequence_name(table: &str, column: &str, taken: &dyn Fn(&str) -> bool) -> String {
    pg_free_name(table, Some(column), "seq", taken)
}

/// MySQL and MariaDB: the first column, then `_2`, `_3` …
pub fn mysql_index_name(keys: &[Key], taken: &dyn Fn(&str) -> bool) -> String {
    let base = keys.first().and_then(Key::column).unwrap_or("functional_index");
    let mut name = base.to_owned();
    let mut number = 1;
    while taken(&name) {
        number += 1;
        name = format!("{base}_{number}");
    }
    name
}

/// What PostgreSQL calls a key in the name of its index.
fn pg_key_name(key: &Key) -> String {
    match key {
        Key::Column { name, .. } => name.clone(),
        Key::Expr(expr) => pg_expression_name(&expr.0),
    }
}

/// Words that stand in quotes when they are names, in at least one dialect.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "add", "all", "alter", "analyze", "and", "any", "array", "as", "asc", "authorization", "before",
    "between", "both", "by", "call", "cascade", "case", "cast", "change", "check", "collate",
    "column", "concurrently", "condition", "constraint", "continue", "convert", "create", "cross",
    "current_date", "current_time", "current_timestamp", "current_user", "cursor", "database",
    "default", "deferrable", "delete", "desc", "describe", "distinct", "div", "do", "drop", "each",
    "else", "end", "except", "exists", "explain", "false", "fetch", "for", "force", "foreign",
    "freeze", "from", "full", "generated", "grant", "group", "groups", "having", "if", "ignore",
    "ilike", "in", "index", "initially", "inner", "insert", "intersect", "interval", "into", "is",
    "isnull", "join", "key", "keys", "kill", "lateral", "leading", "left", "like", "limit", "load",
    "localtime", "localtimestamp", "lock", "match", "mod", "natural", "not", "notnull", "null",
    "of", "offset", "on", "only", "optimize", "option", "or", "order", "outer", "over", "overlaps",
    "partition", "placing", "primary", "procedure", "range", "rank", "read", "recursive",
    "references", "regexp", "rename", "replace", "restrict", "return", "returning", "revoke",
    "right", "rlike", "row", "rows", "schema", "select", "session_user", "set", "show", "similar",
    "some", "sql", "symmetric", "system", "table", "tablesample", "then", "to", "trailing",
    "transaction", "trigger", "true", "undo", "union", "unique", "unlock", "update", "usage", "use",
    "user", "using", "values", "variadic", "verbose", "when", "where", "while", "window", "with",
    "write", "xor",
];

/// Whether the name must stand in quotes to mean itself.
pub fn needs_quotes(name: &str, dialect: Dialect) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || byte == b'_'
            || (dialect != Dialect::Postgres && byte.is_ascii_uppercase())
    };
    name.is_empty()
        || name.as_bytes()[0].is_ascii_digit()
        || !name.bytes().all(plain)
        || RESERVED.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

/// The name as it stands inside an expression.
pub(super) fn in_expression(name: &str, dialect: Dialect) -> String {
    if !needs_quotes(name, dialect) {
        return name.to_owned();
    }
    match dialect {
        Dialect::MySql | Dialect::MariaDb => format!("`{}`", name.replace('`', "``")),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::Expr(super::super::Expr(text.to_owned()))
    }

    fn free(_: &str) -> bool {
        false
    }

    #[test]
    fn the_longer_part_is_cut_and_the_second_on_a_tie() {
        let (long, short) = ("t".repeat(63), "c".repeat(20));
        assert_eq!(
            pg_object_name(&long, Some(&short), "key"),
            format!("{}_{short}_key", "t".repeat(38))
        );
        assert_eq!(
            pg_object_name(&long, Some(&"c".repeat(63)), "fkey"),
            format!("{}_{}_fkey", "t".repeat(29), "c".repeat(28))
        );
        let name = pg_object_name(&"é".repeat(30), Some(&"é".repeat(30)), "idx");
        assert_eq!(name, format!("{}_{}_idx", "é".repeat(14), "é".repeat(14)));
    }

    #[test]
    fn a_taken_name_gets_a_number_in_its_label() {
        let taken = |name: &str| matches!(name, "t_a_seq" | "t_a_seq1");
        assert_eq!(pg_sequence_name("t", "a", &taken), "t_a_seq2");
    }

    #[test]
    fn keys_that_are_expressions_have_names_of_their_own() {
        for (expression, name) in [
            ("lower(email) text_pattern_ops DESC", "lower"),
            ("s.f(a, b)", "f"),
            ("(a::varchar)", "a"),
            ("((a))", "a"),
            ("(\"Full Name\" COLLATE \"C\")", "Full Name"),
            ("cast(a AS text)", "a"),
            ("((data -> 'y')::int)", "int4"),
            ("((a::text || 'x')::varchar)", "varchar"),
            ("(a || b)", "expr"),
            ("(a IS NULL)", "expr"),
            ("(NOT (a IS NULL))", "expr"),
            ("(CASE WHEN a THEN 1 END)", "case"),
            ("(a AT TIME ZONE 'utc')", "timezone"),
            ("coalesce(a, b)", "coalesce"),
        ] {
            assert_eq!(
                pg_index_name("t", &[key(expression)], &[], &free),
                format!("t_{name}_idx"),
                "{expression}"
            );
        }
        assert_eq!(
            pg_index_name("t", &[key("upper(a)"), key("upper(b)")], &["c".to_owned()], &free),
            "t_upper_upper1_c_idx"
        );
        let deep = format!("{}a{}", "(".repeat(10_000), "::int)".repeat(10_000));
        assert_eq!(pg_index_name("t", &[key(&deep)], &[], &free), "t_a_idx");
    }

    #[test]
    fn reserved_words_are_found() {
        assert!(RESERVED.is_sorted());
        for name in ["order", "Order", "a b", "1a", "", "é"] {
            assert!(needs_quotes(name, Dialect::Postgres), "{name}");
        }
        assert!(needs_quotes("Name", Dialect::Postgres));
        assert!(!needs_quotes("Name", Dialect::Sqlite));
        assert!(!needs_quotes("name_1", Dialect::Postgres));
    }

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let columns = ["full_name", "email", "id"];
        assert_eq!(closest("fullname", columns), Some("full_name"));
        assert_eq!(closest("emial", columns), Some("email"));
        assert_eq!(closest("Email", columns), Some("email"));
        assert_eq!(closest("created_at", columns), None);
    }
}
