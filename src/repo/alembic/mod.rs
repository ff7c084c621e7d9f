//! An Alembic environment → its head, and what the next revision is called.
//!
//! Enters: settings, `env.py` and revision files. Leaves: [`Project`]. No Python is run: what is
//! not written out is refused. Must not know: what a revision does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use sha2::{Digest, Sha256};

use super::{Repo, name};
use crate::error::{Error, Result};

mod config;
mod env;
mod naming;
mod revisions;

use naming::Pattern;
use revisions::{Revision, Revisions};

/// How many of the newest files are asked for their names.
const NEWEST: usize = 10;

/// What the next revision needs to know.
#[derive(Debug, Clone)]
pub struct Project {
    /// Where the next file goes, relative to the root.
    pub versions: PathBuf,
    /// The folder of `env.py`, relative to the root.
    pub script: PathBuf,
    /// What the next revision follows.
    pub head: Option<String>,
    /// Every revision that could be read.
    pub revisions: BTreeSet<String>,
    /// Each revision runs in a transaction of its own; without it a failure undoes them all.
    pub env_per_migration: bool,
    /// Why `autocommit_block()` would fail, if it would: a refusal for a deploy that needs it.
    pub obstacle: Option<Error>,
    /// Where `alembic` is run, relative to the root.
    pub home: PathBuf,
    /// What `alembic` is given before its command: `-n core`.
    pub options: Vec<String>,
    pattern: Pattern,
    /// Revisions are numbers of so many digits, each one more than its parent.
    sequence: Option<usize>,
}

/// Reads the environment of `folder`, or the only one; `parent` says what the next revision
/// follows where the files do not.
pub fn read(repo: &Repo, folder: Option<&Path>, parent: Option<&str>) -> Result<Project> {
    let config = config::find(repo, folder)?;
    let revisions = Revisions::read(repo, &config.locations, config.recursive)?;
    let wanted = folder.map(super::tidy);
    let location = config.locations.iter().find(|location| Some(*location) == wanted.as_ref());
    let shown = location.unwrap_or(&config.locations[0]);
    let head = match parent {
        Some(parent) => Some(given(&revisions, parent)?),
        None => only_head(&revisions, shown, location)?,
    };
    // Alembic puts a revision where its parent is.
    let versions = location
        .or_else(|| {
            let path = &revisions.known.get(head.as_deref()?)?.path;
            config.locations.iter().find(|location| path.starts_with(location))
        })
        .or_else(|| (config.locations.len() == 1).then(|| &config.locations[0]))
        .ok_or_else(|| {
            let names: Vec<_> = config.locations.iter().map(|path| name(path)).collect();
            Error::refused("this Alembic environment has several folders of revisions")
                .note(names.join(", "))
                .hint("--dir FOLDER names the one to write to")
        })?
        .clone();
    let newest: Vec<_> = revisions
        .line(head.as_deref())
        .filter_map(|revision| {
            let path = revision.path.strip_prefix(&versions).ok()?;
            Some((name(&path.with_extension("")), revision.id.clone()))
        })
        .take(NEWEST)
        .collect();
    let env = env::read(repo, &config.script)?;
    Ok(Project {
        env_per_migration: env.per_migration,
        obstacle: env.obstacle,
        pattern: Pattern::new(
            &newest,
            config.file_template.as_deref(),
            config.truncate_slug_length,
        ),
        sequence: sequence(&revisions, head.as_deref()),
        revisions: revisions.known.into_keys().collect(),
        versions,
        script: config.script,
        home: config.home,
        options: config.options,
        head,
    })
}

/// The files that show that a repository uses Alembic.
pub(super) fn signs(repo: &Repo, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    config::signs(repo, files)
}

impl Project {
    /// The name of a file in [`Project::versions`], as the newest files there are named.
    ///
    /// `position` counts the files that are written together, from 0.
    pub fn file_name(
        &self,
        revision: &str,
        slug: &str,
        position: usize,
        created: NaiveDateTime,
    ) -> String {
        let stem = self.pattern.name(revision, slug, position, created);
        format!("{stem}.py")
    }

    /// The id of a revision that follows `parent`: the next number where revisions are numbers,
    /// else [`revision_id`].
    pub fn revision_id(&self, parent: Option<&str>, content: &str) -> String {
        let number = parent.and_then(|id| id.parse::<u64>().ok());
        match (self.sequence, number) {
            (Some(width), Some(number)) => format!("{:0width$}", number + 1),
            _ => revision_id(parent, content),
        }
    }
}

/// Twelve hexadecimal digits, as Alembic's own; the same for the same parent and content.
pub fn revision_id(parent: Option<&str>, content: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(parent.unwrap_or(""));
    hash.update([0]);
    hash.update(content);
    hash.finalize().iter().take(6).fold(String::new(), |mut digits, byte| {
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The parent the user named: a head, by its id or the start of one.
fn given(revisions: &Revisions, parent: &str) -> Result<String> {
    let exact = revisions.known.get(parent);
    let starts: Vec<_> = revisions
        .known
        .range(parent.to_owned()..)
        .map(|(_, revision)| revision)
        .take_while(|revision| revision.id.starts_with(parent))
        .collect();
    let revision = match (exact, starts.as_slice()) {
        (Some(revision), _) => revision,
        (None, [revision]) if !parent.is_empty() => revision,
        // A file that cannot be read may be the one that is meant.
        (None, []) if !revisions.unread.is_empty() => return Ok(parent.to_owned()),
        (None, found) => {
            let refused = if found.is_empty() {
                Error::refused(format!("there is no revision `{parent}`"))
            } else {
                Error::refused(format!("several revisions start with `{parent}`"))
            };
            return Err(refused.note(heads_note(&revisions.heads())));
        }
    };
    if let Some(child) = revisions.children(&revision.id).next() {
        return Err(Error::refused(format!("`{}` is not a head", revision.id))
            .at(&child.source, child.parents_span, "is followed by this one already")
            .note("a second revision on top of it would make two heads")
            .hint(format!("--parent {}", last(revisions, child))));
    }
    Ok(revision.id.clone())
}

/// A head above a revision.
fn last<'r>(revisions: &'r Revisions, from: &'r Revision) -> &'r str {
    let mut newest = from;
    // A cycle, which Alembic refuses too, must not be walked for ever.
    for _ in 0..revisions.known.len() {
        match revisions.children(&newest.id).next() {
            Some(child) => newest = child,
            None => break,
        }
    }
    &newest.id
}

fn heads_note(heads: &[&Revision]) -> String {
    let ids: Vec<_> = heads.iter().map(|head| head.id.as_str()).collect();
    match ids.len() {
        0 => "there are no revisions yet".to_owned(),
        1 => format!("the head is {}", ids[0]),
        _ => format!("heads: {}", ids.join(", ")),
    }
}

/// The one head there is. `location` narrows several down to those that lie in it.
fn only_head(
    revisions: &Revisions,
    shown: &Path,
    location: Option<&PathBuf>,
) -> Result<Option<String>> {
    if let Some(error) = revisions.unread.first() {
        return Err(error.clone());
    }
    for revision in revisions.known.values() {
        for parent in &revision.parents {
            if !revisions.known.contains_key(parent) {
                return Err(Error::refused(format!(
                    "`{}` follows a revision that is missing",
                    revision.id
                ))
                .at(
                    &revision.source,
                    revision.parents_span,
                    format!("no file is revision `{parent}`"),
                )
                .note("`alembic upgrade` refuses too")
                .hint("bring the missing file back, or correct `down_revision`"));
            }
        }
    }
    let mut heads = revisions.heads();
    if let Some(location) = location
        && heads.len() > 1
    {
        let there: Vec<_> =
            heads.iter().copied().filter(|head| head.path.starts_with(location)).collect();
        if !there.is_empty() {
            heads = there;
        }
    }
    match heads.as_slice() {
        [] if revisions.known.is_empty() => Ok(None),
        [] => Err(Error::refused(format!(
            "the revisions in {} follow each other in a circle",
            name(shown)
        ))
        .hint("correct a `down_revision`; the first revision's is None")),
        [head] => Ok(Some(head.id.clone())),
        [first, second, ..] => {
            let count = match heads.len() {
                2 => "two".to_owned(),
                3 => "three".to_owned(),
                more => more.to_string(),
            };
            let shared = first.parents.iter().any(|parent| second.parents.contains(parent));
            let refused = Error::refused(format!("{} has {count} heads", name(shown)));
            let refused = if shared {
                refused.at(&first.source, first.parents_span, format!("so has {}", second.file()))
            } else {
                refused.at(&first.source, first.id_span, "nothing follows this one").at(
                    &second.source,
                    second.id_span,
                    "nor this one",
                )
            };
            let ids: Vec<_> = heads.iter().map(|head| head.id.as_str()).collect();
            Err(refused
                .note(format!("heads: {}; `alembic upgrade head` refuses too", ids.join(", ")))
                .hint(format!(
                    "`alembic merge -m \"merge\" {}`, or `miggen --parent {}`",
                    ids.join(" "),
                    ids[0]
                )))
        }
    }
}

/// Whether revisions count up, and with how many digits.
fn sequence(revisions: &Revisions, head: Option<&str>) -> Option<usize> {
    let newest: Vec<_> = revisions.line(head).take(NEWEST).collect();
    let number = |revision: &Revision| -> Option<u64> {
        let is_number = revision.id.bytes().all(|digit| digit.is_ascii_digit());
        // Longer ones are dates, or a hash that happens to have no letters.
        (is_number && revision.id.len() <= 6).then(|| revision.id.parse().ok()).flatten()
    };
    let first = newest.first()?;
    number(first)?;
    for pair in newest.windows(2) {
        if number(pair[0])? != number(pair[1])? + 1 {
            return None;
        }
    }
    Some(first.id.len())
}

#[cfg(test)]
mod tests;
