//! Questions about the outer form of an expression, answered on its tokens.
//!
//! Enters: the text of one expression. Leaves: yes, no, or the text with its columns qualified.
//! "No" means "not proven".

use crate::source::Dialect;

use super::expr;
use super::literal;
use super::text::lex;
use super::tokens::TokenKind;

/// `column IS NULL`, and nothing else.
pub fn is_null_test(text: &str, column: &str, dialect: Dialect) -> bool {
    let Some(tokens) = lex(text, dialect) else {
        return false;
    };
    let words: Vec<String> =
        tokens.iter().map(|token| text[token.range()].to_ascii_lowercase()).collect();
    let names_column = tokens.first().is_some_and(|token| {
        let raw = &text[token.range()];
        match token.kind {
            TokenKind::Word => literal::bare_name(raw, dialect) == column,
            TokenKind::Quoted => literal::quoted_name(raw, dialect) == column,
            _ => false,
        }
    });
    names_column && words.len() == 3 && words[1] == "is" && words[2] == "null"
}

/// Names, literals and calls only: no operator, CASE or cast whose NULLs would have to be known.
pub fn is_calls_only(text: &str, dialect: Dialect) -> bool {
    let Some(tokens) = lex(text, dialect) else {
        return false;
    };
    tokens.iter().all(|token| match token.kind {
        TokenKind::Operator => matches!(&text[token.range()], "+" | "-" | "|"),
        TokenKind::Word => !matches!(
            text[token.range()].to_ascii_lowercase().as_str(),
            "case" | "null" | "is" | "in" | "any" | "all" | "and" | "or" | "not" | "like"
        ),
        _ => true,
    })
}

/// The column and the type of `name::type` or `CAST(name AS type)`, where that is all there is.
pub fn cast_of(text: &str, dialect: Dialect) -> Option<(String, &str)> {
    let tokens = lex(text, dialect)?;
    let raw = |at: usize| tokens.get(at).map_or("", |token| &text[token.range()]);
    let called = raw(0).eq_ignore_ascii_case("cast") && raw(1) == "(";
    let name = if called { 2 } else { 0 };
    let (column, behind) = match tokens.get(name)?.kind {
        TokenKind::Word => (literal::bare_name(raw(name), dialect), name + 1),
        TokenKind::Quoted => (literal::quoted_name(raw(name), dialect), name + 1),
        _ => return None,
    };
    let (from, to) = if called && raw(behind).eq_ignore_ascii_case("as") {
        (
            tokens.get(behind + 1)?.start(),
            tokens.last().filter(|_| text.trim().ends_with(')'))?.start(),
        )
    } else if !called
        && dialect == Dialect::Postgres
        && text[tokens[name].end()..].starts_with("::")
    {
        (tokens[name].end() + 2, text.len())
    } else {
        return None;
    };
    Some((column.into_owned(), text.get(from..to)?.trim()))
}

/// The value of an expression that is one string literal.
pub fn literal_text(text: &str, dialect: Dialect) -> Option<String> {
    match lex(text, dialect)?.as_slice() {
        [token] if token.kind == TokenKind::Text && text.trim().starts_with('\'') => {
            Some(literal::string(&text[token.range()], dialect).into_owned())
        }
        _ => None,
    }
}

/// The expression without `called.` before columns: `t.a + other.b` is `a + other.b`.
pub fn unqualified(text: &str, dialect: Dialect, called: &str) -> String {
    let Some(tokens) = lex(text, dialect) else { return text.to_owned() };
    let raw = |at: usize| tokens.get(at).map_or("", |token| &text[token.range()]);
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        let name = match token.kind {
            TokenKind::Word => literal::bare_name(raw(at), dialect),
            TokenKind::Quoted => literal::quoted_name(raw(at), dialect),
            _ => continue,
        };
        let inner = at > 0 && raw(at - 1) == ".";
        let same = match dialect {
            Dialect::Postgres => name == called,
            _ => name.eq_ignore_ascii_case(called),
        };
        // `t.f(…)`, `::t.d` and `AS t.d` are of a schema of that name.
        let of_schema = raw(at + 3) == "("
            || at > 0 && (raw(at - 1).ends_with(':') || raw(at - 1).eq_ignore_ascii_case("as"));
        if !inner && !of_schema && raw(at + 1) == "." && same {
            result.push_str(&text[end..token.start()]);
            end = tokens[at + 1].end();
        }
    }
    result.push_str(&text[end..]);
    result
}

/// The expression with `qualifier.` before each of its columns; `None` where a name in it may be a
/// column or something else.
pub fn qualify(
    text: &str,
    dialect: Dialect,
    columns: &[String],
    qualifier: &str,
) -> Option<String> {
    let tokens = lex(text, dialect)?;
    let raw = |at: usize| tokens.get(at).map_or("", |token| &text[token.range()]);
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        let name = match token.kind {
            TokenKind::Word => literal::bare_name(raw(at), dialect),
            TokenKind::Quoted => literal::quoted_name(raw(at), dialect),
            _ => continue,
        };
        if !columns.iter().any(|column| *column == name) || raw(at + 1) == "(" {
            continue;
        }
        let before = |back: usize| at.checked_sub(back).map_or("", raw);
        // The name of a type.
        if before(1).eq_ignore_ascii_case("as") || [before(2), before(1)] == [":", ":"] {
            continue;
        }
        if before(1) == "." || before(1) == ":" || raw(at + 1) == "." {
            return None;
        }
        result.push_str(&text[end..token.start()]);
        result.push_str(qualifier);
        result.push('.');
        end = token.start();
    }
    result.push_str(&text[end..]);
    // The same columns as before, no more and no less.
    let facts = expr::read(&result, dialect)?;
    let mut before = columns.to_vec();
    let mut after = facts.columns;
    before.sort();
    after.sort();
    (before == after).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_of_a_column_and_nothing_else() {
        let of = |text| cast_of(text, Dialect::Postgres).map(|(name, ty)| format!("{name} {ty}"));
        assert_eq!(of("\"title\"::varchar(200)").as_deref(), Some("title varchar(200)"));
        assert_eq!(of("CAST(n AS double precision)").as_deref(), Some("n double precision"));
        assert_eq!(of("a::int::text").as_deref(), Some("a int::text"));
        for other in ["a + b", "lower(a)::text", "CAST(a + 1 AS int)", "a", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn only_columns_lose_their_table() {
        for (text, plain) in [
            ("upper(t.name) || t.\"n\"", "upper(name) || \"n\""),
            ("t.norm(t.name)", "t.norm(name)"),
            ("t.name::t.d", "name::t.d"),
            ("CAST(t.name AS t.d)", "CAST(name AS t.d)"),
            ("'t.name' || other.t.name", "'t.name' || other.t.name"),
        ] {
            assert_eq!(unqualified(text, Dialect::Postgres, "t"), plain);
        }
    }
}
