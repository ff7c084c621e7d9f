//! Flyway: `V<version>__slug.sql`, a `.sql.conf` where it must not run in a transaction.
//!
//! The community edition has no undo: the way back is a script for the server's own client, outside
//! of every location, which also takes the row out of Flyway's history.

use serde::Serialize;

use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::package::sql_file::{self, SqlFile, plain, reset, set};
use crate::package::{Emission, EmittedStep, File, Request, settings};
use crate::plan::{Deploy, Step, Unit};
use crate::repo::flyway::{self, Placeholders, Project};
use crate::sql::Sql;

use super::raw::{command, script};
use super::{Target, at_home, quoted};

pub(super) struct Flyway;

/// What `<file>.conf` says.
#[derive(Serialize)]
struct Conf {
    settings: Vec<&'static str>,
}

impl Target for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn title(&self) -> &'static str {
        "Flyway"
    }

    // JDBC reads no PGOPTIONS.
    fn pause(&self) -> &'static str {
        r#"`FLYWAY_INIT_SQL="SET miggen.pause = '0.2'"` before `flyway`"#
    }

    fn after_failure(&self, deploy: &Deploy) -> Option<[&'static str; 2]> {
        deploy.steps.iter().any(|step| step.unit == Unit::Alone).then_some([
            "`Detected failed migration to version …`",
            "run its command with `repair` in place of `migrate -target=…`, then as it was",
        ])
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let project = flyway::read(request.repo, request.folder.as_deref())?;
        let versions = project.versions(request.steps().len(), request.created);
        let postgres = request.plan.server.dialect == Dialect::Postgres;
        let cli = &project.cli;
        let options: String =
            cli.options.iter().map(|option| format!("{} ", quoted(option))).collect();
        let mut steps = Vec::new();
        for (step, version) in request.steps().iter().zip(&versions) {
            let name = project.file_name(version, &request.file_slug(step));
            let path = project.folder.join(&name);
            let view = migration(request, step);
            let contents =
                request.engine.render_whole("flyway/migration.sql.j2", &view, view.texts())?;
            let mut conf = Conf { settings: Vec::new() };
            if step.unit != Unit::Transaction {
                conf.settings.push("executeInTransaction=false");
            }
            if contents.contains("${")
                && let Placeholders::On { used, .. } = &project.placeholders
            {
                if *used {
                    return Err(Error::refused(
                        "the change holds `${`, which this repository's Flyway replaces",
                    )
                    .hint("write it as `'$' || '{…'`"));
                }
                conf.settings.push("placeholderReplacement=false");
            }
            let back = project.rollback.join(&name);
            let mut statements: Vec<Sql> =
                request.down(step).into_iter().flat_map(|rendered| rendered.statements).collect();
            statements.push(Sql {
                comment: vec![format!(
                    "Flyway Community has no undo: so that V{version} can run again."
                )],
                ..plain(format!("DELETE FROM flyway_schema_history WHERE version = '{version}'"))
            });
            let rollback = script(
                request,
                step.unit,
                statements,
                step.down.note.clone(),
                request.message(step),
            );
            let mut files = vec![File { path: path.clone(), contents }];
            if !conf.settings.is_empty() {
                files.push(File {
                    path: path.with_file_name(format!("{name}.conf")),
                    contents: request.engine.render("flyway/migration.sql.conf.j2", &conf)?,
                });
            }
            files.push(File {
                path: back.clone(),
                contents: request.engine.render("flyway/rollback.sql.j2", &rollback)?,
            });
            let lock = if postgres && step.unit == Unit::Alone && !cli.lock_disabled {
                "-postgresql.transactional.lock=false "
            } else {
                ""
            };
            steps.push(EmittedStep {
                files,
                up: vec![at_home(
                    &cli.home,
                    &format!("flyway {options}{lock}migrate -target={version}"),
                )],
                down: vec![command(request, &back)],
            });
        }
        let mut notes = Vec::new();
        if !cli.names_database && !steps.is_empty() {
            notes.push(
                "the commands need FLYWAY_URL, FLYWAY_USER and FLYWAY_PASSWORD: no settings file that \
                 they read names a database"
                    .into(),
            );
        }
        if postgres && request.steps().iter().any(|s| s.unit == Unit::Alone) {
            notes.extend(about_its_lock(&project));
        }
        if request.plan.server.dialect == Dialect::Sqlite {
            notes.push(
                "beside a writing application Flyway's transactions may end in SQLITE_BUSY: add \
                 `?transaction_mode=IMMEDIATE&busy_timeout=5000` to its URL"
                    .into(),
            );
        }
        let parent = project.existing.first().map(|version| version.text().to_owned());
        Ok(Emission { parent, steps, notes, ..Emission::default() })
    }
}

/// What its lock does to a file that runs outside of a transaction, and who turns it off.
fn about_its_lock(project: &Project) -> Vec<String> {
    let mut notes = Vec::new();
    let in_spring = project.spring.filter(|spring| !spring.lock_disabled);
    if !project.cli.lock_disabled || in_spring.is_some() {
        let turned_off = if project.cli.lock_disabled { "" } else { ". The commands turn it off" };
        notes.push(format!(
            "Flyway's own lock holds a snapshot for the whole run: a concurrent index then waits \
             for ever, and a backfill finds no room in its pages{turned_off}"
        ));
    }
    if in_spring.is_some() {
        notes.push(
            "a Spring application runs these files as it starts, with that lock, and hangs there: \
             release it first with `spring.flyway.postgresql.transactional-lock=false`, or run the \
             commands before the version starts that brings the files"
                .into(),
        );
    }
    notes
}

fn migration(request: &Request, step: &Step) -> SqlFile {
    let statements: Vec<Sql> =
        request.up(step).into_iter().flat_map(|rendered| rendered.statements).collect();
    let (mut all, mut head, mut tail) = (statements, Vec::new(), Vec::new());
    match step.unit {
        Unit::Transaction => {}
        Unit::Alone => {
            let names = settings(request, step.unit);
            all = set(names).into_iter().chain(all).chain(reset(names)).collect();
        }
        Unit::Rebuild => {
            // Flyway's reader of SQLite takes BEGIN for the start of a block.
            head =
                ["PRAGMA foreign_keys = OFF;", "SAVEPOINT miggen;", ""].map(str::to_owned).to_vec();
            tail = ["", "RELEASE miggen;", "PRAGMA foreign_keys = ON;"].map(str::to_owned).to_vec();
        }
    }
    SqlFile {
        head,
        notes: Vec::new(),
        statements: sql_file::statements(&all),
        tail,
        message: request.message(step),
        author: request.author.clone(),
        reason: request.reason.clone(),
    }
}
