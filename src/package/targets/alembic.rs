//! Alembic: one revision a step, native operations where they say the same as the SQL.

mod native;
mod table;

use serde::Serialize;

use crate::catalog::TableName;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::package::constants::Constants;
use crate::package::python::{self, Py};
use crate::package::sql_file::{plain, reset, set};
use crate::package::{Emission, EmittedStep, File, LINE, Request, settings};
use crate::plan::{Step, Unit};
use crate::repo::alembic;
use crate::sql::{Rendered, Sql};

use super::{ModelStyle, Target, at_home, quoted};

pub(super) struct Alembic;

/// What `revision.py.j2` sees; bodies are indented and ready.
#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "Alembic's own names")]
struct Revision {
    message: String,
    /// The docstring, as a Python literal.
    docstring: String,
    revision: String,
    /// `"1f7e5ab09c64"` or `None`.
    down_revision: String,
    imports: Vec<&'static str>,
    constants: Constants,
    upgrade: String,
    upgrade_doc: String,
    downgrade: String,
    downgrade_doc: String,
    author: Option<String>,
    reason: Option<String>,
}

impl Target for Alembic {
    fn name(&self) -> &'static str {
        "alembic"
    }

    fn title(&self) -> &'static str {
        "Alembic"
    }

    fn names_parent(&self) -> bool {
        true
    }

    fn models(&self) -> ModelStyle {
        ModelStyle::SqlAlchemy
    }

    fn pause(&self) -> &'static str {
        "`PGOPTIONS='-c miggen.pause=0.2'` before `alembic`"
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let project =
            alembic::read(request.repo, request.folder.as_deref(), request.parent.as_deref())?;
        let alone = request.steps().iter().any(|step| step.unit == Unit::Alone);
        if let Some(obstacle) = project.obstacle.clone().filter(|_| alone) {
            return Err(obstacle);
        }
        let mut parent = project.head.clone();
        let mut steps = Vec::new();
        let options: String =
            project.options.iter().map(|word| format!(" {}", quoted(word))).collect();
        let command = |words: String| at_home(&project.home, &format!("alembic{options} {words}"));
        for (position, step) in request.steps().iter().enumerate() {
            let revision = project.revision_id(parent.as_deref(), &content(request, step));
            let name =
                project.file_name(&revision, &request.file_slug(step), position, request.created);
            let view = revision_view(request, step, &revision, parent.as_deref(), position);
            let parts = view.constants.values().chain([view.upgrade.as_str()]);
            let contents = request.engine.render_whole("alembic/revision.py.j2", &view, parts)?;
            steps.push(EmittedStep {
                files: vec![File { path: project.versions.join(name), contents }],
                up: vec![command(format!("upgrade {revision}"))],
                down: vec![command(format!("downgrade {}", parent.as_deref().unwrap_or("base")))],
            });
            parent = Some(revision);
        }
        let mut notes = Vec::new();
        if !project.env_per_migration && steps.len() > 1 {
            notes.push(
                "`env.py` has no `transaction_per_migration=True`: run the revisions one by one, as the \
                 runbook does, or a failure in one undoes those before it"
                    .into(),
            );
        }
        Ok(Emission { parent: project.head, steps, notes, ..Emission::default() })
    }
}

/// What makes the revision the one it is.
fn content(request: &Request, step: &Step) -> String {
    let up = request.up(step);
    let statements = up.iter().flat_map(|rendered| &rendered.statements);
    statements.fold(request.message(step), |content, sql| format!("{content}\n{}", sql.text))
}

fn revision_view(
    request: &Request,
    step: &Step,
    revision: &str,
    parent: Option<&str>,
    position: usize,
) -> Revision {
    let mut module = Module::default();
    let (up, down) = (request.up(step), request.down(step));
    let upgrade = module.body(request, step.unit, &up);
    let mut downgrade = module.body(request, step.unit, &down);
    let mut downgrade_doc = step.down.note.clone().unwrap_or_else(|| "Downgrade schema.".into());
    if downgrade.is_empty() && step.down.note.is_none() {
        downgrade_doc = "Nothing to undo.".into();
    }
    if downgrade.is_empty() {
        downgrade = String::new();
    }
    let message = request.message(step);
    let created =
        request.created + chrono::TimeDelta::seconds(i64::try_from(position).unwrap_or(0) + 1);
    let text = format!(
        "{message}\n\nRevision ID: {revision}\nRevises: {}\nCreate Date: {}\n\n",
        parent.unwrap_or(""),
        created.format("%Y-%m-%d %H:%M:%S%.6f")
    );
    let mut imports = Vec::new();
    if module.sqlalchemy {
        imports.push("import sqlalchemy as sa");
    }
    imports.push("from alembic import op");
    if module.postgresql {
        imports.push("from sqlalchemy.dialects import postgresql");
    }
    Revision {
        docstring: docstring(&text),
        message,
        revision: revision.to_owned(),
        down_revision: parent.map_or_else(|| "None".into(), python::string),
        imports,
        constants: module.constants,
        upgrade,
        upgrade_doc: docstring("Upgrade schema."),
        downgrade,
        downgrade_doc: docstring(&wrapped(&downgrade_doc)),
        author: request.author.clone(),
        reason: request.reason.clone(),
    }
}

/// Sentences as the docstring of a function, on lines that fit.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > LINE - 4 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n    ")
}

/// A docstring, in which nothing can end it early.
fn docstring(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let text = if text.ends_with('"') { format!("{text} ") } else { text };
    format!("\"\"\"{text}\"\"\"")
}

/// What a module needs besides its functions.
#[derive(Default)]
struct Module {
    constants: Constants,
    sqlalchemy: bool,
    postgresql: bool,
}

impl Module {
    /// The lines of a function; empty where there is nothing to do.
    fn body(&mut self, request: &Request, unit: Unit, ops: &[Rendered]) -> String {
        let sqlite = request.plan.server.dialect == Dialect::Sqlite;
        let alone = unit == Unit::Alone;
        let indent = if alone { 8 } else { 4 };
        let mut lines: Vec<String> = Vec::new();
        for Rendered { op, statements } in ops {
            if let Some(calls) = self.native(request, unit, op, statements) {
                for (comment, call) in calls {
                    lines.extend(comments(&comment, indent));
                    lines.push(format!("{}{}", " ".repeat(indent), call.layout(indent, 0, 0)));
                }
                continue;
            }
            for sql in statements {
                lines.extend(self.execute(sql, indent));
            }
        }
        if lines.is_empty() {
            return String::new();
        }
        let mut before = Vec::new();
        let mut after = Vec::new();
        match unit {
            Unit::Transaction if sqlite => {
                // The driver opens no transaction for DDL: without this a failure would leave half.
                before.push(plain("BEGIN IMMEDIATE"));
            }
            Unit::Transaction => {}
            Unit::Alone => {
                before = set(settings(request, unit));
                after = reset(settings(request, unit));
            }
            Unit::Rebuild => {
                before = vec![plain("PRAGMA foreign_keys = OFF"), plain("BEGIN IMMEDIATE")];
                after = vec![plain("COMMIT"), plain("PRAGMA foreign_keys = ON")];
            }
        }
        let mut all: Vec<String> = Vec::new();
        if alone {
            all.push("    with op.get_context().autocommit_block():".into());
        }
        for sql in &before {
            all.extend(self.execute(sql, indent));
        }
        all.append(&mut lines);
        for sql in &after {
            all.extend(self.execute(sql, indent));
        }
        all.join("\n")
    }

    /// `op.execute(NAME)` or `op.execute("…")`.
    fn execute(&mut self, sql: &Sql, indent: usize) -> Vec<String> {
        let pad = " ".repeat(indent);
        let text = python::sa_text(&sql.text);
        let long = sql.text.contains('\n');
        if !long && sql.name.is_none() {
            let mut lines = comments(&sql.comment, indent);
            let call = call("op.execute", vec![Py::Str(text)], vec![]);
            lines.push(format!("{pad}{}", call.layout(indent, 0, 0)));
            return lines;
        }
        let name = sql.name.as_deref().unwrap_or("STATEMENT");
        let value = python::string(&format!("\n{text}\n"));
        let name = self.constants.name(name, &sql.comment, value);
        vec![format!("{pad}op.execute({name})")]
    }

    fn uses(&mut self, postgresql: bool) {
        self.sqlalchemy = true;
        self.postgresql |= postgresql;
    }
}

fn call(function: &str, args: Vec<Py>, kwargs: Vec<(String, Py)>) -> Py {
    Py::Call { function: function.into(), args, kwargs }
}

/// A name that no naming convention rewrites.
fn own_name(name: &str) -> Py {
    call("op.f", vec![Py::Str(name.into())], vec![])
}

fn schema(table: &TableName) -> Vec<(String, Py)> {
    table.schema.iter().map(|schema| ("schema".into(), Py::Str(schema.clone()))).collect()
}

fn comments(lines: &[String], indent: usize) -> Vec<String> {
    lines.iter().map(|line| format!("{}# {line}", " ".repeat(indent))).collect()
}
