//! The plan of a rollout that is begun, from what its `rollout.toml` holds.

use chrono::NaiveDate;

use crate::catalog;
use crate::change;
use crate::dialect::Server;
use crate::error::{Error, Result};
use crate::plan::{self, Plan};
use crate::repo;
use crate::rollout::Rollout;
use crate::source::Source;

use super::{keep, policy};

/// With warnings; `not_before`: when what is kept may go, where that is known.
pub(super) fn plan(
    rollout: &Rollout,
    not_before: Option<NaiveDate>,
) -> Result<(Plan, Vec<String>)> {
    let state = &rollout.state;
    let server = Server::parse(&state.server)?;
    let part =
        |name: &str, text: &str| Source::new(format!("{}: {name}", rollout.source.name), text);
    let schema = part("schema.ddl", &state.schema.ddl);
    let change = part("change.sql", &state.change.sql);
    let (schema, change) =
        catalog::spelled(std::slice::from_ref(&schema), &change, server.dialect)?;
    let (catalog, warnings) = server.catalog(&schema)?;
    let mut intent = change::read(&server, &catalog, &change, repo::BOOKKEEPING)?;
    keep::settle(&mut intent, rollout.keep_days())?;
    let policy = policy::policy(&state.facts, not_before)?;
    let plan = plan::plan(server, &catalog, &intent, &policy)?;
    if plan.deploys.len() != state.deploys.len() {
        return Err(Error::refused(
            "this miggen plans the rollout differently from the one that began it",
        )
        .note(format!(
            "{} has {} deploys, now there would be {}",
            state.name,
            state.deploys.len(),
            plan.deploys.len()
        ))
        .hint("finish it with the version that began it"));
    }
    Ok((plan, warnings))
}
