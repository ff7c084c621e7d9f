//! A team's own templates: each takes the place of one that is known, and leaves nothing out.

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalog::names;
use crate::error::{Error, Result};

/// Where they lie in a repository.
pub(super) const FOLDER: &str = ".miggen/templates";

/// Refuses a file that is no template's; what another one names is a part of that.
pub(super) fn check(folder: &Path, known: &[&str]) -> Result<()> {
    let mut files = BTreeMap::new();
    read(folder, "", &mut files);
    for name in files.keys().filter(|name| !known.contains(&name.as_str())) {
        let quoted = [format!("\"{name}\""), format!("'{name}'")];
        if files.values().any(|text| quoted.iter().any(|quoted| text.contains(quoted))) {
            continue;
        }
        let error = Error::usage(format!("{FOLDER}/{name} takes the place of no template"))
            .note(format!("there are {}", known.join(", ")));
        return Err(match names::closest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("name it as one of those, or take it away"),
        });
    }
    Ok(())
}

/// Texts by their name below the folder, hidden files and notes for people apart.
fn read(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let own = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{below}{own}");
        if own.starts_with('.') || own.starts_with("README") {
            continue;
        }
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

/// Refuses a text in which a part is missing; how lines are indented and broken is the template's.
pub(super) fn whole<'p>(
    template: &str,
    text: &str,
    parts: impl IntoIterator<Item = &'p str>,
) -> Result<()> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let written = words(text);
    let Some(missing) = parts.into_iter().map(words).find(|part| !written.contains(part)) else {
        return Ok(());
    };
    let start: String = missing.chars().take(60).collect();
    Err(Error::usage(format!("the template {template} leaves out what the migration is to do"))
        .note(format!("`{start} …` is missing"))
        .hint(format!("begin {FOLDER}/{template} with `{{% extends \"builtin/{template}\" %}}`, and change blocks")))
}
