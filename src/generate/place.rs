//! Where files may go: nowhere but into the repository.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::package::File;
use crate::repo::Repo;

/// The migrations folder that was named, from the root.
pub(super) fn folder(repo: &Repo, named: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(named) = named else { return Ok(None) };
    match repo.inside(named) {
        Some(folder) => Ok(Some(folder)),
        None => Err(Error::usage(format!("{} is outside of the repository", named.display()))
            .note(format!(
                "its root is {}, and nothing is written elsewhere",
                repo.root().display()
            ))
            .hint("`--dir`, or `dir` in miggen.toml, takes a folder, relative to that root")
            .hint("`--out DIR` names another root")),
    }
}

/// Whatever the framework's settings say, and whatever links lie on the way.
pub(super) fn refuse_outside(repo: &Repo, files: &[File]) -> Result<()> {
    let Some(file) = files.iter().find(|file| repo.inside(&file.path).is_none()) else {
        return Ok(());
    };
    Err(Error::refused(format!("{} would be outside of the repository", file.path.display()))
        .note(format!("its root is {}, and nothing is written elsewhere", repo.root().display()))
        .hint("`--out DIR` names another root, one that holds both"))
}
