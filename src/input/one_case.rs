//! SQLite takes `users`, `Users` and `USERS` for one name: each is written as it was declared.
//!
//! Enters: a text, and the names that are declared. Leaves: the text with other letters of the same
//! length, so that every place in it stays where it was. A name that is declared in two ways, one
//! in quotes, and one that a statement gives are left as they are.

use std::collections::BTreeMap;

use super::lex;
use super::tokens::TokenKind;
use crate::source::Dialect;

/// How a name is declared, by its lower case; `None` where there are two ways.
pub type Declared = BTreeMap<String, Option<String>>;

pub fn declare(declared: &mut Declared, name: &str) {
    let entry = declared.entry(name.to_ascii_lowercase()).or_insert_with(|| Some(name.to_owned()));
    if entry.as_deref() != Some(name) {
        *entry = None;
    }
}

/// Unchanged where the text cannot be read, which is for others to say.
pub fn one_case(text: &str, declared: &Declared) -> String {
    let Some(tokens) = lex(text, Dialect::Sqlite) else { return text.to_owned() };
    let mut out = text.to_owned();
    let is = |at: Option<usize>, word: &str| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| text[token.range()].eq_ignore_ascii_case(word))
    };
    for (at, token) in tokens.iter().enumerate() {
        let given = is(at.checked_sub(1), "to")
            || is(at.checked_sub(1), "add")
            || is(at.checked_sub(1), "column") && is(at.checked_sub(2), "add");
        let word = &text[token.range()];
        if token.kind != TokenKind::Word || given {
            continue;
        }
        if let Some(Some(name)) = declared.get(&word.to_ascii_lowercase()) {
            out.replace_range(token.range(), name);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_are_declared_in_one_way() {
        let mut declared = Declared::new();
        for name in ["Users", "nick", "Id", "id"] {
            declare(&mut declared, name);
        }
        for (text, expected) in [
            ("SELECT ID, Nick FROM users -- USERS", "SELECT ID, nick FROM Users -- USERS"),
            ("SELECT 'users', \"NICK\"", "SELECT 'users', \"NICK\""),
            ("ALTER TABLE users ADD COLUMN Nick", "ALTER TABLE Users ADD COLUMN Nick"),
            ("RENAME COLUMN NICK TO NICK", "RENAME COLUMN nick TO NICK"),
            ("SELECT 'users", "SELECT 'users"),
        ] {
            assert_eq!(one_case(text, &declared), expected);
        }
    }
}
