//! `ALTER TABLE`, action by action.
//!
//! Enters: the actions of one statement. Leaves: the changed table. Must not know: what an action
//! costs.

use crate::input;
use crate::input::ast::{AlterAction, AlterKind, AlterTable, ColumnDef, Ident, Slice};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay, did_you_mean};
use super::columns::{self, default, expr};
use super::constraints::constraint;
use super::rename::rename_in;
use super::{Column, ConstraintKind, Generated, Identity, Key, TableName, names};

impl Replay<'_, '_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable<'_>) {
        let wanted = self.name(&alter.table);
        if self.catalog.table_key(&wanted).is_none() && self.alter_other(&wanted, alter) {
            return;
        }
        let Some(mut table) = self.known_table(&alter.table, alter.if_exists) else {
            return;
        };
        for action in &alter.actions {
            if let Some(renamed) = self.action(&table, action) {
                table = renamed;
            }
        }
    }

    /// PostgreSQL takes `ALTER TABLE` for views, sequences and indexes too.
    fn alter_other(&mut self, name: &TableName, alter: &AlterTable<'_>) -> bool {
        if self.dialect() != Dialect::Postgres {
            return false;
        }
        let what = if self.catalog.views.contains_key(name) {
            "VIEW"
        } else if self.catalog.sequences.contains_key(name) {
            "SEQUENCE"
        } else if self.catalog.table_of_index(name).is_some() {
            "INDEX"
        } else {
            return false;
        };
        for action in &alter.actions {
            if let AlterKind::RenameTable { to } = &action.kind {
                if what == "INDEX" {
                    self.rename_index(&alter.table, &to.name.name, false);
                } else {
                    self.rename_other(what, &alter.table, None, &to.name.name);
                }
            }
        }
        true
    }

    /// Gives the table's new name, where the action changes it.
    fn action(&mut self, table: &TableName, action: &AlterAction<'_>) -> Option<TableName> {
        match &action.kind {
            AlterKind::AddColumn { column, if_not_exists, position } => {
                self.add_column(table, column, *if_not_exists, position.as_ref());
            }
            AlterKind::DropColumn { column, if_exists, cascade } => {
                self.drop_column(table, column, *if_exists, *cascade);
            }
            AlterKind::RenameColumn { from, to } => self.rename_column(table, from, to),
            AlterKind::RenameTable { to } => {
                let mut to = self.name(to);
                // PostgreSQL and SQLite rename within the schema.
                to.schema = to.schema.or_else(|| table.schema.clone());
                if self.catalog.table_key(&to).is_some_and(|key| key != table) {
                    let message = format!("there is a table `{to}` already");
                    self.problem(message, action.text.span(), "the new name is taken");
                    return None;
                }
                self.rename_table(table, &to);
                return Some(to);
            }
            AlterKind::SetSchema { schema } => {
                let default = schema.name == "public" && self.dialect() == Dialect::Postgres;
                let to = TableName {
                    schema: (!default).then(|| schema.name.to_string()),
                    name: table.name.clone(),
                };
                self.rename_table(table, &to);
                return Some(to);
            }
            AlterKind::RenameIndex { from, to } | AlterKind::RenameConstraint { from, to } => {
                let found = self
                    .catalog
                    .table_mut(table)
                    .is_some_and(|table| rename_in(table, &from.name, &to.name));
                if !found {
                    self.missing_constraint(table, from);
                }
            }
            AlterKind::SetNotNull { column } => {
                self.with_column(table, column, |column| column.not_null = true);
            }
            AlterKind::DropNotNull { column } => {
                self.with_column(table, column, |column| column.not_null = false);
                let name = column.name.to_string();
                self.retain_constraints(
                    table,
                    |kind| !matches!(kind, ConstraintKind::NotNull(column) if *column == name),
                );
            }
            AlterKind::SetDefault { column, expr } => {
                let dialect = self.dialect();
                self.with_column(table, column, |column| {
                    column.default = default(expr, dialect);
                });
                self.find_serial(table, &column.name);
            }
            AlterKind::DropDefault { column } => self.with_column(table, column, |column| {
                column.default = None;
                if column.identity == Some(Identity::Serial) {
                    column.identity = None;
                }
            }),
            AlterKind::SetType { column, ty, collate, .. } => {
                let dialect = self.dialect();
                self.with_column(table, column, |column| {
                    column.ty = input::folded(ty.text, dialect);
                    column.collation = collate.map(|name| input::folded(name.text, dialect));
                });
            }
            AlterKind::Redefine { from, column, position } => {
                self.redefine(table, from, column, position.as_ref());
            }
            AlterKind::AddConstraint(of) => {
                if self.constraint_using_index(table, of) {
                    return None;
                }
                match constraint(of, self.dialect()) {
                    Some(constraint) => {
                        if let Some(mut owner) = self.catalog.tables.remove(table) {
                            self.add_constraint(&mut owner, constraint, None);
                            self.catalog.tables.insert(table.clone(), owner);
                        }
                    }
                    None => self.partial(table, &of.text),
                }
            }
            AlterKind::ValidateConstraint { name } => {
                self.with_constraint(table, name, |constraint| constraint.valid = true);
            }
            AlterKind::AlterConstraint { name, options } => {
                let options = input::folded(options.text, self.dialect());
                self.with_constraint(table, name, |constraint| {
                    let place = match &mut constraint.kind {
                        ConstraintKind::ForeignKey { actions, .. } => actions,
                        _ => &mut constraint.options,
                    };
                    *place = Some(with_options(place.as_deref().unwrap_or_default(), &options));
                });
            }
            AlterKind::DropConstraint { name, kind, if_exists, cascade } => {
                self.drop_constraint(table, name.as_ref(), kind, *if_exists, *cascade);
            }
            AlterKind::AddIndex(index) => {
                let origin = self.origin_of(&action.text);
                self.create_index(index, origin);
            }
            AlterKind::DropIndex { name, if_exists } => {
                if !self.drop_index(table, &name.name) && !if_exists {
                    let message = format!("`{table}` has no index `{}`", name.name);
                    self.problem(message, name.span, NOT_THERE);
                }
            }
            AlterKind::AddIdentity { column, .. } => {
                let dialect = self.dialect();
                let text = input::folded(action.text.text, dialect);
                let from = text.to_ascii_uppercase().find("GENERATED").unwrap_or(0);
                self.with_column(table, column, |column| {
                    column.identity = Some(Identity::Generated(text[from..].to_owned()));
                    column.not_null = true;
                });
            }
            AlterKind::DropIdentity { column } => {
                self.with_column(table, column, |column| column.identity = None);
            }
            AlterKind::SetExpression { column, expr: slice } => {
                let new = expr(slice);
                self.with_column(table, column, |column| {
                    let stored = column.generated.as_ref().is_some_and(|old| old.stored);
                    column.generated = Some(Generated { expr: new, stored });
                });
            }
            AlterKind::DropExpression { column } => {
                self.with_column(table, column, |column| column.generated = None);
            }
            AlterKind::AttachPartition { partition, .. } => {
                if let Some(partition) = self.known_table(partition, false)
                    && let Some(partition) = self.catalog.table_mut(&partition)
                {
                    partition.partition_of = Some(table.clone());
                }
            }
            AlterKind::DetachPartition { partition } => {
                if let Some(partition) = self.known_table(partition, false)
                    && let Some(partition) = self.catalog.table_mut(&partition)
                {
                    partition.partition_of = None;
                }
            }
            AlterKind::Other { words } => self.other_action(table, words, &action.text),
            AlterKind::Unknown => self.partial(table, &action.text),
        }
        None
    }

    fn partial(&mut self, table: &TableName, text: &Slice<'_>) {
        if let Some(table) = self.catalog.table_mut(table) {
            table.partial.push(format!("`{}` is not understood", text.text));
        }
    }

    /// A column that is missing from a table known only in part is no problem.
    pub(super) fn with_column(
        &mut self,
        table: &TableName,
        column: &Ident<'_>,
        change: impl FnOnce(&mut Column),
    ) {
        let Some(owner) = self.catalog.table_mut(table) else {
            return;
        };
        let known = owner.partial.is_empty();
        if let Some(column) = owner.column_mut(&column.name) {
            change(column);
        } else if known {
            self.missing_column(table, column);
        }
    }

    fn with_constraint(
        &mut self,
        table: &TableName,
        name: &Ident<'_>,
        change: impl FnOnce(&mut super::Constraint),
    ) {
        let dialect = self.dialect();
        let found = self.catalog.table_mut(table).and_then(|table| {
            table.constraints.iter_mut().find(|constraint| {
                constraint.name.as_deref().is_some_and(|own| names::same(dialect, own, &name.name))
            })
        });
        match found {
            Some(constraint) => change(constraint),
            None => self.missing_constraint(table, name),
        }
    }

    fn missing_constraint(&mut self, table: &TableName, name: &Ident<'_>) {
        let Some(owner) = self.catalog.table(table) else {
            return;
        };
        if !owner.partial.is_empty() {
            return;
        }
        let message = format!("`{table}` has no constraint `{}`", name.name);
        let constraints =
            owner.constraints.iter().filter_map(|constraint| constraint.name.as_deref());
        let hint = names::closest(&name.name, constraints).map(did_you_mean);
        self.problem_with_hint(message, name.span, NOT_THERE, hint);
    }

    fn retain_constraints(&mut self, table: &TableName, keep: impl Fn(&ConstraintKind) -> bool) {
        if let Some(table) = self.catalog.table_mut(table) {
            table.constraints.retain(|constraint| keep(&constraint.kind));
        }
    }

    fn add_column(
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
        let partitions: Vec<TableName> = self
            .catalog
            .tables
            .values()
            .filter(|other| other.partition_of.as_ref() == Some(table))
            .map(|other| other.name.clone())
            .collect();
        let column = owner.column(&name).cloned();
        self.catalog.tables.insert(table.clone(), owner);
        for partition in partitions {
            if let (Some(partition), Some(column)) = (self.catalog.table_mut(&partition), &column) {
                partition.columns.push(column.clone());
            }
        }
        if serial {
            self.own_sequence_of(table, &name);
        }
    }

    fn drop_column(
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
            if !if_exists && owner.partial.is_empty() {
                self.missing_column(table, column);
            }
            return;
        }
        let name = column.name.as_ref();
        let partitions = self
            .catalog
            .tables
            .values()
            .filter(|other| other.partition_of.as_ref() == Some(table))
            .map(|other| other.name.clone());
        let tables: Vec<TableName> = partitions.chain([table.clone()]).collect();
        for table in &tables {
            if let Some(table) = self.catalog.table_mut(table) {
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
    fn redefine(
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
            if owner.partial.is_empty() {
                self.missing_column(table, from);
            }
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

    fn drop_constraint(
        &mut self,
        table: &TableName,
        name: Option<&Ident<'_>>,
        kind: &str,
        if_exists: bool,
        cascade: bool,
    ) {
        let dialect = self.dialect();
        let Some(owner) = self.catalog.table_mut(table) else {
            return;
        };
        let position = owner.constraints.iter().position(|constraint| match name {
            None => matches!(constraint.kind, ConstraintKind::PrimaryKey(_)),
            Some(name) => {
                let of_kind = match kind {
                    "FOREIGN KEY" => matches!(constraint.kind, ConstraintKind::ForeignKey { .. }),
                    "CHECK" => matches!(constraint.kind, ConstraintKind::Check(_)),
                    _ => true,
                };
                of_kind
                    && constraint
                        .name
                        .as_deref()
                        .is_some_and(|own| names::same(dialect, own, &name.name))
            }
        });
        let Some(position) = position else {
            match name {
                Some(name) if !if_exists => self.missing_constraint(table, name),
                None if owner.partial.is_empty() => {
                    let span = self.statement.text.span();
                    let message = format!("`{table}` has no primary key");
                    self.problem(message, span, "nothing to drop");
                }
                _ => {}
            }
            return;
        };
        let dropped = owner.constraints.remove(position);
        match dropped.kind {
            ConstraintKind::NotNull(column) => {
                if let Some(column) = owner.column_mut(&column) {
                    column.not_null = false;
                }
            }
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) if cascade => {
                let columns: Vec<String> =
                    keys.iter().filter_map(Key::column).map(str::to_owned).collect();
                self.drop_references(table, Some(&columns));
            }
            _ => {}
        }
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
            } else if column.identity == Some(Identity::Serial) {
                column.identity = None;
            }
        }
    }

    /// MySQL's table options, the last of which counts; the rest changes nothing kept here.
    fn other_action(&mut self, table: &TableName, words: &str, text: &Slice<'_>) {
        let dialect = self.dialect();
        if !self.mysql() {
            return;
        }
        let text = input::folded(text.text, dialect);
        let Some(mut owner) = self.catalog.tables.remove(table) else {
            return;
        };
        let option = match words {
            "CONVERT TO CHARACTER SET" => {
                // Every text column gets the table's own character set.
                for column in &mut owner.columns {
                    column.collation = None;
                    column.other.retain(|other| !other.to_ascii_uppercase().starts_with("CHAR"));
                }
                text.get("CONVERT TO ".len()..).map(str::to_owned)
            }
            "PARTITION BY" => {
                owner.partition_by = Some(text);
                None
            }
            "REMOVE PARTITIONING" => {
                owner.partition_by = None;
                None
            }
            "ALGORITHM" | "LOCK" => None,
            _ if words.ends_with("PARTITION") => {
                owner.partial.push(format!("its partitions were changed by `{text}`"));
                None
            }
            _ if is_table_option(words) => Some(text),
            _ => None,
        };
        if let Some(option) = option {
            let before = owner.options.take();
            owner.options = Some(match before {
                Some(before) => format!("{before} {option}"),
                None => option,
            });
            self.table_comment(&mut owner);
        }
        self.catalog.tables.insert(table.clone(), owner);
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

fn is_table_option(words: &str) -> bool {
    !matches!(
        words,
        "ORDER BY"
            | "FORCE"
            | "DISABLE KEYS"
            | "ENABLE KEYS"
            | "DISCARD TABLESPACE"
            | "IMPORT TABLESPACE"
            | "WITH VALIDATION"
            | "WITHOUT VALIDATION"
            | "ALTER INDEX"
            | "SET VISIBLE"
            | "ADD SYSTEM VERSIONING"
            | "DROP SYSTEM VERSIONING"
            | "ADD PERIOD"
            | "DROP PERIOD"
            | "CONVERT TABLE"
    )
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
fn drop_column_from(table: &mut super::Table, name: &str, cascade: bool) {
    let dialect = table.dialect;
    let is = |column: &str| names::same(dialect, column, name);
    let mysql = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    let shrink = |keys: &mut Vec<Key>| {
        keys.retain(|key| !key.column().is_some_and(is));
        !keys.is_empty()
    };
    let names_it = |keys: &[Key]| {
        keys.iter().any(|key| match key {
            Key::Column { name, .. } => is(name),
            Key::Expr(expr) => input::mentions(&expr.0, name, dialect),
        })
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
        ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => {
            !names_it(keys)
                && !constraint
                    .options
                    .as_deref()
                    .is_some_and(|options| input::mentions(options, name, dialect))
        }
        ConstraintKind::Check(expr) => !input::mentions(&expr.0, name, dialect),
        ConstraintKind::ForeignKey { columns, .. } => !columns.iter().any(|own| is(own)),
        ConstraintKind::NotNull(column) => !is(column),
        ConstraintKind::Exclude(text) => !input::mentions(text, name, dialect),
    });
    table.indexes.retain_mut(|index| {
        if mysql {
            return shrink(&mut index.keys);
        }
        !names_it(&index.keys)
            && !index.include.iter().any(|own| is(own))
            && !index
                .filter
                .as_ref()
                .is_some_and(|filter| input::mentions(&filter.0, name, dialect))
    });
}

/// The options with those of `new` in place of what they contradict.
fn with_options(old: &str, new: &str) -> String {
    let upper = new.to_ascii_uppercase();
    let mut kept: Vec<&str> = old.split_whitespace().collect();
    let mut remove = |word: &str| {
        while let Some(at) = kept.iter().position(|own| own.eq_ignore_ascii_case(word)) {
            kept.remove(at);
            if at > 0 && kept[at - 1].eq_ignore_ascii_case("not") {
                kept.remove(at - 1);
            }
        }
    };
    if upper.contains("DEFERRABLE") || upper.contains("INITIALLY") {
        for word in ["DEFERRABLE", "INITIALLY", "DEFERRED", "IMMEDIATE"] {
            remove(word);
        }
    }
    if upper.contains("ENFORCED") {
        remove("ENFORCED");
    }
    kept.push(new);
    kept.join(" ")
}
