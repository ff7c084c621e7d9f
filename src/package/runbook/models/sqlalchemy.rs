//! Changes of models as SQLAlchemy declares them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::catalog::{Catalog, Constraint, ConstraintKind, Expr, Index, Key, TableName};
use crate::change::CommentOn;
use crate::dialect::{Dialect, quote};
use crate::package::{new_model, python, references, types};
use crate::plan::{Field, ModelChange};

use super::diff::{Line, List, whole};

const ARGUMENTS: List = List { before: &["    __table_args__ = ("], after: &["    )"] };

pub(super) fn lines(catalog: &Catalog, change: &ModelChange) -> Vec<Line> {
    let dialect = catalog.dialect;
    let argument = |mark: char, text: String| Line::listed(mark, ARGUMENTS, &text);
    let index = |mark: char, index: &Index| argument(mark, table_arg(dialect, index, false));
    match change {
        ModelChange::AddField { field, .. } => {
            let mut lines = vec![Line::field('+', &mapped(catalog, field))];
            if let Some(name) = field.unique.as_ref().filter(|_| dialect == Dialect::Sqlite) {
                let (name, column) = (python::string(name), python::string(&field.column.name));
                lines.push(argument('+', format!("sa.Index({name}, {column}, unique=True)")));
            }
            lines
        }
        ModelChange::AlterField { before, field, .. } => vec![
            Line::field('-', &mapped(catalog, before)),
            Line::field('+', &mapped(catalog, field)),
        ],
        ModelChange::AlterKey { before, field, .. } => vec![
            Line::field('-', &new_model::mapped(catalog, before, true)),
            Line::field('+', &new_model::mapped(catalog, field, true)),
        ],
        ModelChange::RenameField { from, field, indexes, .. } => {
            let mut old = field.clone();
            old.column.name.clone_from(from);
            let mut lines = vec![
                Line::field('-', &mapped(catalog, &old)),
                Line::field('+', &mapped(catalog, field)),
            ];
            for index in indexes {
                lines.push(argument('-', table_arg(dialect, &index.before, index.constraint)));
                lines.push(argument('+', table_arg(dialect, &index.after, index.constraint)));
            }
            lines
        }
        ModelChange::AddIndex { index: added, .. } => vec![index('+', added)],
        ModelChange::RemoveIndex { index: removed, .. } => vec![index('-', removed)],
        ModelChange::AddModel(table) => {
            new_model::sqlalchemy(catalog, table).into_iter().map(|line| whole('+', line)).collect()
        }
        ModelChange::Comment { on, text, before } => {
            comment(on, text.as_deref(), before.as_deref())
        }
        ModelChange::RemoveModel { table } => {
            let name = python::string(&table.name);
            vec![Line::field('-', &format!("__tablename__ = {name}  # and the rest of its class"))]
        }
        ModelChange::RenameModel { from, to, references } => renamed_model(from, to, references),
        ModelChange::RemoveField { field, indexes, .. } => {
            let mut lines = vec![Line::field('-', &mapped(catalog, field))];
            lines.extend(indexes.iter().map(|removed| index('-', removed)));
            lines
        }
        ModelChange::AddConstraint { constraint, .. } => {
            constraint_arg(constraint).map(|text| argument('+', text)).into_iter().collect()
        }
        ModelChange::RemoveConstraint { constraint, .. } => {
            constraint_arg(constraint).map(|text| argument('-', text)).into_iter().collect()
        }
    }
}

/// The lines, below what they use and the file may not import yet.
pub(super) fn with_imports(lines: Vec<String>) -> Vec<String> {
    static MAPPED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"Mapped\[(?:list\[)?(\w+)").expect("a regular expression"));
    let added = || lines.iter().filter(|line| line.starts_with('+'));
    let used: BTreeSet<String> =
        added().filter_map(|line| Some(MAPPED.captures(line)?[1].to_owned())).collect();
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, module) in types::HOMES.iter().filter(|(name, _)| used.contains(*name)) {
        homes.entry(module).or_default().push(name);
    }
    let mut imports: Vec<String> = homes
        .iter()
        .map(|(module, names)| format!("+from {module} import {}", names.join(", ")))
        .collect();
    if added().any(|line| line.contains("postgresql.")) {
        imports.push("+from sqlalchemy.dialects import postgresql".into());
    }
    imports.into_iter().chain(lines).collect()
}

fn renamed_model(
    from: &TableName,
    to: &TableName,
    references: &[(TableName, Constraint)],
) -> Vec<Line> {
    let name = |table: &TableName| format!("__tablename__ = {}", python::string(&table.name));
    let mut lines = vec![Line::field('-', &name(from)), Line::field('+', &name(to))];
    for (of, key) in references {
        let ConstraintKind::ForeignKey { columns, references, .. } = &key.kind else { continue };
        let id = references.first().map_or("id", String::as_str);
        for (mark, name) in [('-', from), ('+', to)] {
            let target = python::string(&format!("{}.{id}", name.name));
            let column = columns.join(", ");
            let text = format!("{}.{column}: sa.ForeignKey({target})", of.name);
            lines.push(Line::field(mark, &text));
        }
    }
    lines
}

/// The argument `comment` of a column or table.
fn comment(on: &CommentOn, text: Option<&str>, before: Option<&str>) -> Vec<Line> {
    let line = |mark: char, text: Option<&str>| {
        let text = python::string(text?);
        match on {
            CommentOn::Table(_) => {
                Some(Line::listed(mark, ARGUMENTS, &format!("{{\"comment\": {text}}}")))
            }
            CommentOn::Column(_, column) => {
                Some(Line::field(mark, &format!("{column} = mapped_column(…, comment={text})")))
            }
            CommentOn::Index(..) | CommentOn::Constraint(..) => None,
        }
    };
    [line('-', before), line('+', text)].into_iter().flatten().collect()
}

/// `created_at: Mapped[datetime] = mapped_column(sa.DateTime(), server_default=sa.text("now()"))`
fn mapped(catalog: &Catalog, field: &Field) -> String {
    new_model::mapped(catalog, field, false)
}

pub(in crate::package) fn table_arg(dialect: Dialect, index: &Index, constraint: bool) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| match key {
            Key::Column { name, rest: None } => python::string(name),
            Key::Column { name, rest: Some(rest) } => {
                let key = format!("{} {rest}", quote::ident(dialect, name));
                format!("sa.text({})", python::string(&key))
            }
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
            let text = python::string(&python::sa_text(text));
            format!(", {}=sa.text({text})", types::where_of(dialect))
        }
        None => String::new(),
    };
    format!("sa.Index({}, {keys}{unique}{filter})", python::string(&index.name))
}

/// `sa.UniqueConstraint("a", "b", name="…")`, in `__table_args__`.
pub(in crate::package) fn constraint_arg(constraint: &Constraint) -> Option<String> {
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
                references::arguments(actions.as_deref())?
                    .iter()
                    .map(|(name, value)| format!(", {name}={}", python::string(value)))
                    .collect::<String>()
            ))
        }
        _ => None,
    }
}
