//! Quoted names and string literals → the text they stand for.
//!
//! Enters: one quoted piece of source. Leaves: its value. Must not know: where it stood.

use std::borrow::Cow;

use crate::source::Dialect;

/// PostgreSQL cuts longer names without an error.
const POSTGRES_NAME_BYTES: usize = 63;

/// The name a bare word stands for.
pub(crate) fn bare_name(word: &str, dialect: Dialect) -> Cow<'_, str> {
    if dialect != Dialect::Postgres {
        return Cow::Borrowed(word);
    }
    let word = truncated(word);
    if word.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Borrowed(word)
    }
}

/// The name a quoted piece stands for: `"…"`, `` `…` ``, `[…]`, `'…'`, `U&"…"`.
pub(crate) fn quoted_name(quoted: &str, dialect: Dialect) -> Cow<'_, str> {
    let name = match quoted.as_bytes() {
        [b'u' | b'U', b'&', ..] => return Cow::Owned(unicode_escapes(inside(&quoted[2..], '"'))),
        [b'[', ..] => Cow::Borrowed(quoted[1..].strip_suffix(']').unwrap_or(&quoted[1..])),
        [b'"', ..] => undoubled(inside(quoted, '"'), "\"\"", "\""),
        [b'`', ..] => undoubled(inside(quoted, '`'), "``", "`"),
        [b'\'', ..] => undoubled(inside(quoted, '\''), "''", "'"),
        _ => Cow::Borrowed(quoted),
    };
    if dialect != Dialect::Postgres || name.len() <= POSTGRES_NAME_BYTES {
        return name;
    }
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(truncated(name)),
        Cow::Owned(name) => Cow::Owned(truncated(&name).to_owned()),
    }
}

/// The text a string literal stands for; bit and hexadecimal strings stay as written.
pub(crate) fn string(literal: &str, dialect: Dialect) -> Cow<'_, str> {
    let mysql = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    match literal.as_bytes() {
        [b'\'', ..] if mysql => mysql_string(inside(literal, '\''), '\''),
        [b'"', ..] if mysql => mysql_string(inside(literal, '"'), '"'),
        [b'\'', ..] => undoubled(inside(literal, '\''), "''", "'"),
        [b'n' | b'N', ..] => string(&literal[1..], dialect),
        [b'e' | b'E', b'\'', ..] => {
            Cow::Owned(backslash_escapes(&inside(&literal[1..], '\'').replace("''", "'"), true))
        }
        [b'u' | b'U', b'&', ..] => {
            Cow::Owned(unicode_escapes(&inside(&literal[2..], '\'').replace("''", "'")))
        }
        [b'$', ..] => {
            let tag = literal[1..].find('$').map_or(0, |end| end + 2);
            Cow::Borrowed(literal.get(tag..literal.len() - tag).unwrap_or(""))
        }
        _ => Cow::Borrowed(literal),
    }
}

fn inside(quoted: &str, quote: char) -> &str {
    let inner = quoted.strip_prefix(quote).unwrap_or(quoted);
    inner.strip_suffix(quote).unwrap_or(inner)
}

fn undoubled<'a>(text: &'a str, double: &str, single: &str) -> Cow<'a, str> {
    if text.contains(double) {
        Cow::Owned(text.replace(double, single))
    } else {
        Cow::Borrowed(text)
    }
}

fn truncated(name: &str) -> &str {
    if name.len() <= POSTGRES_NAME_BYTES {
        return name;
    }
    &name[..name.floor_char_boundary(POSTGRES_NAME_BYTES)]
}

fn mysql_string(text: &str, quote: char) -> Cow<'_, str> {
    if !text.contains(['\\', quote]) {
        return Cow::Borrowed(text);
    }
    let single = quote.to_string();
    // Doubling is undone between backslash escapes only: `\''` is one quote and its double.
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', quote]) {
        result.push_str(&rest[..at]);
        let special = &rest[at..];
        if let Some(after) = special.strip_prefix('\\') {
            let length = 1 + after.chars().next().map_or(0, char::len_utf8);
            result.push_str(&backslash_escapes(&special[..length], false));
            rest = &special[length..];
        } else {
            result.push_str(&single);
            rest = special[1..].strip_prefix(quote).unwrap_or(&special[1..]);
        }
    }
    result.push_str(rest);
    Cow::Owned(result)
}

/// `\n` and the like; PostgreSQL's `E''` has code points too, MySQL keeps `\%` and `\_` as they are.
fn backslash_escapes(text: &str, postgres: bool) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        let Some(escape) = chars.next() else { break };
        match escape {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'b' => result.push('\u{8}'),
            'f' if postgres => result.push('\u{c}'),
            '0' if !postgres => result.push('\0'),
            'Z' if !postgres => result.push('\u{1a}'),
            '%' | '_' if !postgres => result.extend(['\\', escape]),
            'x' | 'u' | 'U' | '0'..='7' if postgres => {
                let (radix, most) = match escape {
                    'x' => (16, 2),
                    'u' => (16, 4),
                    'U' => (16, 8),
                    _ => (8, 2),
                };
                let mut value = escape.to_digit(8).unwrap_or(0);
                for _ in 0..most {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                        break;
                    };
                    value = value.saturating_mul(radix).saturating_add(digit);
                    chars.next();
                }
                result.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => result.push(other),
        }
    }
    result
}

/// `\0061` and `\+000061` of `U&'…'`.
fn unicode_escapes(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (digits, length) = match after.strip_prefix('+') {
            Some(digits) => (digits, 6),
            None => (after, 4),
        };
        let code = digits
            .get(..length)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        if let Some(c) = code {
            result.push(c);
            rest = &digits[length..];
        } else {
            result.push('\\');
            rest = after.strip_prefix('\\').unwrap_or(after);
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stored_as_the_server_stores_them() {
        assert_eq!(bare_name("UserId", Dialect::Postgres), "userid");
        assert_eq!(bare_name("UserId", Dialect::Sqlite), "UserId");
        assert_eq!(quoted_name("\"a\"\"B\"", Dialect::Postgres), "a\"B");
        assert_eq!(quoted_name("[a b]", Dialect::Sqlite), "a b");
        assert_eq!(quoted_name("`a``b`", Dialect::MySql), "a`b");
        assert_eq!(quoted_name("U&\"d\\0061t\\+000061\"", Dialect::Postgres), "data");
        let long = "é".repeat(40);
        assert_eq!(bare_name(&long, Dialect::Postgres), "é".repeat(31));
        assert_eq!(bare_name(&long, Dialect::MySql), long);
    }

    #[test]
    fn literals_give_their_value() {
        assert_eq!(string("'it''s'", Dialect::Postgres), "it's");
        assert_eq!(string("'a\\b'", Dialect::Postgres), "a\\b");
        assert_eq!(string("E'a\\n\\x41\\'b'", Dialect::Postgres), "a\nA'b");
        assert_eq!(string("$x$it's$x$", Dialect::Postgres), "it's");
        assert_eq!(string("'a\\'b''c\\\\d'", Dialect::MySql), "a'b'c\\d");
        assert_eq!(string("'50\\%'", Dialect::MySql), "50\\%");
    }
}
