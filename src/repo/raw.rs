//! A folder of numbered SQL files → the numbers that come next.
//!
//! Enters: the names `NNN_slug.up.sql` and `NNN_slug.down.sql`. Leaves: [`Project`]. Must not
//! know: who runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::naming::SlugStyle;
use super::{Repo, name, timestamps};
use crate::error::{Error, Result};

/// What the next file needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where the files lie, relative to the root.
    pub folder: PathBuf,
    pub last: Option<u64>,
    /// How many digits a number has at least.
    pub width: usize,
    pub slug_style: SlugStyle,
}

impl Project {
    /// The next numbers, in the width of the last.
    pub fn versions(&self, count: usize, created: NaiveDateTime) -> Vec<String> {
        let width = self.width;
        let last = self.last.unwrap_or(0);
        match i64::try_from(last) {
            Ok(last) if width == 14 => timestamps(count, created, last),
            _ => (1..)
                .take(count)
                .map(|step: u64| format!("{:0width$}", last.saturating_add(step)))
                .collect(),
        }
    }

    /// `007_split_name.up.sql`
    pub fn up_name(&self, version: &str, slug: &str) -> String {
        format!("{version}_{}.up.sql", self.slug_style.apply(slug))
    }

    /// `007_split_name.down.sql`
    pub fn down_name(&self, version: &str, slug: &str) -> String {
        format!("{version}_{}.down.sql", self.slug_style.apply(slug))
    }
}

/// Reads the files in `folder`, or in the only folder there is.
pub fn read(repo: &Repo, folder: Option<&Path>) -> Result<Project> {
    let folder = match folder {
        Some(folder) => repo.folder(folder)?,
        None => find(repo)?,
    };
    let mut slugs: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    let mut width = None;
    for entry in repo.list(&folder)? {
        if entry.is_folder {
            continue;
        }
        if let Some((digits, slug)) = parse(&entry.name) {
            let number = digits.parse().map_err(|_| {
                Error::refused(format!("the number of `{}` is too large", name(&entry.path)))
                    .hint("--dir FOLDER names another folder")
            })?;
            if slugs.keys().all(|known| number >= *known) {
                width = Some(digits.len());
            }
            slugs.entry(number).or_default().insert(slug.to_owned());
        }
    }
    if let Some((number, names)) = slugs.iter().find(|(_, names)| names.len() > 1) {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        return Err(Error::refused(format!(
            "{} has number {number} more than once",
            name(&folder)
        ))
        .note(names.join(", "))
        .hint("give all but one another number"));
    }
    Ok(Project {
        folder,
        last: slugs.keys().next_back().copied(),
        width: width.unwrap_or(3),
        slug_style: SlugStyle::infer(slugs.values().rev().flatten().map(String::as_str).take(20)),
    })
}

/// The number and the slug of `NNN_slug.up.sql`, `NNN_slug.down.sql` or `NNN_slug.sql`.
fn parse(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".sql")?;
    let stem = [".up", ".down"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = stem.split_at(digits);
    let slug = rest.strip_prefix(['_', '-'])?;
    (digits > 0).then_some((number, slug))
}

/// The files that show that a repository numbers its SQL itself.
pub(super) fn signs(files: &[PathBuf]) -> Vec<PathBuf> {
    let is_sign = |path: &&PathBuf| {
        let file = super::file_name(path);
        let in_usual = path.parent() == Some(Path::new("migrations"));
        parse(file).is_some() && (in_usual || is_half(file))
    };
    files.iter().filter(is_sign).cloned().collect()
}

/// Whether a file is one way of a pair.
fn is_half(file: &str) -> bool {
    file.ends_with(".up.sql") || file.ends_with(".down.sql")
}

/// The folders that hold pairs of numbered files.
fn pairs(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let files = files.iter().filter(|path| {
        let file = super::file_name(path);
        parse(file).is_some() && is_half(file)
    });
    files.filter_map(|path| Some(path.parent()?.to_owned())).collect()
}

/// `migrations`, or the only folder that holds pairs of such files.
fn find(repo: &Repo) -> Result<PathBuf> {
    let folders = pairs(&repo.walk("")?);
    let usual = Path::new("migrations");
    if folders.contains(usual) || folders.is_empty() && repo.is_folder(usual) {
        return Ok(usual.to_owned());
    }
    let mut found = folders.iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Error::refused("no folder of numbered SQL files is found here")
            .note("looked for `migrations`, and for files such as 001_init.up.sql")
            .hint("--dir FOLDER names the folder, once it exists")),
        (Some(first), Some(_)) => {
            let names: Vec<_> = folders.iter().map(|path| name(path)).collect();
            Err(Error::refused("several folders of numbered SQL files are found here")
                .note(names.join(", "))
                .hint(format!("--dir {}", name(first))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{created, repo};
    use super::*;

    fn next(files: &[&str]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
        let project = read(&repo(&files).repo, None).unwrap();
        project.versions(2, created())
    }

    #[test]
    fn numbers_go_on_in_their_width() {
        assert_eq!(next(&["migrations/"]), ["001", "002"]);
        assert_eq!(next(&["migrations/007_x.up.sql", "migrations/007_x.down.sql"]), ["008", "009"]);
        assert_eq!(next(&["migrations/1_x.up.sql", "migrations/09_y.up.sql"]), ["10", "11"]);
        assert_eq!(next(&["migrations/999_x.up.sql"]), ["1000", "1001"]);
        assert_eq!(next(&["db/20260105090000_x.up.sql"]), ["20261121093001", "20261121093002"]);
    }

    #[test]
    fn the_folder_is_migrations_or_the_only_one() {
        let made = repo(&[("a/1_x.up.sql", ""), ("b/1_x.up.sql", "")]);
        let refused = read(&made.repo, None).unwrap_err().render(false);
        assert!(refused.contains("= a, b"), "{refused}");
        let project = read(&made.repo, Some(Path::new("b"))).unwrap();
        assert_eq!(project.up_name("2", "split_name"), "2_split_name.up.sql");
        assert_eq!(project.down_name("2", "split_name"), "2_split_name.down.sql");
        assert!(read(&repo(&[]).repo, None).is_err());
        let made = repo(&[("a/1_x.up.sql", ""), ("migrations/3_x.up.sql", "")]);
        assert_eq!(read(&made.repo, None).unwrap().last, Some(3));
    }

    #[test]
    fn two_files_of_one_number_are_refused() {
        let made = repo(&[("migrations/01_x.up.sql", ""), ("migrations/1_y.up.sql", "")]);
        let refused = read(&made.repo, None).unwrap_err().render(false);
        assert!(refused.contains("number 1 more than once"), "{refused}");
    }
}
