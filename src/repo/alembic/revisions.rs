//! Revision files → revisions and what each follows.
//!
//! Enters: `.py` files. Leaves: [`Revision`]s, and the files that would have to be run to know.
//! Must not know: settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::python::{Literal, Module};
use super::super::{Repo, file_name};
use crate::error::{Error, Result};
use crate::source::{Source, Span};

/// One revision file.
#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub id: String,
    /// Where the id stands.
    pub id_span: Span,
    /// What it follows; several for a merge.
    pub parents: Vec<String>,
    /// Where they stand.
    pub parents_span: Span,
    pub source: Source,
    pub path: PathBuf,
}

impl Revision {
    pub(super) fn file(&self) -> &str {
        file_name(&self.path)
    }
}

/// What lies in the folders of revisions.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// By id.
    pub known: BTreeMap<String, Revision>,
    /// The refusals of files that cannot be read without running them.
    pub unread: Vec<Error>,
}

impl Revisions {
    pub(super) fn read(repo: &Repo, locations: &[PathBuf], recursive: bool) -> Result<Revisions> {
        let mut revisions = Revisions::default();
        let mut files = Vec::new();
        for location in locations {
            for path in candidates(repo, location, recursive)? {
                // Locations may overlap, by their names or by links.
                let real = repo.root().join(&path).canonicalize();
                let real = real.unwrap_or_else(|_| path.clone());
                if files.contains(&real) {
                    continue;
                }
                files.push(real);
                match read(repo, &path) {
                    Ok(revision) => revisions.add(revision)?,
                    Err(error) => revisions.unread.push(error),
                }
            }
        }
        Ok(revisions)
    }

    fn add(&mut self, revision: Revision) -> Result<()> {
        if let Some(other) = self.known.get(&revision.id) {
            return Err(Error::refused(format!("two files are revision `{}`", revision.id))
                .at(&revision.source, revision.id_span, "the second")
                .at(&other.source, other.id_span, "the first")
                .hint(format!("give `{}` another `revision`", revision.source.name)));
        }
        self.known.insert(revision.id.clone(), revision);
        Ok(())
    }

    /// What follows a revision.
    pub(super) fn children<'s>(&'s self, id: &'s str) -> impl Iterator<Item = &'s Revision> {
        self.known
            .values()
            .filter(move |revision| revision.parents.iter().any(|parent| parent == id))
    }

    /// The revisions that nothing follows.
    pub(super) fn heads(&self) -> Vec<&Revision> {
        self.known
            .values()
            .filter(|revision| self.children(&revision.id).next().is_none())
            .collect()
    }

    /// A revision and what it follows, newest first, one line of descent.
    pub(super) fn line(&self, head: Option<&str>) -> impl Iterator<Item = &Revision> {
        let mut next = head.and_then(|id| self.known.get(id));
        std::iter::from_fn(move || {
            let revision = next?;
            let parent = revision.parents.first();
            next = parent.and_then(|id| self.known.get(id));
            Some(revision)
        })
    }
}

/// The files Alembic takes for revisions.
fn candidates(repo: &Repo, location: &Path, recursive: bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![location.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in repo.list(&folder)? {
            if entry.is_folder {
                if recursive && entry.name != "__pycache__" {
                    folders.push(entry.path);
                }
            } else if Path::new(&entry.name).extension().is_some_and(|end| end == "py")
                && !entry.name.starts_with("__init__")
                && !entry.name.starts_with(".#")
            {
                files.push(entry.path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(repo: &Repo, path: &Path) -> Result<Revision> {
    let module = Module::parse(repo.read(path)?)?;
    let (id, id_span) = value(&module, "revision")?;
    let Literal::Text(id) = id else {
        return Err(not_literal(&module, "revision", id_span));
    };
    let (parents, parents_span) = value(&module, "down_revision")?;
    let parents = match parents {
        Literal::None => Vec::new(),
        Literal::Text(parent) => vec![parent],
        Literal::Sequence(parents) => parents
            .into_iter()
            .map(|parent| match parent {
                Literal::Text(parent) => Ok(parent),
                _ => Err(not_literal(&module, "down_revision", parents_span)),
            })
            .collect::<Result<_>>()?,
        _ => return Err(not_literal(&module, "down_revision", parents_span)),
    };
    Ok(Revision {
        id,
        id_span,
        parents,
        parents_span,
        source: module.source().clone(),
        path: path.to_owned(),
    })
}

fn value(module: &Module, name: &str) -> Result<(Literal, Span)> {
    let Some(binding) = module.binding(name) else {
        return Err(Error::refused(format!("`{}` has no `{name}`", module.source().name))
            .note("Alembic takes every .py file in this folder for a revision")
            .hint("move the file elsewhere, or --parent REVISION"));
    };
    let Some(node) = binding.value else {
        return Err(not_literal(module, name, module.span(binding.name)));
    };
    match module.literal(node) {
        Some(literal) => Ok((literal, module.span(node))),
        None => Err(not_literal(module, name, module.span(node))),
    }
}

fn not_literal(module: &Module, name: &str, span: Span) -> Error {
    Error::refused(format!("`{name}` is not written out"))
        .at(module.source(), span, "known only when this file is run; miggen runs nothing")
        .hint("--parent REVISION says what the new files follow")
}
