//! Indexes and constraints that get another name. Where their column has got one in the same script,
//! it is part of that change.

use crate::catalog::{Catalog, Constraint, ConstraintKind, Key, TableName};
use crate::error::{Error, Result};
use crate::input::ast::{Ident, Name, Statement};
use crate::source::Span;

use super::super::{Change, Named, RenameName};
use super::Reader;

impl Reader<'_> {
    pub(super) fn rename_index(
        &mut self,
        index: &Name,
        to: &Ident,
        statement: &Statement,
    ) -> Result<()> {
        let named = TableName::of(index, self.server.dialect);
        let Some(table) = self.after.table_of_index(&named) else {
            let instead = format!("RENAME CONSTRAINT {} TO {} renames", named.name, to.name);
            return Err(self.no_index(index, &named, "renamed", &instead));
        };
        let (name, found) = (table.name.clone(), table.index(&named.name).cloned());
        let found = found.ok_or_else(|| Error::bug("index not found"))?;
        self.named_anew(&name, Named::Index(found), to, index.span().to(to.span))?;
        self.after.apply(self.source, statement)
    }

    /// Before the statement is applied.
    pub(super) fn rename_constraint(
        &mut self,
        table: &TableName,
        from: &Ident,
        to: &Ident,
        span: Span,
    ) -> Result<()> {
        let own = &self.after.tables[table];
        let not_null = || self.required_by(table, &from.name).map(|column| own.not_null_of(column));
        let Some(constraint) = own.constraint(&from.name).cloned().or_else(not_null) else {
            return Err(Error::refused(format!(
                "{} has no constraint `{}`",
                table.name, from.name
            ))
            .at(self.source, from.span, "not in the schema"));
        };
        self.named_anew(table, Named::Constraint(constraint), to, span)
    }

    fn named_anew(&mut self, table: &TableName, of: Named, to: &Ident, span: Span) -> Result<()> {
        let keys: &[Key] = match &of {
            Named::Index(index) => &index.keys,
            Named::Constraint(constraint) => match &constraint.kind {
                ConstraintKind::Unique(keys) => keys,
                _ => &[],
            },
        };
        let follows = keys
            .iter()
            .filter_map(Key::column)
            .any(|column| self.renamed.contains_key(&(table.clone(), column.to_owned())));
        if follows {
            return Ok(());
        }
        self.nameable(to)?;
        if [self.before, &self.after].iter().any(|state| taken(state, table, &of, &to.name)) {
            return Err(Error::refused(format!("`{}` is there already", to.name))
                .at(self.source, to.span, "the name of another one")
                .hint("what this script drops keeps its name until that is carried out"));
        }
        let before = self.before.tables.get(table);
        let known = before.is_some_and(|table| match &of {
            Named::Index(index) => table.index(&index.name) == Some(index),
            Named::Constraint(one) => match &one.kind {
                ConstraintKind::NotNull(column) => table.not_null_of(column) == *one,
                _ => table.constraint(of.name()) == Some(one),
            },
        });
        if !known {
            return Err(self.not_yet("another name for what the same script makes", span));
        }
        let change = RenameName { table: table.clone(), of, to: to.name.to_string() };
        self.ask(Change::RenameName(change), span);
        Ok(())
    }
}

/// Indexes, and the constraints that have one, share their names with all relations of the schema;
/// other constraints with those of their table.
fn taken(state: &Catalog, table: &TableName, of: &Named, to: &str) -> bool {
    let has_index = |one: &Constraint| {
        matches!(
            one.kind,
            ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude(_)
        )
    };
    let constraint = |of: &TableName, any: bool| {
        let named = |one: &&Constraint| one.name.as_deref() == Some(to);
        state.tables.get(of).is_some_and(|table| {
            table.constraints.iter().filter(named).any(|one| any || has_index(one))
        })
    };
    let relation = match of {
        Named::Index(_) => true,
        Named::Constraint(one) => has_index(one),
    };
    let own = matches!(of, Named::Constraint(_)) && constraint(table, true);
    let name = table.sibling(to.to_owned());
    own || relation
        && (state.table_key(&name).is_some()
            || state.views.contains_key(&name)
            || state.sequences.contains_key(&name)
            || state.table_of_index(&name).is_some()
            || state.tables.keys().any(|of| of.schema == name.schema && constraint(of, false)))
}
