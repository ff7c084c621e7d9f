//! Expressions → Python as `ruff format` would leave it.
//!
//! Enters: trees of calls, lists and values. Leaves: text that `ruff format` and `ruff check` do
//! not change, and literals whose value is exactly the text they stand for. Must not know: what a
//! call does.

mod parse;

use std::sync::LazyLock;

use regex::Regex;
use unicode_width::UnicodeWidthStr;

/// The width of a line, as `black` and `ruff format` have it.
const WIDTH: usize = 88;

/// How far each level is indented.
const STEP: usize = 4;

/// What stands around text of several lines.
const BLOCK: &str = r#"""""#;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Py {
    /// An expression that is text already.
    Raw(String),
    /// A string, by its value.
    Str(String),
    Call {
        function: String,
        args: Vec<Py>,
        kwargs: Vec<(String, Py)>,
    },
    List(Vec<Py>),
    Tuple(Vec<Py>),
    Dict(Vec<(Py, Py)>),
    /// `a & b`
    Joined {
        operator: &'static str,
        values: Vec<Py>,
    },
    /// An element with lines of comment above it.
    Commented {
        comment: Vec<String>,
        value: Box<Py>,
    },
}

/// An element of what stands in brackets.
struct Element<'p> {
    comment: &'p [String],
    /// `name=` or `key: `
    prefix: String,
    value: &'p Py,
}

impl<'p> Element<'p> {
    fn new(prefix: String, value: &'p Py) -> Element<'p> {
        let (comment, value) = match value {
            Py::Commented { comment, value } => (comment.as_slice(), &**value),
            value => (&[][..], value),
        };
        Element { comment, prefix, value }
    }

    fn plain(values: &'p [Py]) -> Vec<Element<'p>> {
        let elements = values.iter().map(|value| Element::new(String::new(), value));
        elements.collect()
    }
}

impl Py {
    pub fn raw(text: impl Into<String>) -> Py {
        Py::Raw(text.into())
    }

    pub fn str(value: impl Into<String>) -> Py {
        Py::Str(value.into())
    }

    pub fn call<'n>(
        function: impl Into<String>,
        args: impl IntoIterator<Item = Py>,
        kwargs: impl IntoIterator<Item = (&'n str, Py)>,
    ) -> Py {
        Py::Call {
            function: function.into(),
            args: args.into_iter().collect(),
            kwargs: kwargs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// The text of an expression on a line that is indented by `indent`, has `prefix` columns
    /// before the expression and `suffix` columns after it.
    ///
    /// One line if it fits, else one element a line; the comma after the last one keeps it so.
    pub fn layout(&self, indent: usize, prefix: usize, suffix: usize) -> String {
        if let Some(line) = self.one_line()
            && indent + prefix + line.width() + suffix <= WIDTH
        {
            return line;
        }
        if let Py::Joined { operator, values } = self {
            let operand = |(at, value): (usize, &Py)| {
                let before = if at == 0 { prefix } else { operator.len() + 1 };
                value.operand(|value| value.layout(indent, before, 0))
            };
            let lines: Vec<String> = values.iter().enumerate().map(operand).collect();
            return lines.join(&format!("\n{}{operator} ", " ".repeat(indent)));
        }
        let Some((open, elements, close)) = self.brackets() else {
            return self.one_line().unwrap_or_else(|| self.text());
        };
        if elements.is_empty() {
            return format!("{open}{close}");
        }
        let outer = " ".repeat(indent);
        let inner = " ".repeat(indent + STEP);
        let comma = if matches!(self, Py::Commented { .. }) { "" } else { "," };
        let mut text = format!("{open}\n");
        for element in elements {
            for line in element.comment {
                text.push_str(format!("{inner}# {line}").trim_end());
                text.push('\n');
            }
            let before = element.prefix.width();
            let value = element.value.layout(indent + STEP, before, comma.len());
            for part in [&inner, &element.prefix, &value, comma, "\n"] {
                text.push_str(part);
            }
        }
        text + &outer + close
    }

    /// The statement that assigns the expression to a name, on a line indented by `indent`.
    pub fn assigned_to(&self, name: &str, indent: usize) -> String {
        let start = format!("{name} = ");
        if self.brackets().is_none()
            && let Some(line) = self.one_line()
            && indent + start.width() + line.width() > WIDTH
            && indent + STEP + line.width() <= WIDTH
        {
            let outer = " ".repeat(indent);
            let inner = " ".repeat(indent + STEP);
            return format!("{start}(\n{inner}{line}\n{outer})");
        }
        let value = self.layout(indent, start.width(), 0);
        start + &value
    }

    /// The brackets of an expression that can be spread over lines, and what is in them.
    fn brackets(&self) -> Option<(String, Vec<Element<'_>>, &'static str)> {
        Some(match self {
            Py::Raw(_) | Py::Str(_) | Py::Joined { .. } => return None,
            Py::Call { function, args, kwargs } => {
                let mut elements = Element::plain(args);
                for (name, value) in kwargs {
                    elements.push(Element::new(format!("{name}="), value));
                }
                (format!("{function}("), elements, ")")
            }
            Py::List(values) => ("[".to_owned(), Element::plain(values), "]"),
            Py::Tuple(values) => ("(".to_owned(), Element::plain(values), ")"),
            Py::Dict(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| {
                    let key = key.one_line().unwrap_or_else(|| key.text());
                    Element::new(format!("{key}: "), value)
                });
                ("{".to_owned(), pairs.collect(), "}")
            }
            // Outside of brackets a comment needs some of its own.
            Py::Commented { .. } => ("(".to_owned(), vec![Element::new(String::new(), self)], ")"),
        })
    }

    /// In brackets, where it is operands itself.
    fn operand(&self, text: impl Fn(&Py) -> String) -> String {
        match self {
            Py::Joined { .. } => format!("({})", text(self)),
            _ => text(self),
        }
    }

    /// The expression on one line, if it can be.
    pub(crate) fn one_line(&self) -> Option<String> {
        if let Py::Joined { operator, values } = self {
            let lines = values.iter().map(Py::one_line).collect::<Option<Vec<_>>>()?;
            let operands = values.iter().zip(lines).map(|(v, line)| v.operand(|_| line.clone()));
            return Some(operands.collect::<Vec<_>>().join(&format!(" {operator} ")));
        }
        let Some((open, elements, close)) = self.brackets() else {
            return Some(self.text()).filter(|text| !text.contains('\n'));
        };
        let mut parts = Vec::new();
        for element in &elements {
            if !element.comment.is_empty() {
                return None;
            }
            parts.push(format!("{}{}", element.prefix, element.value.one_line()?));
        }
        let is_single = matches!(self, Py::Tuple(values) if values.len() == 1);
        let comma = if is_single { "," } else { "" };
        Some(format!("{open}{}{comma}{close}", parts.join(", ")))
    }

    /// The text of an expression without brackets.
    fn text(&self) -> String {
        match self {
            Py::Raw(text) => text.clone(),
            Py::Str(value) => string(value),
            _ => String::new(),
        }
    }
}

/// Whether Python takes the word for itself.
pub fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",
        "try", "while", "with", "yield",
    ];
    KEYWORDS.contains(&word)
}

/// The literal for a text, as a person would write it: in double quotes, in three of them over
/// several lines, raw where there are backslashes, and with escapes only where nothing else helps.
pub fn string(text: &str) -> String {
    let is_block = text.contains('\n') && !text.trim().is_empty();
    let is_hidden =
        |letter: char| must_escape(letter) && !(is_block && matches!(letter, '\n' | '\t'));
    if text.contains('\\')
        && !text.contains(is_hidden)
        && let Some(quote) = raw_quote(text, is_block)
    {
        return format!("r{quote}{text}{quote}");
    }
    let quote = if is_block {
        BLOCK
    } else if text.matches('"').count() > text.matches('\'').count() {
        "'"
    } else {
        "\""
    };
    let mut literal = quote.to_owned();
    let mut letters = text.chars().peekable();
    let mut run = 0;
    while let Some(letter) = letters.next() {
        run = if letter == '"' { run + 1 } else { 0 };
        // In a block three quotes in a row would end it, and so would one before its end.
        let ends = if is_block {
            letter == '"' && (run % 3 == 0 || letters.peek().is_none())
        } else {
            quote.starts_with(letter)
        };
        if ends || letter == '\\' {
            literal.push('\\');
            literal.push(letter);
        } else if is_hidden(letter) {
            literal.push_str(&escape(letter));
        } else {
            literal.push(letter);
        }
    }
    literal + quote
}

/// What may stand around a text without escapes; a backslash before a quote keeps it from ending
/// the literal, though it stays part of the value.
fn raw_quote(text: &str, is_block: bool) -> Option<&'static str> {
    let backslashes = |text: &str| text.len() - text.trim_end_matches('\\').len();
    if backslashes(text) % 2 == 1 {
        return None;
    }
    if is_block {
        return (!text.contains(BLOCK) && !text.ends_with('"')).then_some(BLOCK);
    }
    ["\"", "'"].into_iter().find(|quote| {
        let mut quotes = text.match_indices(quote);
        quotes.all(|(at, _)| backslashes(&text[..at]) % 2 == 1)
    })
}

/// Whether a character would be lost, changed or not seen if it stood in the source.
fn must_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn escape(letter: char) -> String {
    match letter {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        _ if u32::from(letter) <= 0xff => format!("\\x{:02x}", u32::from(letter)),
        _ if u32::from(letter) <= 0xffff => format!("\\u{:04x}", u32::from(letter)),
        _ => format!("\\U{:08x}", u32::from(letter)),
    }
}

/// A colon, with the backslash before it and the word after it.
static COLON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\\?:(?<word>[\p{L}\p{N}_]*)(?<more>[\p{L}\p{N}_$]*)").expect("a valid pattern")
});

/// SQL as SQLAlchemy's `text()` wants it, where `:name` would be a parameter and `\:` a colon.
///
/// `op.execute` and the conditions and defaults of Alembic's operations all go through `text()`.
/// Its version 2.1 counts no `$` among the letters of a name, and earlier versions do; what either
/// of them would take for a parameter is escaped.
pub fn sa_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut done = 0;
    for found in COLON.captures_iter(text) {
        let (Some(whole), Some(word)) = (found.get(0), found.name("word")) else {
            continue;
        };
        let before = text[..whole.start()].chars().next_back();
        let is_escape = whole.as_str().starts_with('\\');
        let starts = is_escape
            || before.is_none_or(|letter| {
                letter != ':' && !WORD.is_match(letter.encode_utf8(&mut [0; 4]))
            });
        // A name without letters is none, but a backslash is taken away even without a name.
        let is_name =
            |end: usize| (is_escape || end > whole.start() + 1) && !text[end..].starts_with(':');
        let needs = starts && (is_name(word.end()) || is_name(whole.end()));
        escaped.push_str(&text[done..whole.start()]);
        if needs {
            escaped.push('\\');
        }
        escaped.push_str(whole.as_str());
        done = whole.end();
    }
    escaped.push_str(&text[done..]);
    escaped
}

/// A letter of a word, as Python's `\w` has it.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}_]$").expect("a valid pattern"));

#[cfg(test)]
mod tests;
