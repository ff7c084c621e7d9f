//! `SET search_path`: where the names behind it are.
//!
//! Enters: a parser at the first word of a statement. Leaves: the schema that names without one are of,
//! where the statement says it. Must not know: which tables there are.

use super::parser::Parser;
use super::tokens::TokenKind;

/// The schema behind the statement, `schema` being that before it; `None` is the usual one. The first of
/// the path is where new things go, and an empty path leaves nothing but whole names.
pub(super) fn follow(schema: Option<String>, parser: &Parser<'_, '_>) -> Option<String> {
    let mut parser = parser.clone();
    if parser.accept(&["RESET"]) {
        return schema.filter(|_| parser.accept_any(&["SEARCH_PATH", "ALL"]).is_none());
    }
    if !parser.accept(&["SET"]) {
        return schema;
    }
    parser.accept_any(&["SESSION", "LOCAL"]);
    if !parser.accept(&["SEARCH_PATH"]) {
        return schema;
    }
    if !parser.accept(&["TO"]) {
        parser.at += 1;
    }
    if parser.is("DEFAULT") {
        return None;
    }
    loop {
        let name = match parser.kind(0) {
            Some(TokenKind::Text) => parser.string()?.into_owned(),
            _ => parser.ident()?.name.into_owned(),
        };
        match name.as_str() {
            "$user" if parser.accept_kind(TokenKind::Comma) => {}
            "$user" | "" | "public" | "pg_catalog" => return None,
            _ => return Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::input::read;
    use crate::source::{Dialect, Source};

    #[test]
    fn the_first_schema_is_where_bare_names_are() {
        for (set, schema) in [
            ("SET search_path TO app", Some("app")),
            ("SET LOCAL search_path = 'App', public", Some("App")),
            ("set session SEARCH_PATH to \"$user\", \"My App\"", Some("My App")),
            ("SET search_path = app, pg_catalog", Some("app")),
            ("SET search_path = public, app", None),
            ("SET search_path = ''", None),
            ("SET search_path TO app; SET search_path TO DEFAULT", None),
            ("SET search_path TO app; RESET search_path", None),
            ("SET search_path TO app; SET lock_timeout = 1", Some("app")),
            ("SELECT pg_catalog.set_config('search_path', 'app', false)", None),
        ] {
            let source = Source::new("x", format!("{set}; CREATE TABLE t (id int)"));
            let statements = read(&source, Dialect::Postgres).unwrap();
            assert_eq!(statements.last().unwrap().schema.as_deref(), schema, "{set}");
        }
    }
}
