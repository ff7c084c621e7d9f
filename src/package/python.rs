//! Python expressions as text that `ruff format` leaves as it is.
//!
//! Enters: a small tree. Leaves: one line where it fits into 88 columns, else one element a line
//! with the comma behind the last that keeps it so. Must not know: what the calls mean.

const WIDTH: usize = 88;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Py {
    /// As it stands.
    Raw(String),
    /// A string of this value.
    Str(String),
    Call {
        function: String,
        args: Vec<Py>,
        kwargs: Vec<(String, Py)>,
    },
    List(Vec<Py>),
    /// An element with comment lines before it; whatever holds it is written one a line.
    Commented {
        comment: Vec<String>,
        value: Box<Py>,
    },
}

impl Py {
    /// The text; `indent` is that of its line, `before` and `after` what else stands on it.
    pub fn layout(&self, indent: usize, before: usize, after: usize) -> String {
        let flat = self.flat();
        if let Some(flat) = &flat
            && indent + before + flat.chars().count() + after <= WIDTH
        {
            return flat.clone();
        }
        match self {
            Py::Raw(_) | Py::Str(_) => flat.unwrap_or_default(),
            Py::Commented { value, .. } => value.layout(indent, before, after),
            Py::List(items) => {
                let items: Vec<(Option<&str>, &Py)> =
                    items.iter().map(|item| (None, item)).collect();
                block("[", &items, "]", indent)
            }
            Py::Call {
                function,
                args,
                kwargs,
            } => {
                let mut items: Vec<(Option<&str>, &Py)> =
                    args.iter().map(|arg| (None, arg)).collect();
                items.extend(
                    kwargs
                        .iter()
                        .map(|(name, value)| (Some(name.as_str()), value)),
                );
                block(&format!("{function}("), &items, ")", indent)
            }
        }
    }

    /// On one line; `None` where a comment forbids it.
    fn flat(&self) -> Option<String> {
        let join = |items: &[Py]| -> Option<Vec<String>> { items.iter().map(Py::flat).collect() };
        match self {
            Py::Raw(text) => Some(text.clone()),
            Py::Str(text) => Some(string(text)).filter(|text| !text.contains('\n')),
            Py::List(items) => Some(format!("[{}]", join(items)?.join(", "))),
            Py::Call {
                function,
                args,
                kwargs,
            } => {
                let mut parts = join(args)?;
                for (name, value) in kwargs {
                    parts.push(format!("{name}={}", value.flat()?));
                }
                Some(format!("{function}({})", parts.join(", ")))
            }
            Py::Commented { .. } => None,
        }
    }
}

fn block(open: &str, items: &[(Option<&str>, &Py)], close: &str, indent: usize) -> String {
    if items.is_empty() {
        return format!("{open}{close}");
    }
    let pad = " ".repeat(indent + 4);
    let mut text = format!("{open}\n");
    for (name, item) in items {
        if let Py::Commented { comment, .. } = item {
            for line in comment {
                text.push_str(&format!("{pad}# {line}\n"));
            }
        }
        let prefix = name.map(|name| format!("{name}=")).unwrap_or_default();
        let value = item.layout(indent + 4, prefix.len(), 1);
        text.push_str(&format!("{pad}{prefix}{value},\n"));
    }
    text.push_str(&" ".repeat(indent));
    text.push_str(close);
    text
}

/// A literal of exactly this value, as one would write it by hand.
pub fn string(text: &str) -> String {
    let multi = text.contains('\n');
    let control = text.chars().any(|c| c.is_control() && c != '\n');
    if multi {
        let safe = !control && !text.contains("\"\"\"") && !text.ends_with('"');
        if safe && !text.contains('\\') {
            return format!("\"\"\"{text}\"\"\"");
        }
        if safe && !text.ends_with('\\') {
            return format!("r\"\"\"{text}\"\"\"");
        }
    } else if !control && !text.contains('"') {
        if !text.contains('\\') {
            return format!("\"{text}\"");
        }
        if !text.ends_with('\\') {
            return format!("r\"{text}\"");
        }
    } else if !control && !text.contains(['\'', '\\']) {
        // ruff prefers the quotes that need no escapes.
        return format!("'{text}'");
    }
    escaped(text)
}

fn escaped(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '"' => literal.push_str("\\\""),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => literal.push_str(&format!("\\u{:04x}", c as u32)),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Text for `sqlalchemy.text`, which takes `:name` for a parameter, in quotes and comments too.
pub fn sa_text(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let mut result = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        if *c == ':' {
            let free = !word(before) && before != Some(&':') && before != Some(&'\\');
            let mut end = at + 1;
            while word(chars.get(end)) {
                end += 1;
            }
            let name = end > at + 1 && chars.get(end) != Some(&':');
            if before == Some(&'\\') {
                // `\:` would lose its backslash.
                result.push('\\');
            } else if free && name {
                result.push('\\');
            }
        }
        result.push(*c);
    }
    result
}
