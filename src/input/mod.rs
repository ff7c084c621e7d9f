//! Text → statements.
//!
//! Enters: a [`Source`] in a dialect. Leaves: [`ast::Statement`]s with exact byte ranges, types,
//! defaults, checks and bodies as verbatim slices. Must not know: what a server does with them.
//!
//! The scanner cuts the script into statements and each into tokens; a grammar on tokens, one for
//! all dialects and without recursion, gives them a form. sqlparser is asked about single
//! expressions only, in [`expr`].

mod alter_mysql;
mod alter_table;
pub mod ast;
mod column;
mod compound;
mod constraint;
mod create_table;
pub mod expr;
pub mod folder;
mod hidden;
mod index;
mod lexer;
pub(crate) mod literal;
mod mentions;
mod objects;
mod one_case;
mod opaque;
mod parser;
mod rows;
mod scanner;
mod search_path;
mod shape;
mod stand_in;
mod statement;
mod strict;
mod text;
mod tokens;
mod update;
mod views;

use std::borrow::Cow;

use crate::error::Result;
use crate::source::{Dialect, Source};

use ast::{Kind, Opaque, Slice, Statement};
use parser::Parser;
use scanner::Scanner;
use statement::understand;
use tokens::Piece;

pub(crate) use create_table::is_mysql_table_option;
pub use hidden::{Code, code};
pub use mentions::{columns_mentioned, granted_columns};
pub use one_case::{Declared, declare, one_case};
pub use shape::{cast_of, is_calls_only, is_null_test, literal_text, qualify, unqualified};
pub use strict::strict;
pub(crate) use text::{
    calls, folded, gives_name, indented, is_in_brackets, is_query, lex, mentions, operand, renamed,
    says, says_schema,
};
pub(crate) use tokens::{Token, TokenKind};
pub use views::view_reads;

/// Splits the script and types each statement, or names it as opaque. An error only for what
/// cannot be cut: an unclosed quote, comment or bracket.
pub fn read(source: &Source, dialect: Dialect) -> Result<Vec<Statement<'_>>> {
    let mut scanner = Scanner::new(source, dialect)?;
    let mut piece = Piece::default();
    let mut statements = Vec::new();
    let mut schema = None;
    while scanner.next(&mut piece)? {
        statements.push(statement(source, &piece, dialect, schema.clone()));
        if dialect == Dialect::Postgres {
            schema = search_path::follow(schema, &Parser::new(&source.text, &piece, dialect));
        }
    }
    // Hints behind the last statement belong to it.
    if let Some(last) = statements.last_mut() {
        last.hints.extend(hints(source, &piece));
    }
    Ok(statements)
}

fn statement<'a>(
    source: &'a Source,
    piece: &Piece,
    dialect: Dialect,
    schema: Option<String>,
) -> Statement<'a> {
    let text = Slice { text: &source.text[piece.start..piece.end], start: piece.start };
    let kind = if piece.client {
        client(text.text)
    } else {
        let mut parser = Parser::new(&source.text, piece, dialect);
        parser.schema = schema.as_deref();
        understand(&parser).kind
    };
    let hints = hints(source, piece).collect();
    Statement { text, hints, templated: piece.templated, schema, kind }
}

fn hints<'a>(source: &'a Source, piece: &Piece) -> impl Iterator<Item = Slice<'a>> {
    piece.hints.iter().map(|range| Slice { text: &source.text[range.clone()], start: range.start })
}

/// A line for the client program; it may read another file.
fn client(line: &str) -> Kind<'_> {
    let command = line.split_ascii_whitespace().next().unwrap_or(line);
    let reads = ["\\i", "\\ir", "\\include", "\\include_relative", ".read", "source"];
    Kind::Opaque(Opaque {
        kind: Cow::Borrowed(command),
        object: None,
        on: None,
        may_hide_ddl: reads.iter().any(|word| command.eq_ignore_ascii_case(word)),
        unknown: false,
    })
}
