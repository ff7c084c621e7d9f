//! What Django's models know from a step on: operations on the migration's state.

use crate::catalog::{Constraint, ConstraintKind, Index, Key};
use crate::change::CommentOn;
use crate::package::django::known::{self, RenamedTo};
use crate::package::django::{self, meta, new};
use crate::package::python::Py;
use crate::plan::{Field, ModelChange, Step};
use crate::repo::django::{Listed, Model};

use super::Builder;

impl Builder<'_> {
    /// What the models know from this step on, apart from what a native call says already.
    pub(super) fn states(&mut self, step: &Step, native: bool) -> Vec<Py> {
        let mut states = Vec::new();
        for change in &step.model {
            if let ModelChange::AddModel(table) = change {
                let new = new::django(self.dialect(), table, self.others);
                states.extend(new.map(|new| new.create(table)));
            }
        }
        let Some(model) = self.model else {
            return states;
        };
        for change in &step.model {
            states.extend(self.state(model, change, native));
        }
        states
    }

    fn state(&mut self, model: &Model, change: &ModelChange, native: bool) -> Vec<Py> {
        let name = model.name.to_lowercase();
        let alter =
            |field: &str, definition| with_field("migrations.AlterField", &name, field, definition);
        match change {
            ModelChange::AddField { field, .. } if !native => self
                .field(field)
                .map(|text| add_field(&name, &django::field_name(field), text))
                .into_iter()
                .collect(),
            ModelChange::AlterField { before, field, .. } => {
                let Some((known_as, known)) = model.field_of(&before.column.name) else {
                    return Vec::new();
                };
                self.theirs.extend(known.definition.imports.iter().cloned());
                known::altered(self.dialect(), known, before, field)
                    .filter(|text| *text != known::definition(&known.definition))
                    .map(|text| alter(known_as, text))
                    .into_iter()
                    .collect()
            }
            ModelChange::AlterKey { field, .. } => new::django_key(self.dialect(), field)
                .map(|text| alter(&field.column.name, text))
                .into_iter()
                .collect(),
            ModelChange::RenameField { from, field, .. } => {
                self.renamed(model, from, &field.column.name)
            }
            ModelChange::AddIndex { index, .. } if !native => {
                let text = self.index(index);
                text.map(|text| add_listed(&name, index.unique, text)).into_iter().collect()
            }
            ModelChange::RemoveIndex { index, .. } => {
                let mut states = removed(model, &index.name);
                if states.is_empty() && index.unique && index.filter.is_none() {
                    states.extend(self.not_unique(model, &index.keys));
                }
                states
            }
            ModelChange::RemoveField { field, indexes, .. } => {
                let Some((known_as, _)) = model.field_of(&field.column.name) else {
                    return Vec::new();
                };
                let own = |index: &str| indexes.iter().any(|own| own.name == index);
                let mut states: Vec<Py> = model
                    .listed()
                    .filter(|l| own(l.name) || known::mentions(l.definition, known_as))
                    .map(|listed| remove_listed(&name, &listed))
                    .collect();
                states.extend(not_together(model, |group| group.iter().any(|f| f == known_as)));
                states.push(remove("migrations.RemoveField", &name, known_as));
                states
            }
            ModelChange::RemoveModel { .. } => {
                vec![Py::call("migrations.DeleteModel", [], [("name", Py::str(&*model.name))])]
            }
            ModelChange::RenameModel { to, .. } => vec![Py::call(
                "migrations.AlterModelTable",
                [],
                [("name", Py::Str(name)), ("table", Py::str(&*to.name))],
            )],
            ModelChange::AddConstraint { constraint, .. } => {
                let text = self.constraint(constraint);
                text.map(|text| add_listed(&name, true, text)).into_iter().collect()
            }
            ModelChange::RemoveConstraint { constraint, .. } => {
                let mut states = removed(model, constraint.name.as_deref().unwrap_or(""));
                if let (true, ConstraintKind::Unique(keys)) = (states.is_empty(), &constraint.kind)
                {
                    states.extend(self.not_unique(model, keys));
                }
                states
            }
            ModelChange::Comment { on: CommentOn::Column(_, column), text, .. } => {
                let Some((known_as, known)) = model.field_of(column) else {
                    return Vec::new();
                };
                self.theirs.extend(known.definition.imports.iter().cloned());
                vec![alter(known_as, known::commented(known, text.as_deref()))]
            }
            ModelChange::Comment { on: CommentOn::Table(_), text, .. } => {
                let text = text.as_deref().map_or(Py::raw("None"), Py::str);
                vec![Py::call(
                    "migrations.AlterModelTableComment",
                    [],
                    [("name", Py::Str(name)), ("table_comment", text)],
                )]
            }
            ModelChange::AddField { .. }
            | ModelChange::AddIndex { .. }
            | ModelChange::AddModel(_)
            | ModelChange::Comment { .. } => Vec::new(),
        }
    }

    fn renamed(&mut self, model: &Model, from: &str, to: &str) -> Vec<Py> {
        let name = model.name.to_lowercase();
        let Some(renaming) = known::renaming(model, from, to) else {
            return Vec::new();
        };
        let old = renaming.field;
        let new = match renaming.to {
            RenamedTo::Field(new) => new,
            RenamedTo::Column(definition) => {
                self.theirs.extend(renaming.known.definition.imports.iter().cloned());
                return vec![with_field("migrations.AlterField", &name, old, definition)];
            }
        };
        let mut states: Vec<Py> =
            renaming.follow.iter().map(|(listed, _)| remove_listed(&name, listed)).collect();
        let names = [("old_name", Py::str(old)), ("new_name", Py::Str(new))];
        let model_name = [("model_name", Py::str(&*name))];
        states.push(Py::call("migrations.RenameField", [], model_name.into_iter().chain(names)));
        for (listed, text) in renaming.follow {
            self.theirs.extend(listed.definition.imports.iter().cloned());
            states.push(add_listed(&name, listed.is_constraint, text));
        }
        states
    }

    /// A unique constraint or index that the models say without a name of its own.
    fn not_unique(&mut self, model: &Model, keys: &[Key]) -> Option<Py> {
        let fields = keys
            .iter()
            .map(|key| Some(model.field_of(key.column()?)?.0))
            .collect::<Option<Vec<&str>>>()?;
        if let [one] = fields.as_slice() {
            let known = &model.fields[*one];
            known.definition.keyword("unique")?;
            self.theirs.extend(known.definition.imports.iter().cloned());
            let name = model.name.to_lowercase();
            return Some(with_field("migrations.AlterField", &name, one, known::not_unique(known)));
        }
        not_together(model, |group| group == fields)
    }

    pub(super) fn field(&self, field: &Field) -> Option<Py> {
        let to = match &field.references {
            Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
                Some(self.others.get(&table.name).cloned()?)
            }
            _ => None,
        };
        django::field(self.dialect(), field, to.as_deref())
    }

    pub(super) fn index(&self, index: &Index) -> Option<Py> {
        meta::index(self.dialect(), index, &|column| Some(field_of(self.model?, column)))
    }

    fn constraint(&self, constraint: &Constraint) -> Option<Py> {
        meta::constraint(self.dialect(), constraint, &|column| Some(field_of(self.model?, column)))
    }
}

/// A column that another step of the rollout adds is no field yet.
fn field_of(model: &Model, column: &str) -> String {
    model.field_of(column).map_or(column, |(field, _)| field).to_owned()
}

/// The state without an index or constraint of that name, if the models know one.
fn removed(model: &Model, wanted: &str) -> Vec<Py> {
    model
        .listed()
        .filter(|listed| listed.name == wanted)
        .map(|listed| remove_listed(&model.name.to_lowercase(), &listed))
        .collect()
}

/// `unique_together` without the groups that go.
fn not_together(model: &Model, goes: impl Fn(&[String]) -> bool) -> Option<Py> {
    let (gone, rest): (Vec<_>, Vec<_>) =
        model.unique_together.iter().partition(|group| goes(group.as_slice()));
    let group = |fields: &Vec<String>| Py::Tuple(fields.iter().map(|f| Py::str(&**f)).collect());
    (!gone.is_empty()).then(|| {
        Py::call(
            "migrations.AlterUniqueTogether",
            [],
            [
                ("name", Py::Str(model.name.to_lowercase())),
                ("unique_together", Py::List(rest.into_iter().map(group).collect())),
            ],
        )
    })
}

pub(super) fn add_field(model: &str, name: &str, field: Py) -> Py {
    with_field("migrations.AddField", model, name, field)
}

fn with_field(function: &str, model: &str, name: &str, field: Py) -> Py {
    let names = [("model_name", Py::str(model)), ("name", Py::str(name)), ("field", field)];
    Py::call(function, [], names)
}

fn remove(function: &str, model: &str, name: &str) -> Py {
    Py::call(function, [], [("model_name", Py::str(model)), ("name", Py::str(name))])
}

fn remove_listed(model: &str, listed: &Listed) -> Py {
    let what = if listed.is_constraint { "Constraint" } else { "Index" };
    remove(&format!("migrations.Remove{what}"), model, listed.name)
}

fn add_listed(model: &str, is_constraint: bool, text: Py) -> Py {
    let (function, keyword) = if is_constraint {
        ("migrations.AddConstraint", "constraint")
    } else {
        ("migrations.AddIndex", "index")
    };
    Py::call(function, [], [("model_name", Py::str(model)), (keyword, text)])
}
