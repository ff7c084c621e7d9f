//! `ALTER TABLE` in all dialects.
//!
//! Enters: a parser behind `ALTER …TABLE`. Leaves: an [`AlterTable`] with one action per change;
//! an action that is not understood is `Unknown` and the others are read all the same. Must not
//! know: what an action costs.

use std::borrow::Cow;

use super::alter_mysql::mysql_action;
use super::ast::{
    AlterAction, AlterKind, AlterTable, Name, Slice, TableConstraint, TableConstraintKind,
};
use super::column::{collation, column, data_type};
use super::constraint::{begins_constraint, table_constraint};
use super::parser::Parser;
use super::tokens::TokenKind;

pub(super) fn alter_table<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterTable<'a>> {
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let only = parser.postgres() && parser.accept(&["ONLY"]);
    let table = parser.name()?;
    parser.accept_operator("*");
    if parser.mysql() && parser.accept(&["WAIT"]) {
        parser.at += 1;
    } else if parser.mysql() {
        parser.accept(&["NOWAIT"]);
    }
    let mut actions = Vec::with_capacity(1);
    let trailing_comma = parser.ends_in_comma();
    while !parser.done() {
        let from = parser.at;
        if takes_the_rest(parser) {
            let mut element = parser.within(from, parser.end);
            parser.at = parser.end;
            one_action(&mut element, &table, &mut actions);
        } else if let Some(mut element) = parser.element() {
            one_action(&mut element, &table, &mut actions);
        }
    }
    if trailing_comma {
        actions.push(AlterAction {
            kind: AlterKind::Unknown,
            text: parser.slice(parser.end - 1, parser.end),
        });
    }
    if actions.is_empty() && !parser.mysql() {
        return None;
    }
    Some(AlterTable { table, if_exists, only, actions })
}

/// MySQL: a list with commas of its own, which nothing may follow.
fn takes_the_rest(parser: &Parser<'_, '_>) -> bool {
    parser.mysql()
        && (parser.are(&["ORDER", "BY"])
            || parser.are(&["PARTITION", "BY"])
            || (parser.word(1).eq_ignore_ascii_case("partition")
                && !parser.is_any(&["ADD", "RENAME"])))
}

fn one_action<'a>(
    element: &mut Parser<'a, '_>,
    table: &Name<'a>,
    actions: &mut Vec<AlterAction<'a>>,
) {
    let from = element.at;
    let text = element.slice(from, element.end);
    if let Some(columns) = columns_in_parentheses(element) {
        actions.extend(columns);
        return;
    }
    let kind = match action(element, table) {
        Some(kind) if element.done() => kind,
        _ => AlterKind::Unknown,
    };
    actions.push(AlterAction { kind, text });
}

/// MySQL's `ADD (a int, b int)`: one action each.
fn columns_in_parentheses<'a>(parser: &Parser<'a, '_>) -> Option<Vec<AlterAction<'a>>> {
    if !parser.mysql() {
        return None;
    }
    let mut ahead = parser.clone();
    if !ahead.accept(&["ADD"]) {
        return None;
    }
    ahead.accept(&["COLUMN"]);
    let if_not_exists = ahead.accept(&["IF", "NOT", "EXISTS"]);
    let mut inside = ahead.group()?;
    if !ahead.done() || inside.ends_in_comma() {
        return None;
    }
    let mut actions = Vec::new();
    while let Some(mut element) = inside.element() {
        let text = element.slice(element.at, element.end);
        let column = column(&mut element)?;
        column.ty?;
        actions.push(AlterAction {
            kind: AlterKind::AddColumn { column, if_not_exists, position: None },
            text,
        });
    }
    Some(actions)
}

fn action<'a>(parser: &mut Parser<'a, '_>, table: &Name<'a>) -> Option<AlterKind<'a>> {
    let from = parser.at;
    if parser.mysql() {
        if let Some(kind) = mysql_action(parser, table) {
            return Some(kind);
        }
        parser.at = from;
    }
    match parser.keyword().as_str() {
        "ADD" => {
            parser.at += 1;
            add(parser)
        }
        "DROP" => {
            parser.at += 1;
            drop(parser)
        }
        "RENAME" => {
            parser.at += 1;
            rename(parser)
        }
        "ALTER" if !parser.are(&["ALTER", "CONSTRAINT"]) => {
            parser.at += 1;
            parser.accept(&["COLUMN"]);
            alter_column(parser)
        }
        "ALTER" => {
            parser.at += 2;
            Some(AlterKind::AlterConstraint { name: parser.ident()?, options: parser.rest()? })
        }
        _ if parser.postgres() => postgres_action(parser),
        _ => None,
    }
}

fn add<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if begins_constraint(parser) {
        let from = parser.at;
        let constraint = table_constraint(parser).filter(|_| parser.done());
        parser.at = parser.end;
        return Some(AlterKind::AddConstraint(constraint.unwrap_or_else(|| TableConstraint {
            name: None,
            kind: TableConstraintKind::Unknown,
            not_valid: false,
            text: parser.slice(from, parser.end),
        })));
    }
    parser.accept(&["COLUMN"]);
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let position = take_position(parser);
    let column = column(parser)?;
    if column.ty.is_none() && !parser.sqlite() {
        return None;
    }
    Some(AlterKind::AddColumn { column, if_not_exists, position })
}

/// Takes MySQL's `FIRST` or `AFTER c` off the end of the parser.
pub(super) fn take_position<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    if !parser.mysql() || parser.end < parser.at + 2 {
        return None;
    }
    let end = parser.end;
    let length = if parser.within(end - 2, end).is("AFTER") {
        2
    } else if parser.within(end - 1, end).is("FIRST") {
        1
    } else {
        return None;
    };
    parser.end = end - length;
    Some(parser.slice(end - length, end))
}

fn drop<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    let constraint = parser.accept(&["CONSTRAINT"]);
    if !constraint {
        parser.accept(&["COLUMN"]);
    }
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let name = parser.ident()?;
    let cascade = parser.accept(&["CASCADE"]);
    parser.accept(&["RESTRICT"]);
    Some(if constraint {
        AlterKind::DropConstraint { name: Some(name), kind: "", if_exists, cascade }
    } else {
        AlterKind::DropColumn { column: name, if_exists, cascade }
    })
}

fn rename<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if parser.accept(&["TO"]) {
        return Some(AlterKind::RenameTable { to: parser.name()? });
    }
    let constraint = parser.postgres() && parser.accept(&["CONSTRAINT"]);
    if !constraint {
        parser.accept(&["COLUMN"]);
    }
    let from = parser.ident()?;
    if !parser.accept(&["TO"]) {
        return None;
    }
    let to = parser.ident()?;
    Some(if constraint {
        AlterKind::RenameConstraint { from, to }
    } else {
        AlterKind::RenameColumn { from, to }
    })
}

/// From behind `ALTER COLUMN`.
fn alter_column<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    let column = parser.ident()?;
    if parser.accept(&["SET", "NOT", "NULL"]) {
        return Some(AlterKind::SetNotNull { column });
    }
    if parser.accept(&["DROP", "NOT", "NULL"]) {
        return Some(AlterKind::DropNotNull { column });
    }
    if parser.accept(&["SET", "DEFAULT"]) {
        let expr = parser.rest()?;
        return Some(AlterKind::SetDefault { column, expr });
    }
    if parser.accept(&["DROP", "DEFAULT"]) {
        return Some(AlterKind::DropDefault { column });
    }
    if parser.accept(&["TYPE"]) || parser.accept(&["SET", "DATA", "TYPE"]) {
        let ty = data_type(parser)?;
        let collate = if parser.accept(&["COLLATE"]) { Some(collation(parser)?) } else { None };
        let using = if parser.accept(&["USING"]) { Some(parser.rest()?) } else { None };
        return Some(AlterKind::SetType { column, ty, collate, using });
    }
    if parser.accept(&["ADD", "GENERATED"]) {
        let always = parser.accept(&["ALWAYS"]);
        let known = always || parser.accept(&["BY", "DEFAULT"]);
        if !known || !parser.accept(&["AS", "IDENTITY"]) {
            return None;
        }
        parser.group();
        return Some(AlterKind::AddIdentity { column, always });
    }
    if parser.accept(&["SET", "GENERATED"]) {
        let always = parser.accept(&["ALWAYS"]);
        if !always && !parser.accept(&["BY", "DEFAULT"]) {
            return None;
        }
        parser.rest();
        return Some(AlterKind::SetGenerated { column, always });
    }
    if parser.accept(&["DROP", "IDENTITY"]) {
        parser.accept(&["IF", "EXISTS"]);
        return Some(AlterKind::DropIdentity { column });
    }
    if parser.accept(&["SET", "EXPRESSION", "AS"]) {
        let mut inside = parser.group()?;
        return Some(AlterKind::SetExpression { column, expr: inside.rest()? });
    }
    if parser.accept(&["DROP", "EXPRESSION"]) {
        parser.accept(&["IF", "EXISTS"]);
        return Some(AlterKind::DropExpression { column });
    }
    let words = if parser.accept(&["SET", "STATISTICS"]) {
        "SET STATISTICS"
    } else if parser.accept(&["SET", "STORAGE"]) {
        "SET STORAGE"
    } else if parser.accept(&["SET", "COMPRESSION"]) {
        "SET COMPRESSION"
    } else if parser.accept(&["RESTART"]) {
        "RESTART"
    } else if parser.is_any(&["SET", "RESET"]) && parser.kind(1) == Some(TokenKind::Open) {
        "SET"
    } else {
        return None;
    };
    parser.rest();
    Some(other(words))
}

pub(super) fn other<'a>(words: &'static str) -> AlterKind<'a> {
    AlterKind::Other { words: Cow::Borrowed(words) }
}

/// Recognised by their first words; the rest of the action belongs to them.
const POSTGRES_OTHERS: &[(&[&str], &str)] = &[
    (&["OWNER", "TO"], "OWNER TO"),
    (&["SET", "TABLESPACE"], "SET TABLESPACE"),
    (&["SET", "LOGGED"], "SET LOGGED"),
    (&["SET", "UNLOGGED"], "SET UNLOGGED"),
    (&["SET", "ACCESS", "METHOD"], "SET ACCESS METHOD"),
    (&["SET", "WITHOUT", "CLUSTER"], "SET WITHOUT CLUSTER"),
    (&["SET", "WITHOUT", "OIDS"], "SET WITHOUT OIDS"),
    (&["CLUSTER", "ON"], "CLUSTER ON"),
    (&["INHERIT"], "INHERIT"),
    (&["NO", "INHERIT"], "NO INHERIT"),
    (&["OF"], "OF"),
    (&["NOT", "OF"], "NOT OF"),
    (&["REPLICA", "IDENTITY"], "REPLICA IDENTITY"),
    (&["ENABLE", "ROW", "LEVEL", "SECURITY"], "ENABLE ROW LEVEL SECURITY"),
    (&["DISABLE", "ROW", "LEVEL", "SECURITY"], "DISABLE ROW LEVEL SECURITY"),
    (&["FORCE", "ROW", "LEVEL", "SECURITY"], "FORCE ROW LEVEL SECURITY"),
    (&["NO", "FORCE", "ROW", "LEVEL", "SECURITY"], "NO FORCE ROW LEVEL SECURITY"),
    (&["ENABLE", "TRIGGER"], "ENABLE TRIGGER"),
    (&["ENABLE", "ALWAYS", "TRIGGER"], "ENABLE TRIGGER"),
    (&["ENABLE", "REPLICA", "TRIGGER"], "ENABLE TRIGGER"),
    (&["DISABLE", "TRIGGER"], "DISABLE TRIGGER"),
    (&["ENABLE", "RULE"], "ENABLE RULE"),
    (&["ENABLE", "ALWAYS", "RULE"], "ENABLE RULE"),
    (&["ENABLE", "REPLICA", "RULE"], "ENABLE RULE"),
    (&["DISABLE", "RULE"], "DISABLE RULE"),
    (&["OPTIONS"], "OPTIONS"),
];

fn postgres_action<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if parser.accept(&["VALIDATE", "CONSTRAINT"]) {
        return Some(AlterKind::ValidateConstraint { name: parser.ident()? });
    }
    if parser.accept(&["SET", "SCHEMA"]) {
        return Some(AlterKind::SetSchema { schema: parser.ident()? });
    }
    if parser.accept(&["ATTACH", "PARTITION"]) {
        return Some(AlterKind::AttachPartition {
            partition: parser.name()?,
            bound: parser.rest()?,
        });
    }
    if parser.accept(&["DETACH", "PARTITION"]) {
        let partition = parser.name()?;
        parser.accept_any(&["CONCURRENTLY", "FINALIZE"]);
        return Some(AlterKind::DetachPartition { partition });
    }
    if parser.is_any(&["SET", "RESET"]) && parser.kind(1) == Some(TokenKind::Open) {
        parser.rest();
        return Some(other("SET"));
    }
    let (_, words) = POSTGRES_OTHERS.iter().find(|(words, _)| parser.are(words))?;
    parser.rest();
    Some(other(words))
}
