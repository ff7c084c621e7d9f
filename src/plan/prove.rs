//! Runs a plan in memory, on every plan, before anything is written.
//!
//! Ups in order must be legal one by one and arrive at the wanted schema; each down must return to
//! the schema before its step (columns in any place, as a server puts a returned column last).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use crate::catalog::{Catalog, ConstraintKind, Identity, Key};
use crate::error::{Error, Result};
use crate::source::Dialect;

use super::{Plan, Step, taken, unfit};

pub(super) fn prove(plan: &Plan) -> Result<()> {
    let mut catalog = plan.before.clone();
    let mut befores: Vec<Cow<Catalog>> = Vec::new();
    for deploy in &plan.deploys {
        befores.push(match befores.as_slice() {
            [] => Cow::Borrowed(&plan.before),
            _ => Cow::Owned(catalog.clone()),
        });
        for step in &deploy.steps {
            for op in &step.up {
                taken::refuse(&catalog, op)?;
                unfit::refuse(&catalog, op)?;
                op.apply(&mut catalog).map_err(|misfit| unproven(step, "up", &misfit))?;
            }
        }
    }
    compare(&catalog, &plan.intent.after, "the plan does not arrive at what was asked")?;

    // Downs need only be right per deploy and in order: within a contract the last one brings the
    // column back and the ones before fill, index and require it.
    for (before, deploy) in befores.iter().zip(&plan.deploys).rev() {
        for step in deploy.steps.iter().rev() {
            for op in &step.down.ops {
                taken::refuse(&catalog, op)?;
                unfit::refuse(&catalog, op)?;
                op.apply(&mut catalog).map_err(|misfit| unproven(step, "down", &misfit))?;
            }
        }
        let slug = &deploy.steps[0].slug;
        compare(&catalog, before, &format!("the down of `{slug}` does not return"))?;
    }
    Ok(())
}

fn unproven(step: &Step, direction: &str, misfit: &str) -> Error {
    broken(&format!("{direction} of step `{}`: {misfit}", step.slug))
}

pub(super) fn broken(why: &str) -> Error {
    Error::bug(format!("the plan does not hold: {why}"))
        .hint("please report this with the change and the schema: nothing was written")
}

fn compare(is: &Catalog, wanted: &Catalog, message: &str) -> Result<()> {
    // A rename writes a name without the quotes that it does not need.
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\\"([a-z_][a-z0-9_]*)\\""#).expect("a regular expression"));
    let plain = |lines: Vec<String>| -> Vec<String> {
        lines.iter().map(|line| QUOTED.replace_all(line, "$1").into_owned()).collect()
    };
    let (is, wanted) = (plain(shape(is, wanted)), plain(shape(wanted, is)));
    if is == wanted {
        return Ok(());
    }
    let differing = is.iter().find(|line| !wanted.contains(line));
    let missing = wanted.iter().find(|line| !is.contains(line));
    Err(Error::bug(format!("{message}: has {differing:?}, wants {missing:?}"))
        .hint("please report this with the change and the schema: nothing was written"))
}

/// The schema as sorted lines, in which order of columns does not count, and a unique index and a
/// unique constraint are the same where the server makes no difference.
/// Tables that `other` has just so are left out.
fn shape(catalog: &Catalog, other: &Catalog) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, table) in &catalog.tables {
        if other.tables.get(name) == Some(table) {
            continue;
        }
        let table_name = &name.name;
        lines.push(format!("{table_name} table {:?}", table.comment));
        for column in &table.columns {
            // A serial is an integer that counts by its sequence, in either spelling.
            let counts = column.identity == Some(Identity::Serial);
            lines.push(format!(
                "{table_name}.{} {} {} {:?} {:?} {:?} {:?} {:?} {:?}",
                column.name,
                column.integer_type(),
                column.not_null,
                column.default.as_ref().filter(|_| !counts),
                column.collation,
                column.generated,
                column.identity,
                column.other,
                column.comment
            ));
        }
        for constraint in &table.constraints {
            match &constraint.kind {
                ConstraintKind::Unique(keys) if catalog.dialect == Dialect::Sqlite => {
                    lines.push(unique_line(table_name, keys));
                }
                kind => lines.push(format!(
                    "{table_name} constraint {:?} {kind:?} {:?} {} {:?}",
                    constraint.name, constraint.options, constraint.valid, constraint.comment
                )),
            }
        }
        for index in &table.indexes {
            if index.unique && index.filter.is_none() && catalog.dialect == Dialect::Sqlite {
                lines.push(unique_line(table_name, &index.keys));
                continue;
            }
            let mut line = format!("{table_name} index {} {:?}", index.name, index.keys);
            let _ = write!(
                line,
                " {} {:?} {:?} {:?} {:?} {:?}",
                index.unique,
                index.method,
                index.include,
                index.filter,
                index.options,
                index.comment
            );
            lines.push(line);
        }
    }
    for (table, name) in catalog.triggers.keys() {
        lines.push(format!("{} trigger {name}", table.name));
    }
    lines.sort();
    lines
}

fn unique_line(table: &str, keys: &[Key]) -> String {
    format!("{table} unique {keys:?}")
}
