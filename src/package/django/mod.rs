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

use super::python::{self, Py};
use super::types;
use crate::catalog::{Column, Constraint, ConstraintKind, Expr};
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
    if !is_name(&field_name(field)) {
        return None;
    }
    if column.collation.is_some() || column.generated.is_some() || column.identity.is_some() {
        return None;
    }
    let mut kwargs: Vec<(String, Py)> = Vec::new();
    let class = if field.references.is_some() {
        kwargs.push(("to".into(), Py::Str(to?.to_owned())));
        kwargs.extend(where_from(field));
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
        let Value { own, stored } = value(dialect, class, default)?;
        kwargs.extend(own.map(|own| ("default".to_owned(), own)));
        kwargs.push(("db_default".into(), stored));
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

/// Where a foreign key is stored and points to, if its name does not say it.
fn where_from(field: &Field) -> Vec<(String, Py)> {
    let mut kwargs = Vec::new();
    if let Some(Constraint { kind: ConstraintKind::ForeignKey { references, .. }, .. }) =
        &field.references
        && let [name] = references.as_slice()
        && name != "id"
    {
        kwargs.push(("to_field".to_owned(), Py::str(&**name)));
    }
    if !field.column.name.ends_with("_id") {
        kwargs.push(("db_column".to_owned(), Py::str(&*field.column.name)));
    }
    kwargs
}

/// Whether Django's own ADD COLUMN makes the same of the column: no default, or one that neither a time
/// zone nor an adapter touches.
pub(crate) fn adds_the_same(column: &Column) -> bool {
    let Some(ty) = types::django(&column.ty) else { return false };
    if ty.class == "DateTimeField" && !types::has_time_zone(&column.ty) {
        return false;
    }
    let Some(Expr(text)) = &column.default else { return true };
    match ty.class {
        "BooleanField" => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
        "CharField" | "TextField" => text.starts_with('\''),
        "SmallIntegerField" | "IntegerField" | "BigIntegerField" => text.parse::<i64>().is_ok(),
        _ => false,
    }
}

fn is_now(Expr(text): &Expr) -> bool {
    // The last is how Django itself writes it.
    let text = text.to_ascii_lowercase();
    matches!(text.as_str(), "now()" | "current_timestamp" | "statement_timestamp()")
}

/// A default as Django says it.
struct Value {
    /// In Python; `None` where each row asks the database.
    own: Option<Py>,
    stored: Py,
}

fn value(dialect: Dialect, class: &str, default: &Expr) -> Option<Value> {
    if is_now(default) {
        return Some(Value { own: None, stored: Py::call("Now", [], []) });
    }
    if class == "JSONField" {
        let (own, stored) = match default.0.as_str() {
            "'{}'" => ("dict", Py::Dict(Vec::new())),
            "'[]'" => ("list", Py::List(Vec::new())),
            _ => return None,
        };
        return Some(Value { own: Some(Py::raw(own)), stored });
    }
    let stored = literal(dialect, default)?;
    Some(Value { own: Some(stored.clone()), stored })
}

fn literal(dialect: Dialect, Expr(text): &Expr) -> Option<Py> {
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
    // What every model has.
    let taken = python::is_keyword(name) || matches!(name, "objects" | "pk");
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    plain && starts && !name.contains("__") && !name.ends_with('_') && !taken
}
