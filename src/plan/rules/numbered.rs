//! `ADD COLUMN … serial`, `… GENERATED … AS IDENTITY`: a new column that numbers itself.
//!
//! As written, the server numbers every row while everybody waits. Planned, the column is added empty
//! with a sequence of its own that new rows count by at once; existing rows are numbered in batches;
//! NOT NULL comes by a proven CHECK. An identity takes the place of the sequence last, for the server
//! makes one of a filled and required column only, and counts on from where the sequence is.

use crate::catalog::{Column, Expr, Identity, TableName};
use crate::change::AddColumn;
use crate::dialect::{Action, quote};
use crate::error::Result;

use super::super::op::{Counted, Op};
use super::super::small::is_small;
use super::super::strategy::named;
use super::super::{Down, Downtime, Phase, Step, Unit};
use super::{Context, add_column};

pub(super) fn steps(context: &Context, add: &AddColumn) -> Result<Vec<Step>> {
    if context.policy.downtime != Downtime::None || is_small(context.policy, &add.table) {
        return add_column::at_once(context, add);
    }
    let counted = counted(context, add);
    let column = Column {
        ty: counted.ty.clone(),
        default: Some(next_value(context, &counted.table.sibling(counted.sequence.clone()))),
        identity: Some(Identity::Serial),
        ..add.column.clone()
    };
    let filled = AddColumn { column, ..add.clone() };
    let mut steps = add_column::valued_each(context, &filled)?;
    if let Some(expand) = steps.first_mut()
        && let Some(at) = expand.up.iter().position(|op| matches!(op, Op::AddColumn { .. }))
    {
        expand.up.insert(at + 1, Op::CreateSequence(counted.clone()));
        expand.title = format!("{}.{}, numbered from now on", add.table, add.column.name);
    }
    if let Some(Identity::Generated(identity)) = &add.column.identity {
        steps[0].model = vec![add_column::model(add)];
        steps.push(identity_step(context, add, counted, identity));
    }
    Ok(steps)
}

fn counted(context: &Context, add: &AddColumn) -> Counted {
    let (table, column) = (&add.table, &add.column);
    let stem = format!("{}_{}", table.name, column.name);
    let (sequence, options) = if let Some(Identity::Generated(text)) = &column.identity {
        (named(&stem, "_fill"), text.find('(').map_or("", |at| &text[at..]))
    } else {
        let owner = Some((table.clone(), column.name.clone()));
        let sequences = &context.intent.after.sequences;
        let own = sequences.iter().find(|(_, sequence)| sequence.owned_by == owner);
        (own.map_or_else(|| named(&stem, "_seq"), |(name, _)| name.name.clone()), "")
    };
    Counted {
        table: table.clone(),
        column: column.name.clone(),
        ty: column.integer_type().to_owned(),
        sequence,
        options: options.trim_start_matches('(').trim_end_matches(')').trim().to_owned(),
    }
}

pub(super) fn next_value(context: &Context, sequence: &TableName) -> Expr {
    let dialect = context.server.dialect;
    let mut name = quote::ident(dialect, &sequence.name);
    if let Some(schema) = &sequence.schema {
        name = format!("{}.{name}", quote::ident(dialect, schema));
    }
    Expr(format!("nextval({}::regclass)", quote::literal(dialect, &name)))
}

fn identity_step(context: &Context, add: &AddColumn, counted: Counted, identity: &str) -> Step {
    let (table, column) = (&add.table, &add.column.name);
    let lock = context.lock(&[table], Action::SetIdentity);
    let identity = identity.to_owned();
    let mut up = lock.clone();
    up.push(Op::BecomeIdentity { counted: counted.clone(), identity: identity.clone() });
    let mut down = lock;
    down.push(Op::LeaveIdentity { counted, identity });
    Step {
        phase: Phase::Enforce,
        table: table.clone(),
        slug: "identity".into(),
        title: format!("{table}.{column} as an identity"),
        unit: Unit::Transaction,
        up,
        down: Down::ops(down),
        verify: Vec::new(),
        model: Vec::new(),
    }
}
