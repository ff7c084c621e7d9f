//! `CREATE TABLE` in all dialects.
//!
//! Enters: a parser behind `CREATE …TABLE`. Leaves: a [`CreateTable`]; an element that is not
//! understood is kept in `unknown` and the rest is read all the same. Must not know: the catalog.

use crate::source::Dialect;

use super::ast::{CreateTable, Name};
use super::column::column;
use super::constraint::{begins_constraint, mysql_index, table_constraint};
use super::parser::Parser;
use super::tokens::TokenKind;

/// What stood in front of TABLE.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Modifiers {
    pub(super) or_replace: bool,
    pub(super) temporary: bool,
}

pub(super) fn create_table<'a>(
    parser: &mut Parser<'a, '_>,
    modifiers: Modifiers,
) -> Option<CreateTable<'a>> {
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let mut table = empty(parser.name()?);
    table.or_replace = modifiers.or_replace;
    table.temporary = modifiers.temporary;
    table.if_not_exists = if_not_exists;
    // Columns that repeat their parent's have no type of their own.
    let mut typed = !parser.sqlite();
    if parser.accept(&["PARTITION", "OF"]) {
        table.partition_of = Some(parser.name()?);
        typed = false;
    } else if parser.postgres() && parser.accept(&["OF"]) {
        parser.name()?;
        table.partial = true;
        typed = false;
    } else if parser.mysql() && parser.is("LIKE") {
        table.partial = true;
        table.options = parser.rest();
        return Some(table);
    }
    let only_names = create_as_follows(parser);
    if let Some(inside) = parser.group() {
        if only_names {
            table.partial = true;
        } else if parser.mysql() && inside.is("LIKE") {
            let mut inside = inside;
            table.partial = true;
            table.options = inside.rest();
            return parser.done().then_some(table);
        } else {
            elements(inside, typed, &mut table);
        }
    } else if table.partition_of.is_none() && !table.partial && !parser.is("AS") {
        // A table without columns in parentheses is filled by a query.
        if !parser.is_any(&["SELECT", "WITH", "USING"]) && !parser.mysql() {
            return None;
        }
        table.partial = true;
    }
    tail(parser, &mut table);
    Some(table)
}

fn empty(name: Name<'_>) -> CreateTable<'_> {
    CreateTable {
        name,
        or_replace: false,
        if_not_exists: false,
        temporary: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        partition_by: None,
        partition_of: None,
        options: None,
        unknown: Vec::new(),
        partial: false,
    }
}

/// SQLite's `CREATE VIRTUAL TABLE`: the module decides what the columns are.
pub(super) fn create_virtual_table<'a>(parser: &mut Parser<'a, '_>) -> Option<CreateTable<'a>> {
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let mut table = empty(parser.name()?);
    table.if_not_exists = if_not_exists;
    table.partial = true;
    if !parser.is("USING") {
        return None;
    }
    table.options = parser.rest();
    Some(table)
}

/// `CREATE TABLE t (a, b) AS SELECT`: the parentheses hold names alone.
fn create_as_follows(parser: &Parser<'_, '_>) -> bool {
    let mut ahead = parser.clone();
    !parser.mysql() && ahead.group().is_some() && ahead.is("AS")
}

fn elements<'a>(mut inside: Parser<'a, '_>, typed: bool, table: &mut CreateTable<'a>) {
    let trailing_comma = inside.ends_in_comma();
    while let Some(mut element) = inside.element() {
        let from = element.at;
        if !one_element(&mut element, typed, table) {
            table.unknown.push(element.slice(from, element.end));
        }
    }
    if trailing_comma {
        table.unknown.push(inside.slice(inside.end - 1, inside.end));
    }
}

/// Adds what the element says to the table; false if it was not understood.
fn one_element<'a>(element: &mut Parser<'a, '_>, typed: bool, table: &mut CreateTable<'a>) -> bool {
    if begins_constraint(element) {
        // SQLite does not ask for commas between constraints.
        while begins_constraint(element) {
            let Some(constraint) = table_constraint(element) else {
                return false;
            };
            table.constraints.push(constraint);
            if !element.sqlite() {
                break;
            }
        }
        return element.done();
    }
    let copies = element.postgres() && element.is("LIKE");
    let period = element.mysql() && element.are(&["PERIOD", "FOR"]);
    if copies || period {
        table.partial = true;
        return false;
    }
    if element.mysql() && begins_mysql_index(element) {
        let Some(index) = mysql_index(element, &table.name) else {
            return false;
        };
        table.indexes.push(index);
        return element.done();
    }
    match column(element) {
        Some(column) if column.ty.is_some() || !typed => {
            table.columns.push(column);
            true
        }
        _ => false,
    }
}

fn begins_mysql_index(parser: &Parser<'_, '_>) -> bool {
    parser.is_any(&["KEY", "INDEX", "FULLTEXT", "SPATIAL"])
        || parser.are(&["VECTOR", "INDEX"])
        || parser.are(&["VECTOR", "KEY"])
}

/// What follows the parentheses: the partitioning apart, the rest as it stands.
fn tail<'a>(parser: &mut Parser<'a, '_>, table: &mut CreateTable<'a>) {
    let from = parser.at;
    table_options(parser, table);
    table.options = parser.slice_if(from, parser.at);
    if parser.are(&["PARTITION", "BY"]) {
        let from = parser.at;
        if parser.postgres() {
            parser.at += 2;
            parser.ident();
            parser.group();
        } else {
            // MySQL's partitions end the statement, but for a query.
            parser.skip_past_commas_until(&["AS", "SELECT", "IGNORE", "REPLACE"]);
        }
        table.partition_by = Some(parser.slice(from, parser.at));
        if table.options.is_none() {
            let from = parser.at;
            table_options(parser, table);
            table.options = parser.slice_if(from, parser.at);
        }
    }
    table.unknown.extend(parser.rest());
}

fn table_options<'a>(parser: &mut Parser<'a, '_>, table: &mut CreateTable<'a>) {
    while !parser.done() {
        let query = parser.is("AS")
            || (parser.mysql()
                && parser.is_any(&["SELECT", "IGNORE", "REPLACE", "WITH"])
                && !parser.are(&["WITH", "SYSTEM"]));
        if query {
            table.partial = true;
            parser.rest();
            return;
        }
        let from = parser.at;
        let known = match parser.dialect {
            Dialect::Postgres => postgres_option(parser),
            Dialect::Sqlite => {
                parser.accept(&["STRICT"])
                    || parser.accept(&["WITHOUT", "ROWID"])
                    || parser.accept_kind(TokenKind::Comma)
            }
            Dialect::MySql | Dialect::MariaDb => {
                parser.accept_kind(TokenKind::Comma) || mysql_table_option(parser).is_some()
            }
        };
        if !known {
            parser.at = from;
            return;
        }
    }
}

fn postgres_option(parser: &mut Parser<'_, '_>) -> bool {
    if parser.accept_any(&["INHERITS", "WITH", "OPTIONS"]).is_some() {
        return parser.group().is_some();
    }
    if parser.accept_any(&["TABLESPACE", "USING", "SERVER"]).is_some() {
        return parser.ident().is_some();
    }
    if parser.accept(&["FOR", "VALUES"]) {
        let from = parser.at;
        if parser.accept(&["IN"]) || parser.accept(&["WITH"]) {
            return parser.group().is_some();
        }
        return parser.accept(&["FROM"])
            && parser.group().is_some()
            && parser.accept(&["TO"])
            && parser.group().is_some()
            && parser.at > from;
    }
    if parser.accept(&["ON", "COMMIT"]) {
        return parser.accept(&["DROP"])
            || parser.accept(&["DELETE", "ROWS"])
            || parser.accept(&["PRESERVE", "ROWS"]);
    }
    parser.accept(&["WITHOUT", "OIDS"]) || parser.accept(&["DEFAULT"])
}

/// Options that take a value, with or without `=`.
#[rustfmt::skip]
const MYSQL_OPTIONS: &[&str] = &[
    "ENGINE", "AUTO_INCREMENT", "AVG_ROW_LENGTH", "CHARSET", "CHECKSUM", "COLLATE", "COMMENT",
    "COMPRESSION", "CONNECTION", "DELAY_KEY_WRITE", "ENCRYPTION", "ENGINE_ATTRIBUTE",
    "INSERT_METHOD", "KEY_BLOCK_SIZE", "MAX_ROWS", "MIN_ROWS", "PACK_KEYS", "PASSWORD",
    "ROW_FORMAT", "SECONDARY_ENGINE", "SECONDARY_ENGINE_ATTRIBUTE", "STATS_AUTO_RECALC",
    "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "TABLESPACE", "STORAGE", "UNION", "AUTOEXTEND_SIZE",
    "TRANSACTIONAL", "PAGE_CHECKSUM", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "ENCRYPTED",
    "ENCRYPTION_KEY_ID", "IETF_QUOTES", "SEQUENCE",
];

const MYSQL_LONG_OPTIONS: [&str; 3] = ["CHARACTER SET", "DATA DIRECTORY", "INDEX DIRECTORY"];

/// Whether this is how [`mysql_table_option`] calls an option.
pub(crate) fn is_mysql_table_option(name: &str) -> bool {
    MYSQL_OPTIONS.contains(&name) || MYSQL_LONG_OPTIONS.contains(&name)
}

/// Steps over one table option of MySQL or MariaDB and gives its name.
pub(super) fn mysql_table_option(parser: &mut Parser<'_, '_>) -> Option<&'static str> {
    if parser.accept(&["WITH", "SYSTEM", "VERSIONING"]) {
        return Some("WITH SYSTEM VERSIONING");
    }
    parser.accept(&["DEFAULT"]);
    let name = if parser.accept(&["CHARACTER", "SET"]) || parser.accept(&["CHAR", "SET"]) {
        MYSQL_LONG_OPTIONS[0]
    } else if parser.accept(&["DATA", "DIRECTORY"]) {
        MYSQL_LONG_OPTIONS[1]
    } else if parser.accept(&["INDEX", "DIRECTORY"]) {
        MYSQL_LONG_OPTIONS[2]
    } else {
        parser.accept_any(MYSQL_OPTIONS)?
    };
    parser.accept_operator("=");
    match parser.kind(0)? {
        TokenKind::Word | TokenKind::Quoted | TokenKind::Text | TokenKind::Number => parser.at += 1,
        _ => {
            parser.group()?;
        }
    }
    Some(name)
}
