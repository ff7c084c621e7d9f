//! miggen turns a naive schema change into a safe rollout: migration files for a framework, one
//! deploy at a time, with a runbook.
//!
//! Modules are stations of a pipeline and read from left to right; a module names only what lies to
//! its left, and `tests/layers.rs` sees to it:
//!
//! [`source`] → [`error`] → [`input`] → [`catalog`] → [`dialect`] → [`change`] → [`plan`] → [`sql`] →
//! [`repo`] → [`package`] → [`rollout`] → [`generate`] → [`cli`]
//!
//! - [`input`] cuts text into typed statements ([`input::ast::Statement`]), foreign text verbatim.
//! - [`catalog`] replays statements into the schema as data ([`catalog::Catalog`]).
//! - [`dialect`] holds what servers do and cost, as rows with sources ([`dialect::Fact`]).
//! - [`change`] says what was asked for ([`change::Intent`]), and refuses what is not understood.
//! - [`plan`] makes deploys of steps of typed operations ([`plan::Plan`]), proven in memory.
//! - [`sql`] writes operations as statements; the only place that does.
//! - [`repo`] reads the user's repository: which framework, what the next file follows.
//! - [`package`] arranges statements in a framework's files ([`package::Emission`]), and the runbook.
//! - [`rollout`] keeps what was emitted, and what the next deploy waits for.
//! - [`generate`] is the pipeline from options to files; [`cli`] the command line around it.

pub mod catalog;
pub mod change;
pub mod cli;
pub mod dialect;
pub mod error;
pub mod generate;
pub mod input;
pub mod package;
pub mod plan;
pub mod repo;
pub mod rollout;
pub mod source;
pub mod sql;
