//! What the drift check of Alembic has to overlook while a rollout is under way.

use std::path::Path;

use crate::catalog::{Constraint, ConstraintKind, Index};
use crate::package::python;
use crate::plan::{ModelChange, Plan};

/// Until the last deploy: what the database holds in between, and neither the models nor the end do.
pub(super) fn leaving(plan: &Plan, folder: &Path) -> Option<String> {
    let after = &plan.intent.after;
    let mut names: Vec<(String, String)> = Vec::new();
    for state in plan.states().iter().rev().skip(1).rev() {
        for (name, table) in &state.tables {
            let Some(end) = after.tables.get(name) else { continue };
            let columns = table.columns.iter().map(|c| c.name.as_str());
            let same = |own: &Index| end.index(&own.name).is_some_and(|e| e.keys == own.keys);
            let kept = |name: &str| end.constraint(name);
            let indexes =
                table.indexes.iter().filter(|own| !same(own) && kept(&own.name).is_none());
            let indexes = indexes.map(|index| index.name.as_str());
            let compared = |c: &&Constraint| {
                matches!(c.kind, ConstraintKind::Unique(_) | ConstraintKind::ForeignKey { .. })
            };
            let constraints = table.constraints.iter().filter(compared).filter_map(|own| {
                let name = own.name.as_deref()?;
                let same = kept(name).is_some_and(|end| end.kind == own.kind);
                (!same && end.index(name).is_none()).then_some(name)
            });
            let columns = columns.filter(|name| end.column(name).is_none());
            for left in columns.chain(indexes).chain(constraints) {
                let entry = (name.name.clone(), left.to_owned());
                if !names.contains(&entry) {
                    names.push(entry);
                }
            }
        }
    }
    let last = plan.deploys.len();
    let gone = plan.deploys.iter().flat_map(|d| &d.steps).flat_map(|s| &s.model);
    let gone = gone.filter_map(|change| match change {
        ModelChange::RemoveModel { table } => Some(python::string(&table.name)),
        _ => None,
    });
    let archives = plan.archives.iter().map(|name| python::string(&name.name));
    let tables: Vec<String> = archives.chain(gone).collect();
    let inside: Vec<String> = names
        .iter()
        .map(|(t, n)| format!("({}, {})", python::string(t), python::string(n)))
        .collect();
    let (when, what, test): (String, _, &[&str]) = if !plan.archives.is_empty() {
        ("for as long as they are there".into(), "what the models do not know", KEYS)
    } else if !inside.is_empty() {
        let test = if tables.is_empty() { INSIDE } else { KEYS };
        (format!("until deploy {last}"), "what is there for a while", test)
    } else if !tables.is_empty() && last > 1 {
        ("until deploy 2".into(), "the old table", TABLES)
    } else {
        return None;
    };
    let set = if test == INSIDE { inside } else { [tables, inside].concat() };
    let test: Vec<String> = test.iter().map(|line| format!("+    {line}\n")).collect();
    Some(format!(
        "In `env.py`, {when}, so that `alembic check` and autogenerate leave alone {what} (pass \
         `include_object=include_object` to `context.configure`):\n\n```diff\n+LEAVING = {{{}}}  # {}\n+\n+\n\
         +def include_object(obj, name, type_, reflected, compare_to):\n{}```",
        set.join(", "),
        folder.display(),
        test.concat()
    ))
}

const INSIDE: &[&str] = &["return type_ == \"table\" or (obj.table.name, name) not in LEAVING"];

const TABLES: &[&str] = &["return type_ != \"table\" or name not in LEAVING"];

const KEYS: &[&str] =
    &["key = name if type_ == \"table\" else (obj.table.name, name)", "return key not in LEAVING"];
