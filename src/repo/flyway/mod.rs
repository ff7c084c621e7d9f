//! Flyway's locations → the versions that come next.
//!
//! Enters: settings and the names of SQL and Java migrations. Leaves: [`Project`]. Must not know:
//! what a migration does.

use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::naming::SlugStyle;
use super::{Repo, file_name, name};
use crate::error::{Error, Result};

mod cli;
mod config;
mod version;

pub use cli::Cli;
use config::Config;
pub use version::Version;

/// What the next migration needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where the next file goes, relative to the root.
    pub folder: PathBuf,
    /// Where the way back goes: outside of every location, or Flyway would run it.
    pub rollback: PathBuf,
    /// Every version there is, the greatest first.
    pub existing: Vec<Version>,
    /// Files whose names look like migrations, but Flyway passes over them.
    pub passed_over: Vec<PathBuf>,
    /// How the command is called.
    pub cli: Cli,
    pub spring: Option<Spring>,
    pub placeholders: Placeholders,
    /// All pending migrations run in one transaction, and must agree on having one.
    pub group: bool,
    pub slug_style: SlugStyle,
    prefix: String,
    separator: String,
    suffix: String,
}

/// An application that runs Flyway by itself as it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spring {
    /// Without the lock that makes a concurrent index wait for ever.
    pub lock_disabled: bool,
}

/// What Flyway does with `${name}` in SQL, comments included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholders {
    Off,
    /// It is replaced, and an error where it is not defined; the default.
    On {
        /// `${`, if the team has not chosen another.
        prefix: String,
        /// The team's migrations need it, so a file cannot turn it off unasked.
        used: bool,
    },
}

impl Project {
    /// The next versions, in the style of the greatest one.
    pub fn versions(&self, count: usize, created: NaiveDateTime) -> Vec<String> {
        let newest: Vec<_> = self.existing.iter().collect();
        version::following(&newest, count, created)
    }

    /// `V8__split_name.sql`
    pub fn file_name(&self, version: &str, slug: &str) -> String {
        let Project { prefix, separator, suffix, .. } = self;
        format!("{prefix}{version}{separator}{}{suffix}", self.slug_style.apply(slug))
    }
}

/// A migration file.
struct Found {
    version: Version,
    slug: String,
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Versioned,
    /// A Java class, which lies elsewhere and shares the versions.
    Code,
    /// What a new database starts from, instead of everything up to the same version.
    Baseline,
}

/// Reads the migrations of `folder`, or of every location.
pub fn read(repo: &Repo, folder: Option<&Path>) -> Result<Project> {
    let files = repo.walk("")?;
    let Config {
        locations: configured,
        prefix,
        separator,
        suffix,
        mut placeholders,
        group,
        spring,
        pages,
    } = config::read(repo, &files);
    let given = folder.map(|folder| repo.folder(folder)).transpose()?;
    let locations = match &given {
        // Versions are shared by all locations, whichever of them is written to.
        Some(given) if configured.iter().any(|location| given.starts_with(location)) => configured,
        Some(given) => vec![given.clone()],
        None => locations(repo, configured, &files)?,
    };
    let mut found = Vec::new();
    let mut passed_over = Vec::new();
    // The location itself is walked too: it may lie deeper than a walk from the root goes.
    let mut inside = Vec::new();
    for location in &locations {
        inside.extend(repo.walk(location)?);
    }
    let code = files.iter().filter(|path| is_code(path)).cloned();
    inside.extend(code);
    inside.sort();
    inside.dedup();
    for path in inside {
        let file = file_name(&path);
        let is_code = is_code(&path);
        let (start, middle, end) = if is_code {
            ("V", "__", "")
        } else {
            (prefix.as_str(), separator.as_str(), suffix.as_str())
        };
        let Some(stem) = file.strip_suffix(end) else {
            continue;
        };
        let versioned = stem.strip_prefix(start).map(|rest| (Kind::Versioned, rest));
        let named = if is_code {
            versioned.map(|(_, rest)| (Kind::Code, rest))
        } else {
            versioned.or(stem.strip_prefix('B').map(|rest| (Kind::Baseline, rest)))
        };
        let parsed = named.and_then(|(kind, rest)| {
            let (version, slug) = rest.split_once(middle).unwrap_or((rest, ""));
            Some((kind, Version::parse(version)?, slug.to_owned()))
        });
        if let Some((kind, version, slug)) = parsed {
            if let Placeholders::On { prefix, used } = &mut placeholders
                && !is_code
                && !*used
            {
                *used = repo.glance(&path).contains(prefix.as_str());
            }
            found.push(Found { version, slug, path, kind });
        } else if !is_code && looks_meant(file, start) {
            passed_over.push(path);
        }
    }
    found.sort_by(|one, other| {
        let versions = other.version.cmp(&one.version);
        versions.then(one.kind.cmp(&other.kind))
    });
    refuse_duplicates(&found, given.is_some())?;
    let folder = match given {
        Some(given) => given,
        None => next_folder(&locations, &found)?,
    };
    let slugs =
        found.iter().filter(|found| found.kind != Kind::Code).map(|found| found.slug.as_str());
    let names =
        [("Prefix", &prefix, "V"), ("Separator", &separator, "__"), ("Suffixes", &suffix, ".sql")];
    let cli = Cli::new(&pages, &folder, &locations, &names);
    Ok(Project {
        cli,
        spring,
        folder,
        rollback: PathBuf::from("db/rollback"),
        slug_style: SlugStyle::infer(slugs.take(20)),
        existing: found.into_iter().map(|found| found.version).collect(),
        passed_over,
        placeholders,
        group,
        prefix,
        separator,
        suffix,
    })
}

/// Whether a file was meant to be a migration: `v5__x.sql`, `V5_x.sql`.
fn looks_meant(file: &str, prefix: &str) -> bool {
    file.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        && file[prefix.len()..].starts_with(|next: char| next.is_ascii_digit())
}

/// `V4_0_4__Name.java`, of the sources that are shipped.
fn is_code(path: &Path) -> bool {
    let file = file_name(path);
    let stem = [".java", ".kt", ".groovy", ".scala"].iter().find_map(|end| file.strip_suffix(end));
    let named = stem.and_then(|stem| stem.strip_prefix('V')?.split_once("__"));
    named.is_some_and(|(version, _)| Version::parse(version).is_some())
        && !path.components().any(|part| part.as_os_str() == "test")
}

/// The files that show that a repository uses Flyway.
pub(super) fn signs(repo: &Repo, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut signs = config::signs(repo, files);
    let named = |path: &&PathBuf| is_migration(path) && file_name(path).contains("__");
    signs.extend(files.iter().filter(named).cloned());
    signs
}

/// `V1__init.sql` or `V1.sql`, by Flyway's own defaults.
fn is_migration(path: &Path) -> bool {
    let file = file_name(path);
    file.strip_suffix(".sql")
        .and_then(|stem| stem.strip_prefix('V')?.split("__").next())
        .is_some_and(|version| Version::parse(version).is_some())
}

/// The configured locations, else the usual ones, else the folders that hold migrations.
fn locations(repo: &Repo, configured: Vec<PathBuf>, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !configured.is_empty() {
        return Ok(configured);
    }
    let is_flyway = files.iter().any(|path| file_name(path).starts_with("flyway."));
    for (usual, is_certain) in [("src/main/resources/db/migration", true), ("sql", is_flyway)] {
        let holds_any = files.iter().any(|path| path.starts_with(usual) && is_migration(path));
        if holds_any || is_certain && repo.is_folder(usual) {
            return Ok(vec![PathBuf::from(usual)]);
        }
    }
    let mut folders: Vec<PathBuf> = files
        .iter()
        .filter(|path| is_migration(path))
        .filter_map(|path| Some(path.parent()?.to_owned()))
        .filter(|folder| !folder.ends_with("rollback"))
        .collect();
    folders.dedup();
    match folders.as_slice() {
        [_] => Ok(folders),
        [] => Err(Error::refused("no folder of Flyway migrations is found here")
            .note("looked for locations in flyway.toml, flyway.conf, Maven, Gradle and Spring files, and for files such as V1__init.sql")
            .hint("--dir FOLDER names the folder, once it exists")),
        [first, ..] => Err(several(&folders, first)),
    }
}

fn several(folders: &[PathBuf], first: &Path) -> Error {
    let names: Vec<_> = folders.iter().map(|path| name(path)).collect();
    Error::refused("several folders of Flyway migrations are found here")
        .note(names.join(", "))
        .hint(format!("--dir {}", name(first)))
}

/// The folder of the newest SQL migration, unless the location itself holds others.
fn next_folder(locations: &[PathBuf], found: &[Found]) -> Result<PathBuf> {
    let sql = || found.iter().filter(|found| found.kind != Kind::Code);
    let newest = sql().next().and_then(|newest| newest.path.parent());
    let home =
        newest.and_then(|newest| locations.iter().find(|location| newest.starts_with(location)));
    match (home, newest) {
        (Some(home), Some(newest)) => {
            let at_home = sql().any(|found| found.path.parent() == Some(home.as_path()));
            Ok(if at_home { home.clone() } else { newest.to_owned() })
        }
        _ => match locations {
            [only] => Ok(only.clone()),
            [first, ..] => Err(several(locations, first)),
            [] => Err(Error::bug("no location to write to")),
        },
    }
}

/// Refuses two migrations of one version; `folder_per_server` allows them in two folders.
fn refuse_duplicates(found: &[Found], folder_per_server: bool) -> Result<()> {
    for pair in found.windows(2) {
        let [newer, older] = pair else { continue };
        let is_baseline = |found: &Found| found.kind == Kind::Baseline;
        if newer.version != older.version || is_baseline(newer) != is_baseline(older) {
            continue;
        }
        let one_folder = newer.path.parent() == older.path.parent();
        if folder_per_server && !one_folder {
            continue;
        }
        let refused =
            Error::refused(format!("two migrations have version {}", older.version.text()))
                .note(format!("{}, {}", name(&older.path), name(&newer.path)));
        // A folder per server repeats versions on purpose.
        return Err(if one_folder || newer.kind != older.kind {
            refused
                .note("Flyway refuses to run them: it compares versions as numbers")
                .hint("give one of them another version")
        } else {
            refused.hint(format!(
                "--dir {} if each server has its own folder; else give one of them another version",
                name(older.path.parent().unwrap_or(Path::new("")))
            ))
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
