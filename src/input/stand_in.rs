//! Words that begin with `$`, `:`, `@` or `{`: parameters, variables, placeholders of templates.
//!
//! Enters: a lexer at such a byte. Leaves: the [`Lexeme`]. Must not know: what stands in for what.

use crate::source::Dialect;

use super::lexer::{Fault, Lexeme, LexemeKind, Lexer};
use super::tokens::TokenKind;

/// Keeps the search for the end of a placeholder from reading the whole script again and again.
const LONGEST_PLACEHOLDER: usize = 200;

impl<'a> Lexer<'a> {
    pub(super) fn dollar(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        let next = self.byte(start + 1);
        if let Some(end) = self.placeholder(start) {
            return Ok(self.joined(start, end, true));
        }
        let token = |kind, end| Ok(Lexeme { kind: LexemeKind::Token(kind), start, end });
        if next.is_ascii_digit() && !self.mysql() {
            return token(TokenKind::Parameter, self.digits(start + 1));
        }
        match self.dialect {
            _ if next == b'{' => token(TokenKind::Operator, start + 1),
            Dialect::MySql | Dialect::MariaDb => Ok(self.joined(start, start, false)),
            Dialect::Sqlite if self.is_word_byte(start + 1) => {
                let word = self.joined(start, start + 1, false);
                token(TokenKind::Parameter, word.end)
            }
            Dialect::Sqlite => token(TokenKind::Operator, start + 1),
            Dialect::Postgres => {
                let mut tag = start + 1;
                while self.byte(tag) != b'$' && self.is_word_byte(tag) {
                    tag += 1;
                }
                if self.byte(tag) != b'$' {
                    return token(TokenKind::Operator, start + 1);
                }
                let close = &self.text[start..=tag];
                match self.find(tag + 1, close) {
                    Some(end) => token(TokenKind::Text, end),
                    None => Err(Fault { start, what: "dollar-quoted string", close }),
                }
            }
        }
    }

    /// The end of `${x}`, `{{x}}` or `{% x %}` at `start`.
    pub(super) fn placeholder(&self, start: usize) -> Option<usize> {
        let close = match (self.byte(start), self.byte(start + 1)) {
            (b'$', b'{') => "}",
            (b'{', b'{') => "}}",
            (b'{', b'%') => "%}",
            _ => return None,
        };
        let from = start + 2;
        let last = close.as_bytes()[close.len() - 1];
        let near = &self.bytes[from..self.bytes.len().min(from + LONGEST_PLACEHOLDER)];
        let found = near
            .iter()
            .enumerate()
            .position(|(at, byte)| *byte == last && near[..=at].ends_with(close.as_bytes()))?;
        Some(from + found + 1)
    }

    /// psql's `:x`, `:'x'`, `:"x"`, and the named parameters of drivers.
    pub(super) fn colon(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        let next = self.byte(start + 1);
        let alone = start == 0
            || !(self.behind_operand(start) || matches!(self.bytes[start - 1], b':' | b'['));
        let sqlite = self.dialect == Dialect::Sqlite;
        if alone && (next.is_ascii_alphabetic() || next == b'_') {
            let word = self.joined(start, start + 1, true);
            if sqlite {
                return Ok(Lexeme { kind: LexemeKind::Token(TokenKind::Parameter), ..word });
            }
            return Ok(word);
        }
        if alone && self.dialect == Dialect::Postgres && matches!(next, b'\'' | b'"') {
            let end = self.quoted(start, start + 1, false)?;
            return Ok(Lexeme { kind: LexemeKind::Placeholder, start, end });
        }
        Ok(Lexeme { kind: LexemeKind::Token(TokenKind::Operator), start, end: start + 1 })
    }

    /// `@x@` of build tools, `@x` and `@@x` of MySQL, `@x` of SQLite.
    pub(super) fn at_sign(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        let next = self.byte(start + 1);
        if next.is_ascii_alphabetic() || next == b'_' {
            let mut end = start + 1;
            while self.is_word_byte(end) || matches!(self.byte(end), b'.' | b'-') {
                end += 1;
            }
            let behind = self.byte(end + 1);
            if self.byte(end) == b'@'
                && !self.behind_operand(start)
                && !matches!(behind, b'@' | b'\'' | b'`' | b'"' | b'%')
            {
                return Ok(self.joined(start, end + 1, true));
            }
        }
        let end = match (self.dialect, next) {
            (Dialect::Postgres, _) => start + 1,
            (Dialect::Sqlite, _) => self.joined(start, start + 1, false).end,
            (_, b'@') => self.joined(start, start + 2, false).end,
            (_, b'\'' | b'`' | b'"') => self.quoted(start, start + 1, false)?,
            _ => self.joined(start, start + 1, false).end,
        };
        let kind = if end == start + 1 { TokenKind::Operator } else { TokenKind::Parameter };
        Ok(Lexeme { kind: LexemeKind::Token(kind), start, end })
    }
}
