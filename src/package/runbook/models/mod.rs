//! What the application's models may say, per deploy and framework.

mod diff;
mod django;
mod leaving;
mod sqlalchemy;
mod words;

use std::path::Path;

use crate::change::{Asked, Change};
use crate::package::django::Models;
use crate::package::targets::{ModelStyle, Target};
use crate::plan::{ModelChange, Plan};

pub(in crate::package) use sqlalchemy::{constraint_arg, table_arg};

/// Paragraphs and code blocks.
pub(super) fn application(
    plan: &Plan,
    target: &dyn Target,
    folder: &Path,
    models: &Models,
) -> Vec<String> {
    let mut parts = Vec::new();
    let unknown = match target.models() {
        ModelStyle::Django => django::without_model(plan, models),
        _ => Vec::new(),
    };
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let mut changes: Vec<&ModelChange> =
            deploy.steps.iter().flat_map(|step| &step.model).collect();
        changes.retain(|change| !unknown.contains(&change.table().name.as_str()));
        if changes.is_empty() {
            continue;
        }
        let dialect = plan.server.dialect;
        let lines: Vec<String> = match target.models() {
            ModelStyle::SqlAlchemy => {
                let after = &plan.intent.after;
                let lines = diff::diff(&changes, |change| sqlalchemy::lines(after, change));
                sqlalchemy::with_imports(lines)
            }
            ModelStyle::Django => django::with_imports(diff::diff(&changes, |change| {
                django::lines(dialect, change, models)
            })),
            ModelStyle::Words => changes.into_iter().flat_map(words::lines).collect(),
        };
        if !lines.is_empty() {
            let when = if plan.deploys.len() > 1 {
                format!("With deploy {}:", at + 1)
            } else {
                "New code:".into()
            };
            parts.push(match target.models() {
                ModelStyle::Words => format!("{when}\n\n- {}", lines.join("\n- ")),
                _ => format!("{when}\n\n```diff\n{}\n```", lines.join("\n")),
            });
        }
    }
    if !unknown.is_empty() {
        let tables = unknown.join("`, `");
        parts.push(format!("No model has the table `{tables}`: there is no class to change."));
    }
    parts.extend(by_itself(plan));
    if target.models() == ModelStyle::SqlAlchemy {
        parts.extend(leaving::leaving(plan, folder));
    }
    if parts.is_empty() {
        parts.push("None is needed.".into());
    }
    parts
}

/// What a trigger does for old code, and new code must do itself.
fn by_itself(plan: &Plan) -> Vec<String> {
    if plan.deploys.len() < 2 {
        return Vec::new();
    }
    let sentence = |asked: &Asked| match &asked.change {
        Change::AddColumn(add) => {
            let fill = add.fill.as_ref()?;
            let follows = match fill.sources.as_slice() {
                [] => String::new(),
                sources => format!(", and wherever it changes {}", sources.join(" or ")),
            };
            let name = &add.column.name;
            Some(format!(
                "New code writes {name} in every INSERT{follows}: the trigger that does it for old code leaves in deploy 2."
            ))
        }
        Change::Update(update) if plan.is_late(update) => Some(format!(
            "New code gives {} in every INSERT from deploy 1 on: deploy 2 fills the rows from before.",
            update.columns()
        )),
        Change::Require(one) if one.fill.is_some() => Some(format!(
            "New code never writes NULL into {}: the trigger that mends it for old code leaves in deploy 2.",
            one.column
        )),
        _ => None,
    };
    plan.intent.asked.iter().filter_map(sentence).collect()
}
