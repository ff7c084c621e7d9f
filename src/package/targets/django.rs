//! Django: one migration a step; the state is changed apart from the database wherever Django's own
//! operation would run other SQL than the plan's.
//!
//! On SQLite that is always: its schema editor makes tables anew, and loses triggers and indexes it
//! does not know.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::catalog::{Constraint, ConstraintKind, Index, Key, Table};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::package::python::{self, Py};
use crate::package::sql_file::{reset, set};
use crate::package::{Emission, EmittedStep, File, Request, django_model, new_model, settings};
use crate::plan::op::Op;
use crate::plan::{Field, ModelChange, RenamedIndex, Step, Unit};
use crate::repo::django::{self, Model, Project};
use crate::sql::{Rendered, Sql};

use super::Target;
use crate::package::constants::Constants;

pub(super) struct Django;

/// What `migration.py.j2` sees; everything is Python already, operations indented.
#[derive(Serialize)]
struct Migration {
    imports: Vec<&'static str>,
    constants: Constants,
    class_attributes: Vec<String>,
    dependencies: Vec<String>,
    operations: Vec<Operation>,
    message: String,
    author: Option<String>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Operation {
    comment: Vec<String>,
    code: String,
}

impl Target for Django {
    fn name(&self) -> &'static str {
        "django"
    }

    fn title(&self) -> &'static str {
        "Django"
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn emit(&self, request: &Request) -> Result<Emission> {
        let all = request.steps();
        let tables: BTreeSet<&str> = all.iter().map(|step| step.table.name.as_str()).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        let project = django::read(request.repo, request.folder.as_deref(), &tables)?;
        let mut others = referenced_models(request)?;
        let created: Vec<&Table> = created(request).collect();
        for table in &created {
            let model = new_model::class_name(table).to_lowercase();
            others.insert(table.name.name.clone(), format!("{}.{model}", project.app));
        }
        for table in &created {
            if new_model::django(request.plan.server.dialect, table, &others).is_none() {
                others.remove(&table.name.name);
            }
        }
        let mut before = project.leaf.clone();
        let mut steps = Vec::new();
        for (position, step) in (0_u32..).zip(&all) {
            let name = project.migration_name(&request.file_slug(step), position);
            let view = migration(request, &project, &others, step, before.as_deref());
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
            steps.push(EmittedStep {
                files: vec![File {
                    path: project.folder.join(format!("{name}.py")),
                    contents: request.engine.render("django/migration.py.j2", &view)?,
                }],
                up: vec![format!("python manage.py migrate {} {}", project.app, short(&before))],
                down: vec![format!("python manage.py migrate {} {down}", project.app)],
            });
        }
        let mut notes = Vec::new();
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
        Ok(Emission { parent: project.leaf.clone(), steps, notes, models: others })
    }
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
            let project = django::read(request.repo, None, &[name])?;
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
        model: project.models.get(&step.table.name),
        others,
        constants: Constants::default(),
        models: false,
        concurrently: false,
        now: false,
    };
    let operations = builder.operations(step);
    let mut imports = Vec::new();
    if builder.concurrently {
        imports.push("from django.contrib.postgres.operations import AddIndexConcurrently");
    }
    imports.push(if builder.models {
        "from django.db import migrations, models"
    } else {
        "from django.db import migrations"
    });
    if builder.now {
        imports.push("from django.db.models.functions import Now");
    }
    let atomic = step.unit != Unit::Alone;
    Migration {
        imports,
        constants: builder.constants,
        class_attributes: if atomic { Vec::new() } else { vec!["atomic = False".into()] },
        dependencies: before
            .iter()
            .map(|leaf| format!("({}, {})", python::string(&project.app), python::string(leaf)))
            .collect(),
        operations,
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
    models: bool,
    concurrently: bool,
    now: bool,
}

/// An operation of Django's own, and which of the step's operations it stands for.
struct Native {
    position: usize,
    call: Py,
    /// Statements of the operation that the call does not run.
    before: Vec<Sql>,
}

impl Builder<'_> {
    fn operations(&mut self, step: &Step) -> Vec<Operation> {
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
                operations.extend(run.map(|call| operation(Vec::new(), &call)));
                operations.push(operation(Vec::new(), &native.call));
                let after = self.run_sql(&post, &down_first, note.as_deref());
                operations.extend(after.map(|call| operation(Vec::new(), &call)));
                if !states.is_empty() {
                    operations.push(operation(Vec::new(), &state_only(states, None)));
                }
            }
            (run, None) if !states.is_empty() => {
                operations.push(operation(Vec::new(), &state_only(states, run)));
            }
            (run, None) => operations.extend(run.map(|call| operation(Vec::new(), &call))),
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
        Some(call("migrations.RunSQL", vec![up, down], vec![]))
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

    /// Django's own operation for one of the step's, where its SQL is the plan's.
    fn native(&mut self, step: &Step, up: &[Rendered]) -> Option<Native> {
        // One call cannot stand for several changes of the models.
        if self.request.plan.server.dialect != Dialect::Postgres || step.model.len() != 1 {
            return None;
        }
        let model = self.model?.name.to_lowercase();
        for (position, rendered) in up.iter().enumerate() {
            match rendered.op {
                Op::AddColumn { column, constraints, .. } if constraints.is_empty() => {
                    let field = step.model.iter().find_map(|change| match change {
                        ModelChange::AddField { field, .. } if field.column.name == column.name => {
                            Some(field)
                        }
                        _ => None,
                    })?;
                    let same = field.column == *column
                        && field.unique.is_none()
                        && field.references.is_none();
                    // Django quotes every name and writes types its own way; what counts is that the
                    // column comes out the same.
                    let constant =
                        field.column.default.as_ref().is_none_or(django_model::is_constant);
                    let text = self.field(field).filter(|_| same && constant)?;
                    self.uses(&text);
                    return Some(Native {
                        position,
                        call: add_field(&model, &column.name, text),
                        before: Vec::new(),
                    });
                }
                Op::CreateIndex { index, online: true, .. } => {
                    let known = step
                        .model
                        .iter()
                        .any(|change| matches!(change, ModelChange::AddIndex { .. }));
                    let text = self.index(index).filter(|_| known)?;
                    self.models = true;
                    self.concurrently = true;
                    return Some(Native {
                        position,
                        call: call(
                            "AddIndexConcurrently",
                            vec![],
                            vec![("model_name".into(), Py::Str(model)), ("index".into(), text)],
                        ),
                        before: rendered.statements[..rendered.statements.len() - 1].to_vec(),
                    });
                }
                _ => {}
            }
        }
        None
    }

    /// What the models know from this step on, apart from what a native call says already.
    fn states(&mut self, step: &Step, native: bool) -> Vec<Py> {
        let mut states = Vec::new();
        for change in &step.model {
            if let ModelChange::AddModel(table) = change
                && let Some(new) =
                    new_model::django(self.request.plan.server.dialect, table, self.others)
            {
                for (_, field) in &new.fields {
                    self.uses(field);
                }
                states.push(new.create(table));
            }
        }
        let Some(model) = self.model else {
            return states;
        };
        let name = model.name.to_lowercase();
        for change in &step.model {
            match change {
                ModelChange::AddField { field, .. } if !native => {
                    if let Some(text) = self.field(field) {
                        self.uses(&text);
                        states.push(add_field(&name, &django_model::field_name(field), text));
                    }
                }
                ModelChange::AlterField { field, .. } => {
                    if let Some(text) = self.field(field) {
                        self.uses(&text);
                        states.push(with_field(
                            "migrations.AlterField",
                            &name,
                            &field.column.name,
                            text,
                        ));
                    }
                }
                ModelChange::RenameField { from, field, indexes, .. } => {
                    let Some((old, known)) = model.field_of(from) else {
                        continue;
                    };
                    // The column is said apart from the name: it follows, whatever the field is called.
                    let rename = known.definition.keyword("db_column").is_none() && old == from;
                    if !rename {
                        continue;
                    }
                    for index in indexes.iter().filter(|index| self.knows(index)) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.before.name));
                    }
                    states.push(call(
                        "migrations.RenameField",
                        vec![],
                        vec![
                            ("model_name".into(), Py::Str(name.clone())),
                            ("old_name".into(), Py::Str(old.to_owned())),
                            ("new_name".into(), Py::Str(field.column.name.clone())),
                        ],
                    ));
                    let renamed: Vec<Py> = indexes
                        .iter()
                        .filter(|index| self.knows(index))
                        .filter_map(|index| self.index(&index.after))
                        .collect();
                    self.models |= !renamed.is_empty();
                    states.extend(renamed.into_iter().map(|text| add_index(&name, text)));
                }
                ModelChange::AddIndex { index, .. } if !native => {
                    if let Some(text) = self.index(index) {
                        self.models = true;
                        states.push(add_index(&name, text));
                    }
                }
                ModelChange::RemoveIndex { index, .. } => {
                    if model.indexes.iter().any(|own| own.name == index.name) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.name));
                    }
                }
                ModelChange::RemoveField { field, indexes, .. } => {
                    let Some((known, _)) = model.field_of(&field.column.name) else { continue };
                    let own = |index: &&Index| model.indexes.iter().any(|i| i.name == index.name);
                    for index in indexes.iter().filter(own) {
                        states.push(remove("migrations.RemoveIndex", &name, &index.name));
                    }
                    states.push(remove("migrations.RemoveField", &name, known));
                }
                ModelChange::AddField { .. }
                | ModelChange::AddIndex { .. }
                | ModelChange::AddModel(_)
                | ModelChange::Comment { .. } => {}
                ModelChange::RemoveModel { .. } => states.push(call(
                    "migrations.DeleteModel",
                    vec![],
                    vec![("name".into(), Py::Str(model.name.clone()))],
                )),
                ModelChange::RenameModel { to, .. } => states.push(call(
                    "migrations.AlterModelTable",
                    vec![],
                    vec![
                        ("name".into(), Py::Str(name.clone())),
                        ("table".into(), Py::Str(to.name.clone())),
                    ],
                )),
                ModelChange::AddConstraint { constraint, .. } => {
                    if let Some(text) = self.unique(constraint) {
                        self.models = true;
                        let model = ("model_name".into(), Py::Str(name.clone()));
                        let constraint = ("constraint".into(), text);
                        states.push(call(
                            "migrations.AddConstraint",
                            vec![],
                            vec![model, constraint],
                        ));
                    }
                }
                ModelChange::RemoveConstraint { constraint, .. } => {
                    let own = constraint.name.as_deref().unwrap_or("");
                    if model.constraints.iter().any(|known| known.name == own) {
                        states.push(remove("migrations.RemoveConstraint", &name, own));
                    }
                }
            }
        }
        states
    }

    /// The models declare this index by name; one made by `db_index` follows its field.
    fn knows(&self, index: &RenamedIndex) -> bool {
        self.model
            .is_some_and(|model| model.indexes.iter().any(|own| own.name == index.before.name))
    }

    fn field(&self, field: &Field) -> Option<Py> {
        let to = match &field.references {
            Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
                Some(self.others.get(&table.name).cloned()?)
            }
            _ => None,
        };
        django_model::field(self.request.plan.server.dialect, field, to.as_deref())
    }

    fn index(&self, index: &Index) -> Option<Py> {
        let simple = !index.unique
            && index.method.is_none()
            && index.filter.is_none()
            && index.include.is_empty()
            && index.options.is_none();
        if !simple {
            return None;
        }
        let model = self.model?;
        let fields: Option<Vec<Py>> = index
            .keys
            .iter()
            .map(|key| match key {
                Key::Column { name, rest: None } => {
                    let field = model.field_of(name).map_or(name.as_str(), |(field, _)| field);
                    Some(Py::Str(field.to_owned()))
                }
                _ => None,
            })
            .collect();
        Some(call(
            "models.Index",
            vec![],
            vec![
                ("fields".into(), Py::List(fields?)),
                ("name".into(), Py::Str(index.name.clone())),
            ],
        ))
    }

    /// `models.UniqueConstraint(fields=[…], name="…")`.
    fn unique(&self, constraint: &Constraint) -> Option<Py> {
        let (ConstraintKind::Unique(keys), None) = (&constraint.kind, &constraint.options) else {
            return None;
        };
        let model = self.model?;
        let fields = keys
            .iter()
            .filter_map(Key::column)
            .map(|name| Py::Str(model.field_of(name).map_or(name, |(field, _)| field).to_owned()));
        let name = Py::Str(constraint.name.clone()?);
        let kwargs = vec![("fields".into(), Py::List(fields.collect())), ("name".into(), name)];
        Some(call("models.UniqueConstraint", vec![], kwargs))
    }

    fn uses(&mut self, field: &Py) {
        self.models = true;
        self.now |= django_model::uses_now(field);
    }
}

fn undoes(down: &Op, up: &Op) -> bool {
    match (down, up) {
        (Op::DropColumn { column, .. }, Op::AddColumn { column: added, .. }) => {
            *column == added.name
        }
        (Op::DropIndex { index, .. }, Op::CreateIndex { index: made, .. }) => {
            index.name == made.name
        }
        _ => false,
    }
}

fn call(function: &str, args: Vec<Py>, kwargs: Vec<(String, Py)>) -> Py {
    Py::Call { function: function.into(), args, kwargs }
}

fn add_field(model: &str, name: &str, field: Py) -> Py {
    with_field("migrations.AddField", model, name, field)
}

fn with_field(function: &str, model: &str, name: &str, field: Py) -> Py {
    call(
        function,
        vec![],
        vec![
            ("model_name".into(), Py::Str(model.into())),
            ("name".into(), Py::Str(name.into())),
            ("field".into(), field),
        ],
    )
}

fn remove(function: &str, model: &str, name: &str) -> Py {
    let (model, name) = (Py::Str(model.into()), Py::Str(name.into()));
    call(function, vec![], vec![("model_name".into(), model), ("name".into(), name)])
}

fn add_index(model: &str, index: Py) -> Py {
    call(
        "migrations.AddIndex",
        vec![],
        vec![("model_name".into(), Py::Str(model.into())), ("index".into(), index)],
    )
}

/// Changes of the state, beside what is run on the database.
fn state_only(states: Vec<Py>, database: Option<Py>) -> Py {
    let mut kwargs = Vec::new();
    if let Some(database) = database {
        kwargs.push(("database_operations".into(), Py::List(vec![database])));
    }
    kwargs.push(("state_operations".into(), Py::List(states)));
    call("migrations.SeparateDatabaseAndState", vec![], kwargs)
}

fn operation(comment: Vec<String>, call: &Py) -> Operation {
    Operation { comment, code: format!("        {},", call.layout(8, 0, 1)) }
}
