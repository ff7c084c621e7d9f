//! A model as Django's migrations describe it, with definitions kept as they are written.
//!
//! Enters: calls such as `models.CharField(max_length=255)`. Leaves: [`Model`] and its parts.
//! Must not know: in what order migrations apply.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::super::python::{Literal, Module, children};

/// A model, as the migrations know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Model {
    pub name: String,
    pub table: String,
    /// By name.
    pub fields: BTreeMap<String, Field>,
    pub indexes: Vec<Index>,
    pub constraints: Vec<Constraint>,
    pub unique_together: Vec<Vec<String>>,
    /// Django makes and changes its table.
    pub is_managed: bool,
    /// A proxy has no table of its own.
    pub(super) is_proxy: bool,
}

/// A call, as it is written: `models.CharField(max_length=255)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `models.CharField`
    pub kind: String,
    /// The arguments without a keyword.
    pub arguments: Vec<String>,
    pub keywords: Vec<(String, String)>,
    /// The statements that import what the definition names.
    pub imports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `None` if it has no column, as a many-to-many field.
    pub column: Option<String>,
    pub definition: Definition,
}

/// An index the models know by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    /// The fields, each with a `-` before it where it descends; empty for expressions. As in
    /// Django, a field that is renamed later keeps its old name here.
    pub fields: Vec<String>,
    pub definition: Definition,
}

/// A constraint the models know by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    pub name: String,
    /// The fields of a unique constraint; empty for a check.
    pub fields: Vec<String>,
    pub definition: Definition,
}

impl Definition {
    fn read(module: &Module, node: Node<'_>) -> Option<Definition> {
        let (function, arguments) = module.call(node)?;
        if arguments.spread.is_some() {
            return None;
        }
        let owned = |node| module.text(node).to_owned();
        Some(Definition {
            kind: owned(function),
            arguments: arguments.positional.iter().map(|node| owned(*node)).collect(),
            keywords: arguments
                .keywords
                .iter()
                .map(|(keyword, node)| ((*keyword).to_owned(), owned(*node)))
                .collect(),
            imports: module.imports_of(node),
        })
    }

    pub(super) fn set_name(&mut self, name: &str) {
        for (_, value) in self.keywords.iter_mut().filter(|(key, _)| key == "name") {
            *value = format!("\"{name}\"");
        }
    }

    /// An argument, as it is written.
    pub fn keyword(&self, keyword: &str) -> Option<&str> {
        self.keywords.iter().find(|(name, _)| name == keyword).map(|(_, value)| value.as_str())
    }
}

/// An index or constraint of [`Model`].
#[derive(Debug, Clone, Copy)]
pub struct Listed<'m> {
    pub is_constraint: bool,
    pub name: &'m str,
    pub definition: &'m Definition,
}

impl Model {
    /// What the model has under a name of its own.
    pub fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        let indexes = self.indexes.iter().map(|own| (false, &own.name, &own.definition));
        let constraints = self.constraints.iter().map(|own| (true, &own.name, &own.definition));
        indexes.chain(constraints).map(|(is_constraint, name, definition)| Listed {
            is_constraint,
            name,
            definition,
        })
    }

    /// The field that is stored in a column.
    pub fn field_of(&self, column: &str) -> Option<(&str, &Field)> {
        self.fields
            .iter()
            .find(|(_, field)| field.column.as_deref() == Some(column))
            .map(|(name, field)| (name.as_str(), field))
    }

    /// Adds or removes the field in which Django keeps the order within another model's rows.
    pub(super) fn set_ordered(&mut self, is_ordered: bool) {
        let name = "_order".to_owned();
        if !is_ordered {
            self.fields.remove(&name);
            return;
        }
        let definition = Definition {
            kind: "models.OrderWrt".to_owned(),
            arguments: Vec::new(),
            keywords: Vec::new(),
            imports: vec!["from django.db import models".to_owned()],
        };
        let column = Some(name.clone());
        self.fields.insert(name, Field { column, definition });
    }

    pub(super) fn rename_field(&mut self, old: &str, new: &str) -> Option<()> {
        let mut field = self.fields.remove(old)?;
        if let Some(column) = &mut field.column {
            // A column that is named in the definition stays.
            if *column == old {
                new.clone_into(column);
            } else if *column == format!("{old}_id")
                && field.definition.keyword("db_column").is_none()
            {
                field.column = Some(format!("{new}_id"));
            }
        }
        self.fields.insert(new.to_owned(), field);
        for name in self.unique_together.iter_mut().flatten().filter(|name| *name == old) {
            new.clone_into(name);
        }
        Some(())
    }
}

pub(super) fn read_field(module: &Module, name: &str, node: Node<'_>) -> Option<Field> {
    let (function, arguments) = module.call(node)?;
    let column = match arguments.keyword("db_column").map(|node| module.literal(node)) {
        Some(Some(Literal::Text(column))) => Some(column),
        Some(Some(Literal::None)) | None if arguments.keyword("on_delete").is_some() => {
            Some(format!("{name}_id"))
        }
        Some(Some(Literal::None)) | None if module.last_name(function)?.contains("ManyToMany") => {
            None
        }
        Some(Some(Literal::None)) | None => Some(name.to_owned()),
        _ => return None,
    };
    let definition = Definition::read(module, node)?;
    Some(Field { column, definition })
}

pub(super) fn read_index(module: &Module, node: Node<'_>) -> Option<Index> {
    let (name, fields, definition) = read_named(module, node)?;
    Some(Index { name, fields, definition })
}

pub(super) fn read_constraint(module: &Module, node: Node<'_>) -> Option<Constraint> {
    let (name, fields, definition) = read_named(module, node)?;
    Some(Constraint { name, fields, definition })
}

fn read_named(module: &Module, node: Node<'_>) -> Option<(String, Vec<String>, Definition)> {
    let (_, arguments) = module.call(node)?;
    let name = module.string(arguments.keyword("name")?)?;
    let fields = names(module, arguments.keyword("fields"));
    Some((name, fields, Definition::read(module, node)?))
}

fn names(module: &Module, node: Option<Node<'_>>) -> Vec<String> {
    node.into_iter().flat_map(children).filter_map(|part| module.string(part)).collect()
}

/// `{("a", "b")}`, `[["a", "b"]]`, `("a", "b")` or `set()`.
pub(super) fn groups(module: &Module, node: Node<'_>) -> Vec<Vec<String>> {
    let flat = names(module, Some(node));
    if flat.is_empty() {
        children(node)
            .map(|group| names(module, Some(group)))
            .filter(|group| !group.is_empty())
            .collect()
    } else {
        vec![flat]
    }
}
