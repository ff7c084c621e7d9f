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
    text: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    /// Inside `/*!80000 … */`.
    pub(super) in_version_comment: bool,
    /// MySQL's DELIMITER, where it is not `;`.
    pub(super) delimiter: Option<&'a str>,
}

/// Keeps the search for the end of a placeholder from reading the whole script again and again.
const LONGEST_PLACEHOLDER: usize = 200;

const BOM: &[u8] = "\u{feff}".as_bytes();

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Lexer<'a> {
        Lexer {
            text,
            bytes: text.as_bytes(),
            dialect,
            in_version_comment: false,
            delimiter: None,
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn mysql(&self) -> bool {
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
        at + rest
            .iter()
            .position(|b| matches!(b, b'\n' | b'\r'))
            .unwrap_or(rest.len())
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
                None => Err(Fault {
                    start,
                    what: "quoted name",
                    close: "]",
                }),
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

    fn is_word_byte(&self, at: usize) -> bool {
        match self.byte(at) {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => true,
            b'$' => self.byte(at + 1) != b'{',
            0xef => !self.bytes[at..].starts_with(BOM),
            0x80.. => true,
            _ => false,
        }
    }

    /// A name or number ends right before `at`, so what follows belongs to it.
    fn behind_operand(&self, at: usize) -> bool {
        at > 0
            && matches!(self.bytes[at - 1], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
                | b'_' | b'$' | b'"' | b'`' | b')' | b']' | b'}' | 0x80..)
    }

    fn word(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        if let Some(end) = self.prefixed(start)? {
            let kind = if self.bytes[end - 1] == b'"' {
                TokenKind::Quoted
            } else {
                TokenKind::Text
            };
            return Ok(Lexeme {
                kind: LexemeKind::Token(kind),
                start,
                end,
            });
        }
        Ok(self.joined(start, start, false))
    }

    /// The rest of a word that has begun; placeholders inside it are part of it.
    fn joined(&self, start: usize, from: usize, templated: bool) -> Lexeme {
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
        let kind = if templated {
            LexemeKind::Placeholder
        } else {
            LexemeKind::Token(TokenKind::Word)
        };
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
    fn quoted(&self, start: usize, open: usize, backslash: bool) -> Result<usize, Fault<'a>> {
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
                && !self.bytes[start..at - 1]
                    .iter()
                    .any(u8::is_ascii_alphabetic)
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

    fn digits(&self, mut at: usize) -> usize {
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        at
    }

    fn find(&self, from: usize, what: &str) -> Option<usize> {
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
            return Ok(Lexeme {
                kind: LexemeKind::VersionOpen,
                start,
                end,
            });
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
                        return Ok(Lexeme {
                            kind: LexemeKind::BlockComment,
                            start,
                            end: at,
                        });
                    }
                }
                (b'/', b'*') if nested => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        Err(Fault {
            start,
            what: "comment",
            close: "*/",
        })
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

    fn dollar(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        let next = self.byte(start + 1);
        if let Some(end) = self.placeholder(start) {
            return Ok(self.joined(start, end, true));
        }
        let token = |kind, end| {
            Ok(Lexeme {
                kind: LexemeKind::Token(kind),
                start,
                end,
            })
        };
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
                    None => Err(Fault {
                        start,
                        what: "dollar-quoted string",
                        close,
                    }),
                }
            }
        }
    }

    /// The end of `${x}`, `{{x}}` or `{% x %}` at `start`.
    fn placeholder(&self, start: usize) -> Option<usize> {
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
    fn colon(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
        let next = self.byte(start + 1);
        let alone = start == 0
            || !(self.behind_operand(start) || matches!(self.bytes[start - 1], b':' | b'['));
        let sqlite = self.dialect == Dialect::Sqlite;
        if alone && (next.is_ascii_alphabetic() || next == b'_') {
            let word = self.joined(start, start + 1, true);
            if sqlite {
                return Ok(Lexeme {
                    kind: LexemeKind::Token(TokenKind::Parameter),
                    ..word
                });
            }
            return Ok(word);
        }
        if alone && self.dialect == Dialect::Postgres && matches!(next, b'\'' | b'"') {
            let end = self.quoted(start, start + 1, false)?;
            return Ok(Lexeme {
                kind: LexemeKind::Placeholder,
                start,
                end,
            });
        }
        Ok(Lexeme {
            kind: LexemeKind::Token(TokenKind::Operator),
            start,
            end: start + 1,
        })
    }

    /// `@x@` of build tools, `@x` and `@@x` of MySQL, `@x` of SQLite.
    fn at_sign(&self, start: usize) -> Result<Lexeme, Fault<'a>> {
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
        let kind = if end == start + 1 {
            TokenKind::Operator
        } else {
            TokenKind::Parameter
        };
        Ok(Lexeme {
            kind: LexemeKind::Token(kind),
            start,
            end,
        })
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
                    && rest[1..]
                        .iter()
                        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')))
        }
    }
}
