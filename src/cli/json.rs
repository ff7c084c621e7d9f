//! Outcomes as JSON, for machines.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::dialect::Server;
use crate::error::{Error, Result};
use crate::generate::Outcome;
use crate::plan::{Step, Unit};
use crate::rollout::{Rollout, Standing};

/// The plan, what was written, and how it is run; with `dry_run` the text of every file.
pub(super) fn outcome(outcome: &Outcome, dry_run: bool) -> Result<String> {
    let deploys: Vec<Value> = outcome
        .plan
        .deploys
        .iter()
        .zip(&outcome.emissions)
        .enumerate()
        .map(|(at, (deploy, emission))| {
            let steps: Vec<Value> = deploy
                .steps
                .iter()
                .enumerate()
                .map(|(position, step)| {
                    let mut value = step_value(outcome, step);
                    if let Some(emitted) = emission.as_ref().and_then(|e| e.steps.get(position)) {
                        value["files"] = emitted.files.iter().map(|f| path(&f.path)).collect();
                        value["up"] = json!(emitted.up);
                        value["down"] = json!(emitted.down);
                    }
                    value
                })
                .collect();
            json!({
                "number": at + 1,
                "keep": if at == 0 { None } else { outcome.plan.keep.as_ref().map(|k| &k.text) },
                "back_as_a_whole": deploy.back_as_a_whole(),
                "steps": steps,
            })
        })
        .collect();
    let mut value = json!({
        "rollout": path(&outcome.folder),
        "title": outcome.plan.title,
        "target": outcome.target.name(),
        "server": outcome.plan.server.to_string(),
        "deploy": outcome.deploy,
        "deploys": deploys,
        "verify": outcome.verify.iter().map(|p| path(p)).collect::<Vec<_>>(),
        "written": outcome.new.iter().chain(&outcome.changed).map(|f| path(&f.path)).collect::<Vec<_>>(),
        "warnings": outcome.warnings,
    });
    if dry_run {
        value["written"] = json!([]);
        value["files"] = outcome
            .new
            .iter()
            .chain(&outcome.changed)
            .map(|file| json!({ "path": path(&file.path), "contents": file.contents }))
            .collect();
    }
    print(&value)
}

fn step_value(outcome: &Outcome, step: &Step) -> Value {
    let locks: Vec<Value> = step
        .locks(&outcome.plan.server)
        .into_iter()
        .map(|(table, mode, blocks)| json!({ "table": table.name, "mode": mode, "blocks": blocks }))
        .collect();
    json!({
        "slug": step.slug,
        "title": step.title,
        "transaction": step.unit == Unit::Transaction,
        "locks": locks,
    })
}

pub(super) fn status(rollouts: &[Rollout], broken: &[Error], today: NaiveDate) -> Result<String> {
    let values = rollouts
        .iter()
        .map(|rollout| {
            let (waits_for, deploy, date) = match rollout.standing(today) {
                Standing::Finished => ("nothing", None, None),
                Standing::NotReleased { deploy } => ("released", Some(deploy), None),
                Standing::Keeping { deploy, until } => ("date", Some(deploy), Some(until)),
                Standing::Due { deploy, since } => ("next", Some(deploy), Some(since)),
            };
            json!({
                "name": rollout.state.name,
                "folder": path(&rollout.folder),
                "waits_for": waits_for,
                "deploy": deploy,
                "date": date.map(|date| date.to_string()),
            })
        })
        .chain(broken.iter().map(error_value));
    print(&Value::Array(values.collect()))
}

/// Why nothing was done.
pub(super) fn error(error: &Error) -> Result<String> {
    print(&error_value(error))
}

fn error_value(error: &Error) -> Value {
    let mut value = json!({
        "message": error.message(),
        "notes": error.notes(),
        "hints": error.hints(),
        "exit_code": error.exit_code(),
    });
    if let Some((source, line, column)) = error.place() {
        value["place"] = json!({ "source": source, "line": line, "column": column });
    }
    json!({ "error": value })
}

pub(super) fn facts(server: &Server) -> Result<String> {
    let rows: Vec<_> = server.facts().collect();
    print(&json!({ "server": server.to_string(), "facts": rows }))
}

fn path(path: &std::path::Path) -> Value {
    Value::String(path.display().to_string())
}

fn print(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::bug(format!("JSON cannot be written: {error}")))?;
    Ok(format!("{text}\n"))
}
