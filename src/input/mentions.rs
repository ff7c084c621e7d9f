//! Names found by a token scan: what a body *may* depend on.
//!
//! Enters: the text of a view, trigger or function. Leaves: every name in it, once, in order.
//! Must not know: what the names are.

use std::collections::BTreeSet;

use crate::source::Dialect;

use super::lexer::{LexemeKind, Lexer};
use super::literal;
use super::tokens::TokenKind;

/// Words no server takes as a bare name.
const RESERVED: &[&str] = &[
    "ALL", "AND", "AS", "BY", "CASE", "CREATE", "DELETE", "DISTINCT", "ELSE", "EXISTS", "FROM",
    "GROUP", "HAVING", "IN", "INSERT", "INTO", "IS", "JOIN", "NOT", "NULL", "ON", "OR", "ORDER",
    "SELECT", "SET", "TABLE", "THEN", "UNION", "UPDATE", "VALUES", "WHEN", "WHERE",
];

/// Bodies in bodies are rare, and each costs the time of reading it once more.
const DEEPEST_BODY: usize = 4;

/// The columns that a GRANT names one by one: `GRANT SELECT (a, b), UPDATE (a) ON t TO r`.
pub fn granted_columns(text: &str, dialect: Dialect) -> Vec<String> {
    let lexer = Lexer::new(text, dialect);
    let mut found = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Ok(lexeme) = lexer.next(at) {
        at = lexeme.end;
        let raw = &text[lexeme.start..lexeme.end];
        match lexeme.kind {
            LexemeKind::End => break,
            LexemeKind::Token(TokenKind::Open) => depth += 1,
            LexemeKind::Token(TokenKind::Close) => depth = depth.saturating_sub(1),
            LexemeKind::Token(TokenKind::Word) if depth == 0 && raw.eq_ignore_ascii_case("on") => {
                break;
            }
            LexemeKind::Token(TokenKind::Word) if depth > 0 => {
                found.push(literal::bare_name(raw, dialect).into_owned());
            }
            LexemeKind::Token(TokenKind::Quoted) if depth > 0 => {
                found.push(literal::quoted_name(raw, dialect).into_owned());
            }
            _ => {}
        }
    }
    found
}

/// Every name that stands in the text, as the server stores it, in order of appearance. Bodies in
/// dollar quotes, strings behind AS and the arguments behind EXECUTE are read as well: they are
/// code. What cannot be scanned ends the list.
pub fn columns_mentioned(text: &str, dialect: Dialect) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |name: &str| {
        if seen.insert(name.to_owned()) {
            found.push(name.to_owned());
        }
    };
    // A body may hold a body; each is read as a text of its own.
    let mut texts = vec![(text.to_owned(), 0)];
    while let Some((text, depth)) = texts.pop() {
        let inside_body = depth > 0;
        let lexer = Lexer::new(&text, dialect);
        let mut at = 0;
        let mut code_follows = inside_body;
        let mut executes = false;
        while let Ok(lexeme) = lexer.next(at) {
            at = lexeme.end;
            let raw = &text[lexeme.start..lexeme.end];
            let is = |words: &[&str]| words.iter().any(|w| raw.eq_ignore_ascii_case(w));
            match lexeme.kind {
                LexemeKind::End => break,
                LexemeKind::Token(TokenKind::Word) | LexemeKind::Placeholder => {
                    executes = executes || is(&["EXECUTE"]);
                    code_follows = inside_body || executes || is(&["AS"]);
                    if !is(RESERVED) {
                        add(&literal::bare_name(raw, dialect));
                    }
                }
                LexemeKind::Token(TokenKind::Quoted) => add(&literal::quoted_name(raw, dialect)),
                LexemeKind::Token(TokenKind::Text) if raw.starts_with('$') || code_follows => {
                    let body = literal::string(raw, dialect);
                    if depth < DEEPEST_BODY {
                        texts.push((body.into_owned(), depth + 1));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_names_columns_in_brackets_only() {
        let granted = |text| granted_columns(text, Dialect::Postgres);
        assert_eq!(
            granted("GRANT SELECT (Id, \"On\"), UPDATE\n(a) ON TABLE t TO a, b"),
            ["id", "On", "a"]
        );
        assert_eq!(granted("GRANT SELECT, INSERT ON a TO id"), [""; 0]);
    }
}
