//! How long what the last deploy drops stays at least.

use crate::change::{Intent, Keep};
use crate::error::{Error, Result};
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
