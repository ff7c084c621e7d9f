//! `env.py` → how it runs revisions.
//!
//! Enters: the file that every project adapts. Leaves: [`Env`]. Must not know: revisions.

use std::path::Path;

use tree_sitter::Node;

use super::super::Repo;
use super::super::python::{Module, children};
use crate::error::{Error, Result};

/// What matters of `env.py` to a revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Env {
    pub per_migration: bool,
    pub obstacle: Option<Error>,
}

pub(super) fn read(repo: &Repo, script: &Path) -> Result<Env> {
    let Some(source) = repo.find(script.join("env.py"))? else {
        return Ok(Env::default());
    };
    let module = Module::parse(source)?;
    let per_migration = module.all("keyword_argument").into_iter().any(|argument| {
        let part = |field| argument.child_by_field_name(field).map(|node| module.text(node));
        part("name") == Some("transaction_per_migration") && part("value") == Some("True")
    });
    Ok(Env { per_migration, obstacle: obstacle(&module) })
}

/// A transaction that Alembic did not begin, and therefore cannot leave: `autocommit_block()` ends
/// in an `AssertionError`, and what runs without it may never be committed.
fn obstacle(module: &Module) -> Option<Error> {
    let (node, label, hint) = if let Some(node) = begun(module) {
        let hint =
            "connect with `connectable.connect()`, and begin with `context.begin_transaction()`";
        (node, "begins a transaction of its own", hint)
    } else {
        let hint = "`connection.commit()` after it, before `context.configure(…)`";
        (executed(module)?, "begins a transaction, unseen", hint)
    };
    let message =
        format!("`{}` opens a transaction that no revision can leave", module.source().name);
    let refused = module.refuse(message, node, label);
    let refused = refused
        .note("`op.get_context().autocommit_block()` fails there, and a concurrent index needs it");
    Some(refused.hint(hint))
}

/// `with engine.begin()` around the run.
fn begun(module: &Module) -> Option<Node<'_>> {
    module.all("with_statement").into_iter().find_map(|statement| {
        let body = module.text(statement.child_by_field_name("body")?);
        let runs = ["configure(", "run_sync(", "run_migrations("];
        if !runs.iter().any(|call| body.contains(call)) {
            return None;
        }
        let clause = children(statement).find(|part| part.kind() == "with_clause")?;
        calls_in(clause).find(|call| name(module, *call) == Some("begin"))
    })
}

/// A statement that runs on the connection before it is handed over, and is not committed.
fn executed(module: &Module) -> Option<Node<'_>> {
    let calls = module.all("call");
    let configured = calls.iter().find(|call| {
        let arguments = module.call(**call).map(|(_, arguments)| arguments);
        name(module, **call) == Some("configure")
            && arguments.is_some_and(|arguments| arguments.keyword("connection").is_some())
    })?;
    let function = function_of(*configured);
    let earlier = calls.iter().filter(|call| {
        call.end_byte() <= configured.start_byte() && function_of(**call) == function
    });
    let mut open = None;
    for call in earlier {
        match name(module, *call) {
            Some("execute" | "exec_driver_sql" | "scalar" | "scalars") => {
                open = open.or(Some(*call));
            }
            Some("commit") => open = None,
            _ => {}
        }
    }
    open
}

fn name<'m>(module: &'m Module, call: Node<'m>) -> Option<&'m str> {
    module.last_name(call.child_by_field_name("function")?)
}

fn calls_in(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut open = vec![node];
    std::iter::from_fn(move || {
        loop {
            let next = open.pop()?;
            open.extend(children(next));
            if next.kind() == "call" {
                return Some(next);
            }
        }
    })
}

fn function_of(node: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(node.parent(), Node::parent)
        .find(|above| above.kind() == "function_definition")
}
