//! Whole tables, and comments.

use crate::catalog::{Column, Constraint, ConstraintKind, Identity, Table, TableName};
use crate::change::CommentOn;
use crate::dialect::Dialect;

use super::{Sql, Writer, constant};

impl Writer<'_> {
    /// The table with its indexes and comments.
    pub(super) fn new_table(&self, table: &Table) -> Vec<Sql> {
        let name = &table.name;
        let mut all = vec![Sql::named(constant("CREATE", name), self.create_table(table, name))];
        all.extend(
            table.indexes.iter().map(|index| Sql::new(self.create_index(name, index, false))),
        );
        for (on, text) in comments(table) {
            all.push(self.comment_on(&on, Some(text)));
        }
        all
    }

    pub(super) fn create_table(&self, table: &Table, name: &TableName) -> String {
        // A key is said where the table says it: AUTOINCREMENT can only stand in a column.
        let apart = table.origin.text.to_ascii_uppercase().replace(' ', "").contains("PRIMARYKEY(");
        let key = table.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(keys)
                if !apart
                    && !constraint.named
                    && constraint.options.is_none()
                    && keys.len() == 1 =>
            {
                keys[0].column()
            }
            _ => None,
        });
        let mut lines: Vec<String> = table
            .columns
            .iter()
            .map(|column| self.column_of(table, column, key == Some(column.name.as_str())))
            .collect();
        for constraint in &table.constraints {
            let said = match &constraint.kind {
                ConstraintKind::PrimaryKey(_) => key.is_some(),
                ConstraintKind::NotNull(_) => true,
                _ => false,
            };
            if !said {
                // The server finds the same name again.
                let name = constraint.name.clone().filter(|_| constraint.named);
                lines.push(self.constraint(&Constraint { name, ..constraint.clone() }));
            }
        }
        let options = match &table.options {
            Some(options) => format!(" {options}"),
            None => String::new(),
        };
        format!("CREATE TABLE {} (\n    {}\n){options}", self.table(name), lines.join(",\n    "))
    }

    /// A column with what can only be said, or is best said, in its definition.
    fn column_of(&self, table: &Table, column: &Column, is_key: bool) -> String {
        let named = table
            .constraints
            .iter()
            .find(|of| matches!(&of.kind, ConstraintKind::NotNull(name) if *name == column.name));
        let by_key = is_key && self.dialect == Dialect::Postgres;
        let not_null = column.not_null && named.is_none() && !by_key;
        let mut text = self.column(&Column { not_null, ..serial(column) });
        if let Some(name) = named.and_then(|constraint| constraint.name.as_ref()) {
            text.push_str(&format!(" CONSTRAINT {} NOT NULL", self.ident(name)));
        }
        if is_key {
            text.push_str(" PRIMARY KEY");
        }
        if column.identity == Some(Identity::AutoIncrement) {
            text.push_str(" AUTOINCREMENT");
        }
        text
    }

    pub(super) fn comment_on(&self, on: &CommentOn, text: Option<&str>) -> Sql {
        let object = match on {
            CommentOn::Table(table) => format!("TABLE {}", self.table(table)),
            CommentOn::Column(table, column) => {
                format!("COLUMN {}.{}", self.table(table), self.ident(column))
            }
            CommentOn::Index(table, index) => {
                format!("INDEX {}", self.table(&table.sibling(index.clone())))
            }
            CommentOn::Constraint(table, name) => {
                format!("CONSTRAINT {} ON {}", self.ident(name), self.table(table))
            }
        };
        let text = text.map_or_else(|| "NULL".to_owned(), |text| self.literal(text));
        Sql::new(format!("COMMENT ON {object} IS {text}"))
    }
}

/// All comments of a table and its parts.
fn comments(table: &Table) -> Vec<(CommentOn, &str)> {
    let name = &table.name;
    let mut all = Vec::new();
    if let Some(text) = &table.comment {
        all.push((CommentOn::Table(name.clone()), text.as_str()));
    }
    for column in &table.columns {
        if let Some(text) = &column.comment {
            all.push((CommentOn::Column(name.clone(), column.name.clone()), text.as_str()));
        }
    }
    for index in &table.indexes {
        if let Some(text) = &index.comment {
            all.push((CommentOn::Index(name.clone(), index.name.clone()), text.as_str()));
        }
    }
    for constraint in &table.constraints {
        if let (Some(of), Some(text)) = (&constraint.name, &constraint.comment) {
            all.push((CommentOn::Constraint(name.clone(), of.clone()), text.as_str()));
        }
    }
    all
}

/// A column whose default is the next value of a sequence of its own, as a serial: with the table the
/// sequence is gone, and comes back with it.
fn serial(column: &Column) -> Column {
    let mut column = column.clone();
    if column.identity == Some(Identity::Serial) && column.default.is_some() {
        let ty = match column.ty.to_ascii_lowercase().as_str() {
            "bigint" | "int8" => "bigserial",
            "smallint" | "int2" => "smallserial",
            _ => "serial",
        };
        ty.clone_into(&mut column.ty);
        column.default = None;
    }
    column
}
