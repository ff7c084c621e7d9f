//! What an expression names and calls.
//!
//! Enters: the text of one expression. Leaves: [`ExprFacts`], or `None` for "not understood", which
//! every caller must take as "not proven". Must not know: where the expression stood. The only
//! place that asks sqlparser, always on a thread with room, for its trees are as deep as the text
//! is long. `query` tells the levels apart at which names stand, `condition` reads comparisons.

pub mod casts;
pub mod condition;
pub mod query;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::thread;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query,
    UnaryOperator, Value, Visit, Visitor,
};
use sqlparser::dialect::{Dialect as SqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::source::Dialect;

use super::lexer::{Lexeme, LexemeKind, Lexer};
use super::literal;
use super::tokens::TokenKind;

const STACK_BYTES: usize = 64 * 1024 * 1024;
/// Chains of operators nest as deep as they are long; so many are safe on that stack.
const MOST_TOKENS: usize = 10_000;
const DEEPEST_BRACKETS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExprFacts {
    /// As stored, each once; the last part of qualified names.
    pub columns: Vec<String>,
    /// In lower case, each once, without schema.
    pub functions: Vec<String>,
    pub subquery: bool,
    /// `$1`, `?`, `:name`.
    pub parameters: bool,
    /// Names no column, calls no function, asks nothing.
    pub is_constant: bool,
}

pub fn read(text: &str, dialect: Dialect) -> Option<ExprFacts> {
    let lexemes = lexemes(text, dialect)?;
    if let Some(facts) = simple(text, &lexemes, dialect) {
        return Some(facts);
    }
    parsed(text, dialect, |expr| {
        let mut finder = Finder {
            dialect,
            columns: Seen::default(),
            functions: Seen::default(),
            subquery: false,
            parameters: false,
            whole_row: false,
        };
        let _ = expr.visit(&mut finder);
        let mut facts = ExprFacts {
            columns: finder.columns.list,
            functions: finder.functions.list,
            subquery: finder.subquery,
            parameters: finder.parameters,
            is_constant: false,
        };
        facts.is_constant = facts.columns.is_empty()
            && facts.functions.is_empty()
            && !facts.subquery
            && !facts.parameters;
        (!finder.whole_row).then_some(facts)
    })?
}

/// A CHECK of this form lets no NULL into the column: `c IS NOT NULL`, also inside AND, negated
/// `c IS NULL`, `c IS DISTINCT FROM NULL`, `(…) = true`.
pub fn proves_not_null(check: &str, column: &str, dialect: Dialect) -> bool {
    lexemes(check, dialect).is_some()
        && parsed(check, dialect, |expr| proves(expr, column, dialect)).unwrap_or(false)
}

/// The words of the text, if it may be given to the parser.
fn lexemes(text: &str, dialect: Dialect) -> Option<Vec<Lexeme>> {
    let lexer = Lexer::new(text, dialect);
    let mut lexemes = Vec::new();
    let mut at = 0;
    let mut depth = 0_usize;
    loop {
        let lexeme = lexer.next(at).ok()?;
        at = lexeme.end;
        match lexeme.kind {
            LexemeKind::End => return Some(lexemes),
            LexemeKind::LineComment | LexemeKind::BlockComment => continue,
            LexemeKind::Token(TokenKind::Open) => depth += 1,
            LexemeKind::Token(TokenKind::Close) => depth = depth.checked_sub(1)?,
            LexemeKind::Token(_) => {}
            // A template's word may stand for anything.
            _ => return None,
        }
        lexemes.push(lexeme);
        if lexemes.len() > MOST_TOKENS || depth > DEEPEST_BRACKETS {
            return None;
        }
    }
}

/// A literal, a plain column, or a call without arguments: no parser needed.
fn simple(text: &str, lexemes: &[Lexeme], dialect: Dialect) -> Option<ExprFacts> {
    let token = |lexeme: &Lexeme| match lexeme.kind {
        LexemeKind::Token(kind) => Some(kind),
        _ => None,
    };
    let raw = |lexeme: &Lexeme| &text[lexeme.start..lexeme.end];
    let constant = || ExprFacts { is_constant: true, ..ExprFacts::default() };
    let call = |name: &str| ExprFacts {
        functions: vec![name.to_ascii_lowercase()],
        ..ExprFacts::default()
    };
    match lexemes {
        [one] => match token(one)? {
            TokenKind::Text | TokenKind::Number => Some(constant()),
            TokenKind::Word => {
                let word = raw(one);
                if ["NULL", "TRUE", "FALSE"].iter().any(|w| word.eq_ignore_ascii_case(w)) {
                    Some(constant())
                } else if is_bare_function(word, dialect) {
                    Some(call(word))
                } else {
                    Some(ExprFacts {
                        columns: vec![literal::bare_name(word, dialect).into_owned()],
                        ..ExprFacts::default()
                    })
                }
            }
            TokenKind::Quoted => Some(ExprFacts {
                columns: vec![literal::quoted_name(raw(one), dialect).into_owned()],
                ..ExprFacts::default()
            }),
            _ => None,
        },
        [sign, number]
            if matches!(raw(sign), "-" | "+") && token(number) == Some(TokenKind::Number) =>
        {
            Some(constant())
        }
        [name, open, close]
            if token(name) == Some(TokenKind::Word) && raw(open) == "(" && raw(close) == ")" =>
        {
            Some(call(raw(name)))
        }
        _ => None,
    }
}

/// Words that are calls without parentheses.
fn is_bare_function(word: &str, dialect: Dialect) -> bool {
    let everywhere = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"];
    let own: &[&str] = match dialect {
        Dialect::Postgres => &[
            "CURRENT_USER",
            "SESSION_USER",
            "USER",
            "CURRENT_ROLE",
            "CURRENT_CATALOG",
            "CURRENT_SCHEMA",
            "SYSTEM_USER",
            "LOCALTIME",
            "LOCALTIMESTAMP",
        ],
        Dialect::MySql | Dialect::MariaDb => &[
            "CURRENT_USER",
            "LOCALTIME",
            "LOCALTIMESTAMP",
            "UTC_DATE",
            "UTC_TIME",
            "UTC_TIMESTAMP",
        ],
        Dialect::Sqlite => &[],
    };
    everywhere.iter().chain(own).any(|name| word.eq_ignore_ascii_case(name))
}

/// Parses the text as one expression, away from the caller's stack, and asks about it there.
fn parsed<T: Send>(text: &str, dialect: Dialect, ask: impl FnOnce(&Expr) -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || {
                let sql_dialect: &dyn SqlDialect = match dialect {
                    Dialect::Postgres => &PostgreSqlDialect {},
                    Dialect::MySql | Dialect::MariaDb => &MySqlDialect {},
                    Dialect::Sqlite => &SQLiteDialect {},
                };
                let mut parser = Parser::new(sql_dialect)
                    .with_recursion_limit(4 * DEEPEST_BRACKETS)
                    .try_with_sql(text)
                    .ok()?;
                let expr = parser.parse_expr().ok()?;
                (parser.peek_token().token == Token::EOF).then(|| ask(&expr))
            })
            .ok()?
            .join()
            .ok()?
    })
}

/// A list without repetitions, in order of appearance.
#[derive(Default)]
struct Seen {
    list: Vec<String>,
    known: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, name: String) {
        if self.known.insert(name.clone()) {
            self.list.push(name);
        }
    }
}

struct Finder {
    dialect: Dialect,
    columns: Seen,
    functions: Seen,
    subquery: bool,
    parameters: bool,
    /// `t.*`: columns that are not named.
    whole_row: bool,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.subquery = true;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let called = match expr {
            Expr::Identifier(ident) => {
                if ident.quote_style.is_none() && is_bare_function(&ident.value, self.dialect) {
                    self.functions.add(ident.value.to_ascii_lowercase());
                } else {
                    self.columns.add(stored(ident, self.dialect));
                }
                return ControlFlow::Continue(());
            }
            Expr::CompoundIdentifier(parts) => {
                if let Some(last) = parts.last() {
                    self.columns.add(stored(last, self.dialect));
                }
                return ControlFlow::Continue(());
            }
            Expr::QualifiedWildcard(..) => {
                self.whole_row = true;
                return ControlFlow::Continue(());
            }
            Expr::Function(function) => {
                self.whole_row |= takes_whole_row(&function.args);
                if let Some(name) = function.name.0.last().and_then(|part| part.as_ident()) {
                    self.functions.add(name.value.to_ascii_lowercase());
                }
                return ControlFlow::Continue(());
            }
            Expr::Value(value) => {
                self.parameters |= matches!(value.value, Value::Placeholder(_));
                return ControlFlow::Continue(());
            }
            Expr::MatchAgainst { columns, .. } => {
                for column in columns {
                    if let Some(name) = column.0.last().and_then(|part| part.as_ident()) {
                        self.columns.add(stored(name, self.dialect));
                    }
                }
                "match"
            }
            other => match builtin(other) {
                Some(name) => name,
                None => return ControlFlow::Continue(()),
            },
        };
        self.functions.add(called.to_owned());
        ControlFlow::Continue(())
    }
}

fn takes_whole_row(args: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = args else { return false };
    list.args
        .iter()
        .any(|arg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_))))
}

/// A call with a grammar of its own.
fn builtin(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Extract { .. } => Some("extract"),
        Expr::Ceil { .. } => Some("ceil"),
        Expr::Floor { .. } => Some("floor"),
        Expr::Position { .. } => Some("position"),
        Expr::Substring { .. } => Some("substring"),
        Expr::Trim { .. } => Some("trim"),
        Expr::Overlay { .. } => Some("overlay"),
        _ => None,
    }
}

fn stored(ident: &Ident, dialect: Dialect) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        literal::bare_name(&ident.value, dialect).into_owned()
    }
}

fn proves(expr: &Expr, column: &str, dialect: Dialect) -> bool {
    match expr {
        Expr::Nested(inner) => proves(inner, column, dialect),
        Expr::IsNotNull(inner) => is_column(inner, column, dialect),
        Expr::IsDistinctFrom(left, right) => {
            (is_column(left, column, dialect) && is_null(right))
                || (is_null(left) && is_column(right, column, dialect))
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => refuses_null(expr, column, dialect),
        Expr::IsTrue(inner) => proves(inner, column, dialect),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And => proves(left, column, dialect) || proves(right, column, dialect),
            BinaryOperator::Eq => {
                (is_true(right) && proves(left, column, dialect))
                    || (is_true(left) && proves(right, column, dialect))
            }
            _ => false,
        },
        _ => false,
    }
}

/// What stands under NOT: `c IS NULL`, and OR with it on either side.
fn refuses_null(expr: &Expr, column: &str, dialect: Dialect) -> bool {
    match expr {
        Expr::Nested(inner) => refuses_null(inner, column, dialect),
        Expr::IsNull(inner) => is_column(inner, column, dialect),
        _ => false,
    }
}

fn is_column(expr: &Expr, column: &str, dialect: Dialect) -> bool {
    let same = |ident: &Ident| {
        let name = stored(ident, dialect);
        if dialect == Dialect::Postgres {
            name == column
        } else {
            name.eq_ignore_ascii_case(column)
        }
    };
    match expr {
        Expr::Nested(inner) => is_column(inner, column, dialect),
        Expr::Identifier(ident) => same(ident),
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(same),
        _ => false,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Boolean(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> ExprFacts {
        read(text, Dialect::Postgres).expect("facts")
    }

    #[test]
    fn columns_and_functions_are_found() {
        let found = facts("nullif(btrim(u.\"Full\"), '') || lower(Email)::varchar(20)");
        assert_eq!(found.columns, ["Full", "email"]);
        assert_eq!(found.functions, ["nullif", "btrim", "lower"]);
        assert!(!found.is_constant);
        assert!(facts("(SELECT max(id) FROM t)").subquery);
        assert!(facts("a = $1").parameters);
        assert_eq!(facts("extract(year FROM d)").functions, ["extract"]);
        assert_eq!(facts("now() AT TIME ZONE 'utc'").functions, ["now"]);
        assert_eq!(facts("CURRENT_DATE + 1").functions, ["current_date"]);
    }

    #[test]
    fn simple_texts_need_no_parser() {
        for constant in ["1", "-1.5", "'x''y'", "NULL", "true", "'{}'::jsonb", "interval '1 day'"] {
            assert!(facts(constant).is_constant, "{constant}");
        }
        assert_eq!(facts("Email").columns, ["email"]);
        assert_eq!(facts("now()").functions, ["now"]);
        assert_eq!(facts("current_timestamp").functions, ["current_timestamp"]);
        assert_eq!(read("UserId", Dialect::Sqlite).expect("facts").columns, ["UserId"]);
    }

    #[test]
    fn what_is_too_deep_or_no_expression_is_not_understood() {
        let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
        let long = format!("1{}", " + 1".repeat(100_000));
        for text in [deep.as_str(), long.as_str(), "", "a b c", "a +", "(a", "DROP TABLE t", "${x}"]
        {
            assert_eq!(read(text, Dialect::Postgres), None);
        }
        let chain = format!("a{}", " AND a".repeat(4_000));
        assert_eq!(facts(&chain).columns, ["a"]);
    }

    #[test]
    fn checks_that_prove_not_null() {
        let proves = |check| proves_not_null(check, "c", Dialect::Postgres);
        for check in [
            "c IS NOT NULL",
            "((c IS NOT NULL))",
            "(C is not null AND a > 0) AND b",
            "NOT (c IS NULL)",
            "NOT c IS NULL",
            "c IS DISTINCT FROM NULL",
            "(c IS NOT NULL) = true",
        ] {
            assert!(proves(check), "{check}");
        }
        for check in [
            "c <> ''",
            "length(c) > 0",
            "c IS NOT NULL OR a > 0",
            "((c > 5) OR (c IS NOT NULL))",
            "\"C\" IS NOT NULL",
            "num_nonnulls(c) = 1",
            "(c IS NOT NULL) = false",
            "CASE WHEN c IS NULL THEN false ELSE true END",
            "NOT (c IS NULL AND a)",
            "",
        ] {
            assert!(!proves(check), "{check}");
        }
    }
}
