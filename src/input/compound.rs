//! Where a body of several statements ends, when nothing quotes it.
//!
//! Enters: the words of a statement outside all brackets. Leaves: whether a `;` here is inside a
//! body. Must not know: what the statements in the body do.

use crate::source::Dialect;

use super::lexer::Lexeme;
use super::tokens::{Token, TokenKind};

#[derive(Debug, Default)]
pub(super) struct Compound {
    head: Head,
    depth: usize,
}

/// What the first words promise.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Head {
    #[default]
    Unknown,
    /// No body can follow.
    Plain,
    /// PostgreSQL: `BEGIN ATOMIC … END`.
    Atomic,
    /// SQLite: up to `; END`.
    Trigger,
    /// MySQL: blocks that nest, each with its own END.
    Routine,
}

impl Compound {
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Takes the next token, which is not in `before` yet.
    pub(super) fn see(
        &mut self,
        text: &str,
        before: &[Token],
        kind: TokenKind,
        lexeme: Lexeme,
        dialect: Dialect,
    ) {
        if self.head == Head::Plain || kind != TokenKind::Word {
            return;
        }
        let word = &text[lexeme.start..lexeme.end];
        let is = |words: &[&str]| words.iter().any(|w| word.eq_ignore_ascii_case(w));
        let previous = before.last().copied();
        let previous_word = previous
            .filter(|token| token.kind == TokenKind::Word)
            .map_or("", |token| &text[token.range()]);
        let behind = |words: &[&str]| words.iter().any(|w| previous_word.eq_ignore_ascii_case(w));
        match self.head {
            Head::Unknown => self.decide(text, before, word, dialect),
            Head::Plain => {}
            Head::Atomic if self.depth == 0 => {
                if is(&["atomic"]) && behind(&["begin"]) {
                    self.depth = 1;
                }
            }
            Head::Atomic => {
                if is(&["case"]) {
                    self.depth += 1;
                } else if is(&["end"]) {
                    self.depth -= 1;
                }
            }
            Head::Trigger => {
                let semicolon = previous.is_some_and(|token| token.kind == TokenKind::Semicolon);
                if is(&["begin"]) && self.depth == 0 {
                    self.depth = 1;
                } else if is(&["end"]) && semicolon {
                    self.depth = 0;
                }
            }
            Head::Routine => {
                if behind(&["end"]) {
                    // END IF, END LOOP …: the block is counted already.
                } else if is(&["end"]) {
                    self.depth = self.depth.saturating_sub(1);
                } else if is(&["begin", "case", "loop", "while"])
                    || (is(&["if", "repeat"]) && self.statement_begins(text, previous))
                {
                    self.depth += 1;
                }
            }
        }
    }

    fn decide(&mut self, text: &str, before: &[Token], word: &str, dialect: Dialect) {
        let is = |words: &[&str]| words.iter().any(|w| word.eq_ignore_ascii_case(w));
        let Some(first) = before.first() else {
            let promising =
                is(&["create", "alter"]) || (dialect == Dialect::MariaDb && is(&["begin"]));
            if !promising {
                self.head = Head::Plain;
            }
            return;
        };
        if text[first.range()].eq_ignore_ascii_case("begin") {
            match before.len() {
                1 if is(&["not"]) => {}
                2 if is(&["atomic"]) => {
                    self.head = Head::Routine;
                    self.depth = 1;
                }
                _ => self.head = Head::Plain,
            }
            return;
        }
        self.head = match dialect {
            Dialect::Postgres if is(&["function", "procedure"]) => Head::Atomic,
            Dialect::Postgres if is(&["or", "replace"]) => Head::Unknown,
            Dialect::Postgres => Head::Plain,
            Dialect::Sqlite if is(&["trigger"]) => Head::Trigger,
            Dialect::Sqlite if is(&["temp", "temporary"]) => Head::Unknown,
            Dialect::Sqlite => Head::Plain,
            _ if is(&["procedure", "function", "trigger", "event"]) => Head::Routine,
            _ if is(&["table", "view", "index", "database", "schema", "user", "sequence"]) => {
                Head::Plain
            }
            _ => Head::Unknown,
        };
    }

    /// IF and REPEAT are functions too, but not where a statement begins.
    fn statement_begins(&self, text: &str, previous: Option<Token>) -> bool {
        let Some(previous) = previous else {
            return false;
        };
        match previous.kind {
            TokenKind::Semicolon => true,
            TokenKind::Close => self.depth == 0,
            TokenKind::Operator => &text[previous.range()] == ":",
            TokenKind::Word => {
                let word = &text[previous.range()];
                let inside = ["begin", "then", "else", "do", "loop", "repeat"];
                let header = ["row", "deterministic", "sql", "data", "definer", "invoker"];
                inside.iter().any(|w| word.eq_ignore_ascii_case(w))
                    || (self.depth == 0 && header.iter().any(|w| word.eq_ignore_ascii_case(w)))
            }
            _ => false,
        }
    }
}
