//! A condition as a tree of comparisons: what a framework can say in words of its own.
//!
//! Enters: the text of a condition. Leaves: [`Condition`], or `None` where anything in it is more
//! than a comparison of columns with literals and each other.

use sqlparser::ast::{BinaryOperator, DataType, Expr, UnaryOperator, Value};

use crate::source::Dialect;

use super::{lexemes, parsed, stored};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    IsNull(String),
    Compare { column: String, comparison: Comparison, operand: Operand },
    Between { column: String, from: Operand, to: Operand },
    In { column: String, operands: Vec<Operand> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    Column(String),
    Text(String),
    Number(String),
    Bool(bool),
}

/// Reads a condition as the server takes it, or as it prints it: `status = 'open'::text`.
pub fn read(text: &str, dialect: Dialect) -> Option<Condition> {
    lexemes(text, dialect)?;
    parsed(text, dialect, |expr| condition(expr, dialect))?
}

fn condition(expr: &Expr, dialect: Dialect) -> Option<Condition> {
    let again = |inner: &Expr| condition(inner, dialect);
    let column = |inner: &Expr| column(inner, dialect);
    let operand = |inner: &Expr| operand(inner, dialect);
    let negated = |is: bool, found: Condition| {
        if is { Condition::Not(Box::new(found)) } else { found }
    };
    Some(match expr {
        Expr::Nested(inner) => again(inner)?,
        Expr::Identifier(_) | Expr::IsTrue(_) | Expr::IsFalse(_) => {
            let (inner, is) = match expr {
                Expr::IsTrue(inner) => (&**inner, true),
                Expr::IsFalse(inner) => (&**inner, false),
                bare => (bare, true),
            };
            equal(column(inner)?, Operand::Bool(is))
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => match again(expr)? {
            // `NOT active`
            Condition::Compare {
                column,
                comparison: Comparison::Equal,
                operand: Operand::Bool(is),
            } => equal(column, Operand::Bool(!is)),
            other => negated(true, other),
        },
        Expr::IsNull(inner) => Condition::IsNull(column(inner)?),
        Expr::IsNotNull(inner) => negated(true, Condition::IsNull(column(inner)?)),
        Expr::InList { expr, list, negated: is } => {
            let operands = list.iter().map(operand).collect::<Option<_>>()?;
            negated(*is, Condition::In { column: column(expr)?, operands })
        }
        // How PostgreSQL prints IN.
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
            let Expr::Array(array) = bare(right) else { return None };
            let operands = array.elem.iter().map(operand).collect::<Option<_>>()?;
            Condition::In { column: column(left)?, operands }
        }
        Expr::Between { expr, negated: is, low, high } => negated(
            *is,
            Condition::Between { column: column(expr)?, from: operand(low)?, to: operand(high)? },
        ),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            Condition::All(flat(again(left)?, again(right)?, |inner| match inner {
                Condition::All(parts) => Ok(parts),
                other => Err(other),
            }))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            Condition::Any(flat(again(left)?, again(right)?, |inner| match inner {
                Condition::Any(parts) => Ok(parts),
                other => Err(other),
            }))
        }
        Expr::BinaryOp { left, op, right } => {
            let (column, op, right) = match column(left) {
                Some(column) => (column, op.clone(), right),
                None => (column(right)?, turned(op), left),
            };
            let (comparison, not) = match op {
                BinaryOperator::Eq => (Comparison::Equal, false),
                BinaryOperator::NotEq => (Comparison::Equal, true),
                BinaryOperator::Lt => (Comparison::Less, false),
                BinaryOperator::LtEq => (Comparison::LessOrEqual, false),
                BinaryOperator::Gt => (Comparison::Greater, false),
                BinaryOperator::GtEq => (Comparison::GreaterOrEqual, false),
                _ => return None,
            };
            negated(not, Condition::Compare { column, comparison, operand: operand(right)? })
        }
        _ => return None,
    })
}

fn equal(column: String, operand: Operand) -> Condition {
    Condition::Compare { column, comparison: Comparison::Equal, operand }
}

/// `a AND b AND c` has three parts.
fn flat(
    left: Condition,
    right: Condition,
    parts: impl Fn(Condition) -> Result<Vec<Condition>, Condition>,
) -> Vec<Condition> {
    [left, right]
        .into_iter()
        .flat_map(|side| parts(side).unwrap_or_else(|other| vec![other]))
        .collect()
}

/// The operator with its sides exchanged.
fn turned(op: &BinaryOperator) -> BinaryOperator {
    match op {
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        other => other.clone(),
    }
}

/// Without brackets, and without the casts that the server adds to literals where it prints them.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        Expr::Cast { expr: inner, data_type, .. } if is_of_its_own(bare(inner), data_type) => {
            bare(inner)
        }
        other => other,
    }
}

fn is_of_its_own(literal: &Expr, ty: &DataType) -> bool {
    match literal {
        Expr::Array(_) => matches!(ty, DataType::Array(_)),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => is_of_its_own(bare(expr), ty),
        Expr::Value(value) => match value.value {
            Value::SingleQuotedString(_) => matches!(
                ty,
                DataType::Text | DataType::Varchar(None) | DataType::CharacterVarying(None)
            ),
            Value::Number(..) => {
                matches!(
                    ty,
                    DataType::Numeric(_) | DataType::Integer(None) | DataType::BigInt(None)
                )
            }
            _ => false,
        },
        _ => false,
    }
}

fn column(expr: &Expr, dialect: Dialect) -> Option<String> {
    match bare(expr) {
        Expr::Identifier(name) => Some(stored(name, dialect)),
        _ => None,
    }
}

fn operand(expr: &Expr, dialect: Dialect) -> Option<Operand> {
    match bare(expr) {
        Expr::Identifier(name) => Some(Operand::Column(stored(name, dialect))),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match operand(expr, dialect)? {
            Operand::Number(number) => Some(Operand::Number(format!("-{number}"))),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(Operand::Number(number.clone())),
            Value::SingleQuotedString(text) => Some(Operand::Text(text.clone())),
            Value::Boolean(is) => Some(Operand::Bool(*is)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pg(text: &str) -> Option<Condition> {
        read(text, Dialect::Postgres)
    }

    #[test]
    fn the_servers_own_print_is_the_same_condition() {
        for (written, printed) in [
            ("status = 'open'", "(status = 'open'::text)"),
            ("s IN ('a', 'b')", "(s = ANY (ARRAY['a'::text, 'b'::text]))"),
            ("n > 0 AND n < 9 AND NOT done", "((n > 0) AND ((n < 9) AND (NOT done)))"),
            ("0 < n", "(n > 0)"),
            ("n >= 0", "(n >= (0)::numeric)"),
        ] {
            assert!(pg(written).is_some(), "{written}");
            assert_eq!(pg(written), pg(printed), "{printed}");
        }
    }

    #[test]
    fn what_is_more_than_comparisons_is_not_read() {
        for text in [
            "lower(a) = 'x'",
            "a ~ 'x'",
            "a + 1 > b",
            "a::date = '2024-01-01'",
            "a = NULL",
            "a::text = '5'",
            "a >",
        ] {
            assert_eq!(pg(text), None, "{text}");
        }
    }
}
