//! `UPDATE`, cut at the top level.
//!
//! Enters: a parser at UPDATE, or at the WITH in front of it. Leaves: an [`Update`], or `None` for
//! forms that cannot be cut without loss. Must not know: what the expressions mean.

use super::ast::{Assignment, Slice, Update};
use super::parser::Parser;
use super::tokens::TokenKind;

const BEHIND_SET: &[&str] = &["FROM", "WHERE", "ORDER", "LIMIT", "RETURNING"];

pub(super) fn update<'a>(parser: &mut Parser<'a, '_>) -> Option<Update<'a>> {
    let mut rest = None;
    if parser.is("WITH") {
        let from = parser.at;
        while !parser.done() && !parser.is("UPDATE") {
            parser.skip();
        }
        rest = parser.slice_if(from, parser.at);
    }
    if !parser.accept(&["UPDATE"]) {
        return None;
    }
    let from = parser.at;
    if parser.sqlite() && parser.accept(&["OR"]) {
        parser.ident()?;
    } else if parser.mysql() {
        while parser.accept_any(&["LOW_PRIORITY", "IGNORE"]).is_some() {}
    }
    merge(&mut rest, parser.slice_if(from, parser.at))?;
    let only = parser.postgres() && parser.accept(&["ONLY"]);
    if only {
        merge(&mut rest, Some(parser.slice(parser.at - 1, parser.at)))?;
    }
    let table = parser.name()?;
    parser.accept_operator("*");
    let mut alias = None;
    if parser.accept(&["AS"]) || alias_follows(parser) {
        alias = Some(parser.ident()?);
    }
    let mut from_clause = None;
    if parser.mysql() && !parser.is("SET") {
        let from = parser.at;
        parser.skip_past_commas_until(&["SET"]);
        from_clause = parser.slice_if(from, parser.at);
    }
    if !parser.accept(&["SET"]) {
        return None;
    }
    let mut set = Vec::new();
    loop {
        set.extend(assignments(parser)?);
        if !parser.accept_kind(TokenKind::Comma) {
            break;
        }
    }
    if parser.accept(&["FROM"]) {
        let from = parser.at;
        parser.skip_past_commas_until(&["WHERE", "ORDER", "LIMIT", "RETURNING"]);
        from_clause = Some(parser.slice_if(from, parser.at)?);
    }
    let mut filter = None;
    if parser.accept(&["WHERE"]) {
        let from = parser.at;
        parser.skip_until(&["ORDER", "LIMIT", "RETURNING"]);
        filter = Some(parser.slice_if(from, parser.at)?);
    }
    merge(&mut rest, parser.rest())?;
    Some(Update { table, alias, set, from: from_clause, filter, rest })
}

/// There is one slice for whatever else there was; two pieces apart have no place in it.
fn merge<'a>(rest: &mut Option<Slice<'a>>, more: Option<Slice<'a>>) -> Option<()> {
    if let Some(more) = more {
        if rest.is_some() {
            return None;
        }
        *rest = Some(more);
    }
    Some(())
}

/// Behind the table stands a name, and not a word of the grammar.
fn alias_follows(parser: &Parser<'_, '_>) -> bool {
    let words = [
        "SET",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "CROSS",
        "NATURAL",
        "STRAIGHT_JOIN",
        "PARTITION",
        "INDEXED",
        "NOT",
        "FORCE",
        "USE",
        "IGNORE",
        "FOR",
    ];
    matches!(parser.kind(0), Some(TokenKind::Word | TokenKind::Quoted)) && !parser.is_any(&words)
}

/// One, or those that a row of values makes: `(a, b) = (x, y)` is `a = x, b = y`.
fn assignments<'a>(parser: &mut Parser<'a, '_>) -> Option<Vec<Assignment<'a>>> {
    let grouped = parser.is_group();
    let columns = if grouped {
        parser.group()?.idents()?
    } else {
        let mut column = parser.ident()?;
        while parser.mysql() && parser.accept_kind(TokenKind::Dot) {
            column = parser.ident()?;
        }
        vec![column]
    };
    // `a[1] = …` and `a.field = …` set a part of the column.
    if parser.mysql() && parser.is_operator(0, ":") {
        parser.at += 1;
    }
    if !parser.accept_operator("=") {
        return None;
    }
    let from = parser.at;
    if (columns.len() > 1 || grouped && parser.is("ROW"))
        && let Some(values) = row(parser)
        && values.len() == columns.len()
    {
        let one = |(column, expr)| Assignment { columns: vec![column], expr };
        return Some(columns.into_iter().zip(values).map(one).collect());
    }
    parser.at = from;
    loop {
        parser.skip_until(BEHIND_SET);
        // `a IS DISTINCT FROM b` goes on.
        let distinct = parser.is("FROM") && parser.at > from && parser.word_before("DISTINCT");
        if !distinct {
            break;
        }
        parser.at += 1;
    }
    Some(vec![Assignment { columns, expr: parser.slice_if(from, parser.at)? }])
}

/// `(x, y)` or `ROW (x, y)`, and nothing behind it.
fn row<'a>(parser: &mut Parser<'a, '_>) -> Option<Vec<Slice<'a>>> {
    parser.accept(&["ROW"]);
    let mut group = parser.is_group().then(|| parser.group())??;
    if group.is_any(&["SELECT", "WITH", "VALUES"]) {
        return None;
    }
    let mut values = Vec::new();
    while let Some(value) = group.element() {
        values.push(value.slice_if(value.at, value.end)?);
    }
    let ends =
        parser.done() || parser.kind(0) == Some(TokenKind::Comma) || parser.is_any(BEHIND_SET);
    ends.then_some(values)
}
