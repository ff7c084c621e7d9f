//! A rollout on disk: `rollouts/<date>-<name>/rollout.toml`, and what it waits for.
//!
//! Enters: a plan and what was emitted, or the file of an earlier run. Leaves: the file's text, or
//! the state it tells. Must not know: templates' text, the command line. A person writes one line
//! of it, `released`; everything else is miggen's, and edits keep the rest of the file as it is.

mod check;
mod excerpt;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::change::Keep;
use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::source::{Source, Span};

pub use excerpt::excerpt;
pub use write::write_all;

/// Folder of all rollouts, below the repository's root.
pub const FOLDER: &str = "rollouts";
const FILE: &str = "rollout.toml";
const HEADER: &str = "\
# Where this rollout stands. miggen reads and writes it; commit it with the migrations.
# The one line for you: `released`, when a deploy has reached production.
";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub format: u32,
    pub name: String,
    pub created: Datetime,
    pub target: String,
    pub server: String,
    /// First part of file names.
    pub slug: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of what the plan rests on: every later deploy is planned from it again.
    pub sha256: String,
    pub change: ChangeText,
    pub facts: Facts,
    pub schema: SchemaText,
    pub deploys: Vec<DeployState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeText {
    /// Name of the source.
    pub from: String,
    pub sql: String,
}

/// How the rollout is carried out, in the words of the command line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub downtime: String,
    /// `app` where the application writes both forms itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dual_write: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archive: bool,
    /// `job` where a person runs what walks through rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaText {
    pub from: String,
    /// Of the whole schema text.
    pub sha256: String,
    /// The statements about the tables of this rollout, as they were: what `next` plans against.
    pub ddl: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployState {
    pub number: usize,
    pub may_run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emitted: Option<Datetime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<Datetime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileState {
    pub path: String,
    pub sha256: String,
}

/// A rollout that was read from its folder.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// Relative to the repository's root.
    pub folder: PathBuf,
    pub state: State,
    pub source: Source,
}

/// What a rollout waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Finished,
    /// The last emitted deploy has no release day.
    NotReleased {
        deploy: usize,
    },
    /// The next deploy may be emitted from a day on.
    Keeping {
        deploy: usize,
        until: NaiveDate,
    },
    /// The next deploy is due since a day.
    Due {
        deploy: usize,
        since: NaiveDate,
    },
}

impl Rollout {
    /// `today` decides between waiting and due.
    pub fn standing(&self, today: NaiveDate) -> Standing {
        let Some(next) = self.state.deploys.iter().find(|deploy| deploy.emitted.is_none()) else {
            return Standing::Finished;
        };
        let before = self.state.deploys.iter().rfind(|deploy| deploy.number < next.number);
        let Some(released) = before.and_then(|deploy| deploy.released.as_ref()).and_then(date)
        else {
            return Standing::NotReleased { deploy: next.number.saturating_sub(1).max(1) };
        };
        let kept = Days::new(self.keep_days().unwrap_or(0).into());
        let until = released.checked_add_days(kept).unwrap_or(NaiveDate::MAX);
        if today < until {
            Standing::Keeping { deploy: next.number, until }
        } else {
            Standing::Due { deploy: next.number, since: until }
        }
    }

    /// The number of the deploy to emit now, and the day before which its contract must not run.
    pub fn ready(&self, today: NaiveDate) -> Result<(usize, NaiveDate)> {
        match self.standing(today) {
            Standing::Due { deploy, since } => Ok((deploy, since)),
            Standing::Finished => {
                Err(Error::refused(format!("all deploys of {} are written", self.state.name)))
            }
            Standing::NotReleased { deploy } => {
                let span = self.find_emitted(deploy);
                Err(Error::refused(format!("deploy {deploy} of {} has no release day", self.state.name))
                    .at(&self.source, span, "`released` is missing")
                    .note("what the next deploy drops is kept for code that still runs, and only you know when this one reached production")
                    .hint("add the line `released = YYYY-MM-DD` here"))
            }
            Standing::Keeping { until, .. } => {
                let left = (until - today).num_days();
                let keep = self.state.facts.keep.as_deref().unwrap_or("0 days");
                let at = self.source.text.find("\nkeep = ").map_or(0, |at| at + 1);
                let length = self.source.text[at..].lines().next().map_or(0, str::len);
                Err(Error::refused(format!("too early: {} keeps the old form until {until}", self.state.name))
                    .at(&self.source, Span::new(at, at + length), format!("{keep} from the release: {left} days to go"))
                    .hint("`miggen status --check` fails in CI once it is overdue, so it can be forgotten until then"))
            }
        }
    }

    /// Days that what the last deploy drops stays at least.
    pub fn keep_days(&self) -> Option<u32> {
        self.state
            .facts
            .keep
            .as_deref()
            .and_then(|keep| keep.split_whitespace().next())
            .and_then(Keep::days)
    }

    /// The `emitted` line of a deploy.
    fn find_emitted(&self, deploy: usize) -> Span {
        let text = &self.source.text;
        let start = text.find(&format!("number = {deploy}")).unwrap_or(0);
        let at = text[start..].find("emitted").map_or(start, |at| start + at);
        Span::new(at, at + text[at..].lines().next().map_or(0, str::len))
    }

    /// The file's text after a deploy was emitted; everything else stays as it is.
    pub fn emitted(
        &self,
        deploy: usize,
        today: NaiveDate,
        parent: Option<&str>,
        files: &[FileState],
    ) -> Result<String> {
        let broken =
            |what: &str| Error::refused(format!("{} cannot be edited: {what}", self.source.name));
        let mut document: toml_edit::DocumentMut = self
            .source
            .text
            .parse()
            .map_err(|error: toml_edit::TomlError| broken(error.message()))?;
        let deploys = document
            .get_mut("deploys")
            .and_then(toml_edit::Item::as_array_of_tables_mut)
            .ok_or_else(|| broken("no [[deploys]]"))?;
        let table = deploys
            .iter_mut()
            .find(|table| {
                table.get("number").and_then(toml_edit::Item::as_integer)
                    == i64::try_from(deploy).ok()
            })
            .ok_or_else(|| broken("no such deploy"))?;
        table.insert("emitted", toml_edit::value(edit_date(today)));
        if let Some(parent) = parent {
            table.insert("parent", toml_edit::value(parent));
        }
        let mut list = toml_edit::ArrayOfTables::new();
        for file in files {
            let mut entry = toml_edit::Table::new();
            entry.insert("path", toml_edit::value(file.path.as_str()));
            entry.insert("sha256", toml_edit::value(file.sha256.as_str()));
            list.push(entry);
        }
        table.insert("files", toml_edit::Item::ArrayOfTables(list));
        Ok(document.to_string())
    }
}

impl State {
    /// The fingerprint of what the plan rests on; how long something is kept may change, and what the
    /// schema has got since may be said beside it.
    pub fn basis(&self) -> String {
        let facts = &self.facts;
        let rows: Vec<String> =
            facts.rows.iter().map(|(table, n)| format!("{table}={n}")).collect();
        let parts = [
            &*self.created.to_string(),
            &self.target,
            &self.server,
            &self.slug,
            self.folder.as_deref().unwrap_or_default(),
            &self.change.sql,
            &facts.downtime,
            facts.dual_write.as_deref().unwrap_or_default(),
            if facts.archive { "archive" } else { "" },
            facts.backfill.as_deref().unwrap_or_default(),
            &rows.join(","),
        ];
        fingerprint(&parts.join("\0"))
    }

    /// The file's text, for a new rollout.
    pub fn text(&self) -> Result<String> {
        let body = toml::to_string(self)
            .map_err(|error| Error::bug(format!("rollout.toml cannot be written: {error}")))?;
        Ok(format!("{HEADER}{body}"))
    }
}

/// All rollouts of a repository, by folder name; what is wrong with one is said in its place.
pub fn list(repo: &Repo) -> Result<Vec<Result<Rollout>>> {
    let mut found = Vec::new();
    if !repo.is_folder(FOLDER) {
        return Ok(found);
    }
    for entry in repo.list(FOLDER)? {
        if entry.is_folder && repo.is_file(entry.path.join(FILE)) {
            found.push(read(repo, &entry.path));
        }
    }
    Ok(found)
}

/// Whether there is any.
pub fn is_begun(repo: &Repo) -> bool {
    let folders = repo.list(FOLDER).unwrap_or_default();
    folders.iter().any(|entry| repo.is_file(entry.path.join(FILE)))
}

/// Reads one rollout; `folder` is relative to the root.
fn read(repo: &Repo, folder: &Path) -> Result<Rollout> {
    let source = repo.read(folder.join(FILE))?;
    let state: State = toml::from_str(&source.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Error::refused(format!("{} is not as miggen writes it", source.name))
            .at(&source, Span::new(span.start, span.end), error.message().to_owned())
            .hint(format!(
                "`git checkout {}` brings it back; of its lines only `released` is for people",
                source.name
            ))
    })?;
    if state.format != 1 {
        return Err(Error::refused(format!(
            "{} has format {}; this miggen knows format 1",
            source.name, state.format
        ))
        .hint("the miggen that wrote it, or a later one, can read it"));
    }
    let rollout = Rollout { folder: folder.to_path_buf(), state, source };
    check::check(repo, &rollout)?;
    Ok(rollout)
}

/// A day as TOML has it.
pub fn day(date: NaiveDate) -> Datetime {
    date.to_string().parse().unwrap_or_else(|_| unreachable!("a date prints as TOML reads it"))
}

fn date(datetime: &Datetime) -> Option<NaiveDate> {
    let date = datetime.date?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}

fn edit_date(date: NaiveDate) -> toml_edit::Datetime {
    toml_edit::Datetime {
        date: Some(toml_edit::Date {
            year: u16::try_from(date.year()).unwrap_or(1970),
            month: u8::try_from(date.month()).unwrap_or(1),
            day: u8::try_from(date.day()).unwrap_or(1),
        }),
        time: None,
        offset: None,
    }
}

/// The first 16 hexadecimal digits of a text's SHA-256, whatever its lines end with.
pub fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write as _;
    let text = text.replace("\r\n", "\n");
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
