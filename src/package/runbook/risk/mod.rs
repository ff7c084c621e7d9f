//! How much can go wrong, and why: in the runbook and on the terminal.

mod change;
mod triggers;

use std::collections::BTreeSet;

use crate::dialect::{Blocks, Dialect};
use crate::plan::op::Op;
use crate::plan::{Plan, Step, small};

use super::durations;
use super::strategy::{self, archives};

pub struct Risk {
    pub level: &'static str,
    /// A word, and the sentence.
    pub reasons: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct Reasons {
    level: Level,
    said: Vec<(&'static str, String)>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Low,
    Medium,
    High,
}

impl Reasons {
    fn say(&mut self, word: &'static str, sentence: impl Into<String>) {
        self.said.push((word, sentence.into()));
    }

    fn warn(&mut self, word: &'static str, sentence: impl Into<String>) {
        self.level = self.level.max(Level::Medium);
        self.say(word, sentence);
    }
}

pub fn risk(plan: &Plan) -> Risk {
    let mut reasons = Reasons::default();
    locks(plan, &mut reasons);
    rows_read(plan, &mut reasons);
    rows_written(plan, &mut reasons);
    if plan.stops_old_code() {
        reasons.level = Level::High;
        reasons.say(
            "breaks",
            "old code fails from the moment this runs, and new code may before it: stop the application first",
        );
    }
    for asked in &plan.intent.asked {
        change::reasons(plan, &asked.change, &mut reasons);
    }
    let columns = |op: &Op| matches!(op, Op::AddColumn { .. } | Op::DropColumn { .. });
    if plan.server.dialect != Dialect::Sqlite && ops(plan).any(columns) {
        reasons.say(
            "plans",
            "clients that cache `SELECT *` plans see \"cached plan must not change result type\" once",
        );
    }
    let widens = |op: &Op| match op {
        Op::AddColumn { table, .. } => plan.before.tables.contains_key(table),
        _ => false,
    };
    if ops(plan).any(widens) {
        reasons.say(
            "columns",
            "`SELECT *` and `RETURNING *` give one more: what puts them into another table, a UNION or a function's result fails until it names its columns",
        );
    }
    if !plan.archives.is_empty() {
        let kept = format!("what is dropped, in {}, until a person drops that", archives(plan));
        reasons.say("keeps", kept);
    }
    let fired = triggers::fired(plan);
    if !fired.is_empty() {
        let verb = if fired.len() == 1 { "fires" } else { "fire" };
        reasons.warn(
            "trigger",
            format!(
                "{} {verb} for each row that is filled, as for any UPDATE: what is written there stays written",
                fired.join(", ")
            ),
        );
    }
    if !reasons.said.iter().any(|(word, _)| *word == "loses") {
        let but = if fired.is_empty() { "" } else { " but what those triggers write over" };
        reasons.say("loses", format!("nothing{but}, in either direction"));
    }
    reasons.say("radius", radius(plan));
    let level = match reasons.level {
        Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
    };
    Risk { level, reasons: reasons.said }
}

fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.deploys.iter().flat_map(|deploy| &deploy.steps)
}

fn ops(plan: &Plan) -> impl Iterator<Item = &Op> {
    steps(plan).flat_map(|step| &step.up)
}

/// Tables that a step is about, or locks.
fn tables(plan: &Plan) -> String {
    let locked = |step: &Step| step.locks(&plan.server).into_iter().map(|(table, ..)| table);
    strategy::tables(
        &steps(plan).flat_map(|step| locked(step).chain([step.table.clone()])).collect(),
    )
}

/// Tables that are only read, to know what is written.
fn sources(plan: &Plan) -> String {
    let reads = plan.intent.asked.iter().filter_map(|asked| asked.change.reads());
    strategy::tables(&reads.flat_map(|reads| reads.tables.clone()).collect())
}

fn locks(plan: &Plan, reasons: &mut Reasons) {
    let tables = tables(plan);
    let all: Vec<_> = steps(plan).flat_map(|step| step.locks(&plan.server)).collect();
    let exclusive: Vec<_> = steps(plan)
        .filter_map(|step| step.strongest(&plan.server))
        .filter(|(_, blocks)| *blocks == Blocks::Everything)
        .collect();
    let blocked = |who: Blocks| all.iter().find(move |(.., blocks)| *blocks == who);
    let sentence = if let Some((lock, _)) = exclusive.first() {
        let times = match exclusive.len() {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        let held = if steps(plan).any(|step| durations::rewrites(plan, step)) {
            "for as long as it takes to write the table anew"
        } else if steps(plan).any(|step| small::is_small(&plan.policy, &step.table)) {
            "for a short transaction"
        } else {
            "under 50 ms"
        };
        format!("{tables}: {lock} {times}, {held}, in tries of 200 ms; nothing else blocks")
    } else if plan.server.dialect == Dialect::Sqlite {
        format!("{tables}: other writers wait while a file runs; readers go on in WAL mode")
    } else if let Some((_, lock, _)) = blocked(Blocks::Writes) {
        let waiting = all.iter().filter(|(.., blocks)| *blocks == Blocks::Writes);
        let waiting = strategy::tables(&waiting.map(|(table, ..)| table.clone()).collect());
        format!("{waiting}: {lock} once, under 50 ms, in tries of 200 ms; readers go on")
    } else if blocked(Blocks::Ddl).is_some() {
        format!("{tables}: reads and writes go on; only vacuum and other DDL wait")
    } else if ops(plan).any(|op| op.walk().is_some()) {
        format!("{tables}: reads and writes go on; who writes a row of a batch waits for it")
    } else {
        format!("{tables}: reads and writes go on")
    };
    if steps(plan).any(|step| durations::rewrites(plan, step)) {
        reasons.warn("locks", sentence);
    } else {
        reasons.say("locks", sentence);
    }
}

fn rows_read(plan: &Plan, reasons: &mut Reasons) {
    let read = sources(plan);
    if !read.is_empty() && plan.server.dialect != Dialect::Sqlite {
        reasons.say(
            "reads",
            format!("{read}: ACCESS SHARE while rows are written, so only DDL there waits"),
        );
    }
    for asked in &plan.intent.asked {
        for (trigger, table) in change::triggers_behind(plan, &asked.change) {
            reasons.warn(
                "trigger",
                format!("{trigger} names `{table}`: if it writes there, a batch changes what the next one reads"),
            );
        }
    }
    let reads = plan.intent.asked.iter().filter_map(|asked| asked.change.reads());
    let several = strategy::tables(&reads.flat_map(|reads| reads.several.clone()).collect());
    if !several.is_empty() {
        reasons.warn(
            "fails",
            format!("where {several} has several rows for one: that statement stops, batches before it stay done"),
        );
    }
}

fn rows_written(plan: &Plan, reasons: &mut Reasons) {
    let synced: BTreeSet<_> = ops(plan)
        .filter_map(|op| match op {
            Op::CreateSync(sync) => Some(sync.table.clone()),
            _ => None,
        })
        .collect();
    if !synced.is_empty() {
        let drops = |step: &Step| step.up.iter().any(|op| matches!(op, Op::DropSync(_)));
        let last = plan.deploys.iter().rposition(|deploy| deploy.steps.iter().any(drops));
        reasons.warn(
            "writes",
            format!(
                "a trigger on {} until deploy {}, about 2 µs a row; its first run is inside the migration",
                strategy::tables(&synced),
                last.map_or(plan.deploys.len(), |at| at + 1)
            ),
        );
    }
    if ops(plan).any(|op| matches!(op, Op::Rebuild(_))) {
        reasons.warn(
            "writes",
            "the table is written anew in one transaction: it needs twice its size in free disk, and writers wait",
        );
    }
    if ops(plan).any(|op| op.walk().is_some_and(|(walk, _)| !walk.is_batched())) {
        reasons.warn("writes", "all rows are written in one statement: writers wait for it");
    }
    if plan.server.dialect == Dialect::Sqlite && !synced.is_empty() {
        let own = synced.iter().flat_map(|table| plan.before.triggers_of(table));
        let own: Vec<String> = own.map(|(name, _)| format!("`{name}`")).collect();
        if !own.is_empty() {
            reasons.warn(
                "trigger",
                format!(
                    "{} may fire twice for a write: once more when the other form of the row follows",
                    own.join(", ")
                ),
            );
        }
        reasons.say(
            "reads",
            "the triggers fill a row right after it is stored: INSERT … RETURNING shows it as before",
        );
    }
}

fn radius(plan: &Plan) -> String {
    let tables = tables(plan);
    let asked = || plan.intent.asked.iter();
    let follow = strategy::tables(
        &asked().flat_map(|asked| change::rows_that_follow(plan, &asked.change)).collect(),
    );
    let read = sources(plan);
    let mut others = match (read.is_empty(), follow.is_empty()) {
        (true, true) => return format!("what reads or writes {tables}; no other table is touched"),
        (false, true) => format!("it reads {read}"),
        (true, false) => format!("rows of {follow} change with it"),
        (false, false) => format!("it reads {read}, rows of {follow} change with it"),
    };
    others.push_str(", and no other table is touched");
    format!("what reads or writes {tables}; {others}")
}
