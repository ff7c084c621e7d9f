//! What Django's models know from a step on: operations on the migration's state.

use crate::catalog::{Constraint, ConstraintKind, Index, Key};
use crate::package::python::Py;
use crate::package::{django_model, new_model};
use crate::plan::{Field, ModelChange, RenamedIndex, Step};

use super::{Builder, call};

impl Builder<'_> {
    /// What the models know from this step on, apart from what a native call says already.
    pub(super) fn states(&mut self, step: &Step, native: bool) -> Vec<Py> {
        let mut states = Vec::new();
        for change in &step.model {
            if let ModelChange::AddModel(table) = change
                && let Some(new) =
                    new_model::django(self.request.plan.server.dialect, table, self.others)
            {
                for (_, field) in &new.fields {
                    self.uses(field);
                }
                states.push(new.create(table));
            }
        }
        let Some(model) = self.model else {
            return states;
        };
        let name = model.name.to_lowercase();
        for change in &step.model {
            match change {
                ModelChange::AddField { field, .. } if !native => {
                    if let Some(text) = self.field(field) {
                        self.uses(&text);
                        states.push(add_field(&name, &django_model::field_name(field), text));
                    }
                }
                // A foreign key is of the type of what it points to.
                ModelChange::AlterField { field: Field { references: Some(_), .. }, .. } => {}
                ModelChange::AlterKey { field, .. } => {
                    let dialect = self.request.plan.server.dialect;
                    if let Some(text) = new_model::django_key(dialect, field) {
                        self.uses(&text);
                        let name_of = &field.column.name;
                        states.push(with_field("migrations.AlterField", &name, name_of, text));
                    }
                }
                ModelChange::AlterField { field, .. } => {
                    if let Some(text) = self.field(field) {
                        self.uses(&text);
                        states.push(with_field(
                            "migrations.AlterField",
                            &name,
                            &field.column.name,
                            text,
                        ));
                    }
                }
                ModelChange::RenameField { from, field, indexes, .. } => {
                    let Some((old, known)) = model.field_of(from) else {
                        continue;
                    };
                    // The column is said apart from the name: it follows, whatever the field is called.
                    let rename = known.definition.keyword("db_column").is_none() && old == from;
                    if !rename {
                        continue;
                    }
                    for index in indexes.iter().filter(|index| self.knows(index)) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.before.name));
                    }
                    states.push(call(
                        "migrations.RenameField",
                        vec![],
                        vec![
                            ("model_name".into(), Py::Str(name.clone())),
                            ("old_name".into(), Py::Str(old.to_owned())),
                            ("new_name".into(), Py::Str(field.column.name.clone())),
                        ],
                    ));
                    let renamed: Vec<Py> = indexes
                        .iter()
                        .filter(|index| self.knows(index))
                        .filter_map(|index| self.index(&index.after))
                        .collect();
                    self.models |= !renamed.is_empty();
                    states.extend(renamed.into_iter().map(|text| add_index(&name, text)));
                }
                ModelChange::AddIndex { index, .. } if !native => {
                    if let Some(text) = self.index(index) {
                        self.models = true;
                        states.push(add_index(&name, text));
                    }
                }
                ModelChange::RemoveIndex { index, .. } => {
                    if model.indexes.iter().any(|own| own.name == index.name) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.name));
                    }
                }
                ModelChange::RemoveField { field, indexes, .. } => {
                    let Some((known, _)) = model.field_of(&field.column.name) else { continue };
                    let own = |index: &&Index| model.indexes.iter().any(|i| i.name == index.name);
                    for index in indexes.iter().filter(own) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.name));
                    }
                    states.push(remove("migrations.RemoveField", &name, known));
                }
                ModelChange::AddField { .. }
                | ModelChange::AddIndex { .. }
                | ModelChange::AddModel(_)
                | ModelChange::Comment { .. } => {}
                ModelChange::RemoveModel { .. } => states.push(call(
                    "migrations.DeleteModel",
                    vec![],
                    vec![("name".into(), Py::Str(model.name.clone()))],
                )),
                ModelChange::RenameModel { to, .. } => states.push(call(
                    "migrations.AlterModelTable",
                    vec![],
                    vec![
                        ("name".into(), Py::Str(name.clone())),
                        ("table".into(), Py::Str(to.name.clone())),
                    ],
                )),
                ModelChange::AddConstraint { constraint, .. } => {
                    if let Some(text) = self.unique(constraint) {
                        self.models = true;
                        let model = ("model_name".into(), Py::Str(name.clone()));
                        let constraint = ("constraint".into(), text);
                        states.push(call(
                            "migrations.AddConstraint",
                            vec![],
                            vec![model, constraint],
                        ));
                    }
                }
                ModelChange::RemoveConstraint { constraint, .. } => {
                    let own = constraint.name.as_deref().unwrap_or("");
                    if model.constraints.iter().any(|known| known.name == own) {
                        states.push(remove("migrations.RemoveConstraint", &name, own));
                    }
                }
            }
        }
        states
    }

    /// The models declare this index by name; one made by `db_index` follows its field.
    pub(super) fn knows(&self, index: &RenamedIndex) -> bool {
        self.model
            .is_some_and(|model| model.indexes.iter().any(|own| own.name == index.before.name))
    }

    pub(super) fn field(&self, field: &Field) -> Option<Py> {
        let to = match &field.references {
            Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
                Some(self.others.get(&table.name).cloned()?)
            }
            _ => None,
        };
        django_model::field(self.request.plan.server.dialect, field, to.as_deref())
    }

    pub(super) fn index(&self, index: &Index) -> Option<Py> {
        let simple = !index.unique
            && index.method.is_none()
            && index.filter.is_none()
            && index.include.is_empty()
            && index.options.is_none();
        if !simple {
            return None;
        }
        let model = self.model?;
        let fields: Option<Vec<Py>> = index
            .keys
            .iter()
            .map(|key| match key {
                Key::Column { name, rest: None } => {
                    let field = model.field_of(name).map_or(name.as_str(), |(field, _)| field);
                    Some(Py::Str(field.to_owned()))
                }
                _ => None,
            })
            .collect();
        Some(call(
            "models.Index",
            vec![],
            vec![
                ("fields".into(), Py::List(fields?)),
                ("name".into(), Py::Str(index.name.clone())),
            ],
        ))
    }

    /// `models.UniqueConstraint(fields=[…], name="…")`.
    pub(super) fn unique(&self, constraint: &Constraint) -> Option<Py> {
        let (ConstraintKind::Unique(keys), None) = (&constraint.kind, &constraint.options) else {
            return None;
        };
        let model = self.model?;
        let fields = keys
            .iter()
            .filter_map(Key::column)
            .map(|name| Py::Str(model.field_of(name).map_or(name, |(field, _)| field).to_owned()));
        let name = Py::Str(constraint.name.clone()?);
        let kwargs = vec![("fields".into(), Py::List(fields.collect())), ("name".into(), name)];
        Some(call("models.UniqueConstraint", vec![], kwargs))
    }

    pub(super) fn uses(&mut self, field: &Py) {
        self.models = true;
        self.now |= django_model::uses_now(field);
    }
}

pub(super) fn add_field(model: &str, name: &str, field: Py) -> Py {
    with_field("migrations.AddField", model, name, field)
}

fn with_field(function: &str, model: &str, name: &str, field: Py) -> Py {
    call(
        function,
        vec![],
        vec![
            ("model_name".into(), Py::Str(model.into())),
            ("name".into(), Py::Str(name.into())),
            ("field".into(), field),
        ],
    )
}

fn remove(function: &str, model: &str, name: &str) -> Py {
    let (model, name) = (Py::Str(model.into()), Py::Str(name.into()));
    call(function, vec![], vec![("model_name".into(), model), ("name".into(), name)])
}

fn add_index(model: &str, index: Py) -> Py {
    call(
        "migrations.AddIndex",
        vec![],
        vec![("model_name".into(), Py::Str(model.into())), ("index".into(), index)],
    )
}
