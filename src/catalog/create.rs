//! `CREATE TABLE`, `CREATE INDEX` and their drops.
//!
//! Enters: the typed statements. Leaves: the catalog with or without the object. Must not know:
//! ALTER.

use crate::input;
use crate::input::ast::{self, ColumnConstraintKind};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay, did_you_mean};
use super::columns::{self, Read};
use super::constraints::{constraint, drop_implicit_indexes, has_index};
use super::{Constraint, ConstraintKind, Identity, Key, Origin, Sequence, Table, TableName, names};

impl Replay<'_, '_> {
    pub(super) fn create_table(&mut self, definition: &ast::CreateTable<'_>) {
        let name = self.name(&definition.name);
        if definition.temporary {
            self.session.temporary.insert(name);
            return;
        }
        if let Some(existing) = self.catalog.table_key(&name).cloned() {
            if definition.if_not_exists {
                return;
            }
            if definition.or_replace {
                self.remove_table(&existing);
            } else {
                let message = format!("there is a table `{name}` already");
                self.problem(message, definition.name.span(), "created before");
                return;
            }
        }
        let table = self.new_table(name, definition);
        self.own_sequences(&table);
        self.catalog.tables.insert(table.name.clone(), table);
    }

    fn new_table(&mut self, name: TableName, definition: &ast::CreateTable<'_>) -> Table {
        let dialect = self.dialect();
        let mut table = Table {
            name,
            dialect,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            options: definition.options.map(|options| input::folded(options.text, dialect)),
            partition_by: definition
                .partition_by
                .map(|partition| input::folded(partition.text, dialect)),
            partition_of: definition.partition_of.as_ref().map(|name| self.name(name)),
            comment: None,
            partial: partial_reasons(definition),
            origin: self.origin(),
        };
        if let Some(parent) = &definition.partition_of
            && let Some(parent) = self.known_table(parent, false)
        {
            self.copy_parent(&parent, &mut table);
        }
        let mut constraints: Vec<(Constraint, Option<String>)> = Vec::new();
        for column in &definition.columns {
            let read = columns::read(column, dialect);
            let name = read.column.name.clone();
            table.partial.extend(not_understood(&read));
            constraints
                .extend(read.constraints.iter().map(|one| (one.clone(), Some(name.clone()))));
            if definition.partition_of.is_some() {
                override_column(&mut table, read);
            } else if table.column(&name).is_some() {
                let message = format!("`{}` has a column `{name}` already", table.name);
                self.problem(message, column.name.span, "named twice");
            } else {
                table.columns.push(read.column);
            }
        }
        for column in &definition.columns {
            for constraint in &column.constraints {
                if let ColumnConstraintKind::References(references) = &constraint.kind {
                    self.reference_fits(&table, references);
                }
            }
        }
        for of in &definition.constraints {
            self.parts_exist(&table, of);
            match constraint(of, dialect) {
                Some(constraint) => constraints.push((constraint, None)),
                None => table.partial.push(format!("`{}` is not understood", of.text.text)),
            }
        }
        if dialect == Dialect::Postgres {
            constraints = in_server_order(constraints);
        }
        for (constraint, inline) in constraints {
            self.add_constraint(&mut table, constraint, inline.as_deref());
        }
        for index in &definition.indexes {
            let index = self.index(&table, index, self.origin());
            drop_implicit_indexes(&mut table, &index.keys);
            table.indexes.push(index);
        }
        without_rowid(&mut table);
        self.table_comment(&mut table);
        table
    }

    /// The sequences of serial columns.
    pub(super) fn own_sequences(&mut self, table: &Table) {
        if self.dialect() != Dialect::Postgres {
            return;
        }
        for column in &table.columns {
            if column.identity == Some(Identity::Serial) && columns::is_serial(&column.ty) {
                self.own_sequence_of(&table.name, &column.name, &column.ty);
            }
        }
    }

    pub(super) fn own_sequence_of(&mut self, table: &TableName, column: &str, serial: &str) {
        let taken = |name: &str| self.relation_taken(table.schema.as_deref(), name);
        let name = names::pg_sequence_name(&table.name, column, &taken);
        self.catalog.sequences.insert(
            table.sibling(name),
            Sequence {
                ty: Some(columns::integer_type(serial).to_owned()),
                owned_by: Some((table.clone(), column.to_owned())),
            },
        );
    }

    /// A partition has its parent's columns and constraints; its indexes have names of their own.
    fn copy_parent(&self, parent: &TableName, table: &mut Table) {
        let Some(parent) = self.catalog.table(parent) else {
            return;
        };
        table.columns.clone_from(&parent.columns);
        for constraint in &parent.constraints {
            let mut constraint = constraint.clone();
            if has_index(&constraint.kind) {
                constraint.name = None;
                constraint.named = false;
            }
            self.add_constraint(table, constraint, None);
        }
        for index in &parent.indexes {
            let taken = |name: &str| {
                table.index(name).is_some()
                    || self.relation_taken(table.name.schema.as_deref(), name)
            };
            let name = names::pg_index_name(&table.name.name, &index.keys, &index.include, &taken);
            let mut index = index.clone();
            index.name = name;
            table.indexes.push(index);
        }
    }

    /// MySQL's `COMMENT='…'` among the options.
    pub(super) fn table_comment(&self, table: &mut Table) {
        if !self.mysql() {
            return;
        }
        let options = table.options.as_deref().unwrap_or_default();
        let tokens = input::lex(options, self.dialect()).unwrap_or_default();
        let raw =
            |at: usize| tokens.get(at).map_or("", |token: &input::Token| &options[token.range()]);
        for at in 0..tokens.len() {
            if raw(at).eq_ignore_ascii_case("comment") {
                let value = if raw(at + 1) == "=" { at + 2 } else { at + 1 };
                table.comment =
                    Some(input::literal::string(raw(value), self.dialect()).into_owned());
            }
        }
    }

    pub(super) fn create_index(&mut self, of: &ast::CreateIndex<'_>, origin: Origin) {
        let Some(name) = self.known_table(&of.table, false) else {
            return;
        };
        let Some(table) = self.catalog.table(&name) else {
            return;
        };
        if let Some(missing) = of
            .keys
            .iter()
            .filter_map(|key| key.column.as_ref())
            .chain(&of.include)
            .find(|column| table.column(&column.name).is_none())
        {
            self.missing_column(&name, missing);
        }
        let Some(table) = self.catalog.table(&name) else {
            return;
        };
        let index = self.index(table, of, origin);
        let taken = match self.dialect() {
            Dialect::MySql | Dialect::MariaDb => {
                table.index(&index.name).is_some() || table.constraint(&index.name).is_some()
            }
            _ => self.relation_taken(name.schema.as_deref(), &index.name),
        };
        if taken {
            if !of.if_not_exists {
                let message = format!("there is an index `{}` already", index.name);
                let span = of.name.as_ref().map_or(of.table.span(), ast::Name::span);
                self.problem(message, span, "created before");
            }
            return;
        }
        if let Some(table) = self.catalog.table_mut(&name) {
            drop_implicit_indexes(table, &index.keys);
            table.indexes.push(index);
        }
    }

    pub(super) fn drop_tables(&mut self, drop: &ast::Drop<'_>) {
        for name in &drop.names {
            let temporary = self.name(name);
            if self.session.temporary.remove(&temporary) {
                continue;
            }
            let Some(table) = self.known_table(name, drop.if_exists) else {
                continue;
            };
            if drop.cascade && self.dialect() == Dialect::Postgres {
                self.drop_references(&table, None);
                self.drop_views_on(&table.name);
            }
            self.remove_table(&table);
        }
    }

    /// Takes the table and what cannot be without it out of the catalog.
    pub(super) fn remove_table(&mut self, name: &TableName) {
        let mut gone = vec![name.clone()];
        while let Some(name) = gone.pop() {
            self.catalog.tables.remove(&name);
            self.catalog.triggers.retain(|(table, _), _| *table != name);
            self.catalog.sequences.retain(|_, sequence| {
                sequence.owned_by.as_ref().is_none_or(|(table, _)| *table != name)
            });
            self.catalog.others.retain(|other| other.on.as_ref() != Some(&name));
            gone.extend(
                self.catalog
                    .tables
                    .values()
                    .filter(|table| table.partition_of.as_ref() == Some(&name))
                    .map(|table| table.name.clone()),
            );
        }
    }

    /// Foreign keys to the table, or to these columns of it.
    pub(super) fn drop_references(&mut self, to: &TableName, columns: Option<&[String]>) {
        for table in self.catalog.tables.values_mut() {
            table.constraints.retain(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { table, references, .. } => {
                    table != to || columns.is_some_and(|columns| references.as_slice() != columns)
                }
                _ => true,
            });
        }
    }

    pub(super) fn drop_views_on(&mut self, name: &str) {
        let mut names = vec![name.to_owned()];
        while let Some(name) = names.pop() {
            self.catalog.views.retain(|view, of| {
                let depends = of.mentions.contains(&name);
                if depends {
                    names.push(view.name.clone());
                }
                !depends
            });
        }
    }

    pub(super) fn drop_indexes(&mut self, drop: &ast::DropIndex<'_>) {
        for name in &drop.names {
            let wanted = self.name(name);
            let table = match &drop.table {
                Some(table) => match self.known_table(table, false) {
                    Some(table) => Some(table),
                    None => continue,
                },
                None => self.catalog.table_of_index(&wanted).map(|table| table.name.clone()),
            };
            if !table.is_some_and(|table| self.drop_index(&table, &wanted.name)) {
                self.missing_index(name, drop.if_exists);
            }
        }
    }

    fn missing_index(&mut self, name: &ast::Name<'_>, if_exists: bool) {
        if if_exists {
            return;
        }
        let wanted = self.name(name);
        let owner = self.catalog.tables.values().find_map(|table| {
            let constraint = table.constraint(&wanted.name)?;
            (has_index(&constraint.kind) && self.dialect() == Dialect::Postgres)
                .then(|| table.name.clone())
        });
        let hint = if let Some(table) = owner {
            Some(format!(
                "it belongs to a constraint: `ALTER TABLE {table} DROP CONSTRAINT {}`",
                wanted.name
            ))
        } else {
            let tables = self.catalog.tables.values();
            let indexes =
                tables.flat_map(|table| table.indexes.iter().map(|index| index.name.as_str()));
            names::closest(&wanted.name, indexes).map(did_you_mean)
        };
        let message = format!("there is no index `{wanted}`");
        self.problem_with_hint(message, name.span(), NOT_THERE, hint);
    }

    /// MySQL drops unique constraints and the primary key by their index.
    pub(super) fn drop_index(&mut self, table: &TableName, name: &str) -> bool {
        let (dialect, mysql) = (self.dialect(), self.mysql());
        let Some(table) = self.catalog.table_mut(table) else {
            return false;
        };
        let before = table.indexes.len() + table.constraints.len();
        table.indexes.retain(|index| !names::same(dialect, &index.name, name));
        if mysql {
            table.constraints.retain(|constraint| match constraint.kind {
                ConstraintKind::PrimaryKey(_) => !name.eq_ignore_ascii_case("primary"),
                ConstraintKind::Unique(_) => {
                    !constraint.name.as_deref().is_some_and(|own| names::same(dialect, own, name))
                }
                _ => true,
            });
        }
        before != table.indexes.len() + table.constraints.len()
    }
}

fn not_understood(read: &Read) -> Vec<String> {
    read.unknown.iter().map(|what| format!("{what} is not understood")).collect()
}

fn partial_reasons(definition: &ast::CreateTable<'_>) -> Vec<String> {
    let mut reasons: Vec<String> = definition
        .unknown
        .iter()
        .map(|element| format!("`{}` is not understood", element.text))
        .collect();
    let options = definition.options.map_or("", |options| options.text);
    let begins = |word: &str| {
        options.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
    };
    if definition.partial && definition.unknown.is_empty() {
        reasons.push(format!("its columns come from `{options}`"));
    } else if begins("inherits") {
        reasons.push(format!("it has more columns: `{options}`"));
    } else if begins("server") {
        reasons.push("it is a foreign table".to_owned());
    }
    reasons
}

/// `PARTITION OF t (a NOT NULL DEFAULT 3)`: more about a column that is there already.
fn override_column(table: &mut Table, read: Read) {
    let Some(column) = table.column_mut(&read.column.name) else {
        return;
    };
    column.not_null |= read.column.not_null;
    if read.column.default.is_some() {
        column.default = read.column.default;
    }
}

/// PostgreSQL names checks first, then keys with the primary one ahead, then foreign keys; and
/// it builds one index for two keys that say the same.
fn in_server_order(
    mut constraints: Vec<(Constraint, Option<String>)>,
) -> Vec<(Constraint, Option<String>)> {
    constraints.sort_by_key(|(constraint, _)| match constraint.kind {
        ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => 0,
        ConstraintKind::PrimaryKey(_) => 1,
        ConstraintKind::Unique(_) | ConstraintKind::Exclude(_) => 2,
        ConstraintKind::ForeignKey { .. } => 3,
    });
    let mut kept: Vec<(Constraint, Option<String>)> = Vec::new();
    for (constraint, inline) in constraints {
        let twin = kept.iter_mut().find(|(other, _)| {
            other.options == constraint.options
                && match (&other.kind, &constraint.kind) {
                    (
                        ConstraintKind::PrimaryKey(own) | ConstraintKind::Unique(own),
                        ConstraintKind::Unique(keys),
                    ) => own == keys,
                    (ConstraintKind::Exclude(own), ConstraintKind::Exclude(text)) => own == text,
                    _ => false,
                }
        });
        match twin {
            Some((twin, _)) => {
                if twin.name.is_none() {
                    twin.name = constraint.name;
                    twin.named = constraint.named;
                }
            }
            None => kept.push((constraint, inline)),
        }
    }
    kept
}

/// SQLite: without a rowid the primary key takes no NULL.
fn without_rowid(table: &mut Table) {
    if !table.is_without_rowid() {
        return;
    }
    let keys: Vec<Key> = table.primary_key().unwrap_or_default().to_vec();
    for key in keys {
        if let Some(column) = key.column().and_then(|name| table.column_mut(name)) {
            column.not_null = true;
        }
    }
}
