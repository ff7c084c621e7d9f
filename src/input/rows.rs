//! `DELETE` and `INSERT`, in their plain forms.
//!
//! Enters: a parser at the verb. Leaves: a [`Delete`] or [`Insert`], or `None` for any other form.
//! Must not know: what the expressions mean.

use super::ast::{Delete, Ident, Insert, InsertSource, Join, Selected, Slice};
use super::parser::Parser;
use super::tokens::TokenKind;

/// `DELETE FROM t [[AS] a] [USING …] [WHERE …]`, and nothing else.
pub(super) fn delete<'a>(parser: &mut Parser<'a, '_>) -> Option<Delete<'a>> {
    if !parser.accept(&["DELETE", "FROM"]) || parser.is("ONLY") {
        return None;
    }
    let table = parser.name()?;
    let bare = parser.postgres();
    let alias =
        alias(parser, bare, &["WHERE", "USING", "RETURNING", "ORDER", "LIMIT", "PARTITION"])?;
    let mut using = None;
    if parser.postgres() && parser.accept(&["USING"]) {
        let from = parser.at;
        parser.skip_past_commas_until(&["WHERE", "RETURNING"]);
        using = Some(parser.slice_if(from, parser.at)?);
    }
    let filter = condition(parser)?;
    parser.done().then_some(Delete { table, alias, using, filter })
}

/// `INSERT INTO t (a, b) VALUES … | SELECT … [ON CONFLICT …]`.
pub(super) fn insert<'a>(parser: &mut Parser<'a, '_>) -> Option<Insert<'a>> {
    if !parser.accept(&["INSERT", "INTO"]) {
        return None;
    }
    let table = parser.name()?;
    let columns = if parser.is_group() { parser.group()?.idents()? } else { Vec::new() };
    let source = if parser.accept(&["VALUES"]) { values(parser)? } else { select(parser)? };
    let from = parser.at;
    if parser.accept(&["ON", "CONFLICT"]) {
        parser.skip_past_commas_until(&["RETURNING"]);
    }
    let conflict = parser.slice_if(from, parser.at);
    parser.done().then_some(Insert { table, columns, source, conflict })
}

/// `AS a`, or `a` alone where that may be and it is none of the words; `None` if a name is missing.
#[allow(clippy::option_option, reason = "no alias is not the same as no form")]
fn alias<'a>(parser: &mut Parser<'a, '_>, bare: bool, words: &[&str]) -> Option<Option<Ident<'a>>> {
    let names = matches!(parser.kind(0), Some(TokenKind::Word | TokenKind::Quoted));
    if parser.accept(&["AS"]) || bare && names && !parser.is_any(words) {
        return parser.ident().map(Some);
    }
    Some(None)
}

fn values<'a>(parser: &mut Parser<'a, '_>) -> Option<InsertSource<'a>> {
    let mut rows = Vec::new();
    loop {
        let mut group = parser.group()?;
        let mut row = Vec::new();
        while let Some(element) = group.element() {
            row.push(element.slice_if(element.at, element.end)?);
        }
        rows.push(row);
        if !parser.accept_kind(TokenKind::Comma) {
            return Some(InsertSource::Values(rows));
        }
    }
}

/// `SELECT a, f(b) FROM t [JOIN …] [WHERE …]`: rows of the first table, not made less by DISTINCT.
fn select<'a>(parser: &mut Parser<'a, '_>) -> Option<InsertSource<'a>> {
    if !parser.accept(&["SELECT"]) || parser.is_any(&["DISTINCT", "ALL"]) {
        return None;
    }
    let mut list: Vec<Slice<'a>> = Vec::new();
    loop {
        let from = parser.at;
        parser.skip_until(&["FROM", "WHERE"]);
        // `a IS DISTINCT FROM b` goes on.
        while parser.is("FROM") && parser.at > from && parser.word_before("DISTINCT") {
            parser.at += 1;
            parser.skip_until(&["FROM", "WHERE"]);
        }
        list.push(parser.slice_if(from, parser.at)?);
        if !parser.accept_kind(TokenKind::Comma) {
            break;
        }
    }
    if !parser.accept(&["FROM"]) || parser.is("ONLY") {
        return None;
    }
    let from = parser.name()?;
    let words = [BEHIND, JOINS, &["WHERE", "LEFT", "RIGHT", "FULL", "INDEXED", "NOT"]].concat();
    let alias = alias(parser, true, &words)?;
    let join = if parser.accept_kind(TokenKind::Comma) {
        let tables = up_to(parser, |parser| parser.is("WHERE") || ends(parser))?;
        Some(Join { tables, on: None, more: None })
    } else if parser.accept(&["INNER", "JOIN"]) || parser.accept(&["JOIN"]) {
        Some(joined(parser)?)
    } else {
        None
    };
    let filter = condition(parser)?;
    Some(InsertSource::Select(Selected { list, from, alias, join, filter }))
}

/// `c ON … [JOIN …]`.
fn joined<'a>(parser: &mut Parser<'a, '_>) -> Option<Join<'a>> {
    let tables = up_to(parser, |parser| parser.is("ON") || parser.is("USING"))?;
    if !parser.accept(&["ON"]) {
        return None;
    }
    let behind = |parser: &Parser<'_, '_>| parser.is("WHERE") || ends(parser);
    let on = up_to(parser, |parser| joins(parser) || behind(parser))?;
    let more = if behind(parser) { None } else { up_to(parser, behind) };
    Some(Join { tables, on: Some(on), more })
}

const JOINS: &[&str] = &["JOIN", "INNER", "CROSS", "NATURAL"];

/// A further table follows.
fn joins(parser: &Parser<'_, '_>) -> bool {
    let outer = parser.is_any(&["LEFT", "RIGHT", "FULL"])
        && ["JOIN", "OUTER"].iter().any(|word| parser.is_word(1, word));
    parser.kind(0) == Some(TokenKind::Comma) || parser.is_any(JOINS) || outer
}

/// A word that ends FROM and WHERE, and does not begin the condition of a join.
fn ends(parser: &Parser<'_, '_>) -> bool {
    parser.is_any(BEHIND) && (!parser.is("ON") || parser.is_word(1, "CONFLICT"))
}

/// What lies outside brackets and CASE before the end or such a place; `None` if nothing does.
fn up_to<'a>(
    parser: &mut Parser<'a, '_>,
    is_there: impl Fn(&Parser<'_, '_>) -> bool,
) -> Option<Slice<'a>> {
    let from = parser.at;
    let mut cases = 0_usize;
    while !parser.done() && (cases > 0 || !is_there(parser)) {
        cases += usize::from(parser.is("CASE"));
        cases -= usize::from(cases > 0 && parser.is("END"));
        parser.skip();
    }
    parser.slice_if(from, parser.at)
}

/// What may follow WHERE in a query, and is no condition.
const BEHIND: &[&str] = &[
    "ORDER",
    "LIMIT",
    "RETURNING",
    "GROUP",
    "HAVING",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "OFFSET",
    "FETCH",
    "FOR",
    "ON",
];

/// `WHERE …`, if it stands here; `None` if it is empty.
#[allow(clippy::option_option, reason = "no condition is not the same as no form")]
fn condition<'a>(parser: &mut Parser<'a, '_>) -> Option<Option<Slice<'a>>> {
    if !parser.accept(&["WHERE"]) {
        return Some(None);
    }
    let from = parser.at;
    parser.skip_until(BEHIND);
    parser.slice_if(from, parser.at).map(Some)
}
