//! Views, triggers, sequences, types, comments and drops.
//!
//! Enters: a parser behind the words that name the kind of object. Leaves: the typed statement.
//! Must not know: tables and indexes.

use super::ast::{Comment, CreateTrigger, CreateView, Drop, EnumPosition, Ident, Kind, Name};
use super::column::data_type;
use super::create_table::Modifiers;
use super::parser::Parser;
use super::tokens::TokenKind;

/// `DEFINER = …`, `ALGORITHM = …`, `SQL SECURITY …`, `AGGREGATE` in front of a MySQL object.
pub(super) fn mysql_modifier(parser: &mut Parser<'_, '_>) -> bool {
    if parser.accept(&["AGGREGATE"]) {
        return true;
    }
    if parser.accept(&["SQL", "SECURITY"]) {
        return parser.ident().is_some();
    }
    if parser.accept(&["ALGORITHM"]) {
        parser.accept_operator("=");
        return parser.ident().is_some();
    }
    if !parser.accept(&["DEFINER"]) {
        return false;
    }
    parser.accept_operator("=");
    // `user`, `'user'@'host'`, `CURRENT_USER()`.
    parser.at += 1;
    parser.group();
    if parser.accept_operator("@") {
        parser.at += 1;
    }
    parser.accept_kind(TokenKind::Parameter);
    true
}

pub(super) fn create_view<'a>(
    parser: &mut Parser<'a, '_>,
    modifiers: Modifiers,
    materialized: bool,
) -> Option<CreateView<'a>> {
    parser.accept(&["IF", "NOT", "EXISTS"]);
    let name = parser.name()?;
    // Columns, `WITH (…)`, USING, TABLESPACE come before AS.
    while !parser.done() && !parser.is("AS") {
        parser.skip();
    }
    if !parser.accept(&["AS"]) {
        return None;
    }
    Some(CreateView {
        name,
        materialized,
        or_replace: modifiers.or_replace,
        temporary: modifiers.temporary,
        query: parser.rest()?,
    })
}

pub(super) fn create_trigger<'a>(
    parser: &mut Parser<'a, '_>,
    modifiers: Modifiers,
) -> Option<CreateTrigger<'a>> {
    parser.accept(&["IF", "NOT", "EXISTS"]);
    let name = parser.name()?.name;
    while !parser.done() && !parser.is("ON") {
        parser.skip();
    }
    if !parser.accept(&["ON"]) {
        return None;
    }
    let table = parser.name()?;
    let body = if parser.postgres() { "EXECUTE" } else { "BEGIN" };
    if parser.mysql() {
        while !parser.done() && !parser.accept(&["FOR", "EACH", "ROW"]) {
            parser.skip();
        }
        if parser.accept_any(&["FOLLOWS", "PRECEDES"]).is_some() {
            parser.name()?;
        }
    } else {
        while !parser.done() && !parser.is(body) {
            parser.skip();
        }
    }
    Some(CreateTrigger { name, table, body: parser.rest()?, temporary: modifiers.temporary })
}

pub(super) fn create_sequence<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let name = parser.name()?;
    let ty = if parser.accept(&["AS"]) { Some(data_type(parser)?) } else { None };
    let owned_by = match owner(parser)? {
        Owner::Column(table, column) => Some((table, column)),
        Owner::Nobody | Owner::Unsaid => None,
    };
    parser.rest();
    Some(Kind::CreateSequence { name, if_not_exists, ty, owned_by })
}

/// What `OWNED BY` says.
enum Owner<'a> {
    Column(Name<'a>, Ident<'a>),
    Nobody,
    Unsaid,
}

/// Steps over a sequence's options up to `OWNED BY`, and over that.
fn owner<'a>(parser: &mut Parser<'a, '_>) -> Option<Owner<'a>> {
    while !parser.done() && !parser.are(&["OWNED", "BY"]) {
        parser.skip();
    }
    if !parser.accept(&["OWNED", "BY"]) {
        return Some(Owner::Unsaid);
    }
    if parser.accept(&["NONE"]) {
        return Some(Owner::Nobody);
    }
    let (table, column) = column_of_table(parser)?;
    Some(Owner::Column(table, column))
}

/// `[schema.]table.column`.
fn column_of_table<'a>(parser: &mut Parser<'a, '_>) -> Option<(Name<'a>, Ident<'a>)> {
    let mut parts = vec![parser.ident()?];
    while parser.accept_kind(TokenKind::Dot) {
        parts.push(parser.ident()?);
    }
    let column = parts.pop()?;
    let name = parts.pop()?;
    let table = match parts.pop() {
        Some(schema) => Name { schema: Some(schema), name },
        None => parser.placed(name),
    };
    parts.is_empty().then_some((table, column))
}

/// From behind `ALTER SEQUENCE`.
pub(super) fn alter_sequence<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let from = parser.at;
    if let Some(kind) = rename(parser, "SEQUENCE") {
        return Some(kind);
    }
    parser.at = from;
    parser.accept(&["IF", "EXISTS"]);
    let name = parser.name()?;
    let owned_by = match owner(parser)? {
        Owner::Column(table, column) => Some((table, column)),
        Owner::Nobody => None,
        Owner::Unsaid => return None,
    };
    parser.rest();
    Some(Kind::OwnSequence { name, owned_by })
}

/// `… RENAME TO`, and a trigger's or policy's `ON t RENAME TO`.
pub(super) fn rename<'a>(parser: &mut Parser<'a, '_>, what: &'static str) -> Option<Kind<'a>> {
    parser.accept(&["IF", "EXISTS"]);
    let name = parser.name()?;
    let mut on = None;
    if parser.accept(&["ON"]) {
        on = Some(parser.name()?);
    }
    if !parser.accept(&["RENAME", "TO"]) {
        return None;
    }
    let to = parser.ident()?;
    Some(Kind::RenameOther { what, name, on, to })
}

pub(super) fn is_enum(parser: &Parser<'_, '_>) -> bool {
    let mut ahead = parser.clone();
    ahead.name().is_some() && ahead.are(&["AS", "ENUM"])
}

pub(super) fn create_enum<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let name = parser.name()?;
    parser.accept(&["AS", "ENUM"]);
    let mut inside = parser.group()?;
    let mut labels = Vec::new();
    while let Some(mut element) = inside.element() {
        labels.push(element.string()?);
    }
    Some(Kind::CreateEnum { name, labels })
}

/// From behind `ALTER TYPE`.
pub(super) fn alter_type<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let from = parser.at;
    let name = parser.name()?;
    if parser.accept(&["ADD", "VALUE"]) {
        let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
        let label = parser.string()?;
        let position = if parser.accept(&["BEFORE"]) {
            Some(EnumPosition::Before(parser.string()?))
        } else if parser.accept(&["AFTER"]) {
            Some(EnumPosition::After(parser.string()?))
        } else {
            None
        };
        return Some(Kind::AddEnumValue { name, label, if_not_exists, position });
    }
    if parser.accept(&["RENAME", "VALUE"]) {
        let from = parser.string()?;
        if !parser.accept(&["TO"]) {
            return None;
        }
        let to = parser.string()?;
        return Some(Kind::RenameEnumValue { name, from, to });
    }
    parser.at = from;
    rename(parser, "TYPE")
}

/// From behind `CREATE DOMAIN`.
pub(super) fn create_domain<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let name = parser.name()?;
    parser.accept(&["AS"]);
    let ty = data_type(parser)?;
    Some(Kind::CreateDomain { name, ty, rest: parser.rest() })
}

/// `COMMENT ON` one of the objects the catalog keeps comments of; from behind COMMENT.
pub(super) fn typed_comment(parser: &Parser<'_, '_>) -> bool {
    ["TABLE", "COLUMN", "INDEX", "CONSTRAINT"].iter().any(|what| parser.are(&["ON", what]))
        && !(parser.are(&["ON", "CONSTRAINT"]) && parser.has_words(&["ON", "DOMAIN"]))
}

pub(super) fn comment<'a>(parser: &mut Parser<'a, '_>) -> Option<Comment<'a>> {
    parser.accept(&["ON"]);
    let what = parser.accept_any(&["TABLE", "COLUMN", "INDEX", "CONSTRAINT"])?;
    let (object, part) = match what {
        "COLUMN" => {
            let (table, column) = column_of_table(parser)?;
            (table, Some(column))
        }
        "CONSTRAINT" => {
            let constraint = parser.ident()?;
            if !parser.accept(&["ON"]) {
                return None;
            }
            (parser.name()?, Some(constraint))
        }
        _ => (parser.name()?, None),
    };
    if !parser.accept(&["IS"]) {
        return None;
    }
    let from = parser.at;
    let text = if parser.accept(&["NULL"]) {
        None
    } else {
        parser.string()?;
        // Literals next to each other are one.
        while parser.string().is_some() {}
        Some(parser.slice(from, parser.at))
    };
    Some(Comment { what, object, part, text })
}

/// From behind `DROP TABLE`.
pub(super) fn drop_table<'a>(parser: &mut Parser<'a, '_>) -> Option<Drop<'a>> {
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let names = parser.names()?;
    let cascade = parser.accept(&["CASCADE"]);
    parser.accept(&["RESTRICT"]);
    Some(Drop { names, if_exists, cascade })
}

/// What DROP may name, longest words first.
const DROPPED: &[(&[&str], &str)] = &[
    (&["MATERIALIZED", "VIEW"], "MATERIALIZED VIEW"),
    (&["EVENT", "TRIGGER"], "EVENT TRIGGER"),
    (&["VIEW"], "VIEW"),
    (&["TYPE"], "TYPE"),
    (&["DOMAIN"], "DOMAIN"),
    (&["SEQUENCE"], "SEQUENCE"),
    (&["TRIGGER"], "TRIGGER"),
    (&["FUNCTION"], "FUNCTION"),
    (&["PROCEDURE"], "PROCEDURE"),
    (&["ROUTINE"], "ROUTINE"),
    (&["AGGREGATE"], "AGGREGATE"),
    (&["POLICY"], "POLICY"),
    (&["RULE"], "RULE"),
    (&["SCHEMA"], "SCHEMA"),
    (&["EXTENSION"], "EXTENSION"),
    (&["STATISTICS"], "STATISTICS"),
    (&["PUBLICATION"], "PUBLICATION"),
    (&["EVENT"], "EVENT"),
];

/// From behind `DROP`; `None` for what has no typed form.
pub(super) fn drop_other<'a>(parser: &mut Parser<'a, '_>) -> Option<Kind<'a>> {
    let (words, what) = DROPPED.iter().find(|(words, _)| parser.are(words))?;
    parser.at += words.len();
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    let mut names = Vec::new();
    loop {
        names.push(parser.name()?);
        // A function's argument types.
        parser.group();
        if !parser.accept_kind(TokenKind::Comma) {
            break;
        }
    }
    let mut on = None;
    if parser.accept(&["ON"]) {
        on = Some(parser.name()?);
    }
    let cascade = parser.accept(&["CASCADE"]);
    parser.accept(&["RESTRICT"]);
    Some(Kind::DropOther { what, names, on, if_exists, cascade })
}
