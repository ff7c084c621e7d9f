//! Text → statements.
//!
//! Enters: a [`Source`](crate::source::Source) in a dialect. Leaves: [`ast::Statement`]s with exact
//! byte ranges, types, defaults, checks and bodies as verbatim slices. Must not know: what a
//! server does with them.

pub mod ast;
