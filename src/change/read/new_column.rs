//! A column that the script adds.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Key, Table, TableName};
use crate::dialect::Action;
use crate::dialect::functions::Volatility;
use crate::error::{Error, Result};
use crate::input::ast::{ColumnConstraintKind, ColumnDef};
use crate::input::{self, expr};
use crate::source::Span;

use super::super::{AddColumn, DefaultKind};
use super::{Reader, types};

impl Reader<'_> {
    pub(super) fn add_column(
        &self,
        table: &TableName,
        definition: &ColumnDef,
    ) -> Result<AddColumn> {
        let name = definition.name.name.as_ref();
        for constraint in &definition.constraints {
            let span = constraint.text.span();
            match constraint.kind {
                ColumnConstraintKind::PrimaryKey { .. }
                    if !self.server.can(Action::UniqueUsingIndex) =>
                {
                    return Err(self.not_yet("a primary key on a new column", span));
                }
                ColumnConstraintKind::AutoIncrement => {
                    return Err(self.not_yet("a column that numbers itself", span));
                }
                ColumnConstraintKind::Check { expr, .. } if !self.names(expr.text, name) => {
                    return Err(Error::refused(format!("this CHECK of {name} does not name it"))
                        .at(self.source, span, "about other columns")
                        .note("it would not go when the column goes")
                        .hint(format!(
                            "ALTER TABLE {} ADD CONSTRAINT … {};",
                            table.name, constraint.text.text
                        )));
                }
                ColumnConstraintKind::Other | ColumnConstraintKind::OnUpdate(_) => {
                    return Err(self.not_yet("this attribute of a new column", span));
                }
                _ => {}
            }
        }
        let after: &Table = &self.after.tables[table];
        let column = after.column(name).cloned().ok_or_else(|| Error::bug("column not applied"))?;
        if let Some(ty) = definition.ty.as_ref().filter(|_| !column.numbers_itself()) {
            types::check(self.server, &self.after, &column.ty)
                .map_err(|why| Error::refused(why).at(self.source, ty.span(), "this type"))?;
        }
        let of_column = |kind: &ConstraintKind| -> bool {
            match kind {
                ConstraintKind::Unique(keys) => {
                    matches!(keys.as_slice(), [Key::Column { name: key, .. }] if key == name)
                }
                ConstraintKind::ForeignKey { columns, .. } => {
                    columns.len() == 1 && columns[0] == name
                }
                _ => false,
            }
        };
        let before = self.after_before_statement(table);
        let new: Vec<&Constraint> =
            after.constraints.iter().filter(|constraint| !before.contains(constraint)).collect();
        let unique =
            new.iter().find(|c| matches!(c.kind, ConstraintKind::Unique(_)) && of_column(&c.kind));
        let references = new
            .iter()
            .find(|c| matches!(c.kind, ConstraintKind::ForeignKey { .. }) && of_column(&c.kind));
        // What ADD CONSTRAINT says of it is a change of its own.
        let inline: Vec<&str> = definition
            .constraints
            .iter()
            .filter_map(|constraint| match &constraint.kind {
                ColumnConstraintKind::Check { expr, .. } => Some(expr.text),
                _ => None,
            })
            .collect();
        let checks = new
            .iter()
            .filter(|c| match &c.kind {
                ConstraintKind::Check(Expr(text)) => inline.contains(&text.as_str()),
                _ => false,
            })
            .map(|c| (*c).clone())
            .collect();
        for check in &new {
            self.refuse_unmatched(table, check, definition.text.span())?;
        }
        Ok(AddColumn {
            table: table.clone(),
            default: self.default_kind(&column, definition.text.span())?,
            existing: column.default.clone().filter(|text| !text.is_null()),
            column,
            unique: unique.map(|c| (*c).clone()),
            checks,
            references: references.map(|c| (*c).clone()),
            fill: None,
        })
    }

    fn names(&self, expr: &str, column: &str) -> bool {
        input::columns_mentioned(expr, self.server.dialect).iter().any(|name| name == column)
    }

    /// Constraints that were there before any statement of this script.
    pub(super) fn after_before_statement(&self, table: &TableName) -> Vec<Constraint> {
        self.before.tables.get(table).map(|t| t.constraints.clone()).unwrap_or_default()
    }

    /// The server would refuse it, and a trigger only when rows are written.
    pub(super) fn is_value(&self, column: &Column, text: &str, span: Span) -> Result<()> {
        match types::no_value(self.server, &self.after, &column.ty, text) {
            None => Ok(()),
            Some((why, hint)) => Err(Error::refused(why)
                .at(self.source, span, format!("`{}` is of type {}", column.name, column.ty))
                .hint(hint)),
        }
    }

    pub(super) fn default_kind(&self, column: &Column, span: Span) -> Result<DefaultKind> {
        let Some(Expr(text)) = column.default.as_ref().filter(|text| !text.is_null()) else {
            return Ok(DefaultKind::None);
        };
        let Some(facts) = expr::read(text, self.server.dialect) else {
            return Err(Error::refused("miggen does not understand this default").at(
                self.source,
                span,
                "not an expression that can be read",
            ));
        };
        self.is_value(column, text, span)?;
        let mut kind = DefaultKind::Constant;
        for name in &facts.functions {
            match self.volatility(name) {
                Some(Volatility::Immutable) => {}
                Some(Volatility::Stable) if kind == DefaultKind::Constant => {
                    kind = DefaultKind::Stable;
                }
                Some(Volatility::Stable) => {}
                Some(Volatility::Volatile) | None => kind = DefaultKind::Volatile,
            }
        }
        Ok(kind)
    }
}
