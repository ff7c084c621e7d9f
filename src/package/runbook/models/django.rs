//! Changes of models as Django declares them.

use std::collections::BTreeMap;

use crate::catalog::{Constraint, ConstraintKind, Index, Key};
use crate::dialect::Dialect;
use crate::package::{django_model, new_model, python};
use crate::plan::{Field, ModelChange};

use super::added;

/// Lines of a diff. `models` are the names of classes, by table.
pub(super) fn diff(
    dialect: Dialect,
    changes: &[&ModelChange],
    models: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut lines: Vec<String> =
        changes.iter().flat_map(|change| lines(dialect, change, models)).collect();
    if lines.iter().any(|line| line.starts_with('+') && line.contains("Now()")) {
        lines.insert(0, "+from django.db.models.functions import Now".into());
    }
    lines
}

fn lines(dialect: Dialect, change: &ModelChange, models: &BTreeMap<String, String>) -> Vec<String> {
    match change {
        ModelChange::AddField { field, .. } => {
            let name = django_model::field_name(field);
            vec![match django(dialect, field, models) {
                Some(text) => format!("+    {name} = {text}"),
                None => {
                    format!("     # {name}: no field of Django says this; the model does without")
                }
            }]
        }
        // A foreign key is of the type of what it points to.
        ModelChange::AlterField { field: Field { references: Some(_), .. }, .. } => Vec::new(),
        ModelChange::AlterKey { before, field, .. } => {
            let text = |field: &Field| {
                let text = new_model::django_key(dialect, field)?.one_line()?;
                Some(text.replace(", serialize=False", "").replace("serialize=False, ", ""))
            };
            let Some(new) = text(field) else { return Vec::new() };
            let old = text(before).unwrap_or_else(|| "…".into());
            let name = &field.column.name;
            vec![format!("-    {name} = {old}"), format!("+    {name} = {new}")]
        }
        ModelChange::AlterField { before, field, .. } => {
            let Some(new) = django(dialect, field, models) else { return Vec::new() };
            let old = django(dialect, before, models).unwrap_or_else(|| "…".into());
            let name = &field.column.name;
            vec![format!("-    {name} = {old}"), format!("+    {name} = {new}")]
        }
        ModelChange::RenameField { from, field, indexes, .. } => {
            let text = django(dialect, field, models).unwrap_or_else(|| "…".into());
            let mut lines = vec![
                format!("-    {from} = {text}"),
                format!("+    {} = {text}", field.column.name),
            ];
            for index in indexes.iter().filter(|index| !index.constraint) {
                if let (Some(old), Some(new)) =
                    (django_index(&index.before), django_index(&index.after))
                {
                    lines.push(format!("-    {old}"));
                    lines.push(format!("+    {new}"));
                }
            }
            lines
        }
        ModelChange::AddIndex { index, .. } => {
            django_index(index).map(|text| format!("+    {text}")).into_iter().collect()
        }
        ModelChange::RemoveIndex { index, .. } => {
            django_index(index).map(|text| format!("-    {text}")).into_iter().collect()
        }
        ModelChange::AddModel(table) => new_model::django(dialect, table, models)
            .and_then(|model| model.class(table))
            .unwrap_or_default()
            .iter()
            .map(added)
            .collect(),
        ModelChange::RemoveModel { table } => vec![format!(
            "-        db_table = {}  # and the rest of its class",
            python::string(&table.name)
        )],
        ModelChange::RenameModel { from, to, .. } => vec![
            format!("-        db_table = {}", python::string(&from.name)),
            format!("+        db_table = {}", python::string(&to.name)),
        ],
        ModelChange::RemoveField { field, indexes, .. } => {
            let text = django(dialect, field, models).unwrap_or_else(|| "…".into());
            let mut lines = vec![format!("-    {} = {text}", django_model::field_name(field))];
            lines
                .extend(indexes.iter().filter_map(django_index).map(|text| format!("-    {text}")));
            lines
        }
        ModelChange::AddConstraint { constraint, .. } => {
            django_unique(constraint).map(|text| format!("+    {text}")).into_iter().collect()
        }
        ModelChange::RemoveConstraint { constraint, .. } => {
            django_unique(constraint).map(|text| format!("-    {text}")).into_iter().collect()
        }
        ModelChange::Comment { .. } => Vec::new(),
    }
}

fn django(dialect: Dialect, field: &Field, models: &BTreeMap<String, String>) -> Option<String> {
    let to = match &field.references {
        Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
            models.get(&table.name).cloned().or_else(|| Some(table.name.clone()))
        }
        _ => None,
    };
    django_model::field(dialect, field, to.as_deref()).and_then(|field| field.one_line())
}

/// `models.UniqueConstraint(fields=["a", "b"], name="…")`, in `Meta.constraints`.
fn django_unique(constraint: &Constraint) -> Option<String> {
    let ConstraintKind::Unique(keys) = &constraint.kind else { return None };
    let fields: Vec<String> = keys.iter().filter_map(Key::column).map(python::string).collect();
    Some(format!(
        "models.UniqueConstraint(fields=[{}], name={})",
        fields.join(", "),
        python::string(constraint.name.as_deref()?)
    ))
}

fn django_index(index: &Index) -> Option<String> {
    let keys = plain_keys(index)?;
    Some(format!("models.Index(fields=[{keys}], name={})", python::string(&index.name)))
}

fn plain_keys(index: &Index) -> Option<String> {
    let keys: Option<Vec<String>> = index
        .keys
        .iter()
        .map(|key| match key {
            Key::Column { name, rest: None } => Some(python::string(name)),
            _ => None,
        })
        .collect();
    keys.filter(|_| !index.unique && index.filter.is_none()).map(|keys| keys.join(", "))
}
