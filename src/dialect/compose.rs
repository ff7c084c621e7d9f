//! Expressions made of expressions: the few forms that a plan composes, the same on every server.
//!
//! Enters: texts of whole expressions. Leaves: one of them.

use std::ops::RangeInclusive;

use super::Dialect;
use super::type_change::integer_range;
use super::types::Type;

pub fn cast(text: &str, ty: &str) -> String {
    format!("CAST({text} AS {ty})")
}

/// Whether a text looks like a number and would not be the same text after having been one.
pub fn changes_as_number(text: &str) -> String {
    let number = cast(text, "NUMERIC");
    format!("{number} = {text} AND {} <> {text}", cast(&number, "TEXT"))
}

/// The expression as one of the type, which an assignment would make of it by itself. Without the
/// type's length: a cast would cut off, and an assignment refuses.
pub fn typed(dialect: Dialect, text: &str, ty: &str) -> String {
    let Type { name, .. } = Type::read(ty);
    let quoted = text.starts_with('\'') && text.ends_with('\'') && text.matches('\'').count() == 2;
    let number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let truth = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    let its_own = match name.as_str() {
        "text" | "varchar" => quoted,
        "boolean" => truth,
        _ => number && integer_range(&name).is_some(),
    };
    if its_own || dialect != Dialect::Postgres {
        return text.to_owned();
    }
    let lower = ty.to_ascii_lowercase();
    match (lower.split_once('('), lower.rsplit_once(')')) {
        (Some((name, _)), Some((_, rest))) => cast(text, &format!("{}{rest}", name.trim_end())),
        _ => cast(text, ty),
    }
}

/// The first, or where that is NULL the other.
pub fn or_else(text: &str, other: &str) -> String {
    format!("coalesce({text}, {other})")
}

/// NULL, or the other, where the condition is not met.
pub fn when(condition: &str, text: &str, other: Option<&str>) -> String {
    let other = other.map_or_else(String::new, |other| format!(" ELSE {other}"));
    format!("CASE WHEN {condition} THEN {text}{other} END")
}

/// Whether a text is a label of an enum. PostgreSQL only.
pub fn is_label(text: &str, ty: &str) -> String {
    format!("CAST({text} AS text) = ANY (CAST(enum_range(CAST(NULL AS {ty})) AS text[]))")
}

pub fn within(text: &str, range: &RangeInclusive<i64>) -> String {
    format!("{text} BETWEEN {} AND {}", range.start(), range.end())
}

/// The text of an operand, in so many characters. PostgreSQL only.
pub fn cut(operand: &str, room: u32) -> String {
    format!("left({operand}::text, {room})")
}
