//! A deploy of a plan → files for one framework, and the commands that run them.
//!
//! Enters: a [`Plan`], the user's repository, templates. Leaves: an [`Emission`]. Must not know: the
//! command line. Targets arrange what the `sql` station wrote; templates only place it.

mod constants;
mod django;
mod engine;
mod jobs;
mod new_model;
mod overrides;
pub mod python;
mod references;
pub mod runbook;
mod sql_file;
pub mod targets;
mod types;

use std::path::PathBuf;

use chrono::NaiveDateTime;

use crate::error::Result;
use crate::plan::{Plan, Step, Unit};
use crate::repo::Repo;
use crate::sql::{self, Rendered};

pub use engine::Engine;
pub use jobs::files as job_files;
pub use targets::{TARGETS, Target};

/// One file to be written, with a path relative to the repository's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    pub contents: String,
}

/// What a target is asked to write.
pub struct Request<'r> {
    pub plan: &'r Plan,
    /// Numbers of the first and the last deploy to write, from 1; more than one only where a person
    /// asked for all at once.
    pub deploys: (usize, usize),
    pub repo: &'r Repo,
    pub engine: &'r Engine,
    /// UTC.
    pub created: NaiveDateTime,
    /// The migrations folder, where the user names one.
    pub folder: Option<PathBuf>,
    /// What the first file follows, where the user names it.
    pub parent: Option<String>,
    pub author: Option<String>,
    pub reason: Option<String>,
    /// First part of file names.
    pub slug: String,
    /// The rollout's folder.
    pub rollout: PathBuf,
    /// Steps that change nothing but the models are written too.
    pub keeps_state: bool,
}

/// The files of a deploy.
#[derive(Debug, Clone, Default)]
pub struct Emission {
    /// What the first file follows: a head, a leaf, the last version. `None` in an empty folder.
    pub parent: Option<String>,
    pub steps: Vec<EmittedStep>,
    /// For people: what this repository should know before it runs the files.
    pub notes: Vec<String>,
    /// What Django's migrations say.
    pub models: django::Models,
}

/// One step as files and commands. Commands run from the repository's root.
#[derive(Debug, Clone, Default)]
pub struct EmittedStep {
    pub files: Vec<File>,
    pub up: Vec<String>,
    pub down: Vec<String>,
}

impl Request<'_> {
    /// The steps that become files.
    pub fn steps(&self) -> Vec<&Step> {
        let (first, last) = self.deploys;
        self.plan.deploys[first - 1..last]
            .iter()
            .flat_map(|deploy| &deploy.steps)
            .filter(|step| self.writes(step))
            .collect()
    }

    fn writes(&self, step: &Step) -> bool {
        step.acts() || self.keeps_state && !step.model.is_empty()
    }

    /// `rename_created_backfill`; a rollout of one step needs no more than its own name.
    pub fn file_slug(&self, step: &Step) -> String {
        let steps = self.plan.deploys.iter().flat_map(|deploy| &deploy.steps);
        if steps.filter(|step| self.writes(step)).count() == 1 {
            self.slug.clone()
        } else {
            format!("{}_{}", self.slug, step.slug)
        }
    }

    pub fn up<'s>(&self, step: &'s Step) -> Vec<Rendered<'s>> {
        sql::render(&self.plan.server, step.unit, &step.up)
    }

    pub fn down<'s>(&self, step: &'s Step) -> Vec<Rendered<'s>> {
        sql::render(&self.plan.server, step.unit, &step.down.ops)
    }

    /// `rename posts.created to created_at, 2/4: fill created_at`; one line that fits.
    pub fn message(&self, step: &Step) -> String {
        let deploys = &self.plan.deploys;
        let is_it = |other: &Step| std::ptr::eq(other, step);
        let number = deploys.iter().position(|d| d.steps.iter().any(is_it)).unwrap_or(0) + 1;
        let deploy = if number > 1 { format!(", deploy {number}") } else { String::new() };
        let steps: Vec<&Step> =
            deploys[number - 1].steps.iter().filter(|step| self.writes(step)).collect();
        let position = steps.iter().position(|other| is_it(other)).unwrap_or(0) + 1;
        if steps.len() == 1 && deploys.len() == 1 {
            return self.plan.title.clone();
        }
        let place = match steps.len() {
            1 => deploy,
            more => format!("{deploy}, {position}/{more}"),
        };
        let with = |what: &str| format!("{}{place}: {what}", self.plan.title);
        let long = with(&step.title);
        if long.chars().count() <= LINE { long } else { with(&step.slug) }
    }
}

/// What fits on a line behind the quotes of a docstring.
const LINE: usize = 85;

/// Settings that a unit runs with: nothing that waits for others may be cut off.
pub(crate) fn settings(request: &Request, unit: Unit) -> &'static [&'static str] {
    match unit {
        Unit::Alone => request.plan.server.timeouts(),
        Unit::Transaction | Unit::Rebuild => &[],
    }
}

/// Emits deploys through a target, an [`Emission`] each.
pub fn emit(target: &dyn Target, request: &Request) -> Result<Vec<Emission>> {
    let mut all = target.emit(request)?;
    for (step, emitted) in request.steps().into_iter().zip(&mut all.steps) {
        emitted.up.splice(0..0, jobs::commands(step, &request.rollout));
    }
    let mut steps = all.steps.into_iter();
    let (first, last) = request.deploys;
    let mut emissions: Vec<Emission> = Vec::new();
    for deploy in &request.plan.deploys[first - 1..last] {
        emissions.push(Emission {
            parent: all.parent.clone(),
            steps: deploy
                .steps
                .iter()
                .map(|step| if request.writes(step) { steps.next() } else { None })
                .map(Option::unwrap_or_default)
                .collect(),
            notes: all.notes.clone(),
            models: all.models.clone(),
        });
    }
    Ok(emissions)
}
