//! `--archive`: what the last deploy drops stays in a table beside, until a person drops that.
//!
//! Enters: the steps of one change. Leaves: the same, in which a dropped table is renamed (made
//! anew without its keys, indexes and triggers where those cannot go by themselves), and a dropped
//! column is copied out before with the primary key of its row. Nobody writes a column that is about to
//! be dropped, so the copy can be made in batches; and its way back fills the column again. What was
//! computed into other columns is kept, and never put back: those may have changed since.

use crate::catalog::{Column, Constraint, ConstraintKind, Key, Origin, Table, TableName};
use crate::change::Change;
use crate::dialect::Action;
use crate::error::Result;

use super::condition::{Condition, Predicate, Reason};
use super::context::{Context, primary_key};
use super::op::Op;
use super::rows::{CopyRows, PutBack};
use super::strategy::{backfill_unit, named, rebuild};
use super::{Down, Phase, Step, Unit, column_expr};

/// With the tables that keep what is dropped.
pub(super) fn keep(context: &Context, steps: Vec<Step>) -> Result<(Vec<Step>, Vec<TableName>)> {
    let mut all = Vec::new();
    let mut archives = Vec::new();
    for mut step in steps {
        let table = step.table.clone();
        let columns = dropped_columns(&step);
        if step.up.iter().any(|op| matches!(op, Op::DropTable(_))) {
            archives.push(set_aside(context, &mut step)?);
        } else if step.down.loses && !columns.is_empty() {
            let archive = Archive::new(context, &table, &columns)?;
            all.extend(archive.steps(&step)?);
            archive.guard(&mut step);
            archives.push(archive.into.name.clone());
        }
        all.push(step);
    }
    Ok((all, archives))
}

/// As the way back would bring them.
fn dropped_columns(step: &Step) -> Vec<Column> {
    let dropped: Vec<&String> = edits(&step.up)
        .filter_map(|op| match op {
            Op::DropColumn { column, .. } => Some(column),
            _ => None,
        })
        .collect();
    edits(&step.down.ops)
        .filter_map(|op| match op {
            Op::AddColumn { column, .. } if dropped.contains(&&column.name) => Some(column.clone()),
            _ => None,
        })
        .collect()
}

fn edits(ops: &[Op]) -> impl Iterator<Item = &Op> {
    ops.iter().flat_map(|op| match op {
        Op::Anew { edits, .. } => edits.as_slice(),
        op => std::slice::from_ref(op),
    })
}

/// The table under another name. No key of it may bind the tables that stay.
fn set_aside(context: &Context, step: &mut Step) -> Result<TableName> {
    let table = step.table.clone();
    let to = free(context, &table, &table.name)?;
    let mut down = context.lock(&[&to], Action::RenameTable);
    down.push(Op::RenameTable { from: to.clone(), to: table.clone() });
    for op in std::mem::take(&mut step.up) {
        let Op::DropTable(whole) = op else {
            step.up.push(op);
            continue;
        };
        let rows_alone = Box::new(rows_alone(&whole));
        let has_more = rows_alone != whole || context.before.triggers_of(&table).next().is_some();
        if has_more && !context.can(Action::DropConstraint) {
            step.unit = Unit::Rebuild;
            step.up.push(into(&whole, &rows_alone));
            down.push(into(&rows_alone, &whole));
            let downs = std::mem::take(&mut step.down.ops);
            down.extend(downs.into_iter().filter(|op| matches!(op, Op::Restore { .. })));
        }
        step.up.push(Op::RenameTable { from: table.clone(), to: to.clone() });
    }
    step.title = format!("{table} is kept as {to}");
    step.down = Down::noted(down, format!("The table comes back with its rows, from {}.", to.name));
    step.verify.push(Condition::TableExists { table: to.clone() });
    Ok(to)
}

/// Without what binds it to other tables or acts when rows are written.
fn rows_alone(table: &Table) -> Table {
    let mut alone = Table { indexes: Vec::new(), ..table.clone() };
    alone.constraints.retain(|one| !matches!(one.kind, ConstraintKind::ForeignKey { .. }));
    alone
}

/// The same rows in another table of that name, on which no trigger stands.
fn into(from: &Table, to: &Table) -> Op {
    let edits = vec![Op::DropTable(Box::new(from.clone())), Op::CreateTable(Box::new(to.clone()))];
    rebuild::anew(&from.name, edits)
}

fn free(context: &Context, table: &TableName, stem: &str) -> Result<TableName> {
    let name = table.sibling(named(stem, "_archive"));
    if context.before.tables.contains_key(&name) || context.before.views.contains_key(&name) {
        return Err(context
            .refuse(format!("`{name}` is there already"), "--archive would keep this in it")
            .hint("drop or rename that table first"));
    }
    Ok(name)
}

struct Archive<'c> {
    context: &'c Context<'c>,
    table: TableName,
    into: Table,
    key: Vec<String>,
    columns: Vec<String>,
}

impl<'c> Archive<'c> {
    fn new(context: &'c Context<'c>, table: &TableName, columns: &[Column]) -> Result<Archive<'c>> {
        let of = context.table(table);
        let key: Option<Vec<String>> = primary_key(of)
            .map(|keys| keys.iter().filter_map(Key::column).map(str::to_owned).collect());
        let Some(key) = key else {
            return Err(context
                .refuse(
                    format!("`{table}` has no primary key"),
                    "--archive would not know whose values they are",
                )
                .hint(
                    "leave out --archive, and copy what you need by hand before the last deploy",
                ));
        };
        let plain = |column: &Column, not_null: bool| Column {
            ty: column.integer_type().to_owned(),
            not_null,
            default: None,
            generated: None,
            identity: None,
            comment: None,
            other: Vec::new(),
            ..column.clone()
        };
        let of_key = key.iter().filter_map(|name| of.column(name));
        let mut kept: Vec<Column> = of_key.map(|column| plain(column, true)).collect();
        kept.extend(columns.iter().map(|column| plain(column, false)));
        let columns: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let keys = key.iter().map(|name| Key::Column { name: name.clone(), rest: None }).collect();
        let name = free(context, table, &format!("{}_{}", table.name, columns.join("_")))?;
        let into = Table {
            dialect: of.dialect,
            columns: kept,
            constraints: vec![Constraint {
                name: Some(named(&name.name, "_pkey")),
                named: false,
                kind: ConstraintKind::PrimaryKey(keys),
                options: None,
                valid: true,
                comment: None,
            }],
            indexes: Vec::new(),
            options: None,
            partition_by: None,
            partition_of: None,
            comment: None,
            partial: Vec::new(),
            origin: Origin::default(),
            name,
        };
        Ok(Archive { context, table: table.clone(), into, key, columns })
    }

    /// Before `step`, which drops.
    fn steps(&self, step: &Step) -> Result<[Step; 2]> {
        let Archive { context, table, into, columns, .. } = self;
        let phase = if step.phase == Phase::Contract { Phase::Check } else { step.phase };
        let name = &into.name.name;
        let made = Step {
            phase,
            table: into.name.clone(),
            slug: "archive".into(),
            title: format!("{name}, for what {} holds", columns.join(" and ")),
            unit: Unit::Transaction,
            up: vec![Op::CreateTable(Box::new(into.clone()))],
            down: Down::ops(vec![Op::DropTable(Box::new(into.clone()))]),
            verify: vec![Condition::TableExists { table: into.name.clone() }],
            model: Vec::new(),
        };
        let list = self.key.iter().chain(columns);
        let copy = CopyRows {
            from: table.clone(),
            into: into.name.clone(),
            walk: context.walk(table)?,
            list: list.map(|name| (name.clone(), column_expr(context.server, name))).collect(),
            remaining: self.remaining(),
            renewed: self.key.clone(),
        };
        let down = match &context.asked.change {
            Change::DropColumn(_) => {
                Down::noted(vec![self.put_back()?], format!("Fills the column from {name}."))
            }
            _ => Down::noted(
                Vec::new(),
                format!(
                    "Puts nothing back: {name} has the values as they were, for a person to look at."
                ),
            ),
        };
        let filled = Step {
            phase,
            table: into.name.clone(),
            slug: "archive_rows".into(),
            title: format!("copy {} to {name}", columns.join(" and ")),
            unit: backfill_unit(context.server),
            up: vec![Op::Copy(copy)],
            down,
            verify: vec![self.all_kept()],
            model: Vec::new(),
        };
        Ok([made, filled])
    }

    /// `step` does not drop what is not kept.
    fn guard(&self, step: &mut Step) {
        step.up.insert(0, Op::Guard(vec![self.all_kept()]));
        let name = &self.into.name.name;
        if let Change::DropColumn(_) = self.context.asked.change {
            step.down.loses = false;
            step.down.note = Some(format!(
                "The column comes back empty; the next way back fills it from {name}."
            ));
        } else {
            step.down.note =
                step.down.note.take().map(|note| format!("{note} {name} has them as they were."));
        }
    }

    fn all_kept(&self) -> Condition {
        Condition::NoRows {
            table: self.table.clone(),
            filter: self.remaining(),
            reason: Reason::NotKept { archive: self.into.name.name.clone() },
        }
    }

    /// Rows with a value that is not kept yet, or not as it is now.
    fn remaining(&self) -> Predicate {
        let given = Predicate::any(self.columns.iter().cloned().map(Predicate::IsNotNull));
        let key = self.key.iter().map(|name| (name.clone(), name.clone())).collect();
        let (from, into) = (self.table.clone(), self.into.name.clone());
        let missing =
            Predicate::Missing { from: from.clone(), alias: None, into: into.clone(), key };
        let of = self.context.table(&self.table);
        let as_text =
            |name: &String| of.column(name).is_some_and(|column| !self.context.tells_apart(column));
        let columns = self.columns.iter().map(|name| (name.clone(), as_text(name))).collect();
        let outdated = Predicate::Outdated { from, into, key: self.key.clone(), columns };
        Predicate::Or(vec![Predicate::And(vec![given, missing]), outdated])
    }

    fn put_back(&self) -> Result<Op> {
        Ok(Op::PutBack(PutBack {
            table: self.table.clone(),
            walk: self.context.walk(&self.table)?,
            archive: self.into.name.clone(),
            key: self.key.clone(),
            columns: self.columns.clone(),
        }))
    }
}
