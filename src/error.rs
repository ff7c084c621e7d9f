//! What can go wrong, said in one form: message, place, notes, hints, exit code.
//!
//! Enters: a station's sentence and a place. Leaves: [`Error`]. Must not know: any station.
//! Messages are lower case, without a full stop, with names in backticks.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::{Source, Span};

pub type Result<T> = std::result::Result<T, Error>;

/// Who has to act; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input cannot be carried out as it stands: exit 1.
    Refused,
    /// The command line is wrong: exit 2.
    Usage,
    /// miggen is wrong: exit 70.
    Bug,
}

/// A place in a source, with what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub source: Source,
    pub span: Span,
    pub text: String,
}

/// One refusal, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    labels: Vec<Label>,
    notes: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }))
    }

    pub fn refused(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Refused, message)
    }

    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage, message)
    }

    pub fn bug(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Bug, message)
    }

    /// Adds the place; the first one is the main one, further ones are context.
    #[must_use]
    pub fn at(mut self, source: &Source, span: Span, text: impl Into<String>) -> Error {
        let span = clamp(&source.text, span);
        self.0.labels.push(Label { source: source.clone(), span, text: text.into() });
        self
    }

    /// Adds a `= …` line: why.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Error {
        self.0.notes.push(note.into());
        self
    }

    /// Adds a `hint:` line: what to type.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hints.push(hint.into());
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Name of the source, line and column of the main place, both from 1.
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        let label = self.0.labels.first()?;
        let before = &label.source.text[..label.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((&label.source.name, line, column))
    }

    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            ErrorKind::Refused => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Bug => 70,
        }
    }

    /// The text for a terminal, ending in a line feed; `colour` adds escape sequences.
    pub fn render(&self, colour: bool) -> String {
        let inner = &self.0;
        let mut group = Group::with_title(Level::ERROR.primary_title(inner.message.as_str()));
        for (position, label) in inner.labels.iter().enumerate() {
            // Labels of one source share its snippet.
            if inner.labels[..position].iter().any(|l| l.source.name == label.source.name) {
                continue;
            }
            let mut snippet =
                Snippet::source(label.source.text.as_str()).path(label.source.name.as_str());
            for (index, other) in inner.labels.iter().enumerate() {
                if other.source.name == label.source.name {
                    let kind =
                        if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    snippet = snippet.annotation(
                        kind.span(other.span.start..other.span.end).label(other.text.as_str()),
                    );
                }
            }
            group = group.element(snippet);
        }
        for note in &inner.notes {
            group = group.element(Level::NOTE.no_name().message(note.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = renderer.render(&[group]);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        for hint in &inner.hints {
            text.push_str("hint: ");
            text.push_str(hint);
            text.push('\n');
        }
        text
    }
}

/// Keeps a span inside the text and on character borders, so that printing cannot fail.
fn clamp(text: &str, span: Span) -> Span {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    Span { start, end: floor(span.end).max(start) }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Error {}
