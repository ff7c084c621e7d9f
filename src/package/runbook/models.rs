//! What the application's models may say, per deploy and framework.

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalog::{Constraint, ConstraintKind, Expr, Index, Key, TableName};
use crate::change::{Asked, Change, CommentOn};
use crate::dialect::Dialect;
use crate::package::{django_model, new_model, python};
use crate::plan::{Field, ModelChange, Plan};

/// Paragraphs and code blocks.
pub(super) fn application(
    plan: &Plan,
    target: &str,
    folder: &Path,
    models: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut parts = Vec::new();
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let changes: Vec<&ModelChange> = deploy.steps.iter().flat_map(|step| &step.model).collect();
        if changes.is_empty() {
            continue;
        }
        let mut lines: Vec<String> =
            changes.iter().flat_map(|change| lines(plan, target, change, models)).collect();
        if target == "django"
            && lines.iter().any(|line| line.starts_with('+') && line.contains("Now()"))
        {
            lines.insert(0, "+from django.db.models.functions import Now".into());
        }
        if !lines.is_empty() {
            let when = if plan.deploys.len() > 1 {
                format!("With deploy {}:", at + 1)
            } else {
                "New code:".into()
            };
            parts.push(if matches!(target, "alembic" | "django") {
                format!("{when}\n\n```diff\n{}\n```", lines.join("\n"))
            } else {
                format!("{when}\n\n- {}", lines.join("\n- "))
            });
        }
    }
    parts.extend(by_itself(plan));
    if target == "alembic" {
        parts.extend(leaving(plan, folder));
    }
    if parts.is_empty() {
        parts.push("None is needed.".into());
    }
    parts
}

/// What a trigger does for old code, and new code must do itself.
fn by_itself(plan: &Plan) -> Vec<String> {
    if plan.deploys.len() < 2 {
        return Vec::new();
    }
    let sentence = |asked: &Asked| match &asked.change {
        Change::AddColumn(add) => {
            let fill = add.fill.as_ref()?;
            let follows = match fill.sources.as_slice() {
                [] => String::new(),
                sources => format!(", and wherever it changes {}", sources.join(" or ")),
            };
            let name = &add.column.name;
            Some(format!(
                "New code writes {name} in every INSERT{follows}: the trigger that does it for old code leaves in deploy 2."
            ))
        }
        Change::Require(one) if one.fill.is_some() => Some(format!(
            "New code never writes NULL into {}: the trigger that mends it for old code leaves in deploy 2.",
            one.column
        )),
        _ => None,
    };
    plan.intent.asked.iter().filter_map(sentence).collect()
}

fn lines(
    plan: &Plan,
    target: &str,
    change: &ModelChange,
    models: &BTreeMap<String, String>,
) -> Vec<String> {
    let dialect = plan.server.dialect;
    match (change, target) {
        (ModelChange::AddField { field, .. }, "alembic") => {
            let mut lines = vec![format!("+    {}", mapped(dialect, field))];
            if let Some(name) = field.unique.as_ref().filter(|_| dialect == Dialect::Sqlite) {
                lines.push(format!(
                    "+    sa.Index({}, {}, unique=True)",
                    python::string(name),
                    python::string(&field.column.name)
                ));
            }
            lines
        }
        (ModelChange::AlterField { before, field, .. }, "alembic") => {
            vec![
                format!("-    {}", mapped(dialect, before)),
                format!("+    {}", mapped(dialect, field)),
            ]
        }
        (ModelChange::AlterKey { before, field, .. }, "alembic") => {
            vec![
                format!("-    {}", new_model::mapped(dialect, before, true)),
                format!("+    {}", new_model::mapped(dialect, field, true)),
            ]
        }
        (ModelChange::RenameField { from, field, indexes, .. }, "alembic") => {
            let mut old = field.clone();
            old.column.name.clone_from(from);
            let mut lines = vec![
                format!("-    {}", mapped(dialect, &old)),
                format!("+    {}", mapped(dialect, field)),
            ];
            for index in indexes {
                lines.push(format!("-    {}", table_arg(&index.before, index.constraint)));
                lines.push(format!("+    {}", table_arg(&index.after, index.constraint)));
            }
            lines
        }
        (ModelChange::AddIndex { index, .. }, "alembic") => {
            vec![format!("+    {}", table_arg(index, false))]
        }
        (ModelChange::AddField { field, .. }, "django") => {
            let name = django_model::field_name(field);
            vec![match django(dialect, field, models) {
                Some(text) => format!("+    {name} = {text}"),
                None => {
                    format!("     # {name}: no field of Django says this; the model does without")
                }
            }]
        }
        // A foreign key is of the type of what it points to.
        (ModelChange::AlterField { field: Field { references: Some(_), .. }, .. }, "django") => {
            Vec::new()
        }
        (ModelChange::AlterKey { before, field, .. }, "django") => {
            let text = |field: &Field| {
                let text = new_model::django_key(dialect, field)?.one_line()?;
                Some(text.replace(", serialize=False", "").replace("serialize=False, ", ""))
            };
            let Some(new) = text(field) else { return Vec::new() };
            let old = text(before).unwrap_or_else(|| "…".into());
            let name = &field.column.name;
            vec![format!("-    {name} = {old}"), format!("+    {name} = {new}")]
        }
        (ModelChange::AlterField { before, field, .. }, "django") => {
            let Some(new) = django(dialect, field, models) else { return Vec::new() };
            let old = django(dialect, before, models).unwrap_or_else(|| "…".into());
            let name = &field.column.name;
            vec![format!("-    {name} = {old}"), format!("+    {name} = {new}")]
        }
        (ModelChange::RenameField { from, field, indexes, .. }, "django") => {
            let text = django(dialect, field, models).unwrap_or_else(|| "…".into());
            let mut lines = vec![
                format!("-    {from} = {text}"),
                format!("+    {} = {text}", field.column.name),
            ];
            for index in indexes.iter().filter(|index| !index.constraint) {
                if let (Some(old), Some(new)) =
                    (django_index(&index.before), django_index(&index.after))
                {
                    lines.push(format!("-    {old}"));
                    lines.push(format!("+    {new}"));
                }
            }
            lines
        }
        (ModelChange::AddIndex { index, .. }, "django") => {
            django_index(index).map(|text| format!("+    {text}")).into_iter().collect()
        }
        (ModelChange::RemoveIndex { index, .. }, "alembic") => {
            vec![format!("-    {}", table_arg(index, false))]
        }
        (ModelChange::RemoveIndex { index, .. }, "django") => {
            django_index(index).map(|text| format!("-    {text}")).into_iter().collect()
        }
        (ModelChange::AddModel(table), "alembic") => {
            new_model::sqlalchemy(dialect, table).iter().map(added).collect()
        }
        (ModelChange::AddModel(table), "django") => new_model::django(dialect, table, models)
            .and_then(|model| model.class(table))
            .unwrap_or_default()
            .iter()
            .map(added)
            .collect(),
        (ModelChange::Comment { on, text, before }, "alembic") => {
            comment(on, text.as_deref(), before.as_deref())
        }
        (ModelChange::RemoveModel { table }, "alembic") => vec![format!(
            "-    __tablename__ = {}  # and the rest of its class",
            python::string(&table.name)
        )],
        (ModelChange::RemoveModel { table }, "django") => vec![format!(
            "-        db_table = {}  # and the rest of its class",
            python::string(&table.name)
        )],
        (ModelChange::RemoveModel { table }, _) => {
            vec![format!("{} is not named any more", table.name)]
        }
        (ModelChange::RenameModel { from, to, references }, "alembic") => {
            renamed_model(from, to, references)
        }
        (ModelChange::RenameModel { from, to, .. }, "django") => vec![
            format!("-        db_table = {}", python::string(&from.name)),
            format!("+        db_table = {}", python::string(&to.name)),
        ],
        (ModelChange::RenameModel { from, to, .. }, _) => {
            vec![format!("{} is read and written; {} is not named any more", to.name, from.name)]
        }
        (ModelChange::AddModel(table), _) => {
            vec![format!("{} may be read and written", table.name.name)]
        }
        (ModelChange::RemoveField { field, indexes, .. }, "alembic") => {
            let mut lines = vec![format!("-    {}", mapped(dialect, field))];
            lines.extend(indexes.iter().map(|index| format!("-    {}", table_arg(index, false))));
            lines
        }
        (ModelChange::RemoveField { field, indexes, .. }, "django") => {
            let text = django(dialect, field, models).unwrap_or_else(|| "…".into());
            let mut lines = vec![format!("-    {} = {text}", django_model::field_name(field))];
            lines
                .extend(indexes.iter().filter_map(django_index).map(|text| format!("-    {text}")));
            lines
        }
        (ModelChange::RemoveField { table, field, .. }, _) => {
            vec![format!("{}.{} is not named any more", table.name, field.column.name)]
        }
        (ModelChange::AddField { table, field }, _) => {
            vec![format!("{}.{} may be read and written", table.name, field.column.name)]
        }
        (
            ModelChange::AlterField { table, before, field }
            | ModelChange::AlterKey { table, before, field },
            _,
        ) => {
            let name = format!("{}.{}", table.name, field.column.name);
            let (was, is) = (&before.column, &field.column);
            vec![match (&is.default, was.not_null, is.not_null) {
                _ if was.ty != is.ty => format!("{name} is {}", is.ty),
                (_, false, true) => format!("{name} is never NULL"),
                (_, true, false) => format!("{name} may be NULL"),
                (Some(Expr(default)), ..) => {
                    format!("{name} is `{default}` where it is not given")
                }
                (None, ..) => format!("{name} is given by every INSERT"),
            }]
        }
        (ModelChange::AddConstraint { constraint, .. }, "alembic") => {
            constraint_arg(constraint).map(|arg| format!("+    {arg}")).into_iter().collect()
        }
        (ModelChange::RemoveConstraint { constraint, .. }, "alembic") => {
            constraint_arg(constraint).map(|arg| format!("-    {arg}")).into_iter().collect()
        }
        (ModelChange::AddConstraint { constraint, .. }, "django") => {
            django_unique(constraint).map(|text| format!("+    {text}")).into_iter().collect()
        }
        (ModelChange::RemoveConstraint { constraint, .. }, "django") => {
            django_unique(constraint).map(|text| format!("-    {text}")).into_iter().collect()
        }
        (ModelChange::AddConstraint { .. } | ModelChange::RemoveConstraint { .. }, _) => Vec::new(),
        (ModelChange::RenameField { table, from, field, .. }, _) => vec![format!(
            "{}.{} is read and written; {from} is not named any more",
            table.name, field.column.name
        )],
        (
            ModelChange::AddIndex { .. }
            | ModelChange::RemoveIndex { .. }
            | ModelChange::Comment { .. },
            _,
        ) => Vec::new(),
    }
}

fn renamed_model(
    from: &TableName,
    to: &TableName,
    references: &[(TableName, Constraint)],
) -> Vec<String> {
    let mut lines = vec![
        format!("-    __tablename__ = {}", python::string(&from.name)),
        format!("+    __tablename__ = {}", python::string(&to.name)),
    ];
    for (of, key) in references {
        let ConstraintKind::ForeignKey { columns, references, .. } = &key.kind else { continue };
        let id = references.first().map_or("id", String::as_str);
        for (mark, name) in [('-', from), ('+', to)] {
            let target = python::string(&format!("{}.{id}", name.name));
            let column = columns.join(", ");
            lines.push(format!("{mark}    {}.{column}: sa.ForeignKey({target})", of.name));
        }
    }
    lines
}

fn added(line: &String) -> String {
    format!("+{line}")
}

/// The argument `comment` of a column or table.
fn comment(on: &CommentOn, text: Option<&str>, before: Option<&str>) -> Vec<String> {
    let line = |mark: char, text: Option<&str>| {
        let text = python::string(text?);
        match on {
            CommentOn::Table(table) => {
                Some(format!("{mark}    {}: __table_args__ = {{\"comment\": {text}}}", table.name))
            }
            CommentOn::Column(table, column) => {
                Some(format!("{mark}    {}.{column}: mapped_column(…, comment={text})", table.name))
            }
            CommentOn::Index(..) | CommentOn::Constraint(..) => None,
        }
    };
    [line('-', before), line('+', text)].into_iter().flatten().collect()
}

fn django(dialect: Dialect, field: &Field, models: &BTreeMap<String, String>) -> Option<String> {
    let to = match &field.references {
        Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
            models.get(&table.name).cloned().or_else(|| Some(table.name.clone()))
        }
        _ => None,
    };
    django_model::field(dialect, field, to.as_deref()).and_then(|field| field.one_line())
}

/// `created_at = mapped_column(sa.DateTime(), server_default=sa.text("now()"), nullable=False)`
fn mapped(dialect: Dialect, field: &Field) -> String {
    new_model::mapped(dialect, field, false)
}

pub(in crate::package) fn table_arg(index: &Index, constraint: bool) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| match key {
            Key::Column { name, .. } => python::string(name),
            Key::Expr(Expr(text)) => format!("sa.text({})", python::string(&python::sa_text(text))),
        })
        .collect();
    let keys = keys.join(", ");
    if constraint {
        return format!("sa.UniqueConstraint({keys}, name={})", python::string(&index.name));
    }
    let unique = if index.unique { ", unique=True" } else { "" };
    let filter = match &index.filter {
        Some(Expr(text)) => {
            format!(", postgresql_where=sa.text({})", python::string(&python::sa_text(text)))
        }
        None => String::new(),
    };
    format!("sa.Index({}, {keys}{unique}{filter})", python::string(&index.name))
}

/// `sa.UniqueConstraint("a", "b", name="…")`, in `__table_args__`.
fn constraint_arg(constraint: &Constraint) -> Option<String> {
    let name = python::string(constraint.name.as_deref()?);
    let quoted = |names: &[String]| {
        names.iter().map(|name| python::string(name)).collect::<Vec<_>>().join(", ")
    };
    match &constraint.kind {
        ConstraintKind::Unique(keys) => {
            let columns: Vec<String> =
                keys.iter().filter_map(Key::column).map(str::to_owned).collect();
            Some(format!("sa.UniqueConstraint({}, name={name})", quoted(&columns)))
        }
        ConstraintKind::Check(Expr(expr)) => Some(format!(
            "sa.CheckConstraint({}, name={name})",
            python::string(&python::sa_text(expr))
        )),
        ConstraintKind::ForeignKey { columns, table, references, actions } => {
            let targets: Vec<String> = references
                .iter()
                .map(|column| match &table.schema {
                    Some(schema) => format!("{schema}.{}.{column}", table.name),
                    None => format!("{}.{column}", table.name),
                })
                .collect();
            Some(format!(
                "sa.ForeignKeyConstraint([{}], [{}], name={name}{})",
                quoted(columns),
                quoted(&targets),
                foreign_key_actions(actions.as_deref().unwrap_or(""))?
            ))
        }
        _ => None,
    }
}

/// `ON DELETE SET NULL` → `, ondelete="SET NULL"`; nothing where it says more than that.
fn foreign_key_actions(actions: &str) -> Option<String> {
    let words = actions.to_ascii_uppercase();
    let mut rest = words.trim();
    let mut text = String::new();
    while !rest.is_empty() {
        let (name, after) = match (rest.strip_prefix("ON DELETE "), rest.strip_prefix("ON UPDATE "))
        {
            (Some(after), _) => ("ondelete", after),
            (_, Some(after)) => ("onupdate", after),
            _ => return None,
        };
        let end = after.find(" ON ").unwrap_or(after.len());
        text.push_str(&format!(", {name}={}", python::string(&after[..end])));
        rest = after[end..].trim();
    }
    Some(text)
}

/// `models.UniqueConstraint(fields=["a", "b"], name="…")`, in `Meta.constraints`.
fn django_unique(constraint: &Constraint) -> Option<String> {
    let ConstraintKind::Unique(keys) = &constraint.kind else { return None };
    let fields: Vec<String> = keys.iter().filter_map(Key::column).map(python::string).collect();
    Some(format!(
        "models.UniqueConstraint(fields=[{}], name={})",
        fields.join(", "),
        python::string(constraint.name.as_deref()?)
    ))
}

fn django_index(index: &Index) -> Option<String> {
    let keys = plain_keys(index)?;
    Some(format!("models.Index(fields=[{keys}], name={})", python::string(&index.name)))
}

fn plain_keys(index: &Index) -> Option<String> {
    let keys: Option<Vec<String>> = index
        .keys
        .iter()
        .map(|key| match key {
            Key::Column { name, rest: None } => Some(python::string(name)),
            _ => None,
        })
        .collect();
    keys.filter(|_| !index.unique && index.filter.is_none()).map(|keys| keys.join(", "))
}

/// What the drift check of Alembic has to overlook until the last deploy: what the database holds
/// in between, and neither the models nor the end do.
fn leaving(plan: &Plan, folder: &Path) -> Option<String> {
    let after = &plan.intent.after;
    let mut names: Vec<(String, String)> = Vec::new();
    for state in plan.states().iter().rev().skip(1).rev() {
        for (name, table) in &state.tables {
            let Some(end) = after.tables.get(name) else { continue };
            let columns = table.columns.iter().map(|c| c.name.as_str());
            let indexes = table.indexes.iter().map(|i| i.name.as_str());
            let compared = |c: &&Constraint| {
                matches!(c.kind, ConstraintKind::Unique(_) | ConstraintKind::ForeignKey { .. })
            };
            let constraints =
                table.constraints.iter().filter(compared).filter_map(|c| c.name.as_deref());
            let here = columns.filter(|name| end.column(name).is_none()).chain(
                indexes
                    .chain(constraints)
                    .filter(|name| end.index(name).is_none() && end.constraint(name).is_none()),
            );
            for left in here {
                let entry = (name.name.clone(), left.to_owned());
                if !names.contains(&entry) {
                    names.push(entry);
                }
            }
        }
    }
    if names.is_empty() || !plan.archives.is_empty() {
        return leaving_tables(plan, folder, &names);
    }
    let set = pairs(&names);
    let last = plan.deploys.len();
    Some(format!(
        "In `env.py`, until deploy {last}, so that `alembic check` and autogenerate leave alone what is there for a while (pass \
         `include_object=include_object` to `context.configure`):\n\n```diff\n+LEAVING = {{{}}}  # {}\n+\n+\n\
         +def include_object(obj, name, type_, reflected, compare_to):\n+    \
         return type_ == \"table\" or (obj.table.name, name) not in LEAVING\n```",
        set.join(", "),
        folder.display()
    ))
}

fn pairs(names: &[(String, String)]) -> Vec<String> {
    let pair =
        |(t, n): &(String, String)| format!("({}, {})", python::string(t), python::string(n));
    names.iter().map(pair).collect()
}

/// The same for whole tables, and for those that keep what is dropped.
fn leaving_tables(plan: &Plan, folder: &Path, inside: &[(String, String)]) -> Option<String> {
    let changes = plan.deploys.iter().flat_map(|d| &d.steps).flat_map(|s| &s.model);
    let names: Vec<String> = changes
        .filter_map(|change| match change {
            ModelChange::RemoveModel { table } => Some(python::string(&table.name)),
            _ => None,
        })
        .collect();
    if !plan.archives.is_empty() {
        let archives = plan.archives.iter().map(|name| python::string(&name.name));
        let mut set: Vec<String> = archives.collect();
        set.extend(names);
        set.extend(pairs(inside));
        return Some(format!(
            "In `env.py`, for as long as they are there, so that `alembic check` and autogenerate leave alone what the models do \
             not know (pass `include_object=include_object` to `context.configure`):\n\n```diff\n+LEAVING = {{{}}}  # {}\n+\n+\n\
             +def include_object(obj, name, type_, reflected, compare_to):\n+    \
             key = name if type_ == \"table\" else (obj.table.name, name)\n+    return key not in LEAVING\n```",
            set.join(", "),
            folder.display()
        ));
    }
    if names.is_empty() || plan.deploys.len() == 1 {
        return None;
    }
    Some(format!(
        "In `env.py`, until deploy 2, so that `alembic check` and autogenerate leave the old table alone (pass \
         `include_object=include_object` to `context.configure`):\n\n```diff\n+LEAVING = {{{}}}  # {}\n+\n+\n\
         +def include_object(obj, name, type_, reflected, compare_to):\n+    \
         return type_ != \"table\" or name not in LEAVING\n```",
        names.join(", "),
        folder.display()
    ))
}
