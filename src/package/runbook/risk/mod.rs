//! How much can go wrong, and why: in the runbook and on the terminal.

use std::collections::BTreeSet;

use crate::catalog::ConstraintKind;
use crate::change::Change;
use crate::dialect::{Blocks, Dialect, type_change};
use crate::plan::Plan;
use crate::plan::condition::{Condition, Reason};
use crate::plan::op::Op;
use crate::plan::small;

use super::strategy::{self, archives, dependants, named};

pub struct Risk {
    pub level: &'static str,
    /// A word, and the sentence.
    pub reasons: Vec<(&'static str, String)>,
}

/// How much can go wrong, and why.
pub fn risk(plan: &Plan) -> Risk {
    let steps: Vec<_> = plan.deploys.iter().flat_map(|deploy| &deploy.steps).collect();
    let ops: Vec<&Op> = steps.iter().flat_map(|step| &step.up).collect();
    let sqlite = plan.server.dialect == Dialect::Sqlite;
    let tables: BTreeSet<String> = steps
        .iter()
        .flat_map(|step| {
            let others = step.locks(&plan.server).into_iter().map(|(table, ..)| table.name);
            others.chain([step.table.name.clone()])
        })
        .collect();
    let tables: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    let tables = tables.join(", ");
    let mut reasons = Vec::new();
    let mut level = 0;

    let strongest: Vec<_> = steps
        .iter()
        .filter_map(|step| step.strongest(&plan.server))
        .filter(|(_, blocks)| *blocks == Blocks::Everything)
        .collect();
    if let Some((lock, _)) = strongest.first() {
        let times = match strongest.len() {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        let held = if steps.iter().any(|step| small::is_small(&plan.policy, &step.table)) {
            "for a short transaction"
        } else {
            "under 50 ms"
        };
        reasons.push((
            "locks",
            format!("{tables}: {lock} {times}, {held}, in tries of 200 ms; nothing else blocks"),
        ));
    } else if let Some((lock, who)) = writers_wait(plan) {
        reasons.push((
            "locks",
            format!("{who}: {lock} once, under 50 ms, in tries of 200 ms; readers go on"),
        ));
    } else if sqlite {
        reasons.push((
            "locks",
            format!("{tables}: other writers wait while a file runs; readers go on in WAL mode"),
        ));
    } else {
        let steps = plan.deploys.iter().flat_map(|deploy| &deploy.steps);
        let ddl = steps
            .flat_map(|step| step.locks(&plan.server))
            .any(|(.., blocks)| blocks == Blocks::Ddl);
        let waits = if ddl {
            "only vacuum and other DDL wait"
        } else {
            "who writes a row of a batch waits for it"
        };
        reasons.push(("locks", format!("{tables}: reads and writes go on; {waits}")));
    }
    let reads = || plan.intent.asked.iter().filter_map(|asked| asked.change.reads());
    let read = strategy::tables(&reads().flat_map(|reads| reads.tables.clone()).collect());
    if !read.is_empty() && !sqlite {
        reasons.push((
            "reads",
            format!("{read}: ACCESS SHARE while rows are written, so only DDL there waits"),
        ));
    }
    for (trigger, table) in triggers_behind(plan) {
        level = level.max(1);
        reasons.push((
            "triggers",
            format!("{trigger} names `{table}`: if it writes there, a batch changes what the next one reads"),
        ));
    }
    let several = strategy::tables(&reads().flat_map(|reads| reads.several.clone()).collect());
    if !several.is_empty() {
        level = level.max(1);
        reasons.push((
            "fails",
            format!("where {several} has several rows for one: that statement stops, batches before it stay done"),
        ));
    }
    let synced: std::collections::BTreeSet<String> = ops
        .iter()
        .filter_map(|op| match op {
            Op::CreateSync(sync) => Some(format!("`{}`", sync.table.name)),
            _ => None,
        })
        .collect();
    if !synced.is_empty() {
        let tables = synced.into_iter().collect::<Vec<_>>().join(", ");
        let last = plan.deploys.iter().rposition(|deploy| {
            deploy.steps.iter().flat_map(|s| &s.up).any(|op| matches!(op, Op::DropSync(_)))
        });
        let last = last.map_or(plan.deploys.len(), |at| at + 1);
        level = level.max(1);
        reasons.push((
            "writes",
            format!(
                "a trigger on {tables} until deploy {last}, about 2 µs a row; its first run is inside the migration"
            ),
        ));
    }
    if ops.iter().any(|op| matches!(op, Op::Rebuild(_))) {
        level = level.max(1);
        reasons.push((
            "writes",
            "the table is written anew in one transaction: it needs twice its size in free disk, and writers wait"
                .into(),
        ));
    }
    if ops.iter().any(|op| op.walk().is_some_and(|(walk, _)| !walk.is_batched())) {
        reasons
            .push(("writes", "all rows are written in one statement: writers wait for it".into()));
        level = level.max(1);
    }
    if sqlite && ops.iter().any(|op| matches!(op, Op::CreateSync(_))) {
        reasons.push((
            "reads",
            "the triggers fill a row right after it is stored: INSERT … RETURNING shows it as before".into(),
        ));
    }
    if plan.stops_old_code() {
        level = 2;
        reasons.push((
            "breaks",
            "old code fails from the moment this runs, and new code may before it: stop the application first".into(),
        ));
    }
    for asked in &plan.intent.asked {
        match &asked.change {
            Change::AddColumn(add) if add.unique.is_some() && add.fill.is_some() => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "once the unique index is there, a row with the {} of another fails, also from old code",
                        add.column.name
                    ),
                ));
            }
            Change::Require(one) if one.fill.is_some() => reasons.push((
                "loses",
                format!("which rows had no {}: a way back leaves them what they got", one.column),
            )),
            Change::CreateTable(create) => reasons.push((
                "loses",
                format!("nothing; the way back loses the rows of {}", create.table.name.name),
            )),
            Change::DropIndex(drop) => {
                level = level.max(1);
                reasons.push((
                    "reads",
                    format!(
                        "queries that used {} become slow at once: see `idx_scan` in the pre-checks",
                        drop.index.name
                    ),
                ));
                if drop.index.unique {
                    reasons.push((
                        "meaning",
                        format!(
                            "nothing keeps rows of `{}` from sharing {} any more; `ON CONFLICT` on it fails",
                            drop.table.name, drop.index.name
                        ),
                    ));
                }
            }
            Change::DropTable(drop) if plan.archives.is_empty() => {
                level = level.max(1);
                reasons.push((
                    "loses",
                    format!(
                        "the rows of {}, with the last deploy: a way back brings the table, empty",
                        drop.table
                    ),
                ));
            }
            Change::RenameTable(rename) if plan.deploys.len() > 1 => {
                level = level.max(1);
                reasons.push((
                    "view",
                    format!(
                        "until deploy 2 {} is a view: rows are read, written and locked through it as before. What a view cannot do: \
                         COPY, TRUNCATE, ON CONFLICT ON CONSTRAINT, GROUP BY the key alone with other columns (Django's \
                         `annotate` writes that), MERGE before PostgreSQL 17, ctid and xmin, TABLESAMPLE, pg_get_serial_sequence; \
                         triggers see {} in TG_TABLE_NAME",
                        rename.from, rename.to
                    ),
                ));
            }
            Change::Update(update) => {
                level = level.max(1);
                let columns: Vec<&str> = update.set.iter().map(|set| set.column.as_str()).collect();
                reasons.push((
                    "loses",
                    format!(
                        "the values that {} had before: there is no way back",
                        columns.join(", ")
                    ),
                ));
            }
            Change::Delete(delete) => {
                level = level.max(1);
                let mut what = "the rows that are deleted: there is no way back".to_owned();
                for sentence in dependants(plan, &delete.table) {
                    what = format!("{what}. {sentence}");
                }
                reasons.push(("loses", what));
            }
            Change::DropColumn(drop) if plan.archives.is_empty() => {
                level = level.max(1);
                reasons.push((
                    "loses",
                    format!("what {} holds, with the last deploy: a way back brings the column, not its values", drop.column),
                ));
            }
            Change::ChangeType(one) if plan.deploys.len() > 1 => {
                level = level.max(1);
                if !type_change::holds_all(&one.before.ty, &one.after.ty) {
                    reasons.push((
                        "writes",
                        format!("a value that {} cannot hold fails from deploy 1 on", one.after.ty),
                    ));
                }
                if let Some(ty) = may_not_fit(plan) {
                    let name = &one.before.name;
                    reasons.push((
                        "back",
                        format!(
                            "while a row holds what {ty} cannot in {name}, deploy 2 has no way back"
                        ),
                    ));
                }
                reasons.push((
                    "switch",
                    format!(
                        "prepared statements that select {} fail once in deploy 2: let clients reconnect, or prepare again",
                        one.before.name
                    ),
                ));
            }
            Change::Replace(one) => {
                level = level.max(1);
                let olds: Vec<&str> =
                    one.old.iter().map(|(drop, _)| drop.column.as_str()).collect();
                reasons.push((
                    "loses",
                    format!(
                        "what {} held beyond what the new columns can say, with the last deploy",
                        olds.join(" and ")
                    ),
                ));
            }
            Change::AddConstraint(one) => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "a statement that breaks {} fails from the first step on",
                        named(&one.constraint)
                    ),
                ));
            }
            Change::DropConstraint(one)
                if matches!(
                    one.constraint.kind,
                    ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
                ) =>
            {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "ON CONFLICT on the columns of {} fails from then on: change such statements first",
                        named(&one.constraint)
                    ),
                ));
            }
            Change::Require(one) if one.fill.is_none() => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "a statement that leaves {} NULL fails from the first step on",
                        one.column
                    ),
                ));
            }
            Change::RenameColumn(rename) if plan.deploys.len() > 1 => {
                let old =
                    plan.before.tables.get(&rename.table).and_then(|t| t.column(&rename.from));
                if old.is_some_and(|column| !column.not_null && column.default.is_some()) {
                    reasons.push((
                        "meaning",
                        format!(
                            "an INSERT that gives {} as NULL gets the default of {} until deploy 2",
                            rename.to, rename.from
                        ),
                    ));
                }
            }
            _ => {}
        }
    }
    if !sqlite && ops.iter().any(|op| matches!(op, Op::AddColumn { .. } | Op::DropColumn { .. })) {
        reasons.push((
            "plans",
            "clients that cache `SELECT *` plans see \"cached plan must not change result type\" once"
                .into(),
        ));
    }
    if !plan.archives.is_empty() {
        let kept = format!("what is dropped, in {}, until a person drops that", archives(plan));
        reasons.push(("keeps", kept));
    }
    if !reasons.iter().any(|(name, _)| *name == "loses") {
        reasons.push(("loses", "nothing, in either direction".into()));
    }
    let others = if read.is_empty() {
        "no other table is touched".to_owned()
    } else {
        format!("it reads {read}, and touches no other table")
    };
    reasons.push(("radius", format!("what reads or writes {tables}; {others}")));
    Risk { level: ["low", "medium", "high"][level], reasons }
}

/// Triggers that rows fire as they are written, and a table that decides what is written.
fn triggers_behind(plan: &Plan) -> BTreeSet<(&str, &str)> {
    let mut found = BTreeSet::new();
    for asked in &plan.intent.asked {
        let written = match &asked.change {
            Change::Update(update) => &update.table,
            Change::Delete(delete) => &delete.table,
            Change::Copy(copy) => &copy.into,
            _ => continue,
        };
        for read in asked.change.reads().into_iter().flat_map(|reads| &reads.tables) {
            let triggers = plan.before.triggers_naming(written, read);
            found.extend(triggers.into_iter().map(|trigger| (trigger, read.name.as_str())));
        }
    }
    found
}

/// Tables whose writers wait for a moment, and the lock they wait for.
/// The type whose values the way back of a type change asks for.
fn may_not_fit(plan: &Plan) -> Option<&str> {
    let steps = plan.deploys.iter().flat_map(|deploy| &deploy.steps);
    let conditions = steps.flat_map(|step| &step.down.ops).filter_map(|op| match op {
        Op::Guard(conditions) => Some(conditions),
        _ => None,
    });
    conditions.flatten().find_map(|condition| match condition {
        Condition::NoRows { reason: Reason::DoesNotFit { ty }, .. } => Some(ty.as_str()),
        _ => None,
    })
}

fn writers_wait(plan: &Plan) -> Option<(&'static str, String)> {
    if plan.server.dialect == Dialect::Sqlite {
        return None;
    }
    let steps = plan.deploys.iter().flat_map(|deploy| &deploy.steps);
    let locks: Vec<_> = steps
        .flat_map(|step| step.locks(&plan.server))
        .filter(|(_, _, blocks)| *blocks == Blocks::Writes)
        .collect();
    let tables: BTreeSet<String> =
        locks.iter().map(|(table, ..)| format!("`{}`", table.name)).collect();
    let (_, lock, _) = locks.first()?;
    Some((lock, tables.into_iter().collect::<Vec<_>>().join(", ")))
}
