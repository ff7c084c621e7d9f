//! Shapes of a rollout that several kinds of change share.

pub(super) mod rebuild;
pub(super) mod sync;

use crate::dialect::{Action, Server};

use super::Unit;

/// A backfill that commits batch by batch cannot stand in a transaction; a single UPDATE can.
pub(super) fn backfill_unit(server: &Server) -> Unit {
    if server.can(Action::UpdateBatch) { Unit::Alone } else { Unit::Transaction }
}

/// A name no longer than servers keep it: 63 bytes, cut on a character.
pub(super) fn fit(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
