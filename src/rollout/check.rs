//! What a person may have written into `rollout.toml` that nothing can be planned upon.

use toml_edit::{Document, Item};

use crate::change::Keep;
use crate::error::{Error, Result};
use crate::source::Span;

use super::Rollout;

pub(super) fn check(rollout: &Rollout) -> Result<()> {
    if rollout.state.deploys.iter().all(|deploy| deploy.emitted.is_some()) {
        return Ok(()); // Nothing follows.
    }
    keep(rollout)
}

fn keep(rollout: &Rollout) -> Result<()> {
    let Some(text) = &rollout.state.facts.keep else { return Ok(()) };
    let is_known = matches!(
        text.split_whitespace().collect::<Vec<_>>().as_slice(),
        [number, "day" | "days"] if Keep::days(number).is_some()
    );
    if is_known {
        return Ok(());
    }
    let span = place(rollout, |file| file.get("facts")?.get("keep"));
    Err(Error::refused(format!("{} does not say how long the old form stays", rollout.source.name))
        .at(&rollout.source, span, "a number of days, ten years at most")
        .hint("`keep = \"30 days\"`"))
}

/// Where a value of the file stands.
fn place(rollout: &Rollout, find: impl FnOnce(&Item) -> Option<&Item>) -> Span {
    let Ok(file) = Document::parse(rollout.source.text.as_str()) else {
        return Span::default();
    };
    let span = find(file.as_item()).and_then(Item::span).unwrap_or_default();
    Span::new(span.start, span.end)
}
