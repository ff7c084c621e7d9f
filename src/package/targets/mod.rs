//! The frameworks miggen writes for: one file and one template folder each.

mod alembic;
mod django;
mod flyway;
mod raw;
mod sqlx;

use super::{Emission, Request};
use crate::error::Result;

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

    fn emit(&self, request: &Request) -> Result<Emission>;
}

pub const TARGETS: &[&dyn Target] =
    &[&alembic::Alembic, &flyway::Flyway, &django::Django, &sqlx::Sqlx, &raw::Raw];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}
