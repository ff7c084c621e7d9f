//! miggen turns a naive schema change into a safe rollout.

pub mod catalog;
pub mod error;
pub mod input;
pub mod package;
pub mod repo;
pub mod source;
