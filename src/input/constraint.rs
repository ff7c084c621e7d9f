//! Table constraints, foreign keys and index keys.
//!
//! Enters: a parser at a constraint. Leaves: a [`TableConstraint`]. Must not know: the statement
//! it stands in.

use super::ast::{
    CreateIndex, Ident, IndexKey, Name, References, Slice, TableConstraint, TableConstraintKind,
};
use super::column::check_options;
use super::parser::Parser;
use super::tokens::TokenKind;

/// A table constraint begins here, and not a column of that name.
pub(super) fn begins_constraint(parser: &Parser<'_, '_>) -> bool {
    match parser.keyword().as_str() {
        "CONSTRAINT" | "PRIMARY" | "UNIQUE" | "CHECK" | "FOREIGN" => true,
        "NOT" => parser.are(&["NOT", "NULL"]),
        "EXCLUDE" => {
            parser.postgres()
                && (parser.word(1).eq_ignore_ascii_case("using")
                    || parser.kind(1) == Some(TokenKind::Open))
        }
        _ => false,
    }
}

/// Reads one constraint; `None` leaves the parser where understanding ended.
pub(super) fn table_constraint<'a>(parser: &mut Parser<'a, '_>) -> Option<TableConstraint<'a>> {
    let from = parser.at;
    let mut name = None;
    if parser.accept(&["CONSTRAINT"]) && !begins_constraint(parser) {
        if parser.mysql() {
            parser.accept(&["IF", "NOT", "EXISTS"]);
        }
        name = Some(parser.ident()?);
    }
    let kind = match parser.keyword().as_str() {
        "PRIMARY" => {
            if !parser.accept(&["PRIMARY", "KEY"]) {
                return None;
            }
            if parser.are(&["USING", "INDEX"]) {
                using_index(parser, true)?
            } else {
                let before = before_keys(parser)?.options;
                let columns = index_keys(parser.group()?)?;
                let behind = key_rest(parser);
                // One slice is all there is room for.
                if before.is_some() && behind.is_some() {
                    return None;
                }
                TableConstraintKind::PrimaryKey { columns, rest: before.or(behind) }
            }
        }
        "UNIQUE" => {
            parser.at += 1;
            if parser.are(&["USING", "INDEX"]) {
                using_index(parser, false)?
            } else {
                let before = before_keys(parser)?;
                name = before.index.or(name);
                TableConstraintKind::Unique {
                    before: before.options,
                    columns: index_keys(parser.group()?)?,
                    rest: key_rest(parser),
                }
            }
        }
        "CHECK" => {
            parser.at += 1;
            let mut inside = parser.group()?;
            TableConstraintKind::Check { expr: inside.rest()?, rest: check_options(parser) }
        }
        "FOREIGN" => {
            if !parser.accept(&["FOREIGN", "KEY"]) {
                return None;
            }
            if parser.mysql() {
                parser.accept(&["IF", "NOT", "EXISTS"]);
            }
            // MySQL: a name for the index, which the server may choose to build.
            if !parser.is_group() {
                parser.ident()?;
            }
            let columns = parser.group()?.idents()?;
            if !parser.accept(&["REFERENCES"]) {
                return None;
            }
            TableConstraintKind::ForeignKey { columns, references: references(parser)? }
        }
        "NOT" => {
            if !parser.accept(&["NOT", "NULL"]) {
                return None;
            }
            let column = parser.ident()?;
            parser.accept(&["NO", "INHERIT"]);
            TableConstraintKind::NotNull { column }
        }
        "EXCLUDE" => {
            parser.at += 1;
            if parser.accept(&["USING"]) {
                parser.ident()?;
            }
            parser.group()?;
            options_of_key(parser);
            if parser.accept(&["WHERE"]) {
                parser.group()?;
            }
            options_of_key(parser);
            TableConstraintKind::Exclude
        }
        _ => return None,
    };
    let end = parser.at;
    let not_valid = parser.accept(&["NOT", "VALID"]);
    // `NOT VALID DEFERRABLE`: options may follow it too, but then nothing can be cut as one piece.
    let text = parser.slice(from, if not_valid { parser.at } else { end });
    Some(TableConstraint { name, kind, not_valid, text })
}

/// `USING INDEX i` behind UNIQUE or PRIMARY KEY.
fn using_index<'a>(parser: &mut Parser<'a, '_>, primary: bool) -> Option<TableConstraintKind<'a>> {
    parser.accept(&["USING", "INDEX"]);
    let index = parser.ident()?;
    Some(TableConstraintKind::UsingIndex { primary, index, rest: key_rest(parser) })
}

/// What stands between `UNIQUE` or `PRIMARY KEY` and the columns.
#[derive(Default)]
struct BeforeKeys<'a> {
    /// MySQL's name of the index.
    index: Option<Ident<'a>>,
    options: Option<Slice<'a>>,
}

fn before_keys<'a>(parser: &mut Parser<'a, '_>) -> Option<BeforeKeys<'a>> {
    let mut before = BeforeKeys::default();
    if parser.mysql() {
        parser.accept_any(&["KEY", "INDEX"]);
        parser.accept(&["IF", "NOT", "EXISTS"]);
        if !parser.is_group() && !parser.is("USING") && !parser.is("TYPE") {
            before.index = Some(parser.ident()?);
        }
    }
    let from = parser.at;
    if parser.mysql() {
        if parser.accept_any(&["USING", "TYPE"]).is_some() {
            parser.ident()?;
        }
    } else if !parser.accept(&["NULLS", "NOT", "DISTINCT"]) {
        parser.accept(&["NULLS", "DISTINCT"]);
    }
    before.options = parser.slice_if(from, parser.at);
    Some(before)
}

fn key_rest<'a>(parser: &mut Parser<'a, '_>) -> Option<Slice<'a>> {
    let from = parser.at;
    options_of_key(parser);
    parser.slice_if(from, parser.at)
}

/// Steps over the options of a primary key or unique constraint.
fn options_of_key(parser: &mut Parser<'_, '_>) {
    loop {
        options_of_column_key(parser);
        if !parser.mysql() || !mysql_index_option(parser) {
            return;
        }
    }
}

/// The same behind a column, where MySQL's words are the column's own: `UNIQUE KEY COMMENT 'x'`.
pub(super) fn options_of_column_key(parser: &mut Parser<'_, '_>) {
    loop {
        let known = deferrable(parser)
            || (parser.postgres() && postgres_key_option(parser))
            || (parser.sqlite() && parser.accept(&["ON", "CONFLICT"]) && parser.ident().is_some());
        if !known {
            return;
        }
    }
}

fn deferrable(parser: &mut Parser<'_, '_>) -> bool {
    parser.accept(&["DEFERRABLE"])
        || parser.accept(&["NOT", "DEFERRABLE"])
        || parser.accept(&["INITIALLY", "DEFERRED"])
        || parser.accept(&["INITIALLY", "IMMEDIATE"])
        || (!parser.sqlite() && parser.accept(&["NOT", "ENFORCED"]))
        || (!parser.sqlite() && parser.accept(&["ENFORCED"]))
}

fn postgres_key_option(parser: &mut Parser<'_, '_>) -> bool {
    let from = parser.at;
    if parser.accept(&["USING", "INDEX", "TABLESPACE"]) {
        return parser.ident().is_some();
    }
    if parser.accept_any(&["INCLUDE", "WITH"]).is_some() {
        if parser.group().is_some() {
            return true;
        }
        parser.at = from;
    }
    false
}

/// MySQL's index options.
pub(super) fn mysql_index_option(parser: &mut Parser<'_, '_>) -> bool {
    if parser.accept_any(&["USING", "TYPE"]).is_some() || parser.accept(&["WITH", "PARSER"]) {
        return parser.ident().is_some();
    }
    if parser
        .accept_any(&[
            "KEY_BLOCK_SIZE",
            "COMMENT",
            "ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE_ATTRIBUTE",
            "CLUSTERING",
            "DISTANCE",
            "M",
            "ALGORITHM",
            "LOCK",
        ])
        .is_some()
    {
        parser.accept_operator("=");
        let value = !parser.done();
        parser.skip();
        return value;
    }
    parser.accept(&["NOT", "IGNORED"])
        || parser.accept_any(&["VISIBLE", "INVISIBLE", "IGNORED", "NOWAIT"]).is_some()
}

/// From the table's name on, without REFERENCES.
pub(super) fn references<'a>(parser: &mut Parser<'a, '_>) -> Option<References<'a>> {
    let table = parser.name()?;
    let columns = match parser.group() {
        Some(inside) => inside.idents()?,
        None => Vec::new(),
    };
    let from = parser.at;
    loop {
        if parser.accept(&["MATCH"]) {
            parser.ident()?;
        } else if parser.accept(&["ON", "DELETE"]) || parser.accept(&["ON", "UPDATE"]) {
            let known = parser.accept_any(&["CASCADE", "RESTRICT"]).is_some()
                || parser.accept(&["NO", "ACTION"])
                || parser.accept(&["SET", "NULL"])
                || parser.accept(&["SET", "DEFAULT"]);
            if !known {
                return None;
            }
            parser.group();
        } else if !deferrable(parser) {
            break;
        }
    }
    Some(References { table, columns, actions: parser.slice_if(from, parser.at) })
}

/// All keys of an index or constraint: at least one, and none behind the last comma.
pub(super) fn index_keys<'a>(mut inside: Parser<'a, '_>) -> Option<Vec<IndexKey<'a>>> {
    if inside.done() || inside.slice(inside.at, inside.end).text.ends_with(',') {
        return None;
    }
    let mut keys = Vec::with_capacity(1);
    while let Some(element) = inside.element() {
        keys.push(index_key(element)?);
    }
    Some(keys)
}

fn index_key<'a>(mut parser: Parser<'a, '_>) -> Option<IndexKey<'a>> {
    let from = parser.at;
    if parser.done() {
        return None;
    }
    let text = parser.slice(from, parser.end);
    let mut column = parser.clone();
    if let Some(ident) = column.ident()
        && column_ends(&column)
    {
        return Some(IndexKey { text, column: Some(ident), rest: column.rest() });
    }
    // An expression runs up to what orders it, if anything does.
    parser.skip();
    parser.skip_until(&["COLLATE", "ASC", "DESC", "NULLS"]);
    let behind = parser.clone();
    if parser.postgres() {
        // `(a || b) text_pattern_ops`, `lower(a) s.ops`: an operator class follows what is closed.
        let mut expression = parser.within(from, parser.end);
        if !expression.is_group() {
            expression.name();
        }
        if expression.group().is_some() {
            return Some(IndexKey { text, column: None, rest: expression.rest() });
        }
    }
    let mut behind = behind;
    Some(IndexKey { text, column: None, rest: behind.rest() })
}

/// Behind a name: nothing, or words and what belongs to them, so the name is a plain column.
fn column_ends(parser: &Parser<'_, '_>) -> bool {
    match parser.kind(0) {
        None | Some(TokenKind::Word | TokenKind::Quoted) => true,
        // MySQL's prefix length.
        Some(TokenKind::Open) => {
            parser.mysql()
                && parser.kind(1) == Some(TokenKind::Number)
                && parser.kind(2) == Some(TokenKind::Close)
        }
        _ => false,
    }
}

/// MySQL's `KEY k (…)`: from behind `ADD` or the opening parenthesis.
pub(super) fn mysql_index<'a>(
    parser: &mut Parser<'a, '_>,
    table: &Name<'a>,
) -> Option<CreateIndex<'a>> {
    let mut method = None;
    let start = parser.at;
    if parser.accept_any(&["FULLTEXT", "SPATIAL", "VECTOR"]).is_some() {
        method = Some(parser.slice(start, parser.at));
        parser.accept_any(&["KEY", "INDEX"]);
    } else {
        parser.accept_any(&["KEY", "INDEX"])?;
    }
    let if_not_exists = parser.accept(&["IF", "NOT", "EXISTS"]);
    let mut name = None;
    if !parser.is_group() && !parser.is("USING") {
        name = Some(Name { schema: None, name: parser.ident()? });
    }
    if parser.accept_any(&["USING", "TYPE"]).is_some() {
        let from = parser.at;
        parser.ident()?;
        method = Some(parser.slice(from, parser.at));
    }
    let keys = index_keys(parser.group()?)?;
    let from = parser.at;
    while mysql_index_option(parser) {}
    Some(CreateIndex {
        name,
        table: table.clone(),
        unique: false,
        concurrently: false,
        if_not_exists,
        only: false,
        method,
        keys,
        include: Vec::new(),
        filter: None,
        options: parser.slice_if(from, parser.at),
    })
}
