//! An app's migration files → which follows which.
//!
//! Enters: the `.py` files of a `migrations` folder. Leaves: [`Graph`]: the files in the order
//! they apply, and the leaf. Must not know: what operations do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tree_sitter::Node;

use super::super::python::{Module, children};
use super::super::{Repo, name};
use crate::error::{Error, Result};
use crate::source::Span;

/// One migration file.
pub(super) struct Migration {
    pub module: Module,
    /// The names of the app's own migrations it follows.
    parents: BTreeSet<String>,
    /// The names of the app's own migrations it stands for.
    replaces: BTreeSet<String>,
    /// The names of the app's own migrations that follow it without saying so.
    run_before: BTreeSet<String>,
    /// Where its dependencies stand, or the class if it has none.
    place: Span,
}

impl Migration {
    /// An attribute of the class `Migration`.
    pub(super) fn attribute<'m>(&'m self, attribute: &str) -> Result<Option<Node<'m>>> {
        match class(&self.module) {
            Some(class) => value(&self.module, class, attribute),
            None => Ok(None),
        }
    }
}

/// The migrations of an app.
#[derive(Default)]
pub(super) struct Graph {
    /// By name; without those that others stand for.
    pub migrations: BTreeMap<String, Migration>,
    /// Names in the order they apply.
    pub order: Vec<String>,
    /// What nothing follows.
    pub leaf: Option<String>,
}

/// The files Django takes for migrations, with their names.
pub(super) fn candidates(repo: &Repo, folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = repo.list(folder)?.into_iter();
    Ok(entries
        .filter(|entry| !entry.is_folder)
        .filter_map(|entry| {
            let name = entry.name.strip_suffix(".py")?;
            let counts = !name.starts_with(['_', '~', '.']) && !name.contains('.');
            (counts && !name.is_empty()).then(|| (name.to_owned(), entry.path))
        })
        .collect())
}

impl Graph {
    pub(super) fn read(repo: &Repo, app: &str, folder: &Path) -> Result<Graph> {
        let mut migrations: BTreeMap<String, Migration> = BTreeMap::new();
        for (name, path) in candidates(repo, folder)? {
            migrations.insert(name, read(repo, app, &path)?);
        }
        let before: Vec<_> = migrations
            .iter()
            .flat_map(|(name, migration)| {
                migration.run_before.iter().map(|child| (child.clone(), name.clone()))
            })
            .collect();
        for (child, name) in before {
            if let Some(child) = migrations.get_mut(&child) {
                child.parents.insert(name);
            }
        }
        replace(&mut migrations);
        for (name, migration) in &migrations {
            if let Some(missing) =
                migration.parents.iter().find(|parent| !migrations.contains_key(*parent))
            {
                return Err(Error::refused(format!(
                    "`{app}.{name}` depends on a migration that is missing"
                ))
                .at(migration.module.source(), migration.place, format!("no file is `{missing}`"))
                .note("`manage.py migrate` refuses too")
                .hint("bring the missing file back, or correct the dependency"));
            }
        }
        let order = order(app, folder, &migrations)?;
        let leaf = leaf(app, &migrations)?;
        Ok(Graph { migrations, order, leaf })
    }
}

fn class(module: &Module) -> Option<Node<'_>> {
    module.classes().find(|class| {
        class.child_by_field_name("name").is_some_and(|name| module.text(name) == "Migration")
    })
}

/// The value of a class attribute that is assigned once and for all.
fn value<'m>(module: &'m Module, class: Node<'m>, attribute: &str) -> Result<Option<Node<'m>>> {
    let Some(body) = class.child_by_field_name("body") else {
        return Ok(None);
    };
    match module.binding_in(body, attribute) {
        None => Ok(None),
        Some(binding) => match binding.value {
            Some(value) => Ok(Some(value)),
            None => Err(unclear(module, attribute, binding.name)),
        },
    }
}

fn unclear(module: &Module, attribute: &str, node: Node<'_>) -> Error {
    module
        .refuse(
            format!("`{attribute}` is not written out"),
            node,
            "known only when this file is run; miggen runs nothing",
        )
        .hint(format!("write the names of this app's migrations out in `{attribute}`"))
}

fn read(repo: &Repo, app: &str, path: &Path) -> Result<Migration> {
    let module = Module::parse(repo.read(path)?)?;
    let Some(class) = class(&module) else {
        return Err(Error::refused(format!("`{}` has no class `Migration`", name(path)))
            .note("Django takes every .py file in this folder for a migration")
            .hint("move the file elsewhere, or start its name with `_`"));
    };
    let dependencies = value(&module, class, "dependencies")?;
    let mut parents = BTreeSet::new();
    let mut place = class.child_by_field_name("name").unwrap_or(class);
    if let Some(list) = dependencies {
        for (name, node) in own_names(&module, app, "dependencies", list)? {
            if parents.is_empty() {
                place = node;
            }
            parents.insert(name);
        }
    }
    let names = |attribute: &str| -> Result<BTreeSet<String>> {
        let Some(list) = value(&module, class, attribute)? else {
            return Ok(BTreeSet::new());
        };
        let names = own_names(&module, app, attribute, list)?;
        Ok(names.into_iter().map(|(name, _)| name).collect())
    };
    let (replaces, run_before) = (names("replaces")?, names("run_before")?);
    let place = module.span(place);
    Ok(Migration { module, parents, replaces, run_before, place })
}

/// The names that a list such as `[("shop", "0001_initial")]` gives for this app.
fn own_names<'m>(
    module: &'m Module,
    app: &str,
    attribute: &str,
    list: Node<'m>,
) -> Result<Vec<(String, Node<'m>)>> {
    if !matches!(list.kind(), "list" | "tuple") {
        return Err(unclear(module, attribute, list));
    }
    let mut names = Vec::new();
    for item in children(list) {
        if let Some((function, _)) = module.call(item) {
            // Settings say which app it is; never one of these by its name.
            if module.last_name(function) == Some("swappable_dependency") {
                continue;
            }
            return Err(unclear(module, attribute, item));
        }
        let mut parts = children(item);
        let (Some(label), Some(name)) = (parts.next(), parts.next()) else {
            return Err(unclear(module, attribute, item));
        };
        match module.string(label) {
            None => return Err(unclear(module, attribute, item)),
            Some(label) if label != app => {}
            Some(_) => match module.string(name) {
                // The first of one's own migrations precedes all others anyway.
                Some(name) if name == "__first__" => {}
                Some(name) => names.push((name, item)),
                None => return Err(unclear(module, attribute, item)),
            },
        }
    }
    Ok(names)
}

/// Takes out what is replaced; what depended on it depends on what replaces it.
fn replace(migrations: &mut BTreeMap<String, Migration>) {
    let mut stands_in: BTreeMap<String, String> = BTreeMap::new();
    for (name, migration) in &*migrations {
        for replaced in migration.replaces.iter().filter(|replaced| *replaced != name) {
            stands_in.insert(replaced.clone(), name.clone());
        }
    }
    migrations.retain(|name, _| !stands_in.contains_key(name));
    let resolve = |name: &String| {
        let mut name = name.clone();
        // A squashed migration may have been squashed again; not more often than there are any.
        for _ in 0..=stands_in.len() {
            match stands_in.get(&name) {
                Some(next) => name.clone_from(next),
                None => break,
            }
        }
        name
    };
    for (name, migration) in migrations.iter_mut() {
        migration.parents = migration.parents.iter().map(resolve).collect();
        migration.parents.remove(name);
    }
}

/// Names so that each comes after those it follows.
fn order(
    app: &str,
    folder: &Path,
    migrations: &BTreeMap<String, Migration>,
) -> Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while order.len() < migrations.len() {
        let ready: Vec<_> = migrations
            .iter()
            .filter(|(name, _)| !done.contains(name.as_str()))
            .filter(|(_, migration)| {
                migration.parents.iter().all(|parent| done.contains(parent.as_str()))
            })
            .map(|(name, _)| name)
            .collect();
        if ready.is_empty() {
            return Err(Error::refused(format!(
                "the migrations of `{app}` in {} depend on each other in a circle",
                name(folder)
            ))
            .hint("correct a dependency; the first migration has none on its own app"));
        }
        for name in ready {
            done.insert(name);
            order.push(name.clone());
        }
    }
    Ok(order)
}

fn leaf(app: &str, migrations: &BTreeMap<String, Migration>) -> Result<Option<String>> {
    let followed: BTreeSet<&String> =
        migrations.values().flat_map(|migration| &migration.parents).collect();
    let leaves: Vec<_> = migrations.iter().filter(|(name, _)| !followed.contains(name)).collect();
    match leaves.as_slice() {
        [] => Ok(None),
        [(name, _)] => Ok(Some((*name).clone())),
        [(_, first), (second_name, second), ..] => {
            let names: Vec<_> = leaves.iter().map(|(name, _)| name.as_str()).collect();
            let shared = first.parents.intersection(&second.parents).next().is_some();
            let refused = Error::refused(format!(
                "`{app}` has {} leaf migrations",
                if leaves.len() == 2 { "two".to_owned() } else { leaves.len().to_string() }
            ));
            let refused = if shared {
                refused.at(first.module.source(), first.place, format!("so has {second_name}.py"))
            } else {
                refused.at(first.module.source(), first.place, "nothing follows this one").at(
                    second.module.source(),
                    second.place,
                    "nor this one",
                )
            };
            Err(refused
                .note(format!("leaves: {}; `manage.py migrate` refuses too", names.join(", ")))
                .hint(format!("python manage.py makemigrations --merge {app}")))
        }
    }
}
