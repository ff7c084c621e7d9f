//! Predicates over the rows of one table, as SQL.

use crate::catalog::{Expr, TableName};
use crate::dialect::{Dialect, Server, quote};
use crate::input;
use crate::plan::condition::Predicate;

use super::{indent, table};

/// A predicate over the rows of one table.
pub fn predicate(server: &Server, predicate_: &Predicate) -> String {
    let ident = |name: &str| quote::ident(server.dialect, name);
    match predicate_ {
        Predicate::IsNull(column) => format!("{} IS NULL", ident(column)),
        Predicate::IsNotNull(column) => format!("{} IS NOT NULL", ident(column)),
        Predicate::ExprIsNull(Expr(expr)) => {
            format!("{} IS NULL", input::operand(expr, server.dialect))
        }
        Predicate::ExprIsNotNull(Expr(expr)) => {
            format!("{} IS NOT NULL", input::operand(expr, server.dialect))
        }
        Predicate::AsText(compared) => comparison(server, compared, exactly(server.dialect))
            .unwrap_or_else(|| predicate(server, compared)),
        Predicate::Differs(..) | Predicate::Holds(..) | Predicate::ColumnsDiffer(..) => {
            comparison(server, predicate_, ["", ""]).unwrap_or_default()
        }
        Predicate::Refused(Expr(expr)) => format!("NOT ({expr})"),
        Predicate::Orphan { table: of, columns, parent, references } => {
            let of = table(server, of);
            let given = columns.iter().map(|column| format!("{} IS NOT NULL", ident(column)));
            let equal: Vec<String> = columns
                .iter()
                .zip(references)
                .map(|(own, other)| format!("parent.{} = {of}.{}", ident(other), ident(own)))
                .collect();
            format!(
                "{} AND NOT EXISTS (\n    SELECT 1 FROM {} AS parent\n    WHERE {}\n)",
                given.collect::<Vec<_>>().join(" AND "),
                table(server, parent),
                equal.join(" AND ")
            )
        }
        Predicate::Missing { from, alias, into, key } => {
            let into = table(server, into);
            let from = match alias {
                Some(alias) => ident(alias),
                None => table(server, from),
            };
            let pairs: Vec<String> = key
                .iter()
                .map(|(copy, of)| format!("{into}.{} = {from}.{}", ident(copy), ident(of)))
                .collect();
            format!("NOT EXISTS (\n    SELECT 1 FROM {into}\n    WHERE {}\n)", pairs.join(" AND "))
        }
        Predicate::Outdated { from, into, key, columns } => {
            let (from, into) = (table(server, from), table(server, into));
            let both = |name: &str, [left, right]: [&str; 2], operator: &str| {
                let name = ident(name);
                format!("{into}.{name}{left} {operator} {from}.{name}{right}")
            };
            let keys = key.iter().map(|name| both(name, ["", ""], "="));
            let differs = columns.iter().map(|(name, as_text)| {
                let marks = if *as_text { exactly(server.dialect) } else { ["", ""] };
                both(name, marks, differs(server.dialect))
            });
            let differs = differs.collect::<Vec<_>>().join(" OR ");
            let differs = if columns.len() > 1 { format!("({differs})") } else { differs };
            let all: Vec<String> = keys.chain([differs]).collect();
            format!("EXISTS (\n    SELECT 1 FROM {into}\n    WHERE {}\n)", all.join(" AND "))
        }
        Predicate::Given(Expr(expr)) => {
            // Only OR binds weaker than the AND we join with.
            if expr.to_ascii_lowercase().contains("or")
                && !input::is_in_brackets(expr, server.dialect)
            {
                format!("({expr})")
            } else {
                expr.clone()
            }
        }
        Predicate::Called(_, of) => predicate(server, of),
        Predicate::And(parts) => {
            let asks = |part: &Predicate| match part {
                Predicate::Given(Expr(expr)) => {
                    input::says(expr, server.dialect, |word| word.eq_ignore_ascii_case("select"))
                }
                _ => false,
            };
            if !parts.iter().any(asks) {
                return join(server, parts, " AND ");
            }
            let parts = parts.iter().map(|part| predicate(server, part));
            indent(server.dialect, &parts.collect::<Vec<_>>().join("\nAND "), 4)
        }
        Predicate::Or(parts) => {
            let line = join(server, parts, " OR ");
            if line.len() < 80 {
                return format!("({line})");
            }
            format!("(\n    {}\n)", join(server, parts, "\n    OR "))
        }
    }
}

/// The table as the predicate calls it.
pub(super) fn named(server: &Server, of: &TableName, predicate: &Predicate) -> String {
    let name = table(server, of);
    match predicate.alias() {
        Some(alias) => format!("{name} AS {}", quote::ident(server.dialect, alias)),
        None => name,
    }
}

fn join(server: &Server, parts: &[Predicate], word: &str) -> String {
    parts.iter().map(|part| predicate(server, part)).collect::<Vec<_>>().join(word)
}

/// What stands behind either side of a comparison, so that it is one of texts, character by character.
pub(super) fn exactly(dialect: Dialect) -> [&'static str; 2] {
    match dialect {
        Dialect::Sqlite => [" COLLATE BINARY", ""],
        _ => ["::text COLLATE \"C\"", "::text"],
    }
}

/// Unequal, NULL counted as a value.
fn differs(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Sqlite { "IS NOT" } else { "IS DISTINCT FROM" }
}

fn comparison(server: &Server, predicate: &Predicate, marks: [&str; 2]) -> Option<String> {
    let ident = |name: &str| quote::ident(server.dialect, name);
    let operand = |Expr(expr): &Expr| input::operand(expr, server.dialect);
    let differs = differs(server.dialect);
    let (column, operator, other) = match predicate {
        Predicate::Differs(column, expr) => (column, differs, operand(expr)),
        Predicate::Holds(column, expr) => (column, "=", operand(expr)),
        Predicate::ColumnsDiffer(a, b) => (a, differs, ident(b)),
        _ => return None,
    };
    let [left, right] = marks;
    Some(format!("{}{left} {operator} {other}{right}", ident(column)))
}
