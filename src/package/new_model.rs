//! A new table as a model class.
//!
//! Enters: a table. Leaves: what SQLAlchemy's and Django's models say of it, `None` where a framework
//! has no model for such a table. Must not know: migrations.

use std::collections::BTreeMap;

use heck::ToUpperCamelCase;

use super::python::{self, Py};
use super::{django_model, references, types};
use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Generated, Identity, Key, Table};
use crate::dialect::Dialect;
use crate::plan::Field;

/// `blog_tag` is the table of `BlogTag`.
pub(super) fn class_name(table: &Table) -> String {
    table.name.name.to_upper_camel_case()
}

/// A model of Django, for a migration's state and for people.
pub(super) struct DjangoModel {
    pub(super) name: String,
    /// Name, and the call.
    pub(super) fields: Vec<(String, Py)>,
    pub(super) indexes: Vec<Py>,
    pub(super) constraints: Vec<Py>,
}

/// `models` are the labels of the models that tables have.
pub(super) fn django(
    dialect: Dialect,
    table: &Table,
    models: &BTreeMap<String, String>,
) -> Option<DjangoModel> {
    let [Key::Column { name: key, .. }] = table.primary_key()? else {
        return None;
    };
    let mut fields = Vec::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for column in &table.columns {
        let of = field_of(table, column);
        let (name, text) = if column.name == *key {
            (column.name.clone(), django_key(dialect, &of)?)
        } else if column.identity.is_some() {
            return None;
        } else {
            let to = match &of.references {
                Some(Constraint { kind: ConstraintKind::ForeignKey { table, .. }, .. }) => {
                    Some(models.get(&table.name)?.as_str())
                }
                _ => None,
            };
            (django_model::field_name(&of), django_model::field(dialect, &of, to)?)
        };
        if !is_field_name(&name) {
            return None;
        }
        names.insert(&column.name, name.clone());
        fields.push((name, text));
    }
    let listed = |keys: &[Key]| -> Option<Vec<Py>> {
        let field = |key: &Key| match key {
            Key::Column { name, rest: None } => names.get(name.as_str()).cloned().map(Py::Str),
            _ => None,
        };
        keys.iter().map(field).collect()
    };
    let call = |function: &str, keys: &[Key], name: &str| -> Option<Py> {
        let kwargs = [("fields", Py::List(listed(keys)?)), ("name", Py::str(name))];
        Some(Py::call(function, [], kwargs))
    };
    // A model names its indexes in no more than 30 characters, and fills in what a `%` marks.
    let plain = |index: &&crate::catalog::Index| {
        !index.unique
            && index.method.is_none()
            && index.filter.is_none()
            && index.include.is_empty()
            && index.options.is_none()
            && index.name.len() <= 30
            && !index.name.contains('%')
    };
    let indexes = table.indexes.iter().filter(plain);
    let indexes = indexes.filter_map(|index| call("models.Index", &index.keys, &index.name));
    let constraints = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Unique(keys) if keys.len() > 1 && constraint.options.is_none() => {
            let name = constraint.name.as_deref().filter(|name| !name.contains('%'))?;
            call("models.UniqueConstraint", keys, name)
        }
        _ => None,
    });
    Some(DjangoModel {
        name: class_name(table),
        indexes: indexes.collect(),
        constraints: constraints.collect(),
        fields,
    })
}

impl DjangoModel {
    /// The class, line by line.
    pub(super) fn class(&self, table: &Table) -> Option<Vec<String>> {
        let mut lines = vec![format!("class {}(models.Model):", self.name)];
        for (name, call) in &self.fields {
            lines.push(format!(
                "    {name} = {}",
                call.one_line()?.replace(", serialize=False", "")
            ));
        }
        lines.push(String::new());
        lines.push("    class Meta:".into());
        lines.push(format!("        db_table = {}", python::string(&table.name.name)));
        for (name, list) in [("indexes", &self.indexes), ("constraints", &self.constraints)] {
            if !list.is_empty() {
                lines.push(format!("        {name} = {}", Py::List(list.clone()).one_line()?));
            }
        }
        Some(lines)
    }

    /// `migrations.CreateModel(…)`, for the state.
    pub(super) fn create(&self, table: &Table) -> Py {
        let fields = self
            .fields
            .iter()
            .map(|(name, call)| Py::Tuple(vec![Py::str(name.clone()), call.clone()]));
        let mut options = vec![(Py::str("db_table"), Py::str(table.name.name.clone()))];
        for (name, list) in [("indexes", &self.indexes), ("constraints", &self.constraints)] {
            if !list.is_empty() {
                options.push((Py::str(name), Py::List(list.clone())));
            }
        }
        Py::call(
            "migrations.CreateModel",
            [],
            [
                ("name", Py::str(self.name.clone())),
                ("fields", Py::List(fields.collect())),
                ("options", Py::Dict(options)),
            ],
        )
    }
}

/// What Python takes as a name, and Django as a field's.
fn is_field_name(name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
        "lambda", "nonlocal", "not", "or", "pass", "pk", "raise", "return", "try", "while", "with",
        "yield",
    ];
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    plain && starts && !name.contains("__") && !name.ends_with('_') && !KEYWORDS.contains(&name)
}

pub(super) fn django_key(dialect: Dialect, field: &Field) -> Option<Py> {
    let column = &field.column;
    let ty = column.ty.to_ascii_lowercase();
    let auto = match (dialect, ty.as_str()) {
        (Dialect::Sqlite, "integer") => Some("BigAutoField"),
        (_, "bigserial" | "serial8") => Some("BigAutoField"),
        (_, "serial" | "serial4") => Some("AutoField"),
        (_, "bigint" | "int8") if column.identity.is_some() => Some("BigAutoField"),
        (_, "integer" | "int" | "int4") if column.identity.is_some() => Some("AutoField"),
        _ if column.identity.is_some() || field.references.is_some() => return None,
        _ => None,
    };
    let key = [("primary_key", Py::raw("True")), ("serialize", Py::raw("False"))];
    if let Some(class) = auto {
        return Some(Py::call(format!("models.{class}"), [], key));
    }
    let required = Field { column: Column { not_null: true, ..column.clone() }, ..field.clone() };
    let Py::Call { function, args, mut kwargs } = django_model::field(dialect, &required, None)?
    else {
        return None;
    };
    kwargs.extend(key.map(|(name, value)| (name.to_owned(), value)));
    Some(Py::Call { function, args, kwargs })
}

/// The column with the constraints that are about it alone.
fn field_of(table: &Table, column: &Column) -> Field {
    let alone =
        |keys: &[Key]| matches!(keys, [Key::Column { name, rest: None }] if *name == column.name);
    let mut field = Field { column: column.clone(), unique: None, references: None };
    for constraint in &table.constraints {
        match &constraint.kind {
            ConstraintKind::Unique(keys) if alone(keys) && constraint.options.is_none() => {
                field.unique = constraint.name.clone().or_else(|| Some(String::new()));
            }
            ConstraintKind::ForeignKey { columns, .. } if *columns == [column.name.clone()] => {
                field.references = Some(constraint.clone());
            }
            _ => {}
        }
    }
    field
}

/// The class of SQLAlchemy, line by line; `…type…` where it has no such type.
pub(super) fn sqlalchemy(dialect: Dialect, table: &Table) -> Vec<String> {
    let keys = table.primary_key().unwrap_or_default();
    let mut lines = vec![
        format!("class {}(Base):", class_name(table)),
        format!("    __tablename__ = {}", python::string(&table.name.name)),
        String::new(),
    ];
    let mut arguments = Vec::new();
    for column in &table.columns {
        let is_key = keys.iter().any(|key| key.column() == Some(column.name.as_str()));
        lines.push(format!("    {}", mapped(dialect, &field_of(table, column), is_key)));
    }
    for constraint in &table.constraints {
        if let ConstraintKind::Unique(keys) = &constraint.kind
            && keys.len() > 1
            && let Some(name) = &constraint.name
        {
            let keys: Vec<String> =
                keys.iter().filter_map(Key::column).map(python::string).collect();
            let name = python::string(name);
            arguments.push(format!("sa.UniqueConstraint({}, name={name})", keys.join(", ")));
        }
    }
    arguments.extend(table.indexes.iter().map(|index| super::runbook::table_arg(index, false)));
    if let Some(comment) = &table.comment {
        arguments.push(format!("{{\"comment\": {}}}", python::string(comment)));
    }
    if !arguments.is_empty() {
        lines.push(String::new());
        lines.push(format!("    __table_args__ = ({},)", arguments.join(", ")));
    }
    lines
}

/// `id: Mapped[int] = mapped_column(sa.BigInteger(), sa.Identity(), primary_key=True)`
pub(super) fn mapped(dialect: Dialect, field: &Field, is_key: bool) -> String {
    let column = &field.column;
    let ty = types::sqlalchemy(dialect, &column.ty);
    let annotation = ty.as_ref().and_then(types::annotation);
    let mut args = vec![ty.map_or_else(|| format!("…{}…", column.ty), |ty| ty.call)];
    if let Some(reference) = &field.references
        && let ConstraintKind::ForeignKey { table, references, actions, .. } = &reference.kind
    {
        let column = references.first().map_or("id", String::as_str);
        let mut parts = vec![python::string(&format!("{}.{column}", table.name))];
        if let Some(name) = reference.name.as_ref().filter(|_| reference.named) {
            parts.push(format!("name={}", python::string(name)));
        }
        for (name, value) in references::arguments(actions.as_deref()).unwrap_or_default() {
            parts.push(format!("{name}={}", python::string(&value)));
        }
        args.push(format!("sa.ForeignKey({})", parts.join(", ")));
    }
    if let Some(Identity::Generated(text)) = &column.identity {
        let always = text.to_ascii_uppercase().contains("ALWAYS AS");
        args.push(if always { "sa.Identity(always=True)" } else { "sa.Identity()" }.into());
    }
    if let Some(Generated { expr: Expr(expr), stored }) = &column.generated {
        let stored = if *stored { "True" } else { "False" };
        let expr = python::string(&python::sa_text(expr));
        args.push(format!("sa.Computed({expr}, persisted={stored})"));
    }
    // A key of integers counts by itself.
    let counts = is_key && column.identity == Some(Identity::Serial);
    if let Some(Expr(default)) = column.default.as_ref().filter(|_| !counts) {
        args.push(format!("server_default=sa.text({})", python::string(&python::sa_text(default))));
    }
    if field.unique.is_some() && (dialect != Dialect::Sqlite || is_key) {
        args.push("unique=True".into());
    }
    if is_key {
        args.push("primary_key=True".into());
        // SQLite's keys take NULL.
        if !column.not_null {
            args.push("nullable=True".into());
        }
    } else if annotation.is_none() {
        args.push(format!("nullable={}", if column.not_null { "False" } else { "True" }));
    }
    if let Some(comment) = &column.comment {
        args.push(format!("comment={}", python::string(comment)));
    }
    let annotation = annotation.map_or_else(String::new, |python| {
        let or_none = if column.not_null || is_key { "" } else { " | None" };
        format!(": Mapped[{python}{or_none}]")
    });
    format!("{}{annotation} = mapped_column({})", column.name, args.join(", "))
}
