//! Where the repository's root is.

use std::path::Path;

use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::rollout;

use super::{settings, talk};

/// The folder that is named; else the nearest one upwards that holds settings or rollouts, as far as
/// the repository goes; else the current folder.
pub(super) fn find(named: Option<&Path>) -> Result<Repo> {
    if let Some(named) = named {
        if !named.is_dir() {
            return Err(Error::refused(format!("there is no folder {}", named.display()))
                .hint("`--out` names the root of an existing repository"));
        }
        return Ok(Repo::new(named));
    }
    let current = std::env::current_dir()
        .map_err(|error| Error::refused(format!("the current folder cannot be read: {error}")))?;
    let root = upwards(&current).unwrap_or(&current);
    if root != current {
        talk(&format!("note: the repository's root is {}; paths are from there\n", root.display()));
    }
    Ok(Repo::new(root))
}

/// Whether miggen was set up or used in it.
pub(super) fn is_root(repo: &Repo) -> bool {
    repo.is_file(settings::FILE) || rollout::is_begun(repo)
}

fn upwards(current: &Path) -> Option<&Path> {
    for folder in current.ancestors() {
        if is_root(&Repo::new(folder)) {
            return Some(folder);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    None
}
