//! Tables and types on which an operation would not do what a plan needs of it.
//!
//! Enters: a catalog and the operation that comes next. Leaves: nothing, or an error that says why.

use crate::catalog::{Catalog, TableName};
use crate::dialect::types::Type;
use crate::error::{Error, Result};

use super::op::Op;

pub(super) fn refuse(catalog: &Catalog, op: &Op) -> Result<()> {
    match op {
        Op::CreateSync(sync) if catalog.has_heirs(&sync.table) => Err(heirs(&sync.table)),
        Op::AddColumn { table, column, .. }
            if column.default.is_none()
                && column.generated.is_none()
                && admits_no_null(catalog, &column.ty) =>
        {
            Err(Error::refused(format!("{} admits no NULL, whatever the column says", column.ty))
                .note(format!(
                    "`{}.{}` would come empty, and be filled behind: the server refuses it",
                    table.name, column.name
                ))
                .hint(format!(
                    "take NOT NULL from the domain, and give it to the columns; `--downtime 5m` \
                     plans the plain change of `{}`",
                    table.name
                )))
        }
        _ => Ok(()),
    }
}

fn heirs(table: &TableName) -> Error {
    Error::refused(format!("other tables inherit from `{}`", table.name))
        .note("their rows are its rows as well, and no trigger of its own sees them written")
        .hint("`--downtime 5m` plans the plain change")
}

/// A domain that says NOT NULL.
fn admits_no_null(catalog: &Catalog, ty: &str) -> bool {
    let ty = Type::read(ty);
    let name = ty.element().trim_matches('"');
    let domain = catalog.domains.iter().find(|(known, _)| known.name == name);
    let rest = domain.and_then(|(_, domain)| domain.rest.as_deref());
    rest.is_some_and(|rest| rest.to_ascii_uppercase().contains("NOT NULL"))
}
