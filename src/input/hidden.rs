//! What code that a statement runs may do to the schema: `DO`, `CALL`, `SELECT f()`.
//!
//! Enters: the text of the statement, or of a function that it calls. Leaves: a [`Code`]. Must not
//! know: which functions there are.

use std::collections::BTreeSet;

use crate::source::Dialect;

use super::text::lex;
use super::tokens::{Token, TokenKind};
use super::{literal, mentions};

/// What was found by a scan of words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// It holds a statement that defines something.
    pub defines: bool,
    /// It runs text that it makes, or is in a language that is not read.
    pub is_dynamic: bool,
    /// It asks the server which tables there are.
    pub lists_tables: bool,
    /// Functions that it calls, the server's own left out.
    pub calls: BTreeSet<String>,
    /// Every word in it, of its literals as well.
    pub words: BTreeSet<String>,
}

/// Functions of PostgreSQL that change no schema and stand in real migrations; any other function
/// may hide DDL.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "set_config", "current_setting", "setval", "nextval", "currval", "lastval", "count", "sum",
    "min", "max", "avg", "coalesce", "nullif", "greatest", "least", "now", "clock_timestamp",
    "lower", "upper", "length", "concat", "concat_ws", "format", "substr", "substring", "replace",
    "trim", "btrim", "ltrim", "rtrim", "left", "right", "split_part", "array_agg", "string_agg",
    "unnest", "generate_series", "exists", "row_number", "to_char", "to_date", "to_timestamp",
    "to_json", "to_jsonb", "to_regclass", "to_regtype", "date_trunc", "date_part", "extract", "age",
    "cast", "md5", "random", "round", "floor", "ceil", "abs", "mod", "bool_and", "bool_or",
    "gen_random_uuid", "uuid_generate_v4", "version", "jsonb_build_object", "json_build_object",
    "jsonb_agg", "json_agg", "quote_ident", "quote_literal", "array_length", "cardinality",
    "array_to_string", "string_to_array", "regexp_replace", "position", "current_database",
    "current_schema", "has_table_privilege", "get_byte", "tidsend", "aclexplode", "array",
];

/// Words that stand in front of a parenthesis without being a function.
#[rustfmt::skip]
const NOT_CALLS: &[&str] = &[
    "AS", "IN", "ANY", "ALL", "SOME", "FROM", "WHERE", "AND", "OR", "NOT", "ON", "USING", "SELECT",
    "VALUES", "OVER", "FILTER", "BY", "HAVING", "UNION", "EXCEPT", "INTERSECT", "JOIN", "LATERAL",
    "THEN", "ELSE", "WHEN", "CASE", "LIMIT", "OFFSET", "DISTINCT", "ROW", "MATERIALIZED", "GROUP",
    "NUMERIC", "VARCHAR", "CHAR", "DECIMAL", "WITHIN", "BETWEEN", "LIKE", "IS", "RETURNING",
    "RETURN", "PERFORM",
];

/// Whether a name that stands before a parenthesis may be a function that changes the schema.
pub(super) fn may_define(name: &str) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    let own = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("pg_"));
    !own && !is(NOT_CALLS) && !is(HARMLESS)
}

/// Where the server says which tables there are.
const LISTS: &[&str] =
    &["information_schema", "pg_class", "pg_tables", "pg_attribute", "pg_namespace", "pg_inherits"];

/// Of a whole statement: `DO …`, `CALL …`, `SELECT …`, `CREATE FUNCTION …`.
pub fn code(text: &str, dialect: Dialect) -> Code {
    let tokens = lex(text, dialect).unwrap_or_default();
    let mut code = Code::default();
    let word = |at: usize| tokens.get(at).map_or("", |token: &Token| &text[token.range()]);
    let says = |one: &str| {
        tokens.iter().any(|token| {
            token.kind == TokenKind::Word && text[token.range()].eq_ignore_ascii_case(one)
        })
    };
    let first = word(0).to_ascii_uppercase();
    code.words.extend(mentions::columns_mentioned(text, dialect));
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Text) {
        code.add_words_of(&literal::string(&text[token.range()], dialect));
    }
    match first.as_str() {
        "CREATE" if word(1).eq_ignore_ascii_case("SCHEMA") => code.defines = true,
        "CREATE" => {
            // The server runs no DDL in these.
            if says("IMMUTABLE") || says("STABLE") {
                return Code { words: code.words, ..Code::default() };
            }
            code.is_dynamic = !says("sql") && !says("plpgsql");
            code.bodies(text, &tokens, dialect, says("plpgsql"));
        }
        "DO" => {
            code.is_dynamic = says("LANGUAGE") && !says("plpgsql");
            if !is_own(text) {
                code.bodies(text, &tokens, dialect, true);
            }
        }
        "SELECT" | "WITH" | "CALL" | "PREPARE" => {
            code.calls_in(text, &tokens, dialect);
            let into = (0..tokens.len()).find(|at| word(*at).eq_ignore_ascii_case("INTO"));
            if let Some(into) = into {
                code.defines = true;
                if code.calls.is_empty() {
                    code.words = BTreeSet::from([word(into + 1).to_owned()]);
                }
            }
        }
        // Was made by PREPARE, which takes no DDL.
        "EXECUTE" if dialect == Dialect::Postgres => {}
        _ => code.is_dynamic = true,
    }
    code.lists_tables = LISTS.iter().any(|list| code.words.contains(*list));
    code
}

impl Code {
    /// Adds what a function does that this code calls.
    pub fn include(&mut self, called: Code) {
        self.defines |= called.defines;
        self.is_dynamic |= called.is_dynamic;
        self.lists_tables |= called.lists_tables;
        self.calls.extend(called.calls);
        self.words.extend(called.words);
    }

    pub fn changes_schema(&self) -> bool {
        self.defines || self.is_dynamic
    }

    fn add_words_of(&mut self, text: &str) {
        let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        self.words.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
    }

    /// The code in the literals of a statement that makes or runs it.
    fn bodies(&mut self, text: &str, tokens: &[Token], dialect: Dialect, is_plpgsql: bool) {
        for (at, token) in tokens.iter().enumerate() {
            let raw = &text[token.range()];
            let before = at.checked_sub(1).map_or("", |at| &text[tokens[at].range()]);
            let is_body = raw.starts_with('$')
                || ["AS", "DO", "plpgsql"].iter().any(|word| before.eq_ignore_ascii_case(word));
            if token.kind == TokenKind::Text && is_body {
                let body = literal::string(raw, dialect);
                match lex(&body, dialect) {
                    Some(tokens) => self.body(&body, &tokens, dialect, is_plpgsql),
                    None => self.is_dynamic = true,
                }
            }
        }
    }

    /// Statement by statement, as far as words tell them apart. What a statement about rows calls
    /// computes values, as it does outside of code.
    fn body(&mut self, text: &str, tokens: &[Token], dialect: Dialect, is_plpgsql: bool) {
        let word = |at: usize| tokens.get(at).map_or("", |token: &Token| &text[token.range()]);
        let is = |at: usize, words: &[&str]| {
            tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word)
                && words.iter().any(|one| word(at).eq_ignore_ascii_case(one))
        };
        let behind_dot = |at: usize| at > 0 && word(at - 1) == ".";
        let mut start = 0;
        for at in 0..=tokens.len() {
            let ends = at == tokens.len()
                || word(at) == ";"
                || is_plpgsql && is(at, &["BEGIN", "THEN", "ELSE", "LOOP"]);
            if ends {
                self.statement(text, &tokens[start..at], dialect);
                start = at + 1;
                continue;
            }
            if behind_dot(at) {
                continue;
            }
            let temporary = is(at, &["CREATE"]) && is(at + 1, &["TEMP", "TEMPORARY"]);
            let on_commit = at > 0 && is(at - 1, &["COMMIT"]);
            let index = is(at, &["DROP"]) && is(at + 1, &["INDEX"]);
            self.defines |=
                is(at, &["CREATE", "ALTER", "DROP"]) && !temporary && !on_commit && !index;
            self.is_dynamic |=
                is(at, &["EXECUTE"]) && !is(at + 1, &["FUNCTION", "PROCEDURE", "ON"]);
        }
    }

    /// Calls by PERFORM, CALL, an assignment, or in what a SELECT gives.
    fn statement(&mut self, text: &str, tokens: &[Token], dialect: Dialect) {
        let word = |token: &Token| text[token.range()].to_ascii_uppercase();
        let runs = match tokens.first().map(word).as_deref() {
            Some("PERFORM" | "CALL") => tokens.len(),
            Some("SELECT") => {
                tokens.iter().position(|token| word(token) == "FROM").unwrap_or(tokens.len())
            }
            Some(_) if tokens.windows(2).any(|pair| word(&pair[0]) + &word(&pair[1]) == ":=") => {
                tokens.len()
            }
            _ => 0,
        };
        self.calls_in(text, &tokens[..runs], dialect);
    }

    fn calls_in(&mut self, text: &str, tokens: &[Token], dialect: Dialect) {
        let raw = |at: usize| tokens.get(at).map_or("", |token: &Token| &text[token.range()]);
        for (at, token) in tokens.iter().enumerate() {
            let name = match token.kind {
                _ if raw(at + 1) != "(" => continue,
                TokenKind::Word if may_define(raw(at)) => literal::bare_name(raw(at), dialect),
                TokenKind::Quoted => literal::quoted_name(raw(at), dialect),
                _ => continue,
            };
            let of_server = at > 1 && raw(at - 1) == "." && raw(at - 2) == "pg_catalog";
            let is_alias = at > 0 && raw(at - 1).eq_ignore_ascii_case("AS");
            if !of_server && !is_alias {
                self.calls.insert(name.into_owned());
            }
        }
    }
}

/// Blocks of miggen's own migrations that run DDL: what they change is a table's owner or grants, an
/// identity that passes on, or what the same rollout says beside.
fn is_own(text: &str) -> bool {
    [
        ("$lock$", "FOR v_try IN 1..30 LOOP"),
        ("$invalid$", "AND NOT indisvalid"),
        ("$identity$", "v_grants text[] := ARRAY("),
        ("$owner$", "EXECUTE v_statement;"),
        ("$grants$", "EXECUTE v_statement;"),
    ]
    .iter()
    .any(|(tag, line)| text.contains(tag) && text.contains(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Code {
        code(text, Dialect::Postgres)
    }

    #[test]
    fn code_without_ddl_changes_no_schema() {
        for text in [
            "DO $$ BEGIN UPDATE t SET a = f(b); PERFORM pg_sleep(1); COMMIT; END $$",
            "DO $$ BEGIN IF EXISTS (SELECT FROM t WHERE g(a)) THEN RAISE EXCEPTION 'drop it'; END IF; END $$",
            "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM t WHERE f(a); n := least(n, 1); END $$",
            "DO $$ BEGIN CREATE TEMP TABLE x (a int) ON COMMIT DROP; END $$",
            "CREATE FUNCTION f() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM g(); END $$",
            "SELECT pg_catalog.set_config('search_path', '', false), pg_stat_reset()",
        ] {
            let code = of(text);
            assert!(!code.changes_schema() && code.calls.is_empty(), "{text}\n{code:?}");
        }
    }

    #[test]
    fn ddl_text_that_is_run_and_calls_are_found() {
        for (text, defines, is_dynamic, calls) in [
            ("DO $$ BEGIN ALTER TABLE t ADD COLUMN a int; END $$", true, false, ""),
            ("DO 'BEGIN DROP TABLE t; END'", true, false, ""),
            ("DO LANGUAGE plpgsql 'BEGIN DROP TABLE t; END'", true, false, ""),
            ("DO $$ BEGIN EXECUTE format('x %s', 1); END $$", false, true, ""),
            ("DO $$ BEGIN PERFORM s.f('t'); x := g(1); END $$", false, false, "f g"),
            ("DO LANGUAGE plperl $$ spi() $$", false, true, ""),
            ("SELECT f('t')", false, false, "f"),
            ("SELECT a INTO u FROM t", true, false, ""),
            ("CREATE SCHEMA s CREATE TABLE t (a int)", true, false, ""),
            ("PREPARE p AS SELECT f()", false, false, "f"),
            ("EXECUTE p", false, false, ""),
            (
                "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT g(); DROP TABLE t'",
                true,
                false,
                "g",
            ),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib'", false, true, ""),
            ("\\i more.sql", false, true, ""),
        ] {
            let code = of(text);
            let called: Vec<&str> = code.calls.iter().map(String::as_str).collect();
            assert_eq!(
                (code.defines, code.is_dynamic, called.join(" ").as_str()),
                (defines, is_dynamic, calls),
                "{text}"
            );
        }
    }

    #[test]
    fn words_of_literals_are_words() {
        let words = of("SELECT f('app.t'); ").words;
        assert!(words.contains("app") && words.contains("t"), "{words:?}");
        assert!(!of("SELECT a INTO u FROM t").words.contains("t"));
    }
}
