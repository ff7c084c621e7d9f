//! Columns as Django's models declare them.
//!
//! Enters: a column, and what is known of it. Leaves: a field, or `None` where Django has none that
//! says the same. Must not know: migrations.

pub(super) mod imports;
pub(super) mod known;
pub(super) mod meta;
pub(super) mod new;
pub(super) mod short;

mod condition;

use std::collections::BTreeMap;

use super::python::Py;
use super::types;
use crate::catalog::Expr;
use crate::dialect::Dialect;
use crate::plan::Field;
use crate::repo::django::Model;

/// What the migrations of a project say of its tables, by table.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// `app.model`, of tables that foreign keys point to.
    pub labels: BTreeMap<String, String>,
    pub known: BTreeMap<String, Model>,
}

/// The field of a column; `None` where the model has none.
pub(super) type FieldOf<'f> = &'f dyn Fn(&str) -> Option<String>;

/// `models.BooleanField(default=False, db_default=False)`; `to` is the model a foreign key points to.
pub(crate) fn field(dialect: Dialect, field: &Field, to: Option<&str>) -> Option<Py> {
    let column = &field.column;
    if column.collation.is_some() || column.generated.is_some() || column.identity.is_some() {
        return None;
    }
    let mut kwargs: Vec<(String, Py)> = Vec::new();
    let class = if field.references.is_some() {
        kwargs.push(("to".into(), Py::Str(to?.to_owned())));
        kwargs.push(("on_delete".into(), Py::Raw("models.DO_NOTHING".into())));
        // The change asks for no index, and a second key to the same model needs its own way back.
        kwargs.push(("db_index".into(), Py::Raw("False".into())));
        kwargs.push(("related_name".into(), Py::Str("+".into())));
        "ForeignKey"
    } else {
        let ty = types::django(&column.ty)?;
        kwargs.extend(ty.args.into_iter().map(|(name, value)| (name.to_owned(), Py::Raw(value))));
        ty.class
    };
    if let Some(default) = &column.default {
        let value = value(dialect, default)?;
        if is_constant(default) {
            kwargs.push(("default".into(), value.clone()));
        }
        kwargs.push(("db_default".into(), value));
    }
    if !column.not_null {
        kwargs.push(("null".into(), Py::Raw("True".into())));
    }
    if field.unique.is_some() {
        kwargs.push(("unique".into(), Py::Raw("True".into())));
    }
    Some(Py::Call { function: format!("models.{class}"), args: Vec::new(), kwargs })
}

/// The name of the field: a foreign key is called as its column without `_id`.
pub(crate) fn field_name(field: &Field) -> String {
    let name = &field.column.name;
    match &field.references {
        Some(_) => name.strip_suffix("_id").unwrap_or(name).to_owned(),
        None => name.clone(),
    }
}

/// The same value in Python and in the database, whenever it is asked for.
pub(crate) fn is_constant(default: &Expr) -> bool {
    !is_now(default)
}

fn is_now(Expr(text): &Expr) -> bool {
    // The last is how Django itself writes it.
    let text = text.to_ascii_lowercase();
    matches!(text.as_str(), "now()" | "current_timestamp" | "statement_timestamp()")
}

fn value(dialect: Dialect, default: &Expr) -> Option<Py> {
    let Expr(text) = default;
    if is_now(default) {
        return Some(Py::call("Now", [], []));
    }
    match text.to_ascii_lowercase().as_str() {
        "true" => return Some(Py::Raw("True".into())),
        "false" => return Some(Py::Raw("False".into())),
        _ => {}
    }
    if text.parse::<i64>().is_ok() {
        return Some(Py::Raw(text.clone()));
    }
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = !inner.replace("''", "").contains('\'') && dialect != Dialect::MySql;
    plain.then(|| Py::Str(inner.replace("''", "'")))
}

/// What Python takes as a name, and Django as a field's or an index's.
pub(super) fn is_name(name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
        "lambda", "nonlocal", "not", "or", "pass", "pk", "raise", "return", "try", "while", "with",
        "yield",
    ];
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    plain && starts && !name.contains("__") && !name.ends_with('_') && !KEYWORDS.contains(&name)
}
