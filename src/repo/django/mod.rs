//! A Django project → the app that owns some tables, its leaf, and its models.
//!
//! Enters: migrations, `apps.py`, settings. Leaves: [`Project`]. No Python is run: what is not
//! written out is refused, or named in [`Project::unread`]. Must not know: what will be done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Repo, file_name, name};
use crate::error::{Error, Result};

mod apps;
mod graph;
mod model;
mod state;
mod version;

use apps::App;
use graph::{Graph, candidates};
pub use model::{Constraint, Definition, Field, Index, Listed, Model};
use state::State;

/// What the next migration needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The app's label, which dependencies name it by.
    pub app: String,
    /// Where the next file goes, relative to the root.
    pub folder: PathBuf,
    /// What the next migration depends on.
    pub leaf: Option<String>,
    pub next_number: u32,
    /// By table.
    pub models: BTreeMap<String, Model>,
    /// Migrations with operations that could not be read, so that `models` may be out of date.
    pub unread: Vec<PathBuf>,
    /// A file that holds the name of the newest migration, as django-linear-migrations wants.
    pub max_migration: Option<PathBuf>,
    /// Django's version, if the repository says so.
    pub version: Option<(u32, u32)>,
    /// `manage.py`, if there is one.
    pub manage: Option<PathBuf>,
}

impl Project {
    /// The name of a migration, without `.py`; `position` counts those written together, from 0.
    pub fn migration_name(&self, slug: &str, position: u32) -> String {
        format!("{:04}_{slug}", self.next_number + position)
    }
}

/// Reads the app in `folder`, or the one whose models have these tables.
pub fn read(repo: &Repo, folder: Option<&Path>, tables: &[&str]) -> Result<Project> {
    if let Some(folder) = folder {
        return project(repo, &apps::given(repo, folder)?);
    }
    let apps = apps::find(repo)?;
    if apps.is_empty() {
        return Err(Error::refused("no Django app with migrations is found here")
            .note("looked for folders called `migrations` with an `__init__.py`")
            .hint("--dir FOLDER names the app's folder of migrations"));
    }
    let mut owners: Vec<(&App, Project, Vec<&str>)> = Vec::new();
    for app in &apps {
        if may_own(repo, app, tables)? {
            let project = project(repo, app)?;
            let owned: Vec<_> = tables
                .iter()
                .copied()
                .filter(|table| project.models.contains_key(*table))
                .collect();
            if !owned.is_empty() {
                owners.push((app, project, owned));
            }
        }
    }
    if owners.len() > 1 {
        let mut refused = Error::refused("the tables belong to several apps");
        for (app, _, owned) in &owners {
            let place = name(&app.folder);
            refused = refused.note(format!("{}: {} ({place})", owned.join(", "), app.label));
        }
        return Err(refused.hint("change the tables of one app at a time, or --dir FOLDER"));
    }
    if let Some((_, project, _)) = owners.pop() {
        return Ok(project);
    }
    project(repo, by_name(&apps, tables)?)
}

/// The app that tables without a model belong to, told by their names.
fn by_name<'a>(apps: &'a [App], tables: &[&str]) -> Result<&'a App> {
    if let [only] = apps {
        return Ok(only);
    }
    let starts_all = |app: &&App| {
        let start = format!("{}_", app.label);
        !tables.is_empty() && tables.iter().all(|table| table.starts_with(&start))
    };
    let longest = apps.iter().filter(starts_all).max_by_key(|app| app.label.len());
    longest.ok_or_else(|| {
        let all: Vec<_> = apps.iter().collect();
        let refused = match tables {
            [] => Error::refused("several Django apps have migrations here"),
            _ => Error::refused(format!("no app has a model for `{}`", tables.join("`, `"))),
        };
        refused
            .note(format!("apps: {}", apps::described(&all)))
            .hint(format!("--dir {}", name(&apps[0].folder)))
    })
}

/// Whether an app's models can have one of these tables; spares parsing those of all the others.
fn may_own(repo: &Repo, app: &App, tables: &[&str]) -> Result<bool> {
    let start = format!("{}_", app.label);
    if tables.iter().any(|table| table.starts_with(&start)) {
        return Ok(true);
    }
    for (_, path) in candidates(repo, &app.folder)? {
        let text = repo.glance(&path);
        let names = |table: &&str| {
            ['"', '\''].iter().any(|quote| text.contains(&format!("{quote}{table}{quote}")))
        };
        if tables.iter().any(names) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn project(repo: &Repo, app: &App) -> Result<Project> {
    if !repo.is_file(app.folder.join("__init__.py")) {
        return Err(Error::refused(format!(
            "Django passes over {}: it has no `__init__.py`",
            name(&app.folder)
        ))
        .hint("add an empty `__init__.py`"));
    }
    let graph = Graph::read(repo, &app.label, &app.folder)?;
    let mut state = State::new(&app.label);
    let mut unread = Vec::new();
    for name in &graph.order {
        let migration = &graph.migrations[name];
        if let Some(operations) = migration.attribute("operations")? {
            state.apply(&migration.module, operations);
            if std::mem::take(&mut state.incomplete) {
                unread.push(app.folder.join(format!("{name}.py")));
            }
        }
    }
    let max_migration = app.folder.join("max_migration.txt");
    Ok(Project {
        app: app.label.clone(),
        folder: app.folder.clone(),
        next_number: next_number(&graph),
        leaf: graph.leaf.clone(),
        models: state.into_tables(),
        unread,
        max_migration: repo.is_file(&max_migration).then_some(max_migration),
        version: version::read(repo)?,
        manage: manage(repo, &app.folder)?,
    })
}

/// The `manage.py` nearest above a folder of migrations, else the highest there is.
fn manage(repo: &Repo, folder: &Path) -> Result<Option<PathBuf>> {
    let mut signs = signs(repo, &repo.walk("")?);
    signs.sort_by_key(|path| path.components().count());
    let above = |path: &&PathBuf| path.parent().is_some_and(|home| folder.starts_with(home));
    Ok(signs.iter().rfind(above).or(signs.first()).cloned())
}

/// The files that show that a repository uses Django.
pub(super) fn signs(repo: &Repo, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut signs = Vec::new();
    for path in files.iter().filter(|path| file_name(path) == "manage.py") {
        if repo.glance(path).contains("DJANGO_SETTINGS_MODULE") {
            signs.push(path.clone());
        }
    }
    signs
}

/// One more than the leaf's number; where it has none, than the greatest.
fn next_number(graph: &Graph) -> u32 {
    let of_leaf = graph.leaf.as_deref().and_then(number);
    let greatest = graph.order.iter().filter_map(|name| number(name)).max();
    of_leaf.or(greatest).map_or(1, |number| number + 1)
}

/// The number of `0004_x`, and the second one of `0001_squashed_0004_x`.
fn number(name: &str) -> Option<u32> {
    let digits = |text: &str| {
        let end = text.bytes().take_while(u8::is_ascii_digit).count();
        text[..end].parse().ok()
    };
    name.rsplit_once("_squashed_").and_then(|(_, rest)| digits(rest)).or_else(|| digits(name))
}

#[cfg(test)]
mod tests;
