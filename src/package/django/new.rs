//! A new table as a model of Django, for a migration's state and for people.

use std::collections::BTreeMap;

use super::{field_name, is_name, meta};
use crate::catalog::{Column, Constraint, ConstraintKind, Index, Key, Table};
use crate::dialect::Dialect;
use crate::package::new_model::{class_name, field_of};
use crate::package::python::{self, Py};
use crate::plan::Field;

pub(crate) struct DjangoModel {
    pub(crate) name: String,
    /// Name, and the call.
    pub(crate) fields: Vec<(String, Py)>,
    pub(crate) indexes: Vec<Py>,
    pub(crate) constraints: Vec<Py>,
}

/// `models` are the labels of the models that tables have.
pub(crate) fn django(
    dialect: Dialect,
    table: &Table,
    models: &BTreeMap<String, String>,
) -> Option<DjangoModel> {
    let [Key::Column { name: key, .. }] = table.primary_key()? else {
        return None;
    };
    let mut fields = Vec::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for column in &table.columns {
        let of = field_of(table, column);
        let (name, text) = if column.name == *key {
            (column.name.clone(), django_key(dialect, &of)?)
        } else if column.identity.is_some() {
            return None;
        } else {
            let to = match &of.references {
                Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
                    Some(models.get(&table.name)?.as_str())
                }
                _ => None,
            };
            (field_name(&of), super::field(dialect, &of, to)?)
        };
        if !is_name(&name) {
            return None;
        }
        names.insert(&column.name, name.clone());
        fields.push((name, text));
    }
    let name_of = |column: &str| names.get(column).cloned();
    let (unique, plain): (Vec<&Index>, Vec<&Index>) =
        table.indexes.iter().partition(|index| index.unique);
    let listed = |index: &Index| meta::index(dialect, index, &name_of);
    let constraints = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        // The field says it.
        ConstraintKind::Unique(keys) if keys.len() == 1 => None,
        _ => meta::constraint(dialect, constraint, &name_of),
    });
    Some(DjangoModel {
        name: class_name(table),
        indexes: plain.into_iter().filter_map(listed).collect(),
        constraints: constraints.chain(unique.into_iter().filter_map(listed)).collect(),
        fields,
    })
}

impl DjangoModel {
    /// The class, line by line.
    pub(crate) fn class(&self, table: &Table) -> Option<Vec<String>> {
        let mut lines = vec![format!("class {}(models.Model):", self.name)];
        for (name, call) in &self.fields {
            lines.push(format!(
                "    {name} = {}",
                call.one_line()?.replace(", serialize=False", "")
            ));
        }
        lines.push(String::new());
        lines.push("    class Meta:".into());
        lines.push(format!("        db_table = {}", python::string(&table.name.name)));
        let comment = table.comment.as_deref().map(python::string);
        lines.extend(comment.map(|text| format!("        db_table_comment = {text}")));
        for (name, list) in [("indexes", &self.indexes), ("constraints", &self.constraints)] {
            if !list.is_empty() {
                lines.push(format!("        {name} = {}", Py::List(list.clone()).one_line()?));
            }
        }
        Some(lines)
    }

    /// `migrations.CreateModel(…)`, for the state.
    pub(crate) fn create(&self, table: &Table) -> Py {
        let fields = self
            .fields
            .iter()
            .map(|(name, call)| Py::Tuple(vec![Py::str(name.clone()), call.clone()]));
        let mut options = vec![(Py::str("db_table"), Py::str(table.name.name.clone()))];
        let comment = table.comment.as_deref().map(Py::str);
        options.extend(comment.map(|text| (Py::str("db_table_comment"), text)));
        for (name, list) in [("indexes", &self.indexes), ("constraints", &self.constraints)] {
            if !list.is_empty() {
                options.push((Py::str(name), Py::List(list.clone())));
            }
        }
        Py::call(
            "migrations.CreateModel",
            [],
            [
                ("name", Py::str(self.name.clone())),
                ("fields", Py::List(fields.collect())),
                ("options", Py::Dict(options)),
            ],
        )
    }
}

pub(crate) fn django_key(dialect: Dialect, field: &Field) -> Option<Py> {
    let column = &field.column;
    let ty = column.ty.to_ascii_lowercase();
    let auto = match (dialect, ty.as_str()) {
        (Dialect::Sqlite, "integer") => Some("BigAutoField"),
        (_, "bigserial" | "serial8") => Some("BigAutoField"),
        (_, "serial" | "serial4") => Some("AutoField"),
        (_, "bigint" | "int8") if column.identity.is_some() => Some("BigAutoField"),
        (_, "integer" | "int" | "int4") if column.identity.is_some() => Some("AutoField"),
        _ if column.identity.is_some() || field.references.is_some() => return None,
        _ => None,
    };
    let key = [("primary_key", Py::raw("True")), ("serialize", Py::raw("False"))];
    if let Some(class) = auto {
        return Some(Py::call(format!("models.{class}"), [], key));
    }
    let required = Field { column: Column { not_null: true, ..column.clone() }, ..field.clone() };
    let Py::Call { function, args, mut kwargs } = super::field(dialect, &required, None)? else {
        return None;
    };
    kwargs.extend(key.map(|(name, value)| (name.to_owned(), value)));
    Some(Py::Call { function, args, kwargs })
}
