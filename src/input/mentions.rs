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
