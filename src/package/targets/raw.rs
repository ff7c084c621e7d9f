//! Plain SQL files for `psql` and `sqlite3`: `NNN_slug.up.sql` and `.down.sql`.
//!
//! Everything a client needs stands in the file: stop at the first error, BEGIN and COMMIT.

use crate::dialect::Dialect;
use crate::error::Result;
use crate::package::sql_file::{self, SqlFile, set};
use crate::package::{Emission, EmittedStep, File, Request, settings};
use crate::plan::Unit;
use crate::repo::raw;
use crate::sql::Sql;

use super::{PSQL_PAUSE, Target};

pub(super) struct Raw;

impl Target for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn title(&self) -> &'static str {
        "plain SQL"
    }

    fn pause(&self) -> &'static str {
        PSQL_PAUSE
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let project = raw::read(request.repo, request.folder.as_deref())?;
        let versions = project.versions(request.steps().len(), request.created);
        let mut steps = Vec::new();
        for (step, version) in request.steps().iter().zip(&versions) {
            let slug = request.file_slug(step);
            let up = project.folder.join(project.up_name(version, &slug));
            let down = project.folder.join(project.down_name(version, &slug));
            let commands = |path: &std::path::Path| vec![command(request, path)];
            let statements = |all: Vec<crate::sql::Rendered>| {
                all.into_iter().flat_map(|r| r.statements).collect()
            };
            let all = statements(request.up(step));
            let view = script(request, step.unit, all, None, request.message(step));
            steps.push(EmittedStep {
                up: commands(&up),
                down: commands(&down),
                files: vec![
                    File {
                        contents: request.engine.render_whole(
                            "raw/up.sql.j2",
                            &view,
                            view.texts(),
                        )?,
                        path: up,
                    },
                    File {
                        contents: request.engine.render(
                            "raw/down.sql.j2",
                            &script(
                                request,
                                step.unit,
                                statements(request.down(step)),
                                step.down.note.clone(),
                                request.message(step),
                            ),
                        )?,
                        path: down,
                    },
                ],
            });
        }
        Ok(Emission {
            parent: project.last.map(|last| last.to_string()),
            steps,
            notes: Vec::new(),
            ..Emission::default()
        })
    }
}

/// The command that runs a script of [`script`].
pub(super) fn command(request: &Request, path: &std::path::Path) -> String {
    let path = path.display();
    match request.plan.server.dialect {
        Dialect::Sqlite => format!("sqlite3 -bail \"$DB\" < {path}"),
        _ => format!("psql -X -f {path}"),
    }
}

/// A script that a client runs by itself, complete with its transaction.
pub(super) fn script(
    request: &Request,
    unit: Unit,
    all: Vec<Sql>,
    note: Option<String>,
    message: String,
) -> SqlFile {
    let sqlite = request.plan.server.dialect == Dialect::Sqlite;
    let mut head: Vec<&str> = Vec::new();
    let mut tail: Vec<&str> = Vec::new();
    let mut all = all;
    // Another writer is waited for, not run into.
    head.push(if sqlite { ".timeout 30000" } else { "\\set ON_ERROR_STOP on" });
    if !all.is_empty() {
        match (unit, sqlite) {
            (Unit::Alone, _) => {
                let mut with_settings = set(settings(request, unit));
                with_settings.append(&mut all);
                all = with_settings;
            }
            (Unit::Transaction, true) => {
                head.extend(["BEGIN IMMEDIATE;", ""]);
                tail.extend(["", "COMMIT;"]);
            }
            (Unit::Transaction, false) => {
                head.extend(["BEGIN;", ""]);
                tail.extend(["", "COMMIT;"]);
            }
            (Unit::Rebuild, _) => {
                head.extend(["PRAGMA foreign_keys = OFF;", "BEGIN IMMEDIATE;", ""]);
                tail.extend(["", "COMMIT;", "PRAGMA foreign_keys = ON;"]);
            }
        }
    }
    SqlFile {
        head: head.into_iter().map(str::to_owned).collect(),
        notes: note.into_iter().collect(),
        statements: sql_file::statements(&all),
        tail: tail.into_iter().map(str::to_owned).collect(),
        message,
        author: request.author.clone(),
        reason: request.reason.clone(),
    }
}
