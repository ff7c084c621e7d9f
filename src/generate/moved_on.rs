//! Whether the schema has moved on under a rollout: a table made anew would lose what came since.

use std::path::Path;

use crate::catalog::{self, Catalog, Table};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::op::Op;
use crate::repo::Repo;
use crate::rollout::Rollout;

/// Asks the repository's schema, where it can still be read; the files ask the database.
pub(super) fn refuse(repo: &Repo, rollout: &Rollout, plan: &Plan, deploy: usize) -> Result<()> {
    let state = &rollout.state;
    let anew: Vec<&Table> = plan.deploys[deploy - 1]
        .steps
        .iter()
        .flat_map(|step| &step.up)
        .filter_map(|op| if let Op::Rebuild(rebuild) = op { Some(&rebuild.from) } else { None })
        .collect();
    if anew.is_empty() {
        return Ok(());
    }
    let Some(now) = read(repo, &state.schema.from, plan) else { return Ok(()) };
    let mut known = plan.states();
    known.push(plan.before.clone());
    for from in anew {
        let Some(table) = now.table(&from.name) else { continue };
        if let Some(new) = unknown(table, &known) {
            let name = &from.name;
            return Err(Error::refused(format!(
                "`{name}` has got `{new}` since this rollout was planned"
            ))
            .note(format!(
                "deploy {deploy} makes the table anew, and would lose what the plan does not know"
            ))
            .hint(format!(
                "add it to the statements about `{name}` in `ddl` of {} as well, then `miggen next` again",
                rollout.source.name
            )));
        }
    }
    Ok(())
}

fn read(repo: &Repo, path: &str, plan: &Plan) -> Option<Catalog> {
    let schema = super::read_schema(repo, Path::new(path)).ok()?;
    let dialect = plan.server.dialect;
    let (schema, _) = catalog::spelled(&schema, &plan.intent.source, dialect).ok()?;
    Some(plan.server.catalog(&schema).ok()?.0)
}

/// A column or an index of the table that it has at no end of a deploy.
fn unknown<'t>(table: &'t Table, known: &[Catalog]) -> Option<&'t str> {
    let states = || known.iter().filter_map(|catalog| catalog.table(&table.name));
    let column = table.columns.iter().map(|column| column.name.as_str());
    let mut columns = column.filter(|name| states().all(|state| state.column(name).is_none()));
    let index = table.indexes.iter().map(|index| index.name.as_str());
    let mut indexes = index.filter(|name| states().all(|state| state.index(name).is_none()));
    columns.next().or_else(|| indexes.next())
}
