//! Django's own operations, where the SQL they run is the plan's.

use crate::dialect::Dialect;
use crate::package::django;
use crate::package::python::Py;
use crate::plan::op::Op;
use crate::plan::{ModelChange, Step};
use crate::sql::{Rendered, Sql};

use super::Builder;
use super::states::add_field;

/// An operation of Django's own, and which of the step's operations it stands for.
pub(super) struct Native {
    pub(super) position: usize,
    pub(super) call: Py,
    /// Statements of the operation that the call does not run.
    pub(super) before: Vec<Sql>,
}

impl Builder<'_> {
    /// Django's own operation for one of the step's, where its SQL is the plan's.
    pub(super) fn native(&mut self, step: &Step, up: &[Rendered]) -> Option<Native> {
        // One call cannot stand for several changes of the models.
        let server = &self.request.plan.server;
        if server.dialect != Dialect::Postgres || server.names_schema || step.model.len() != 1 {
            return None;
        }
        let model = self.model?.name.to_lowercase();
        for (position, rendered) in up.iter().enumerate() {
            match rendered.op {
                Op::AddColumn { column, constraints, .. } if constraints.is_empty() => {
                    let field = step.model.iter().find_map(|change| match change {
                        ModelChange::AddField { field, .. } if field.column.name == column.name => {
                            Some(field)
                        }
                        _ => None,
                    })?;
                    let same = field.column == *column
                        && field.unique.is_none()
                        && field.references.is_none();
                    // Django quotes every name and writes types its own way; what counts is that the
                    // column comes out the same.
                    let same = same && django::adds_the_same(column);
                    let text = self.field(field).filter(|_| same)?;
                    return Some(Native {
                        position,
                        call: add_field(&model, &column.name, text),
                        before: Vec::new(),
                    });
                }
                Op::CreateIndex { index, online: true, .. } => {
                    let known = step
                        .model
                        .iter()
                        .any(|change| matches!(change, ModelChange::AddIndex { .. }));
                    // A condition goes through Django's adapters and its three-valued logic.
                    let plain = !index.unique && index.filter.is_none();
                    let text = self.index(index).filter(|_| known && plain)?;
                    return Some(Native {
                        position,
                        call: Py::call(
                            "AddIndexConcurrently",
                            [],
                            [("model_name", Py::Str(model)), ("index", text)],
                        ),
                        before: rendered.statements[..rendered.statements.len() - 1].to_vec(),
                    });
                }
                _ => {}
            }
        }
        None
    }
}

pub(super) fn undoes(down: &Op, up: &Op) -> bool {
    match (down, up) {
        (Op::DropColumn { column, .. }, Op::AddColumn { column: added, .. }) => {
            *column == added.name
        }
        (Op::DropIndex { index, .. }, Op::CreateIndex { index: made, .. }) => {
            index.name == made.name
        }
        _ => false,
    }
}
