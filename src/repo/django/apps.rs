//! A Django project → its apps and where each keeps its migrations.
//!
//! Enters: folders, `apps.py`, settings. Leaves: [`App`]s. Must not know: migrations' contents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::python::{Literal, Module, children};
use super::super::{Repo, file_name, name, tidy};
use crate::error::Result;

/// An app with migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct App {
    pub label: String,
    /// The folder of migrations.
    pub folder: PathBuf,
}

/// Every app of the repository that has a package of migrations.
pub(super) fn find(repo: &Repo) -> Result<Vec<App>> {
    let files = repo.walk("")?;
    let elsewhere = migration_modules(repo, &files)?;
    let mut apps = Vec::new();
    for path in &files {
        let folder = path.parent().unwrap_or(Path::new(""));
        if file_name(path) != "__init__.py" {
            continue;
        }
        let by_settings =
            elsewhere.iter().find(|(_, module)| folder.ends_with(module.replace('.', "/")));
        if let Some((label, _)) = by_settings {
            apps.push(App { label: label.clone(), folder: folder.to_owned() });
        } else if file_name(folder) == "migrations" && !is_alembic(repo, folder) {
            let label = label(repo, folder)?;
            if !elsewhere.contains_key(&label) {
                apps.push(App { label, folder: folder.to_owned() });
            }
        }
    }
    Ok(apps)
}

/// The app whose folder, or whose folder of migrations, is given.
pub(super) fn given(repo: &Repo, folder: &Path) -> Result<App> {
    let folder = repo.folder(folder)?;
    let inner = folder.join("migrations");
    let folder = if repo.is_folder(&inner) { inner } else { folder };
    if let Some(app) = find(repo)?.into_iter().find(|app| app.folder == folder) {
        return Ok(app);
    }
    Ok(App { label: label(repo, &folder)?, folder })
}

/// Alembic's folders are called so too.
fn is_alembic(repo: &Repo, folder: &Path) -> bool {
    repo.is_file(folder.join("env.py")) && repo.is_file(folder.join("script.py.mako"))
}

/// The label of the app above a folder of migrations: that of its `AppConfig`, or its name.
fn label(repo: &Repo, folder: &Path) -> Result<String> {
    let app = folder.parent().unwrap_or(Path::new(""));
    let by_folder = match file_name(app) {
        "" => repo
            .root()
            .canonicalize()
            .ok()
            .map(|root| file_name(&root).to_owned())
            .unwrap_or_default(),
        name => name.to_owned(),
    };
    let Some(source) = repo.find(app.join("apps.py"))? else {
        return Ok(by_folder);
    };
    let module = Module::parse(source)?;
    let mut configs = Vec::new();
    for class in module.classes() {
        let bases = class.child_by_field_name("superclasses");
        let is_config = bases
            .into_iter()
            .flat_map(children)
            .any(|base| module.last_name(base).is_some_and(|base| base.ends_with("Config")));
        let Some(body) = class.child_by_field_name("body").filter(|_| is_config) else {
            continue;
        };
        let attribute = |name: &str| {
            let value = module.binding_in(body, name)?.value?;
            module.literal(value)
        };
        match attribute("default") {
            Some(Literal::Bool(false)) => {}
            Some(Literal::Bool(true)) => configs.insert(0, attribute("label")),
            _ => configs.push(attribute("label")),
        }
    }
    match configs.into_iter().next() {
        Some(Some(Literal::Text(label))) => Ok(label),
        _ => Ok(by_folder),
    }
}

/// `MIGRATION_MODULES` of the settings: labels and modules.
fn migration_modules(repo: &Repo, files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut modules = BTreeMap::new();
    for path in files.iter().filter(|path| is_settings(path)) {
        let source = repo.read(path)?;
        if !source.text.contains("MIGRATION_MODULES") {
            continue;
        }
        let module = Module::parse(source)?;
        let value = module.binding("MIGRATION_MODULES").and_then(|binding| binding.value);
        for (label, value) in value.map(|value| module.entries(value)).unwrap_or_default() {
            if let Some(name) = module.string(value) {
                modules.insert(label, name);
            }
        }
    }
    Ok(modules)
}

/// Whether a file holds the settings of a project, by its name or its folder's.
fn is_settings(path: &Path) -> bool {
    let stem = file_name(path).strip_suffix(".py");
    let in_folder =
        path.parent().is_some_and(|folder| matches!(file_name(folder), "settings" | "config"));
    stem.is_some_and(|stem| stem.contains("settings") || in_folder)
}

/// The app a folder of migrations belongs to, as a message names it.
pub(super) fn described(apps: &[&App]) -> String {
    let names: Vec<_> =
        apps.iter().map(|app| format!("{} ({})", app.label, name(&tidy(&app.folder)))).collect();
    names.join(", ")
}
