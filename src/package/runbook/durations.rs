//! How long things take, and from which measurement that is known.

use crate::dialect::{Action, Blocks, Dialect, Work};
use crate::plan::op::Op;
use crate::plan::{Plan, Step};

/// Seconds for a million rows on two small cores, and where that was measured.
struct Rate {
    action: Action,
    dialect: Dialect,
    seconds: f64,
    source: &'static str,
}

const RATES: &[Rate] = &[
    Rate {
        action: Action::UpdateAll,
        dialect: Dialect::Postgres,
        seconds: 7.0,
        source: "14 s for 2 M rows of 100 bytes, PostgreSQL 15",
    },
    Rate {
        action: Action::CreateIndex,
        dialect: Dialect::Postgres,
        seconds: 0.6,
        source: "1.2 s for 2 M rows, PostgreSQL 15",
    },
    Rate {
        action: Action::UpdateBatch,
        dialect: Dialect::Postgres,
        seconds: 7.0,
        source: "14 s for 2 M rows of 100 bytes, PostgreSQL 15",
    },
    Rate {
        action: Action::CreateIndexOnline,
        dialect: Dialect::Postgres,
        seconds: 1.1,
        source: "2.2 s for 2 M rows, PostgreSQL 12 and 18; plus the longest open transaction",
    },
    Rate {
        action: Action::ValidateCheck,
        dialect: Dialect::Postgres,
        seconds: 0.35,
        source: "0.7 s for 2 M rows, PostgreSQL 18",
    },
    Rate {
        action: Action::Scan,
        dialect: Dialect::Postgres,
        seconds: 0.45,
        source: "0.9 s for 2 M rows, PostgreSQL 15",
    },
    Rate {
        action: Action::UpdateAll,
        dialect: Dialect::Sqlite,
        seconds: 1.2,
        source: "1.2 s for 1 M rows, SQLite 3.40",
    },
    Rate {
        action: Action::Rebuild,
        dialect: Dialect::Sqlite,
        seconds: 4.3,
        source: "4.3 s for 1 M rows, SQLite 3.40",
    },
    Rate {
        action: Action::CreateIndex,
        dialect: Dialect::Sqlite,
        seconds: 1.0,
        source: "about 1 s for 1 M rows, SQLite 3.40",
    },
];

/// Disks and replicas are slower than the machine that was measured.
const MARGIN: f64 = 3.0;

fn seconds(plan: &Plan, step: &Step) -> Option<(f64, f64, Vec<&'static str>)> {
    let rows = plan.policy.rows.get(&step.table).copied();
    let mut total = 0.0;
    let mut sources = Vec::new();
    let mut heavy = false;
    for action in step.up.iter().flat_map(Op::actions) {
        let rate = RATES.iter().find(|r| r.action == action && r.dialect == plan.server.dialect);
        if let Some(rate) = rate {
            heavy = true;
            #[allow(clippy::cast_precision_loss, reason = "an estimate")]
            if let Some(rows) = rows {
                total += rate.seconds * rows as f64 / 1e6;
            }
            if !sources.contains(&rate.source) {
                sources.push(rate.source);
            }
        }
    }
    (heavy && rows.is_some()).then_some((total, total * MARGIN, sources))
}

fn heavy(step: &Step, plan: &Plan) -> bool {
    step.facts(&plan.server).iter().any(|fact| fact.work > Work::Few)
}

/// Everybody waits while the table is written anew.
pub(super) fn rewrites(plan: &Plan, step: &Step) -> bool {
    let facts = step.facts(&plan.server);
    facts.iter().any(|fact| fact.work == Work::Rewrite && fact.blocks == Blocks::Everything)
}

fn few(step: &Step, plan: &Plan) -> bool {
    step.facts(&plan.server).iter().any(|fact| fact.work == Work::Few)
}

/// `step`, `about`, `from`.
pub(super) fn durations(plan: &Plan) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for (at, deploy) in plan.deploys.iter().enumerate() {
        for (position, step) in deploy.steps.iter().enumerate() {
            let name = format!("{}.{} {}", at + 1, position + 1, step.slug);
            rows.push(match seconds(plan, step) {
                Some((low, high, sources)) => [
                    name,
                    range(low, high),
                    format!("{}; times {MARGIN} for disks and replicas", sources.join("; ")),
                ],
                None if step.up.is_empty() => [name, "–".into(), "nothing to run".into()],
                None if heavy(step, plan) => [
                    name,
                    "grows with the table".into(),
                    if plan.policy.rows.contains_key(&step.table) {
                        "not measured".into()
                    } else {
                        format!("no number of rows was given: `--rows {}=…`", step.table)
                    },
                ],
                None if few(step, plan) => [name, "1 s".into(), "a few rows".into()],
                None if step.up.iter().any(|op| matches!(op, Op::Lock { .. })) => {
                    [name, "1 s".into(), "catalog only; up to 90 s of tries on a busy table".into()]
                }
                None => [name, "1 s".into(), "catalog only".into()],
            });
        }
    }
    rows
}

/// For the comment behind a command.
pub(super) fn class(plan: &Plan, step: &Step) -> String {
    match seconds(plan, step) {
        Some((low, high, _)) => range(low, high),
        None if heavy(step, plan) => "grows with the table".into(),
        None => "seconds".into(),
    }
}

/// How long the strongest lock is held.
pub(super) fn held(plan: &Plan, step: &Step) -> String {
    if step.up.is_empty() {
        return "–".into();
    }
    let takes =
        |wanted: Action| step.up.iter().flat_map(Op::actions).any(|action| action == wanted);
    if takes(Action::UpdateBatch) {
        return "0.1 s a batch".into();
    }
    if rewrites(plan, step) {
        return class(plan, step);
    }
    let locks_first = step.up.iter().any(|op| matches!(op, Op::Lock { .. }));
    let scans = takes(Action::UpdateAll) || takes(Action::Rebuild) || takes(Action::CreateIndex);
    if locks_first && !scans {
        return "< 50 ms".into();
    }
    class(plan, step)
}

fn range(low: f64, high: f64) -> String {
    let text = |seconds: f64| {
        if seconds < 90.0 {
            (format!("{}", seconds.ceil().max(1.0)), "s")
        } else if seconds < 5400.0 {
            (format!("{}", (seconds / 60.0).ceil()), "min")
        } else {
            (format!("{:.1}", seconds / 3600.0), "h")
        }
    };
    let ((mut low_text, mut low_unit), (high, high_unit)) = (text(low), text(high));
    if low_unit == "s" && high_unit == "min" && low >= 60.0 {
        (low_text, low_unit) = ("1".into(), "min");
    }
    let low = low_text;
    match (low == high, low_unit == high_unit) {
        (true, true) => format!("{low} {low_unit}"),
        (_, true) => format!("{low}–{high} {high_unit}"),
        _ => format!("{low} {low_unit}–{high} {high_unit}"),
    }
}
