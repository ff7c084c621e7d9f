//! One kind of change, one file; this is the one place that tells them apart.

mod add_column;
mod change_type;
mod comment;
mod constraint;
mod copy;
mod create_index;
mod create_table;
mod default;
mod delete;
mod drop_column;
mod drop_index;
mod drop_table;
mod dual_write;
mod generated;
mod not_null;
mod numbered;
mod rename_column;
mod rename_name;
mod rename_table;
mod replace;
mod seed;
mod update;

use crate::change::Change;
use crate::error::Result;

use super::context::Context;
use super::{Downtime, DualWrite, Step};

pub(super) fn steps(context: &Context) -> Result<Vec<Step>> {
    let by_app =
        context.policy.dual_write == DualWrite::App && context.policy.downtime == Downtime::None;
    match &context.asked.change {
        Change::AddColumn(add) => add_column::steps(context, add),
        Change::Comment(comment) => Ok(comment::steps(context, comment)),
        Change::CreateIndex(create) => create_index::steps(context, create),
        Change::CreateTable(create) => create_table::steps(context, create),
        Change::DropIndex(drop) => drop_index::steps(context, drop),
        Change::RenameColumn(rename) if by_app => dual_write::rename(context, rename),
        Change::Replace(replace) if by_app => dual_write::replace(context, replace),
        Change::RenameColumn(rename) => rename_column::steps(context, rename),
        Change::DropColumn(drop) => drop_column::steps(context, drop),
        Change::DropTable(drop) => drop_table::steps(context, drop),
        Change::RenameTable(rename) => rename_table::steps(context, rename),
        Change::RenameName(rename) => Ok(vec![rename_name::step(context, rename)]),
        Change::ChangeType(change) => change_type::steps(context, change),
        Change::Require(one) => not_null::require(context, one),
        Change::Relax(one) => Ok(not_null::relax(context, one)),
        Change::SetDefault(set) => Ok(default::steps(context, set)),
        Change::AddConstraint(one) => constraint::add(context, one),
        Change::ValidateConstraint(one) => Ok(constraint::validate(context, one)),
        Change::DropConstraint(one) => constraint::drop(context, one),
        Change::Replace(replace) => replace::steps(context, replace),
        Change::Update(update) => update::steps(context, update),
        Change::Delete(delete) => delete::steps(context, delete),
        Change::Copy(copy) => copy::steps(context, copy),
        Change::Seed(seed) => Ok(seed::steps(seed)),
    }
}
