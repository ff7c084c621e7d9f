//! Conditions as Django's models say them: `models.Q(…)`.

use crate::catalog::Expr;
use crate::dialect::Dialect;
use crate::input::expr::condition::{self, Comparison, Condition, Operand};
use crate::package::python::Py;

use super::FieldOf;

/// `None` where the condition is more than Django's lookups, or names what is no field.
pub(super) fn q(dialect: Dialect, Expr(text): &Expr, field: FieldOf) -> Option<Py> {
    of(&condition::read(text, dialect)?, field)
}

fn of(condition: &Condition, field: FieldOf) -> Option<Py> {
    if let Some(lookup) = lookup(condition, field) {
        return Some(Py::Call { function: "models.Q".into(), args: vec![], kwargs: vec![lookup] });
    }
    let each = |parts: &[Condition]| -> Option<Vec<Py>> {
        parts.iter().map(|part| of(part, field)).collect()
    };
    Some(match condition {
        Condition::All(parts) => {
            let lookups: Option<Vec<_>> = parts.iter().map(|part| lookup(part, field)).collect();
            match lookups {
                Some(kwargs) if are_distinct(&kwargs) => {
                    Py::Call { function: "models.Q".into(), args: vec![], kwargs }
                }
                _ => Py::Joined { operator: "&", values: each(parts)? },
            }
        }
        Condition::Any(parts) => Py::Joined { operator: "|", values: each(parts)? },
        Condition::Not(inner) => match of(inner, field)? {
            Py::Call { function, args, kwargs } if !function.starts_with('~') => {
                Py::Call { function: format!("~{function}"), args, kwargs }
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// One keyword argument.
fn lookup(condition: &Condition, field: FieldOf) -> Option<(String, Py)> {
    let is = |column: &str, is: bool| {
        Some((format!("{}__isnull", field(column)?), Py::raw(if is { "True" } else { "False" })))
    };
    Some(match condition {
        Condition::IsNull(column) => is(column, true)?,
        Condition::Not(inner) => match &**inner {
            Condition::IsNull(column) => is(column, false)?,
            _ => return None,
        },
        Condition::Compare { column, comparison, operand: value } => {
            let suffix = match comparison {
                Comparison::Equal => "",
                Comparison::Less => "__lt",
                Comparison::LessOrEqual => "__lte",
                Comparison::Greater => "__gt",
                Comparison::GreaterOrEqual => "__gte",
            };
            (format!("{}{suffix}", field(column)?), operand(value, field)?)
        }
        Condition::Between { column, from, to } => {
            let ends = vec![operand(from, field)?, operand(to, field)?];
            (format!("{}__range", field(column)?), Py::Tuple(ends))
        }
        Condition::In { column, operands } => {
            let all = operands.iter().map(|one| operand(one, field)).collect::<Option<_>>()?;
            (format!("{}__in", field(column)?), Py::List(all))
        }
        Condition::All(_) | Condition::Any(_) => return None,
    })
}

fn operand(operand: &Operand, field: FieldOf) -> Option<Py> {
    Some(match operand {
        Operand::Column(column) => Py::call("models.F", [Py::str(field(column)?)], []),
        Operand::Text(text) => Py::str(text.clone()),
        Operand::Number(number) => Py::raw(number.clone()),
        Operand::Bool(is) => Py::raw(if *is { "True" } else { "False" }),
    })
}

fn are_distinct(kwargs: &[(String, Py)]) -> bool {
    kwargs.iter().enumerate().all(|(at, (name, _))| kwargs[..at].iter().all(|(n, _)| n != name))
}
