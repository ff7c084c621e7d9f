//! Column definitions → columns and the constraints that come with them.
//!
//! Enters: a [`ColumnDef`]. Leaves: a [`Column`], and the constraints it declares, still unnamed.
//! Must not know: the other columns.

use crate::input::ast::{ColumnConstraint, ColumnConstraintKind, ColumnDef, References, Slice};
use crate::input::{self, literal};
use crate::source::Dialect;

use super::{Column, Constraint, ConstraintKind, Expr, Generated, Identity, Key, TableName};

/// A column with what its definition adds to the table.
pub(super) struct Read {
    pub(super) column: Column,
    pub(super) constraints: Vec<Constraint>,
    /// What was not understood, or why the server would not take it.
    pub(super) unknown: Vec<String>,
}

pub(super) fn expr(slice: &Slice<'_>) -> Expr {
    Expr(slice.text.to_owned())
}

/// `DEFAULT NULL`, with or without a cast, is no default.
pub(super) fn default(slice: &Slice<'_>, dialect: Dialect) -> Option<Expr> {
    let tokens = input::lex(slice.text, dialect).unwrap_or_default();
    let mut raw = tokens.iter().map(|token| &slice.text[token.range()]);
    let null = raw.next().is_some_and(|first| first.eq_ignore_ascii_case("null"))
        && raw.next().is_none_or(|next| next == ":");
    (!null).then(|| expr(slice))
}

pub(super) fn is_serial(ty: &str) -> bool {
    integer_type(ty) != ty
}

/// Without its default a serial column is one of the integer type that stands behind it.
pub(super) fn no_longer_serial(column: &mut Column) {
    if column.identity != Some(Identity::Serial) {
        return;
    }
    column.identity = None;
    column.ty = integer_type(&column.ty).to_owned();
}

/// What stands behind a serial; any other type as it is.
pub fn integer_type(ty: &str) -> &str {
    match ty.to_ascii_lowercase().as_str() {
        "bigserial" | "serial8" => "bigint",
        "smallserial" | "serial2" => "smallint",
        "serial" | "serial4" => "integer",
        _ => ty,
    }
}

pub(super) fn foreign_key(
    columns: Vec<String>,
    references: &References<'_>,
    dialect: Dialect,
) -> ConstraintKind {
    ConstraintKind::ForeignKey {
        columns,
        table: TableName::of(&references.table, dialect),
        references: references.columns.iter().map(|column| column.name.to_string()).collect(),
        actions: references.actions.map(|actions| input::folded(actions.text, dialect)),
    }
}

pub(super) fn read(definition: &ColumnDef<'_>, dialect: Dialect) -> Read {
    let name = definition.name.name.to_string();
    let ty = definition.ty.map_or_else(String::new, |ty| input::folded(ty.text, dialect));
    let mut read = Read {
        column: Column {
            name,
            ty,
            not_null: false,
            default: None,
            collation: None,
            generated: None,
            identity: None,
            comment: None,
            other: Vec::new(),
        },
        constraints: Vec::new(),
        unknown: Vec::new(),
    };
    if dialect != Dialect::Sqlite && is_serial(&read.column.ty) {
        read.column.not_null = true;
        read.column.identity = Some(if dialect == Dialect::Postgres {
            Identity::Serial
        } else {
            Identity::AutoIncrement
        });
    }
    for constraint in &definition.constraints {
        take(&mut read, constraint, dialect);
    }
    read
}

fn take(read: &mut Read, constraint: &ColumnConstraint<'_>, dialect: Dialect) {
    let column = &mut read.column;
    let own_key = || vec![Key::Column { name: column.name.clone(), rest: None }];
    let options = |rest: &Option<Slice<'_>>| rest.map(|rest| input::folded(rest.text, dialect));
    let mut add = |kind, options| {
        read.constraints.push(Constraint {
            name: constraint.name.as_ref().map(|name| name.name.to_string()),
            named: constraint.name.is_some(),
            kind,
            options,
            valid: true,
            comment: None,
        });
    };
    match &constraint.kind {
        ColumnConstraintKind::NotNull { rest } => {
            column.not_null = true;
            read.unknown.extend(rest.map(|rest| format!("`NOT NULL {}`", rest.text)));
            if constraint.name.is_some() {
                add(ConstraintKind::NotNull(column.name.clone()), None);
            }
        }
        ColumnConstraintKind::Null => column.not_null = false,
        ColumnConstraintKind::Default(slice) => column.default = default(slice, dialect),
        ColumnConstraintKind::PrimaryKey { autoincrement, rest } => {
            if *autoincrement {
                column.identity = Some(Identity::AutoIncrement);
            }
            add(ConstraintKind::PrimaryKey(own_key()), options(rest));
            // SQLite's primary keys take NULL.
            column.not_null |= dialect != Dialect::Sqlite;
        }
        ColumnConstraintKind::Unique { rest } => {
            add(ConstraintKind::Unique(own_key()), options(rest));
        }
        ColumnConstraintKind::Check { expr: slice, rest } => {
            add(ConstraintKind::Check(expr(slice)), options(rest));
        }
        ColumnConstraintKind::References(references) => {
            let columns = vec![column.name.clone()];
            add(foreign_key(columns, references, dialect), None);
        }
        ColumnConstraintKind::Collate(slice) => {
            column.collation = Some(input::folded(slice.text, dialect));
        }
        ColumnConstraintKind::Generated { expr: slice, stored } => {
            column.generated = Some(Generated { expr: expr(slice), stored: *stored });
        }
        ColumnConstraintKind::Identity { .. } => {
            column.identity =
                Some(Identity::Generated(input::folded(constraint.text.text, dialect)));
            column.not_null = true;
        }
        ColumnConstraintKind::AutoIncrement => {
            column.identity = Some(Identity::AutoIncrement);
            column.not_null = true;
        }
        ColumnConstraintKind::Comment(text) => column.comment = Some(text.to_string()),
        ColumnConstraintKind::OnUpdate(_) | ColumnConstraintKind::Other => {
            column.other.push(input::folded(constraint.text.text, dialect));
        }
        ColumnConstraintKind::Unknown => read
            .unknown
            .push(format!("`{}` in the definition of `{}`", constraint.text.text, column.name)),
    }
}

/// The value of a `COMMENT ON … IS` literal.
pub(super) fn comment(literal: &Slice<'_>, dialect: Dialect) -> String {
    let tokens = input::lex(literal.text, dialect).unwrap_or_default();
    tokens.iter().map(|token| literal::string(&literal.text[token.range()], dialect)).collect()
}
