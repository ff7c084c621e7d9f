//! A new table as a model class.
//!
//! Enters: a table. Leaves: what SQLAlchemy's and Django's models say of it, `None` where a framework
//! has no model for such a table. Must not know: migrations.

use heck::ToUpperCamelCase;

use super::python;
use super::references;
use super::types::{self, SaType};
use crate::catalog::{Catalog, Column, ConstraintKind, Expr, Generated, Identity, Key, Table};
use crate::dialect::Dialect;
use crate::plan::Field;

/// `blog_tag` is the table of `BlogTag`.
pub(super) fn class_name(table: &Table) -> String {
    table.name.name.to_upper_camel_case()
}

/// The column with the constraints that are about it alone.
pub(super) fn field_of(table: &Table, column: &Column) -> Field {
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
pub(super) fn sqlalchemy(catalog: &Catalog, table: &Table) -> Vec<String> {
    let keys = table.primary_key().unwrap_or_default();
    let mut lines = vec![
        format!("class {}(Base):", class_name(table)),
        format!("    __tablename__ = {}", python::string(&table.name.name)),
        String::new(),
    ];
    let mut arguments = Vec::new();
    for column in &table.columns {
        let is_key = keys.iter().any(|key| key.column() == Some(column.name.as_str()));
        lines.push(format!("    {}", mapped(catalog, &field_of(table, column), is_key)));
    }
    for constraint in &table.constraints {
        let by_itself = match &constraint.kind {
            ConstraintKind::Unique(keys) => keys.len() > 1,
            ConstraintKind::ForeignKey { columns, .. } => columns.len() > 1,
            ConstraintKind::Check(_) => true,
            _ => false,
        };
        arguments.extend(super::runbook::constraint_arg(constraint).filter(|_| by_itself));
    }
    arguments.extend(
        table.indexes.iter().map(|index| super::runbook::table_arg(catalog.dialect, index, false)),
    );
    let schema = table.name.schema.as_deref().map(|schema| ("schema", schema));
    let options = schema.into_iter().chain(table.comment.as_deref().map(|text| ("comment", text)));
    let options: Vec<String> =
        options.map(|(name, text)| format!("\"{name}\": {}", python::string(text))).collect();
    if !options.is_empty() {
        arguments.push(format!("{{{}}}", options.join(", ")));
    }
    if !arguments.is_empty() {
        lines.push(String::new());
        lines.push(format!("    __table_args__ = ({},)", arguments.join(", ")));
    }
    lines
}

/// `id: Mapped[int] = mapped_column(sa.BigInteger(), sa.Identity(), primary_key=True)`
pub(super) fn mapped(catalog: &Catalog, field: &Field, is_key: bool) -> String {
    let (dialect, column) = (catalog.dialect, &field.column);
    let ty = types::sqlalchemy(dialect, column.integer_type())
        .or_else(|| types::sqlalchemy_enum(catalog, &column.ty))
        .map(|ty| collated(ty, column.collation.as_deref()));
    let annotation = ty.as_ref().and_then(types::annotation);
    let mut args = vec![ty.map_or_else(|| format!("…{}…", column.ty), |ty| ty.call)];
    if let Some(reference) = &field.references
        && let ConstraintKind::ForeignKey { table, references, actions, .. } = &reference.kind
    {
        let column = references.first().map_or("id", String::as_str);
        let schema = table.schema.iter().map(|schema| format!("{schema}."));
        let target = format!("{}{}.{column}", schema.collect::<String>(), table.name);
        let mut parts = vec![python::string(&target)];
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
    // Else the attribute has the column's name.
    let name = attribute(&column.name);
    if name != column.name {
        args.insert(0, python::string(&column.name));
    }
    format!("{name}{annotation} = mapped_column({})", args.join(", "))
}

fn collated(ty: SaType, collation: Option<&str>) -> SaType {
    let Some(collation) = collation else { return ty };
    let collation = format!("collation={}", python::string(collation.trim_matches('"')));
    let open = ty.call.trim_end_matches(')');
    let comma = if open.ends_with('(') { "" } else { ", " };
    SaType { call: format!("{open}{comma}{collation})"), ..ty }
}

/// What Python, the declarative base and the types beside it leave free: `class_`, `my_column`.
fn attribute(column: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || letter == '_';
    let name: String = column.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    // In a class the name of an attribute hides that of a type.
    let is_type = types::HOMES.iter().any(|(ty, _)| *ty == name)
        || matches!(name.as_str(), "bool" | "bytes" | "float" | "int" | "list" | "str");
    let is_taken = matches!(name.as_str(), "metadata" | "registry");
    if python::is_keyword(&name) || is_taken || is_type {
        format!("{name}_")
    } else if name.starts_with(|first: char| first.is_numeric()) {
        format!("_{name}")
    } else {
        name
    }
}
