//! Column definitions: name, type, constraints.
//!
//! Enters: a parser at a column's name. Leaves: a [`ColumnDef`] whose unknown parts are marked as
//! such. Must not know: what the column stands in.

use super::ast::{ColumnConstraint, ColumnConstraintKind, ColumnDef, Slice};
use super::constraint::{options_of_column_key, references};
use super::parser::Parser;
use super::tokens::TokenKind;

/// Reads to the end of `parser`; what is not understood becomes an unknown constraint.
pub(super) fn column<'a>(parser: &mut Parser<'a, '_>) -> Option<ColumnDef<'a>> {
    let from = parser.at;
    let name = parser.ident()?;
    let ty = data_type(parser);
    let mut constraints = Vec::new();
    while !parser.done() {
        let start = parser.at;
        let constraint = column_constraint(parser).unwrap_or_else(|| {
            parser.at = parser.end;
            ColumnConstraint {
                name: None,
                kind: ColumnConstraintKind::Unknown,
                text: parser.slice(start, parser.end),
            }
        });
        constraints.push(constraint);
    }
    // A dump has very many columns, and most have one constraint or none.
    constraints.shrink_to_fit();
    Some(ColumnDef { name, ty, constraints, text: parser.slice(from, parser.end) })
}

/// Words that begin a constraint and so cannot begin a type.
#[rustfmt::skip]
const NOT_A_TYPE: &[&str] = &[
    "CONSTRAINT", "NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "COLLATE",
    "AS", "WITH", "ON",
];

/// Steps over a type, if one stands here. It never runs into what follows it: a word that is no
/// known part of a type ends it.
pub(super) fn data_type<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    if parser.is_any(NOT_A_TYPE) || parser.are(&["GENERATED", "ALWAYS"]) {
        return None;
    }
    let from = parser.at;
    if parser.sqlite() {
        // Any words at all, then numbers in parentheses.
        while matches!(parser.kind(0), Some(TokenKind::Word | TokenKind::Quoted | TokenKind::Text))
            && !parser.is_any(NOT_A_TYPE)
            && !parser.are(&["GENERATED", "ALWAYS"])
            && !parser.is("AUTOINCREMENT")
        {
            parser.at += 1;
        }
        if parser.at > from {
            parser.group();
        }
        return parser.slice_if(from, parser.at);
    }
    let first = parser.keyword();
    parser.ident()?;
    while parser.accept_kind(TokenKind::Dot) {
        parser.ident()?;
    }
    if parser.postgres() {
        postgres_type(parser, first.as_str());
    } else {
        mysql_type(parser, first.as_str());
    }
    Some(parser.slice(from, parser.at))
}

fn postgres_type(parser: &mut Parser<'_, '_>, first: &str) {
    if first == "NATIONAL" {
        parser.accept_any(&["CHARACTER", "CHAR"]);
    }
    if first == "SETOF" {
        parser.ident();
    }
    loop {
        let known = match first {
            "DOUBLE" => parser.accept(&["PRECISION"]),
            "CHARACTER" | "CHAR" | "BIT" | "NATIONAL" => parser.accept(&["VARYING"]),
            "INTERVAL" => parser
                .accept_any(&["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO"])
                .is_some(),
            "TIME" | "TIMESTAMP" => {
                parser.accept(&["WITH", "TIME", "ZONE"])
                    || parser.accept(&["WITHOUT", "TIME", "ZONE"])
            }
            _ => false,
        };
        if parser.kind(0) == Some(TokenKind::Open) {
            parser.skip();
        } else if !known && !parser.accept(&["ARRAY"]) {
            return;
        }
    }
}

fn mysql_type(parser: &mut Parser<'_, '_>, first: &str) {
    match first {
        "NATIONAL" => {
            parser.accept_any(&["VARCHAR", "VARCHARACTER", "CHAR", "CHARACTER"]);
        }
        "LONG" => {
            parser.accept_any(&["VARCHAR", "VARCHARACTER", "VARBINARY", "CHAR", "CHARACTER"]);
        }
        "DOUBLE" => {
            parser.accept(&["PRECISION"]);
        }
        _ => {}
    }
    if matches!(first, "CHAR" | "CHARACTER" | "NATIONAL" | "NCHAR" | "LONG") {
        parser.accept(&["VARYING"]);
    }
    parser.group();
    while parser.accept_any(&["UNSIGNED", "SIGNED", "ZEROFILL"]).is_some() {}
    if matches!(first, "CHAR" | "CHARACTER") {
        parser.accept(&["BYTE"]);
    }
}

fn column_constraint<'a>(parser: &mut Parser<'a, '_>) -> Option<ColumnConstraint<'a>> {
    let from = parser.at;
    let mut name = None;
    if parser.accept(&["CONSTRAINT"]) {
        // MySQL allows CONSTRAINT without a name.
        if !parser.is_any(&["CHECK", "PRIMARY", "UNIQUE", "REFERENCES"]) {
            name = Some(parser.ident()?);
        }
    }
    let kind = constraint_kind(parser)?;
    Some(ColumnConstraint { name, kind, text: parser.slice(from, parser.at) })
}

fn constraint_kind<'a>(parser: &mut Parser<'a, '_>) -> Option<ColumnConstraintKind<'a>> {
    let kind = match parser.keyword().as_str() {
        "NOT" if parser.accept(&["NOT", "NULL"]) => {
            parser.accept(&["NO", "INHERIT"]);
            let from = parser.at;
            on_conflict(parser);
            ColumnConstraintKind::NotNull { rest: parser.slice_if(from, parser.at) }
        }
        "NULL" => {
            parser.at += 1;
            on_conflict(parser);
            ColumnConstraintKind::Null
        }
        "DEFAULT" => {
            parser.at += 1;
            ColumnConstraintKind::Default(default(parser)?)
        }
        "PRIMARY" | "KEY" => {
            let key =
                parser.accept(&["PRIMARY", "KEY"]) || (parser.mysql() && parser.accept(&["KEY"]));
            if !key {
                return None;
            }
            let from = parser.at;
            parser.accept_any(&["ASC", "DESC"]);
            options_of_column_key(parser);
            let rest = parser.slice_if(from, parser.at);
            let autoincrement = parser.sqlite() && parser.accept(&["AUTOINCREMENT"]);
            ColumnConstraintKind::PrimaryKey { autoincrement, rest }
        }
        "UNIQUE" => {
            parser.at += 1;
            if parser.mysql() {
                parser.accept(&["KEY"]);
            }
            let from = parser.at;
            if !parser.accept(&["NULLS", "NOT", "DISTINCT"]) {
                parser.accept(&["NULLS", "DISTINCT"]);
            }
            options_of_column_key(parser);
            ColumnConstraintKind::Unique { rest: parser.slice_if(from, parser.at) }
        }
        "CHECK" => {
            parser.at += 1;
            let mut inside = parser.group()?;
            let expr = inside.rest()?;
            ColumnConstraintKind::Check { expr, rest: check_options(parser) }
        }
        "REFERENCES" => {
            parser.at += 1;
            ColumnConstraintKind::References(references(parser)?)
        }
        "COLLATE" => {
            parser.at += 1;
            parser.accept_operator("=");
            ColumnConstraintKind::Collate(collation(parser)?)
        }
        "GENERATED" => {
            parser.at += 1;
            let always = parser.accept(&["ALWAYS"]);
            if !always && !parser.accept(&["BY", "DEFAULT"]) {
                return None;
            }
            if parser.accept(&["AS", "IDENTITY"]) {
                parser.group();
                return Some(ColumnConstraintKind::Identity { always });
            }
            // MariaDB's system versioning.
            if parser.accept(&["AS", "ROW"]) {
                parser.accept_any(&["START", "END"])?;
                return Some(ColumnConstraintKind::Other);
            }
            generated(parser)?
        }
        "AS" if !parser.postgres() => generated(parser)?,
        "AUTO_INCREMENT" if parser.mysql() => {
            parser.at += 1;
            ColumnConstraintKind::AutoIncrement
        }
        "COMMENT" if parser.mysql() => {
            parser.at += 1;
            parser.accept_operator("=");
            ColumnConstraintKind::Comment(parser.string()?)
        }
        "ON" if parser.mysql() && parser.accept(&["ON", "UPDATE"]) => {
            ColumnConstraintKind::OnUpdate(default(parser)?)
        }
        _ => return other(parser),
    };
    Some(kind)
}

fn generated<'a>(parser: &mut Parser<'a, '_>) -> Option<ColumnConstraintKind<'a>> {
    if !parser.accept(&["AS"]) {
        return None;
    }
    let mut inside = parser.group()?;
    let expr = inside.rest()?;
    let stored = parser.accept_any(&["STORED", "PERSISTENT"]).is_some();
    if !stored {
        parser.accept(&["VIRTUAL"]);
    }
    Some(ColumnConstraintKind::Generated { expr, stored })
}

/// Attributes without meaning for plans, one at a time.
fn other<'a>(parser: &mut Parser<'a, '_>) -> Option<ColumnConstraintKind<'a>> {
    let known = if parser.postgres() {
        if parser.accept_any(&["STORAGE", "COMPRESSION"]).is_some() {
            parser.ident().is_some()
        } else if parser.accept(&["OPTIONS"]) {
            parser.group().is_some()
        } else {
            parser.accept(&["WITH", "OPTIONS"]) || attribute_of_constraint(parser)
        }
    } else if parser.mysql() {
        mysql_attribute(parser)
    } else {
        attribute_of_constraint(parser)
    };
    known.then_some(ColumnConstraintKind::Other)
}

fn mysql_attribute(parser: &mut Parser<'_, '_>) -> bool {
    if parser.accept(&["CHARACTER", "SET"])
        || parser.accept(&["CHAR", "SET"])
        || parser.accept_any(&["CHARSET", "COLUMN_FORMAT", "STORAGE"]).is_some()
    {
        parser.accept_operator("=");
        return parser.ident().is_some();
    }
    if parser.accept_any(&["SRID", "REF_SYSTEM_ID"]).is_some() {
        parser.accept_operator("=");
        return parser.accept_kind(TokenKind::Number);
    }
    if parser.accept_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"]).is_some() {
        parser.accept_operator("=");
        return parser.string().is_some();
    }
    if parser.accept(&["COMPRESSED"]) {
        if parser.accept_operator("=") {
            parser.at += 1;
        }
        return true;
    }
    parser.accept(&["WITH", "SYSTEM", "VERSIONING"])
        || parser.accept(&["WITHOUT", "SYSTEM", "VERSIONING"])
        || parser
            .accept_any(&[
                "BINARY",
                "ASCII",
                "UNICODE",
                "INVISIBLE",
                "VISIBLE",
                "VIRTUAL",
                "STORED",
                "PERSISTENT",
            ])
            .is_some()
        || attribute_of_constraint(parser)
}

/// `DEFERRABLE`, `NOT ENFORCED` … where they do not stand right behind what they belong to.
fn attribute_of_constraint(parser: &mut Parser<'_, '_>) -> bool {
    if parser.accept(&["INITIALLY"]) {
        return parser.accept_any(&["DEFERRED", "IMMEDIATE"]).is_some();
    }
    parser.accept(&["DEFERRABLE"])
        || parser.accept(&["NOT", "DEFERRABLE"])
        || parser.accept(&["ENFORCED"])
        || parser.accept(&["NOT", "ENFORCED"])
}

/// SQLite's `ON CONFLICT …`.
fn on_conflict(parser: &mut Parser<'_, '_>) {
    if parser.accept(&["ON", "CONFLICT"]) {
        parser.ident();
    }
}

/// What may follow the parentheses of a CHECK.
pub(super) fn check_options<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    let from = parser.at;
    loop {
        if !parser.accept(&["NO", "INHERIT"]) && !attribute_of_constraint(parser) {
            break;
        }
    }
    if parser.sqlite() {
        on_conflict(parser);
    }
    parser.slice_if(from, parser.at)
}

pub(super) fn collation<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    let from = parser.at;
    parser.name()?;
    Some(parser.slice(from, parser.at))
}

/// Words that may stand behind an operand inside a default without an operator.
#[rustfmt::skip]
const CONTINUES: &[&str] = &[
    "AT", "TIME", "ZONE", "LOCAL", "PRECISION", "VARYING", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE",
    "SECOND", "TO", "IS", "OPERATOR", "DIV", "MOD", "OR", "AND", "LIKE", "IN", "BETWEEN",
];

/// The expression of a DEFAULT: up to a word that cannot continue it.
pub(super) fn default<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    let from = parser.at;
    if parser.is_any(NOT_A_TYPE) && !parser.is("NULL") {
        return None;
    }
    // An operand is complete, so a word now begins something else.
    let mut complete = false;
    while let Some(token) = parser.token(0) {
        match token.kind {
            TokenKind::Word if !complete && parser.is("CASE") => {
                parser.at += 1;
                let mut cases = 1;
                while cases > 0 && !parser.done() {
                    cases += usize::from(parser.is("CASE"));
                    cases -= usize::from(parser.is("END"));
                    parser.skip();
                }
                complete = true;
            }
            TokenKind::Word if !complete => {
                // `NOT`, `interval`, `DISTINCT` want something behind them; a string does follow.
                complete = !(parser.is_any(&["NOT", "DISTINCT", "FROM"]));
                parser.at += 1;
            }
            TokenKind::Word if parser.is_any(&["WITH", "WITHOUT"]) => {
                // `'…'::timestamp with time zone`.
                if !parser.word(1).eq_ignore_ascii_case("time") {
                    break;
                }
                parser.at += 1;
            }
            TokenKind::Word if parser.is_any(CONTINUES) => {
                complete = parser.is_any(&[
                    "ZONE",
                    "LOCAL",
                    "PRECISION",
                    "VARYING",
                    "YEAR",
                    "MONTH",
                    "DAY",
                    "HOUR",
                    "MINUTE",
                    "SECOND",
                ]);
                parser.at += 1;
            }
            TokenKind::Word => break,
            TokenKind::Comma | TokenKind::Close | TokenKind::Semicolon => break,
            // A number or a bare name next to an operand belongs to nothing.
            TokenKind::Number | TokenKind::Quoted | TokenKind::Parameter if complete => break,
            TokenKind::Number | TokenKind::Quoted | TokenKind::Parameter | TokenKind::Text => {
                complete = true;
                parser.at += 1;
            }
            TokenKind::Open => {
                complete = true;
                parser.skip();
            }
            TokenKind::Dot | TokenKind::Operator => {
                complete = false;
                parser.at += 1;
            }
        }
    }
    parser.slice_if(from, parser.at)
}
