//! Outcomes as text, for people.

use std::fmt::Write as _;

use chrono::NaiveDate;

use crate::dialect::Server;
use crate::generate::Outcome;
use crate::package::runbook::{blocks_text, count, page_name, risk};
use crate::plan::{Step, Unit};
use crate::rollout::{Rollout, Standing};

/// After files were written.
pub(super) fn written(outcome: &Outcome) -> String {
    let plan = &outcome.plan;
    let mut text = String::new();
    let later = plan.deploys.len() - outcome.deploy;
    if outcome.deploy == 1 {
        line(&mut text, "plan", &plan.title);
        let rows: Vec<String> = plan
            .policy
            .rows
            .iter()
            .map(|(table, n)| format!("{table} {} rows", count(*n)))
            .collect();
        let mut facts = plan.server.to_string();
        for row in rows {
            let _ = write!(facts, "        {row}");
        }
        line(&mut text, "server", &facts);
        line(&mut text, "schema", &outcome.schema_name);
        let risk = risk(plan);
        text.push('\n');
        line(&mut text, "risk", risk.level);
        for (name, reason) in &risk.reasons {
            let _ = writeln!(text, "  {name:<8}{reason}");
        }
        text.push('\n');
        let is_written =
            outcome.emissions[0].iter().flat_map(|e| &e.steps).any(|s| !s.files.is_empty());
        let _ = if is_written {
            writeln!(text, "deploy 1, written now")
        } else {
            writeln!(
                text,
                "deploy 1, no file: release code that no longer names what deploy 2 takes away"
            )
        };
    } else {
        let parent = outcome.emissions[outcome.deploy - 1].as_ref().and_then(|e| e.parent.clone());
        let on = parent.map(|parent| format!(", on top of {parent}")).unwrap_or_default();
        let _ = writeln!(text, "deploy {} of {}{on}", outcome.deploy, outcome.name);
    }
    let mut first = None;
    let mut notes = Vec::new();
    for (at, (deploy, emission)) in plan.deploys.iter().zip(&outcome.emissions).enumerate() {
        let Some(emission) = emission else { continue };
        if at >= outcome.deploy {
            let _ = writeln!(text, "deploy {}, written too", at + 1);
        }
        for (step, emitted) in deploy.steps.iter().zip(&emission.steps) {
            for file in emitted.files.iter().filter(|file| !is_way_back(&file.path)) {
                let _ = writeln!(
                    text,
                    "  {:<72}  {}",
                    file.path.display().to_string(),
                    unit_text(step)
                );
            }
            first = first.or_else(|| emitted.up.first().cloned());
        }
        for note in &emission.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
    if later > 0 && outcome.emissions[plan.deploys.len() - 1].is_none() {
        let wait = match &plan.keep {
            Some(keep) => {
                format!("not before {} after deploy {} is released", keep.text, outcome.deploy)
            }
            None => format!("when deploy {} is released and no old code runs", outcome.deploy),
        };
        let _ = writeln!(text, "deploy {}, {wait}: `miggen next`", outcome.deploy + 1);
        for at in outcome.deploy + 2..=plan.deploys.len() {
            let _ = writeln!(text, "deploy {at}, when deploy {} is released: the same", at - 1);
        }
    }
    text.push('\n');
    let page = match outcome.deploy {
        1 => "RUNBOOK.md".to_owned(),
        number => page_name(number),
    };
    let _ =
        writeln!(text, "also written\n  {}/{page}    read this first", outcome.folder.display());
    if outcome.deploy == 1 {
        let folders: String = ["verify", "jobs"]
            .into_iter()
            .filter(|name| {
                let folder = outcome.folder.join(name);
                outcome.new.iter().any(|file| file.path.starts_with(&folder))
            })
            .map(|name| format!(", {name}/"))
            .collect();
        let _ = writeln!(text, "  {}/rollout.toml{folders}", outcome.folder.display());
    } else {
        let _ = writeln!(text, "also changed\n  {}/rollout.toml", outcome.folder.display());
    }
    for note in notes {
        let _ = writeln!(text, "note: {note}");
    }
    let place = match outcome.deploy {
        1 => "RUNBOOK.md, \"Deploy 1\"".to_owned(),
        _ => page,
    };
    let _ = match first {
        Some(first) if plan.deploys[outcome.deploy - 1].changes_database() => {
            writeln!(text, "next: the pre-checks in {place}, then {first}")
        }
        Some(first) => writeln!(text, "next: {first}, then the release: {place}"),
        None => writeln!(text, "next: that release, then its day in rollout.toml: {place}"),
    };
    text
}

/// What would be written.
pub(super) fn dry_run(outcome: &Outcome) -> String {
    let plan = &outcome.plan;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "would write {} files; risk {}",
        outcome.new.len() + outcome.changed.len(),
        risk(plan).level
    );
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let keep = match &plan.keep {
            Some(keep) if at > 0 => format!("; {}", keep.text),
            _ => String::new(),
        };
        if at > 0 {
            let _ = writeln!(text, "--- new code rolls out{keep}");
        } else {
            text.push('\n');
        }
        let _ = writeln!(text, "deploy {}", at + 1);
        for (position, step) in deploy.steps.iter().enumerate() {
            let lock = step.strongest(&plan.server).map_or("-", |(lock, _)| lock);
            let _ = writeln!(
                text,
                "  {} {:<14} {:<8} {:<26} {}",
                position + 1,
                step.slug,
                if step.unit == Unit::Transaction { "tx" } else { "no tx" },
                lock,
                step.title
            );
        }
    }
    text.push_str("\n(--dry-run --format json: the plan and the text of every file)\n");
    text
}

pub(super) fn status(rollouts: &[Rollout], today: NaiveDate) -> String {
    let mut text = String::new();
    let width = rollouts.iter().map(|r| r.state.name.len()).max().unwrap_or(0);
    for rollout in rollouts {
        let total = rollout.state.deploys.len();
        let folder = rollout.folder.display();
        let standing = match rollout.standing(today) {
            Standing::Finished => format!("all {total} deploys written"),
            Standing::NotReleased { deploy } => {
                format!(
                    "deploy {deploy} of {total} written   waits for: `released` in {folder}/rollout.toml"
                )
            }
            Standing::Keeping { deploy, until } => {
                format!("deploy {deploy} of {total} not before {until}   waits for: that day")
            }
            Standing::Due { deploy, since } => {
                format!(
                    "deploy {deploy} of {total} due since {since}   waits for: no old code runs, then `miggen next`"
                )
            }
        };
        let _ = writeln!(text, "{:<width$}   {standing}", rollout.state.name);
    }
    if rollouts.is_empty() {
        text.push_str("no rollouts\n");
    }
    text
}

pub(super) fn facts(server: &Server) -> String {
    let mut text = format!("{}\n", server.title());
    for fact in server.facts() {
        let _ = writeln!(
            text,
            "{:<28} {:<24} blocks {:<22} {}",
            format!("{:?}", fact.action),
            fact.lock,
            blocks_text(fact.blocks),
            fact.source
        );
    }
    text
}

fn unit_text(step: &Step) -> &'static str {
    match step.unit {
        Unit::Transaction => "transaction",
        Unit::Alone => "no transaction, can be run again",
        Unit::Rebuild => "a transaction of its own, foreign keys off",
    }
}

fn is_way_back(path: &std::path::Path) -> bool {
    let text = path.display().to_string();
    text.ends_with(".down.sql") || text.ends_with(".conf") || text.contains("rollback/")
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<9} {value}");
}
