//! Statements that are recognised and kept as text.
//!
//! Enters: a parser at the first word. Leaves: what it is called, what it is about, and whether it
//! may change the schema unseen. Must not know: anything behind the names.

use std::borrow::Cow;

use crate::source::Dialect;

use super::ast::{Name, Opaque};
use super::hidden::may_define;
use super::objects::mysql_modifier;
use super::parser::Parser;
use super::tokens::TokenKind;

/// First words every dialect knows.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "VALUES", "BEGIN",
    "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ANALYZE", "EXPLAIN",
];

#[rustfmt::skip]
const POSTGRES: &[&str] = &[
    "COMMENT", "GRANT", "REVOKE", "SET", "RESET", "SHOW", "DO", "COPY", "TRUNCATE", "LOCK",
    "VACUUM", "CLUSTER", "REPACK", "REINDEX", "REFRESH", "START", "END", "ABORT", "PREPARE",
    "EXECUTE", "DEALLOCATE", "CALL", "DECLARE", "FETCH", "MOVE", "CLOSE", "LISTEN", "NOTIFY",
    "UNLISTEN", "DISCARD", "LOAD", "CHECKPOINT", "REASSIGN", "SECURITY", "IMPORT", "MERGE", "TABLE",
];

#[rustfmt::skip]
const MYSQL: &[&str] = &[
    "RENAME", "REPLACE", "SET", "USE", "LOCK", "UNLOCK", "TRUNCATE", "GRANT", "REVOKE", "PREPARE",
    "EXECUTE", "DEALLOCATE", "CALL", "DO", "HANDLER", "LOAD", "SHOW", "DESCRIBE", "DESC",
    "OPTIMIZE", "CHECK", "REPAIR", "CHECKSUM", "FLUSH", "RESET", "PURGE", "CHANGE", "START", "STOP",
    "XA", "INSTALL", "UNINSTALL", "KILL", "CACHE", "TABLE", "SIGNAL", "GET", "IMPORT", "BACKUP",
    "SHUTDOWN", "RESTART", "END",
];

const SQLITE: &[&str] = &["PRAGMA", "REPLACE", "ATTACH", "DETACH", "VACUUM", "REINDEX", "END"];

pub(super) fn opaque<'a>(parser: &Parser<'a, '_>) -> Opaque<'a> {
    let mut parser = parser.clone();
    let known = is_known(&parser);
    let first = parser.keyword();
    let mut opaque = Opaque {
        kind: Cow::Owned(parser.word(0).to_ascii_uppercase()),
        object: None,
        on: None,
        may_hide_ddl: false,
        unknown: !known,
    };
    if !known {
        if opaque.kind.is_empty() {
            opaque.kind = Cow::Borrowed(parser.slice(0, 1).text);
        }
        return opaque;
    }
    match first.as_str() {
        "CREATE" | "ALTER" | "DROP" => definition(&mut parser, &mut opaque),
        "COMMENT" => {
            parser.accept(&["COMMENT", "ON"]);
            let what = what(&mut parser);
            opaque.unknown = what.is_none();
            opaque.kind = Cow::Owned(format!("COMMENT ON {}", what.unwrap_or_default()));
            opaque.object = parser.name();
            if parser.accept(&["ON"]) {
                parser.accept(&["DOMAIN"]);
                opaque.on = parser.name();
            }
        }
        "DO" => opaque.may_hide_ddl = parser.postgres(),
        "PREPARE" | "EXECUTE" => opaque.may_hide_ddl = true,
        "CALL" => {
            opaque.may_hide_ddl = true;
            parser.at += 1;
            opaque.object = parser.name();
        }
        "SELECT" => opaque.may_hide_ddl = select_hides(&parser),
        "WITH" => {
            if let Some(verb) = main_verb(&parser) {
                opaque.kind = Cow::Borrowed(verb);
                while !parser.done() && !parser.is(verb) {
                    parser.skip();
                }
                opaque.may_hide_ddl = verb == "SELECT" && select_hides(&parser);
                opaque.object = written_table(&mut parser);
            }
        }
        "BEGIN" => opaque.may_hide_ddl = parser.are(&["BEGIN", "NOT", "ATOMIC"]),
        "GRANT" | "REVOKE" => opaque.object = granted_table(&mut parser),
        _ => opaque.object = written_table(&mut parser),
    }
    opaque
}

fn is_known(parser: &Parser<'_, '_>) -> bool {
    let own = match parser.dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::MySql | Dialect::MariaDb => MYSQL,
        Dialect::Sqlite => SQLITE,
    };
    parser.is_any(COMMON) || parser.is_any(own) || parser.is_group()
}

/// The verb a WITH belongs to.
pub(super) fn main_verb(parser: &Parser<'_, '_>) -> Option<&'static str> {
    let mut ahead = parser.clone();
    if !ahead.accept(&["WITH"]) {
        return None;
    }
    ahead.accept(&["RECURSIVE"]);
    // The names in front of AS may be verbs too.
    ahead.ident()?;
    while !ahead.done() {
        if ahead.accept_kind(TokenKind::Comma) {
            ahead.ident()?;
        } else if let Some(verb) = ahead
            .accept_any(&["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES"])
        {
            return Some(verb);
        } else {
            ahead.skip();
        }
    }
    None
}

/// Kinds of objects, longest words first.
#[rustfmt::skip]
const OBJECTS: &[&[&str]] = &[
    &["FOREIGN", "DATA", "WRAPPER"], &["TEXT", "SEARCH", "CONFIGURATION"],
    &["TEXT", "SEARCH", "DICTIONARY"], &["TEXT", "SEARCH", "PARSER"],
    &["TEXT", "SEARCH", "TEMPLATE"], &["SPATIAL", "REFERENCE", "SYSTEM"], &["MATERIALIZED", "VIEW"],
    &["EVENT", "TRIGGER"], &["OPERATOR", "CLASS"], &["OPERATOR", "FAMILY"], &["ACCESS", "METHOD"],
    &["USER", "MAPPING"], &["DEFAULT", "PRIVILEGES"], &["LARGE", "OBJECT"], &["FOREIGN", "TABLE"],
    &["RESOURCE", "GROUP"], &["LOGFILE", "GROUP"], &["PACKAGE", "BODY"], &["FUNCTION"],
    &["PROCEDURE"], &["ROUTINE"], &["AGGREGATE"], &["OPERATOR"], &["RULE"], &["POLICY"],
    &["EXTENSION"], &["SCHEMA"], &["DATABASE"], &["TYPE"], &["DOMAIN"], &["CAST"], &["COLLATION"],
    &["CONVERSION"], &["STATISTICS"], &["PUBLICATION"], &["SUBSCRIPTION"], &["EVENT"], &["USER"],
    &["ROLE"], &["GROUP"], &["SERVER"], &["TABLESPACE"], &["LANGUAGE"], &["TRANSFORM"],
    &["PACKAGE"], &["SEQUENCE"], &["INDEX"], &["VIEW"], &["TRIGGER"], &["TABLE"], &["COLUMN"],
    &["CONSTRAINT"], &["SYSTEM"], &["INSTANCE"], &["UNDO"], &["OWNED"], &["PREPARE"],
];

/// Steps over the words that say what kind of object this is about.
fn what(parser: &mut Parser<'_, '_>) -> Option<String> {
    let words = OBJECTS.iter().find(|words| parser.are(words))?;
    parser.at += words.len();
    Some(words.join(" "))
}

#[rustfmt::skip]
const MODIFIERS: &[&str] = &[
    "TEMPORARY", "TEMP", "GLOBAL", "LOCAL", "UNLOGGED", "RECURSIVE", "CONSTRAINT", "UNIQUE",
    "TRUSTED", "PROCEDURAL", "ONLINE", "OFFLINE", "IGNORE", "VIRTUAL",
];

/// CREATE, ALTER, DROP.
fn definition<'a>(parser: &mut Parser<'a, '_>, opaque: &mut Opaque<'a>) {
    parser.at += 1;
    let mut temporary = false;
    loop {
        if parser.is_any(&["TEMPORARY", "TEMP"]) {
            temporary = true;
        }
        if !parser.accept(&["OR", "REPLACE"])
            && parser.accept_any(MODIFIERS).is_none()
            && !(parser.mysql() && mysql_modifier(parser))
        {
            break;
        }
    }
    let Some(what) = what(parser) else {
        opaque.unknown = true;
        return;
    };
    let kind = opaque.kind.to_mut();
    if temporary && what == "TABLE" {
        kind.push_str(" TEMPORARY");
    }
    kind.push(' ');
    kind.push_str(&what);
    if !parser.accept(&["IF", "NOT", "EXISTS"]) {
        parser.accept(&["IF", "EXISTS"]);
    }
    if matches!(what.as_str(), "CAST" | "DEFAULT PRIVILEGES" | "USER MAPPING" | "TRANSFORM") {
        return;
    }
    opaque.object = parser.name();
    // `CREATE SCHEMA s CREATE TABLE …`.
    opaque.may_hide_ddl = what == "SCHEMA" && parser.has_words(&["CREATE"]);
    if matches!(what.as_str(), "POLICY" | "RULE" | "STATISTICS" | "TRIGGER") {
        let table = if what == "RULE" && opaque.kind.starts_with("CREATE") {
            "TO"
        } else if what == "STATISTICS" {
            "FROM"
        } else {
            "ON"
        };
        while !parser.done() && !parser.accept(&[table]) {
            parser.skip();
        }
        opaque.on = parser.name();
    }
}

/// The table a statement writes to or works on.
fn written_table<'a>(parser: &mut Parser<'a, '_>) -> Option<Name<'a>> {
    let behind: &[&str] = match parser.keyword().as_str() {
        "INSERT" | "REPLACE" | "MERGE" => &[
            "OR",
            "IGNORE",
            "REPLACE",
            "ABORT",
            "FAIL",
            "ROLLBACK",
            "LOW_PRIORITY",
            "DELAYED",
            "HIGH_PRIORITY",
            "INTO",
            "OVERWRITE",
        ],
        "UPDATE" => {
            &["OR", "IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK", "LOW_PRIORITY", "ONLY"]
        }
        "DELETE" => &["LOW_PRIORITY", "QUICK", "IGNORE", "FROM", "ONLY"],
        "TRUNCATE" => &["TABLE", "ONLY"],
        "COPY" | "HANDLER" => &[],
        "LOCK" | "OPTIMIZE" | "REPAIR" | "CHECK" | "CHECKSUM" => &["TABLE", "TABLES", "ONLY"],
        "ANALYZE" => &["TABLE", "VERBOSE"],
        "VACUUM" => &["FULL", "FREEZE", "VERBOSE", "ANALYZE"],
        "CLUSTER" | "REPACK" => &["VERBOSE", "CONCURRENTLY"],
        "REINDEX" => &["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM", "CONCURRENTLY"],
        "REFRESH" => &["MATERIALIZED", "VIEW", "CONCURRENTLY"],
        _ => return None,
    };
    let mysql_delete = parser.mysql() && parser.is("DELETE");
    parser.at += 1;
    parser.group();
    while parser.accept_any_word(behind) {}
    // `DELETE t FROM t JOIN …` and `VACUUM INTO 'x'` name no table here.
    if parser.is("INTO") {
        return None;
    }
    let name = parser.name()?;
    if mysql_delete && parser.is("FROM") {
        parser.at += 1;
        return parser.name();
    }
    Some(name)
}

/// `GRANT … ON [TABLE] t`.
fn granted_table<'a>(parser: &mut Parser<'a, '_>) -> Option<Name<'a>> {
    while !parser.done() && !parser.accept(&["ON"]) {
        parser.skip();
    }
    parser.accept(&["TABLE"]);
    let other = [
        "ALL",
        "SCHEMA",
        "SEQUENCE",
        "FUNCTION",
        "PROCEDURE",
        "ROUTINE",
        "DATABASE",
        "TYPE",
        "DOMAIN",
        "LANGUAGE",
        "TABLESPACE",
        "FOREIGN",
        "LARGE",
        "PARAMETER",
    ];
    if parser.is_any(&other) && !parser.is_word(1, "TO") && !parser.is_word(1, "FROM") {
        return None;
    }
    parser.name()
}

/// A SELECT that creates a table or calls a function that might.
fn select_hides(parser: &Parser<'_, '_>) -> bool {
    if !parser.postgres() {
        return false;
    }
    let mut top = parser.clone();
    while !top.done() {
        if top.is("INTO") {
            return true;
        }
        top.skip();
    }
    (parser.at..parser.end).any(|at| {
        let call = parser.within(at, parser.end);
        match call.kind(0) {
            Some(TokenKind::Word) => {
                call.kind(1) == Some(TokenKind::Open)
                    && call.opens_parenthesis(1)
                    && may_define(call.word(0))
            }
            Some(TokenKind::Quoted) => call.opens_parenthesis(1),
            _ => false,
        }
    })
}
