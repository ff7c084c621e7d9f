//! Changes of models as Django declares them.

use std::collections::BTreeMap;

use crate::catalog::{Constraint, ConstraintKind, Index, Key};
use crate::dialect::Dialect;
use crate::package::{django_model, new_model, python};
use crate::plan::{Field, ModelChange};

use super::diff::{Line, List, whole};

const INDEXES: List =
    List { before: &["    class Meta:", "        indexes = ["], after: &["        ]"] };

const CONSTRAINTS: List =
    List { before: &["    class Meta:", "        constraints = ["], after: &["        ]"] };

/// `models` are the names of classes, by table.
pub(super) fn lines(
    dialect: Dialect,
    change: &ModelChange,
    models: &BTreeMap<String, String>,
) -> Vec<Line> {
    let declared = |field: &Field| django(dialect, field, models);
    let or_dots = |text: Option<String>| text.unwrap_or_else(|| "…".into());
    let altered = |name: &str, before: Option<String>, after: Option<String>| match after {
        Some(after) => vec![
            Line::field('-', &format!("{name} = {}", or_dots(before))),
            Line::field('+', &format!("{name} = {after}")),
        ],
        None => Vec::new(),
    };
    let index = |mark: char, index: &Index| {
        django_index(index).map(|text| Line::listed(mark, INDEXES, &text))
    };
    let constraint = |mark: char, constraint: &Constraint| {
        django_unique(constraint).map(|text| Line::listed(mark, CONSTRAINTS, &text))
    };
    match change {
        ModelChange::AddField { field, .. } => {
            let name = django_model::field_name(field);
            vec![match declared(field) {
                Some(text) => Line::field('+', &format!("{name} = {text}")),
                None => Line::field(
                    ' ',
                    &format!("# {name}: no field of Django says this; the model does without"),
                ),
            }]
        }
        // A foreign key is of the type of what it points to.
        ModelChange::AlterField { field: Field { references: Some(_), .. }, .. } => Vec::new(),
        ModelChange::AlterKey { before, field, .. } => {
            let text = |field: &Field| {
                let text = new_model::django_key(dialect, field)?.one_line()?;
                Some(text.replace(", serialize=False", "").replace("serialize=False, ", ""))
            };
            altered(&field.column.name, text(before), text(field))
        }
        ModelChange::AlterField { before, field, .. } => {
            altered(&field.column.name, declared(before), declared(field))
        }
        ModelChange::RenameField { from, field, indexes, .. } => {
            let text = or_dots(declared(field));
            let mut lines = vec![
                Line::field('-', &format!("{from} = {text}")),
                Line::field('+', &format!("{} = {text}", field.column.name)),
            ];
            for renamed in indexes.iter().filter(|index| !index.constraint) {
                if let (Some(old), Some(new)) =
                    (index('-', &renamed.before), index('+', &renamed.after))
                {
                    lines.extend([old, new]);
                }
            }
            lines
        }
        ModelChange::AddIndex { index: added, .. } => index('+', added).into_iter().collect(),
        ModelChange::RemoveIndex { index: removed, .. } => {
            index('-', removed).into_iter().collect()
        }
        ModelChange::AddModel(table) => new_model::django(dialect, table, models)
            .and_then(|model| model.class(table))
            .unwrap_or_default()
            .into_iter()
            .map(|line| whole('+', line))
            .collect(),
        ModelChange::RemoveModel { table } => vec![whole(
            '-',
            format!(
                "        db_table = {}  # and the rest of its class",
                python::string(&table.name)
            ),
        )],
        ModelChange::RenameModel { from, to, .. } => [('-', from), ('+', to)]
            .map(|(mark, table)| {
                whole(mark, format!("        db_table = {}", python::string(&table.name)))
            })
            .into(),
        ModelChange::RemoveField { field, indexes, .. } => {
            let name = django_model::field_name(field);
            let mut lines =
                vec![Line::field('-', &format!("{name} = {}", or_dots(declared(field))))];
            lines.extend(indexes.iter().filter_map(|removed| index('-', removed)));
            lines
        }
        ModelChange::AddConstraint { constraint: added, .. } => {
            constraint('+', added).into_iter().collect()
        }
        ModelChange::RemoveConstraint { constraint: removed, .. } => {
            constraint('-', removed).into_iter().collect()
        }
        ModelChange::Comment { .. } => Vec::new(),
    }
}

/// The lines, below what they use and the file may not import yet.
pub(super) fn with_imports(mut lines: Vec<String>) -> Vec<String> {
    if lines.iter().any(|line| line.starts_with('+') && line.contains("Now()")) {
        lines.insert(0, "+from django.db.models.functions import Now".into());
    }
    lines
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
