//! Tables and types on which an operation would not do what a plan needs of it.
//!
//! Enters: a catalog and the operation that comes next. Leaves: nothing, or an error that says why.

use crate::catalog::{Catalog, Constraint, ConstraintKind, Table, TableName};
use crate::dialect::references::can_reference;
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
        Op::AddConstraint { table, constraint } => match catalog.tables.get(table) {
            Some(own) => compared(catalog, own, constraint, None),
            None => Ok(()),
        },
        Op::CreateTable(table) => {
            table.constraints.iter().try_for_each(|one| compared(catalog, table, one, None))
        }
        Op::SetType { table, column, to, .. } => {
            let keys = |own: &Table| {
                let changed = Some((table, column.as_str(), to.ty.as_str()));
                own.constraints.iter().try_for_each(|one| compared(catalog, own, one, changed))
            };
            catalog.tables.values().try_for_each(keys)
        }
        _ => Ok(()),
    }
}

/// A foreign key whose ends the server cannot compare; `changed`: a column that gets another type.
fn compared(
    catalog: &Catalog,
    own: &Table,
    constraint: &Constraint,
    changed: Option<(&TableName, &str, &str)>,
) -> Result<()> {
    let ConstraintKind::ForeignKey { columns, table, references, .. } = &constraint.kind else {
        return Ok(());
    };
    let Some(target) = catalog.tables.get(table).or((*table == own.name).then_some(own)) else {
        return Ok(());
    };
    let type_of = |of: &Table, name: &str| match changed {
        Some((table, column, ty)) if *table == of.name && column == name => Some(ty.to_owned()),
        _ => of.column(name).map(|column| column.integer_type().to_owned()),
    };
    for (from, to) in columns.iter().zip(references) {
        let Some((one, other)) = type_of(own, from).zip(type_of(target, to)) else { continue };
        if can_reference(catalog.dialect, &one, &other) {
            continue;
        }
        let (from, to) = (format!("{}.{from}", own.name), format!("{}.{to}", target.name));
        let name = constraint.name.as_deref().unwrap_or("a foreign key");
        let error = Error::refused(format!("{name}: `{from}` is {one}, and `{to}` is {other}"))
            .note("the server has no foreign key between these types");
        return Err(match changed {
            Some(_) => error.hint(format!(
                "drop {name} in this script, change the type at both ends, with `--downtime 5m`; add it \
                 again when that rollout is through"
            )),
            None => error.hint("give both ends one type"),
        });
    }
    Ok(())
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
