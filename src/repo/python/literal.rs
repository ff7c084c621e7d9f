//! Python's string literals → their values.
//!
//! Enters: one literal with its prefix and quotes. Leaves: its value. Must not know: where it
//! stands.

/// The value of one Python string literal; `None` for bytes, for interpolated strings and for
/// characters given by their Unicode name.
pub fn string_value(literal: &str) -> Option<String> {
    let quote = literal.find(['"', '\''])?;
    let (prefix, rest) = literal.split_at(quote);
    let raw = match prefix.to_ascii_lowercase().as_str() {
        "" | "u" => false,
        "r" => true,
        _ => return None,
    };
    let mark = &rest[..1];
    let mark = if rest.len() >= 6 && rest.starts_with(&mark.repeat(3)) {
        mark.repeat(3)
    } else {
        mark.to_owned()
    };
    let body = rest
        .strip_prefix(mark.as_str())?
        .strip_suffix(mark.as_str())?
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    if raw {
        return Some(body);
    }
    let mut value = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let letter = after.next()?;
        rest = after.as_str();
        match letter {
            '\n' => {}
            '\\' | '\'' | '"' => value.push(letter),
            'a' => value.push('\u{7}'),
            'b' => value.push('\u{8}'),
            'f' => value.push('\u{c}'),
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            'v' => value.push('\u{b}'),
            '0'..='7' => {
                let more =
                    rest.bytes().take(2).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
                let digits = format!("{letter}{}", &rest[..more]);
                value.push(char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?);
                rest = &rest[more..];
            }
            'x' | 'u' | 'U' => {
                let width = match letter {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits = rest.get(..width)?;
                // Rust alone would take `+f` for a number.
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                value.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                rest = &rest[width..];
            }
            'N' => return None,
            other => {
                value.push('\\');
                value.push(other);
            }
        }
    }
    value.push_str(rest);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_python() {
        for (literal, value) in [
            ("''", ""),
            ("\"\"\"\"\"\"", ""),
            ("u'a'", "a"),
            (r"R'\n'", r"\n"),
            (r"'\a\b\f\n\r\t\v\\'", "\u{7}\u{8}\u{c}\n\r\t\u{b}\\"),
            (r"'\0\101\1234\x41\u00e9\U0001f600'", "\0AS4A\u{e9}\u{1f600}"),
            (r"'\d\:'", r"\d\:"),
            ("'a\\\nb'", "ab"),
            ("'''a\r\nb'''", "a\nb"),
        ] {
            assert_eq!(string_value(literal).as_deref(), Some(value), "{literal}");
        }
        for literal in
            ["b'a'", "f'a'", "rb'a'", r"'\N{DASH}'", r"'\xg1'", r"'\x+1'", r"'\ud800'", "a"]
        {
            assert_eq!(string_value(literal), None, "{literal}");
        }
    }
}
