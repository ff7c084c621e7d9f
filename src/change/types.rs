//! Column types a new column may have: those whose cost is known.
//!
//! A domain with a constraint rewrites the table even for a nullable column, and a name that is
//! nowhere defined may be one; so a type is either built in, of a known extension, or in the schema.

use crate::catalog::names::closest;
use crate::catalog::{Catalog, TableName, integer_type};
use crate::dialect::Server;
use crate::dialect::type_change::integer_range;
use crate::dialect::types::{first_word, is_known};
use crate::input;
use crate::source::Dialect;

/// Those that take words in their parentheses: `geometry(Point, 4326)`.
const TYPE_MODIFIED: &[&str] = &["geography", "geometry"];

/// Whether a column may be given this type.
pub(super) fn check(server: &Server, catalog: &Catalog, ty: &str) -> Result<(), String> {
    if server.dialect != Dialect::Postgres {
        return Ok(());
    }
    let word = first_word(ty);
    if integer_type(&word) != word {
        return Err(format!(
            "`{word}` is an integer column with a sequence of its own, and no type to change to"
        ));
    }
    if !is_known(&word) && catalog.domains.contains_key(&named(ty)) {
        return Err(format!(
            "`{ty}` is a domain: adding such a column rewrites the table under a lock that blocks everything; \
             use its base type and a CHECK"
        ));
    }
    exists(server, catalog, ty)
}

/// Whether the type is known at all.
pub(super) fn exists(server: &Server, catalog: &Catalog, ty: &str) -> Result<(), String> {
    if server.dialect != Dialect::Postgres {
        return Ok(());
    }
    let word = first_word(ty);
    let built_in = is_known(&word) || integer_type(&word) != word;
    if let Some(argument) =
        no_number(ty).filter(|_| built_in && !TYPE_MODIFIED.contains(&word.as_str()))
    {
        return Err(format!("`{argument}` is no number, as `{word}` wants it"));
    }
    let name = named(ty);
    if built_in || catalog.domains.contains_key(&name) || catalog.enums.contains_key(&name) {
        return Ok(());
    }
    Err(format!("the type `{ty}` is neither built in nor in the schema"))
}

/// Why a literal is no value of the type, and which there are.
pub(super) fn no_value(
    server: &Server,
    catalog: &Catalog,
    ty: &str,
    text: &str,
) -> Option<(String, String)> {
    if server.dialect != Dialect::Postgres {
        return None;
    }
    let value = input::literal_text(text, server.dialect)?;
    if let Some(labels) = catalog.enums.get(&named(ty)).filter(|_| !ty.ends_with(']')) {
        let hint = match closest(&value, labels.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("it has {}", labels.join(", ")),
        };
        return (!labels.contains(&value))
            .then(|| (format!("`{value}` is no value of {ty}"), hint));
    }
    let range = integer_range(ty)?;
    let fits = value.trim().parse().is_ok_and(|number| range.contains(&number));
    (!fits).then(|| {
        let hint = format!("from {} to {}", range.start(), range.end());
        (format!("`{value}` is no value of {ty}"), hint)
    })
}

/// What stands in the parentheses of a type and is no number.
fn no_number(ty: &str) -> Option<&str> {
    let (_, rest) = ty.split_once('(')?;
    let (arguments, _) = rest.split_once(')')?;
    arguments.split(',').map(str::trim).find(|argument| argument.parse::<i32>().is_err())
}

fn named(ty: &str) -> TableName {
    let (schema, name) = match ty.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name),
        None => (None, ty),
    };
    TableName {
        schema: schema.filter(|schema| schema != "public"),
        name: name.trim_end_matches("[]").trim_matches('"').to_owned(),
    }
}
