//! How a rollout is carried out: the words of the command line and of `rollout.toml`, as a policy.

use chrono::NaiveDate;

use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::plan::{Batches, Downtime, DualWrite, Policy};
use crate::rollout::Facts;

pub(super) fn policy(facts: &Facts, not_before: Option<NaiveDate>) -> Result<Policy> {
    let named = |name: &str| match name.split_once('.') {
        Some((schema, name)) => {
            TableName { schema: Some(schema.to_owned()), name: name.to_owned() }
        }
        None => TableName::new(name),
    };
    Ok(Policy {
        downtime: downtime(&facts.downtime)?,
        rows: facts.rows.iter().map(|(name, count)| (named(name), *count)).collect(),
        not_before,
        batches: batches(facts.backfill.as_deref())?,
        dual_write: dual_write(facts.dual_write.as_deref())?,
        archive: facts.archive,
    })
}

fn downtime(text: &str) -> Result<Downtime> {
    match text {
        "none" => Ok(Downtime::None),
        "any" => Ok(Downtime::Any),
        _ => {
            let minutes = text.strip_suffix('m').and_then(|number| number.parse().ok());
            minutes.map(Downtime::Minutes).ok_or_else(|| {
                Error::usage(format!("`{text}` is not a downtime")).hint("`none`, `5m` or `any`")
            })
        }
    }
}

fn batches(text: Option<&str>) -> Result<Batches> {
    match text {
        None | Some("migration") => Ok(Batches::Migration),
        Some("job") => Ok(Batches::Job),
        Some(other) => Err(Error::usage(format!("`{other}` is no place for a backfill"))
            .hint("`migration` or `job`")),
    }
}

fn dual_write(text: Option<&str>) -> Result<DualWrite> {
    match text {
        None | Some("trigger") => Ok(DualWrite::Trigger),
        Some("app") => Ok(DualWrite::App),
        Some(other) => {
            Err(Error::usage(format!("`{other}` cannot write twice")).hint("`trigger` or `app`"))
        }
    }
}
