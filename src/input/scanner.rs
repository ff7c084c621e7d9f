//! Script → statements: where each begins and ends.
//!
//! Enters: a [`Source`] in a dialect. Leaves: [`Piece`]s, one statement each, as tokens with exact
//! places. Must not know: what a statement means, beyond what decides where it ends.

use crate::error::{Error, Result};
use crate::source::{Dialect, Source, Span};

use super::compound::Compound;
use super::lexer::{Fault, Lexeme, LexemeKind, Lexer};
use super::tokens::{Marker, Piece, Token, TokenKind};

/// The values of an INSERT are never looked at; a dump is mostly made of them.
const KEPT_OF_INSERT: usize = 40;

pub(super) struct Scanner<'a> {
    source: &'a Source,
    text: &'a str,
    dialect: Dialect,
    lexer: Lexer<'a>,
    at: usize,
    open: Vec<OpenBracket>,
    compound: Compound,
    /// Only the first tokens are kept.
    values: bool,
    /// There is no `\.` line in the rest of the script.
    no_more_data: bool,
}

struct OpenBracket {
    byte: u8,
    at: usize,
    /// `None` when the token was not kept.
    token: Option<usize>,
}

/// What a lexeme did to the piece.
enum Step {
    More,
    Done,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a Source, dialect: Dialect) -> Result<Scanner<'a>> {
        if u32::try_from(source.text.len()).is_err() {
            return Err(Error::refused(format!("`{}` is larger than 4 GiB", source.name))
                .hint("give the schema without its data"));
        }
        Ok(Scanner {
            source,
            text: &source.text,
            dialect,
            lexer: Lexer::new(&source.text, dialect),
            at: 0,
            open: Vec::new(),
            compound: Compound::default(),
            values: false,
            no_more_data: false,
        })
    }

    /// Fills `piece` with the next statement or client line; false at the end of the script, where
    /// `piece` may still hold hints that no statement follows.
    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<bool> {
        piece.clear();
        self.open.clear();
        self.compound = Compound::default();
        self.values = false;
        loop {
            if let Some(delimiter) = self.lexer.delimiter {
                let start = self.lexer.skip_space(self.at);
                if self.text[start..].starts_with(delimiter) {
                    self.at = start + delimiter.len();
                    if piece.tokens.is_empty() {
                        continue;
                    }
                    return self.finish(piece);
                }
            }
            let lexeme = self.lexer.next(self.at).map_err(|fault| self.unclosed(&fault))?;
            let from = self.at;
            self.at = lexeme.end;
            let step = match lexeme.kind {
                LexemeKind::End => {
                    if piece.tokens.is_empty() {
                        return self.ended_in_comment().map(|()| false);
                    }
                    Step::Done
                }
                LexemeKind::Token(kind) => self.token(piece, kind, lexeme)?,
                LexemeKind::Placeholder => {
                    piece.templated = true;
                    self.token(piece, TokenKind::Word, lexeme)?
                }
                LexemeKind::LineComment => {
                    self.line_comment(piece, lexeme);
                    if self.file_marker_ends(piece, lexeme) { Step::Done } else { Step::More }
                }
                LexemeKind::BlockComment => Step::More,
                LexemeKind::VersionOpen => {
                    self.lexer.in_version_comment = true;
                    piece.markers.push(Marker {
                        opens: true,
                        start: lexeme.start,
                        end: lexeme.end,
                    });
                    Step::More
                }
                LexemeKind::VersionClose => {
                    self.lexer.in_version_comment = false;
                    if piece.tokens.is_empty() {
                        // Closes a comment whose statement has ended inside it.
                        piece.markers.clear();
                    } else {
                        piece.markers.push(Marker {
                            opens: false,
                            start: lexeme.start,
                            end: lexeme.end,
                        });
                    }
                    Step::More
                }
                LexemeKind::Backslash => self.backslash(piece, lexeme)?,
            };
            if matches!(step, Step::Done) {
                return self.finish(piece);
            }
            debug_assert!(self.at > from);
        }
    }

    fn token(&mut self, piece: &mut Piece, kind: TokenKind, lexeme: Lexeme) -> Result<Step> {
        let first = piece.tokens.is_empty();
        if first && let Some(step) = self.client_line(piece, lexeme) {
            return Ok(step);
        }
        match kind {
            TokenKind::Semicolon if self.ends_statement(piece, lexeme)? => {
                return Ok(if first { Step::More } else { Step::Done });
            }
            TokenKind::Open => self.open.push(OpenBracket {
                byte: self.text.as_bytes()[lexeme.start],
                at: lexeme.start,
                token: (!self.values).then_some(piece.tokens.len()),
            }),
            TokenKind::Close => {
                let partner = self.close(lexeme)?;
                if let Some(partner) = partner
                    && !self.values
                {
                    let index = piece.tokens.len();
                    piece.tokens[partner].set_partner(index);
                    let mut token = Token::new(kind, lexeme.start, lexeme.end);
                    token.set_partner(partner);
                    piece.tokens.push(token);
                    self.values = self.values || Self::is_long(piece) && self.only_values(piece);
                }
                piece.end = lexeme.end;
                return Ok(Step::More);
            }
            _ => {}
        }
        if first {
            piece.start = lexeme.start;
        }
        piece.end = lexeme.end;
        if !self.values {
            if self.open.is_empty() {
                self.compound.see(self.text, &piece.tokens, kind, lexeme, self.dialect);
            }
            piece.tokens.push(Token::new(kind, lexeme.start, lexeme.end));
            self.values = Self::is_long(piece) && self.only_values(piece);
        }
        Ok(Step::More)
    }

    fn word(&self, token: Token) -> &'a str {
        if token.kind == TokenKind::Word { &self.text[token.range()] } else { "" }
    }

    fn is_long(piece: &Piece) -> bool {
        piece.tokens.len() == KEPT_OF_INSERT
    }

    fn only_values(&self, piece: &Piece) -> bool {
        let first = self.word(piece.tokens[0]);
        (first.eq_ignore_ascii_case("insert") || first.eq_ignore_ascii_case("replace"))
            && piece.tokens.iter().any(|token| self.word(*token).eq_ignore_ascii_case("values"))
    }

    /// Whether the `;` at this place is a terminator.
    fn ends_statement(&self, piece: &Piece, lexeme: Lexeme) -> Result<bool> {
        if self.lexer.delimiter.is_some() || self.compound.is_open() {
            return Ok(false);
        }
        let Some(open) = self.open.first() else {
            return Ok(true);
        };
        // PostgreSQL's rules hold several statements in parentheses.
        let rule = self.dialect == Dialect::Postgres
            && piece
                .tokens
                .iter()
                .take(4)
                .any(|token| self.word(*token).eq_ignore_ascii_case("rule"));
        if rule {
            return Ok(false);
        }
        Err(self.unclosed_bracket(open).at(
            self.source,
            Span::new(lexeme.start, lexeme.end),
            "the statement ends here",
        ))
    }

    fn close(&mut self, lexeme: Lexeme) -> Result<Option<usize>> {
        let byte = self.text.as_bytes()[lexeme.start];
        let wanted = if byte == b')' { b'(' } else { b'[' };
        match self.open.pop() {
            Some(open) if open.byte == wanted => Ok(open.token),
            Some(open) => Err(self.stray(byte, lexeme).at(
                self.source,
                Span::new(open.at, open.at + 1),
                "this one is open",
            )),
            None => Err(self.stray(byte, lexeme)),
        }
    }

    fn stray(&self, byte: u8, lexeme: Lexeme) -> Error {
        let (close, open) = if byte == b')' { (')', '(') } else { (']', '[') };
        Error::refused(format!("`{close}` without `{open}`"))
            .at(self.source, Span::new(lexeme.start, lexeme.end), "nothing to close here")
            .hint(format!("remove it, or add the missing `{open}`"))
    }

    fn unclosed_bracket(&self, open: &OpenBracket) -> Error {
        let (close, byte) = if open.byte == b'(' { (')', '(') } else { (']', '[') };
        Error::refused(format!("`{byte}` is never closed"))
            .at(self.source, Span::new(open.at, open.at + 1), "opened here")
            .hint(format!("add the missing `{close}`"))
    }

    fn unclosed(&self, fault: &Fault<'_>) -> Error {
        let first_line = self.lexer.line_end(fault.start);
        Error::refused(format!("this {} is never closed", fault.what))
            .at(
                self.source,
                Span::new(fault.start, first_line.min(fault.start + 20)),
                "opened here",
            )
            .hint(format!("close it with `{}`", fault.close))
    }

    fn ended_in_comment(&self) -> Result<()> {
        if self.lexer.in_version_comment {
            let span = Span::new(self.text.len(), self.text.len());
            return Err(Error::refused("this version comment is never closed")
                .at(self.source, span, "the text ends here")
                .hint("close it with `*/`"));
        }
        Ok(())
    }

    /// The statement is complete: checks that nothing is open, and steps over its data.
    fn finish(&mut self, piece: &mut Piece) -> Result<bool> {
        if piece.client {
            return Ok(true);
        }
        if let Some(open) = self.open.first() {
            return Err(self.unclosed_bracket(open));
        }
        if self.at >= self.text.len() {
            self.ended_in_comment()?;
        }
        if let (Some(first), Some(last)) = (piece.markers.first(), piece.markers.last()) {
            piece.start = piece.start.min(first.start);
            piece.end = piece.end.max(last.end);
        }
        self.skip_copy_data(piece);
        self.trailing_hint(piece);
        Ok(true)
    }

    /// Takes a hint behind the terminator, on the same line.
    fn trailing_hint(&mut self, piece: &mut Piece) {
        let rest = &self.text.as_bytes()[self.at..];
        let gap = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if matches!(rest.get(gap), Some(b'-' | b'#'))
            && let Ok(lexeme) = self.lexer.next(self.at)
            && lexeme.kind == LexemeKind::LineComment
            && self.hint(lexeme).is_some()
        {
            self.line_comment(piece, lexeme);
            self.at = lexeme.end;
        }
    }

    fn comment_text(&self, lexeme: Lexeme) -> &'a str {
        let comment = &self.text[lexeme.start..lexeme.end];
        comment.trim_start_matches(['-', '#']).trim()
    }

    fn hint(&self, lexeme: Lexeme) -> Option<&'a str> {
        self.comment_text(lexeme).strip_prefix("miggen:").map(str::trim)
    }

    fn line_comment(&self, piece: &mut Piece, lexeme: Lexeme) {
        if let Some(hint) = self.hint(lexeme) {
            let end = lexeme.start + self.text[lexeme.start..lexeme.end].trim_end().len();
            piece.hints.push(end - hint.len()..end);
        }
    }

    /// `-- +goose StatementEnd`, `-- migrate:down`: ends a statement that has no terminator.
    fn file_marker_ends(&self, piece: &Piece, lexeme: Lexeme) -> bool {
        let text = self.comment_text(lexeme);
        !piece.tokens.is_empty()
            && self.open.is_empty()
            && ["+goose ", "+migrate ", "migrate:"].iter().any(|marker| text.starts_with(marker))
    }

    /// psql and mysql: `\gexec` sends what stands before it, other commands are lines of their own.
    fn backslash(&mut self, piece: &mut Piece, lexeme: Lexeme) -> Result<Step> {
        let end = self.lexer.line_end(lexeme.start);
        let line = &self.text[lexeme.start..end];
        let command = line[1..].split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        if line.starts_with("\\;") {
            self.at = lexeme.start + 2;
        } else if self.dialect == Dialect::Postgres {
            self.at = end;
        } else {
            self.at = lexeme.start + 1 + command.len();
        }
        debug_assert!(self.at > lexeme.start);
        if piece.tokens.is_empty() {
            if line.starts_with("\\;") || self.dialect != Dialect::Postgres {
                return Ok(Step::More);
            }
            return Ok(Self::client(piece, lexeme.start, lexeme.start + line.trim_end().len()));
        }
        let sends = line.starts_with("\\;")
            || command.starts_with('g')
            || matches!(command, "G" | "watch" | "crosstabview");
        if sends {
            // An open bracket is reported where the statement ends.
            if let Some(open) = self.open.first() {
                return Err(self.unclosed_bracket(open));
            }
            return Ok(Step::Done);
        }
        Ok(Step::More)
    }

    fn client(piece: &mut Piece, start: usize, end: usize) -> Step {
        piece.client = true;
        piece.start = start;
        piece.end = end;
        Step::Done
    }

    /// `SOURCE file` of mysql and `.mode` of sqlite3 are pieces; DELIMITER only changes how the
    /// rest is cut.
    fn client_line(&mut self, piece: &mut Piece, lexeme: Lexeme) -> Option<Step> {
        let word = &self.text[lexeme.start..lexeme.end];
        let (client, delimiter) = match self.dialect {
            Dialect::Postgres => (false, false),
            Dialect::Sqlite => (word == ".", false),
            Dialect::MySql | Dialect::MariaDb => {
                (word.eq_ignore_ascii_case("source"), word.eq_ignore_ascii_case("delimiter"))
            }
        };
        if !client && !delimiter {
            return None;
        }
        self.at = self.lexer.line_end(lexeme.start);
        let line = self.text[lexeme.start..self.at].trim_end();
        if delimiter {
            let new = line.split_ascii_whitespace().nth(1).unwrap_or(";");
            self.lexer.delimiter = (new != ";").then_some(new);
            return Some(Step::More);
        }
        Some(Self::client(piece, lexeme.start, lexeme.start + line.len()))
    }

    /// `COPY … FROM stdin;` is followed by lines of data up to `\.`; without that line there is none.
    fn skip_copy_data(&mut self, piece: &Piece) {
        if self.dialect != Dialect::Postgres
            || self.no_more_data
            || !self.word(piece.tokens[0]).eq_ignore_ascii_case("copy")
        {
            return;
        }
        let from_stdin = piece.tokens.windows(2).any(|pair| {
            self.word(pair[0]).eq_ignore_ascii_case("from")
                && self.word(pair[1]).eq_ignore_ascii_case("stdin")
        });
        if !from_stdin {
            return;
        }
        let mut at = self.lexer.line_end(self.at);
        for line in self.text[at..].split_inclusive('\n') {
            at += line.len();
            if line.trim_end() == "\\." {
                self.at = at;
                return;
            }
        }
        self.no_more_data = true;
    }
}
