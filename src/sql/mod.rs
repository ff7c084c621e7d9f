//! Typed operations → statements of a server.
//!
//! Enters: operations and the server. Leaves: [`Rendered`] operations: SQL without terminators, with
//! the comment a reviewer would ask for. Must not know: frameworks, files. Foreign text (types,
//! expressions) is placed verbatim; names go through [`quote`].

mod backfill;
mod batches;
mod condition;
mod ddl;
mod guard;
mod predicate;
mod rebuild;
mod rows;
mod sequence;
mod stand_in;
mod sync;
mod table;

use crate::catalog::{Constraint, Expr, Index, TableName};
use crate::dialect::{Dialect, Server, quote};
use crate::input;
use crate::plan::Unit;
use crate::plan::condition::Condition;
use crate::plan::op::{NULLS_NOT_DISTINCT, Op};

pub use condition::{expectation, verification};
pub use predicate::predicate;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// What a long statement is called where it stands apart: `GUARD`, `LOCK_USERS`.
    pub name: Option<String>,
    /// Lines of the comment before it, without comment marks.
    pub comment: Vec<String>,
    /// Without terminator.
    pub text: String,
    /// Must be the only statement in its transaction, and that one its own.
    pub alone: bool,
}

/// An operation with the statements that carry it out; an operation that is folded into its
/// successor has none.
#[derive(Debug, Clone)]
pub struct Rendered<'p> {
    pub op: &'p Op,
    pub statements: Vec<Sql>,
}

impl Sql {
    fn new(text: impl Into<String>) -> Sql {
        Sql { name: None, comment: Vec::new(), text: text.into(), alone: false }
    }

    fn named(name: impl Into<String>, text: impl Into<String>) -> Sql {
        Sql { name: Some(name.into()), ..Sql::new(text) }
    }

    fn comment(mut self, line: impl Into<String>) -> Sql {
        self.comment.push(line.into());
        self
    }

    fn alone(mut self) -> Sql {
        self.alone = true;
        self
    }
}

/// Renders the operations of one direction of a step.
pub fn render<'p>(server: &Server, unit: Unit, ops: &'p [Op]) -> Vec<Rendered<'p>> {
    let writer = Writer { server, dialect: server.dialect, tells: false };
    let mut rendered = Vec::new();
    let mut pending_lock: Option<&Op> = None;
    let mut patient = server.dialect != Dialect::Postgres || unit != Unit::Transaction;
    for op in ops {
        let mut statements = match (op, unit) {
            // Without a transaction around it a lock lasts for one statement only: the operation
            // it is for goes into its block.
            (Op::Lock { .. }, Unit::Alone) => {
                pending_lock = Some(op);
                Vec::new()
            }
            (_, Unit::Alone) => writer.again(op),
            _ => writer.op(op),
        };
        if let Some(lock) = pending_lock
            && !statements.is_empty()
        {
            statements = vec![writer.locked(lock, &statements)];
            pending_lock = None;
        }
        if !patient && takes_long(op) {
            statements.splice(0..0, writer.without_timeouts(ops));
            patient = true;
        }
        rendered.push(Rendered { op, statements });
    }
    rendered
}

/// It reads as many rows as the table has, or tries again and again.
fn takes_long(op: &Op) -> bool {
    match op {
        Op::Validate { .. } | Op::Lock { .. } => true,
        Op::Guard(conditions) => conditions.iter().any(Condition::reads_rows),
        _ => false,
    }
}

/// The statement that makes an index by itself, as a model or a fresh database would have it.
pub fn index_definition(server: &Server, table: &TableName, index: &Index) -> String {
    Writer { server, dialect: server.dialect, tells: false }.create_index(table, index, false)
}

/// A walk through rows for a person to run: it says how far it is.
pub fn job(server: &Server, op: &Op) -> Vec<Sql> {
    Writer { server, dialect: server.dialect, tells: true }.op(op)
}

impl Writer<'_> {
    /// Ahead of what takes long. Tries set a lock timeout of their own; validation, which no writer
    /// waits for, waits as long as it must.
    fn without_timeouts(&self, ops: &[Op]) -> Vec<Sql> {
        let waits = ops.iter().any(|op| matches!(op, Op::Validate { .. }));
        let off = self.server.timeouts().iter().filter(|name| waits || **name != "lock_timeout");
        let mut all: Vec<Sql> = off.map(|name| Sql::new(format!("SET LOCAL {name} = 0"))).collect();
        if let Some(first) = all.first_mut() {
            first.comment.push(
                "Waiting and reading may take longer than the application's queries may.".into(),
            );
        }
        all
    }
}

/// Writes SQL for one server.
struct Writer<'s> {
    server: &'s Server,
    dialect: Dialect,
    /// Batches say how far they are.
    tells: bool,
}

impl Writer<'_> {
    fn ident(&self, name: &str) -> String {
        quote::ident(self.dialect, name)
    }

    fn literal(&self, text: &str) -> String {
        quote::literal(self.dialect, text)
    }

    fn table(&self, name: &TableName) -> String {
        table(self.server, name)
    }

    /// Where nothing undoes what was done: a file that was cut off is run again from its start.
    fn again(&self, op: &Op) -> Vec<Sql> {
        match op {
            Op::AddConstraint {
                table,
                constraint: constraint @ Constraint { name: Some(name), .. },
            } if self.dialect == Dialect::Postgres => {
                let (name, constraint) = (self.ident(name), self.constraint(constraint));
                let table = self.table(table);
                vec![Sql::new(format!(
                    "ALTER TABLE {table}\n    DROP CONSTRAINT IF EXISTS {name},\n    ADD {constraint}"
                ))]
            }
            Op::DropConstraint { table, name } => {
                let name = self.ident(name);
                vec![self.alter(table, &format!("DROP CONSTRAINT IF EXISTS {name}"))]
            }
            _ => self.op(op),
        }
    }

    fn op(&self, op: &Op) -> Vec<Sql> {
        match op {
            Op::Guard(conditions) => self.guard(conditions),
            Op::Lock { tables, mode } => vec![self.lock(tables, mode, &[])],
            Op::AddColumn { table, column, constraints } => {
                vec![self.add_column(table, column, constraints)]
            }
            Op::CreateTable(table) => self.new_table(table),
            Op::DropTable(table) => {
                vec![Sql::new(format!("DROP TABLE {}", self.table(&table.name)))]
            }
            Op::Restore { table, text, .. } => {
                vec![Sql::named(constant("RESTORE", table), text.clone())]
            }
            Op::RenameTable { from, to } => {
                vec![self.alter(from, &format!("RENAME TO {}", self.ident(&to.name)))]
            }
            Op::CreateStandIn { name, table, as_invoker } => {
                self.create_stand_in(name, table, *as_invoker)
            }
            Op::DropStandIn { name } => vec![self.drop_stand_in(name)],
            Op::Comment { on, text } => vec![self.comment_on(on, text.as_deref())],
            Op::DropColumn { table, column } => {
                vec![self.alter(table, &format!("DROP COLUMN {}", self.ident(column)))]
            }
            Op::RenameColumn { table, from, to } => {
                let action = format!("RENAME COLUMN {} TO {}", self.ident(from), self.ident(to));
                vec![self.alter(table, &action)]
            }
            Op::SetDefault { table, column, expr: Expr(expr) } => {
                vec![self.alter_column(table, column, &format!("SET DEFAULT {expr}"))]
            }
            Op::DropDefault { table, column } => {
                vec![self.alter_column(table, column, "DROP DEFAULT")]
            }
            Op::CreateSequence(counted) => self.create_sequence(counted),
            Op::BecomeIdentity { counted, identity } => self.become_identity(counted, identity),
            Op::LeaveIdentity { counted, .. } => self.leave_identity(counted),
            Op::PassNumbering { table, from, to, numbering } => {
                self.pass_numbering(table, from, to, numbering)
            }
            Op::SetSequenceType { sequence, ty, .. } => {
                vec![Sql::new(format!("ALTER SEQUENCE {} AS {ty}", self.table(sequence)))]
            }
            Op::SetType { table, column, to, using, .. } => {
                let collation = to.collation.as_ref().map(|name| format!(" COLLATE {name}"));
                let using = using.as_ref().map(|Expr(expr)| format!(" USING {expr}"));
                let action = format!(
                    "TYPE {}{}{}",
                    to.ty,
                    collation.unwrap_or_default(),
                    using.unwrap_or_default()
                );
                vec![self.alter_column(table, column, &action)]
            }
            Op::SetNotNull { table, column } => {
                vec![self.alter_column(table, column, "SET NOT NULL")]
            }
            Op::DropNotNull { table, column } => {
                vec![self.alter_column(table, column, "DROP NOT NULL")]
            }
            Op::AddConstraint { table, constraint } => {
                vec![self.alter(table, &format!("ADD {}", self.constraint(constraint)))]
            }
            Op::Validate { table, name, .. } => {
                let action = format!("VALIDATE CONSTRAINT {}", self.ident(name));
                vec![self.alter(table, &action).comment("Reads the table with writers at work.")]
            }
            Op::DropConstraint { table, name } => {
                vec![self.alter(table, &format!("DROP CONSTRAINT {}", self.ident(name)))]
            }
            Op::RenameConstraint { table, from, to }
            | Op::RenameNotNull { table, from, to, .. } => {
                let action =
                    format!("RENAME CONSTRAINT {} TO {}", self.ident(from), self.ident(to));
                vec![self.alter(table, &action)]
            }
            Op::UsingIndex { table, name, index, options, primary, .. } => {
                let (name, index) = (self.ident(name), self.ident(index));
                let kind = if *primary { "PRIMARY KEY" } else { "UNIQUE" };
                let mut action = format!("ADD CONSTRAINT {name} {kind} USING INDEX {index}");
                let options = options.as_deref().unwrap_or_default();
                // What the index has is the constraint's by itself.
                let own = options.strip_prefix(NULLS_NOT_DISTINCT).unwrap_or(options).trim_start();
                if !own.is_empty() {
                    action = format!("{action} {own}");
                }
                if index == name {
                    return vec![self.alter(table, &action)];
                }
                vec![Sql::new(format!(
                    "ALTER TABLE {}\n    DROP CONSTRAINT IF EXISTS {name},  -- made by a run that was not recorded\n    \
                     {action}",
                    self.table(table)
                ))]
            }
            Op::RestoreIndex { table, index, online } => {
                let text = self.create_index(table, index, *online);
                let text = text.replacen("INDEX ", "INDEX IF NOT EXISTS ", 1);
                let text = text.replacen(
                    "INDEX IF NOT EXISTS CONCURRENTLY ",
                    "INDEX CONCURRENTLY IF NOT EXISTS ",
                    1,
                );
                let build = Sql { alone: *online, ..Sql::new(text) };
                if *online { vec![self.drop_invalid(table, index), build] } else { vec![build] }
            }
            Op::Unless { holds, ops, .. } => vec![self.unless(holds, ops)],
            Op::CreateIndex { table, index, online: true } => self.build_online(table, index),
            Op::CreateIndex { table, index, online: false } => {
                vec![Sql::new(self.create_index(table, index, false))]
            }
            Op::DropIndex { table, index, online } => vec![self.drop_index(table, index, *online)],
            Op::RenameIndex { table, index, to } => self.rename_index(table, index, to),
            Op::CreateSync(sync) => self.create_sync(sync),
            Op::DropSync(sync) => self.drop_sync(sync),
            Op::Touch { table, key, column } => vec![self.touch(table, key.as_deref(), column)],
            Op::Backfill(backfill) => vec![self.backfill(backfill)],
            Op::Job { op, file } => self.job_done(op, file),
            Op::Delete(rows) => vec![self.delete_rows(rows)],
            Op::Copy(rows) => vec![self.copy_rows(rows)],
            Op::PutBack(rows) => vec![self.put_back(rows)],
            Op::Insert { text: Expr(text), .. } => vec![Sql::new(text)],
            Op::DeleteExactly { table, rows } => vec![self.delete_exactly(table, rows)],
            Op::Rebuild(rebuild) => self.rebuild(rebuild),
            // Settled before a plan is handed on.
            Op::Anew { .. } => Vec::new(),
        }
    }
}

/// A table's name, with its schema where it is not the default one, or the change says it.
pub fn table(server: &Server, name: &TableName) -> String {
    let own = quote::ident(server.dialect, &name.name);
    match &name.schema {
        Some(schema) => format!("{}.{own}", quote::ident(server.dialect, schema)),
        None if server.names_schema => format!("{}.{own}", server.dialect.default_schema()),
        None => own,
    }
}

/// Indents every line but the first; what is quoted stays as it is.
fn indent(dialect: Dialect, text: &str, by: usize) -> String {
    input::indented(text, by, dialect)
}

/// `body` between dollar quotes of a tag that does not stand in it.
fn dollar(tag: &str, body: &str) -> String {
    let mut mark = format!("${tag}$");
    let mut number = 1;
    while body.contains(&mark) {
        number += 1;
        mark = format!("${tag}{number}$");
    }
    format!("{mark}\n{body}\n{mark}")
}

/// `LOCK_USERS`: a name for a constant of a host language.
fn constant(prefix: &str, table: &TableName) -> String {
    let table: String = table
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    format!("{prefix}_{table}")
}
