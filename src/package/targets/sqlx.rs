//! sqlx: timestamped or numbered pairs of `.up.sql` and `.down.sql`.
//!
//! A file is sent as one query, so a statement that must stand alone has a file of its own, whose
//! first bytes are `-- no-transaction`; settings can only come from outside, through PGOPTIONS.

use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::package::sql_file::{self, Piece, SqlFile, pieces};
use crate::package::{Emission, EmittedStep, File, Request};
use crate::plan::op::Op;
use crate::plan::{Deploy, Step, Unit};
use crate::repo::{self, sqlx};
use crate::sql::Sql;

use super::{Target, quoted};

pub(super) struct Sqlx;

impl Target for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn title(&self) -> &'static str {
        "sqlx"
    }

    fn pause(&self) -> &'static str {
        "`-c miggen.pause=0.2` among its PGOPTIONS"
    }

    fn after_failure(&self, deploy: &Deploy) -> Option<[&'static str; 2]> {
        let builds = |step: &Step| {
            step.up.iter().any(|op| matches!(op, Op::CreateIndex { online: true, .. }))
        };
        deploy.steps.iter().any(builds).then_some([
            "`relation … already exists`",
            "a build that died left an invalid index: `revert` its step, then `run` it again",
        ])
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let project = sqlx::read(request.repo, request.folder.as_deref())?;
        if !project.reversible && !project.existing.is_empty() {
            return Err(Error::refused("this repository's migrations have no way back")
                .note("miggen writes an up and a down for every step, and sqlx mixes both kinds")
                .hint("start with `sqlx migrate add -r NAME`: the pair may stay empty, and from then on files are pairs"));
        }
        let divided: Vec<(&Step, Vec<Piece>)> = request
            .steps()
            .into_iter()
            .map(|step| (step, pieces(step.unit, &request.up(step), &request.down(step))))
            .collect();
        let count = divided.iter().map(|(_, pieces)| pieces.len()).sum();
        let mut versions = project.versions(count, request.created).into_iter();
        let parent = project.existing.last().copied();
        let mut before = parent.unwrap_or(0).to_string();
        let mut steps = Vec::new();
        let source = if project.is_default {
            String::new()
        } else {
            format!(" --source {}", quoted(&repo::name(&project.folder)))
        };
        for (step, pieces) in divided {
            let mut files = Vec::new();
            let mut last = before.clone();
            let outside = pieces.iter().any(|piece| piece.up_alone() || piece.down_alone());
            for piece in &pieces {
                let Some(version) = versions.next() else {
                    break;
                };
                let mut slug = request.file_slug(step);
                if !piece.suffix.is_empty() {
                    slug = format!("{slug}_{}", piece.suffix);
                }
                let note = step.down.note.clone();
                let up = file(request, step, &piece.up, piece.up_alone(), None);
                let down = file(request, step, &piece.down, piece.down_alone(), note);
                files.push(File {
                    path: project.folder.join(project.up_name(&version, &slug)),
                    contents: request.engine.render_whole("sqlx/up.sql.j2", &up, up.texts())?,
                });
                if let Some(name) = project.down_name(&version, &slug) {
                    files.push(File {
                        path: project.folder.join(name),
                        contents: request.engine.render("sqlx/down.sql.j2", &down)?,
                    });
                }
                last = version;
            }
            let options = if outside && request.plan.server.dialect == Dialect::Postgres {
                let timeouts = request.plan.server.timeouts().iter();
                let off: Vec<String> = timeouts.map(|name| format!("-c {name}=0")).collect();
                format!("PGOPTIONS='{}' ", off.join(" "))
            } else {
                String::new()
            };
            steps.push(EmittedStep {
                files,
                up: vec![format!("{options}sqlx migrate run{source} --target-version {last}")],
                down: vec![format!(
                    "{options}sqlx migrate revert{source} --target-version {before}"
                )],
            });
            before = last;
        }
        let mut notes = Vec::new();
        if steps.iter().any(|step| step.up.iter().any(|line| line.starts_with("PGOPTIONS"))) {
            notes.push(
                "run these files by `sqlx migrate`, before the application starts: its own `sqlx::migrate!` holds a \
                 lock, a second instance waits for that with a snapshot, and a concurrent index for the snapshot"
                    .into(),
            );
        }
        if project.prepared {
            notes.push(
                "`cargo sqlx prepare` after each deploy: `.sqlx/` describes the schema".into(),
            );
        }
        Ok(Emission {
            parent: parent.map(|version| version.to_string()),
            steps,
            notes,
            ..Emission::default()
        })
    }
}

fn file(
    request: &Request,
    step: &Step,
    statements: &[Sql],
    alone: bool,
    note: Option<String>,
) -> SqlFile {
    let mut head: Vec<&str> = Vec::new();
    let mut tail: Vec<&str> = Vec::new();
    if alone || (step.unit == Unit::Rebuild && !statements.is_empty()) {
        head.push("-- no-transaction");
    }
    if step.unit == Unit::Rebuild && !statements.is_empty() {
        head.extend(["PRAGMA foreign_keys = OFF;", "BEGIN IMMEDIATE;", ""]);
        tail.extend(["", "COMMIT;", "PRAGMA foreign_keys = ON;"]);
    }
    let mut notes: Vec<String> = note.into_iter().collect();
    if statements.is_empty() && notes.is_empty() {
        notes.push("Nothing to do.".into());
    }
    SqlFile {
        head: head.into_iter().map(str::to_owned).collect(),
        notes,
        statements: sql_file::statements(statements),
        tail: tail.into_iter().map(str::to_owned).collect(),
        message: request.message(step),
        author: request.author.clone(),
        reason: request.reason.clone(),
    }
}
