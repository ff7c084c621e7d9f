//! Files of earlier deploys, as they are now.

use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::rollout::{self, State};

/// Refuses where one is gone; warns of those that somebody has changed since.
pub(super) fn compare(repo: &Repo, state: &State) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for deploy in &state.deploys {
        for file in &deploy.files {
            let path = &file.path;
            if !repo.is_file(path) {
                return Err(Error::refused(format!("{path} is not there"))
                    .note("an earlier deploy of this rollout is that file; what follows is planned upon it")
                    .hint("bring it back from version control"));
            }
            let is_same = repo
                .read(path)
                .is_ok_and(|source| rollout::fingerprint(&source.text) == file.sha256);
            if !is_same {
                warnings.push(format!(
                    "{path} is not as miggen wrote it for deploy {}: what follows is planned upon that",
                    deploy.number
                ));
            }
        }
    }
    Ok(warnings)
}
