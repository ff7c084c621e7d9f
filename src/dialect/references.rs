//! Which types a foreign key takes for one another.
//!
//! Enters: two types as written. Leaves: whether a column of the one may point to one of the other.
//! Source: a key between any two of them, made on 12, 15 and 18 (`tests/engine/test_facts.py`).

use super::Dialect;
use super::types::Type;

/// Each with those that it may point to beside itself. Of others nothing is known.
const REFERENCES: &[(&str, &[&str])] = &[
    ("smallint", &["integer", "bigint", "numeric", "real", "double precision", "oid"]),
    ("integer", &["smallint", "bigint", "numeric", "real", "double precision", "oid"]),
    ("bigint", &["smallint", "integer", "numeric", "real", "double precision", "oid"]),
    ("numeric", &["real", "double precision"]),
    ("real", &["double precision"]),
    ("double precision", &["real"]),
    ("text", &["varchar", "character", "name"]),
    ("varchar", &["text", "character", "name"]),
    ("character", &["text", "varchar", "name"]),
    ("uuid", &[]),
    ("boolean", &[]),
    ("date", &["timestamp", "timestamptz"]),
    ("time", &["timetz", "interval"]),
    ("timetz", &[]),
    ("timestamp", &["date", "timestamptz"]),
    ("timestamptz", &["date", "timestamp"]),
    ("interval", &[]),
    ("bytea", &[]),
    ("inet", &["cidr"]),
    ("cidr", &["inet"]),
    ("jsonb", &[]),
    ("money", &[]),
];

/// `false` where the server refuses the key; SQLite refuses none.
pub fn can_reference(dialect: Dialect, from: &str, to: &str) -> bool {
    let (from, to) = (Type::read(from).name, Type::read(to).name);
    let of = |name: &str| REFERENCES.iter().find(|(own, _)| *own == name);
    match (of(&from), of(&to)) {
        (Some((_, others)), Some(_)) if dialect == Dialect::Postgres => {
            from == to || others.contains(&to.as_str())
        }
        _ => true,
    }
}
