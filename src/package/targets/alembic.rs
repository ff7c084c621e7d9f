//! Alembic: one revision a step, native operations where they say the same as the SQL.

mod table;

use serde::Serialize;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Key, TableName};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::package::python::{self, Py};
use crate::package::sql_file::{plain, reset, set};
use crate::package::{Emission, EmittedStep, File, LINE, Request, settings, types};
use crate::plan::op::Op;
use crate::plan::{Step, Unit};
use crate::repo::alembic;
use crate::sql::{Rendered, Sql};

use super::Target;
use crate::package::constants::Constants;

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

    fn emit(&self, request: &Request) -> Result<Emission> {
        let project =
            alembic::read(request.repo, request.folder.as_deref(), request.parent.as_deref())?;
        let alone = request.steps().iter().any(|step| step.unit == Unit::Alone);
        if let Some(obstacle) = project.obstacle.clone().filter(|_| alone) {
            return Err(obstacle);
        }
        let mut parent = project.head.clone();
        let mut steps = Vec::new();
        for (position, step) in request.steps().iter().enumerate() {
            let content = format!("{}\n{:?}", request.message(step), step.up);
            let revision = project.revision_id(parent.as_deref(), &content);
            let name =
                project.file_name(&revision, &request.file_slug(step), position, request.created);
            let view = revision_view(request, step, &revision, parent.as_deref(), position);
            steps.push(EmittedStep {
                files: vec![File {
                    path: project.versions.join(name),
                    contents: request.engine.render("alembic/revision.py.j2", &view)?,
                }],
                up: vec![format!("alembic upgrade {revision}")],
                down: vec![format!("alembic downgrade {}", parent.as_deref().unwrap_or("base"))],
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

    /// Alembic's own calls, where they give the same SQL.
    fn native(
        &mut self,
        request: &Request,
        unit: Unit,
        op: &Op,
        statements: &[Sql],
    ) -> Option<Vec<(Vec<String>, Py)>> {
        // One statement for several operations (a lock with what it is for) has no call.
        let folded = unit == Unit::Alone
            && statements
                .iter()
                .any(|sql| sql.name.as_ref().is_some_and(|name| name.starts_with("LOCK_")));
        if statements.is_empty() || folded {
            return None;
        }
        let dialect = request.plan.server.dialect;
        let postgres = dialect == Dialect::Postgres;
        let comment = || statements[0].comment.clone();
        match op {
            Op::AddColumn { table, column, constraints } => {
                if !postgres && !constraints.is_empty() {
                    return None;
                }
                let column = self.column(dialect, column)?;
                let mut calls = vec![(
                    comment(),
                    call("op.add_column", vec![Py::Str(table.name.clone()), column], schema(table)),
                )];
                for constraint in constraints {
                    calls.push((Vec::new(), Self::add_constraint(table, constraint)?));
                }
                Some(calls)
            }
            Op::CreateTable(table) => {
                let calls = self.create_table(dialect, table)?;
                Some(calls.into_iter().map(|call| (Vec::new(), call)).collect())
            }
            Op::DropTable(table) => {
                let name = vec![Py::Str(table.name.name.clone())];
                Some(vec![(comment(), call("op.drop_table", name, schema(&table.name)))])
            }
            Op::RenameTable { from, to } => {
                let names = vec![Py::Str(from.name.clone()), Py::Str(to.name.clone())];
                Some(vec![(comment(), call("op.rename_table", names, schema(from)))])
            }
            Op::Comment { on, text } => {
                Some(vec![(comment(), table::comment(on, text.as_deref())?)])
            }
            Op::DropColumn { table, column } => Some(vec![(
                comment(),
                call(
                    "op.drop_column",
                    vec![Py::Str(table.name.clone()), Py::Str(column.clone())],
                    schema(table),
                ),
            )]),
            Op::RenameColumn { table, from, to } if postgres => {
                let mut kwargs = vec![("new_column_name".into(), Py::Str(to.clone()))];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(from.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::SetDefault { table, column, expr: Expr(expr) } if postgres => {
                self.sqlalchemy = true;
                let default = call("sa.text", vec![Py::Str(python::sa_text(expr))], vec![]);
                let mut kwargs = vec![("server_default".into(), default)];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(column.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::SetNotNull { table, column } | Op::DropNotNull { table, column } if postgres => {
                let nullable = matches!(op, Op::DropNotNull { .. });
                let ty = request
                    .plan
                    .intent
                    .after
                    .tables
                    .get(table)
                    .and_then(|found| found.column(column))
                    .and_then(|found| types::sqlalchemy(dialect, &found.ty))?;
                self.uses(ty.postgresql);
                let mut kwargs = vec![
                    ("existing_type".into(), Py::Raw(ty.call)),
                    ("nullable".into(), Py::Raw(if nullable { "True" } else { "False" }.into())),
                ];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(column.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::AddConstraint { table, constraint } if postgres => {
                Some(vec![(comment(), Self::add_constraint(table, constraint)?)])
            }
            Op::DropConstraint { table, name } if postgres => {
                let mut kwargs = schema(table);
                kwargs.insert(
                    0,
                    ("type_".into(), Py::Str(constraint_type(request, table, name).into())),
                );
                let args = vec![own_name(name), Py::Str(table.name.clone())];
                Some(vec![(comment(), call("op.drop_constraint", args, kwargs))])
            }
            Op::CreateIndex { table, index, online } => {
                let create = self.create_index(table, index, *online)?;
                let mut calls = Vec::new();
                if *online {
                    calls.push((comment(), drop_index(table, index, true)));
                }
                calls.push((Vec::new(), create));
                Some(calls)
            }
            Op::DropIndex { table, index, online } => {
                Some(vec![(comment(), drop_index(table, index, *online))])
            }
            _ => None,
        }
    }

    fn uses(&mut self, postgresql: bool) {
        self.sqlalchemy = true;
        self.postgresql |= postgresql;
    }

    fn column(&mut self, dialect: Dialect, column: &Column) -> Option<Py> {
        let simple = column.collation.is_none()
            && column.generated.is_none()
            && column.identity.is_none()
            && column.other.is_empty();
        if !simple {
            return None;
        }
        // On SQLite the type is kept as text, and SQLAlchemy writes it in capitals.
        if dialect == Dialect::Sqlite && column.ty.chars().any(char::is_lowercase) {
            return None;
        }
        let ty = types::sqlalchemy(dialect, &column.ty)?;
        self.uses(ty.postgresql);
        let mut kwargs = Vec::new();
        if let Some(Expr(default)) = &column.default {
            let default = call("sa.text", vec![Py::Str(python::sa_text(default))], vec![]);
            kwargs.push(("server_default".into(), default));
        }
        let nullable = if column.not_null { "False" } else { "True" };
        kwargs.push(("nullable".into(), Py::Raw(nullable.into())));
        Some(call("sa.Column", vec![Py::Str(column.name.clone()), Py::Raw(ty.call)], kwargs))
    }

    fn add_constraint(table: &TableName, constraint: &Constraint) -> Option<Py> {
        let name = constraint.name.as_deref()?;
        if constraint.options.is_some() {
            return None;
        }
        let table_name = Py::Str(table.name.clone());
        let mut kwargs: Vec<(String, Py)> = Vec::new();
        let call_ = match &constraint.kind {
            ConstraintKind::Check(Expr(expr)) => {
                let args = vec![own_name(name), table_name, Py::Str(python::sa_text(expr))];
                kwargs.extend(schema(table));
                ("op.create_check_constraint", args)
            }
            ConstraintKind::ForeignKey { columns, table: to, references, actions: None } => {
                if references.is_empty() || table.schema.is_some() || to.schema.is_some() {
                    return None;
                }
                let list =
                    |names: &[String]| Py::List(names.iter().cloned().map(Py::Str).collect());
                let args = vec![
                    own_name(name),
                    table_name,
                    Py::Str(to.name.clone()),
                    list(columns),
                    list(references),
                ];
                ("op.create_foreign_key", args)
            }
            _ => return None,
        };
        if !constraint.valid {
            kwargs.push(("postgresql_not_valid".into(), Py::Raw("True".into())));
        }
        Some(call(call_.0, call_.1, kwargs))
    }

    fn create_index(&mut self, table: &TableName, index: &Index, online: bool) -> Option<Py> {
        let simple = index.method.is_none() && index.include.is_empty() && index.options.is_none();
        if !simple {
            return None;
        }
        let mut keys = Vec::new();
        for key in &index.keys {
            keys.push(match key {
                Key::Column { name, rest: None } => Py::Str(name.clone()),
                Key::Column { rest: Some(_), .. } => return None,
                Key::Expr(Expr(text)) => {
                    self.sqlalchemy = true;
                    call("sa.text", vec![Py::Str(python::sa_text(text))], vec![])
                }
            });
        }
        let args = vec![own_name(&index.name), Py::Str(table.name.clone()), Py::List(keys)];
        let mut kwargs: Vec<(String, Py)> = Vec::new();
        if index.unique {
            kwargs.push(("unique".into(), Py::Raw("True".into())));
        }
        kwargs.extend(schema(table));
        if online {
            kwargs.push(("postgresql_concurrently".into(), Py::Raw("True".into())));
        }
        if let Some(Expr(filter)) = &index.filter {
            self.sqlalchemy = true;
            let filter = call("sa.text", vec![Py::Str(python::sa_text(filter))], vec![]);
            let name = if online { "postgresql_where" } else { "sqlite_where" };
            kwargs.push((name.into(), filter));
        }
        Some(call("op.create_index", args, kwargs))
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

fn drop_index(table: &TableName, index: &Index, online: bool) -> Py {
    let mut kwargs = vec![("table_name".to_owned(), Py::Str(table.name.clone()))];
    kwargs.extend(schema(table));
    if online {
        kwargs.push(("postgresql_concurrently".into(), Py::Raw("True".into())));
        kwargs.push(("if_exists".into(), Py::Raw("True".into())));
    }
    call("op.drop_index", vec![own_name(&index.name)], kwargs)
}

/// What kind of constraint `name` is, before or after the change; our own helpers are CHECKs.
fn constraint_type(request: &Request, table: &TableName, name: &str) -> &'static str {
    let kind = [&request.plan.before, &request.plan.intent.after]
        .iter()
        .filter_map(|catalog| catalog.tables.get(table))
        .flat_map(|table| &table.constraints)
        .find(|constraint| constraint.name.as_deref() == Some(name))
        .map(|constraint| &constraint.kind);
    match kind {
        Some(ConstraintKind::Unique(_)) => "unique",
        Some(ConstraintKind::ForeignKey { .. }) => "foreignkey",
        Some(ConstraintKind::PrimaryKey(_)) => "primary",
        _ => "check",
    }
}

fn comments(lines: &[String], indent: usize) -> Vec<String> {
    lines.iter().map(|line| format!("{}# {line}", " ".repeat(indent))).collect()
}
