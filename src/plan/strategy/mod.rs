//! Shapes of a rollout that several kinds of change share.

pub(super) mod constrain;
pub(super) mod dependants;
pub(super) mod rebuild;
pub(super) mod sync;
pub(super) mod walk;

use crate::dialect::{Action, Server};

use super::Unit;

/// A backfill that commits batch by batch cannot stand in a transaction; a single UPDATE can.
pub(super) fn backfill_unit(server: &Server) -> Unit {
    if server.can(Action::UpdateBatch) { Unit::Alone } else { Unit::Transaction }
}

/// `stem` and `suffix` as one name no longer than servers keep it, 63 bytes: the stem is cut, on a
/// character, for the suffix is what tells names apart.
pub(super) fn named(stem: &str, suffix: &str) -> String {
    let mut end = stem.len().min(63 - suffix.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &stem[..end])
}
