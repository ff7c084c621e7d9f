//! What PostgreSQL calls an index key that is an expression.
//!
//! Enters: the text of the key. Leaves: its part of the index's name. Must not know: the index.

use crate::input::{Token, TokenKind, lex, literal};
use crate::source::Dialect;

/// A column, a function's name, a cast's type, or `expr`.
pub(super) fn pg_expression_name(text: &str) -> String {
    lex(text, Dialect::Postgres)
        .and_then(|tokens| Figure { text, tokens }.name())
        .unwrap_or_else(|| "expr".to_owned())
}

/// An expression whose name is looked for.
struct Figure<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

const OPERATORS: [&str; 11] = [
    "IS", "ISNULL", "NOTNULL", "AND", "OR", "IN", "LIKE", "ILIKE", "SIMILAR", "BETWEEN", "OVERLAPS",
];

impl Figure<'_> {
    fn raw(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.text[token.range()])
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.raw(at).eq_ignore_ascii_case(word)
    }

    /// The index of the bracket that closes the one at `open`.
    fn close(&self, open: usize) -> Option<usize> {
        let close = self.tokens.get(open)?.partner();
        (close > open).then_some(close)
    }

    fn name(&self) -> Option<String> {
        let (mut from, mut to) = (0, self.tokens.len());
        // What has no name of its own is called after the type of the innermost cast.
        let mut ty = None;
        while from < to {
            let cast = self.is(from, "cast") && self.raw(from + 1) == "(";
            if !cast && self.raw(from) != "(" {
                return self.own_name(from, to).or(ty);
            }
            let open = from + usize::from(cast);
            let close = self.close(open)?;
            if self.is_operated(close + 1, to) {
                return ty;
            }
            from = open + 1;
            if cast {
                let of = (from..close).rev().find(|at| self.is(*at, "as"))?;
                ty = Some(type_name(self.raw(of + 1)));
                to = of;
            } else {
                if close + 1 < to && self.raw(close + 1) == ":" {
                    ty = Some(type_name(self.raw(close + 3)));
                }
                to = close;
            }
        }
        ty
    }

    /// The last part of a column's or function's name, if nothing is done with it.
    fn own_name(&self, from: usize, to: usize) -> Option<String> {
        let mut at = from;
        while at + 2 < to && self.tokens[at + 1].kind == TokenKind::Dot {
            at += 2;
        }
        let name = match self.tokens[at].kind {
            TokenKind::Word => self.raw(at).to_ascii_lowercase(),
            TokenKind::Quoted => literal::quoted_name(self.raw(at), Dialect::Postgres).into(),
            _ => return None,
        };
        match name.as_str() {
            "case" => return Some(name),
            "not" => return None,
            _ => at += 1,
        }
        if at < to && self.raw(at) == "(" {
            at = self.close(at)? + 1;
        }
        if at < to && self.is(at, "at") {
            return Some("timezone".to_owned());
        }
        (!self.is_operated(at, to)).then_some(name)
    }

    /// Whether an operator stands there outside brackets. A cast, a collation or a subscript is
    /// none, nor are an operator class and an order.
    fn is_operated(&self, from: usize, to: usize) -> bool {
        let mut at = from;
        while at < to {
            match self.tokens[at].kind {
                TokenKind::Open => match self.close(at) {
                    Some(close) => at = close,
                    None => return true,
                },
                TokenKind::Operator if self.raw(at) != ":" => return true,
                TokenKind::Word if OPERATORS.iter().any(|word| self.is(at, word)) => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }
}

/// The server's own name of a type.
fn type_name(written: &str) -> String {
    let written = written.to_ascii_lowercase();
    match written.as_str() {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "decimal" | "dec" => "numeric",
        "real" => "float4",
        "double" | "float" => "float8",
        "char" | "character" => "bpchar",
        other => other,
    }
    .to_owned()
}
