//! Shapes of a rollout that several kinds of change share.

pub(super) mod comments;
pub(super) mod constrain;
pub(super) mod dependants;
pub(super) mod gained;
pub(super) mod rebuild;
pub(super) mod sync;
pub(super) mod visible;
pub(super) mod walk;

use sha2::{Digest, Sha256};

use crate::dialect::{Action, Server};

use super::Unit;
use super::condition::Condition;
use super::op::Op;

/// The conditions in front of all that a step does.
pub(super) fn ask_first(ops: &mut Vec<Op>, conditions: Vec<Condition>) {
    match ops.first_mut() {
        _ if conditions.is_empty() => {}
        Some(Op::Guard(first)) => {
            first.splice(0..0, conditions);
        }
        _ => ops.insert(0, Op::Guard(conditions)),
    }
}

/// A backfill that commits batch by batch cannot stand in a transaction; a single UPDATE can.
pub(super) fn backfill_unit(server: &Server) -> Unit {
    if server.can(Action::UpdateBatch) { Unit::Alone } else { Unit::Transaction }
}

/// `stem` and `suffix` as one name no longer than servers keep it, 63 bytes. A stem that must be cut
/// ends in a digest of itself: two that differ in their last letters only stay two.
pub(super) fn named(stem: &str, suffix: &str) -> String {
    let room = 63 - suffix.len();
    if stem.len() <= room {
        return format!("{stem}{suffix}");
    }
    let digest = Sha256::digest(stem.as_bytes());
    let mut end = room - 7;
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:02x}{:02x}{:02x}{suffix}", &stem[..end], digest[0], digest[1], digest[2])
}
