//! Django: one migration a step; the state is changed apart from the database wherever Django's own
//! operation would run other SQL than the plan's.
//!
//! On SQLite that is always: its schema editor makes tables anew, and loses triggers and indexes it
//! does not know.

mod native;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::catalog::{Constraint, ConstraintKind, Table};
use crate::change::Change;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::package::constants::Constants;
use crate::package::django::{self, imports};
use crate::package::python::{self, Py};
use crate::package::sql_file::{reset, set};
use crate::package::{Emission, EmittedStep, File, Request, new_model, settings};
use crate::plan::{Field, ModelChange, Step, Unit};
use crate::repo::django::{self as repo, Model, Project};
use crate::sql::{Rendered, Sql};

use super::{ModelStyle, Target, at_home};
use native::undoes;

pub(super) struct Django;

/// What `migration.py.j2` sees; everything is Python already, operations indented.
#[derive(Serialize)]
struct Migration {
    imports: Vec<String>,
    constants: Constants,
    class_attributes: Vec<String>,
    dependencies: Vec<String>,
    operations: Vec<String>,
    message: String,
    author: Option<String>,
    reason: Option<String>,
}

impl Target for Django {
    fn name(&self) -> &'static str {
        "django"
    }

    fn title(&self) -> &'static str {
        "Django"
    }

    fn models(&self) -> ModelStyle {
        ModelStyle::Django
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn pause(&self) -> &'static str {
        "`PGOPTIONS='-c miggen.pause=0.2'` before `python`"
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let all = request.steps();
        let (tied, tables): (BTreeSet<&str>, BTreeSet<&str>) = all
            .iter()
            .map(|step| step.table.name.as_str())
            .partition(|name| is_tied(request, name));
        let tables: Vec<&str> = tables.into_iter().collect();
        let project = repo::read(request.repo, request.folder.as_deref(), &tables)?;
        let mut others = referenced_models(request)?;
        let created: Vec<&Table> = created(request).collect();
        for table in &created {
            let model = new_model::class_name(table).to_lowercase();
            others.insert(table.name.name.clone(), format!("{}.{model}", project.app));
        }
        for table in &created {
            if django::new::django(request.plan.server.dialect, table, &others).is_none() {
                others.remove(&table.name.name);
            }
        }
        refuse_tables_named_after(request, &project)?;
        let home = project.manage.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let command =
            |to: &str| at_home(home, &format!("python manage.py migrate {} {to}", project.app));
        let mut before = project.leaf.clone();
        let mut steps = Vec::new();
        for (position, step) in (0_u32..).zip(&all) {
            let name = project.migration_name(&request.file_slug(step), position);
            let mut view = migration(request, &project, &others, step, before.as_deref());
            if position == 0 {
                view.dependencies.extend(elsewhere(request, &project, &tied)?);
            }
            if view.operations.is_empty() {
                // A table without a model.
                steps.push(EmittedStep::default());
                continue;
            }
            let label = |name: &Option<String>| match name {
                Some(name) => name.chars().take_while(char::is_ascii_digit).collect::<String>(),
                None => "zero".into(),
            };
            // An unnumbered leaf is named in full.
            let short = |name: &Option<String>| match label(name) {
                text if text.is_empty() => name.clone().unwrap_or_default(),
                text => text,
            };
            let down = short(&before);
            before = Some(name.clone());
            let operations = view.operations.iter().map(String::as_str);
            let parts = view.constants.values().chain(operations);
            let contents = request.engine.render_whole("django/migration.py.j2", &view, parts)?;
            steps.push(EmittedStep {
                files: vec![File { path: project.folder.join(format!("{name}.py")), contents }],
                up: vec![command(&short(&before))],
                down: vec![command(&down)],
            });
        }
        let mut notes = Vec::new();
        if project.manage.is_none() {
            notes.push(
                "there is no manage.py here: the commands take the name of what stands for it"
                    .into(),
            );
        }
        for table in tables {
            if !project.models.contains_key(table) && !others.contains_key(table) {
                notes.push(format!(
                    "no model for the table {table} was found in {}: the migrations leave Django's state alone",
                    project.folder.display()
                ));
            }
        }
        if let Some(path) = project.unread.first() {
            notes.push(format!(
                "{} could not be read in full: compare the state with `makemigrations --check --dry-run`",
                path.display()
            ));
        }
        if let Some(path) = &project.max_migration {
            notes.push(format!(
                "write {} into {}",
                before.as_deref().unwrap_or(""),
                path.display()
            ));
        }
        let models = django::Models { labels: others, known: project.models };
        Ok(Emission { parent: project.leaf, steps, notes, models })
    }
}

/// Django finds the table of a `ManyToManyField` by the name of its model's table.
fn refuse_tables_named_after(request: &Request, project: &Project) -> Result<()> {
    for change in request.steps().iter().flat_map(|step| &step.model) {
        let ModelChange::RenameModel { from, .. } = change else { continue };
        let Some(model) = project.models.get(&from.name) else { continue };
        let said = |field: &repo::Field| {
            ["db_table", "through"].iter().any(|name| field.definition.keyword(name).is_some())
        };
        let named = model.fields.iter().find(|(_, field)| field.column.is_none() && !said(field));
        if let Some((name, _)) = named {
            return Err(Error::refused(format!(
                "Django looks for the rows of {}.{name} in a table named after `{}`",
                model.name, from.name
            ))
            .hint(format!("db_table=\"{}_{name}\" in its ManyToManyField first", from.name)));
        }
    }
    Ok(())
}

/// Only its foreign keys change, along with what they point to: no model says so.
fn is_tied(request: &Request, table: &str) -> bool {
    let plan = request.plan;
    let modelled = request.steps().iter().any(|s| s.table.name == table && !s.model.is_empty());
    !modelled
        && plan.intent.asked.iter().any(|asked| match &asked.change {
            Change::ChangeType(change) => {
                let mut from = plan.before.references_to(&change.table);
                change.table.name != table && from.any(|(from, _)| from.name.name == table)
            }
            _ => false,
        })
}

/// The newest migrations of other apps that have these tables, so that these are there.
fn elsewhere(
    request: &Request,
    project: &Project,
    tables: &BTreeSet<&str>,
) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for table in tables.iter().filter(|table| !project.models.contains_key(**table)) {
        let other = repo::read(request.repo, None, &[*table])?;
        if let Some(leaf) = other.leaf.filter(|_| other.app != project.app) {
            found.insert(dependency(&other.app, &leaf));
        }
    }
    Ok(found)
}

fn dependency(app: &str, name: &str) -> String {
    format!("({}, {})", python::string(app), python::string(name))
}

fn created<'r>(request: &'r Request) -> impl Iterator<Item = &'r Table> {
    request.steps().into_iter().flat_map(|step| &step.model).filter_map(|change| match change {
        ModelChange::AddModel(table) => Some(&**table),
        _ => None,
    })
}

/// The models of tables that new foreign keys point to, wherever in the project they are.
fn referenced_models(request: &Request) -> Result<BTreeMap<String, String>> {
    let mut models = BTreeMap::new();
    for reference in request.steps().iter().flat_map(|step| &step.model).flat_map(references) {
        if let ConstraintKind::ForeignKey { table, .. } = &reference.kind {
            let name = table.name.as_str();
            if created(request).any(|new| new.name == *table) {
                continue;
            }
            let project = repo::read(request.repo, None, &[name])?;
            if let Some(model) = project.models.get(name) {
                let label = format!("{}.{}", project.app, model.name.to_lowercase());
                models.insert(name.to_owned(), label);
            }
        }
    }
    Ok(models)
}

fn references(change: &ModelChange) -> Vec<&Constraint> {
    match change {
        ModelChange::AddField { field: Field { references, .. }, .. } => {
            references.iter().collect()
        }
        ModelChange::AddModel(table) => table.constraints.iter().collect(),
        _ => Vec::new(),
    }
}

fn migration(
    request: &Request,
    project: &Project,
    others: &BTreeMap<String, String>,
    step: &Step,
    before: Option<&str>,
) -> Migration {
    let mut builder = Builder {
        request,
        model: project.models.get(&step.table.name).filter(|model| model.is_managed),
        others,
        constants: Constants::default(),
        theirs: BTreeSet::new(),
    };
    let operations = builder.operations(step);
    let theirs = builder.theirs;
    // The class itself is one of `migrations`.
    let base = Py::raw("migrations.Migration");
    let imports = imports::lines(operations.iter().chain([&base]), &theirs);
    let atomic = step.unit != Unit::Alone;
    Migration {
        imports,
        constants: builder.constants,
        class_attributes: if atomic { Vec::new() } else { vec!["atomic = False".into()] },
        dependencies: before.iter().map(|leaf| dependency(&project.app, leaf)).collect(),
        operations: operations.iter().map(operation).collect(),
        message: request.message(step),
        author: request.author.clone(),
        reason: request.reason.clone(),
    }
}

struct Builder<'b> {
    request: &'b Request<'b>,
    model: Option<&'b Model>,
    /// `app.model` of tables that foreign keys point to.
    others: &'b BTreeMap<String, String>,
    constants: Constants,
    /// Import statements of definitions that are repeated.
    theirs: BTreeSet<String>,
}

impl Builder<'_> {
    fn dialect(&self) -> Dialect {
        self.request.plan.server.dialect
    }

    fn operations(&mut self, step: &Step) -> Vec<Py> {
        let (up, down) = (self.request.up(step), self.request.down(step));
        let flat = |part: &[Rendered]| -> Vec<Sql> {
            part.iter().flat_map(|rendered| rendered.statements.clone()).collect()
        };
        let names = settings(self.request, step.unit);
        let mut operations = Vec::new();
        let (pre, post, down_first, down_last);
        let native = self.native(step, &up);
        if let Some(native) = &native {
            let undone = down
                .iter()
                .position(|r| undoes(r.op, up[native.position].op))
                .unwrap_or(down.len());
            let mut head = flat(&up[..native.position]);
            head.extend(native.before.clone());
            pre = set(names).into_iter().chain(head).collect::<Vec<_>>();
            post = flat(&up[native.position + 1..])
                .into_iter()
                .chain(reset(names))
                .collect::<Vec<_>>();
            down_first = flat(&down[..undone]);
            down_last = flat(down.get(undone + 1..).unwrap_or(&[]));
        } else {
            let all = flat(&up);
            pre = if all.is_empty() {
                all
            } else {
                set(names).into_iter().chain(all).chain(reset(names)).collect()
            };
            post = Vec::new();
            let back = flat(&down);
            down_last = if back.is_empty() {
                back
            } else {
                set(names).into_iter().chain(back).chain(reset(names)).collect()
            };
            down_first = Vec::new();
        }
        let note = step.down.note.clone();
        let states = self.states(step, native.is_some());
        let run =
            self.run_sql(&pre, &down_last, if native.is_none() { note.as_deref() } else { None });
        match (run, native) {
            (run, Some(native)) => {
                operations.extend(run);
                operations.push(native.call);
                let after = self.run_sql(&post, &down_first, note.as_deref());
                operations.extend(after);
                if !states.is_empty() {
                    operations.push(state_only(states, None));
                }
            }
            (run, None) if !states.is_empty() => {
                operations.push(state_only(states, run));
            }
            (run, None) => operations.extend(run),
        }
        operations
    }

    /// `migrations.RunSQL([…], […])`; nothing where both directions are empty.
    fn run_sql(&mut self, up: &[Sql], down: &[Sql], note: Option<&str>) -> Option<Py> {
        if up.is_empty() && down.is_empty() {
            return None;
        }
        let noop = || Py::Raw("migrations.RunSQL.noop".into());
        let up = if up.is_empty() { noop() } else { self.list(up) };
        let down = if down.is_empty() { noop() } else { self.list(down) };
        let down = match note {
            Some(note) => Py::Commented { comment: vec![note.to_owned()], value: Box::new(down) },
            None => down,
        };
        Some(Py::call("migrations.RunSQL", [up, down], []))
    }

    fn list(&mut self, statements: &[Sql]) -> Py {
        let items = statements
            .iter()
            .map(|sql| {
                let long = sql.text.contains('\n') || sql.text.len() > 76;
                let named = sql.name.is_some();
                if long && (named || sql.text.contains('\n')) {
                    let name = sql.name.as_deref().unwrap_or("STATEMENT");
                    return Py::Raw(self.constant(name, sql));
                }
                let value = Py::Str(sql.text.clone());
                if sql.comment.is_empty() {
                    value
                } else {
                    Py::Commented { comment: sql.comment.clone(), value: Box::new(value) }
                }
            })
            .collect();
        Py::List(items)
    }

    fn constant(&mut self, name: &str, sql: &Sql) -> String {
        let value = python::string(&format!("\n{}\n", sql.text));
        self.constants.name(name, &sql.comment, value)
    }
}

/// Changes of the state, beside what is run on the database.
fn state_only(states: Vec<Py>, database: Option<Py>) -> Py {
    let database = database.map(|run| ("database_operations", Py::List(vec![run])));
    let states = [("state_operations", Py::List(states))];
    Py::call("migrations.SeparateDatabaseAndState", [], database.into_iter().chain(states))
}

fn operation(call: &Py) -> String {
    format!("        {},", call.layout(8, 0, 1))
}
