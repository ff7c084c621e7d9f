//! The frameworks miggen writes for: one file and one template folder each.

mod alembic;
mod django;
mod flyway;
mod raw;
mod sqlx;

use std::path::Path;

use super::{Emission, Request};
use crate::error::Result;
use crate::plan::Deploy;
use crate::repo;

/// What `psql` is given, so that batches pause after each.
pub const PSQL_PAUSE: &str = "`PGOPTIONS='-c miggen.pause=0.2'` before `psql`";

/// Who declares the application's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelStyle {
    SqlAlchemy,
    Django,
    /// Nobody we know: changes are told in words.
    Words,
}

/// A framework. It reads the repository, arranges statements in its files, and knows its commands.
pub trait Target: Sync {
    /// As in `--target NAME`.
    fn name(&self) -> &'static str;

    /// As people write it.
    fn title(&self) -> &'static str;

    /// The framework keeps what it believes of the schema in its migrations.
    fn keeps_state(&self) -> bool {
        false
    }

    /// Its migrations name the one they follow, so that a person may say which.
    fn names_parent(&self) -> bool {
        false
    }

    /// How the application's models are written that go with it.
    fn models(&self) -> ModelStyle {
        ModelStyle::Words
    }

    /// What its commands are given, so that batches pause after each.
    fn pause(&self) -> &'static str;

    /// What the framework says where a step died outside of a transaction, and what to do first.
    fn after_failure(&self, _deploy: &Deploy) -> Option<[&'static str; 2]> {
        None
    }

    fn emit(&self, request: &Request) -> Result<Emission>;
}

pub const TARGETS: &[&dyn Target] =
    &[&alembic::Alembic, &flyway::Flyway, &django::Django, &sqlx::Sqlx, &raw::Raw];

/// A command that is run in `folder`, as it is copied at the repository's root.
fn at_home(folder: &Path, command: &str) -> String {
    if folder.as_os_str().is_empty() {
        command.to_owned()
    } else {
        format!("(cd {} && {command})", quoted(&repo::name(folder)))
    }
}

/// Text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,@%+".contains(letter);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The target of that name.
pub fn target(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_another_folder_is_copied_at_the_root() {
        assert_eq!(at_home(Path::new(""), "flyway info"), "flyway info");
        assert_eq!(at_home(Path::new("a/b"), "flyway info"), "(cd a/b && flyway info)");
        assert_eq!(at_home(Path::new("my app's"), "x"), r"(cd 'my app'\''s' && x)");
    }
}
