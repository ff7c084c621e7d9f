//! The words a script is made of.
//!
//! Enters: nothing. Leaves: [`Token`], [`Marker`], [`Piece`]. Must not know: grammar.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A bare name or keyword; a template's placeholder counts as one.
    Word,
    /// A quoted name.
    Quoted,
    /// A string literal of any form, with its prefix.
    Text,
    Number,
    /// `$1`, `?`, `:name`, `@variable`.
    Parameter,
    /// `(` or `[`.
    Open,
    Close,
    Comma,
    Dot,
    /// Inside a compound body only: elsewhere it ends the statement.
    Semicolon,
    /// One byte of an operator.
    Operator,
}

/// Places are `u32`: a script is at most 4 GiB, and a dump has many millions of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    start: u32,
    end: u32,
    /// Of a bracket: the index of its other half.
    partner: u32,
}

// The scanner refuses longer sources before it makes the first token.
#[allow(clippy::cast_possible_truncation)]
impl Token {
    pub(crate) fn new(kind: TokenKind, start: usize, end: usize) -> Token {
        Token { kind, start: start as u32, end: end as u32, partner: 0 }
    }

    pub(crate) fn set_partner(&mut self, index: usize) {
        self.partner = index as u32;
    }

    pub(crate) fn partner(self) -> usize {
        self.partner as usize
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// One end of a MySQL version comment whose content is code: `/*!80000` or `*/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub(crate) opens: bool,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// One statement as the scanner cut it; the buffers are reused from piece to piece.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// A line for the client program (`\connect`, `.mode`), not for the server.
    pub(crate) client: bool,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) tokens: Vec<Token>,
    pub(crate) markers: Vec<Marker>,
    /// What stands behind `-- miggen:`.
    pub(crate) hints: Vec<Range<usize>>,
    pub(crate) templated: bool,
}

impl Piece {
    pub(crate) fn clear(&mut self) {
        self.client = false;
        self.start = 0;
        self.end = 0;
        self.tokens.clear();
        self.markers.clear();
        self.hints.clear();
        self.templated = false;
    }
}
