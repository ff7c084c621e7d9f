//! The runbook: what a tired person needs at night, in the order it is needed.
//!
//! Enters: a plan, what was emitted, the paths of the verification queries. Leaves: Markdown: of the
//! whole rollout, and of a later deploy once its files are there. Must not know: how files are
//! written. Sentences are chosen here, the templates place them.

mod durations;
mod models;
mod prose;
mod queries;
pub mod releases;
mod risk;
mod strategy;

use std::path::Path;

use chrono::NaiveDate;
use serde::Serialize;

use super::{Emission, EmittedStep, Engine, File, Target};
use crate::dialect::{Blocks, Dialect};
use crate::error::Result;
use crate::plan::{DualWrite, Plan, Step, Unit};
use crate::sql;

pub(in crate::package) use models::{constraint_arg, table_arg};
pub use risk::{Risk, risk};

pub struct Input<'i> {
    pub plan: &'i Plan,
    pub target: &'static dyn Target,
    /// A deploy that is not emitted yet is `None`.
    pub emissions: &'i [Option<Emission>],
    pub verify: &'i [File],
    pub folder: &'i Path,
    pub created: NaiveDate,
    pub engine: &'i Engine,
    pub author: Option<&'i str>,
    pub reason: Option<&'i str>,
}

#[derive(Serialize)]
struct View {
    title: String,
    facts: String,
    created: String,
    author: Option<String>,
    reason: Option<String>,
    verify_folder: Option<String>,
    overview: Vec<[String; 4]>,
    risk: &'static str,
    reasons: Vec<String>,
    locks: Vec<[String; 4]>,
    strategy: Vec<String>,
    who_writes: Vec<[String; 2]>,
    picture: Vec<String>,
    application: Vec<String>,
    deploys: Vec<DeployView>,
    durations: Vec<[String; 3]>,
    checklist: Vec<String>,
}

/// One deploy that was emitted after the others.
#[derive(Serialize)]
struct Page {
    title: String,
    facts: String,
    created: String,
    author: Option<String>,
    verify_folder: Option<String>,
    deploys: usize,
    deploy: DeployView,
}

#[derive(Serialize)]
struct DeployView {
    number: usize,
    heading: String,
    /// The name of its own page.
    file: String,
    emitted: bool,
    may_run: String,
    parent: Option<String>,
    notes: Vec<String>,
    /// Questions with what to expect, as comments in SQL.
    before: Vec<String>,
    run: Vec<String>,
    watch: Vec<String>,
    stop: String,
    troubles: Vec<[String; 2]>,
    way_back: Vec<String>,
    back_commands: Vec<String>,
    afterwards: Option<String>,
    /// For a deploy that is not emitted: its SQL.
    sql: Vec<SqlStep>,
}

#[derive(Serialize)]
struct SqlStep {
    title: String,
    sql: String,
}

pub fn render(input: &Input) -> Result<String> {
    input.engine.render("shared/runbook.md.j2", &view(input))
}

/// The page of a deploy whose files are written now; `number` counts from 1.
pub fn render_deploy(input: &Input, number: usize) -> Result<String> {
    let page = Page {
        title: input.plan.title.clone(),
        facts: facts(input),
        created: input.created.to_string(),
        author: input.author.map(str::to_owned),
        verify_folder: verify_folder(input),
        deploys: input.plan.deploys.len(),
        deploy: deploy(input, number - 1),
    };
    input.engine.render("shared/deploy.md.j2", &page)
}

/// The name of a deploy's own page, beside the runbook.
pub fn page_name(number: usize) -> String {
    format!("DEPLOY-{number}.md")
}

fn facts(input: &Input) -> String {
    let plan = input.plan;
    let mut facts = vec![plan.server.title(), input.target.title().to_owned()];
    for (table, rows) in &plan.policy.rows {
        facts.push(format!("`{table}`: {} rows", count(*rows)));
    }
    facts.push(match plan.policy.downtime {
        crate::plan::Downtime::None => "no downtime".into(),
        crate::plan::Downtime::Minutes(minutes) => format!("{minutes} min of downtime allowed"),
        crate::plan::Downtime::Any => "downtime allowed".into(),
    });
    if let Some(keep) = &plan.keep {
        facts.push(format!("the old form is kept {} after deploy 1", keep.text));
    }
    facts.join(" · ")
}

fn verify_folder(input: &Input) -> Option<String> {
    (!input.verify.is_empty()).then(|| input.folder.join("verify").display().to_string())
}

fn view(input: &Input) -> View {
    let plan = input.plan;
    let risk = risk(plan);
    let mut title = plan.title.clone();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    View {
        title,
        facts: facts(input),
        created: input.created.to_string(),
        author: input.author.map(str::to_owned),
        reason: input.reason.map(str::to_owned),
        verify_folder: verify_folder(input),
        overview: prose::overview(plan),
        risk: risk.level,
        reasons: risk
            .reasons
            .into_iter()
            .map(|(name, reason)| format!("**{name}**: {reason}"))
            .collect(),
        locks: locks(plan),
        strategy: strategy::strategy(plan),
        who_writes: prose::who_writes(plan),
        picture: picture(plan),
        application: models::application(plan, input.target, input.folder, &known_models(input)),
        deploys: (0..plan.deploys.len()).map(|at| deploy(input, at)).collect(),
        durations: durations::durations(plan),
        checklist: prose::checklist(plan, input.emissions),
    }
}

fn known_models(input: &Input) -> super::django::Models {
    let first = input.emissions.iter().flatten().next();
    first.map(|emission| emission.models.clone()).unwrap_or_default()
}

fn locks(plan: &Plan) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for (at, deploy) in plan.deploys.iter().enumerate() {
        for (position, step) in deploy.steps.iter().enumerate() {
            let name = format!("{}.{} {}", at + 1, position + 1, step.slug);
            let held = durations::held(plan, step);
            let locks = step.locks(&plan.server);
            if locks.is_empty() {
                rows.push([name, "none".into(), held, "nothing".into()]);
                continue;
            }
            for (table, mode, blocks) in locks {
                let lock = format!("{mode} on {table}");
                rows.push([name.clone(), lock, held.clone(), blocks_text(blocks).to_owned()]);
            }
        }
    }
    rows
}

fn deploy(input: &Input, at: usize) -> DeployView {
    let plan = input.plan;
    let number = at + 1;
    let last = plan.deploys.len() == number;
    let deploy = &plan.deploys[at];
    let emission = input.emissions[at].as_ref();
    let mut heading = format!("Deploy {number}");
    if number > 1 {
        heading.push_str(&match &plan.keep {
            Some(keep) => format!(", not before {} after deploy {at}", keep.text),
            None => format!(", when deploy {at} is released and no old code runs"),
        });
    }
    let mut run = Vec::new();
    let mut back = Vec::new();
    if let Some(emission) = emission {
        for (step, emitted) in deploy.steps.iter().zip(&emission.steps) {
            run.extend(run_lines(input, step, emitted));
        }
        for emitted in emission.steps.iter().rev() {
            back.extend(emitted.down.clone());
        }
    }
    DeployView {
        number,
        heading,
        file: page_name(number),
        emitted: emission.is_some(),
        may_run: releases::may_run(plan, number),
        parent: emission.and_then(|emission| emission.parent.clone()),
        notes: emission.map(|emission| emission.notes.clone()).unwrap_or_default(),
        before: queries::before(plan, deploy),
        run: aligned(&run),
        watch: queries::watch(plan, deploy),
        stop: prose::stop(plan, deploy, input.target),
        troubles: prose::troubles(plan, deploy, input.target),
        way_back: prose::way_back(plan, number, emission.is_some()),
        back_commands: back,
        afterwards: (!last).then(|| {
            let keep = plan.keep.as_ref().map_or_else(
                || format!("deploy {} waits for it", number + 1),
                |keep| format!("the {} start there", keep.text),
            );
            format!("write the day into `rollout.toml`, `released = 2026-…`, below `number = {number}`: {keep}.")
                .replace("2026", &input.created.format("%Y").to_string())
        }),
        sql: if emission.is_some() { Vec::new() } else { later_sql(plan, &deploy.steps) },
    }
}

/// Commands, and what each should say.
fn run_lines(input: &Input, step: &Step, emitted: &EmittedStep) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for command in &emitted.up {
        let class = durations::class(input.plan, step);
        lines.push((command.clone(), format!("{}: {class}", step.slug)));
    }
    if let Some(file) = verify_file(input, step) {
        let expected = sql::expectation(&input.plan.server, &step.verify);
        let name =
            file.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let command = match input.plan.server.dialect {
            Dialect::Sqlite => format!("sqlite3 \"$DB\" < $V/{name}"),
            _ => format!("psql -X -f $V/{name}"),
        };
        lines.push((command, format!("  {expected}")));
    }
    lines
}

/// The comments below each other.
fn aligned(lines: &[(String, String)]) -> Vec<String> {
    let width = lines.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    lines.iter().map(|(command, comment)| format!("{command:<width$}  # {comment}")).collect()
}

fn verify_file<'i>(input: &'i Input, step: &Step) -> Option<&'i File> {
    let mut files = input.verify.iter();
    for other in input.plan.deploys.iter().flat_map(|deploy| &deploy.steps) {
        if other.verify.is_empty() {
            continue;
        }
        let file = files.next();
        if std::ptr::eq(other, step) {
            return file;
        }
    }
    None
}

fn later_sql(plan: &Plan, steps: &[Step]) -> Vec<SqlStep> {
    steps
        .iter()
        .map(|step| {
            let mut text = String::new();
            let frame = match step.unit {
                Unit::Rebuild => Some((
                    "PRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n",
                    "COMMIT;\nPRAGMA foreign_keys = ON;\n",
                )),
                _ => None,
            };
            text.push_str(frame.map_or("", |(before, _)| before));
            for rendered in sql::render(&plan.server, step.unit, &step.up) {
                for sql in rendered.statements {
                    for line in &sql.comment {
                        text.push_str(&format!("-- {line}\n"));
                    }
                    text.push_str(&sql.text);
                    text.push_str(";\n");
                }
            }
            text.push_str(frame.map_or("", |(_, after)| after));
            let unit = match step.unit {
                Unit::Transaction => "one transaction",
                Unit::Alone => "no transaction",
                Unit::Rebuild => "a transaction of its own, foreign keys off",
            };
            SqlStep {
                title: format!("{}, {unit}: {}", step.slug, step.title),
                sql: text.trim_end().to_owned(),
            }
        })
        .collect()
}

fn picture(plan: &Plan) -> Vec<String> {
    let mut lines = vec!["flowchart LR".to_owned()];
    let standstill = plan.stops_old_code();
    let mut before = format!("a[\"old code {}\"]", if standstill { "stops" } else { "runs" });
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let steps: Vec<String> = deploy
            .steps
            .iter()
            .enumerate()
            .map(|(position, step)| format!("{} {}", position + 1, step.slug))
            .collect();
        let id = char::from(b'b' + u8::try_from(at * 2).unwrap_or(0));
        lines.push(format!(
            "    {before} --> {id}[\"<b>Deploy {}</b><br>{}\"]",
            at + 1,
            steps.join("<br>")
        ));
        let next = char::from(b'c' + u8::try_from(at * 2).unwrap_or(0));
        let last = at + 1 == plan.deploys.len();
        let twice = plan.policy.dual_write == DualWrite::App;
        let label = match (last, at, &plan.keep) {
            (false, 0, _) if twice => "release A rolls out, and writes both",
            (false, 1, _) if twice => "release B rolls out, then C",
            (true, 0, _) if standstill => "new code starts",
            (true, 0, _) => "new code rolls out",
            (true, ..) | (false, 1.., _) => "new code only",
            (false, _, Some(keep)) => {
                lines.push(format!("    {id} --> {next}[\"new code rolls out<br>old and new side by side<br>{}, way back open\"]", keep.text));
                before = next.to_string();
                continue;
            }
            (false, ..) => "new code rolls out<br>old and new side by side, way back open",
        };
        lines.push(format!("    {id} --> {next}[\"{label}\"]"));
        before = next.to_string();
    }
    lines
}

/// `40 M`, `1.2 M`, `500`.
pub fn count(rows: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "for people to read")]
    let number = rows as f64;
    let (value, unit) = match rows {
        0..10_000 => return rows.to_string(),
        10_000..1_000_000 => (number / 1e3, " K"),
        1_000_000..1_000_000_000 => (number / 1e6, " M"),
        _ => (number / 1e9, " G"),
    };
    let text = format!("{value:.1}");
    format!("{}{unit}", text.trim_end_matches(".0"))
}

/// Who waits, in words.
pub fn blocks_text(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Nothing => "nothing",
        Blocks::Ddl => "only vacuum and other DDL",
        Blocks::Rows => "writers of the same rows",
        Blocks::Writes => "writers",
        Blocks::Everything => "everything",
    }
}
