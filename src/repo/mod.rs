//! The user's repository → what a framework's next migration needs to know.
//!
//! Enters: files below a root. Leaves: per framework a `Project`: where migrations lie, what the
//! next one follows, what it is called. Nothing is run and nothing is written, and what cannot be
//! read for certain is refused with its place. Must not know: plans, templates.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta};

use crate::error::{Error, Result};
use crate::source::{Source, Span};

pub mod alembic;
mod detect;
pub mod django;
pub mod flyway;
pub mod naming;
pub mod python;
pub mod raw;
mod schema;
mod server;
mod settings;
pub mod sqlx;
#[cfg(test)]
mod testing;

pub use detect::{Framework, detect};
pub use schema::schema;
pub use server::{Servers, servers};

/// Tables in which frameworks keep what was run: each writes its own, and no change is about them.
pub const BOOKKEEPING: &[&str] =
    &["alembic_version", "django_migrations", "flyway_schema_history", "_sqlx_migrations"];

/// Folders that hold others' code.
const FOREIGN: &[&str] = &["__pycache__", "node_modules", "site-packages"];

/// Folders that hold copies of our own code, unless they are packages of Python themselves.
const COPIES: &[&str] = &["build", "dist", "target", "vendor"];

/// How far below the root a walk looks; Java's packages lie deep.
const DEPTH: usize = 14;

/// A user's repository: everything below one folder.
#[derive(Debug, Clone)]
pub struct Repo {
    root: PathBuf,
}

/// What a folder holds under one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: String,
    /// Relative to the root.
    pub path: PathBuf,
    pub is_folder: bool,
}

impl Repo {
    pub fn new(root: impl Into<PathBuf>) -> Repo {
        Repo { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn is_file(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).is_file()
    }

    pub fn is_folder(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).is_dir()
    }

    /// The path from the root; `None` where it, or a link in it, leads out of the repository. What it
    /// names need not exist.
    pub fn inside(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        let root = self.root.canonicalize().ok()?;
        let whole = tidy(&root.join(path));
        let existing = whole.ancestors().find(|folder| folder.exists())?;
        let real = existing.canonicalize().ok()?;
        let inside = real.strip_prefix(&root).ok()?;
        let missing = whole.strip_prefix(existing).ok()?;
        // As it was written, where that is from the root as well.
        Some(whole.strip_prefix(&root).map_or_else(|_| inside.join(missing), Path::to_path_buf))
    }

    /// Reads a file, without a byte order mark.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Source> {
        let path = path.as_ref();
        self.find(path)?.ok_or_else(|| Error::refused(format!("there is no file `{}`", name(path))))
    }

    /// Reads a file that may be missing.
    pub fn find(&self, path: impl AsRef<Path>) -> Result<Option<Source>> {
        let path = path.as_ref();
        let bytes = match fs::read(self.root.join(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::refused(format!("cannot read `{}`: {error}", name(path))));
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                Ok(Some(Source::new(name(path), text)))
            }
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let source = Source::new(name(path), text);
                let span = Span::new(start, start + char::REPLACEMENT_CHARACTER.len_utf8());
                Err(Error::refused(format!("`{}` is not UTF-8", source.name))
                    .at(&source, span, "no character in UTF-8")
                    .hint("save the file as UTF-8"))
            }
        }
    }

    /// Lists a folder in the order of names; a folder that does not exist is empty.
    ///
    /// Names that are not UTF-8 are left out: no framework can refer to them.
    pub fn list(&self, folder: impl AsRef<Path>) -> Result<Vec<Entry>> {
        let folder = folder.as_ref();
        let refuse = |error: std::io::Error| {
            Error::refused(format!("cannot list `{}`: {error}", name(folder)))
        };
        let found = match fs::read_dir(self.root.join(folder)) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(refuse(error)),
        };
        let mut entries = Vec::new();
        for entry in found {
            let Ok(name) = entry.map_err(refuse)?.file_name().into_string() else {
                continue;
            };
            let path = tidy(&folder.join(&name));
            // Asked of the path, not of the entry, so that a link counts as what it points to.
            let is_folder = self.is_folder(&path);
            entries.push(Entry { name, path, is_folder });
        }
        entries.sort();
        Ok(entries)
    }

    /// The text of a file that is searched for a word: what is not UTF-8 is replaced, and a file
    /// that cannot be read holds no words.
    fn glance(&self, path: impl AsRef<Path>) -> String {
        let bytes = fs::read(self.root.join(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every file below a folder, folder by folder, without hidden folders and foreign code.
    ///
    /// Folders below it that may not be read are left out: a database's own files may lie among
    /// ours.
    pub fn walk(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        self.list(folder)?;
        let mut files = Vec::new();
        self.walk_into(folder, DEPTH, &mut BTreeSet::new(), &mut files);
        Ok(files)
    }

    fn walk_into(
        &self,
        folder: &Path,
        depth: usize,
        seen: &mut BTreeSet<PathBuf>,
        files: &mut Vec<PathBuf>,
    ) {
        // A folder reached twice, through links, is one folder; and links may go round.
        if let Ok(real) = self.root.join(folder).canonicalize()
            && !seen.insert(real)
        {
            return;
        }
        let entries = self.list(folder).unwrap_or_default();
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        if has("pyvenv.cfg") || COPIES.contains(&file_name(folder)) && !has("__init__.py") {
            return;
        }
        for entry in entries.iter().filter(|entry| !entry.is_folder) {
            files.push(entry.path.clone());
        }
        for entry in entries.iter().filter(|entry| entry.is_folder) {
            if depth > 0 && !entry.name.starts_with('.') && !FOREIGN.contains(&&*entry.name) {
                self.walk_into(&entry.path, depth - 1, seen, files);
            }
        }
    }

    /// A folder given by the user; it must exist.
    fn folder(&self, folder: &Path) -> Result<PathBuf> {
        if self.is_folder(folder) {
            Ok(tidy(folder))
        } else {
            Err(Error::refused(format!("there is no folder `{}`", name(folder)))
                .hint("--dir takes a folder, relative to the repository's root"))
        }
    }
}

/// A path without `.` and, where something precedes it, `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(parts.components().next_back(), Some(Component::Normal(_))) =>
            {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// How a path is written in messages and files: with slashes on every system.
pub fn name(path: &Path) -> String {
    let parts: Vec<_> = tidy(path)
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let joined = parts.join("/");
    if joined.is_empty() { ".".to_owned() } else { joined.replace("//", "/") }
}

/// Timestamps of a second each, from `created` on, all greater than `last`.
fn timestamps(count: usize, created: NaiveDateTime, last: i64) -> Vec<String> {
    const FORM: &str = "%Y%m%d%H%M%S";
    let newest = NaiveDateTime::parse_from_str(&last.to_string(), FORM);
    let first = match newest {
        // Somebody's clock was ahead, or two developers met in one second.
        Ok(newest) if newest >= created => newest + TimeDelta::seconds(1),
        _ => created,
    };
    let number = |at: NaiveDateTime| at.format(FORM).to_string();
    if number(first).parse().is_ok_and(|number: i64| number > last) {
        (0..).take(count).map(|step| number(first + TimeDelta::seconds(step))).collect()
    } else {
        // The last one is no date, and greater than any: only counting on is left.
        (1..).take(count).map(|step| (last + step).to_string()).collect()
    }
}

/// The last part of a path.
fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::testing::repo;

    #[test]
    fn a_walk_leaves_out_what_is_not_ours() {
        let made = repo(&[
            ("a.txt", ""),
            (".git/config", ""),
            ("node_modules/x.js", ""),
            ("env/pyvenv.cfg", ""),
            ("env/lib/x.py", ""),
            ("target/classes/V1__x.sql", ""),
            ("vendor/lib.sql", ""),
            // An app may be called so.
            ("shop/vendor/__init__.py", ""),
        ]);
        let names: Vec<_> =
            made.repo.walk("").unwrap().iter().map(|path| super::name(path)).collect();
        assert_eq!(names, ["a.txt", "shop/vendor/__init__.py"]);
    }

    #[test]
    fn what_leads_out_of_the_repository_is_not_inside() {
        let made = repo(&[("db/migrations/1.sql", "")]);
        let inside = |path: &str| made.repo.inside(path).map(|path| super::name(&path));
        let root = made.repo.root().display().to_string();
        assert_eq!(inside("db/new/x.sql").as_deref(), Some("db/new/x.sql"));
        assert_eq!(inside("./db/../db/").as_deref(), Some("db"));
        assert_eq!(inside(&format!("{root}/db")).as_deref(), Some("db"));
        for outside in ["..", "../x", "db/../../x", "/", "/tmp/x", &format!("{root}x")] {
            assert_eq!(inside(outside), None, "{outside}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_where_it_leads() {
        let made = repo(&[("db/migrations/1.sql", "")]);
        let other = repo(&[("x/1.sql", "")]);
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, made.repo.root().join(name)).unwrap();
        };
        link(&made.repo.root().join("db"), "within");
        link(other.repo.root(), "out");
        let inside = |path: &str| made.repo.inside(path).map(|path| super::name(&path));
        assert_eq!(inside("within/migrations").as_deref(), Some("within/migrations"));
        assert_eq!(inside("out"), None);
        assert_eq!(inside("out/x/2.sql"), None);
    }

    #[test]
    fn paths_are_tidy() {
        for (path, expected) in
            [("", "."), ("./a/./b/", "a/b"), ("a/../b", "b"), ("../a", "../a"), ("/x", "/x")]
        {
            assert_eq!(super::name(path.as_ref()), expected);
        }
    }
}
