//! Changes of a column's type that the server carries out in its catalog alone, and those whose
//! values depend on who computes them.
//!
//! Enters: two types as written. Leaves: yes or no; what is not known to be free is not. Source:
//! manual, ALTER TABLE, and relfilenodes of running servers, 12 to 18, for every row.

use std::ops::RangeInclusive;

use super::{Dialect, Server};

/// Whether `=` and IS DISTINCT FROM take two values of the type.
pub fn has_equality(server: &Server, ty: &str) -> bool {
    let without = ["json", "xml", "point", "polygon", "path", "line"];
    server.dialect != Dialect::Postgres
        || !without.iter().any(|known| first_word(ty).eq_ignore_ascii_case(known))
}

/// Whether they tell apart any two values of a column that are not the same text: `citext` and NOCASE do
/// not know `A` from `a`.
pub fn tells_apart(server: &Server, ty: &str, collation: Option<&str>) -> bool {
    let exact = match server.dialect {
        Dialect::Postgres => !first_word(ty).eq_ignore_ascii_case("citext"),
        _ => collation.is_none_or(|name| name.trim_matches('"').eq_ignore_ascii_case("BINARY")),
    };
    exact && has_equality(server, ty)
}

fn first_word(ty: &str) -> &str {
    ty.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("")
}

/// A type: its name in one word, and the numbers in its parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Type {
    name: &'static str,
    numbers: Vec<u32>,
}

/// Names that mean the same.
const NAMES: &[(&str, &str)] = &[
    ("character varying", "varchar"),
    ("varchar", "varchar"),
    ("text", "text"),
    ("numeric", "numeric"),
    ("decimal", "numeric"),
    ("timestamp", "timestamp"),
    ("timestamp without time zone", "timestamp"),
    ("timestamptz", "timestamptz"),
    ("timestamp with time zone", "timestamptz"),
    ("time", "time"),
    ("time without time zone", "time"),
    ("interval", "interval"),
    ("bit varying", "varbit"),
    ("varbit", "varbit"),
    ("cidr", "cidr"),
    ("inet", "inet"),
];

/// No row is read, no index is built again.
pub fn is_free(server: &Server, from: &str, to: &str) -> bool {
    if server.dialect != Dialect::Postgres {
        return false;
    }
    let (Some(from), Some(to)) = (read(from), read(to)) else {
        return false;
    };
    let wider = match (from.numbers.as_slice(), to.numbers.as_slice()) {
        (_, []) => true,
        ([a], [b]) => a <= b,
        ([p, s], [q, t]) => p <= q && s == t,
        // numeric(p) is numeric(p, 0).
        ([p], [q, 0]) => p <= q,
        ([p, 0], [q]) => p <= q,
        _ => false,
    };
    match (from.name, to.name) {
        ("varchar", "text") | ("cidr", "inet") => true,
        ("text", "varchar") => to.numbers.is_empty(),
        (a, b) => a == b && wider,
    }
}

/// The numbers that an integer type holds, serial ones included.
pub fn integer_range(ty: &str) -> Option<RangeInclusive<i64>> {
    let bits = match ty.to_ascii_lowercase().trim_start_matches("pg_catalog.") {
        "smallint" | "int2" | "smallserial" | "serial2" => 16,
        "integer" | "int" | "int4" | "serial" | "serial4" => 32,
        "bigint" | "int8" | "bigserial" | "serial8" => 64,
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

/// The expression as one of the type, which an assignment would make of it by itself. Without the
/// type's length: a cast would cut off, and an assignment refuses.
pub fn typed(dialect: Dialect, text: &str, ty: &str) -> String {
    let lower = ty.to_ascii_lowercase();
    let base = match (lower.split_once('('), lower.rsplit_once(')')) {
        (Some((name, _)), Some((_, rest))) => format!("{}{rest}", name.trim_end()),
        _ => lower.clone(),
    };
    let quoted = text.starts_with('\'') && text.ends_with('\'') && text.matches('\'').count() == 2;
    let number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let truth = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    let its_own = match base.as_str() {
        "text" | "varchar" | "character varying" => quoted,
        "boolean" | "bool" => truth,
        _ => number && integer_range(&base).is_some(),
    };
    if its_own || dialect != Dialect::Postgres {
        text.to_owned()
    } else if lower.contains('(') {
        format!("CAST({text} AS {base})")
    } else {
        format!("CAST({text} AS {ty})")
    }
}

/// Whether a cast to the type never fails: any value has a text.
pub fn takes_anything(ty: &str) -> bool {
    let lower = ty.trim().to_ascii_lowercase();
    let name = lower.split('(').next().unwrap_or_default().trim_end();
    matches!(name, "text" | "varchar" | "character varying" | "char" | "character")
}

/// A cast between them takes the time zone of whoever's session computes it.
pub fn asks_the_session(server: &Server, from: &str, to: &str) -> bool {
    let zoned = |ty: &str| read(ty).is_some_and(|ty| ty.name == "timestamptz");
    server.dialect == Dialect::Postgres && zoned(from) != zoned(to)
}

fn read(text: &str) -> Option<Type> {
    let lower = text.trim().to_ascii_lowercase();
    let lower = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
    let (name, numbers) = match (lower.find('('), lower.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers: Option<Vec<u32>> =
                lower[open + 1..close].split(',').map(|n| n.trim().parse().ok()).collect();
            (format!("{}{}", lower[..open].trim_end(), &lower[close + 1..]), numbers?)
        }
        (None, None) => (lower.to_owned(), Vec::new()),
        _ => return None,
    };
    let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = NAMES.iter().find(|(written, _)| *written == words)?;
    Some(Type { name: known.1, numbers })
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
