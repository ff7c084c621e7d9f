//! Statements → what was asked.
//!
//! A column that is added and then filled, constrained or required by later statements of the same
//! script is one change: what a person means by "add a required column computed from another".

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Column, Constraint, ConstraintKind, Expr, Key, Table, TableName};
use crate::dialect::Server;
use crate::dialect::functions::{Volatility, function};
use crate::error::{Error, Result};
use crate::input::ast::{
    AlterAction, AlterKind, AlterTable, ColumnConstraintKind, ColumnDef, Ident, Kind, Statement,
    TableConstraintKind, Update as UpdateStatement,
};
use crate::input::{self, expr};
use crate::source::{Source, Span};

use super::{
    AddColumn, Asked, Assignment, Change, CreateIndex, DefaultKind, Fill, Intent, Keep,
    RenameColumn, Update, names, types,
};

/// Applied to their own result they change nothing, nor do they when nested into each other.
const IDEMPOTENT: &[&str] = &["btrim", "lower", "ltrim", "rtrim", "trim", "upper"];

/// Understands a change script against the schema before it.
pub fn read(server: &Server, before: &Catalog, source: &Source) -> Result<Intent> {
    let statements = input::read(source, server.dialect)?;
    input::strict(source, &statements, server.dialect)?;
    let mut reader = Reader {
        server,
        source,
        before,
        after: before.clone(),
        asked: Vec::new(),
        keep: None,
        renamed: BTreeMap::new(),
    };
    for statement in &statements {
        reader.hints(statement)?;
        reader.statement(statement)?;
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
    /// Renamed columns: (table, new name) → old name.
    renamed: BTreeMap<(TableName, String), String>,
}

impl Reader<'_> {
    fn hints(&mut self, statement: &Statement) -> Result<()> {
        for hint in &statement.hints {
            let mut words = hint.text.split_whitespace();
            let keep = match (words.next(), words.next(), words.next(), words.next()) {
                (Some("keep"), Some(number), Some("day" | "days"), None) => number.parse().ok(),
                _ => None,
            };
            let Some(days) = keep else {
                return Err(Error::refused("this hint is not one miggen knows")
                    .at(self.source, hint.span(), "not understood")
                    .hint("-- miggen: keep 30 days"));
            };
            self.keep = Some(Keep {
                text: hint.text.trim_start_matches("keep").trim().to_owned(),
                days,
                span: hint.span(),
            });
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let span = statement.text.span();
        match &statement.kind {
            Kind::AlterTable(alter) => self.alter_table(alter, statement),
            Kind::CreateIndex(create) => {
                let table = self
                    .table(&TableName::of(&create.table, self.server.dialect), create.table.span())?
                    .clone();
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
                self.ask(Change::CreateIndex(CreateIndex { table: table.name, index }), span);
                Ok(())
            }
            Kind::RenameIndex { index, to, .. } => {
                let name = index.name.name.as_ref();
                let owner = self.after.tables.values().find_map(|table| {
                    table.indexes.iter().find(|i| i.name == name).map(|i| (table.name.clone(), i))
                });
                let Some((table, found)) = owner else {
                    return Err(Error::refused(format!("there is no index `{name}`")).at(
                        self.source,
                        index.span(),
                        "not in the schema",
                    ));
                };
                let follows = found.keys.iter().any(|key| {
                    matches!(key, Key::Column { name, .. }
                        if self.renamed.contains_key(&(table.clone(), name.clone())))
                });
                if !follows {
                    return Err(
                        self.not_yet("renaming an index by itself", index.span().to(to.span))
                    );
                }
                self.after.apply(self.source, statement)
            }
            Kind::Update(update) => self.update(update, span),
            Kind::Opaque(opaque) if is_transaction_word(&opaque.kind) => Ok(()),
            other => Err(self.not_yet(&describe(other), span)),
        }
    }

    fn alter_table(&mut self, alter: &AlterTable, statement: &Statement) -> Result<()> {
        let table = TableName::of(&alter.table, self.server.dialect);
        let found = self.table(&table, alter.table.span())?;
        if !found.partial.is_empty() {
            return Err(Error::refused(format!("`{}` is not known in full", table.name))
                .at(self.source, alter.table.span(), found.partial.join("; "))
                .hint("give a schema file with the table as it is: `--schema schema.sql`"));
        }
        if found.partition_by.is_some() || found.partition_of.is_some() {
            return Err(self.not_yet("changing a partitioned table", alter.table.span()));
        }
        // Names are checked against the state before the statement, which applies as a whole.
        for action in &alter.actions {
            self.action(&table, action)?;
        }
        self.after.apply(self.source, statement)?;
        for action in &alter.actions {
            self.finish_action(&table, action)?;
        }
        Ok(())
    }

    /// What must hold before the naive statement is applied.
    fn action(&mut self, table: &TableName, action: &AlterAction) -> Result<()> {
        let span = action.text.span();
        match &action.kind {
            AlterKind::AddColumn { column, if_not_exists, .. } => {
                let there = self.after.tables[table].column(&column.name.name).is_some();
                if there && !if_not_exists {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, column.name.name
                    ))
                    .at(self.source, column.name.span, "already there"));
                }
                if there {
                    return Err(Error::refused("this column is already there").at(
                        self.source,
                        span,
                        "nothing to do",
                    ));
                }
                Ok(())
            }
            AlterKind::RenameColumn { from, to } => {
                self.column(table, from)?;
                if self.after.tables[table].column(&to.name).is_some() {
                    return Err(Error::refused(format!(
                        "`{}` has a column `{}` already",
                        table.name, to.name
                    ))
                    .at(self.source, to.span, "already there"));
                }
                Ok(())
            }
            AlterKind::SetNotNull { column }
            | AlterKind::SetDefault { column, .. }
            | AlterKind::DropDefault { column } => {
                self.column(table, column)?;
                if self.added(table, &column.name).is_none() {
                    return Err(self.not_yet("this change of a column that is already there", span));
                }
                Ok(())
            }
            AlterKind::AddConstraint(constraint) => {
                let own = |columns: &[&str]| {
                    columns.len() == 1 && self.added(table, columns[0]).is_some()
                };
                let about_new_column = match &constraint.kind {
                    TableConstraintKind::Unique { columns, .. } => {
                        let names: Vec<&str> = columns
                            .iter()
                            .filter_map(|key| key.column.as_ref())
                            .map(|ident| ident.name.as_ref())
                            .collect();
                        own(&names)
                    }
                    TableConstraintKind::ForeignKey { columns, .. } => {
                        let names: Vec<&str> = columns.iter().map(|c| c.name.as_ref()).collect();
                        own(&names)
                    }
                    _ => false,
                };
                if about_new_column {
                    Ok(())
                } else {
                    Err(self.not_yet("a constraint on columns that are already there", span))
                }
            }
            AlterKind::RenameConstraint { from, .. } => {
                let renamed = self.after.tables[table]
                    .constraints
                    .iter()
                    .find(|c| c.name.as_deref() == Some(from.name.as_ref()))
                    .is_some_and(|constraint| match &constraint.kind {
                        ConstraintKind::Unique(keys) => keys.iter().any(|key| {
                            matches!(key, Key::Column { name, .. }
                                if self.renamed.contains_key(&(table.clone(), name.clone())))
                        }),
                        _ => false,
                    });
                if renamed {
                    Ok(())
                } else {
                    Err(self.not_yet("renaming a constraint by itself", span))
                }
            }
            _ => Err(self.not_yet(&first_words(action.text.text), span)),
        }
    }

    /// What the action asks for, read off the schema after it.
    fn finish_action(&mut self, table: &TableName, action: &AlterAction) -> Result<()> {
        let span = action.text.span();
        match &action.kind {
            AlterKind::AddColumn { column, .. } => {
                let change = self.add_column(table, column)?;
                self.ask(Change::AddColumn(change), span);
            }
            AlterKind::RenameColumn { from, to } => {
                self.renamed.insert((table.clone(), to.name.to_string()), from.name.to_string());
                self.ask(
                    Change::RenameColumn(RenameColumn {
                        table: table.clone(),
                        from: from.name.to_string(),
                        to: to.name.to_string(),
                    }),
                    span,
                );
            }
            AlterKind::SetNotNull { column }
            | AlterKind::SetDefault { column, .. }
            | AlterKind::DropDefault { column } => {
                let column = self.after.tables[table].column(&column.name).cloned();
                if let Some(column) = column {
                    let default = self.default_kind(&column, span)?;
                    let add = self.added_mut(table, &column.name);
                    add.default = default;
                    add.column = column;
                }
            }
            AlterKind::AddConstraint(constraint) => {
                let added = self.after.tables[table].constraints.last().cloned();
                let (Some(added), Some(column)) = (added, constraint_column(constraint)) else {
                    return Err(self.not_yet("this constraint", span));
                };
                let add = self.added_mut(table, &column);
                match added.kind {
                    ConstraintKind::ForeignKey { .. } => add.references = Some(added),
                    _ => add.unique = Some(added),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_column(&self, table: &TableName, definition: &ColumnDef) -> Result<AddColumn> {
        let name = definition.name.name.as_ref();
        for constraint in &definition.constraints {
            let span = constraint.text.span();
            match constraint.kind {
                ColumnConstraintKind::PrimaryKey { .. } => {
                    return Err(self.not_yet("a primary key on a new column", span));
                }
                ColumnConstraintKind::Generated { .. } => {
                    return Err(self.not_yet("a generated column", span));
                }
                ColumnConstraintKind::Identity { .. } | ColumnConstraintKind::AutoIncrement => {
                    return Err(self.not_yet("a column that numbers itself", span));
                }
                ColumnConstraintKind::Other | ColumnConstraintKind::OnUpdate(_) => {
                    return Err(self.not_yet("this attribute of a new column", span));
                }
                _ => {}
            }
        }
        let after: &Table = &self.after.tables[table];
        let column = after.column(name).cloned().ok_or_else(|| Error::bug("column not applied"))?;
        if let Some(ty) = &definition.ty {
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
        let checks = new
            .iter()
            .filter(|c| match &c.kind {
                ConstraintKind::Check(Expr(text)) => {
                    input::columns_mentioned(text, self.server.dialect).iter().any(|c| c == name)
                }
                _ => false,
            })
            .map(|c| (*c).clone())
            .collect();
        Ok(AddColumn {
            table: table.clone(),
            default: self.default_kind(&column, definition.text.span())?,
            column,
            unique: unique.map(|c| (*c).clone()),
            checks,
            references: references.map(|c| (*c).clone()),
            fill: None,
        })
    }

    /// Constraints that were there before any statement of this script.
    fn after_before_statement(&self, table: &TableName) -> Vec<Constraint> {
        self.before.tables.get(table).map(|t| t.constraints.clone()).unwrap_or_default()
    }

    fn default_kind(&self, column: &Column, span: Span) -> Result<DefaultKind> {
        let Some(Expr(text)) = &column.default else {
            return Ok(DefaultKind::None);
        };
        let Some(facts) = expr::read(text, self.server.dialect) else {
            return Err(Error::refused("miggen does not understand this default").at(
                self.source,
                span,
                format!("`{text}`"),
            ));
        };
        let mut kind = DefaultKind::Constant;
        for name in &facts.functions {
            match function(self.server.dialect, name).map(|function| function.volatility) {
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

    fn update(&mut self, update: &UpdateStatement, span: Span) -> Result<()> {
        let table = TableName::of(&update.table, self.server.dialect);
        self.table(&table, update.table.span())?;
        if let Some(from) = update.from.or(update.rest) {
            return Err(self.not_yet("an UPDATE with more than SET and WHERE", from.span()));
        }
        let mut set = Vec::new();
        for assignment in &update.set {
            let [column] = assignment.columns.as_slice() else {
                return Err(
                    self.not_yet("an assignment to several columns", assignment.expr.span())
                );
            };
            self.column(&table, column)?;
            let facts = self.understood(&table, assignment.expr.text, assignment.expr.start)?;
            let volatile = facts.functions.iter().any(|name| {
                function(self.server.dialect, name)
                    .is_none_or(|f| f.volatility == Volatility::Volatile)
            });
            let again_the_same =
                facts.functions.iter().all(|name| IDEMPOTENT.contains(&name.as_str()))
                    && input::is_calls_only(assignment.expr.text, self.server.dialect)
                    && !assignment.expr.text.contains(['|', '+', '-', ',']);
            if facts.columns.contains(&column.name.to_string()) && !again_the_same {
                return Err(Error::refused(format!(
                    "`{}` is computed from itself: a batch that runs again would apply it twice",
                    column.name
                ))
                .at(self.source, assignment.expr.span(), "reads what it writes")
                .note("a backfill is committed batch by batch and must survive being killed and run again")
                .hint("add a column, fill that one, and switch the application over"));
            }
            let strict = facts
                .functions
                .iter()
                .all(|name| function(self.server.dialect, name).is_some_and(|f| f.total))
                && input::is_calls_only(assignment.expr.text, self.server.dialect);
            set.push((column.clone(), assignment.expr, facts, volatile, strict));
        }
        if let Some(filter) = &update.filter {
            self.understood(&table, filter.text, filter.start)?;
        }
        let fills_new = set.iter().filter(|(c, ..)| self.added(&table, &c.name).is_some()).count();
        if fills_new == set.len() && update.filter.is_none() {
            for (column, slice, facts, _, strict) in set {
                let fill = Fill {
                    expr: Expr(slice.text.to_owned()),
                    sources: facts.columns,
                    strict,
                    span,
                };
                let add = self.added_mut(&table, &column.name);
                if add.default != DefaultKind::None {
                    return Err(Error::refused(format!(
                        "`{}` gets both a default and an UPDATE of all rows",
                        column.name
                    ))
                    .at(self.source, span, "existing rows have the default already")
                    .hint("leave out the one that is not meant"));
                }
                if add.fill.replace(fill).is_some() {
                    return Err(Error::refused(format!("`{}` is filled twice", column.name)).at(
                        self.source,
                        span,
                        "again here",
                    ));
                }
            }
            return Ok(());
        }
        if fills_new > 0 {
            return Err(
                self.not_yet("filling only some rows, or old and new columns together", span)
            );
        }
        let volatile = set.iter().find(|(.., volatile, _)| *volatile);
        if let Some((column, slice, ..)) = volatile {
            let done_when_set = update.filter.as_ref().is_some_and(|filter| {
                input::is_null_test(filter.text, &column.name, self.server.dialect)
            });
            if !done_when_set {
                return Err(Error::refused("this gives another value each time it runs")
                    .at(self.source, slice.span(), "volatile")
                    .note("a row that is done cannot be told from one that is not, so the backfill could not be resumed")
                    .hint(format!("add `WHERE {} IS NULL`", column.name)));
            }
        }
        let change = Update {
            table,
            filter: update.filter.map(|filter| Expr(filter.text.to_owned())),
            set: set
                .into_iter()
                .map(|(column, slice, _, volatile, _)| Assignment {
                    column: column.name.to_string(),
                    expr: Expr(slice.text.to_owned()),
                    volatile,
                })
                .collect(),
        };
        self.ask(Change::Update(change), span);
        Ok(())
    }

    /// Reads an expression over one table, and refuses what it cannot vouch for.
    fn understood(&self, table: &TableName, text: &str, start: usize) -> Result<expr::ExprFacts> {
        let span = Span::new(start, start + text.len());
        let Some(facts) = expr::read(text, self.server.dialect) else {
            return Err(Error::refused("miggen does not understand this expression")
                .at(self.source, span, "here")
                .hint("put it into a function of the database, or write it more plainly"));
        };
        if facts.subquery {
            return Err(self.not_yet("a subquery in a backfill", span));
        }
        for name in &facts.columns {
            if self.after.tables[table].column(name).is_none() {
                let at = text.find(name.as_str()).unwrap_or(0);
                return Err(self.no_column(
                    &self.after.tables[table],
                    name,
                    Span::new(start + at, start + at + name.len()),
                ));
            }
        }
        Ok(facts)
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
        Ok(())
    }

    fn table(&self, name: &TableName, span: Span) -> Result<&Table> {
        self.after.tables.get(name).ok_or_else(|| {
            let error = Error::refused(format!("there is no table `{}`", name.name)).at(
                self.source,
                span,
                "not in the schema",
            );
            match crate::catalog::names::closest(
                &name.name,
                self.after.tables.keys().map(|t| t.name.as_str()),
            ) {
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

    fn no_column(&self, table: &Table, name: &str, span: Span) -> Error {
        let error = Error::refused(format!("{} has no column `{name}`", table.name.name)).at(
            self.source,
            span,
            "not in the schema",
        );
        match crate::catalog::names::closest(name, table.columns.iter().map(|c| c.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    fn not_yet(&self, what: &str, span: Span) -> Error {
        Error::refused(format!("miggen does not plan {what} yet"))
            .at(self.source, span, "here")
            .hint(
                "it plans ADD COLUMN, CREATE INDEX, RENAME COLUMN and UPDATE; nothing was written",
            )
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

fn constraint_column(constraint: &input::ast::TableConstraint) -> Option<String> {
    match &constraint.kind {
        TableConstraintKind::Unique { columns, .. } => {
            columns.first()?.column.as_ref().map(|ident| ident.name.to_string())
        }
        TableConstraintKind::ForeignKey { columns, .. } => {
            columns.first().map(|ident| ident.name.to_string())
        }
        _ => None,
    }
}

/// Which transactions there are is miggen's to decide; scripts of other tools bring their own.
fn is_transaction_word(kind: &str) -> bool {
    matches!(kind, "BEGIN" | "COMMIT" | "START TRANSACTION" | "END")
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Opaque(opaque) => opaque.kind.to_string(),
        Kind::CreateTable(_) => "CREATE TABLE".into(),
        Kind::DropTable(_) => "DROP TABLE".into(),
        Kind::RenameTable(_) => "RENAME TABLE".into(),
        Kind::DropIndex(_) => "DROP INDEX".into(),
        Kind::CreateView(_) => "CREATE VIEW".into(),
        Kind::CreateTrigger(_) => "CREATE TRIGGER".into(),
        Kind::Comment(_) => "COMMENT".into(),
        _ => "this statement".into(),
    }
}

fn first_words(text: &str) -> String {
    format!("`{}`", text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}
