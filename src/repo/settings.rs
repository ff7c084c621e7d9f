//! Settings files → keys and values with places.
//!
//! Enters: the text of an `.ini` as Python's `configparser` reads it, or of Java properties.
//! Leaves: values. Must not know: which keys exist.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::source::{Source, Span};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub text: String,
    pub span: Span,
}

/// A file of sections with keys.
#[derive(Debug)]
pub(super) struct Ini {
    pub source: Source,
    sections: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Ini {
    pub(super) fn parse(source: Source) -> Ini {
        let mut sections: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let mut section = String::new();
        // The key a deeper indented line continues, and the key's own indentation.
        let mut open: Option<(String, usize)> = None;
        for (start, line) in lines(&source.text) {
            let text = line.trim();
            let indent = line.len() - line.trim_start().len();
            if text.is_empty() || text.starts_with(['#', ';']) {
                continue;
            }
            if let Some((key, depth)) = &open
                && indent > *depth
            {
                let value = sections.get_mut(&section).and_then(|keys| keys.get_mut(key));
                if let Some(value) = value {
                    if !value.text.is_empty() {
                        value.text.push('\n');
                    }
                    value.text.push_str(text);
                    value.span.end = start + indent + text.len();
                }
                continue;
            }
            if let Some(name) =
                text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
            {
                name.clone_into(&mut section);
                sections.entry(section.clone()).or_default();
                open = None;
                continue;
            }
            let (key, value) = match text.find(['=', ':']) {
                Some(at) => (text[..at].trim(), text[at + 1..].trim()),
                None => (text, ""),
            };
            let value_start = start + indent + text.len() - value.len();
            let key = key.to_lowercase();
            sections.entry(section.clone()).or_default().insert(
                key.clone(),
                Value {
                    text: value.to_owned(),
                    span: Span::new(value_start, value_start + value.len()),
                },
            );
            open = Some((key, indent));
        }
        Ini { source, sections }
    }

    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// The sections in which a key stands, by their names.
    pub(super) fn sections_with(&self, key: &str) -> Vec<String> {
        let with = self.sections.iter().filter(|(_, keys)| keys.contains_key(key));
        with.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn raw(&self, section: &str, key: &str) -> Option<&Value> {
        ["DEFAULT", section].iter().rev().find_map(|name| self.sections.get(*name)?.get(key))
    }

    /// A value with `%(name)s` filled in from its section and `%%` made one.
    pub(super) fn get(&self, section: &str, key: &str, here: &str) -> Result<Option<Value>> {
        let Some(value) = self.raw(section, key) else {
            return Ok(None);
        };
        let text = self.fill(section, &value.text, here, 0).map_err(|missing| {
            Error::refused(format!("`{missing}` cannot be filled in in `{}`", self.source.name))
                .at(&self.source, value.span, format!("names `{missing}`"))
                .hint("write the value out, or double a `%` that is meant as such")
        })?;
        Ok(Some(Value { text, span: value.span }))
    }

    fn fill(
        &self,
        section: &str,
        text: &str,
        here: &str,
        depth: usize,
    ) -> std::result::Result<String, String> {
        interpolate(text, |name| {
            if name == "here" {
                return Some(here.to_owned());
            }
            // Python gives up at this depth too.
            if depth >= 10 {
                return None;
            }
            let value = self.raw(section, &name.to_lowercase())?;
            self.fill(section, &value.text, here, depth + 1).ok()
        })
    }
}

/// Replaces `%(name)s` by what is known of the name, and `%%` by `%`; fails with what is unknown.
pub(super) fn interpolate(
    text: &str,
    known: impl Fn(&str) -> Option<String>,
) -> std::result::Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("%%") {
            filled.push('%');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix("%(").and_then(|inner| inner.split_once(")s"))
        {
            filled.push_str(&known(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        } else {
            return Err(rest.chars().take(2).collect());
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The `key=value` lines of Java properties and `.env` files; the last line of a key wins.
pub(super) fn properties(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with(['#', '!']))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| {
            let key = key.trim();
            let key = key.strip_prefix("export ").unwrap_or(key);
            (key.trim().to_owned(), unquoted(value.trim()).to_owned())
        })
        .collect()
}

/// A value without the quotes around it.
pub(super) fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

/// Lines without their ends, and where each starts.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line.trim_end_matches(['\r', '\n'])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ini(text: &str) -> Ini {
        Ini::parse(Source::new("alembic.ini", text))
    }

    #[test]
    fn values_are_filled_in_as_configparser_does() {
        let ini = ini("[DEFAULT]\nbase = db\n\n[alembic]\r\n# comment\r\n\
             script_location: %(here)s/%(base)s\r\nFile_Template = %%(rev)s_%%(slug)s\r\n");
        let get = |key| ini.get("alembic", key, "backend").unwrap().unwrap();
        assert_eq!(get("script_location").text, "backend/db");
        assert_eq!(get("file_template").text, "%(rev)s_%(slug)s");
        let span = get("script_location").span;
        assert_eq!(&ini.source.text[span.start..span.end], "%(here)s/%(base)s");
    }

    #[test]
    fn a_deeper_line_continues_a_value() {
        let ini = ini("[alembic]\nversion_locations =\n    a/b\n\n    c/d\nnext = 1\n");
        let value = ini.get("alembic", "version_locations", ".").unwrap().unwrap();
        assert_eq!(value.text, "a/b\nc/d");
        assert_eq!(ini.get("alembic", "next", ".").unwrap().unwrap().text, "1");
    }

    #[test]
    fn an_unknown_name_is_refused_at_its_value() {
        let ini = ini("[alembic]\nscript_location = %(where)s/x\n");
        let error = ini.get("alembic", "script_location", ".").unwrap_err();
        assert!(error.render(false).contains("alembic.ini:2:19"), "{error}");
    }

    #[test]
    fn properties_lose_quotes_and_comments() {
        let found =
            properties("# x=1\nflyway.url = jdbc:a=b\nexport DATABASE_URL=\"postgres://x\"\n");
        assert_eq!(found["flyway.url"], "jdbc:a=b");
        assert_eq!(found["DATABASE_URL"], "postgres://x");
        assert_eq!(found.len(), 2);
    }
}
