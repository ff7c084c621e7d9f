//! Changes of models as Django declares them: from what its migrations say of them, where they do.

use std::collections::BTreeSet;

use crate::catalog::{Constraint, ConstraintKind, Index, Key, TableName};
use crate::change::CommentOn;
use crate::dialect::Dialect;
use crate::package::django::known::{self, RenamedTo};
use crate::package::django::{self, Models, imports, meta, new, short};
use crate::package::python::{self, Py};
use crate::plan::{Field, ModelChange, Plan};
use crate::repo::django::{Definition, Listed, Model};

use super::diff::{Line, List, whole};

const INDEXES: List =
    List { before: &["    class Meta:", "        indexes = ["], after: &["        ]"] };

const CONSTRAINTS: List =
    List { before: &["    class Meta:", "        constraints = ["], after: &["        ]"] };

pub(super) fn lines(dialect: Dialect, change: &ModelChange, models: &Models) -> Vec<Line> {
    let model = models.known.get(&change.table().name);
    let declared = |field: &Field| declared(dialect, field, models);
    let known = |column: &str| model.and_then(|model| model.field_of(column));
    let name_of = |column: &str| known(column).map_or(column, |(name, _)| name).to_owned();
    let field_of = |column: &str| Some(name_of(column));
    let now = |field: &Field| match known(&field.column.name) {
        Some((_, known)) => written(&known::definition(&known.definition)),
        None => declared(field),
    };
    let index = |mark: char, index: &Index| {
        let list = if index.unique { CONSTRAINTS } else { INDEXES };
        line(mark, list, meta::index(dialect, index, &field_of))
    };
    let constraint = |mark: char, constraint: &Constraint| {
        line(mark, CONSTRAINTS, meta::constraint(dialect, constraint, &field_of))
    };
    match change {
        ModelChange::AddField { field, .. } => {
            let name = django::field_name(field);
            vec![match declared(field) {
                Some(text) => Line::field('+', &format!("{name} = {text}")),
                None => Line::field(
                    ' ',
                    &format!("# {name}: no field of Django says this; the model does without"),
                ),
            }]
        }
        ModelChange::AlterKey { before, field, .. } => {
            let text =
                |field: &Field| new::django_key(dialect, field)?.one_line().as_deref().map(shown);
            altered(&field.column.name, text(before), text(field))
        }
        ModelChange::AlterField { before, field, .. } => match known(&before.column.name) {
            Some((name, known)) => altered(
                name,
                now(before),
                known::altered(dialect, known, before, field).as_ref().and_then(written),
            ),
            // A foreign key is of the type of what it points to.
            None if field.references.is_some() => Vec::new(),
            None => altered(&field.column.name, declared(before), declared(field)),
        },
        ModelChange::RenameField { from, field, indexes, .. } => {
            if let Some(model) = model.filter(|model| model.field_of(from).is_some()) {
                return renamed(model, from, &field.column.name);
            }
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
        ModelChange::RemoveIndex { index: removed, .. } => match model {
            Some(model) => {
                let lines = gone(model, |name, _| name == removed.name);
                let unique = removed.unique && lines.is_empty();
                if unique { not_unique(model, &removed.keys) } else { lines }
            }
            None => index('-', removed).into_iter().collect(),
        },
        ModelChange::AddModel(table) => new::django(dialect, table, &models.labels)
            .and_then(|model| model.class(table))
            .unwrap_or_default()
            .into_iter()
            .map(|line| whole('+', line))
            .collect(),
        ModelChange::RemoveModel { table } => {
            let name = model.map_or_else(|| table.name.clone(), |model| model.name.clone());
            vec![whole('-', format!("class {name}(models.Model):")), whole('-', "    …".into())]
        }
        ModelChange::RenameModel { from, to, .. } => {
            let said =
                |table: &TableName| format!("        db_table = {}", python::string(&table.name));
            let before = if model.is_some_and(is_named_after) {
                whole(' ', "    class Meta:".into())
            } else {
                whole('-', said(from))
            };
            vec![before, whole('+', said(to))]
        }
        ModelChange::RemoveField { field, indexes, .. } => {
            let name = match known(&field.column.name) {
                Some((name, _)) => name.to_owned(),
                None => django::field_name(field),
            };
            let mut lines = vec![Line::field('-', &format!("{name} = {}", or_dots(now(field))))];
            match model {
                Some(model) => lines.extend(gone(model, |listed, text| {
                    indexes.iter().any(|own| own.name == listed) || known::mentions(text, &name)
                })),
                None => lines.extend(indexes.iter().filter_map(|removed| index('-', removed))),
            }
            lines
        }
        ModelChange::AddConstraint { constraint: added, .. } => {
            constraint('+', added).into_iter().collect()
        }
        ModelChange::RemoveConstraint { constraint: removed, .. } => match model {
            Some(model) => {
                let lines = gone(model, |name, _| Some(name) == removed.name.as_deref());
                match &removed.kind {
                    ConstraintKind::Unique(keys) if lines.is_empty() => not_unique(model, keys),
                    _ => lines,
                }
            }
            None => constraint('-', removed).into_iter().collect(),
        },
        ModelChange::Comment { on: CommentOn::Column(_, column), text, .. } => {
            match known(column) {
                Some((name, known)) => altered(
                    name,
                    written(&known::definition(&known.definition)),
                    written(&known::commented(known, text.as_deref())),
                ),
                None => Vec::new(),
            }
        }
        ModelChange::Comment { on: CommentOn::Table(_), before, text } => {
            let said = |mark: char, text: &Option<String>| {
                let text = python::string(text.as_deref()?);
                Some(whole(mark, format!("        db_table_comment = {text}")))
            };
            said('-', before).into_iter().chain(said('+', text)).collect()
        }
        ModelChange::Comment { .. } => Vec::new(),
    }
}

/// Whether Django gives the table its name: that of the app and of the model.
fn is_named_after(model: &Model) -> bool {
    model.table.ends_with(&format!("_{}", model.name.to_lowercase()))
}

/// The tables of the plan that are no model's, as far as migrations tell.
pub(super) fn without_model<'p>(plan: &'p Plan, models: &Models) -> Vec<&'p str> {
    let changes = || plan.deploys.iter().flat_map(|deploy| &deploy.steps).flat_map(|s| &s.model);
    let mut known: BTreeSet<&str> = models.known.keys().map(String::as_str).collect();
    let mut unknown = Vec::new();
    for change in changes() {
        let table = change.table().name.as_str();
        match change {
            ModelChange::AddModel(_) => {
                known.insert(table);
            }
            ModelChange::RenameModel { to, .. } if known.contains(table) => {
                known.insert(&to.name);
            }
            _ if !known.contains(table) && !unknown.contains(&table) => unknown.push(table),
            _ => {}
        }
    }
    unknown
}

fn altered(name: &str, before: Option<String>, after: Option<String>) -> Vec<Line> {
    match after {
        Some(after) if before.as_ref() != Some(&after) => vec![
            Line::field('-', &format!("{name} = {}", or_dots(before))),
            Line::field('+', &format!("{name} = {after}")),
        ],
        _ => Vec::new(),
    }
}

fn or_dots(text: Option<String>) -> String {
    text.unwrap_or_else(|| "…".into())
}

/// On one line, as in a class.
fn written(py: &Py) -> Option<String> {
    short::short(py).one_line()
}

fn line(mark: char, list: List, text: Option<Py>) -> Option<Line> {
    Some(Line::listed(mark, list, &written(&text?)?))
}

/// What the models list by name and no longer have.
fn gone(model: &Model, goes: impl Fn(&str, &Definition) -> bool) -> Vec<Line> {
    model
        .listed()
        .filter(|listed| goes(listed.name, listed.definition))
        .filter_map(|listed| line('-', list(&listed), Some(known::definition(listed.definition))))
        .collect()
}

/// What the model says without a name: `unique=True`, `unique_together`.
fn not_unique(model: &Model, keys: &[Key]) -> Vec<Line> {
    let fields: Option<Vec<&str>> =
        keys.iter().map(|key| Some(model.field_of(key.column()?)?.0)).collect();
    match fields.as_deref() {
        Some([one]) => {
            let known = &model.fields[*one];
            let before = written(&known::definition(&known.definition));
            altered(one, before, written(&known::not_unique(known)))
        }
        Some(several) if model.unique_together.iter().any(|group| *group == several) => {
            let group = Py::Tuple(several.iter().map(|field| Py::str(*field)).collect());
            let group = group.one_line().unwrap_or_default();
            vec![whole(' ', format!("        # unique_together: without {group}"))]
        }
        _ => Vec::new(),
    }
}

fn list(listed: &Listed) -> List {
    if listed.is_constraint { CONSTRAINTS } else { INDEXES }
}

/// As [`known::renaming`] has it.
fn renamed(model: &Model, from: &str, to: &str) -> Vec<Line> {
    let Some(renaming) = known::renaming(model, from, to) else {
        return Vec::new();
    };
    let before = written(&known::definition(&renaming.known.definition));
    let mut lines = match &renaming.to {
        RenamedTo::Column(definition) => {
            return altered(renaming.field, before, written(definition));
        }
        RenamedTo::Field(new) => vec![
            Line::field('-', &format!("{} = {}", renaming.field, or_dots(before.clone()))),
            Line::field('+', &format!("{new} = {}", or_dots(before))),
        ],
    };
    for (listed, text) in renaming.follow {
        lines.extend(line('-', list(&listed), Some(known::definition(listed.definition))));
        lines.extend(line('+', list(&listed), Some(text)));
    }
    lines
}

/// As a class says it.
fn shown(text: &str) -> String {
    text.replace(", serialize=False", "").replace("serialize=False, ", "")
}

/// The lines, below what they use and the file may not import yet.
pub(super) fn with_imports(lines: Vec<String>) -> Vec<String> {
    // What is called, and not what stands in a text.
    let called = |line: &String| {
        let line = line.strip_prefix('+')?;
        let call = line.split_once(" = ").map_or(line, |(_, call)| call);
        Some(Py::parse(call.trim().trim_end_matches(',')))
    };
    let added: Vec<Py> = lines.iter().filter_map(called).collect();
    let new = imports::lines(&added, &BTreeSet::new());
    let new = new.into_iter().filter(|line| !line.starts_with("from django.db import"));
    new.map(|line| format!("+{line}")).chain(lines).collect()
}

fn declared(dialect: Dialect, field: &Field, models: &Models) -> Option<String> {
    let to = match &field.references {
        Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
            models.labels.get(&table.name).cloned().or_else(|| Some(table.name.clone()))
        }
        _ => None,
    };
    django::field(dialect, field, to.as_deref()).and_then(|field| field.one_line())
}
