//! Constraints and indexes on their way into a table: derived names, what they bring along.
//!
//! Enters: a constraint or index of the syntax tree. Leaves: the table with it. Must not know:
//! which statement asked for it.

use crate::input;
use crate::input::ast::{self, Slice, TableConstraintKind};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay};
use super::columns::{expr, foreign_key};
use super::{
    Constraint, ConstraintKind, Expr, Identity, Index, Key, Origin, Table, TableName, names,
};

pub(super) fn key(key: &ast::IndexKey<'_>, dialect: Dialect) -> Key {
    match &key.column {
        Some(column) => Key::Column {
            name: column.name.to_string(),
            rest: key.rest.map(|rest| input::folded(rest.text, dialect)),
        },
        None => Key::Expr(Expr(key.text.text.to_owned())),
    }
}

fn keys(of: &[ast::IndexKey<'_>], dialect: Dialect) -> Vec<Key> {
    of.iter().map(|one| key(one, dialect)).collect()
}

fn options(parts: &[Option<Slice<'_>>], dialect: Dialect) -> Option<String> {
    let parts: Vec<String> =
        parts.iter().flatten().map(|part| input::folded(part.text, dialect)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The constraint as the catalog keeps it; `None` for an unknown one and for `USING INDEX`, which
/// needs the table.
pub(super) fn constraint(of: &ast::TableConstraint<'_>, dialect: Dialect) -> Option<Constraint> {
    let idents = |idents: &[ast::Ident<'_>]| -> Vec<String> {
        idents.iter().map(|ident| ident.name.to_string()).collect()
    };
    let (kind, options) = match &of.kind {
        TableConstraintKind::PrimaryKey { columns, rest } => {
            (ConstraintKind::PrimaryKey(keys(columns, dialect)), options(&[*rest], dialect))
        }
        TableConstraintKind::Unique { before, columns, rest } => {
            (ConstraintKind::Unique(keys(columns, dialect)), options(&[*before, *rest], dialect))
        }
        TableConstraintKind::Check { expr: slice, rest } => {
            (ConstraintKind::Check(expr(slice)), options(&[*rest], dialect))
        }
        TableConstraintKind::ForeignKey { columns, references } => {
            (foreign_key(idents(columns), references, dialect), None)
        }
        TableConstraintKind::NotNull { column } => {
            (ConstraintKind::NotNull(column.name.to_string()), None)
        }
        TableConstraintKind::Exclude => {
            // Without `CONSTRAINT name`, which is kept apart.
            let text = of.text.text;
            let from = of.name.as_ref().map_or(0, |name| name.span.end - of.text.start);
            (ConstraintKind::Exclude(text[from..].trim().to_owned()), None)
        }
        TableConstraintKind::UsingIndex { .. } | TableConstraintKind::Unknown => return None,
    };
    let primary = matches!(kind, ConstraintKind::PrimaryKey(_));
    let named =
        of.name.is_some() && !(primary && matches!(dialect, Dialect::MySql | Dialect::MariaDb));
    Some(Constraint {
        name: of.name.as_ref().filter(|_| named).map(|name| name.name.to_string()),
        named,
        kind,
        options,
        valid: !of.not_valid,
        comment: None,
    })
}

impl Replay<'_, '_> {
    /// A relation of this name stands in the schema: table, index, sequence or view.
    pub(super) fn relation_taken(&self, schema: Option<&str>, name: &str) -> bool {
        let key = TableName { schema: schema.map(str::to_owned), name: name.to_owned() };
        self.catalog.table_key(&key).is_some()
            || self.catalog.sequences.contains_key(&key)
            || self.catalog.views.contains_key(&key)
            || self.some_table(schema, name, |table| own_relation(table, name))
    }

    fn constraint_taken(&self, schema: Option<&str>, name: &str) -> bool {
        self.some_table(schema, name, |table| {
            table.constraints.iter().any(|constraint| constraint.name.as_deref() == Some(name))
        })
    }

    /// Whether a table of the schema has an index or constraint of the name that fits.
    fn some_table(&self, schema: Option<&str>, name: &str, fits: impl Fn(&Table) -> bool) -> bool {
        self.may_exist(name)
            && self
                .catalog
                .tables
                .values()
                .any(|table| table.name.schema.as_deref() == schema && fits(table))
    }

    /// Gives the constraint the server's own name, if it has none. `inline` says whose definition
    /// it stood in.
    fn name_constraint(&self, table: &Table, constraint: &mut Constraint, inline: Option<&str>) {
        if constraint.name.is_some() {
            return;
        }
        let schema = table.name.schema.as_deref();
        let kind = &constraint.kind;
        constraint.name = match self.dialect() {
            Dialect::Sqlite => None,
            Dialect::Postgres => {
                // The table itself may be out of the catalog while it is changed.
                let taken = |name: &str| {
                    table.constraint(name).is_some()
                        || self.constraint_taken(schema, name)
                        || (has_index(kind)
                            && (own_relation(table, name) || self.relation_taken(schema, name)))
                };
                let columns = named_columns(table, kind);
                Some(names::pg_constraint_name(&table.name.name, kind, &columns, &taken))
            }
            dialect => mysql_constraint_name(table, kind, inline, dialect == Dialect::MariaDb),
        };
    }

    fn require(&self, table: &mut Table, column: &str, constraint: Constraint) {
        if let Some(column) = table.column_mut(column) {
            column.not_null = true;
        }
        match constraint.name {
            _ if !self.catalog.names_not_null => {}
            _ if !constraint.valid => table.constraints.push(constraint),
            Some(name) => table.name_not_null(column, &name),
            None => {}
        }
    }

    /// Adds the constraint, with a name, to a table that may not be in the catalog yet.
    pub(super) fn add_constraint(
        &self,
        table: &mut Table,
        mut constraint: Constraint,
        inline: Option<&str>,
    ) {
        if let ConstraintKind::NotNull(column) = &constraint.kind {
            let column = column.clone();
            self.require(table, &column, constraint);
            return;
        }
        self.name_constraint(table, &mut constraint, inline);
        self.name_referenced(table, &mut constraint);
        match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) if self.dialect() != Dialect::Sqlite => {
                set_not_null(table, keys);
            }
            // SQLite: `PRIMARY KEY (id AUTOINCREMENT)`.
            ConstraintKind::PrimaryKey(keys) => {
                for key in keys {
                    if let Key::Column { name, rest: Some(rest) } = key
                        && rest.to_ascii_uppercase().ends_with("AUTOINCREMENT")
                        && let Some(column) = table.column_mut(name)
                    {
                        column.identity = Some(Identity::AutoIncrement);
                    }
                }
            }
            ConstraintKind::ForeignKey { columns, .. } if self.mysql() => {
                let columns = columns.clone();
                implicit_index(table, &columns, constraint.name.as_deref());
            }
            _ => {}
        }
        table.constraints.push(constraint);
    }

    /// PostgreSQL notes the primary key's columns where a foreign key names none.
    fn name_referenced(&self, table: &Table, constraint: &mut Constraint) {
        let ConstraintKind::ForeignKey { table: target, references, .. } = &mut constraint.kind
        else {
            return;
        };
        if !references.is_empty() || self.dialect() != Dialect::Postgres {
            return;
        }
        let keys = if *target == table.name {
            table.primary_key()
        } else {
            self.catalog.table(target).and_then(Table::primary_key)
        };
        let columns = keys.unwrap_or_default().iter().filter_map(Key::column);
        references.extend(columns.map(str::to_owned));
    }

    pub(super) fn mysql(&self) -> bool {
        matches!(self.dialect(), Dialect::MySql | Dialect::MariaDb)
    }

    /// `UNIQUE USING INDEX i`: the index becomes the constraint's, under its name.
    pub(super) fn constraint_using_index(
        &mut self,
        table: &TableName,
        of: &ast::TableConstraint<'_>,
    ) -> bool {
        let TableConstraintKind::UsingIndex { primary, index, rest } = &of.kind else {
            return false;
        };
        let dialect = self.dialect();
        let Some(owner) = self.catalog.table_mut(table) else {
            return false;
        };
        let Some(position) =
            owner.indexes.iter().position(|own| names::same(dialect, &own.name, &index.name))
        else {
            let message = format!("`{table}` has no index `{}`", index.name);
            self.problem(message, index.span, NOT_THERE);
            return true;
        };
        let taken = owner.indexes.remove(position);
        if *primary {
            set_not_null(owner, &taken.keys);
        }
        let include = (!taken.include.is_empty())
            .then(|| format!("INCLUDE ({})", quoted_list(&taken.include, dialect)));
        let rest = rest.map(|rest| input::folded(rest.text, dialect));
        let parts: Vec<String> = [taken.options, include, rest].into_iter().flatten().collect();
        owner.constraints.push(Constraint {
            name: Some(of.name.as_ref().map_or(taken.name, |name| name.name.to_string())),
            named: true,
            kind: if *primary {
                ConstraintKind::PrimaryKey(taken.keys)
            } else {
                ConstraintKind::Unique(taken.keys)
            },
            options: (!parts.is_empty()).then(|| parts.join(" ")),
            valid: true,
            comment: None,
        });
        true
    }

    /// The index as the catalog keeps it, named.
    pub(super) fn index(&self, table: &Table, of: &ast::CreateIndex<'_>, origin: Origin) -> Index {
        let dialect = self.dialect();
        let keys = keys(&of.keys, dialect);
        let include: Vec<String> = of.include.iter().map(|name| name.name.to_string()).collect();
        let schema = table.name.schema.as_deref();
        let name = match (&of.name, dialect) {
            (Some(name), _) => name.name.name.to_string(),
            (None, Dialect::Postgres) => {
                let taken =
                    |name: &str| own_relation(table, name) || self.relation_taken(schema, name);
                names::pg_index_name(&table.name.name, &keys, &include, &taken)
            }
            (None, _) => {
                let taken =
                    |name: &str| table.index(name).is_some() || table.constraint(name).is_some();
                names::mysql_index_name(&keys, &taken)
            }
        };
        Index {
            name,
            keys,
            unique: of.unique,
            method: of
                .method
                .filter(|method| !method.text.eq_ignore_ascii_case("btree"))
                .map(|method| method.text.to_owned()),
            include,
            filter: of.filter.as_ref().map(expr),
            options: of.options.map(|options| input::folded(options.text, dialect)),
            comment: None,
            origin,
        }
    }
}

/// `"a", b` as they stand inside parentheses.
fn quoted_list(columns: &[String], dialect: Dialect) -> String {
    let columns: Vec<String> =
        columns.iter().map(|column| names::in_expression(column, dialect)).collect();
    columns.join(", ")
}

pub(super) fn has_index(kind: &ConstraintKind) -> bool {
    matches!(
        kind,
        ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) | ConstraintKind::Exclude(_)
    )
}

/// The table, one of its indexes or the index of one of its constraints has the name.
fn own_relation(table: &Table, name: &str) -> bool {
    table.name.name == name
        || table.index(name).is_some()
        || table.constraint(name).is_some_and(|constraint| has_index(&constraint.kind))
}

fn set_not_null(table: &mut Table, keys: &[Key]) {
    for key in keys {
        if let Some(column) = key.column().and_then(|name| table.column_mut(name)) {
            column.not_null = true;
        }
    }
}

/// The columns of the table that a CHECK or EXCLUDE names, which decide its own name.
fn named_columns(table: &Table, kind: &ConstraintKind) -> Vec<String> {
    match kind {
        ConstraintKind::Check(expr) => table
            .columns
            .iter()
            .filter(|column| input::mentions(&expr.0, &column.name, table.dialect))
            .map(|column| column.name.clone())
            .collect(),
        ConstraintKind::Exclude(text) => excluded_columns(text),
        _ => Vec::new(),
    }
}

/// What stands before each WITH in `EXCLUDE USING m (a WITH =, b WITH &&)`.
fn excluded_columns(text: &str) -> Vec<String> {
    let tokens = input::lex(text, Dialect::Postgres).unwrap_or_default();
    let mut columns = Vec::new();
    let mut depth = 0_usize;
    let mut first = false;
    for token in tokens {
        match &text[token.range()] {
            "(" => {
                depth += 1;
                first = depth == 1 && columns.is_empty();
            }
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            "," if depth == 1 => first = true,
            word if first && depth == 1 => {
                columns.push(word.trim_matches('"').to_owned());
                first = false;
            }
            _ => {}
        }
    }
    columns
}

fn mysql_constraint_name(
    table: &Table,
    kind: &ConstraintKind,
    inline: Option<&str>,
    mariadb: bool,
) -> Option<String> {
    let numbered = |prefix: &str| {
        let last = table
            .constraints
            .iter()
            .filter_map(|constraint| constraint.name.as_deref()?.strip_prefix(prefix)?.parse().ok())
            .max()
            .unwrap_or(0_u32);
        Some(format!("{prefix}{}", last + 1))
    };
    match kind {
        ConstraintKind::PrimaryKey(_) => None,
        ConstraintKind::Unique(keys) => {
            let taken =
                |name: &str| table.index(name).is_some() || table.constraint(name).is_some();
            Some(names::mysql_index_name(keys, &taken))
        }
        ConstraintKind::ForeignKey { .. } => numbered(&format!("{}_ibfk_", table.name.name)),
        ConstraintKind::Check(_) => match inline {
            Some(column) if mariadb => Some(column.to_owned()),
            _ if mariadb => numbered("CONSTRAINT_"),
            _ => numbered(&format!("{}_chk_", table.name.name)),
        },
        ConstraintKind::NotNull(_) | ConstraintKind::Exclude(_) => None,
    }
}

/// MySQL builds an index for a foreign key that has none, and drops it again when it gets one.
fn implicit_index(table: &mut Table, columns: &[String], name: Option<&str>) {
    let covered = |keys: &[Key]| {
        keys.len() >= columns.len()
            && keys.iter().zip(columns).all(|(key, column)| {
                key.column().is_some_and(|own| own.eq_ignore_ascii_case(column))
            })
    };
    let exists = table.indexes.iter().any(|index| covered(&index.keys))
        || table.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => covered(keys),
            _ => false,
        });
    if exists {
        return;
    }
    let keys: Vec<Key> =
        columns.iter().map(|column| Key::Column { name: column.clone(), rest: None }).collect();
    let taken = |name: &str| table.index(name).is_some() || table.constraint(name).is_some();
    let derived = names::mysql_index_name(&keys, &taken);
    let name = name
        .filter(|name| !name.contains("_ibfk_") && table.index(name).is_none())
        .map_or(derived, str::to_owned);
    table.indexes.push(Index {
        name,
        keys,
        unique: false,
        method: None,
        include: Vec::new(),
        filter: None,
        options: None,
        comment: None,
        origin: Origin::default(),
    });
}

/// An index that came with a foreign key gives way to one that covers it.
pub(super) fn drop_implicit_indexes(table: &mut Table, keys: &[Key]) {
    table.indexes.retain(|index| {
        index.origin != Origin::default()
            || index.keys.len() > keys.len()
            || index.keys.iter().zip(keys).any(|(own, key)| own != key)
    });
}
