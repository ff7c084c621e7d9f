//! The rollouts of a repository: which one is meant, and what each waits for.

use std::path::Path;

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::rollout::{self, Rollout, Standing};

use super::args::Format;
use super::{complain, data, json, root, summary};

/// Lists rollouts; one that cannot be read keeps nobody from seeing the others.
pub(super) fn status(repo: &Repo, check: bool, format: Format, today: NaiveDate) -> Result<u8> {
    if check && !root::is_root(repo) && !repo.is_folder(rollout::FOLDER) {
        return Err(Error::refused(format!("nothing to check in {}", repo.root().display()))
            .note("there is neither a folder `rollouts` nor a miggen.toml, so this may be the wrong folder")
            .hint("`--out DIR` names the repository's root; a miggen.toml, may it be empty, marks it"));
    }
    let (mut rollouts, mut broken) = (Vec::new(), Vec::new());
    for found in rollout::list(repo)? {
        match found {
            Ok(rollout) => rollouts.push(rollout),
            Err(error) => broken.push(error),
        }
    }
    match format {
        Format::Json => data(&json::status(&rollouts, &broken, today)?),
        Format::Text if rollouts.is_empty() && !broken.is_empty() => {}
        Format::Text => data(&summary::status(&rollouts, today)),
    }
    broken.iter().for_each(complain);
    let overdue = rollouts.iter().any(|r| matches!(r.standing(today), Standing::Due { .. }));
    Ok(u8::from(check && overdue || !broken.is_empty()))
}

/// The rollout that was named, or the one that waits.
pub(super) fn find(repo: &Repo, wanted: Option<&str>, today: NaiveDate) -> Result<Rollout> {
    let mut all = Vec::new();
    for found in rollout::list(repo)? {
        all.push(found?);
    }
    let is_open = |rollout: &Rollout| rollout.standing(today) != Standing::Finished;
    let Some(wanted) = wanted else {
        all.retain(is_open);
        let none = || Error::refused("no rollout waits for a deploy");
        return one_of(all, |rollout| rollout.state.name.clone(), none);
    };
    all.retain(|rollout| is_named(repo, rollout, wanted));
    // Names come again after a while.
    if all.iter().any(is_open) {
        all.retain(is_open);
    }
    let none = || Error::refused(format!("there is no rollout `{wanted}`"));
    one_of(all, |rollout| folder_name(rollout).to_owned(), none)
}

fn one_of(
    mut found: Vec<Rollout>,
    name: impl Fn(&Rollout) -> String,
    none: impl FnOnce() -> Error,
) -> Result<Rollout> {
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(name).collect();
        return Err(Error::refused(format!("several rollouts wait: {}", names.join(", ")))
            .hint(format!("`miggen next {}`", names[0])));
    }
    found.pop().ok_or_else(|| none().hint("`miggen status` lists them"))
}

/// By its name, its folder's name, or a path to that folder.
fn is_named(repo: &Repo, rollout: &Rollout, wanted: &str) -> bool {
    let bare = wanted.trim_end_matches('/');
    if [&*rollout.state.name, &rollout.state.slug, folder_name(rollout)].contains(&bare) {
        return true;
    }
    let real = |path: &Path| path.canonicalize().ok();
    let folder = real(&repo.root().join(&rollout.folder));
    folder.is_some()
        && [Path::new(wanted), &repo.root().join(wanted)].iter().any(|path| real(path) == folder)
}

fn folder_name(rollout: &Rollout) -> &str {
    rollout.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
