//! Whole tables and comments as Alembic's own calls.

use super::{Module, call, own_name, schema};
use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Identity, Key, Table};
use crate::change::CommentOn;
use crate::dialect::Dialect;
use crate::package::python::{self, Py};
use crate::package::{references, types};

impl Module {
    /// `op.create_table(…)`, then its indexes; `None` where a part has no call that says the same.
    pub(super) fn create_table(&mut self, dialect: Dialect, table: &Table) -> Option<Vec<Py>> {
        let plain = table.options.is_none()
            && table.indexes.iter().all(|index| index.comment.is_none())
            && table.constraints.iter().all(|constraint| constraint.comment.is_none());
        if dialect != Dialect::Postgres || !plain {
            return None;
        }
        let mut args = vec![Py::Str(table.name.name.clone())];
        for column in &table.columns {
            args.push(self.new_column(table, column)?);
        }
        for constraint in &table.constraints {
            args.push(table_constraint(constraint)?);
        }
        let mut kwargs = schema(&table.name);
        if let Some(comment) = &table.comment {
            kwargs.push(("comment".into(), comment_text(comment)?));
        }
        let mut calls = vec![call("op.create_table", args, kwargs)];
        for index in &table.indexes {
            calls.push(self.create_index(dialect, &table.name, index, false)?);
        }
        self.sqlalchemy = true;
        Some(calls)
    }

    fn new_column(&mut self, table: &Table, column: &Column) -> Option<Py> {
        if column.collation.is_some() || column.generated.is_some() || !column.other.is_empty() {
            return None;
        }
        let is_key = table
            .primary_key()
            .unwrap_or_default()
            .iter()
            .any(|key| key.column() == Some(column.name.as_str()));
        let mut args = vec![Py::Str(column.name.clone())];
        let mut kwargs: Vec<(String, Py)> = Vec::new();
        let lower = column.ty.to_ascii_lowercase();
        let ty = match (&column.identity, lower.as_str()) {
            (Some(Identity::Serial), "bigserial" | "serial8") if is_key => "bigint",
            (Some(Identity::Serial), "serial" | "serial4") if is_key => "integer",
            (Some(Identity::Serial | Identity::AutoIncrement), _) => return None,
            _ => &column.ty,
        };
        let ty = types::sqlalchemy(Dialect::Postgres, ty)?;
        self.uses(ty.postgresql);
        args.push(Py::Raw(ty.call));
        match &column.identity {
            Some(Identity::Generated(text)) => args.push(identity(text)?),
            Some(_) => kwargs.push(("autoincrement".into(), Py::raw("True"))),
            // Else SQLAlchemy makes an integer key a serial.
            None if is_key => kwargs.push(("autoincrement".into(), Py::raw("False"))),
            None => {}
        }
        if let Some(Expr(default)) = &column.default {
            let default = call("sa.text", vec![Py::Str(python::sa_text(default))], vec![]);
            kwargs.push(("server_default".into(), default));
        }
        let nullable = if column.not_null { "False" } else { "True" };
        kwargs.push(("nullable".into(), Py::raw(nullable)));
        if let Some(comment) = &column.comment {
            kwargs.push(("comment".into(), comment_text(comment)?));
        }
        Some(call("sa.Column", args, kwargs))
    }
}

fn table_constraint(constraint: &Constraint) -> Option<Py> {
    if constraint.options.is_some() || !constraint.valid {
        return None;
    }
    let mut kwargs: Vec<(String, Py)> = Vec::new();
    if let Some(name) = &constraint.name {
        kwargs.push(("name".into(), own_name(name)));
    }
    let list = |names: &[String]| Py::List(names.iter().cloned().map(Py::Str).collect());
    let columns = |keys: &[Key]| -> Option<Vec<Py>> {
        keys.iter()
            .map(|key| match key {
                Key::Column { name, rest: None } => Some(Py::Str(name.clone())),
                _ => None,
            })
            .collect()
    };
    let (function, args) = match &constraint.kind {
        ConstraintKind::PrimaryKey(keys) => ("sa.PrimaryKeyConstraint", columns(keys)?),
        ConstraintKind::Unique(keys) => ("sa.UniqueConstraint", columns(keys)?),
        ConstraintKind::Check(Expr(expr)) => {
            ("sa.CheckConstraint", vec![Py::Str(python::sa_text(expr))])
        }
        ConstraintKind::ForeignKey { columns, table, references, actions } => {
            if references.is_empty() {
                return None;
            }
            let more = references::arguments(actions.as_deref())?;
            kwargs.extend(more.into_iter().map(|(name, value)| (name.into(), Py::Str(value))));
            let target = |column: &String| {
                let schema = table.schema.iter().map(|schema| format!("{schema}."));
                format!("{}{}.{column}", schema.collect::<String>(), table.name)
            };
            // A dot in a name would be read as one between names.
            if references.iter().chain([&table.name]).any(|name| name.contains('.')) {
                return None;
            }
            let targets: Vec<String> = references.iter().map(target).collect();
            ("sa.ForeignKeyConstraint", vec![list(columns), list(&targets)])
        }
        ConstraintKind::NotNull(_) | ConstraintKind::Exclude(_) => return None,
    };
    Some(call(function, args, kwargs))
}

/// `sa.Identity()`; with options of its own it is left to SQL.
fn identity(text: &str) -> Option<Py> {
    match text.to_ascii_uppercase().split_whitespace().collect::<Vec<_>>().as_slice() {
        ["GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"] => {
            Some(call("sa.Identity", vec![], vec![]))
        }
        ["GENERATED", "ALWAYS", "AS", "IDENTITY"] => {
            Some(call("sa.Identity", vec![], vec![("always".into(), Py::raw("True"))]))
        }
        _ => None,
    }
}

/// A comment's text, where SQLAlchemy prints it as it is.
fn comment_text(text: &str) -> Option<Py> {
    (!text.contains(['%', '\\', ':'])).then(|| Py::Str(text.to_owned()))
}

/// `op.create_table_comment(…)`, `op.alter_column(…, comment=…)`.
pub(super) fn comment(on: &CommentOn, text: Option<&str>) -> Option<Py> {
    let value = match text {
        Some(text) => comment_text(text)?,
        None => Py::raw("None"),
    };
    let table = on.table();
    let name = Py::Str(table.name.clone());
    match (on, text) {
        (CommentOn::Table(_), Some(_)) => {
            Some(call("op.create_table_comment", vec![name, value], schema(table)))
        }
        (CommentOn::Table(_), None) => {
            Some(call("op.drop_table_comment", vec![name], schema(table)))
        }
        (CommentOn::Column(_, column), _) => {
            let mut kwargs = vec![("comment".to_owned(), value)];
            kwargs.extend(schema(table));
            Some(call("op.alter_column", vec![name, Py::Str(column.clone())], kwargs))
        }
        (CommentOn::Index(..) | CommentOn::Constraint(..), _) => None,
    }
}
