//! The rollouts of a repository: which one is meant, and what each waits for.

use std::path::Path;

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::rollout::{self, Rollout, Standing};

use super::args::Format;
use super::{complain, data, json, summary};

/// Lists rollouts; one that cannot be read keeps nobody from seeing the others.
pub(super) fn status(repo: &Repo, check: bool, format: Format, today: NaiveDate) -> Result<u8> {
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
    let all: Vec<Rollout> = rollout::list(repo)?.into_iter().collect::<Result<_>>()?;
    if let Some(wanted) = wanted {
        let wanted_folder = Path::new(wanted);
        return all
            .into_iter()
            .find(|r| r.state.name == wanted || r.folder == wanted_folder)
            .ok_or_else(|| {
                Error::refused(format!("there is no rollout `{wanted}`"))
                    .hint("`miggen status` lists them")
            });
    }
    let mut open: Vec<Rollout> =
        all.into_iter().filter(|r| r.standing(today) != Standing::Finished).collect();
    match open.len() {
        1 => Ok(open.remove(0)),
        0 => {
            Err(Error::refused("no rollout waits for a deploy").hint("`miggen status` lists them"))
        }
        _ => {
            let names: Vec<&str> = open.iter().map(|r| r.state.name.as_str()).collect();
            Err(Error::refused(format!("several rollouts wait: {}", names.join(", ")))
                .hint(format!("`miggen next {}`", names[0])))
        }
    }
}
