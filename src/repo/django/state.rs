//! Django's operations, replayed → the models as the migrations leave them.
//!
//! Enters: the `operations` of migrations, in their order. Leaves: [`Model`]s. Must not know:
//! which migration follows which.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::super::python::{Literal, Module, children};
use super::model::{Model, groups, read_constraint, read_field, read_index};

/// The models of one app while its migrations are replayed.
pub(super) struct State<'a> {
    app: &'a str,
    /// By name in lower case, as Django compares them.
    models: BTreeMap<String, Model>,
    /// Something in the migrations could not be read.
    pub incomplete: bool,
}

/// An operation Django has; other libraries' are named after them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    CreateModel,
    DeleteModel,
    RenameModel,
    AlterModelTable,
    AlterUniqueTogether,
    AlterOrderWithRespectTo,
    AddField,
    RemoveField,
    AlterField,
    RenameField,
    AddIndex,
    RemoveIndex,
    RenameIndex,
    AddConstraint,
    RemoveConstraint,
    AlterConstraint,
    SeparateDatabaseAndState,
    RunSql,
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateModel", Operation::CreateModel),
    ("DeleteModel", Operation::DeleteModel),
    ("RenameModel", Operation::RenameModel),
    ("AlterModelTable", Operation::AlterModelTable),
    ("AlterUniqueTogether", Operation::AlterUniqueTogether),
    ("AlterOrderWithRespectTo", Operation::AlterOrderWithRespectTo),
    ("AddField", Operation::AddField),
    ("RemoveField", Operation::RemoveField),
    ("AlterField", Operation::AlterField),
    ("RenameField", Operation::RenameField),
    ("AddIndex", Operation::AddIndex),
    ("RemoveIndex", Operation::RemoveIndex),
    ("RenameIndex", Operation::RenameIndex),
    ("AddConstraint", Operation::AddConstraint),
    ("RemoveConstraint", Operation::RemoveConstraint),
    ("AlterConstraint", Operation::AlterConstraint),
    ("SeparateDatabaseAndState", Operation::SeparateDatabaseAndState),
    ("RunSQL", Operation::RunSql),
];

impl Operation {
    /// Reads `AddIndex`, but also `AddIndexConcurrently` and somebody's `SafeRemoveField`.
    fn of(name: &str) -> Option<Operation> {
        let found = |matches: &dyn Fn(&str) -> bool| {
            OPERATIONS.iter().find(|(known, _)| matches(known)).map(|(_, operation)| *operation)
        };
        found(&|known| name == known).or_else(|| {
            found(&|known| {
                name.ends_with(known)
                    || name.strip_suffix("Concurrently") == Some(known)
                    || name.strip_suffix("NotValid") == Some(known)
            })
        })
    }
}

impl<'a> State<'a> {
    pub(super) fn new(app: &'a str) -> State<'a> {
        State { app, models: BTreeMap::new(), incomplete: false }
    }

    /// The models that have a table, by its name.
    pub(super) fn into_tables(self) -> BTreeMap<String, Model> {
        self.models
            .into_values()
            .filter(|model| !model.is_proxy)
            .map(|model| (model.table.clone(), model))
            .collect()
    }

    /// Applies a list of operations.
    pub(super) fn apply(&mut self, module: &Module, list: Node<'_>) {
        let list = module.resolve(list);
        match list.kind() {
            "list" | "tuple" => {
                for item in children(list) {
                    if item.kind() == "list_splat" {
                        children(item).for_each(|inner| self.apply(module, inner));
                    } else {
                        self.apply_one(module, module.resolve(item));
                    }
                }
            }
            "binary_operator" | "parenthesized_expression" => {
                for side in children(list) {
                    self.apply(module, side);
                }
            }
            "none" => {}
            _ => self.incomplete = true,
        }
    }

    fn apply_one(&mut self, module: &Module, item: Node<'_>) {
        let Some((function, arguments)) = module.call(item) else {
            self.incomplete = true;
            return;
        };
        let Some(operation) = module.last_name(function).and_then(Operation::of) else {
            // RunPython, extensions, managers: no state that matters here.
            return;
        };
        let text = |keyword, position| {
            arguments.get(keyword, position).and_then(|node| module.string(node))
        };
        let done = match operation {
            Operation::SeparateDatabaseAndState => {
                if let Some(list) = arguments.get("state_operations", 1) {
                    self.apply(module, list);
                }
                Some(())
            }
            Operation::RunSql => {
                if let Some(list) = arguments.get("state_operations", 2) {
                    self.apply(module, list);
                }
                Some(())
            }
            Operation::CreateModel => text("name", 0).map(|name| {
                let fields = arguments.get("fields", 1);
                let options = arguments.get("options", 2);
                self.create(module, &name, fields, options);
            }),
            Operation::DeleteModel => text("name", 0).map(|name| {
                self.models.remove(&name.to_lowercase());
            }),
            Operation::RenameModel => text("old_name", 0)
                .zip(text("new_name", 1))
                .and_then(|(old, new)| self.rename_model(&old, &new)),
            Operation::AlterModelTable => text("name", 0).and_then(|name| {
                let table = match arguments.get("table", 1).map(|node| module.literal(node)) {
                    Some(Some(Literal::Text(table))) => table,
                    Some(Some(Literal::None)) | None => default_table(self.app, &name),
                    _ => return None,
                };
                self.model(&name)?.table = table;
                Some(())
            }),
            Operation::AlterUniqueTogether => text("name", 0).and_then(|name| {
                let together = arguments.get("unique_together", 1).map(|node| groups(module, node));
                self.model(&name)?.unique_together = together.unwrap_or_default();
                Some(())
            }),
            Operation::AlterOrderWithRespectTo => text("name", 0).and_then(|name| {
                let to = arguments.get("order_with_respect_to", 1);
                let is_ordered = to.is_some_and(|to| module.string(to).is_some());
                self.model(&name)?.set_ordered(is_ordered);
                Some(())
            }),
            Operation::AddField | Operation::AlterField => {
                let field = arguments.get("field", 2);
                text("model_name", 0).zip(text("name", 1)).and_then(|(model, name)| {
                    let field = read_field(module, &name, field?)?;
                    self.model(&model)?.fields.insert(name, field);
                    Some(())
                })
            }
            Operation::RemoveField => text("model_name", 0)
                .zip(text("name", 1))
                .and_then(|(model, name)| self.model(&model)?.fields.remove(&name).map(|_| ())),
            Operation::RenameField => text("model_name", 0)
                .zip(text("old_name", 1).zip(text("new_name", 2)))
                .and_then(|(model, (old, new))| self.model(&model)?.rename_field(&old, &new)),
            Operation::AddIndex => {
                let index = arguments.get("index", 1);
                text("model_name", 0).and_then(|model| {
                    let index = read_index(module, index?)?;
                    self.model(&model)?.indexes.push(index);
                    Some(())
                })
            }
            Operation::RemoveIndex => {
                text("model_name", 0).zip(text("name", 1)).and_then(|(model, name)| {
                    self.model(&model)?.indexes.retain(|index| index.name != name);
                    Some(())
                })
            }
            Operation::RenameIndex => {
                text("model_name", 0).zip(text("new_name", 1)).and_then(|(model, new)| {
                    let old = text("old_name", 2);
                    let index = self
                        .model(&model)?
                        .indexes
                        .iter_mut()
                        .find(|index| Some(&index.name) == old.as_ref());
                    // One without a name, of `index_together`, is not known here.
                    if let Some(index) = index {
                        index.definition.set_name(&new);
                        index.name = new;
                    }
                    Some(())
                })
            }
            Operation::AddConstraint => {
                let constraint = arguments.get("constraint", 1);
                text("model_name", 0).and_then(|model| {
                    let constraint = read_constraint(module, constraint?)?;
                    self.model(&model)?.constraints.push(constraint);
                    Some(())
                })
            }
            Operation::RemoveConstraint | Operation::AlterConstraint => {
                text("model_name", 0).zip(text("name", 1)).and_then(|(model, name)| {
                    let model = self.model(&model)?;
                    model.constraints.retain(|constraint| constraint.name != name);
                    if operation == Operation::AlterConstraint {
                        let altered = read_constraint(module, arguments.get("constraint", 2)?)?;
                        model.constraints.push(altered);
                    }
                    Some(())
                })
            }
        };
        if done.is_none() {
            self.incomplete = true;
        }
    }

    fn model(&mut self, name: &str) -> Option<&mut Model> {
        self.models.get_mut(&name.to_lowercase())
    }

    fn create(
        &mut self,
        module: &Module,
        name: &str,
        fields: Option<Node<'_>>,
        options: Option<Node<'_>>,
    ) {
        let mut model = Model {
            name: name.to_owned(),
            table: default_table(self.app, name),
            is_managed: true,
            ..Model::default()
        };
        for pair in fields.into_iter().flat_map(children) {
            let mut parts = children(pair);
            let field = parts.next().zip(parts.next()).and_then(|(name, definition)| {
                let name = module.string(name)?;
                let field = read_field(module, &name, definition)?;
                Some((name, field))
            });
            match field {
                Some((name, field)) => {
                    model.fields.insert(name, field);
                }
                None => self.incomplete = true,
            }
        }
        for (key, value) in options.map(|node| module.entries(node)).unwrap_or_default() {
            match key.as_str() {
                "db_table" => match module.string(value) {
                    Some(table) => model.table = table,
                    None => self.incomplete = true,
                },
                "managed" => model.is_managed = module.literal(value) != Some(Literal::Bool(false)),
                "proxy" => model.is_proxy = module.literal(value) == Some(Literal::Bool(true)),
                "indexes" => {
                    let read = children(value).filter_map(|node| read_index(module, node));
                    model.indexes.extend(read);
                }
                "constraints" => {
                    let read = children(value).filter_map(|node| read_constraint(module, node));
                    model.constraints.extend(read);
                }
                "unique_together" => model.unique_together = groups(module, value),
                "order_with_respect_to" => model.set_ordered(module.string(value).is_some()),
                _ => {}
            }
        }
        self.models.insert(name.to_lowercase(), model);
    }

    fn rename_model(&mut self, old: &str, new: &str) -> Option<()> {
        let mut model = self.models.remove(&old.to_lowercase())?;
        if model.table == default_table(self.app, old) {
            model.table = default_table(self.app, new);
        }
        new.clone_into(&mut model.name);
        self.models.insert(new.to_lowercase(), model);
        // Foreign keys say the name of the model they point to.
        let targets = [format!("{}.{old}", self.app).to_lowercase(), old.to_lowercase()];
        let fields = self.models.values_mut().flat_map(|model| model.fields.values_mut());
        for (keyword, value) in fields.flat_map(|field| &mut field.definition.keywords) {
            let target = value.trim_matches(['"', '\'']).to_lowercase();
            if matches!(keyword.as_str(), "to" | "through") && targets.contains(&target) {
                *value = format!("\"{}.{new}\"", self.app);
            }
        }
        Some(())
    }
}

/// The table of a model that names none.
fn default_table(app: &str, model: &str) -> String {
    format!("{app}_{}", model.to_lowercase())
}
