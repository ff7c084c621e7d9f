//! Words that a server takes as a name in quotes only.
//!
//! Source: `pg_get_keywords()`, categories R and T, on PostgreSQL 18 (older ones lack
//! `system_user`); SQLite 3.40, which was asked to create a column of each keyword's name.

use super::Dialect;

const POSTGRES: &str = "\
    all analyse analyze and any array as asc asymmetric authorization binary both case cast \
    check collate collation column concurrently constraint create cross current_catalog \
    current_date current_role current_schema current_time current_timestamp current_user default \
    deferrable desc distinct do else end except false fetch for foreign freeze from full grant \
    group having ilike in initially inner intersect into is isnull join lateral leading left \
    like limit localtime localtimestamp natural not notnull null offset on only or order outer \
    overlaps placing primary references returning right select session_user similar some \
    symmetric system_user table tablesample then to trailing true union unique user using variadic verbose \
    when where window with";

const SQLITE: &str = "\
    add all alter and as autoincrement between case check collate commit constraint create \
    default deferrable delete distinct drop else escape except exists foreign from group having \
    in index insert intersect into is isnull join limit not nothing notnull null on or order \
    primary references returning select set table then to transaction union unique update using \
    values when where";

/// Whether the word, as written, cannot be a name.
pub fn is_reserved(dialect: Dialect, word: &str) -> bool {
    let words = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
        // Not planned for.
        Dialect::MySql | Dialect::MariaDb => "",
    };
    words.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::quote;

    #[test]
    fn what_is_reserved_is_quoted() {
        for (dialect, words) in [(Dialect::Postgres, POSTGRES), (Dialect::Sqlite, SQLITE)] {
            for word in words.split_whitespace() {
                assert_eq!(quote::ident(dialect, word), format!("\"{word}\""));
            }
        }
    }

    #[test]
    fn each_server_has_its_own() {
        assert!(is_reserved(Dialect::Postgres, "User") && !is_reserved(Dialect::Sqlite, "user"));
        assert!(is_reserved(Dialect::Sqlite, "index") && !is_reserved(Dialect::Postgres, "index"));
    }
}
