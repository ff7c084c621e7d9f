//! `miggen.toml`: what would otherwise be typed each time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::source::Span;

pub(super) const FILE: &str = "miggen.toml";

#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) target: Option<String>,
    pub(super) server: Option<String>,
    pub(super) schema: Option<PathBuf>,
    pub(super) dir: Option<PathBuf>,
    pub(super) downtime: Option<String>,
    pub(super) author: Option<String>,
    pub(super) rows: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Option<String>,
    server: Option<String>,
    dir: Option<PathBuf>,
    downtime: Option<String>,
    author: Option<String>,
    schema: Option<Schema>,
    #[serde(default)]
    rows: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    path: PathBuf,
}

impl Settings {
    pub(super) fn read(repo: &Repo) -> Result<Settings> {
        let Some(source) = repo.find(FILE)? else {
            return Ok(Settings::default());
        };
        let file: File = toml::from_str(&source.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            Error::refused(format!("{FILE} cannot be read"))
                .at(&source, Span::new(span.start, span.end), error.message().to_owned())
                .hint("it may hold target, server, dir, downtime, author, [schema] path, [rows]")
        })?;
        Ok(Settings {
            target: file.target,
            server: file.server,
            schema: file.schema.map(|schema| schema.path),
            dir: file.dir,
            downtime: file.downtime,
            author: file.author,
            rows: file.rows,
        })
    }
}
