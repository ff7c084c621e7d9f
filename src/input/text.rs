//! What can be done with a verbatim slice without understanding it.
//!
//! Enters: the text of a type or expression. Leaves: its tokens, or the text with white space
//! folded or one name replaced. Must not know: what the text means.

use crate::source::Dialect;

use super::lexer::{LexemeKind, Lexer};
use super::literal;
use super::tokens::{Token, TokenKind};

/// The tokens of the text, comments left out, brackets paired; `None` if a quote or comment in it
/// is never closed.
pub(crate) fn lex(text: &str, dialect: Dialect) -> Option<Vec<Token>> {
    let lexer = Lexer::new(text, dialect);
    let mut tokens: Vec<Token> = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    loop {
        let lexeme = lexer.next(at).ok()?;
        at = lexeme.end;
        let kind = match lexeme.kind {
            LexemeKind::End => return Some(tokens),
            LexemeKind::Token(kind) => kind,
            LexemeKind::Placeholder => TokenKind::Word,
            LexemeKind::Backslash => TokenKind::Operator,
            LexemeKind::LineComment
            | LexemeKind::BlockComment
            | LexemeKind::VersionOpen
            | LexemeKind::VersionClose => continue,
        };
        if kind == TokenKind::Open {
            open.push(tokens.len());
        } else if kind == TokenKind::Close
            && let Some(partner) = open.pop()
        {
            let close = tokens.len();
            tokens[partner].set_partner(close);
        }
        tokens.push(Token::new(kind, lexeme.start, lexeme.end));
    }
}

/// The text with every line but the first indented, where the line does not begin inside a literal
/// or a quoted name: there, blanks would change what it says.
pub(crate) fn indented(text: &str, by: usize, dialect: Dialect) -> String {
    let Some(tokens) = lex(text, dialect) else {
        return text.to_owned();
    };
    let mut quoted = tokens
        .into_iter()
        .filter(|token| matches!(token.kind, TokenKind::Text | TokenKind::Quoted))
        .map(Token::range)
        .peekable();
    let pad = " ".repeat(by);
    let mut result = String::with_capacity(text.len() + by);
    for (at, letter) in text.char_indices() {
        result.push(letter);
        while quoted.next_if(|range| range.end <= at).is_some() {}
        if letter == '\n' && quoted.peek().is_none_or(|range| at < range.start) {
            result.push_str(&pad);
        }
    }
    result
}

/// The expression as it may stand beside an operator: in brackets, unless it is one word or call.
pub(crate) fn operand(expr: &str, dialect: Dialect) -> String {
    use TokenKind::{Close, Dot, Number, Open, Text, Word};
    let tokens = lex(expr, dialect).unwrap_or_default();
    let kinds: Vec<TokenKind> = tokens.iter().map(|token| token.kind).collect();
    let whole = match kinds.as_slice() {
        [Open, .., Close] => is_query(expr, dialect),
        [Word | Text | Number] | [Word, Dot, Word] => true,
        [Word, Open, .., Close] => {
            tokens[1].partner() == tokens.len() - 1
                && !expr[tokens[0].range()].eq_ignore_ascii_case("not")
        }
        _ => false,
    };
    if whole { expr.to_owned() } else { format!("({expr})") }
}

/// `(SELECT …)` and nothing else.
pub(crate) fn is_query(expr: &str, dialect: Dialect) -> bool {
    let tokens = lex(expr, dialect).unwrap_or_default();
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| expr[token.range()].eq_ignore_ascii_case(word))
    };
    is(0, "(") && is(1, "select") && tokens[0].partner() == tokens.len() - 1
}

/// `(…)`, or `EXISTS (…)`: no operator stands outside.
pub(crate) fn is_in_brackets(expr: &str, dialect: Dialect) -> bool {
    let tokens = lex(expr, dialect).unwrap_or_default();
    let exists = tokens.first().is_some_and(|t| expr[t.range()].eq_ignore_ascii_case("exists"));
    let open = tokens.get(usize::from(exists));
    open.is_some_and(|open| open.kind == TokenKind::Open && open.partner() == tokens.len() - 1)
}

/// The text with one space where there was white space or a comment.
pub(crate) fn folded(text: &str, dialect: Dialect) -> String {
    let Some(tokens) = lex(text, dialect) else {
        return text.to_owned();
    };
    let mut result = String::with_capacity(text.len());
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end < token.start()) {
            result.push(' ');
        }
        result.push_str(&text[token.range()]);
        end = Some(token.end());
    }
    result
}

/// The name a token stands for, if it is one.
fn name_of(text: &str, token: Token, dialect: Dialect) -> Option<String> {
    let raw = &text[token.range()];
    match token.kind {
        TokenKind::Word => Some(literal::bare_name(raw, dialect).into_owned()),
        TokenKind::Quoted => Some(literal::quoted_name(raw, dialect).into_owned()),
        _ => None,
    }
}

fn same(one: &str, other: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Where the name stands as a column: not as a function, not as the type of a cast.
fn occurrences(text: &str, name: &str, dialect: Dialect) -> Vec<Token> {
    let tokens = lex(text, dialect).unwrap_or_default();
    let raw = |index: usize| tokens.get(index).map_or("", |token| &text[token.range()]);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_name =
            name_of(text, *token, dialect).is_some_and(|stored| same(&stored, name, dialect));
        let qualifier_or_call = matches!(raw(index + 1), "(" | ".");
        let cast = index > 0
            && (raw(index - 1).eq_ignore_ascii_case("as")
                || (index > 1 && raw(index - 1) == ":" && raw(index - 2) == ":"));
        if is_name && !qualifier_or_call && !cast {
            found.push(*token);
        }
    }
    found
}

/// Whether the expression names the column.
pub(crate) fn mentions(text: &str, column: &str, dialect: Dialect) -> bool {
    !occurrences(text, column, dialect).is_empty()
}

/// Whether a name stands in it with this schema.
pub(crate) fn says_schema(text: &str, schema: &str, dialect: Dialect) -> bool {
    let tokens = lex(text, dialect).unwrap_or_default();
    tokens.windows(2).any(|pair| {
        let raw = &text[pair[0].range()];
        let name = match pair[0].kind {
            TokenKind::Word => literal::bare_name(raw, dialect),
            TokenKind::Quoted => literal::quoted_name(raw, dialect),
            _ => return false,
        };
        name == schema && &text[pair[1].range()] == "."
    })
}

/// Whether a token of the expression, which is no name in quotes and no literal, is like that.
pub(crate) fn says(text: &str, dialect: Dialect, is: impl Fn(&str) -> bool) -> bool {
    let tokens = lex(text, dialect).unwrap_or_default();
    tokens.iter().map(|token| &text[token.range()]).any(is)
}

/// Whether the expression calls the function.
pub(crate) fn calls(text: &str, function: &str, dialect: Dialect) -> bool {
    let tokens = lex(text, dialect).unwrap_or_default();
    tokens.windows(2).any(|pair| {
        &text[pair[1].range()] == "("
            && name_of(text, pair[0], dialect)
                .is_some_and(|name| name.eq_ignore_ascii_case(function))
    })
}

/// Whether something in the query gets the name: `… AS name`.
pub(crate) fn gives_name(text: &str, name: &str, dialect: Dialect) -> bool {
    let tokens = lex(text, dialect).unwrap_or_default();
    tokens.windows(2).any(|pair| {
        text[pair[0].range()].eq_ignore_ascii_case("as")
            && name_of(text, pair[1], dialect).is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// The expression with the column under a new name, given as it shall stand in it.
pub(crate) fn renamed(text: &str, column: &str, new: &str, dialect: Dialect) -> String {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for token in occurrences(text, column, dialect) {
        result.push_str(&text[end..token.start()]);
        result.push_str(new);
        end = token.end();
    }
    result.push_str(&text[end..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_inside_quotes_are_not_indented() {
        let text = "f('a\n''b\nc', \"d\ne\") ||\n$$x\ny$$ -- it's\n|| 1";
        assert_eq!(
            indented(text, 2, Dialect::Postgres),
            "f('a\n''b\nc', \"d\ne\") ||\n  $$x\ny$$ -- it's\n  || 1"
        );
        assert_eq!(indented("'open\n", 2, Dialect::Postgres), "'open\n");
    }

    #[test]
    fn brackets_where_an_operator_could_tear_apart() {
        for (expr, beside) in [
            ("a", "a"),
            ("NEW.a", "NEW.a"),
            ("f(a, (b))", "f(a, (b))"),
            ("f(a) || g(b)", "(f(a) || g(b))"),
            ("NOT (a)", "(NOT (a))"),
            ("-1", "(-1)"),
            ("CASE WHEN a THEN b END", "(CASE WHEN a THEN b END)"),
        ] {
            assert_eq!(operand(expr, Dialect::Postgres), beside);
        }
    }

    #[test]
    fn white_space_and_comments_fold_outside_quotes() {
        assert_eq!(
            folded("character /* x */ varying\n( 255 )", Dialect::Postgres),
            "character varying ( 255 )"
        );
        assert_eq!(folded("enum('a  b',\n 'c')", Dialect::MySql), "enum('a  b', 'c')");
    }

    #[test]
    fn a_column_is_renamed_and_nothing_else() {
        assert_eq!(
            renamed(
                "price > 0 AND unit_price > price::price AND price(1) AND 'price'",
                "price",
                "cost",
                Dialect::Postgres
            ),
            "cost > 0 AND unit_price > cost::price AND price(1) AND 'price'"
        );
        assert_eq!(
            renamed("CAST(\"Date\" AS date)", "Date", "\"Day\"", Dialect::Postgres),
            "CAST(\"Day\" AS date)"
        );
    }
}
