//! The rule for a *change*: everything in it is understood, or it is refused.
//!
//! Enters: the statements of a change. Leaves: nothing, or an error that points at the first place
//! that was not understood. Must not know: what the change asks for.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::source::{Dialect, Source, Span};

use super::ast::{
    AlterKind, ColumnConstraintKind, ColumnDef, CreateTable, Kind, Statement, TableConstraint,
    TableConstraintKind,
};
use super::lexer::{LexemeKind, Lexer};
use super::parser::Parser;
use super::scanner::Scanner;
use super::statement::understand;
use super::tokens::{Piece, TokenKind};

const HINT: &str = "check the spelling; what one dialect takes, another may not (`--server`)";

pub fn strict(source: &Source, statements: &[Statement<'_>], dialect: Dialect) -> Result<()> {
    for statement in statements {
        if statement.templated {
            return Err(templated(source, statement));
        }
        nothing_breaks_off(source, statement, dialect)?;
        match &statement.kind {
            Kind::Opaque(opaque) if opaque.unknown => {
                return Err(unknown(source, statement, dialect));
            }
            Kind::CreateTable(table) => create_table(source, table, dialect)?,
            Kind::AlterTable(alter) => {
                for action in &alter.actions {
                    match &action.kind {
                        AlterKind::Unknown => {
                            return Err(not_understood(
                                source,
                                action.text.span(),
                                "this action of ALTER TABLE",
                                dialect,
                            ));
                        }
                        AlterKind::AddColumn { column, .. }
                        | AlterKind::Redefine { column, .. } => {
                            column_def(source, column, dialect)?;
                        }
                        AlterKind::AddConstraint(constraint) => {
                            table_constraint(source, constraint, dialect)?;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// An operator has something on its right: `a >)` and `DEFAULT 1 +` have not.
fn nothing_breaks_off(source: &Source, statement: &Statement<'_>, dialect: Dialect) -> Result<()> {
    let text = statement.text.text;
    let lexer = Lexer::new(text, dialect);
    let mut operator: Option<Range<usize>> = None;
    let mut is_whole = false;
    let mut before = "";
    let mut at = 0;
    while let Ok(lexeme) = lexer.next(at) {
        at = lexeme.end;
        let word = &text[lexeme.start..lexeme.end];
        match lexeme.kind {
            LexemeKind::LineComment | LexemeKind::BlockComment => continue,
            LexemeKind::End | LexemeKind::Token(TokenKind::Close | TokenKind::Comma) => {
                if let Some(range) = operator.take().filter(|_| !is_whole) {
                    let start = statement.text.start;
                    let span = Span::new(start + range.start, start + range.end);
                    return Err(Error::refused(format!("nothing follows `{}`", &text[range])).at(
                        source,
                        span,
                        "what is on its right?",
                    ));
                }
            }
            LexemeKind::Token(TokenKind::Operator) => {
                operator = match operator {
                    Some(range) if range.end == lexeme.start => Some(range.start..lexeme.end),
                    _ => {
                        // `count(*)`, `a[2:]`, `OPERATOR(pg_catalog.=)`, `EXCLUDE (a WITH =)`
                        is_whole = matches!(word, "*" | ":")
                            || matches!(before, "(" | ".")
                            || before.eq_ignore_ascii_case("with");
                        Some(lexeme.start..lexeme.end)
                    }
                };
            }
            _ => operator = None,
        }
        if lexeme.kind == LexemeKind::End {
            break;
        }
        before = word;
    }
    Ok(())
}

fn create_table(source: &Source, table: &CreateTable<'_>, dialect: Dialect) -> Result<()> {
    if let Some(element) = table.unknown.first() {
        if element.text == "," {
            return Err(Error::refused("nothing follows this comma")
                .at(source, element.span(), "the last one in the parentheses")
                .hint("remove it"));
        }
        let what = "this part of CREATE TABLE";
        return Err(not_understood(source, element.span(), what, dialect));
    }
    for column in &table.columns {
        column_def(source, column, dialect)?;
    }
    for constraint in &table.constraints {
        table_constraint(source, constraint, dialect)?;
    }
    Ok(())
}

fn column_def(source: &Source, column: &ColumnDef<'_>, dialect: Dialect) -> Result<()> {
    for constraint in &column.constraints {
        if constraint.kind == ColumnConstraintKind::Unknown {
            let what = format!("this part of the definition of `{}`", column.name.name);
            return Err(not_understood(source, constraint.text.span(), &what, dialect));
        }
    }
    Ok(())
}

fn table_constraint(
    source: &Source,
    constraint: &TableConstraint<'_>,
    dialect: Dialect,
) -> Result<()> {
    if constraint.kind == TableConstraintKind::Unknown {
        let span = constraint.text.span();
        return Err(not_understood(source, span, "this constraint", dialect));
    }
    Ok(())
}

fn not_understood(source: &Source, span: Span, what: &str, dialect: Dialect) -> Error {
    Error::refused(format!("{what} is not understood"))
        .at(source, span, format!("not known in {}", dialect.name()))
        .hint(HINT)
}

fn templated(source: &Source, statement: &Statement<'_>) -> Error {
    Error::refused("this statement has a placeholder in it")
        .at(source, statement.text.span(), "not final SQL")
        .note("miggen reads what the server will read")
        .hint("replace the placeholder by its value")
}

/// Reads the statement once more, to learn where understanding ended.
fn unknown(source: &Source, statement: &Statement<'_>, dialect: Dialect) -> Error {
    let alone = Source::new(source.name.as_str(), statement.text.text);
    let stuck = Scanner::new(&alone, dialect).ok().and_then(|mut scanner| {
        let mut piece = Piece::default();
        // What is a statement among others may be a comment by itself: `--` in MySQL.
        scanner.next(&mut piece).ok().filter(|found| *found)?;
        let parser = Parser::new(&alone.text, &piece, dialect);
        let token = understand(&parser).stuck?;
        let span = parser.place_of(token);
        let offset = statement.text.start;
        Some(Span::new(span.start + offset, span.end + offset))
    });
    let span = stuck.unwrap_or_else(|| statement.text.span());
    not_understood(source, span, "this statement", dialect)
}
