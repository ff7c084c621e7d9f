//! One word of SQL at a time: quotes, comments, numbers, placeholders.
//!
//! Enters: a text and a place in it. Leaves: the next [`Lexeme`]. Must not know: statements.

use crate::source::Dialect;

use super::tokens::TokenKind;

/// What stands at a place, white space skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) kind: LexemeKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LexemeKind {
    Token(TokenKind),
    /// A word of a template language: stands for a name or a literal.
    Placeholder,
    /// Up to, not including, the line break.
    LineComment,
    BlockComment,
    /// `/*!80000` whose content the server runs.
    VersionOpen,
    VersionClose,
    /// `\`: the beginning of a client command.
    Backslash,
    End,
}

/// Something that is opened and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault<'a> {
    pub(super) start: usize,
    pub(super) what: &'static str,
    /// What to type to close it.
    pub(super) close: &'a str,
}

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) dialect: Dialect,
    /// Inside `/*!80000 … */`.
    pub(super) in_version_comment: bool,
    /// MySQL's DELIMITER, where it is not `;`.
    pub(super) delimiter: Option<&'a str>,
}

const BOM: &[u8] = "\u{feff}".as_bytes();

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Lexer<'a> {
        Lexer { text, bytes: text.as_bytes(), dialect, in_version_comment: false, delimiter: None }
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    pub(super) fn mysql(&self) -> bool {
        matches!(self.dialect, Dialect::MySql | Dialect::MariaDb)
    }

    /// Skips white space and byte order marks, which concatenated files have in their middle.
    pub(super) fn skip_space(&self, mut at: usize) -> usize {
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => at += 1,
                0xef if self.bytes[at..].starts_with(BOM) => at += BOM.len(),
                _ => break,
            }
        }
        at
    }

    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        at + rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len())
    }

    pub(super) fn next(&self, from: usize) -> Result<Lexeme, Fault<'a>> {
        let start = self.skip_space(from);
        let lexeme = |kind, end| Ok(Lexeme { kind, start, end });
        let token = |kind, end| lexeme(LexemeKind::Token(kind), end);
        let Some(&byte) = self.bytes.get(start) else {
            return lexeme(LexemeKind::End, start);
        };
        let next = self.byte(start + 1);
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(start),
            b'0'..=b'9' => {
                let (kind, end) = self.number(start);
                token(kind, end)
            }
            b'\'' => token(TokenKind::Text, self.quoted(start, start, self.mysql())?),
            b'"' if self.mysql() => token(TokenKind::Text, self.quoted(start, start, true)?),
            b'"' => token(TokenKind::Quoted, self.quoted(start, start, false)?),
            b'`' if self.dialect != Dialect::Postgres => {
                token(TokenKind::Quoted, self.quoted(start, start, false)?)
            }
            b'[' if self.dialect == Dialect::Sqlite => match self.find(start + 1, "]") {
                Some(end) => token(TokenKind::Quoted, end),
                None => Err(Fault { start, what: "quoted name", close: "]" }),
            },
            b'(' | b'[' => token(TokenKind::Open, start + 1),
            b')' | b']' => token(TokenKind::Close, start + 1),
            b',' => token(TokenKind::Comma, start + 1),
            b';' => token(TokenKind::Semicolon, start + 1),
            b'.' if next.is_ascii_digit() && !self.behind_operand(start) => {
                let (kind, end) = self.number(start);
                token(kind, end)
            }
            b'.' => token(TokenKind::Dot, start + 1),
            b'-' if next == b'-' && self.dashes_are_comment(start) => {
                lexeme(LexemeKind::LineComment, self.line_end(start))
            }
            b'#' if self.mysql() => lexeme(LexemeKind::LineComment, self.line_end(start)),
            b'/' if next == b'*' => self.block_comment(start),
            b'*' if next == b'/' && self.in_version_comment => {
                lexeme(LexemeKind::VersionClose, start + 2)
            }
            b'$' => self.dollar(start),
            b'{' => match self.placeholder(start) {
                Some(end) => Ok(self.joined(start, end, true)),
                None => token(TokenKind::Operator, start + 1),
            },
            b':' => self.colon(start),
            b'@' => self.at_sign(start),
            b'?' if self.dialect != Dialect::Postgres => {
                token(TokenKind::Parameter, self.digits(start + 1))
            }
            b'\\' if self.dialect != Dialect::Sqlite => lexeme(LexemeKind::Backslash, start + 1),
            _ => token(TokenKind::Operator, start + 1),
        }
    }

    pub(super) fn is_word_byte(&self, at: usize) -> bool {
        match self.byte(at) {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => true,
            b'$' => self.byte(at + 1) != b'{',
            0xef => !self.bytes[at..].starts_with(BOM),
            0x80.. => true,
            _ => false,
        }
    }

    /// A name or number ends right before `at`, so what follows belongs to it.
    pub(super) fn behind_operand(&self, at: usize) -> bool {
        at > 0
            && matches!(self.bytes[at - 1], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
                | b'_' | b'$' | b'"' | b'`' | b')' | b']' | b'}' | 0x80..)
    }

    fn word(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        if let Some(end) = self.prefixed(start)? {
            let kind =
                if self.bytes[end - 1] == b'"' { TokenKind::Quoted } else { TokenKind::Text };
            return Ok(Lexeme { kind: LexemeKind::Token(kind), start, end });
        }
        Ok(self.joined(start, start, false))
    }

    /// The rest of a word that has begun; placeholders inside it are part of it.
    pub(super) fn joined(&self, start: usize, from: usize, templated: bool) -> Lexeme {
        let mut end = from;
        let mut templated = templated;
        if self.delimiter.is_none() {
            let rest = &self.bytes[from..];
            end += rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
        }
        loop {
            if let Some(delimiter) = self.delimiter
                && end > start
                && self.bytes[end..].starts_with(delimiter.as_bytes())
            {
                break;
            }
            if self.is_word_byte(end) {
                end += 1;
            } else if let Some(after) = self.placeholder(end) {
                end = after;
                templated = true;
            } else {
                break;
            }
        }
        let kind =
            if templated { LexemeKind::Placeholder } else { LexemeKind::Token(TokenKind::Word) };
        Lexeme { kind, start, end }
    }

    /// `E'…'`, `U&"…"`, `x'…'`: the end, if the word at `start` is such a prefix.
    fn prefixed(&self, start: usize) -> Result<Option<usize>, Fault<'a>> {
        let postgres = self.dialect == Dialect::Postgres;
        let (first, second) = (self.byte(start) | 0x20, self.byte(start + 1));
        if second == b'\'' {
            let backslash = match first {
                b'e' if postgres => true,
                b'x' | b'b' => false,
                b'n' if self.dialect != Dialect::Sqlite => self.mysql(),
                _ => return Ok(None),
            };
            return self.quoted(start, start + 1, backslash).map(Some);
        }
        if postgres
            && first == b'u'
            && second == b'&'
            && matches!(self.byte(start + 2), b'\'' | b'"')
        {
            return self.quoted(start, start + 2, false).map(Some);
        }
        Ok(None)
    }

    /// The end of what is quoted by the byte at `open`; doubling stands for the quote itself.
    pub(super) fn quoted(
        &self,
        start: usize,
        open: usize,
        backslash: bool,
    ) -> Result<usize, Fault<'a>> {
        let quote = self.bytes[open];
        let mut at = open + 1;
        while let Some(&byte) = self.bytes.get(at) {
            if byte == quote {
                if self.byte(at + 1) != quote {
                    return Ok(at + 1);
                }
                at += 2;
            } else if byte == b'\\' && backslash {
                at += 2;
            } else {
                at += 1;
            }
        }
        let (what, close) = match quote {
            b'\'' => ("string", "'"),
            b'"' if self.mysql() => ("string", "\""),
            b'"' => ("quoted name", "\""),
            _ => ("quoted name", "`"),
        };
        Err(Fault { start, what, close })
    }

    fn number(&self, start: usize) -> (TokenKind, usize) {
        let mut at = start;
        let mut dot = false;
        loop {
            let byte = self.byte(at);
            let exponent = at > start && matches!(self.bytes[at - 1], b'e' | b'E');
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                at += 1;
            } else if byte == b'.' && !dot && self.byte(at + 1) != b'.' {
                dot = true;
                at += 1;
            } else if exponent
                && matches!(byte, b'+' | b'-')
                && self.byte(at + 1).is_ascii_digit()
                && !self.bytes[start..at - 1].iter().any(u8::is_ascii_alphabetic)
            {
                at += 1;
            } else {
                break;
            }
        }
        // MySQL's names may begin with a digit.
        if self.mysql() && !dot && !is_number(&self.bytes[start..at]) {
            while self.is_word_byte(at) {
                at += 1;
            }
            return (TokenKind::Word, at);
        }
        (TokenKind::Number, at)
    }

    pub(super) fn digits(&self, mut at: usize) -> usize {
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        at
    }

    pub(super) fn find(&self, from: usize, what: &str) -> Option<usize> {
        Some(from + self.text.get(from..)?.find(what)? + what.len())
    }

    /// MySQL takes `--` as a comment only before white space: `5--1` is six.
    fn dashes_are_comment(&self, start: usize) -> bool {
        !self.mysql() || self.byte(start + 2) <= b' '
    }

    fn block_comment(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        if self.mysql()
            && let Some(end) = self.version_comment(start)
        {
            return Ok(Lexeme { kind: LexemeKind::VersionOpen, start, end });
        }
        let nested = self.dialect == Dialect::Postgres;
        let mut depth = 1_usize;
        let mut at = start + 2;
        while at + 1 < self.bytes.len() {
            match (self.bytes[at], self.bytes[at + 1]) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return Ok(Lexeme { kind: LexemeKind::BlockComment, start, end: at });
                    }
                }
                (b'/', b'*') if nested => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        Err(Fault { start, what: "comment", close: "*/" })
    }

    /// The end of `/*!80000` or `/*M!100000`, if the server runs what follows.
    fn version_comment(&self, start: usize) -> Option<usize> {
        let own = match (self.byte(start + 2), self.byte(start + 3)) {
            (b'!', _) => false,
            (b'M', b'!') => true,
            _ => return None,
        };
        let digits = start + if own { 4 } else { 3 };
        let end = self.digits(digits).min(digits + 6);
        let number: u32 = self.text[digits..end].parse().unwrap_or(0);
        // MariaDB leaves out what MySQL marks for 5.7 and later, and 99999 marks what no server runs.
        let runs = match self.dialect {
            Dialect::MariaDb => number < 50_700 || (100_000..999_999).contains(&number),
            _ => !own && number < 99_999,
        };
        runs.then_some(end)
    }
}

/// Digits, `0x…`, `0b…`, or digits with an exponent.
fn is_number(word: &[u8]) -> bool {
    let hexadecimal =
        |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    match word {
        [b'0', b'x', digits @ ..] => hexadecimal(digits),
        [b'0', b'b', digits @ ..] => {
            !digits.is_empty() && digits.iter().all(|d| matches!(d, b'0' | b'1'))
        }
        _ => {
            let mantissa = word.iter().take_while(|b| b.is_ascii_digit()).count();
            let rest = &word[mantissa..];
            rest.is_empty()
                || (matches!(rest[0], b'e' | b'E')
                    && rest.len() > 1
                    && rest[1..].iter().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')))
        }
    }
}
