//! What a person may have written into `rollout.toml` that nothing can be planned upon.

use toml_edit::{Document, Item};

use crate::change::Keep;
use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::source::Span;

use super::{Rollout, date};

pub(super) fn check(repo: &Repo, rollout: &Rollout) -> Result<()> {
    if rollout.state.deploys.iter().all(|deploy| deploy.emitted.is_some()) {
        return Ok(()); // Nothing follows.
    }
    keep(rollout)?;
    basis(rollout)?;
    numbers(rollout)?;
    releases(rollout)?;
    files(repo, rollout)
}

/// What the first deploy was planned from is what the others are planned from.
fn basis(rollout: &Rollout) -> Result<()> {
    if rollout.state.sha256 == rollout.state.basis() {
        return Ok(());
    }
    let span = place(rollout, |file| file.get("sha256"));
    Err(edited(rollout)
        .at(&rollout.source, span, "target, server, change or facts gave another sum then")
        .note("the deploys that are written were planned from them, and so must be what follows"))
}

fn numbers(rollout: &Rollout) -> Result<()> {
    let mut deploys = rollout.state.deploys.iter().enumerate();
    let Some((at, _)) = deploys.find(|(at, deploy)| deploy.number != at + 1) else {
        return Ok(());
    };
    let span = place(rollout, |file| file.get("deploys")?.get(at)?.get("number"));
    Err(edited(rollout).at(&rollout.source, span, format!("this is deploy {}", at + 1)))
}

/// A release follows the day its files were written; which day that was, differs round the world.
fn releases(rollout: &Rollout) -> Result<()> {
    for (at, deploy) in rollout.state.deploys.iter().enumerate() {
        let Some(released) = &deploy.released else { continue };
        let span = place(rollout, |file| file.get("deploys")?.get(at)?.get("released"));
        let wrong = |what: String| {
            Error::refused(format!(
                "deploy {} of {} cannot have been released then",
                at + 1,
                rollout.state.name
            ))
            .at(&rollout.source, span, what)
            .hint("`released = YYYY-MM-DD`: the day on which it reached production")
        };
        let Some(released) = date(released) else {
            return Err(wrong("no day".into()));
        };
        let Some(written) = deploy.emitted.as_ref().and_then(date) else {
            return Err(wrong("it is not written yet".into()));
        };
        if released.succ_opt().is_some_and(|next| next < written) {
            return Err(wrong(format!("it was written on {written}")));
        }
    }
    Ok(())
}

fn files(repo: &Repo, rollout: &Rollout) -> Result<()> {
    for (at, deploy) in rollout.state.deploys.iter().enumerate() {
        let outside = deploy.files.iter().position(|file| repo.inside(&file.path).is_none());
        if let Some(file) = outside {
            let span = place(rollout, |toml| {
                toml.get("deploys")?.get(at)?.get("files")?.get(file)?.get("path")
            });
            return Err(edited(rollout).at(&rollout.source, span, "outside of the repository"));
        }
    }
    Ok(())
}

fn edited(rollout: &Rollout) -> Error {
    let name = &rollout.source.name;
    Error::refused(format!("{name} is not as miggen wrote it")).hint(format!(
        "`git diff {name}` shows what was edited; of its lines only `released` is for people"
    ))
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
