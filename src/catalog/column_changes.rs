//! Columns that come, go or change in a table that exists.
//!
//! Enters: an action of ALTER TABLE. Leaves: the table, and everything else that names the column.
//! Must not know: renames alone, see [`rename`](super::rename).

use crate::input;
use crate::input::ast::{ColumnDef, Ident, Slice};
use crate::source::Dialect;

use super::build::Replay;
use super::{Column, ConstraintKind, Identity, Key, Table, TableName, columns, names};

impl Replay<'_, '_> {
    pub(super) fn add_column(
        &mut self,
        table: &TableName,
        definition: &ColumnDef<'_>,
        if_not_exists: bool,
        position: Option<&Slice<'_>>,
    ) {
        let dialect = self.dialect();
        let read = columns::read(definition, dialect);
        let name = read.column.name.clone();
        let Some(mut owner) = self.catalog.tables.remove(table) else {
            return;
        };
        if owner.column(&name).is_some() {
            self.catalog.tables.insert(table.clone(), owner);
            if !if_not_exists {
                let message = format!("`{table}` has a column `{name}` already");
                self.problem(message, definition.name.span, "in the schema");
            }
            return;
        }
        let serial = columns::is_serial(&read.column.ty) && dialect == Dialect::Postgres;
        owner.partial.extend(read.unknown.iter().map(|what| format!("{what} is not understood")));
        insert_column(&mut owner.columns, read.column, position, dialect);
        for constraint in read.constraints {
            self.add_constraint(&mut owner, constraint, Some(&name));
        }
        let column = owner.column(&name).cloned();
        self.catalog.tables.insert(table.clone(), owner);
        for partition in self.catalog.with_partitions(table).iter().skip(1) {
            if let (Some(partition), Some(column)) = (self.catalog.table_mut(partition), &column) {
                partition.columns.push(column.clone());
            }
        }
        if let Some(column) = column.filter(|_| serial) {
            self.own_sequence_of(table, &name, &column.ty);
        }
    }

    pub(super) fn drop_column(
        &mut self,
        table: &TableName,
        column: &Ident<'_>,
        if_exists: bool,
        cascade: bool,
    ) {
        let dialect = self.dialect();
        let Some(owner) = self.catalog.table(table) else {
            return;
        };
        if owner.column(&column.name).is_none() {
            if !if_exists {
                self.missing_column(table, column);
            }
            return;
        }
        let name = column.name.as_ref();
        for table in self.catalog.with_partitions(table) {
            if let Some(table) = self.catalog.table_mut(&table) {
                drop_column_from(table, name, cascade);
            }
        }
        if cascade {
            for other in self.catalog.tables.values_mut() {
                other.constraints.retain(|constraint| match &constraint.kind {
                    ConstraintKind::ForeignKey { table: target, references, .. } => {
                        target != table
                            || !references.iter().any(|own| names::same(dialect, own, name))
                    }
                    _ => true,
                });
            }
            // Which of the views that name the table use this column is not known for certain.
            let table_name = table.name.clone();
            self.catalog.views.retain(|_, view| {
                !(view.mentions.contains(&table_name) && view.mentions.iter().any(|m| m == name))
            });
        }
        self.catalog.sequences.retain(|_, sequence| {
            sequence
                .owned_by
                .as_ref()
                .is_none_or(|(owner, own)| owner != table || !names::same(dialect, own, name))
        });
    }

    /// MySQL's MODIFY and CHANGE: the definition replaces all of the old one but the keys.
    pub(super) fn redefine(
        &mut self,
        table: &TableName,
        from: &Ident<'_>,
        definition: &ColumnDef<'_>,
        position: Option<&Slice<'_>>,
    ) {
        let dialect = self.dialect();
        let read = columns::read(definition, dialect);
        let to = read.column.name.clone();
        let Some(owner) = self.catalog.table(table) else {
            return;
        };
        if owner.column(&from.name).is_none() {
            self.missing_column(table, from);
            return;
        }
        if !names::same(dialect, &from.name, &to) {
            self.rename_column_to(table, &from.name, &to);
        }
        let Some(mut owner) = self.catalog.tables.remove(table) else {
            return;
        };
        let in_primary_key = owner.primary_key().is_some_and(|keys| {
            keys.iter().filter_map(Key::column).any(|own| names::same(dialect, own, &to))
        });
        let mut column = read.column;
        column.not_null |= in_primary_key;
        if let Some(at) = owner.columns.iter().position(|own| names::same(dialect, &own.name, &to))
        {
            if position.is_some() {
                owner.columns.remove(at);
                insert_column(&mut owner.columns, column, position, dialect);
            } else {
                owner.columns[at] = column;
            }
        }
        for constraint in read.constraints {
            self.add_constraint(&mut owner, constraint, Some(&to));
        }
        self.catalog.tables.insert(table.clone(), owner);
    }

    /// `nextval` of a sequence the column owns makes it a serial one.
    pub(super) fn find_serial(&mut self, table: &TableName, column: &str) {
        let dialect = self.dialect();
        if dialect != Dialect::Postgres {
            return;
        }
        let Some(default) =
            self.catalog.table(table).and_then(|table| table.column(column)?.default.as_ref())
        else {
            return;
        };
        let owned = counted_sequence(&default.0)
            .and_then(|name| self.catalog.sequences.get(&name)?.owned_by.as_ref())
            .is_some_and(|(owner, own)| owner == table && own == column);
        if let Some(column) =
            self.catalog.table_mut(table).and_then(|table| table.column_mut(column))
        {
            if owned {
                column.identity = Some(Identity::Serial);
            } else {
                columns::no_longer_serial(column);
            }
        }
    }
}

/// The sequence of `nextval('s.seq'::regclass)`.
fn counted_sequence(default: &str) -> Option<TableName> {
    let dialect = Dialect::Postgres;
    if !input::calls(default, "nextval", dialect) {
        return None;
    }
    let tokens = input::lex(default, dialect)?;
    let literal = tokens.iter().find(|token| token.kind == input::TokenKind::Text)?;
    let value = input::literal::string(&default[literal.range()], dialect);
    let mut parts: Vec<String> = input::columns_mentioned(&value, dialect);
    let name = parts.pop()?;
    Some(TableName { schema: parts.pop().filter(|schema| schema != "public"), name })
}

fn insert_column(
    columns: &mut Vec<Column>,
    column: Column,
    position: Option<&Slice<'_>>,
    dialect: Dialect,
) {
    let at = position.and_then(|position| {
        let tokens = input::lex(position.text, dialect)?;
        let Some(after) = tokens.get(1) else {
            return Some(0);
        };
        let raw = &position.text[after.range()];
        let after = input::literal::quoted_name(raw, dialect);
        columns.iter().position(|own| names::same(dialect, &own.name, &after)).map(|at| at + 1)
    });
    match at {
        Some(at) => columns.insert(at, column),
        None => columns.push(column),
    }
}

/// The column leaves with every index and constraint that names it; MySQL's indexes only shrink.
pub(super) fn drop_column_from(table: &mut Table, name: &str, cascade: bool) {
    let dialect = table.dialect;
    let is = |column: &str| names::same(dialect, column, name);
    let mysql = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    let shrink = |keys: &mut Vec<Key>| {
        keys.retain(|key| !key.column().is_some_and(is));
        !keys.is_empty()
    };
    table.columns.retain(|column| {
        let depends = cascade
            && column
                .generated
                .as_ref()
                .is_some_and(|generated| input::mentions(&generated.expr.0, name, dialect));
        !is(&column.name) && !depends
    });
    table.constraints.retain_mut(|constraint| match &mut constraint.kind {
        ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) if mysql => shrink(keys),
        _ => !constraint.uses(name, dialect),
    });
    table.indexes.retain_mut(|index| {
        if mysql { shrink(&mut index.keys) } else { !index.uses(name, dialect) }
    });
}
