//! Rollouts of the same database that have deploys yet to come.

use std::path::Path;

use crate::dialect::Server;
use crate::error::{Error, Result};
use crate::plan::{self, Plan};
use crate::rollout::{self, State};

use super::{Options, again};

/// Refuses a plan that would meet what another rollout still holds on to.
pub(super) fn refuse(options: &Options, plan: &Plan, state: &State) -> Result<()> {
    for found in rollout::list(&options.repo)? {
        let begun = found?;
        let other = &begun.state;
        let written = other.deploys.iter().filter(|deploy| deploy.emitted.is_some()).count();
        if written == other.deploys.len() || !is_same_database(other, state)? {
            continue;
        }
        let (earlier, _) = again::plan(&begun, None)?;
        let Some(meeting) = plan::meeting(&earlier, written, plan) else { continue };
        let file = begun.folder.join("rollout.toml");
        return Err(Error::refused(format!(
            "the rollout {} is not finished, and works on {} too",
            other.name, meeting.what
        ))
        .at(&plan.intent.source, meeting.span, format!("meets {}", earlier.title))
        .note(format!(
            "{written} of its {} deploys are written; what it keeps for the others must stay as it is",
            other.deploys.len()
        ))
        .hint(format!(
            "finish it: `released` in {}, then `miggen next {}`",
            file.display(),
            other.name
        ))
        .hint("or give it up: run its ways back, then remove its files and its folder"));
    }
    Ok(())
}

/// Two databases of one repository have migrations in two folders, and a schema each.
fn is_same_database(one: &State, other: &State) -> Result<bool> {
    let folder = |state: &State| -> Option<String> {
        let path = &state.deploys.first()?.files.first()?.path;
        Some(Path::new(path).parent()?.display().to_string())
    };
    let apart = one.schema.from != other.schema.from && folder(one) != folder(other);
    let dialect = |state: &State| Server::parse(&state.server).map(|server| server.dialect);
    Ok(!apart && dialect(one)? == dialect(other)?)
}
