//! Sentences: who may run, who writes what, what to do when it says no, how to go back.

use crate::dialect::{Dialect, Work};
use crate::package::targets::PSQL_PAUSE;
use crate::package::{Emission, Target};
use crate::plan::op::{Computed, Derived, Op, SyncKind};
use crate::plan::small;
use crate::plan::{Deploy, Plan, Unit};

/// What the downs of a deploy lose.
fn losses(deploy: &Deploy) -> Vec<&str> {
    let notes = deploy.steps.iter().filter_map(|step| step.down.note.as_deref());
    let losses = notes.filter_map(|note| note.strip_prefix("Loses "));
    losses.filter(|what| !what.starts_with("nothing")).collect()
}

/// `deploy`, `database`, `application`, `way back`.
pub(super) fn overview(plan: &Plan) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let titles: Vec<&str> = deploy.steps.iter().map(|step| step.title.as_str()).collect();
        let stops = at == 0 && plan.stops_old_code();
        let application = super::releases::application(plan, at);
        let losses = losses(deploy).join(" ");
        let only = deploy
            .steps
            .iter()
            .find_map(|step| step.down.note.as_deref()?.strip_prefix("Only while "));
        let no_return = deploy.steps.iter().any(|step| step.down.loses);
        let back = if no_return && deploy.steps.iter().all(|s| s.down.ops.is_empty()) {
            "**none: the old values are not kept**".into()
        } else if no_return {
            "**point of no return: values are lost**".into()
        } else if !losses.is_empty() {
            format!("**open, but loses** {losses}")
        } else if let Some(condition) = only {
            format!("open, only while {}", condition.trim_end_matches('.'))
        } else if stops {
            "open, with the application stopped: nothing lost".into()
        } else if at == 0 && plan.deploys.len() > 1 {
            "open: new code → old code at any time, nothing lost".into()
        } else {
            "open: nothing lost".into()
        };
        rows.push([format!("**Deploy {}**", at + 1), titles.join("; "), application.into(), back]);
    }
    rows
}

/// While a trigger is on: who writes, and what happens.
pub(super) fn who_writes(plan: &Plan) -> Vec<[String; 2]> {
    let mut rows: Vec<[String; 2]> = super::releases::table(plan);
    let mut row = |who: String, what: String| rows.push([who, what]);
    let syncs = plan
        .deploys
        .iter()
        .flat_map(|deploy| &deploy.steps)
        .take(plan.deploys[0].steps.len())
        .flat_map(|s| &s.up);
    for op in syncs {
        let Op::CreateSync(sync) = op else { continue };
        match &sync.kind {
            SyncKind::Mirror { old, new, old_default, .. } => {
                row(format!("old code writes {old}"), format!("{new} follows"));
                row(format!("new code writes {new}"), format!("{old} follows"));
                if *old_default {
                    row(
                        "an INSERT names neither".into(),
                        format!(
                            "both get the default of {old}; {new} has none of its own, for then a default could not be told from a value"
                        ),
                    );
                }
                row("a row not filled yet is touched".into(), "it is filled".into());
            }
            SyncKind::Replace { forward, backward } => {
                let names = |all: &[Computed]| {
                    all.iter().map(|one| one.column.as_str()).collect::<Vec<_>>().join(" and ")
                };
                let (olds, news) = (names(backward), names(forward));
                row(format!("old code writes {olds}"), format!("{news} are computed from it"));
                row(format!("new code writes {news}"), format!("{olds} is computed from them"));
                row("a row not filled yet is touched".into(), "it is filled".into());
            }
            SyncKind::Follow { column, .. } => {
                row("any code writes".into(), format!("{column} follows"));
            }
            SyncKind::Fill { column, expr, .. } => {
                row(
                    format!("an INSERT or UPDATE that leaves {column} NULL"),
                    format!("it gets `{}`", expr.0),
                );
            }
            SyncKind::Derive(columns) => {
                for Derived { column, expr, sources, .. } in columns {
                    row(format!("an INSERT without {column}"), format!("it gets `{}`", expr.0));
                    if !sources.is_empty() {
                        row(
                            format!("an UPDATE of {} alone", sources.join(" or ")),
                            format!("{column} follows"),
                        );
                    }
                    row(format!("new code writes {column}"), "it stays as written".into());
                }
            }
        }
    }
    rows
}

pub(super) fn stop(plan: &Plan, deploy: &Deploy, target: &dyn Target) -> String {
    let batches = deploy.steps.iter().any(|step| step.unit == Unit::Alone);
    if plan.server.dialect == Dialect::Sqlite {
        return "Stop (Ctrl-C) when writers time out, or disk runs short. What was not committed is undone by itself; \
                run the same command again."
            .into();
    }
    if batches {
        let how = match target.name() {
            // Seen on both: a minute later the server was at it still.
            "flyway" | "sqlx" => {
                "`SELECT pg_terminate_backend(pid)`; Ctrl-C ends the program, and not what it began on the server"
            }
            _ => "Ctrl-C, or `SELECT pg_terminate_backend(pid)`",
        };
        format!(
            "Stop ({how}) when replicas lag more than you can bear, disk falls below a tenth, or p99 of the application doubles. \
             Stopping loses nothing: the same command goes on where it was."
        )
    } else {
        "Stop (Ctrl-C) when p99 of the application doubles. A transaction that is cut off changes nothing; run the same \
         command again."
            .into()
    }
}

/// `it says`, `do`.
pub(super) fn troubles(plan: &Plan, deploy: &Deploy, target: &dyn Target) -> Vec<[String; 2]> {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |says: &str, act: String| {
        let entry = [says.to_owned(), act];
        if !rows.contains(&entry) {
            rows.push(entry);
        }
    };
    for op in deploy.steps.iter().flat_map(|step| &step.up) {
        if let Some((walk, table)) = op.walk()
            && walk.is_batched()
        {
            row(
                &format!("`rows of {} stayed locked: …`", table.name),
                "find the blocker, run the step again".into(),
            );
            // A job is run by psql.
            let pause = if matches!(op, Op::Job { .. }) { PSQL_PAUSE } else { target.pause() };
            row(
                "replicas lag while rows are written",
                format!("stop it; run it with {pause}: seconds after each batch"),
            );
        }
        match op {
            Op::Lock { tables, .. } => row(
                &format!("`{} was busy for 30 tries: …`", tables[0].name),
                "that step changed nothing. End the blocker or wait for it, run the step again"
                    .into(),
            ),
            Op::CreateIndex { index, online: true, .. } => row(
                &format!("the build of {} died, whatever the reason", index.name),
                "run the step again: it drops the invalid index first".into(),
            ),
            Op::Guard(conditions) => {
                for condition in conditions {
                    match condition {
                        crate::plan::condition::Condition::ColumnIs { table, column, .. } => row(
                            &format!("`{}.{column} is not …: plan this change again`", table.name),
                            "the schema moved since this was planned: plan again with miggen".into(),
                        ),
                        crate::plan::condition::Condition::NoRows {
                            reason: crate::plan::condition::Reason::OutOfStep, ..
                        } => row(
                            "`rows of … are out of step`",
                            "something wrote with the trigger off. Write the column that is right onto itself for those rows, ask again".into(),
                        ),
                        crate::plan::condition::Condition::NoDuplicates { table, .. } => row(
                            &format!("`values of {} stand in several rows`", table.name),
                            "make them unique first; nothing was changed".into(),
                        ),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if let Some([says, act]) = target.after_failure(deploy) {
        row(says, act.into());
    }
    if plan.server.dialect == Dialect::Sqlite {
        row("`database is locked`", "another writer holds it: run the command again".into());
        row(
            "`CHECK constraint failed: …`",
            "a guard of the file: its name says what does not hold. Nothing was changed".into(),
        );
    }
    rows
}

/// `emitted`: its commands are printed below.
pub(super) fn way_back(plan: &Plan, number: usize, emitted: bool) -> Vec<String> {
    let deploy = &plan.deploys[number - 1];
    let mut lines = Vec::new();
    let back = deploy.steps.iter().any(|step| !step.down.ops.is_empty());
    if !back && deploy.steps.iter().any(|step| step.down.loses) {
        lines.push("There is none: the old values are not kept. Take a backup of the table, or copy the columns aside, if they may be needed.".into());
    } else if number == 1 && plan.stops_old_code() {
        lines.push("Stop the new code, run the downs, start the old code:".into());
    } else if number == 1 {
        lines.push("New code → old code: roll the application back, nothing else.".into());
        if back {
            lines.push("The database too, only when no new code runs, beginning with the last file that ran:".into());
        }
    } else {
        let page = super::page_name(number);
        let named = if emitted { String::new() } else { format!("; `{page}` names them") };
        lines.push(format!(
            "Old code may run again only after the downs of all its files that ran, the last one first{named}."
        ));
    }
    for note in deploy.steps.iter().rev().filter_map(|step| step.down.note.as_ref()) {
        let useful =
            note.starts_with("Loses") || note.starts_with("Only while") || note.starts_with("The ");
        if useful && !lines.contains(note) {
            let at = if plan.stops_old_code() { 0 } else { 1.min(lines.len()) };
            lines.insert(at, note.clone());
        }
    }
    if deploy.steps.iter().any(|step| step.down.loses) && back {
        lines.insert(0, "**This deploy is the point of no return.**".into());
    }
    lines
}

pub(super) fn checklist(plan: &Plan, emissions: &[Option<Emission>]) -> Vec<String> {
    let two = plan.deploys.len() > 1;
    let mut items = Vec::new();
    for (at, (deploy, emission)) in plan.deploys.iter().zip(emissions).enumerate() {
        let number = at + 1;
        let mut parts = match emission {
            None => vec![format!("`miggen next`, then as `{}` says", super::page_name(number))],
            Some(_) if deploy.changes_database() => vec!["pre-checks".into()],
            Some(_) => Vec::new(),
        };
        if number > 1 {
            parts.push("no old code left".into());
        } else if plan.stops_old_code() {
            parts.push("old code stopped".into());
        }
        parts.push(steps(deploy, emission.as_ref()));
        if number == 1 {
            parts.push("new code out".into());
        }
        if two && number < plan.deploys.len() {
            parts.push("`released` written into `rollout.toml`".into());
        }
        items.push(format!("deploy {number}: {}", parts.join(" · ")));
        if two && number == 1 {
            items.push("nobody else uses the old form (reports, exports, other services) · date of deploy 2 in the calendar".into());
        }
    }
    let heavy = plan
        .deploys
        .iter()
        .flat_map(|d| &d.steps)
        .filter(|s| !small::is_small(&plan.policy, &s.table))
        .any(|s| s.facts(&plan.server).iter().any(|f| f.work == Work::Rewrite));
    if heavy {
        items.push("a backup that was restored once".into());
    }
    items
}

/// What is run in a deploy, and whether there is a question that verifies it.
fn steps(deploy: &Deploy, emission: Option<&Emission>) -> String {
    let Some(emission) = emission else {
        return "every step, verified".into();
    };
    let run = || deploy.steps.iter().zip(&emission.steps).filter(|(_, step)| !step.up.is_empty());
    let verified = run().all(|(step, _)| !step.verify.is_empty());
    match (run().count(), verified) {
        (0, _) => "no file".into(),
        (1, true) => "the step, verified".into(),
        (1, false) => "the step".into(),
        (more, true) => format!("{more} steps, each verified"),
        (more, false) => format!("{more} steps, verified"),
    }
}
