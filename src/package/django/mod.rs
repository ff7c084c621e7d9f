//! Columns as Django's models declare them.
//!
//! Enters: a column, and what is known of it. Leaves: a field, or `None` where Django has none that
//! says the same. Must not know: migrations.

use super::python::Py;
use super::types;
use crate::catalog::Expr;
use crate::dialect::Dialect;
use crate::plan::Field;

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

pub(crate) fn uses_now(field: &Py) -> bool {
    match field {
        Py::Call { kwargs, .. } => {
            kwargs.iter().any(|(_, value)| *value == Py::Raw("Now()".into()))
        }
        _ => false,
    }
}

fn is_now(Expr(text): &Expr) -> bool {
    // The last is how Django itself writes it.
    let text = text.to_ascii_lowercase();
    matches!(text.as_str(), "now()" | "current_timestamp" | "statement_timestamp()")
}

fn value(dialect: Dialect, default: &Expr) -> Option<Py> {
    let Expr(text) = default;
    if is_now(default) {
        return Some(Py::Raw("Now()".into()));
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
