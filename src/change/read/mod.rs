//! Statements → what was asked.
//!
//! A column that is added and then filled, constrained or required by later statements of the same
//! script is one change: what a person means by "add a required column computed from another".
//!
//! `alter` reads ALTER TABLE, `column` what it does to columns that are there, `new_column` what a
//! script says of a column that it adds, `new_table` of a table that it creates, `old_table` of one that
//! it renames or drops, `rows` what it does to rows, `new_rows` and `copy` which rows come and go, `subquery` what
//! else they read: `scopes` finds whose each name is, `partners` proves that batches may read it.

mod alter;
mod column;
mod comment;
mod copy;
mod fill;
mod hints;
mod index;
mod new_column;
mod new_rows;
mod new_table;
mod old_table;
mod partners;
mod patterns;
mod quoted;
mod rename_name;
mod replace;
mod rows;
mod scopes;
mod subquery;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Expr, Key, Table, TableName};
use crate::dialect::Server;
use crate::dialect::reserved::is_reserved;
use crate::error::{Error, Result};
use crate::input::ast::{ColumnDef, Ident, Kind, Statement};
use crate::input::{self, expr};
use crate::source::{Source, Span};

use old_table::renamed_to;

use super::{AddColumn, Asked, Change, CreateIndex, Intent, Keep, names, types};

/// Columns that a hint lists.
const SHOWN: usize = 12;

/// Understands a change script against the schema before it. What it says of the tables `others` is
/// passed over.
pub fn read(server: &Server, before: &Catalog, source: &Source, others: &[&str]) -> Result<Intent> {
    let statements = input::read(source, server.dialect)?;
    input::strict(source, &statements, server.dialect)?;
    let mut reader = Reader {
        server,
        source,
        before,
        after: before.clone(),
        asked: Vec::new(),
        keep: None,
        backs: BTreeMap::new(),
        without_way_back: BTreeSet::new(),
        unrelated: BTreeSet::new(),
        renamed: BTreeMap::new(),
        others,
    };
    for statement in &statements {
        reader.hints(statement)?;
        reader.statement(statement)?;
    }
    reader.replacements()?;
    reader.gone_with_their_column();
    reader.no_rename_in_disguise()?;
    reader.finish_created();
    reader.stands_alone()?;
    reader.nothing_in_vain()?;
    if let Some((_, column)) = reader.backs.keys().next() {
        return Err(Error::refused(format!(
            "nothing in this script needs a way back for `{column}`"
        ))
        .at(source, Span::new(0, source.text.len()), "a hint that no change takes up"));
    }
    if reader.asked.is_empty() {
        return Err(Error::refused("the change says nothing to do")
            .at(source, Span::new(0, source.text.len()), "no statement that changes a schema or rows")
            .hint("miggen \"ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false\""));
    }
    Ok(Intent {
        title: names::title(&reader.asked),
        slug: names::slug(&reader.asked),
        asked: reader.asked,
        after: reader.after,
        keep: reader.keep,
        source: source.clone(),
    })
}

struct Reader<'r> {
    server: &'r Server,
    source: &'r Source,
    before: &'r Catalog,
    /// The naive end, statement by statement.
    after: Catalog,
    asked: Vec<Asked>,
    keep: Option<Keep>,
    /// Ways back that hints give: (table, column) → the old value of the new one. A hint names a
    /// column of the statement it stands before.
    backs: BTreeMap<(TableName, String), Expr>,
    /// Tables whose dropped columns need none: `back none`.
    without_way_back: BTreeSet<TableName>,
    /// Dropped columns that nothing takes the place of: `unrelated to`.
    unrelated: BTreeSet<String>,
    /// Renamed columns: (table, new name) → old name.
    renamed: BTreeMap<(TableName, String), String>,
    others: &'r [&'r str],
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let span = statement.text.span();
        match &statement.kind {
            kind if self.is_others(kind) => Ok(()),
            Kind::CreateTable(create) => self.create_table(create, statement),
            Kind::AlterTable(alter) if self.is_created(&alter.table) => {
                self.alter_created(alter, statement)
            }
            Kind::AlterTable(alter) => match renamed_to(alter) {
                Some(to) => self.rename_table(&alter.table, to, statement),
                None => self.alter_table(alter, statement),
            },
            Kind::Comment(comment) => self.comment(comment, statement),
            Kind::DropTable(drop) => self.drop_tables(drop, statement),
            Kind::DropIndex(drop) => self.drop_index(drop, statement),
            Kind::CreateIndex(create) => {
                let table = self
                    .table(&TableName::of(&create.table, self.server.dialect), create.table.span())?
                    .clone();
                if table.partition_by.is_some()
                    && self.server.can(crate::dialect::Action::CreateIndexOnline)
                {
                    return Err(self
                        .not_yet("an index of a partitioned table", create.table.span())
                        .note("the server builds none beside writers, and a plain build stops those of every partition")
                        .hint("one index on each partition, in this way; then ON ONLY the parent, and ATTACH by hand"));
                }
                if create.concurrently
                    && !self.server.can(crate::dialect::Action::CreateIndexOnline)
                {
                    return Err(Error::refused(format!(
                        "{} has no CREATE INDEX CONCURRENTLY",
                        self.server.title()
                    ))
                    .at(self.source, span, "here")
                    .hint("leave CONCURRENTLY out"));
                }
                if let Some(name) = &create.name {
                    self.nameable(&name.name)?;
                }
                let known: Vec<String> = table.indexes.iter().map(|i| i.name.clone()).collect();
                self.after.apply(self.source, statement)?;
                let index = self.after.tables[&table.name]
                    .indexes
                    .iter()
                    .find(|index| !known.contains(&index.name))
                    .cloned();
                let Some(index) = index else {
                    return Err(Error::refused("this index is already there").at(
                        self.source,
                        span,
                        "nothing to do",
                    ));
                };
                self.keys_exist(&table.name, &index.keys, span)?;
                if let Some(Expr(filter)) = &index.filter {
                    self.columns_exist(&self.after.tables[&table.name], filter, span)?;
                }
                if self.is_created(&create.table) {
                    return Ok(());
                }
                self.ask(Change::CreateIndex(CreateIndex { table: table.name, index }), span);
                Ok(())
            }
            Kind::RenameIndex { index, to, .. } => self.rename_index(index, to, statement),
            Kind::Update(update) => self.update(update, span),
            Kind::Delete(delete) => self.delete(delete, span),
            Kind::Insert(insert) => self.insert(insert, statement.text, span),
            Kind::Opaque(opaque) if is_transaction_word(&opaque.kind) => Ok(()),
            // Which constraints are deferred in its own transaction: Django's scripts say it.
            Kind::Opaque(opaque)
                if opaque.kind == "SET" && says_of_constraints(statement.text.text) =>
            {
                Ok(())
            }
            other => {
                let known = match other {
                    Kind::Opaque(opaque) => FORMS.iter().find(|(verb, _)| opaque.kind == *verb),
                    _ => None,
                };
                Err(match known {
                    Some((verb, form)) => Error::refused(format!("this {verb} is not understood"))
                        .at(self.source, span, "more than miggen plans, or misspelt")
                        .hint(*form),
                    None => self.not_yet(&describe(other), span),
                })
            }
        }
    }

    fn keys_exist(&self, table: &TableName, keys: &[Key], span: Span) -> Result<()> {
        let table = &self.after.tables[table];
        for key in keys {
            if let Key::Column { name, .. } = key
                && table.column(name).is_none()
            {
                return Err(self.no_column(table, name, span));
            }
        }
        for Expr(text) in keys.iter().filter_map(|key| match key {
            Key::Expr(expr) => Some(expr),
            Key::Column { .. } => None,
        }) {
            self.columns_exist(table, text, span)?;
        }
        Ok(())
    }

    /// The columns of an expression that is kept as it is, where it can be read.
    fn columns_exist(&self, table: &Table, text: &str, span: Span) -> Result<()> {
        let Some(facts) = expr::read(text, self.server.dialect).filter(|facts| !facts.subquery)
        else {
            return Ok(());
        };
        // The server's own columns.
        let known = |name: &str| {
            table.column(name).is_some() || ["rowid", "_rowid_", "oid", "tableoid"].contains(&name)
        };
        match facts.columns.iter().find(|name| !known(name)) {
            Some(name) => Err(self.no_column(table, name, span)),
            None => Ok(()),
        }
    }

    /// What the script makes and what it drops with something else.
    fn nothing_in_vain(&self) -> Result<()> {
        for Asked { change, span } in &self.asked {
            let Change::CreateIndex(create) = change else { continue };
            let left = self.after.tables.get(&create.table);
            if left.is_none_or(|table| table.index(&create.index.name).is_none()) {
                return Err(Error::refused(format!(
                    "this script creates {} and drops what it is on",
                    create.index.name
                ))
                .at(self.source, *span, "nothing is left of it")
                .hint("leave it out"));
            }
        }
        Ok(())
    }

    fn table(&self, name: &TableName, span: Span) -> Result<&Table> {
        self.after.tables.get(name).ok_or_else(|| {
            let error = Error::refused(format!("there is no table `{name}`")).at(
                self.source,
                span,
                "not in the schema",
            );
            match self.after.nearest(name) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`--schema FILE` names the schema as it is now"),
            }
        })
    }

    fn column(&self, table: &TableName, ident: &Ident) -> Result<()> {
        let table = &self.after.tables[table];
        match table.column(&ident.name) {
            Some(_) => Ok(()),
            None => Err(self.no_column(table, &ident.name, ident.span)),
        }
    }

    /// Of a table that nobody's change is about.
    fn is_others(&self, kind: &Kind) -> bool {
        let table = match kind {
            Kind::CreateTable(create) => &create.name,
            Kind::Insert(insert) => &insert.table,
            Kind::Update(update) => &update.table,
            Kind::Delete(delete) => &delete.table,
            _ => return false,
        };
        self.others.contains(&table.name.name.as_ref())
    }

    /// The server reads the name of something new as that.
    fn nameable(&self, ident: &Ident) -> Result<()> {
        if ident.quoted || !is_reserved(self.server.dialect, &ident.name) {
            return Ok(());
        }
        Err(Error::refused(format!("`{}` is a reserved word", ident.name))
            .at(self.source, ident.span, "no name, unless in quotes")
            .hint(format!("\"{}\", or better another name", ident.name)))
    }

    fn nameable_column(&self, column: &ColumnDef) -> Result<()> {
        self.nameable(&column.name)?;
        column
            .constraints
            .iter()
            .filter_map(|one| one.name.as_ref())
            .try_for_each(|name| self.nameable(name))
    }

    fn no_column(&self, table: &Table, name: &str, span: Span) -> Error {
        let error = Error::refused(format!("{} has no column `{name}`", table.name.name)).at(
            self.source,
            span,
            "not in the schema",
        );
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        if let Some(near) = crate::catalog::names::closest(name, names.iter().copied()) {
            return error.hint(format!("did you mean `{near}`?"));
        }
        let more = if names.len() > SHOWN { ", …" } else { "" };
        let names = names[..names.len().min(SHOWN)].join(", ");
        error.hint(format!("it has {names}{more}"))
    }

    fn not_yet(&self, what: &str, span: Span) -> Error {
        Error::refused(format!("miggen does not plan {what} yet"))
            .at(self.source, span, "here")
            .hint("the README lists what is planned; nothing was written")
    }

    fn ask(&mut self, change: Change, span: Span) {
        self.asked.push(Asked { change, span });
    }

    fn added(&self, table: &TableName, column: &str) -> Option<&AddColumn> {
        self.asked.iter().find_map(|asked| match &asked.change {
            Change::AddColumn(add) if add.table == *table && add.column.name == column => Some(add),
            _ => None,
        })
    }

    fn added_mut(&mut self, table: &TableName, column: &str) -> &mut AddColumn {
        self.asked
            .iter_mut()
            .find_map(|asked| match &mut asked.change {
                Change::AddColumn(add) if add.table == *table && add.column.name == column => {
                    Some(add)
                }
                _ => None,
            })
            .expect("asked for above")
    }
}

/// Statements about rows, as far as they are planned.
const FORMS: &[(&str, &str)] = &[
    (
        "INSERT",
        "INSERT INTO … (…) VALUES …, or SELECT … with subqueries and inner joins: no DISTINCT, GROUP BY, LIMIT, RETURNING",
    ),
    ("DELETE", "DELETE FROM … [USING …] WHERE …: no WITH, LIMIT, RETURNING"),
    ("UPDATE", "UPDATE … SET column = … [FROM …] [WHERE …]: no WITH, LIMIT, RETURNING"),
];

/// Which transactions there are is miggen's to decide; scripts of other tools bring their own.
fn is_transaction_word(kind: &str) -> bool {
    matches!(kind, "BEGIN" | "COMMIT" | "START TRANSACTION" | "END")
}

fn says_of_constraints(text: &str) -> bool {
    text.split_whitespace().nth(1).is_some_and(|word| word.eq_ignore_ascii_case("constraints"))
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Opaque(opaque) => opaque.kind.to_string(),
        Kind::RenameTable(_) => "RENAME TABLE".into(),
        Kind::CreateEnum { .. } => "CREATE TYPE".into(),
        Kind::AddEnumValue { .. } => "ALTER TYPE … ADD VALUE".into(),
        Kind::RenameEnumValue { .. } => "ALTER TYPE … RENAME VALUE".into(),
        Kind::CreateSequence { .. } => "CREATE SEQUENCE".into(),
        Kind::CreateDomain { .. } => "CREATE DOMAIN".into(),
        Kind::CreateView(_) => "CREATE VIEW".into(),
        Kind::CreateTrigger(_) => "CREATE TRIGGER".into(),
        _ => "this statement".into(),
    }
}
