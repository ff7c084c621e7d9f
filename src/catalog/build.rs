//! Statements → catalog, in the order they ran.
//!
//! Enters: sources or single statements. Leaves: the changed catalog, and either the first problem
//! (a change must fit) or all of them as warnings (a history may be partly unknown). Must not know:
//! plans.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::input::ast::{AlterKind, Kind, Slice, Statement};
use crate::input::{self, ast};
use crate::source::{Dialect, Source, Span};

use super::{Catalog, ConstraintKind, Origin, Table, TableName, names};

/// Replays the sources one behind the other. What does not fit is a warning, and what is not
/// understood leaves its mark on the table, what may hide DDL a taint.
pub fn build(sources: &[Source], dialect: Dialect) -> Result<(Catalog, Vec<String>)> {
    let mut catalog = Catalog::new(dialect);
    let mut warnings = Vec::new();
    let mut session = Session { seen: Some(BTreeSet::new()), ..Session::default() };
    for source in sources {
        let mut lines = Lines { text: &source.text, at: 0, line: 1 };
        for statement in input::read(source, dialect)? {
            let mut replay = Replay {
                catalog: &mut catalog,
                session: &mut session,
                source,
                statement: &statement,
                problems: Vec::new(),
            };
            replay.statement();
            if statement.schema.is_some() {
                replay.settle_references();
            }
            replay.note_names();
            for problem in replay.problems {
                let line = lines.of(problem.span.start);
                warnings.push(format!("{}:{line}: {}", source.name, problem.message));
            }
        }
    }
    Ok((catalog, warnings))
}

impl Catalog {
    /// Carries out one statement. On an error the catalog may be left half changed.
    pub fn apply(&mut self, source: &Source, statement: &Statement<'_>) -> Result<()> {
        let mut session = Session::default();
        let mut replay = Replay {
            catalog: self,
            session: &mut session,
            source,
            statement,
            problems: Vec::new(),
        };
        replay.statement();
        let Some(problem) = replay.problems.into_iter().next() else {
            return Ok(());
        };
        let error = Error::refused(problem.message).at(source, problem.span, problem.label);
        Err(match problem.hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }
}

/// Counts lines from where it stopped the last time.
struct Lines<'s> {
    text: &'s str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, at: usize) -> usize {
        if at < self.at {
            (self.at, self.line) = (0, 1);
        }
        self.line += self.text[self.at..at].matches('\n').count();
        self.at = at;
        self.line
    }
}

/// What a script's earlier statements decide for its later ones.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// In a long history: every name an index or constraint has had so far, in lower case. What
    /// is not in here is free, and the tables need not be searched for it.
    seen: Option<BTreeSet<String>>,
    /// Not part of the schema, so neither is what happens to them.
    pub(super) temporary: BTreeSet<TableName>,
    /// SQLite: `PRAGMA legacy_alter_table=ON`, a rename leaves other tables' references alone.
    pub(super) legacy_rename: bool,
}

/// What does not fit. An [`Error`] holds its source; a long history may have many of these.
pub(super) struct Problem {
    message: String,
    span: Span,
    label: &'static str,
    hint: Option<String>,
}

/// One statement on its way into the catalog.
pub(super) struct Replay<'r, 'a> {
    pub(super) catalog: &'r mut Catalog,
    pub(super) session: &'r mut Session,
    pub(super) source: &'r Source,
    pub(super) statement: &'r Statement<'a>,
    pub(super) problems: Vec<Problem>,
}

impl Replay<'_, '_> {
    pub(super) fn dialect(&self) -> Dialect {
        self.catalog.dialect
    }

    /// What stands without a schema is in the first of the search path, or else in the usual one.
    pub(super) fn name(&self, name: &ast::Name<'_>) -> TableName {
        let first = TableName::of(name, self.catalog.dialect);
        let usual = TableName::new(&*first.name);
        let falls_back = name.is_placed()
            && !self.makes(name)
            && !self.catalog.holds(&first)
            && self.catalog.holds(&usual);
        if falls_back { usual } else { first }
    }

    /// The statement is what brings the object of this name.
    fn makes(&self, name: &ast::Name<'_>) -> bool {
        let made = match &self.statement.kind {
            Kind::CreateTable(create) => Some(&create.name),
            Kind::CreateView(view) => Some(&view.name),
            Kind::CreateEnum { name, .. }
            | Kind::CreateDomain { name, .. }
            | Kind::CreateSequence { name, .. } => Some(name),
            Kind::Opaque(opaque) if opaque.kind.starts_with("CREATE") => opaque.object.as_ref(),
            _ => None,
        };
        made.is_some_and(|made| made.span() == name.span())
    }

    /// Foreign keys that point to a table of the usual schema by its bare name.
    fn settle_references(&mut self) {
        let table = match &self.statement.kind {
            Kind::CreateTable(create) => self.name(&create.name),
            Kind::AlterTable(alter) => self.name(&alter.table),
            _ => return,
        };
        let Some(mut of) = self.catalog.table(&table).cloned() else { return };
        for constraint in &mut of.constraints {
            if let ConstraintKind::ForeignKey { table: target, .. } = &mut constraint.kind {
                let usual = TableName::new(&*target.name);
                if target.schema == self.statement.schema
                    && !self.catalog.tables.contains_key(target)
                    && self.catalog.tables.contains_key(&usual)
                {
                    *target = usual;
                }
            }
        }
        self.catalog.tables.insert(table, of);
    }

    pub(super) fn problem(&mut self, message: impl Into<String>, span: Span, label: &'static str) {
        self.problem_with_hint(message, span, label, None);
    }

    pub(super) fn problem_with_hint(
        &mut self,
        message: impl Into<String>,
        span: Span,
        label: &'static str,
        hint: Option<String>,
    ) {
        self.problems.push(Problem { message: message.into(), span, label, hint });
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin_of(&self.statement.text)
    }

    pub(super) fn origin_of(&self, text: &Slice<'_>) -> Origin {
        Origin {
            source: self.source.name.clone(),
            start: text.start,
            end: text.start + text.text.len(),
            text: text.text.to_owned(),
        }
    }

    /// The table's name in the catalog. Where there is none, that is a problem, unless the table is
    /// a temporary one or the statement says IF EXISTS.
    pub(super) fn known_table(
        &mut self,
        name: &ast::Name<'_>,
        if_exists: bool,
    ) -> Option<TableName> {
        let wanted = self.name(name);
        if let Some(key) = self.catalog.table_key(&wanted) {
            return Some(key.clone());
        }
        // It has indexes and marks like a table.
        let materialized = self.catalog.views.get(&wanted).is_some_and(|view| view.materialized);
        if if_exists || materialized || self.session.temporary.contains(&wanted) {
            return None;
        }
        let hint = self.catalog.nearest(&wanted).map(|near| did_you_mean(&near));
        let message = format!("there is no table `{wanted}`");
        self.problem_with_hint(message, name.span(), NOT_THERE, hint);
        None
    }

    /// Reports a column the table does not have; a table known in part may have it.
    pub(super) fn missing_column(&mut self, table: &TableName, column: &ast::Ident<'_>) {
        if let Some(problem) = self.catalog.table(table).and_then(|table| no_column(table, column))
        {
            self.problems.push(problem);
        }
    }

    /// Reports those of the columns that the table does not have.
    pub(super) fn columns_exist<'i, 'n: 'i>(
        &mut self,
        table: &Table,
        columns: impl IntoIterator<Item = &'i ast::Ident<'n>>,
    ) {
        let missing = columns
            .into_iter()
            .filter(|column| table.column(&column.name).is_none())
            .filter_map(|column| no_column(table, column));
        self.problems.extend(missing);
    }

    fn statement(&mut self) {
        let statement = self.statement;
        match &statement.kind {
            Kind::CreateTable(table) => self.create_table(table),
            Kind::AlterTable(alter) => self.alter_table(alter),
            Kind::DropTable(drop) => self.drop_tables(drop),
            Kind::RenameTable(renames) => {
                for (from, to) in renames {
                    if let Some(table) = self.known_table(from, false) {
                        let to = self.name(to);
                        self.rename_table(&table, &to);
                    }
                }
            }
            Kind::CreateIndex(index) => {
                let origin = self.origin();
                self.create_index(index, origin);
            }
            Kind::DropIndex(drop) => self.drop_indexes(drop),
            Kind::RenameIndex { index, to, if_exists } => {
                self.rename_index(index, &to.name, *if_exists);
            }
            Kind::CreateEnum { name, labels } => self.create_enum(name, labels),
            Kind::AddEnumValue { name, label, if_not_exists, position } => {
                self.add_enum_value(name, label, *if_not_exists, position.as_ref());
            }
            Kind::RenameEnumValue { name, from, to } => self.rename_enum_value(name, from, to),
            Kind::CreateDomain { name, ty, rest } => self.create_domain(name, ty, rest.as_ref()),
            Kind::CreateSequence { name, if_not_exists, ty, owned_by } => {
                self.create_sequence(name, *if_not_exists, ty.as_ref(), owned_by.as_ref());
            }
            Kind::OwnSequence { name, owned_by } => self.own_sequence(name, owned_by.as_ref()),
            Kind::CreateView(view) => self.create_view(view),
            Kind::CreateTrigger(trigger) => self.create_trigger(trigger),
            Kind::Comment(comment) => self.comment(comment),
            Kind::RenameOther { what, name, on, to } => {
                self.rename_other(what, name, on.as_ref(), &to.name);
            }
            Kind::DropOther { what, names, on, if_exists, cascade } => {
                for name in names {
                    self.drop_other(what, name, on.as_ref(), *if_exists, *cascade);
                }
            }
            Kind::Update(update) => {
                let table = &update.table.name.name;
                if self.dialect() == Dialect::Sqlite
                    && ["sqlite_schema", "sqlite_master"]
                        .iter()
                        .any(|own| table.eq_ignore_ascii_case(own))
                {
                    self.taint();
                }
            }
            Kind::Delete(_) | Kind::Insert(_) => {}
            Kind::Opaque(opaque) => self.opaque(opaque),
        }
    }

    /// An index or constraint of this name may exist.
    pub(super) fn may_exist(&self, name: &str) -> bool {
        self.session.seen.as_ref().is_none_or(|seen| seen.contains(&name.to_ascii_lowercase()))
    }

    /// Notes the names of the tables that the statement has touched.
    fn note_names(&mut self) {
        let mut touched = Vec::new();
        match &self.statement.kind {
            Kind::CreateTable(table) => touched.push(self.name(&table.name)),
            Kind::CreateIndex(index) => touched.push(self.name(&index.table)),
            Kind::AlterTable(alter) => {
                touched.push(self.name(&alter.table));
                for action in &alter.actions {
                    match &action.kind {
                        AlterKind::RenameTable { to } => touched.push(self.name(to)),
                        AlterKind::SetSchema { schema } => touched.push(TableName {
                            schema: Some(schema.name.to_string()),
                            name: alter.table.name.name.to_string(),
                        }),
                        _ => {}
                    }
                }
            }
            Kind::RenameIndex { to, .. } => {
                if let Some(seen) = &mut self.session.seen {
                    seen.insert(to.name.to_ascii_lowercase());
                }
            }
            _ => {}
        }
        let Some(seen) = &mut self.session.seen else {
            return;
        };
        for table in touched {
            let Some(table) = self.catalog.table(&table) else {
                continue;
            };
            let indexes = table.indexes.iter().map(|index| &index.name);
            let constraints = table.constraints.iter().filter_map(|of| of.name.as_ref());
            seen.extend(indexes.chain(constraints).map(|name| name.to_ascii_lowercase()));
        }
    }
}

fn no_column(table: &Table, column: &ast::Ident<'_>) -> Option<Problem> {
    if !table.partial.is_empty() {
        return None;
    }
    let columns = table.columns.iter().map(|column| column.name.as_str());
    Some(Problem {
        message: format!("`{}` has no column `{}`", table.name, column.name),
        span: column.span,
        label: NOT_THERE,
        hint: names::closest(&column.name, columns).map(did_you_mean),
    })
}

pub(super) const NOT_THERE: &str = "not in the schema";

pub(super) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}
