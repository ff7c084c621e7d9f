//! What a migration imports: found in what it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::meta;
use crate::package::python::Py;
use crate::package::types::DJANGO_HOMES;

/// Names that miggen itself writes, and where they are.
const HOMES: &[(&str, &str)] = &[
    ("AddIndexConcurrently", "django.contrib.postgres.operations"),
    ("Decimal", "decimal"),
    ("Lower", "django.db.models.functions"),
    ("Now", "django.db.models.functions"),
    ("RandomUUID", "django.contrib.postgres.functions"),
    ("RawSQL", "django.db.models.expressions"),
    ("Upper", "django.db.models.functions"),
    ("migrations", "django.db"),
    ("models", "django.db"),
];

/// The import statements for `code`, where `theirs` are those of the definitions it repeats.
pub(crate) fn lines<'p>(
    code: impl IntoIterator<Item = &'p Py>,
    theirs: &BTreeSet<String>,
) -> Vec<String> {
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:\w+\.)*\w+").expect("a regular expression"));
    let mut text = String::new();
    for py in code {
        words(py, &mut text);
    }
    let used: BTreeSet<&str> = NAME.find_iter(&text).map(|found| found.as_str()).collect();
    let heads: BTreeSet<&str> = used.iter().filter_map(|name| name.split('.').next()).collect();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    let mut from: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in theirs {
        if let Some(module) = line.strip_prefix("import ") {
            let dotted = format!("{module}.");
            if used.iter().any(|name| name.starts_with(&dotted)) {
                whole.insert(line.clone());
            }
        } else if let Some((module, names)) =
            line.strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
        {
            for name in names.split(',').map(str::trim) {
                let bound = name.rsplit(' ').next().unwrap_or(name);
                if heads.contains(bound) {
                    from.entry(module).or_default().insert(name);
                }
            }
        }
    }
    let bound: BTreeSet<&str> = from.values().flatten().copied().collect();
    let indexes =
        meta::CLASSES.iter().map(|(_, class)| (*class, "django.contrib.postgres.indexes"));
    let fields = DJANGO_HOMES.iter().copied();
    for (name, module) in HOMES.iter().copied().chain(indexes).chain(fields) {
        if heads.contains(name) && !bound.contains(name) {
            from.entry(module).or_default().insert(name);
        }
    }
    let from = from.into_iter().map(|(module, names)| {
        let names: Vec<&str> = names.into_iter().collect();
        format!("from {module} import {}", names.join(", "))
    });
    let all: Vec<String> = whole.into_iter().chain(from).collect();
    let mut lines: Vec<String> = Vec::new();
    for section in [Section::Standard, Section::Django, Section::Project] {
        let mut own = all.iter().filter(|line| self::section(line) == section).cloned().peekable();
        if own.peek().is_some() && !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(own);
    }
    lines
}

/// Blocks of imports, as isort has them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Standard,
    Django,
    Project,
}

fn section(line: &str) -> Section {
    const STANDARD: &[&str] = &["datetime", "decimal", "enum", "functools", "operator", "uuid"];
    let module = line.split_whitespace().nth(1).unwrap_or_default();
    match module.split('.').next().unwrap_or_default() {
        head if STANDARD.contains(&head) => Section::Standard,
        "django" => Section::Django,
        _ => Section::Project,
    }
}

/// All that is no string.
fn words(py: &Py, text: &mut String) {
    match py {
        Py::Raw(raw) => text.push_str(raw),
        Py::Str(_) => {}
        Py::Call { function, args, kwargs } => {
            text.push_str(function);
            text.push(' ');
            for value in args.iter().chain(kwargs.iter().map(|(_, value)| value)) {
                words(value, text);
            }
        }
        Py::List(values) | Py::Tuple(values) | Py::Joined { values, .. } => {
            for value in values {
                words(value, text);
            }
        }
        Py::Dict(pairs) => {
            for (_, value) in pairs {
                words(value, text);
            }
        }
        Py::Commented { value, .. } => words(value, text),
    }
    text.push(' ');
}
