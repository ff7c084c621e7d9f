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
use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Generated};
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
    if column.identity.is_some() {
        return None;
    }
    let mut kwargs: Vec<(String, Py)> = Vec::new();
    let mut name = "models.ForeignKey".to_owned();
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
        name = ty.name();
        let of_type = ty.args.into_iter();
        kwargs.extend(of_type.map(|(name, value)| (name.to_owned(), Py::parse(&value))));
        ty.class
    };
    if let Some(collation) = &column.collation {
        if !matches!(class, "CharField" | "TextField") {
            return None;
        }
        let collation = collation.trim_matches('"').to_owned();
        kwargs.push(("db_collation".into(), Py::Str(collation)));
    }
    if let Some(generated) = &column.generated {
        let output = Py::Call { function: name, args: Vec::new(), kwargs };
        (name, kwargs) =
            ("models.GeneratedField".to_owned(), computed(dialect, generated, output)?);
    }
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
    if let Some(comment) = &column.comment {
        kwargs.push(("db_comment".into(), Py::str(&**comment)));
    }
    Some(Py::Call { function: name, args: Vec::new(), kwargs })
}

/// What a field says that the database computes. Django has no virtual ones on PostgreSQL.
fn computed(dialect: Dialect, generated: &Generated, output: Py) -> Option<Vec<(String, Py)>> {
    if dialect == Dialect::Postgres && !generated.stored {
        return None;
    }
    let expression = Py::call("RawSQL", [Py::str(&*generated.expr.0), Py::List(Vec::new())], []);
    let persist = Py::raw(if generated.stored { "True" } else { "False" });
    let kwargs = [("expression", expression), ("output_field", output), ("db_persist", persist)];
    Some(kwargs.map(|(name, value)| (name.to_owned(), value)).into())
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
    if column.generated.is_some() || column.comment.is_some() {
        return false;
    }
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
    let text = default.0.as_str();
    if class == "UUIDField" && text.eq_ignore_ascii_case("gen_random_uuid()") {
        return Some(Value { own: None, stored: Py::call("RandomUUID", [], []) });
    }
    let own = match (class, text) {
        ("JSONField", "'{}'") => Some(("dict", Py::Dict(Vec::new()))),
        ("JSONField", "'[]'") | ("ArrayField", "'{}'") => Some(("list", Py::List(Vec::new()))),
        _ => None,
    };
    if let Some((own, stored)) = own {
        return Some(Value { own: Some(Py::raw(own)), stored });
    }
    let stored = literal(dialect, class, text)?;
    Some(Value { own: Some(stored.clone()), stored })
}

/// A constant, as a field of that class takes it.
fn literal(dialect: Dialect, class: &str, text: &str) -> Option<Py> {
    let is_whole = text.parse::<i64>().is_ok();
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite)
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    match class {
        "BooleanField" => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Py::raw("True")),
            "false" => Some(Py::raw("False")),
            _ => None,
        },
        "SmallIntegerField" | "IntegerField" | "BigIntegerField" | "ForeignKey" if is_whole => {
            Some(Py::raw(text))
        }
        "FloatField" if is_number => Some(Py::raw(text)),
        "DecimalField" if is_whole => Some(Py::raw(text)),
        "DecimalField" if is_number => Some(Py::call("Decimal", [Py::str(text)], [])),
        "CharField"
        | "TextField"
        | "UUIDField"
        | "ForeignKey"
        | "DateField"
        | "DateTimeField"
        | "TimeField"
        | "GenericIPAddressField" => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            let plain = !inner.replace("''", "").contains('\'') && dialect != Dialect::MySql;
            plain.then(|| Py::Str(inner.replace("''", "'")))
        }
        _ => None,
    }
}

/// What Python takes as a name, and Django as a field's or an index's.
pub(super) fn is_name(name: &str) -> bool {
    // What every model has.
    let taken = python::is_keyword(name) || matches!(name, "objects" | "pk");
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    plain && starts && !name.contains("__") && !name.ends_with('_') && !taken
}
