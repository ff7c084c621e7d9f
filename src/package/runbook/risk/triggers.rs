//! Triggers of the application's own that fire for each row a backfill writes.

use crate::input;
use crate::plan::Plan;
use crate::plan::op::Op;
use crate::plan::rows::Backfill;

/// In backquotes.
pub(super) fn fired(plan: &Plan) -> Vec<String> {
    let fills = super::ops(plan).filter_map(Op::backfill);
    let mut found: Vec<String> = Vec::new();
    for fill in fills {
        for (name, trigger) in plan.before.triggers_of(&fill.table) {
            let name = format!("`{name}`");
            if fires(plan, &trigger.origin.text, fill) && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// `… AFTER INSERT OR UPDATE OF a, b ON …`
fn fires(plan: &Plan, text: &str, fill: &Backfill) -> bool {
    let text = input::folded(text, plan.server.dialect);
    let upper = text.to_ascii_uppercase();
    let Some(end) = upper.find(" ON ") else { return true };
    let Some(update) = upper[..end].rfind(" UPDATE") else { return false };
    let of = &text[update..end];
    !upper[update..end].contains(" OF ")
        || input::columns_mentioned(of, plan.server.dialect)
            .iter()
            .any(|name| fill.set.iter().any(|(column, _)| column == name))
}
