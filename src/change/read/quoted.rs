//! A text put together from pieces of the source, and where each of them stands there.

use std::ops::Range;

use crate::input::ast::Slice;
use crate::source::Span;

/// Longer ones go over several lines.
const LINE: usize = 90;

#[derive(Debug, Clone, Default)]
pub(super) struct Quoted {
    pub(super) text: String,
    /// Where in the text a piece begins, and the piece.
    pieces: Vec<(usize, Span)>,
}

impl Quoted {
    pub(super) fn of(slice: Slice) -> Quoted {
        Quoted::default().and(slice)
    }

    fn and(mut self, slice: Slice) -> Quoted {
        self.pieces.push((self.text.len(), slice.span()));
        self.text.push_str(slice.text);
        self
    }

    fn word(mut self, word: &str) -> Quoted {
        self.text.push_str(word);
        self
    }

    /// `prefix(SELECT … FROM … WHERE …)`; without a slice the value is `1`. Several conditions are
    /// joined by AND.
    pub(super) fn query(
        prefix: &str,
        value: Option<Slice>,
        from: &[Slice],
        filter: &[Slice],
    ) -> Quoted {
        let said = || value.iter().chain(from).chain(filter);
        let several = prefix.len() + said().map(|slice| slice.text.len()).sum::<usize>() > LINE
            || said().any(|slice| slice.text.contains('\n'));
        let (open, clause, close) =
            if several { ("(\n    ", "\n    ", "\n)") } else { ("(", " ", ")") };
        let mut text = Quoted::default().word(prefix).word(open).word("SELECT ");
        text = match value {
            Some(value) => text.and(value),
            None => text.word("1"),
        };
        text = text.word(clause).word("FROM");
        for slice in from {
            text = text.word(if slice.text.starts_with(',') { "" } else { " " }).and(*slice);
        }
        text = text.word(clause).word("WHERE ");
        let alone = filter.len() == 1;
        for (at, slice) in filter.iter().enumerate() {
            text = text.word(if at > 0 { " AND " } else { "" });
            text = if alone { text.and(*slice) } else { text.word("(").and(*slice).word(")") };
        }
        text.word(close)
    }

    /// The place in the source of a place in the text; the nearest piece, where it is in none.
    pub(super) fn span(&self, at: &Range<usize>) -> Span {
        let piece = self.pieces.iter().rev().find(|(begins, _)| *begins <= at.start);
        let Some((begins, span)) = piece.or(self.pieces.first()) else {
            return Span::new(0, 0);
        };
        if at.is_empty() {
            return *span;
        }
        let start = (span.start + at.start.saturating_sub(*begins)).min(span.end);
        Span::new(start, (start + at.len()).min(span.end))
    }

    /// All of the source that it holds.
    pub(super) fn whole(&self) -> Span {
        let first = self.pieces.first().map_or(Span::new(0, 0), |(_, span)| *span);
        self.pieces.iter().fold(first, |whole, (_, span)| {
            Span::new(whole.start.min(span.start), whole.end.max(span.end))
        })
    }
}
