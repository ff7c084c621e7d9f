//! `COMMENT ON TABLE|COLUMN|INDEX|CONSTRAINT`.
//!
//! | server | as written | planned |
//! |---|---|---|
//! | PostgreSQL | catalog only; waits for vacuum and other DDL, and they for it | the same, its lock taken in short tries; the way back is the comment before |
//! | SQLite | it has none | refused |

use crate::change::{Comment, CommentOn};
use crate::dialect::Action;

use super::super::op::Op;
use super::super::{Down, ModelChange, Phase, Step, Unit};
use super::Context;

pub(super) fn steps(context: &Context, comment: &Comment) -> Vec<Step> {
    let Comment { on, text, before } = comment;
    let table = on.table();
    // An index has a lock of its own, which no writer meets.
    let lock = match on {
        CommentOn::Index(..) => Vec::new(),
        _ => context.lock(&[table], Action::Comment),
    };
    let op = |text: &Option<String>| Op::Comment { on: on.clone(), text: text.clone() };
    let with_lock = |op: Op| lock.iter().cloned().chain([op]).collect();
    vec![Step {
        phase: Phase::Expand,
        table: table.clone(),
        slug: "comment".into(),
        title: format!("comment on {}", on.title()),
        unit: Unit::Transaction,
        up: with_lock(op(text)),
        down: Down::ops(with_lock(op(before))),
        verify: Vec::new(),
        model: vec![ModelChange::Comment {
            on: on.clone(),
            text: text.clone(),
            before: before.clone(),
        }],
    }]
}
