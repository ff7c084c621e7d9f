//! What the SQL targets share: a file of statements as a template sees it, and the division of a
//! step into files where a framework takes one statement at a time.

use serde::Serialize;

use crate::plan::Unit;
use crate::plan::op::Op;
use crate::sql::{Rendered, Sql};

/// A file of SQL.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SqlFile {
    /// Lines before everything else: client commands, markers, BEGIN.
    pub(crate) head: Vec<String>,
    /// Comment lines for the whole file.
    pub(crate) notes: Vec<String>,
    pub(crate) statements: Vec<Statement>,
    /// Lines after everything else: COMMIT.
    pub(crate) tail: Vec<String>,
    pub(crate) message: String,
    pub(crate) author: Option<String>,
    pub(crate) reason: Option<String>,
}

impl SqlFile {
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().map(|statement| statement.sql.as_str())
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Statement {
    /// An empty line before it.
    pub(crate) apart: bool,
    pub(crate) comment: Vec<String>,
    /// Without terminator.
    pub(crate) sql: String,
}

/// Long or commented statements stand apart, short ones together.
pub(crate) fn statements<'s>(all: impl IntoIterator<Item = &'s Sql>) -> Vec<Statement> {
    let mut result: Vec<Statement> = Vec::new();
    let mut locks_explained = false;
    for sql in all {
        let long = |text: &str| text.contains('\n');
        let apart = match result.last() {
            None => false,
            Some(last) => long(&last.sql) || long(&sql.text) || !sql.comment.is_empty(),
        };
        let is_lock = sql.name.as_ref().is_some_and(|name| name.starts_with("LOCK_"));
        let comment = if is_lock && locks_explained { Vec::new() } else { sql.comment.clone() };
        locks_explained |= is_lock;
        result.push(Statement { apart, comment, sql: sql.text.clone() });
    }
    result
}

/// `SET x = 0` before, `RESET x` after.
pub(crate) fn set(settings: &[&str]) -> Vec<Sql> {
    settings.iter().map(|name| plain(format!("SET {name} = 0"))).collect()
}

pub(crate) fn reset(settings: &[&str]) -> Vec<Sql> {
    settings.iter().map(|name| plain(format!("RESET {name}"))).collect()
}

pub(crate) fn plain(text: impl Into<String>) -> Sql {
    Sql { name: None, comment: Vec::new(), text: text.into(), alone: false }
}

/// A part of a step that fits into one file of a framework that sends a file as one query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    /// Behind the step's slug; empty for the main part.
    pub(crate) suffix: &'static str,
    pub(crate) up: Vec<Sql>,
    pub(crate) down: Vec<Sql>,
}

impl Piece {
    pub(crate) fn up_alone(&self) -> bool {
        self.up.iter().any(|sql| sql.alone)
    }

    pub(crate) fn down_alone(&self) -> bool {
        self.down.iter().any(|sql| sql.alone)
    }
}

/// Divides a step so that a statement that must stand alone does, in both directions.
pub(crate) fn pieces(unit: Unit, up: &[Rendered], down: &[Rendered]) -> Vec<Piece> {
    if unit != Unit::Alone {
        return vec![Piece { suffix: "", up: flat(up), down: flat(down) }];
    }
    let ups = groups(up);
    // The last file is reverted first.
    let mut downs = groups(down);
    downs.reverse();
    let count = ups.len().max(downs.len());
    let mut result = vec![Piece::default(); count];
    // Where there is less to do than on the way back, it stands at the end.
    let first_up = count - ups.len();
    let acting: Vec<usize> =
        (0..ups.len()).filter(|at| ups[*at].suffix.is_empty()).map(|at| first_up + at).collect();
    for (at, group) in ups.iter().enumerate() {
        result[first_up + at].up.clone_from(&group.up);
        result[first_up + at].suffix = group.suffix;
    }
    let places: Vec<usize> = if downs.len() <= acting.len() {
        acting[acting.len() - downs.len()..].to_vec()
    } else {
        (count - downs.len()..count).collect()
    };
    for (place, group) in places.into_iter().zip(downs) {
        result[place].down = group.up;
        if result[place].up.is_empty() {
            result[place].suffix = "back";
        }
    }
    result
}

fn flat(rendered: &[Rendered]) -> Vec<Sql> {
    rendered.iter().flat_map(|rendered| rendered.statements.clone()).collect()
}

/// Statements that may share a transaction together, each other one by itself.
fn groups(rendered: &[Rendered]) -> Vec<Piece> {
    let mut groups: Vec<Piece> = Vec::new();
    let mut built = false;
    for Rendered { op, statements } in rendered {
        let last = statements.len().saturating_sub(1);
        for (at, sql) in statements.iter().enumerate() {
            let suffix = match op {
                Op::Guard(_) if built => "verify",
                Op::Guard(_) => "check",
                Op::CreateIndex { .. } if at < last => "clear",
                Op::UsingIndex { .. } if built => "constraint",
                _ => "",
            };
            built |= suffix.is_empty();
            match groups.last_mut() {
                Some(group) if !sql.alone && !group.up_alone() && group.suffix == suffix => {
                    group.up.push(sql.clone());
                }
                _ => groups.push(Piece { suffix, up: vec![sql.clone()], down: Vec::new() }),
            }
        }
    }
    groups
}
