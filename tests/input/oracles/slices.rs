//! The expressions that we cut from a statement.

use std::collections::BTreeSet;

use miggen::input::ast::{
    AlterKind, ColumnConstraintKind, ColumnDef, IndexKey, Kind, Slice, Statement,
    TableConstraintKind,
};
use miggen::source::Span;

/// Expressions we cut from a statement, and where they stood.
#[derive(Default)]
pub(super) struct Slices<'a> {
    pub(super) defaults: Vec<Slice<'a>>,
    pub(super) checks: Vec<Slice<'a>>,
    pub(super) generated: Vec<Slice<'a>>,
    /// Predicates, USING, new defaults, assignments.
    pub(super) others: Vec<Slice<'a>>,
    pub(super) types: Vec<Slice<'a>>,
}

impl<'a> Slices<'a> {
    pub(super) fn of(statement: &Statement<'a>) -> Slices<'a> {
        let mut slices = Slices::default();
        match &statement.kind {
            Kind::CreateTable(table) => {
                table.columns.iter().for_each(|column| slices.column(column));
                for constraint in &table.constraints {
                    slices.constraint(&constraint.kind);
                }
            }
            Kind::AlterTable(alter) => {
                for action in &alter.actions {
                    match &action.kind {
                        AlterKind::AddColumn { column, .. } => slices.column(column),
                        AlterKind::AddConstraint(constraint) => slices.constraint(&constraint.kind),
                        AlterKind::SetDefault { expr, .. } => slices.others.push(*expr),
                        AlterKind::SetType { ty, using, .. } => {
                            slices.types.push(*ty);
                            slices.others.extend(*using);
                        }
                        _ => {}
                    }
                }
            }
            Kind::CreateIndex(index) => {
                slices.others.extend(index.filter);
                slices.keys(&index.keys);
            }
            Kind::Delete(delete) => slices.others.extend(delete.filter),
            Kind::Update(update) => {
                slices.others.extend(update.filter);
                if update.set.iter().all(|set| set.columns.len() == 1) {
                    slices.others.extend(update.set.iter().map(|set| set.expr));
                }
            }
            _ => {}
        }
        slices
    }

    fn column(&mut self, column: &ColumnDef<'a>) {
        self.types.extend(column.ty);
        for constraint in &column.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Default(expr) => self.defaults.push(*expr),
                ColumnConstraintKind::Check { expr, .. } => self.checks.push(*expr),
                ColumnConstraintKind::Generated { expr, .. } => self.generated.push(*expr),
                _ => {}
            }
        }
    }

    fn constraint(&mut self, kind: &TableConstraintKind<'a>) {
        match kind {
            TableConstraintKind::Check { expr, .. } => self.checks.push(*expr),
            TableConstraintKind::PrimaryKey { columns, .. }
            | TableConstraintKind::Unique { columns, .. } => self.keys(columns),
            _ => {}
        }
    }

    /// What of a key stands in front of its order and operator class.
    fn keys(&mut self, keys: &[IndexKey<'a>]) {
        for key in keys {
            let end = key.rest.map_or(key.text.span().end, |rest| rest.start);
            let text = key.text.text[..end - key.text.start].trim_end();
            self.others.push(Slice { text, ..key.text });
        }
    }
}

pub(super) fn spans(slices: &[Slice<'_>]) -> BTreeSet<Span> {
    slices.iter().map(Slice::span).collect()
}
