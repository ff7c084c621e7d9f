//! What a type's text says: names that mean the same, numbers in parentheses.
//!
//! Enters: a type as written. Leaves: one name, lower case. Source: manual, Data Types, table 8.1.

use super::Dialect;

/// `timestamp(3) with time zone` is `timestamptz` and 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    pub name: String,
    /// What stands in the parentheses, where that is numbers.
    pub numbers: Vec<u32>,
}

/// Names that mean the same; a serial one holds what its integer holds.
const NAMES: &[(&str, &str)] = &[
    ("int2", "smallint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
    ("int", "integer"),
    ("int4", "integer"),
    ("serial", "integer"),
    ("serial4", "integer"),
    ("int8", "bigint"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("bool", "boolean"),
    ("char", "character"),
    ("bpchar", "character"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("decimal", "numeric"),
    ("timestamp without time zone", "timestamp"),
    ("timestamp with time zone", "timestamptz"),
    ("time without time zone", "time"),
    ("time with time zone", "timetz"),
    ("bit varying", "varbit"),
];

impl Type {
    pub fn read(text: &str) -> Type {
        let lower = text.trim().to_ascii_lowercase();
        let lower = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
        let (name, numbers) = match (lower.find('('), lower.find(')')) {
            (Some(open), Some(close)) if open < close => {
                let numbers = lower[open + 1..close].split(',').map(|n| n.trim().parse().ok());
                let name = format!("{} {}", &lower[..open], &lower[close + 1..]);
                (name, numbers.collect::<Option<_>>().unwrap_or_default())
            }
            _ => (lower.to_owned(), Vec::new()),
        };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = NAMES.iter().find(|(written, _)| *written == name);
        Type { name: known.map_or(name, |(_, one)| (*one).to_owned()), numbers }
    }

    /// What an array is of, or the type itself.
    pub fn element(&self) -> &str {
        self.name.split('[').next().unwrap_or_default().trim_end()
    }

    pub fn is_text(&self) -> bool {
        matches!(self.name.as_str(), "text" | "varchar" | "character")
    }
}

/// PostgreSQL's types by the first word they are written with, and its aliases.
const BUILT_IN: &[&str] = &[
    "bigint",
    "bit",
    "bool",
    "boolean",
    "box",
    "bpchar",
    "bytea",
    "char",
    "character",
    "cidr",
    "circle",
    "date",
    "daterange",
    "decimal",
    "double",
    "float",
    "float4",
    "float8",
    "inet",
    "int",
    "int2",
    "int4",
    "int4range",
    "int8",
    "int8range",
    "integer",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "numrange",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsquery",
    "tsrange",
    "tstzrange",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
    "xml",
];

/// None of them is a domain.
const OF_EXTENSIONS: &[&str] =
    &["citext", "geography", "geometry", "halfvec", "hstore", "ltree", "vector"];

/// Whether a type that begins so is the server's own, or of an extension that is known.
pub fn is_known(first_word: &str) -> bool {
    BUILT_IN.contains(&first_word) || OF_EXTENSIONS.contains(&first_word)
}

/// Found whatever the search path is.
pub fn is_built_in(ty: &str) -> bool {
    BUILT_IN.contains(&first_word(ty).as_str())
}

pub fn first_word(ty: &str) -> String {
    ty.trim_start_matches("pg_catalog.")
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Types whose values compare as if they were of one.
pub fn compare_alike(dialect: Dialect, one: &str, other: &str) -> bool {
    let family = |ty| if dialect == Dialect::Sqlite { affinity(ty) } else { family(ty) };
    family(one) == family(other)
}

fn family(ty: &str) -> String {
    let Type { name, .. } = Type::read(ty);
    match name.as_str() {
        "smallint" | "bigint" => "integer".into(),
        "varchar" => "text".into(),
        _ => name,
    }
}

/// Source: SQLite, Datatypes, 3.1.
pub(super) fn affinity(ty: &str) -> String {
    let ty = ty.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| ty.contains(word));
    match () {
        () if has(&["int"]) => "integer",
        () if has(&["char", "clob", "text"]) => "text",
        () if ty.is_empty() || has(&["blob"]) => "blob",
        () if has(&["real", "floa", "doub"]) => "real",
        () => "numeric",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_all_ways_to_write_it() {
        for (text, name, numbers) in [
            ("TIMESTAMP (3)  WITH TIME ZONE", "timestamptz", vec![3]),
            ("numeric(10, 2)", "numeric", vec![10, 2]),
            ("pg_catalog.int4", "integer", vec![]),
            ("geometry(Point, 4326)", "geometry", vec![]),
            ("mood", "mood", vec![]),
        ] {
            assert_eq!(Type::read(text), Type { name: name.into(), numbers });
        }
        assert!(compare_alike(Dialect::Postgres, "varchar(9)", "text"));
        assert!(compare_alike(Dialect::Sqlite, "bigint", "INTEGER"));
        assert!(!compare_alike(Dialect::Postgres, "timestamp", "timestamptz"));
    }
}
