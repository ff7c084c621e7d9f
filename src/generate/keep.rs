//! How long what the last deploy drops stays at least.

use crate::change::{Intent, Keep};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::source::Span;

/// `30d`, `30 days`.
pub fn parse_keep(text: &str) -> Result<u32> {
    let number = text.trim_end_matches("days").trim_end_matches("day").trim_end_matches('d').trim();
    Keep::days(number).filter(|_| number != text.trim()).ok_or_else(|| {
        Error::usage(format!("`{text}` is not a number of days"))
            .note("ten years at most")
            .hint("`--keep 30d`")
    })
}

/// The day until which something is kept is not known before there is a release to count from.
pub(super) fn refuse_at_once(plan: &Plan) -> Result<()> {
    let Some(keep) = plan.keep.as_ref().filter(|_| plan.deploys.len() > 1) else {
        return Ok(());
    };
    let mut error = Error::usage(format!(
        "--all writes every deploy now, and the last one is to wait {}",
        keep.text
    ));
    if keep.span != Span::default() {
        error = error.at(&plan.intent.source, keep.span, "from the release of the deploy before");
    }
    Err(error
        .note("the days count from a release, and all is written before there is one")
        .hint("leave out `--all`: `miggen next` writes the last deploy, guarded by the day"))
}

/// The option says what a hint of the change may say as well.
pub(super) fn settle(intent: &mut Intent, days: Option<u32>) -> Result<()> {
    match (&intent.keep, days) {
        (Some(hint), Some(days)) if hint.days != days => {
            Err(Error::refused(format!("--keep says {days} days, the change says {}", hint.text))
                .at(&intent.source, hint.span, "which of both?")
                .hint("leave one out"))
        }
        (None, Some(days)) => {
            let text = format!("{days} day{}", if days == 1 { "" } else { "s" });
            intent.keep = Some(Keep { text, days, span: Span::default() });
            Ok(())
        }
        _ => Ok(()),
    }
}
