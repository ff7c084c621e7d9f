//! Which version of the application may run when, and what it reads and writes.

use crate::change::Change;
use crate::plan::{Downtime, DualWrite, Plan};

/// Old and new columns, where the application writes both itself.
fn both(plan: &Plan) -> Option<(String, String)> {
    if plan.policy.dual_write != DualWrite::App || plan.policy.downtime != Downtime::None {
        return None;
    }
    plan.intent.asked.iter().find_map(|asked| match &asked.change {
        Change::RenameColumn(rename) => Some((rename.from.clone(), rename.to.clone())),
        Change::Replace(replace) => Some((replace.olds(), replace.news())),
        _ => None,
    })
}

/// In a few words; `at` counts deploys from 0.
pub fn application(plan: &Plan, at: usize) -> &'static str {
    match (both(plan), at, plan.deploys.len()) {
        (Some(_), 0, _) => "old code; then release A",
        (Some(_), 1, _) => "release A; then B, then C",
        (Some(_), ..) => "release C only",
        (None, 0, _) if plan.stops_old_code() => "stopped; then new code",
        (None, 0, 1) => "old code, then new code",
        (None, 0, _) => "old code; then new code beside it",
        (None, ..) => "new code only",
    }
}

/// For the head of a deploy; `number` counts from 1.
pub(super) fn may_run(plan: &Plan, number: usize) -> String {
    match (both(plan), number, plan.deploys.len()) {
        (Some((old, _)), 1, _) => format!(
            "old code, until the last step is verified. Then release A, which writes {old} and its successors, beside the old."
        ),
        (Some((old, new)), 2, _) => format!(
            "release A only: what old code writes from here on is missing in {new}. Once this is verified release B; and \
             when no A is left, release C. Both may take as long as you like, {old} is right until C writes."
        ),
        (Some((old, _)), ..) => format!(
            "release C only. One process left that names {old} (a pod, a cron job, a console) would fail."
        ),
        (None, 1, _) if plan.stops_old_code() => {
            "no code at all. Stop the old code before the first step; start the new code when the last one is verified.".into()
        }
        (None, 1, _) if !plan.deploys[0].changes_database() => {
            "old code, and new code beside it for as long as you like: the database stays as it is. New code is a release \
             that no longer names what deploy 2 takes away."
                .into()
        }
        (None, 1, 1) => "old and new code, side by side, all the time.".into(),
        (None, 1, _) => {
            "old code only, until the last step is verified. Then new code, beside the old for as long as you like.".into()
        }
        (None, ..) => {
            "new code only. One old process left (a pod, a cron job, a console) would fail or lose writes.".into()
        }
    }
}

/// Who, and what it does, where the application writes both.
pub(super) fn table(plan: &Plan) -> Vec<[String; 2]> {
    let Some((old, new)) = both(plan) else { return Vec::new() };
    let row = |who: &str, what: String| [who.to_owned(), what];
    vec![
        row("old code, until deploy 1 is verified", format!("reads and writes {old}")),
        row(
            "release A, after deploy 1",
            format!("reads {old}; writes {old} and {new}, in one statement"),
        ),
        row("release B, after deploy 2", format!("reads {new}; writes {old} and {new} as before")),
        row(
            "release C, when no A runs any more",
            format!("reads and writes {new}; deploy 3 waits for it"),
        ),
    ]
}

pub(super) fn strategy(plan: &Plan) -> Option<String> {
    let (old, new) = both(plan)?;
    Some(format!(
        "**{old} → {new}**, written twice by the application. As written, old code breaks at once and its last writes are \
         lost. So {new} stands beside {old}: release A writes both while {old} is what is read; deploy 2 fills what differs, \
         for {old} is right in every row whoever wrote it; release B reads {new} and still writes both, for A reads {old}; \
         release C lets go of {old}. What A and B write into {new} must be what the change computes: deploy 2 overwrites what \
         differs. No trigger is involved."
    ))
}
