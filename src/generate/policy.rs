//! How a rollout is carried out: the words of the command line and of `rollout.toml`, as a policy.

use chrono::NaiveDate;

use crate::catalog::{self, Catalog, TableName};
use crate::error::{Error, Result};
use crate::plan::{Batches, Downtime, DualWrite, Policy};
use crate::rollout::Facts;

use super::Options;

pub(super) fn policy(facts: &Facts, not_before: Option<NaiveDate>) -> Result<Policy> {
    Ok(Policy {
        downtime: downtime(&facts.downtime)?,
        rows: facts.rows.iter().map(|(name, count)| (named(name), *count)).collect(),
        not_before,
        batches: batches(facts.backfill.as_deref())?,
        dual_write: dual_write(facts.dual_write.as_deref())?,
        archive: facts.archive,
    })
}

/// A name mistyped would leave the plan without its number: typed just now it is refused, else warned of.
pub(super) fn known_rows(options: &Options, schemas: &[&Catalog]) -> Result<Vec<String>> {
    let is_known = |table: &TableName| schemas.iter().any(|s| s.tables.contains_key(table));
    let mut warnings = Vec::new();
    for name in options.facts.rows.keys().filter(|name| !is_known(&named(name))) {
        let missing = format!("there is no table `{name}` in {}", options.schema_name);
        let names = schemas[0].tables.keys().map(|table| table.name.as_str());
        let near = catalog::names::closest(name, names);
        let meant = near.map(|near| format!("did you mean `{near}`?"));
        if options.typed_rows.contains(name) {
            let example = "`--rows users=40M`: a table of the schema, with its rows";
            return Err(Error::usage(format!("--rows: {missing}"))
                .hint(meant.unwrap_or_else(|| example.into())));
        }
        let meant = meant.map(|meant| format!("; {meant}")).unwrap_or_default();
        warnings.push(format!("[rows] in miggen.toml: {missing}{meant}"));
    }
    Ok(warnings)
}

fn named(name: &str) -> TableName {
    match name.split_once('.') {
        Some((schema, name)) => {
            TableName { schema: Some(schema.to_owned()), name: name.to_owned() }
        }
        None => TableName::new(name),
    }
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
