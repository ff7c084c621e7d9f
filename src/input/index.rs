//! `CREATE INDEX`, `DROP INDEX`, `ALTER INDEX … RENAME`.
//!
//! Enters: a parser behind the words that say which. Leaves: the typed statement. Must not know:
//! how indexes are built.

use super::ast::{CreateIndex, DropIndex, Kind, Name, Slice};
use super::constraint::{index_keys, mysql_index_option};
use super::parser::Parser;

/// From behind `INDEX`; `method` is MySQL's FULLTEXT, SPATIAL or VECTOR.
pub(super) fn create_index<'a>(
    parser: &mut Parser<'a, '_>,
    unique: bool,
    mut method: Option<Slice<'a>>,
) -> Option<CreateIndex<'a>> {
    let concurrently = parser.postgres() && parser.accept(&["CONCURRENTLY"]);
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let mut name = None;
    if !parser.is("ON") {
        name = Some(parser.name()?);
    }
    using(parser, &mut method)?;
    if !parser.accept(&["ON"]) {
        return None;
    }
    let only = parser.postgres() && parser.accept(&["ONLY"]);
    let table = parser.name()?;
    using(parser, &mut method)?;
    let keys = index_keys(parser.group()?)?;
    let mut include = Vec::new();
    if parser.accept(&["INCLUDE"]) {
        include = parser.group()?.idents()?;
    }
    let from = parser.at;
    while option(parser)? {}
    let options = parser.slice_if(from, parser.at);
    let mut filter = None;
    if !parser.mysql() && parser.accept(&["WHERE"]) {
        filter = Some(parser.rest()?);
    }
    parser.done().then_some(CreateIndex {
        name,
        table,
        unique,
        concurrently,
        if_not_exists,
        only,
        method,
        keys,
        include,
        filter,
        options,
    })
}

/// `USING method`, in front of the table or behind it; `None` is a failure.
fn using<'a>(parser: &mut Parser<'a, '_>, method: &mut Option<Slice<'a>>) -> Option<()> {
    if parser.accept(&["USING"]) {
        let from = parser.at;
        parser.ident()?;
        *method = Some(parser.slice(from, parser.at));
    }
    Some(())
}

/// Steps over one option behind the keys; `None` is a failure.
fn option(parser: &mut Parser<'_, '_>) -> Option<bool> {
    if parser.mysql() {
        return Some(mysql_index_option(parser));
    }
    if parser.sqlite() {
        return Some(false);
    }
    if parser.accept(&["WITH"]) {
        parser.group()?;
        return Some(true);
    }
    if parser.accept(&["TABLESPACE"]) {
        parser.ident()?;
        return Some(true);
    }
    Some(parser.accept(&["NULLS", "NOT", "DISTINCT"]) || parser.accept(&["NULLS", "DISTINCT"]))
}

/// From behind `DROP INDEX`.
pub(super) fn drop_index<'a>(parser: &mut Parser<'a, '_>) -> Option<DropIndex<'a>> {
    let concurrently = parser.postgres() && parser.accept(&["CONCURRENTLY"]);
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let names = parser.names()?;
    let mut table: Option<Name<'a>> = None;
    if parser.mysql() && parser.accept(&["ON"]) {
        table = Some(parser.name()?);
        while mysql_index_option(parser) {}
    }
    let cascade = parser.accept(&["CASCADE"]);
    parser.accept(&["RESTRICT"]);
    parser.done().then_some(DropIndex { names, table, concurrently, if_exists, cascade })
}

/// From behind `ALTER INDEX`: a new name, or nothing typed.
pub(super) fn rename_index<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let index = parser.name()?;
    if !parser.accept(&["RENAME", "TO"]) {
        return None;
    }
    let to = parser.ident()?;
    parser.done().then_some(Kind::RenameIndex { index, to, if_exists })
}
