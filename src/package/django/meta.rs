//! Indexes and constraints as a model's `Meta` lists them.
//!
//! Enters: what the table has. Leaves: a call, or `None` where Django has none that says the same.

use std::sync::LazyLock;

use regex::Regex;

use super::condition::q;
use super::{FieldOf, is_name};
use crate::catalog::{Constraint, ConstraintKind, Expr, Index, Key};
use crate::dialect::Dialect;
use crate::package::python::Py;

/// An access method, and the class of its index; all but the first are PostgreSQL's.
pub(super) const CLASSES: &[(&str, &str)] = &[
    ("btree", "models.Index"),
    ("brin", "BrinIndex"),
    ("gin", "GinIndex"),
    ("gist", "GistIndex"),
    ("hash", "HashIndex"),
    ("spgist", "SpGistIndex"),
];

/// The longest name Django takes for an index.
const LONGEST_NAME: usize = 30;

/// `models.Index(fields=["-created"], name="…", condition=models.Q(…))`; a unique one is a constraint.
pub(crate) fn index(dialect: Dialect, index: &Index, field: FieldOf) -> Option<Py> {
    if index.options.is_some() {
        return None;
    }
    let method = index.method.as_deref().unwrap_or("btree").to_ascii_lowercase();
    let class = CLASSES.iter().find(|(name, _)| *name == method).map(|(_, class)| *class)?;
    let function = match (index.unique, class) {
        (true, "models.Index") => "models.UniqueConstraint",
        (true, _) => return None,
        (false, class) if is_name(&index.name) && index.name.len() <= LONGEST_NAME => class,
        (false, _) => return None,
    };
    let Keys { args, mut kwargs } = keys(dialect, &index.keys, index.unique, field)?;
    kwargs.push(("name".into(), name(&index.name)?));
    if let Some(filter) = &index.filter {
        kwargs.push(("condition".into(), q(dialect, filter, field)?));
    }
    if !index.include.is_empty() {
        let names: Option<Vec<Py>> = index.include.iter().map(|c| field(c).map(Py::Str)).collect();
        kwargs.push(("include".into(), Py::List(names?)));
    }
    Some(Py::Call { function: function.into(), args, kwargs })
}

/// A constraint that has a name of its own in the models: UNIQUE and CHECK.
pub(crate) fn constraint(dialect: Dialect, constraint: &Constraint, field: FieldOf) -> Option<Py> {
    let name = name(constraint.name.as_deref()?)?;
    if constraint.options.is_some() {
        return None;
    }
    match &constraint.kind {
        ConstraintKind::Unique(keys) => {
            let fields = keys
                .iter()
                .map(|key| match key {
                    Key::Column { name, rest: None } => field(name).map(Py::Str),
                    _ => None,
                })
                .collect::<Option<_>>()?;
            let kwargs = [("fields", Py::List(fields)), ("name", name)];
            Some(Py::call("models.UniqueConstraint", [], kwargs))
        }
        ConstraintKind::Check(condition) => {
            let kwargs = [("condition", q(dialect, condition, field)?), ("name", name)];
            Some(Py::call("models.CheckConstraint", [], kwargs))
        }
        _ => None,
    }
}

/// Django fills in what a `%` marks.
fn name(name: &str) -> Option<Py> {
    (!name.contains('%')).then(|| Py::str(name))
}

struct Keys {
    args: Vec<Py>,
    kwargs: Vec<(String, Py)>,
}

fn keys(dialect: Dialect, keys: &[Key], unique: bool, field: FieldOf) -> Option<Keys> {
    let listed = |texts: Vec<String>| {
        ("fields".to_owned(), Py::List(texts.into_iter().map(Py::Str).collect()))
    };
    let plain = |key: &Key| match key {
        Key::Column { name, rest: None } => field(name),
        Key::Column { name, rest: Some(rest) } if !unique && rest.eq_ignore_ascii_case("desc") => {
            field(name).map(|name| format!("-{name}"))
        }
        _ => None,
    };
    if let Some(fields) = keys.iter().map(plain).collect() {
        return Some(Keys { args: Vec::new(), kwargs: vec![listed(fields)] });
    }
    let classed = |key: &Key| match key {
        Key::Column { name, rest: Some(rest) } if rest.ends_with("_ops") && is_name(rest) => {
            Some((field(name)?, Py::str(rest)))
        }
        _ => None,
    };
    if let Some(pairs) = keys.iter().map(classed).collect::<Option<Vec<_>>>() {
        let (fields, opclasses) = pairs.into_iter().unzip();
        let opclasses = ("opclasses".to_owned(), Py::List(opclasses));
        return Some(Keys { args: Vec::new(), kwargs: vec![listed(fields), opclasses] });
    }
    let args = keys.iter().map(|key| expression(dialect, key, field)).collect::<Option<_>>()?;
    Some(Keys { args, kwargs: Vec::new() })
}

/// `models.F("created").desc(nulls_last=True)`, `Lower("email")`
fn expression(dialect: Dialect, key: &Key, field: FieldOf) -> Option<Py> {
    match key {
        Key::Column { name, rest: None } => Some(Py::str(field(name)?)),
        Key::Column { name, rest: Some(rest) } => {
            let order = match rest.to_ascii_uppercase().as_str() {
                "ASC" => "asc()",
                "DESC" => "desc()",
                "NULLS FIRST" | "ASC NULLS FIRST" => "asc(nulls_first=True)",
                "DESC NULLS LAST" => "desc(nulls_last=True)",
                _ => return None,
            };
            let of = Py::call("models.F", [Py::str(field(name)?)], []).one_line()?;
            Some(Py::raw(format!("{of}.{order}")))
        }
        Key::Expr(Expr(text)) => {
            static CASE: LazyLock<Regex> = LazyLock::new(|| {
                let name = r#"("[^"]+"|\w+)"#;
                Regex::new(&format!(r"(?i)^\(?(lower|upper)\((?:{name}|\({name}\)::text)\)\)?$"))
                    .expect("a regular expression")
            });
            let found = CASE.captures(text)?;
            let column = found.get(2).or_else(|| found.get(3))?.as_str();
            let column = match column.strip_prefix('"') {
                Some(quoted) => quoted.trim_end_matches('"').to_owned(),
                None if dialect == Dialect::Postgres => column.to_lowercase(),
                None => column.to_owned(),
            };
            let function = if found[1].eq_ignore_ascii_case("lower") { "Lower" } else { "Upper" };
            Some(Py::call(function, [Py::str(field(&column)?)], []))
        }
    }
}
