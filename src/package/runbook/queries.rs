//! Queries for people: pre-checks and what to watch.

use crate::catalog::{ConstraintKind, Key, TableName};
use crate::change::AddColumn;
use crate::dialect::{Action, Dialect, quote};
use crate::plan::condition::{Condition, Predicate, Reason};
use crate::plan::op::Op;
use crate::plan::{Deploy, Plan, Unit};
use crate::sql;

fn has(deploy: &Deploy, wanted: impl Fn(&Op) -> bool) -> bool {
    deploy.steps.iter().any(|step| step.up.iter().any(&wanted))
}

/// A release of the application alone has nothing to look at.
/// Each begins with a comment that says what to expect.
pub(super) fn before(plan: &Plan, deploy: &Deploy) -> Vec<String> {
    if !deploy.changes_database() {
        return Vec::new();
    }
    if plan.server.dialect == Dialect::Sqlite {
        return vec![
            "-- \"ok\".\nPRAGMA quick_check;".into(),
            "-- \"wal\": readers then go on while a file is applied; writers wait for it.\nPRAGMA journal_mode;".into(),
            "-- Free disk: twice this many bytes.\nSELECT page_count * page_size FROM pragma_page_count, pragma_page_size;".into(),
        ];
    }
    // Each table of such an operation, as a text.
    let tables = |wanted: &dyn Fn(&Op) -> bool| -> Vec<String> {
        let ops = deploy.steps.iter().flat_map(|step| &step.up).filter(|op| wanted(op));
        let mut found = Vec::new();
        let known = |table: &&TableName| plan.before.tables.contains_key(*table);
        for table in ops.filter_map(table_read).filter(known) {
            let text = quote::literal(plan.server.dialect, &sql::table(&plan.server, table));
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    };
    let mut queries = vec![
        "-- No row, here and on each replica that is read: long transactions stall every step, and make a
-- backfill slower; on a replica a lock that comes through waits for them, and new queries for the lock.
SELECT pid, application_name, state, now() - xact_start AS age, left(query, 60)
FROM pg_stat_activity
WHERE datname = current_database() AND xact_start < now() - interval '1 min';"
            .to_owned(),
    ];
    let takes_long = |op: &Op| {
        op.walk().is_some_and(|(walk, _)| walk.is_batched())
            || matches!(op, Op::CreateIndex { online: true, .. })
    };
    if has(deploy, takes_long) {
        queries.push(
            "-- No row: these keep dead rows as well.
SELECT gid FROM pg_prepared_xacts;
SELECT slot_name FROM pg_replication_slots WHERE catalog_xmin IS NOT NULL OR xmin IS NOT NULL;"
                .into(),
        );
        let sizes: Vec<String> = tables(&takes_long)
            .iter()
            .map(|table| format!("pg_total_relation_size({table})"))
            .collect();
        queries.push(format!(
            "-- Free disk: half of this; and three times this for WAL, where a replica or the archive lags.
SELECT pg_size_pretty({});",
            sizes.join(" + ")
        ));
    }
    if deploy.steps.iter().any(|step| step.unit == Unit::Alone) {
        queries.push(
            "-- Each time the same number: behind a pooler in transaction mode a file's settings would get lost.
SELECT pg_backend_pid();"
                .into(),
        );
    }
    let widened = tables(&|op| matches!(op, Op::AddColumn { .. }));
    if !widened.is_empty() {
        queries.push(format!(
            "-- No row: a subscriber stops at a column that it does not have. Add the new one there first.
SELECT pubname FROM pg_publication_tables
WHERE format('%I.%I', schemaname, tablename)::regclass {};",
            among(&widened)
        ));
    }
    if has(deploy, |op| matches!(op, Op::CreateSync(_))) {
        let synced = among(&tables(&|op| matches!(op, Op::CreateSync(_))));
        queries.push(format!(
            "-- No row: what a subscription writes skips the trigger, and so does session_replication_role = replica.
SELECT srsubid FROM pg_subscription_rel WHERE srrelid {synced};"
        ));
        queries.push(format!(
            "-- No row, or triggers you know: they see the new column change.
SELECT tgname FROM pg_trigger WHERE tgrelid {synced} AND NOT tgisinternal;"
        ));
        queries.push(format!(
            "-- No row: rights on a single column are not the new one's.
SELECT attname, attacl FROM pg_attribute WHERE attrelid {synced} AND attacl IS NOT NULL;"
        ));
    }
    for op in deploy.steps.iter().flat_map(|step| &step.up) {
        // What came with a deploy before has another in its place.
        let known = |table| plan.before.tables.get(table);
        if let Op::DropIndex { table, index, online: true } = op
            && known(table).is_some_and(|table| table.index(&index.name).is_some())
        {
            let name = table.sibling(index.name.clone());
            let name = quote::literal(plan.server.dialect, &sql::table(&plan.server, &name));
            queries.push(format!(
                "-- 0, or no longer growing: nothing uses the index. Ask every replica as well.
SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelid = {name}::regclass;"
            ));
        }
    }
    let fills = has(deploy, |op| op.walk().is_some());
    // Nobody can ask for them before.
    let dialect = plan.server.dialect;
    let comes: Vec<&str> = deploy
        .steps
        .iter()
        .flat_map(|step| &step.up)
        .filter_map(|op| match op {
            Op::AddColumn { column, .. } => Some(column.name.as_str()),
            _ => None,
        })
        .collect();
    let can_be_asked = |query: &String| {
        let mentioned = crate::input::columns_mentioned(query, dialect);
        !mentioned.iter().any(|name| comes.contains(&name.as_str()))
    };
    for condition in conditions(deploy) {
        // The deploy itself sees to these.
        if let Condition::NoRows { reason: Reason::Left | Reason::NotKept { .. }, .. } = condition
            && fills
        {
            continue;
        }
        let (comment, condition) = match condition {
            Condition::NoDuplicates { .. } => match of_now(plan, condition) {
                Some(now) => ("-- 0: each of these would fail the unique index.", now),
                None => continue,
            },
            Condition::RowsVisible { .. } => (
                "-- t, asked by the role that migrates: else policies keep rows from it.",
                condition.clone(),
            ),
            Condition::NoRows { .. } => {
                ("-- 0 rows: the first step asks the same.", condition.clone())
            }
            _ => continue,
        };
        let asked = sql::verification(&plan.server, &[condition]);
        for query in asked.into_iter().filter(&can_be_asked) {
            queries.push(format!("{comment}\n{query};"));
        }
    }
    let asked = sql::verification(&plan.server, &never_proven(plan, deploy));
    queries.extend(asked.into_iter().map(|query| {
        format!("-- 0 rows: the server writes none of these anew, and a backfill fails at the first.\n{query};")
    }));
    queries
}

/// A NOT VALID check was not asked of the rows that were there; it is of each that is written.
fn never_proven(plan: &Plan, deploy: &Deploy) -> Vec<Condition> {
    let fills = deploy.steps.iter().flat_map(|step| &step.up).filter_map(Op::backfill);
    let mut found = Vec::new();
    for fill in fills {
        let constraints = plan.before.tables.get(&fill.table).map(|table| &table.constraints);
        for constraint in constraints.into_iter().flatten() {
            let ConstraintKind::Check(check) = &constraint.kind else { continue };
            let name = constraint.name.clone().unwrap_or_default();
            let mentions =
                |column: &str| crate::input::mentions(&check.0, column, plan.server.dialect);
            let written = fill.set.iter().any(|(column, _)| mentions(column));
            if constraint.valid || written || !constraint.is_enforced() {
                continue;
            }
            let violates = Condition::NoRows {
                table: fill.table.clone(),
                filter: Predicate::Refused(check.clone()),
                reason: Reason::Violates { name },
            };
            if !found.contains(&violates) {
                found.push(violates);
            }
        }
    }
    found
}

/// The question before the first step has run: a column that is not there yet is asked for by what it
/// is computed from.
fn of_now(plan: &Plan, condition: &Condition) -> Option<Condition> {
    let Condition::NoDuplicates { table, keys, filter } = condition else {
        return None;
    };
    let known = plan.before.tables.get(table)?;
    let added: Vec<&AddColumn> = plan.intent.asked.iter().flat_map(|a| a.change.added()).collect();
    let of_now = |key: &Key| match key {
        Key::Column { name, .. } if known.column(name).is_some() => Some(key.clone()),
        Key::Column { name, .. } => {
            let add = added.iter().find(|add| add.table == *table && add.column.name == *name)?;
            Some(Key::Expr(add.fill.as_ref()?.expr.clone()))
        }
        Key::Expr(_) => added.is_empty().then(|| key.clone()),
    };
    let keys: Option<Vec<Key>> = keys.iter().map(of_now).collect();
    let filter = filter.clone();
    (filter.is_none() || added.is_empty()).then_some(Condition::NoDuplicates {
        table: table.clone(),
        keys: keys?,
        filter,
    })
}

fn conditions(deploy: &Deploy) -> impl Iterator<Item = &Condition> {
    deploy.steps.iter().flat_map(|step| &step.up).flat_map(|op| match op {
        Op::Guard(conditions) => conditions.as_slice(),
        _ => &[],
    })
}

fn walked(op: &Op) -> &'static str {
    match op {
        Op::Job { op, .. } => walked(op),
        Op::Delete(_) => "delete",
        Op::Copy(_) => "copy",
        _ => "backfill",
    }
}

pub(super) fn watch(plan: &Plan, deploy: &Deploy) -> Vec<String> {
    if plan.server.dialect == Dialect::Sqlite || !deploy.changes_database() {
        return Vec::new();
    }
    let mut queries = Vec::new();
    let walk = deploy.steps.iter().flat_map(|step| &step.up).find_map(|op| {
        let (walk, table) = op.walk()?;
        walk.is_batched().then(|| (walked(op), table))
    });
    if let Some((what, table)) = walk {
        queries.push(format!(
            "-- Progress: \"{what} {}: … of …\"
SELECT pid, application_name, now() - backend_start AS since
FROM pg_stat_activity WHERE application_name ~ '^(backfill|copy|delete) ';",
            table.name
        ));
    }
    if has(deploy, |op| op.actions().contains(&Action::CreateIndexOnline)) {
        queries.push(
            "-- Progress of an index; current_locker_pid is the transaction it waits for
SELECT phase, blocks_done, blocks_total, lockers_done, lockers_total, current_locker_pid
FROM pg_stat_progress_create_index;"
                .into(),
        );
    }
    let relations: Vec<String> = touched(plan, deploy)
        .iter()
        .map(|table| quote::literal(plan.server.dialect, &sql::table(&plan.server, table)))
        .collect();
    if !relations.is_empty() {
        queries.push(format!(
        "-- Who holds the table, the oldest first, or waits for it; no pid: a prepared transaction
SELECT l.pid, l.mode, l.granted, a.application_name, a.state, now() - a.xact_start AS age,
    left(a.query, 50) AS query
FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.relation {} AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.xact_start;",
        among(&relations)
    ));
    }
    queries.push(
        "-- Bytes that each replica is behind
SELECT application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS behind
FROM pg_stat_replication;"
            .into(),
    );
    queries
}

/// The table whose rows an operation goes through, or the one that it changes.
fn table_read(op: &Op) -> Option<&TableName> {
    op.walk().map(|(_, table)| table).or_else(|| op.table())
}

/// `= 'users'::regclass`, or one of several.
fn among(tables: &[String]) -> String {
    let all: Vec<String> = tables.iter().map(|table| format!("{table}::regclass")).collect();
    match all.as_slice() {
        [one] => format!("= {one}"),
        several => format!("IN ({})", several.join(", ")),
    }
}

/// Tables that are there before and that the deploy has to do with.
fn touched<'p>(plan: &'p Plan, deploy: &'p Deploy) -> Vec<&'p TableName> {
    let ops = deploy.steps.iter().flat_map(|step| &step.up);
    let mut found: Vec<&TableName> = Vec::new();
    let named = ops.flat_map(|op| match op {
        Op::Lock { tables, .. } => tables.iter().collect(),
        op => op.table().into_iter().collect::<Vec<_>>(),
    });
    for table in named.filter(|table| plan.before.tables.contains_key(*table)) {
        if !found.contains(&table) {
            found.push(table);
        }
    }
    found
}
