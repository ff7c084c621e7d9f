//! Replaying statements into a catalog.

mod property;
mod replay;
