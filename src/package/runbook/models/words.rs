//! Changes of models in words, where no framework declares them.

use crate::catalog::Expr;
use crate::plan::ModelChange;

pub(super) fn lines(change: &ModelChange) -> Vec<String> {
    match change {
        ModelChange::RemoveModel { table } => {
            vec![format!("{table} is not named any more")]
        }
        ModelChange::RenameModel { from, to, .. } => {
            vec![format!("{to} is read and written; {from} is not named any more")]
        }
        ModelChange::AddModel(table) => {
            vec![format!("{} may be read and written", table.name)]
        }
        ModelChange::RemoveField { table, field, .. } => {
            vec![format!("{table}.{} is not named any more", field.column.name)]
        }
        ModelChange::AddField { table, field } => {
            vec![format!("{table}.{} may be read and written", field.column.name)]
        }
        ModelChange::AlterField { table, before, field }
        | ModelChange::AlterKey { table, before, field } => {
            let name = format!("{table}.{}", field.column.name);
            let (was, is) = (&before.column, &field.column);
            vec![match (&is.default, was.not_null, is.not_null) {
                _ if was.ty != is.ty => format!("{name} is {}", is.ty),
                (_, false, true) => format!("{name} is never NULL"),
                (_, true, false) => format!("{name} may be NULL"),
                (Some(Expr(default)), ..) => {
                    format!("{name} is `{default}` where it is not given")
                }
                (None, ..) => format!("{name} is given by every INSERT"),
            }]
        }
        ModelChange::AddConstraint { .. } | ModelChange::RemoveConstraint { .. } => Vec::new(),
        ModelChange::RenameField { table, from, field, .. } => vec![format!(
            "{}.{} is read and written; {from} is not named any more",
            table, field.column.name
        )],
        ModelChange::AddIndex { .. }
        | ModelChange::RemoveIndex { .. }
        | ModelChange::Comment { .. } => Vec::new(),
    }
}
