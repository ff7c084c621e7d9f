//! The frameworks miggen writes for: one file and one template folder each.

mod alembic;
mod django;
mod flyway;
mod raw;
mod sqlx;

use super::{Emission, Request};
use crate::error::Result;
use crate::plan::Deploy;

/// For whatever is built on libpq, and for drivers that do as it does.
pub const LIBPQ_PAUSE: &str = "PGOPTIONS='-c miggen.pause=0.2'";

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

    /// What stands before a command, so that batches pause after each.
    fn pause(&self) -> &'static str {
        LIBPQ_PAUSE
    }

    /// What the framework says where a step died outside of a transaction, and what to do first.
    fn after_failure(&self, _deploy: &Deploy) -> Option<[&'static str; 2]> {
        None
    }

    fn emit(&self, request: &Request) -> Result<Emission>;
}

pub const TARGETS: &[&dyn Target] =
    &[&alembic::Alembic, &flyway::Flyway, &django::Django, &sqlx::Sqlx, &raw::Raw];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}
