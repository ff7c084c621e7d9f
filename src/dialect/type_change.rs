//! Changes of a column's type that the server carries out in its catalog alone, and those whose
//! values depend on who computes them.
//!
//! Enters: two types as written. Leaves: yes or no; what is not known to be free is not. Source:
//! manual, ALTER TABLE, and relfilenodes of running servers, 12 to 18, for every row.

use std::ops::RangeInclusive;

use super::types::{Type, affinity};
use super::{Dialect, Server};

/// Those of which it is known when a change is free.
const KNOWN: &[&str] = &[
    "varchar",
    "text",
    "numeric",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
    "varbit",
    "cidr",
    "inet",
];

/// Whether `=` and IS DISTINCT FROM take two values of the type.
pub fn has_equality(server: &Server, ty: &str) -> bool {
    let without = ["json", "xml", "point", "polygon", "path", "line"];
    server.dialect != Dialect::Postgres || !without.contains(&Type::read(ty).element())
}

/// Whether they tell apart any two values of a column that are not the same text: `citext` and NOCASE do
/// not know `A` from `a`.
pub fn tells_apart(server: &Server, ty: &str, collation: Option<&str>) -> bool {
    let exact = match server.dialect {
        Dialect::Postgres => Type::read(ty).element() != "citext",
        _ => collation.is_none_or(|name| name.trim_matches('"').eq_ignore_ascii_case("BINARY")),
    };
    exact && has_equality(server, ty)
}

/// Types of which two equal values are the same one, where their collation does not say otherwise.
const EXACT: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "boolean",
    "text",
    "varchar",
    "character",
    "bytea",
    "uuid",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "inet",
    "cidr",
    "macaddr",
    "oid",
    "name",
    "bit",
    "varbit",
];

/// Whether two equal values are the same: `1.5` and `1.50` are not, nor two boxes of one area.
pub fn is_exact(server: &Server, ty: &str) -> bool {
    server.dialect != Dialect::Postgres || EXACT.contains(&Type::read(ty).element())
}

/// SQLite stores what looks like a number as one in a column of the second type, and not in one of
/// the first. Source: datatype3.html, "Type Affinity".
pub fn reads_numbers(from: &str, to: &str) -> bool {
    affinity(from) == "text" && !["text", "blob"].contains(&affinity(to).as_str())
}

const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];
const TEXTS: &[&str] = &["text", "varchar"];
const TIMES: &[&str] = &["date", "timestamp", "timestamptz"];

/// Whether the server casts by itself where a column gets the type: anything to text, numbers to
/// numbers, times to times. Source: `pg_cast`, contexts `i` and `a`.
pub fn is_assigned(from: &str, to: &str) -> bool {
    Type::read(to).is_text() || are_both(from, to, &[NUMBERS, TIMES])
}

/// Whether it does not for sure: who made a type may have made a cast.
pub fn is_never_assigned(from: &str, to: &str) -> bool {
    const OTHERS: &[&str] =
        &["boolean", "bytea", "date", "inet", "interval", "json", "jsonb", "time", "uuid"];
    let name = Type::read(to).name;
    let is_known = OTHERS.contains(&name.as_str()) || NUMBERS.contains(&name.as_str());
    is_known && !is_assigned(from, to)
}

/// Whether conditions and expressions of a column mean the same of both types.
pub fn computes_alike(from: &str, to: &str) -> bool {
    are_both(from, to, &[NUMBERS, TEXTS])
}

fn are_both(from: &str, to: &str, groups: &[&[&str]]) -> bool {
    let (from, to) = (Type::read(from), Type::read(to));
    let (from, to) = (from.element(), to.element());
    from == to || groups.iter().any(|group| group.contains(&from) && group.contains(&to))
}

/// No row is read, no index is built again.
pub fn is_free(server: &Server, from: &str, to: &str) -> bool {
    if server.dialect != Dialect::Postgres {
        return false;
    }
    let (from, to) = (Type::read(from), Type::read(to));
    if ![&from, &to].iter().all(|ty| KNOWN.contains(&ty.name.as_str())) {
        return false;
    }
    let wider = match (from.numbers.as_slice(), to.numbers.as_slice()) {
        (_, []) => true,
        ([a], [b]) => a <= b,
        ([p, s], [q, t]) => p <= q && s == t,
        // numeric(p) is numeric(p, 0).
        ([p], [q, 0]) => p <= q,
        ([p, 0], [q]) => p <= q,
        _ => false,
    };
    match (from.name.as_str(), to.name.as_str()) {
        ("varchar", "text") | ("cidr", "inet") => true,
        ("text", "varchar") => to.numbers.is_empty(),
        (a, b) => a == b && wider,
    }
}

/// The numbers that an integer type holds, serial ones included.
pub fn integer_range(ty: &str) -> Option<RangeInclusive<i64>> {
    let bits = match Type::read(ty).name.as_str() {
        "smallint" => 16,
        "integer" => 32,
        "bigint" => 64,
        _ => return None,
    };
    Some(i64::MIN >> (64 - bits)..=i64::MAX >> (64 - bits))
}

/// Whether `to` is known to hold every value of `from`.
pub fn holds_all(from: &str, to: &str) -> bool {
    match (integer_range(from), integer_range(to)) {
        (Some(from), Some(to)) => to.contains(from.start()) && to.contains(from.end()),
        _ => to.trim().eq_ignore_ascii_case("text"),
    }
}

/// Whether a cast to the type never fails: any value has a text.
pub fn takes_anything(ty: &str) -> bool {
    Type::read(ty).is_text()
}

/// Texts that become such values come back written another way, whatever they were.
pub fn writes_its_own_way(from: &str, to: &str) -> bool {
    Type::read(from).is_text() && matches!(Type::read(to).name.as_str(), "jsonb" | "inet")
}

/// A cast between them takes the time zone of whoever's session computes it.
pub fn asks_the_session(server: &Server, from: &str, to: &str) -> bool {
    let zoned = |ty: &str| Type::read(ty).name == "timestamptz";
    server.dialect == Dialect::Postgres && zoned(from) != zoned(to)
}

/// A moment of one type in the other, in UTC: PostgreSQL knows zones of `timestamp` and `timestamptz` alone.
pub fn at_utc(column: &str, from: &str, to: &str) -> String {
    let [from, to] = [from, to].map(|ty| Type::read(ty).name);
    match (from.as_str(), to.as_str()) {
        ("timestamp", _) | (_, "timestamp") => format!("{column} AT TIME ZONE 'UTC'"),
        ("timestamptz", other) => format!("({column} AT TIME ZONE 'UTC')::{other}"),
        _ => format!("{column}::timestamp AT TIME ZONE 'UTC'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(from: &str, to: &str) -> bool {
        is_free(&Server::parse("postgres@15").unwrap(), from, to)
    }

    #[test]
    fn growth_is_free_and_narrowing_is_not() {
        for (from, to) in [
            ("varchar(50)", "varchar(100)"),
            ("varchar(50)", "character varying"),
            ("character varying(50)", "text"),
            ("text", "varchar"),
            ("numeric(10,2)", "numeric(12, 2)"),
            ("decimal(10,2)", "numeric"),
            ("timestamp(3)", "timestamp"),
            ("timestamp(3) with time zone", "timestamptz(6)"),
            ("bit varying(8)", "varbit(16)"),
            ("cidr", "inet"),
        ] {
            assert!(free(from, to), "{from} to {to}");
            let same = to == "varchar";
            assert!(!free(to, from) || same, "{to} to {from}");
        }
    }

    #[test]
    fn a_time_zone_comes_from_the_session() {
        let asks = |from, to| asks_the_session(&Server::parse("postgres@15").unwrap(), from, to);
        assert!(asks("timestamp", "timestamp(3) with time zone"));
        assert!(asks("timestamptz", "date"));
        assert!(!asks("timestamptz", "timestamptz(3)"));
        assert!(!asks("timestamp", "text"));
    }

    #[test]
    fn integers_hold_so_many() {
        assert_eq!(integer_range("smallserial"), Some(-32_768..=32_767));
        assert_eq!(integer_range("INTEGER"), Some(-2_147_483_648..=2_147_483_647));
        assert_eq!(integer_range("bigint"), Some(i64::MIN..=i64::MAX));
        assert_eq!(integer_range("numeric"), None);
        assert!(takes_anything("character varying(9)") && !takes_anything("integer"));
    }

    #[test]
    fn what_is_not_known_is_not_free() {
        for (from, to) in [
            ("int", "bigint"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("timestamp", "timestamptz"),
            ("char(10)", "varchar(20)"),
            ("text", "varchar(10)"),
            ("mood", "text"),
            ("text[]", "varchar[]"),
        ] {
            assert!(!free(from, to), "{from} to {to}");
        }
    }
}
