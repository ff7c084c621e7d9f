//! A folder of sqlx migrations → the versions that come next.
//!
//! Enters: `sqlx.toml`, `migrate!` in Rust sources, the folder's files. Leaves: [`Project`]. Must
//! not know: what a migration does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use toml::Table;

use super::naming::SlugStyle;
use super::{Repo, name, timestamps};
use crate::error::{Error, Result};
use crate::source::{Source, Span};

/// What the next migration needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where migrations lie, relative to the root.
    pub folder: PathBuf,
    /// Every version there is.
    pub existing: BTreeSet<i64>,
    /// Whether a migration is a pair of `.up.sql` and `.down.sql`.
    pub reversible: bool,
    /// Whether queries are checked against what `cargo sqlx prepare` has stored.
    pub prepared: bool,
    pub slug_style: SlugStyle,
    /// `sqlx` finds the folder by itself.
    pub is_default: bool,
    numbering: Numbering,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Timestamp,
    /// Numbers of at least so many digits.
    Sequential(usize),
}

impl Project {
    /// The next versions, each greater than every existing one.
    pub fn versions(&self, count: usize, created: NaiveDateTime) -> Vec<String> {
        // A negative version is one too, if nobody's idea of a start.
        let last = self.existing.last().copied().unwrap_or(0).max(0);
        match self.numbering {
            Numbering::Timestamp => timestamps(count, created, last),
            Numbering::Sequential(width) => {
                (1..).take(count).map(|step: i64| format!("{:0width$}", last + step)).collect()
            }
        }
    }

    /// `20261121093001_split_name.up.sql`, or without `.up` where migrations are simple.
    pub fn up_name(&self, version: &str, slug: &str) -> String {
        let end = if self.reversible { "up.sql" } else { "sql" };
        format!("{version}_{}.{end}", self.slug_style.apply(slug))
    }

    /// The name of the way back; `None` where migrations are simple.
    pub fn down_name(&self, version: &str, slug: &str) -> Option<String> {
        self.reversible.then(|| format!("{version}_{}.down.sql", self.slug_style.apply(slug)))
    }
}

/// Reads the migrations in `folder`, or in the only folder there is.
pub fn read(repo: &Repo, folder: Option<&Path>) -> Result<Project> {
    let settings = Settings::read(repo)?;
    let folder = match folder {
        Some(folder) => repo.folder(folder)?,
        None => find(repo, &settings)?,
    };
    let mut files: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut slugs = Vec::new();
    let mut width = 1;
    let mut last: Option<(i64, bool)> = None;
    for entry in repo.list(&folder)? {
        let Some((prefix, rest)) = entry.name.split_once('_') else {
            continue;
        };
        let Some(slug) = rest.strip_suffix(".sql").filter(|_| !entry.is_folder) else {
            continue;
        };
        let version: i64 =
            prefix.parse().map_err(|_| not_a_number(&folder, &entry.name, prefix))?;
        let pair = [".up", ".down"].iter().find_map(|end| slug.strip_suffix(end));
        if last.is_none_or(|(newest, _)| version >= newest) {
            last = Some((version, pair.is_some()));
            width = prefix.len();
        }
        slugs.push((version, pair.unwrap_or(slug).to_owned()));
        files.entry(version).or_default().push(entry.name);
    }
    refuse_duplicates(&folder, &files)?;
    slugs.sort();
    let newest = slugs.iter().rev().map(|(_, slug)| slug.as_str());
    let existing: BTreeSet<i64> = files.into_keys().collect();
    Ok(Project {
        reversible: last.map_or(settings.reversible.unwrap_or(true), |(_, pair)| pair),
        numbering: settings.numbering.unwrap_or_else(|| numbering(&existing, width)),
        slug_style: SlugStyle::infer(newest.take(20)),
        prepared: repo.is_folder(".sqlx"),
        is_default: folder
            == super::tidy(settings.folder.as_deref().unwrap_or(Path::new("migrations"))),
        existing,
        folder,
    })
}

/// Numbers or timestamps, told by the newest version.
fn numbering(existing: &BTreeSet<i64>, width: usize) -> Numbering {
    match existing.last() {
        // 14 digits are a timestamp, 12 one without seconds, 10 seconds since 1970.
        Some(last) if *last < 100_000_000 => Numbering::Sequential(width),
        _ => Numbering::Timestamp,
    }
}

fn not_a_number(folder: &Path, file: &str, prefix: &str) -> Error {
    let path = name(&folder.join(file));
    // The name itself is the source, so that the caret can stand below it.
    let source = Source::new(name(folder), file);
    Error::refused(format!("`{path}` has no number before its first `_`"))
        .at(&source, Span::new(0, prefix.len()), "not an integer")
        .note("sqlx refuses to run any migration in this folder")
        .hint("rename the file, or move it out of the folder")
}

fn refuse_duplicates(folder: &Path, files: &BTreeMap<i64, Vec<String>>) -> Result<()> {
    for (version, names) in files {
        let is_pair = match names.as_slice() {
            [_] => true,
            [down, up] => match (down.strip_suffix(".down.sql"), up.strip_suffix(".up.sql")) {
                (Some(down), Some(up)) => down == up,
                _ => false,
            },
            _ => false,
        };
        if !is_pair {
            return Err(Error::refused(format!(
                "{} has version {version} more than once",
                name(folder)
            ))
            .note(names.join(", "))
            .note("sqlx applies one of them and then fails on the other")
            .hint("rename all but one"));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Settings {
    folder: Option<PathBuf>,
    reversible: Option<bool>,
    numbering: Option<Numbering>,
}

impl Settings {
    /// Reads `sqlx.toml`.
    fn read(repo: &Repo) -> Result<Settings> {
        let Some(source) = repo.find("sqlx.toml")? else {
            return Ok(Settings::default());
        };
        let table: Table = source.text.parse().map_err(|error: toml::de::Error| {
            let span = error.span().unwrap_or_default();
            Error::refused("`sqlx.toml` is not valid TOML").at(
                &source,
                Span::new(span.start, span.end),
                error.message(),
            )
        })?;
        let migrate = table.get("migrate");
        let text = |key: &str| migrate?.get(key)?.as_str();
        let default = |key: &str| migrate?.get("defaults")?.get(key)?.as_str();
        Ok(Settings {
            folder: text("migrations-dir").map(PathBuf::from),
            reversible: match default("migration-type") {
                Some("reversible") => Some(true),
                Some("simple") => Some(false),
                _ => None,
            },
            numbering: match default("migration-versioning") {
                Some("timestamp") => Some(Numbering::Timestamp),
                Some("sequential") => Some(Numbering::Sequential(4)),
                _ => None,
            },
        })
    }
}

/// The folder of migrations: that of `sqlx.toml`, of the one `migrate!("…")`, or `migrations`.
fn find(repo: &Repo, settings: &Settings) -> Result<PathBuf> {
    if let Some(folder) = &settings.folder {
        return Ok(super::tidy(folder));
    }
    let mut named = BTreeSet::new();
    for path in repo.walk("")? {
        if path.extension().is_some_and(|end| end == "rs") {
            for folder in macro_folders(&repo.glance(&path)) {
                // The macro counts from the folder of its crate's Cargo.toml.
                let home = path
                    .ancestors()
                    .skip(1)
                    .find(|above| repo.is_file(above.join("Cargo.toml")))
                    .unwrap_or(Path::new(""));
                let folder = super::tidy(&home.join(folder));
                if repo.is_folder(&folder) {
                    named.insert(folder);
                }
            }
        }
    }
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (Some(only), None) => Ok(only),
        (None, _) if repo.is_folder("migrations") => Ok(PathBuf::from("migrations")),
        (None, _) => Err(Error::refused("no folder of sqlx migrations is found here")
            .note("looked for migrations-dir in sqlx.toml, `migrate!` in Rust files, and `migrations`")
            .hint("--dir FOLDER names the folder, once it exists")),
        (Some(first), Some(second)) => {
            let all: Vec<_> = [first, second]
                .into_iter()
                .chain(named)
                .map(|path| name(&path))
                .collect();
            Err(Error::refused("several folders of sqlx migrations are found here")
                .note(all.join(", "))
                .hint(format!("--dir {}", all[0])))
        }
    }
}

/// The folders that `migrate!` is given in a Rust source; `migrations` where it is given none.
fn macro_folders(text: &str) -> Vec<&str> {
    text.split("migrate!(")
        .skip(1)
        .filter_map(|after| {
            let after = after.trim_start();
            if after.starts_with(')') {
                return Some("migrations");
            }
            after.strip_prefix('"')?.split_once('"').map(|(path, _)| path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{created, repo};
    use super::*;

    fn folder(files: &[&str]) -> Result<Project> {
        let files: Vec<_> =
            files.iter().map(|file| (format!("migrations/{file}"), "SELECT 1;")).collect();
        let mut files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        files.push(("migrations/", ""));
        read(&repo(&files).repo, None)
    }

    fn next(files: &[&str]) -> Vec<String> {
        folder(files).unwrap().versions(2, created())
    }

    #[test]
    fn versions_go_on_as_they_began() {
        let now = ["20261121093001", "20261121093002"];
        assert_eq!(next(&[]), now);
        assert_eq!(next(&["20260105090000_x.sql"]), now);
        assert_eq!(next(&["20270105235959_x.sql"]), ["20270106000000", "20270106000001"]);
        assert_eq!(next(&["0001_x.up.sql", "0001_x.down.sql"]), ["0002", "0003"]);
        assert_eq!(next(&["1_x.sql", "9_y.sql"]), ["10", "11"]);
        assert_eq!(next(&["99999999999999_x.sql"]), ["100000000000000", "100000000000001"]);
        // A timestamp after numbers: the greatest version decides.
        assert_eq!(next(&["0001_x.sql", "20260105090000_y.sql"]), now);
    }

    #[test]
    fn the_newest_file_says_whether_there_is_a_way_back() {
        let pair = ["1_a-b.sql", "2_c-d.up.sql", "2_c-d.down.sql"];
        let project = folder(&pair).unwrap();
        assert!(project.reversible);
        assert_eq!(project.up_name("3", "split_name"), "3_split-name.up.sql");
        assert_eq!(project.down_name("3", "split_name").as_deref(), Some("3_split-name.down.sql"));
        let project = folder(&["1_x.up.sql", "1_x.down.sql", "2_y.sql"]).unwrap();
        assert_eq!(project.up_name("3", "split_name"), "3_split_name.sql");
        assert_eq!(project.down_name("3", "split_name"), None);
        assert!(folder(&[]).unwrap().reversible);
    }

    #[test]
    fn what_sqlx_ignores_is_ignored() {
        let ignored = ["README.md", "seed.sql", "notes_old.txt", "x_sub.sql/V1_x.sql"];
        assert!(folder(&ignored).unwrap().existing.is_empty());
    }

    #[test]
    fn a_version_that_is_no_number_is_refused() {
        let refused = folder(&["V1_init.sql"]).unwrap_err().render(false);
        assert!(
            refused.contains("`migrations/V1_init.sql` has no number before its first `_`"),
            "{refused}"
        );
    }

    #[test]
    fn two_migrations_of_one_version_are_refused() {
        for pair in [
            ["1_x.sql", "1_y.sql"],
            ["1_x.sql", "01_x.sql"],
            ["1_x.up.sql", "1_y.down.sql"],
            ["1_x.sql", "1_x.up.sql"],
        ] {
            let refused = folder(&pair).unwrap_err().render(false);
            assert!(refused.contains("version 1 more than once"), "{refused}");
        }
    }

    #[test]
    fn the_folder_comes_from_settings_then_from_the_macro() {
        let toml = "[migrate]\nmigrations-dir = \"db/m\"\n\
                    [migrate.defaults]\nmigration-type = \"simple\"\nmigration-versioning = \"sequential\"\n";
        let made = repo(&[("sqlx.toml", toml), ("db/m/", ""), (".sqlx/query-1.json", "")]);
        let project = read(&made.repo, None).unwrap();
        assert_eq!(project.folder, Path::new("db/m"));
        assert!(project.is_default && folder(&[]).unwrap().is_default);
        assert!(project.prepared && !project.reversible);
        assert_eq!(project.versions(1, created()), ["0001"]);

        let made = repo(&[
            ("crates/db/Cargo.toml", ""),
            ("crates/db/src/lib.rs", "sqlx::migrate!(\n  \"./schema\")\n"),
            ("crates/db/schema/1_x.sql", ""),
            ("migrations/", ""),
        ]);
        let project = read(&made.repo, None).unwrap();
        assert_eq!(project.folder, Path::new("crates/db/schema"));
        assert!(!project.is_default);

        let made = repo(&[
            ("a/Cargo.toml", ""),
            ("a/src/lib.rs", "sqlx::migrate!()"),
            ("a/migrations/1_x.sql", ""),
            ("b/Cargo.toml", ""),
            ("b/src/lib.rs", "migrate!()"),
            ("b/migrations/1_x.sql", ""),
        ]);
        let refused = read(&made.repo, None).unwrap_err().render(false);
        assert!(refused.contains("a/migrations, b/migrations"), "{refused}");
        let project = read(&made.repo, Some(Path::new("b/migrations"))).unwrap();
        assert_eq!(project.versions(1, created()), ["2"]);
        assert!(read(&made.repo, Some(Path::new("c"))).is_err());
        assert!(read(&repo(&[]).repo, None).is_err());
    }
}
