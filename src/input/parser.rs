//! A cursor over the tokens of one statement.
//!
//! Enters: a [`Piece`]. Leaves: names, brackets, expressions as slices, for the modules that know
//! a statement's grammar. Must not know: any statement. Nothing here recurses, and every step
//! moves forward.

use std::borrow::Cow;

use crate::source::{Dialect, Span};

use super::ast::{Ident, Name, Slice};
use super::literal;
use super::tokens::{Marker, Piece, Token, TokenKind};

#[derive(Clone)]
pub(super) struct Parser<'a, 't> {
    text: &'a str,
    tokens: &'t [Token],
    markers: &'t [Marker],
    pub(super) dialect: Dialect,
    /// Where names without a schema are.
    pub(super) schema: Option<&'t str>,
    /// Index of the next token.
    pub(super) at: usize,
    /// Index behind the last token this parser may read.
    pub(super) end: usize,
}

/// A short word in upper case, without an allocation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Keyword {
    bytes: [u8; 20],
    length: usize,
}

impl Keyword {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl<'a, 't> Parser<'a, 't> {
    pub(super) fn new(text: &'a str, piece: &'t Piece, dialect: Dialect) -> Parser<'a, 't> {
        Parser {
            text,
            tokens: &piece.tokens,
            markers: &piece.markers,
            dialect,
            schema: None,
            at: 0,
            end: piece.tokens.len(),
        }
    }

    /// A parser of the same statement that reads `from..end` only.
    #[must_use]
    pub(super) fn within(&self, from: usize, end: usize) -> Parser<'a, 't> {
        Parser { at: from, end, ..self.clone() }
    }

    pub(super) fn mysql(&self) -> bool {
        matches!(self.dialect, Dialect::MySql | Dialect::MariaDb)
    }

    pub(super) fn postgres(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    pub(super) fn sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn token(&self, ahead: usize) -> Option<Token> {
        let index = self.at + ahead;
        (index < self.end).then(|| self.tokens[index])
    }

    pub(super) fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.token(ahead).map(|token| token.kind)
    }

    /// The bare word `ahead` tokens from here, or nothing.
    pub(super) fn word(&self, ahead: usize) -> &'a str {
        match self.token(ahead) {
            Some(token) if token.kind == TokenKind::Word => &self.text[token.range()],
            _ => "",
        }
    }

    /// The bare word at this place in upper case, to be matched against; nothing if it is longer
    /// than any word that is.
    pub(super) fn keyword(&self) -> Keyword {
        let word = self.word(0).as_bytes();
        let mut keyword = Keyword::default();
        if word.len() <= keyword.bytes.len() {
            keyword.length = word.len();
            keyword.bytes[..word.len()].copy_from_slice(word);
            keyword.bytes.make_ascii_uppercase();
        }
        keyword
    }

    fn raw(&self, ahead: usize) -> &'a str {
        self.token(ahead).map_or("", |token| &self.text[token.range()])
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word(0).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.word(ahead).eq_ignore_ascii_case(word)
    }

    /// The token right before this place is the word.
    pub(super) fn word_before(&self, word: &str) -> bool {
        self.at > 0 && self.within(self.at - 1, self.at).is(word)
    }

    /// The words stand somewhere in the rest, one behind the other.
    pub(super) fn has_words(&self, words: &[&str]) -> bool {
        (self.at..self.end).any(|at| self.within(at, self.end).are(words))
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        let word = self.word(0);
        words.iter().any(|w| word.eq_ignore_ascii_case(w))
    }

    /// The words stand here, one behind the other.
    pub(super) fn are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word(ahead).eq_ignore_ascii_case(word))
    }

    /// Steps over the words if they all stand here.
    pub(super) fn accept(&mut self, words: &[&str]) -> bool {
        let all = self.are(words);
        if all {
            self.at += words.len();
        }
        all
    }

    /// Steps over one of the words and gives it as listed.
    pub(super) fn accept_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let word = self.word(0);
        let found = words.iter().find(|w| word.eq_ignore_ascii_case(w))?;
        self.at += 1;
        Some(found)
    }

    /// Steps over one of the words.
    pub(super) fn accept_any_word(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        self.at += usize::from(found);
        found
    }

    pub(super) fn is_operator(&self, ahead: usize, operator: &str) -> bool {
        self.kind(ahead) == Some(TokenKind::Operator) && self.raw(ahead) == operator
    }

    pub(super) fn accept_operator(&mut self, operator: &str) -> bool {
        let found = self.is_operator(0, operator);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn accept_kind(&mut self, kind: TokenKind) -> bool {
        let found = self.kind(0) == Some(kind);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn is_group(&self) -> bool {
        self.opens_parenthesis(0)
    }

    pub(super) fn opens_parenthesis(&self, ahead: usize) -> bool {
        self.kind(ahead) == Some(TokenKind::Open) && self.raw(ahead) == "("
    }

    /// Steps over the brackets at this place; gives a parser of what is inside.
    pub(super) fn group(&mut self) -> Option<Parser<'a, 't>> {
        if !self.is_group() {
            return None;
        }
        let open = self.at;
        let close = self.tokens[open].partner();
        if close <= open || close >= self.end {
            return None;
        }
        self.at = close + 1;
        Some(self.within(open + 1, close))
    }

    /// Steps over one token, or over brackets with all they hold.
    pub(super) fn skip(&mut self) {
        let Some(token) = self.token(0) else { return };
        let close = token.partner();
        if token.kind == TokenKind::Open && close > self.at && close < self.end {
            self.at = close + 1;
        } else {
            self.at += 1;
        }
    }

    /// The tokens up to the next comma outside brackets; steps over the comma.
    pub(super) fn element(&mut self) -> Option<Parser<'a, 't>> {
        if self.done() {
            return None;
        }
        let from = self.at;
        while !self.done() && self.kind(0) != Some(TokenKind::Comma) {
            self.skip();
        }
        let element = self.within(from, self.at);
        self.at += usize::from(!self.done());
        Some(element)
    }

    pub(super) fn ends_in_comma(&self) -> bool {
        self.at < self.end && self.tokens[self.end - 1].kind == TokenKind::Comma
    }

    pub(super) fn ident(&mut self) -> Option<Ident<'a>> {
        let token = self.token(0)?;
        let raw = &self.text[token.range()];
        let (name, quoted) = match token.kind {
            TokenKind::Word => (literal::bare_name(raw, self.dialect), false),
            TokenKind::Quoted => (literal::quoted_name(raw, self.dialect), true),
            // SQLite takes 'x' as a name where a name must stand; MySQL "x" with ANSI_QUOTES.
            TokenKind::Text if (self.sqlite() && raw.starts_with('\'')) || raw.starts_with('"') => {
                (literal::quoted_name(raw, self.dialect), true)
            }
            _ => return None,
        };
        self.at += 1;
        Some(Ident { name, quoted, span: Span::new(token.start(), token.end()) })
    }

    /// `[schema.]name`; a third part is not understood.
    pub(super) fn name(&mut self) -> Option<Name<'a>> {
        let first = self.ident()?;
        if self.kind(0) != Some(TokenKind::Dot) {
            return Some(self.placed(first));
        }
        self.at += 1;
        let second = self.ident()?;
        (self.kind(0) != Some(TokenKind::Dot)).then_some(Name { schema: Some(first), name: second })
    }

    /// A name that stands without a schema.
    pub(super) fn placed(&self, name: Ident<'a>) -> Name<'a> {
        let schema = self.schema.map(|schema| Ident {
            name: Cow::Owned(schema.to_owned()),
            quoted: true,
            span: name.span,
        });
        Name { schema, name }
    }

    /// Every name of a comma list; `None` if something else stands in it.
    pub(super) fn names(&mut self) -> Option<Vec<Name<'a>>> {
        let mut names = vec![self.name()?];
        while self.accept_kind(TokenKind::Comma) {
            names.push(self.name()?);
        }
        Some(names)
    }

    /// Every plain name of a comma list that must be all there is.
    pub(super) fn idents(mut self) -> Option<Vec<Ident<'a>>> {
        let mut idents = Vec::new();
        while let Some(mut element) = self.element() {
            idents.push(element.ident()?);
            if !element.done() {
                return None;
            }
        }
        Some(idents)
    }

    /// The value of the string literal at this place.
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        let token = self.token(0)?;
        if token.kind != TokenKind::Text {
            return None;
        }
        self.at += 1;
        Some(literal::string(&self.text[token.range()], self.dialect))
    }

    /// The text of the tokens `from..to`. A version comment that begins or ends inside is taken
    /// whole, so that the slice stays valid by itself.
    pub(super) fn slice(&self, from: usize, to: usize) -> Slice<'a> {
        if from >= to {
            let at = self.place_of(from).start;
            return Slice { text: &self.text[at..at], start: at };
        }
        let mut start = self.tokens[from].start();
        let mut end = self.tokens[to - 1].end();
        if !self.markers.is_empty() {
            let mut open = None;
            let mut inside = false;
            for marker in self.markers {
                if marker.end <= start {
                    open = marker.opens.then_some(marker.start);
                } else if marker.start < end {
                    if !marker.opens && !inside {
                        start = open.unwrap_or(start);
                    }
                    inside = marker.opens;
                } else {
                    if inside && !marker.opens {
                        end = marker.end;
                    }
                    break;
                }
            }
        }
        Slice { text: &self.text[start..end], start }
    }

    /// The text of the tokens `from..to`, if there are any.
    pub(super) fn slice_if(&self, from: usize, to: usize) -> Option<Slice<'a>> {
        (from < to).then(|| self.slice(from, to))
    }

    /// Everything left; the parser is done then.
    pub(super) fn rest(&mut self) -> Option<Slice<'a>> {
        let rest = self.slice_if(self.at, self.end);
        self.at = self.end;
        rest
    }

    /// Where the token stands; behind the last one, where the text ends.
    pub(super) fn place_of(&self, token: usize) -> Span {
        if let Some(token) = self.tokens.get(token) {
            return Span::new(token.start(), token.end());
        }
        let end = self.tokens.last().map_or(0, |token| token.end());
        Span::new(end, end)
    }

    /// Steps over an expression up to the end, a comma, or one of the words, all outside brackets
    /// and CASE.
    pub(super) fn skip_until(&mut self, words: &[&str]) {
        let mut cases = 0_usize;
        while !self.done() {
            if self.is("CASE") {
                cases += 1;
            } else if self.is("END") {
                cases = cases.saturating_sub(1);
            } else if cases == 0 && (self.kind(0) == Some(TokenKind::Comma) || self.is_any(words)) {
                return;
            }
            self.skip();
        }
    }

    /// Like [`Parser::skip_until`], over commas.
    pub(super) fn skip_past_commas_until(&mut self, words: &[&str]) {
        loop {
            self.skip_until(words);
            if !self.accept_kind(TokenKind::Comma) {
                return;
            }
        }
    }
}
