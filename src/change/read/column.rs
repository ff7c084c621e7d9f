//! What a script does to columns and constraints that are there.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, TableName};
use crate::dialect::types::Type;
use crate::dialect::{Dialect, compose, quote};
use crate::error::{Error, Result};
use crate::input::ast::{AlterKind, Ident, TableConstraint, TableConstraintKind};
use crate::input::{self, expr};
use crate::source::Span;

use super::super::{
    Asked, Change, ChangeType, DefaultKind, DropColumn, Fill, OfConstraint, Relax, Require,
    SetDefault,
};
use super::{Reader, types};

impl Reader<'_> {
    /// Before the statement is applied: the column is there, and was there before the script.
    pub(super) fn known_column(&self, table: &TableName, column: &Ident) -> Result<()> {
        self.column(table, column)?;
        let before = self.before.tables.get(table).and_then(|t| t.column(&column.name));
        if before.is_none() && self.added(table, &column.name).is_none() {
            return Err(self
                .not_yet("this for a column renamed by the same script", column.span)
                .hint("say it before the RENAME, under the old name"));
        }
        Ok(())
    }

    pub(super) fn droppable(
        &self,
        table: &TableName,
        column: &Ident,
        cascade: bool,
        span: Span,
    ) -> Result<()> {
        self.column(table, column)?;
        if self.before.tables.get(table).and_then(|t| t.column(&column.name)).is_none() {
            return Err(Error::refused("this script drops a column that it adds or renames")
                .at(self.source, span, "nothing is left of it")
                .hint("leave out what brings it; of a renamed column, drop the old name"));
        }
        // Django always says it. What CASCADE would drop unseen is named where the drop is planned.
        let pointing = self.after.references_to(table).find(|(_, key)| match &key.kind {
            ConstraintKind::ForeignKey { references, .. } => {
                references.iter().any(|name| *name == *column.name)
            }
            _ => false,
        });
        match pointing.filter(|_| cascade) {
            Some((from, key)) => Err(Error::refused(format!(
                "CASCADE would drop {} of {} as well",
                key.name.as_deref().unwrap_or("a foreign key"),
                from.name
            ))
            .at(self.source, span, format!("it points to {}.{}", table.name, column.name))
            .hint("drop that first, by its name")),
            None => Ok(()),
        }
    }

    pub(super) fn dropped(&mut self, table: &TableName, column: &Ident, span: Span) {
        let known = self.before.tables.get(table).and_then(|t| t.column(&column.name));
        let Some(known) = known else { return };
        let drop = DropColumn {
            table: table.clone(),
            column: known.name.clone(),
            default: self.default_kind(known, span).unwrap_or(DefaultKind::Volatile),
            back: self.backs.remove(&(table.clone(), known.name.clone())),
        };
        self.ask(Change::DropColumn(drop), span);
    }

    /// After the statement is applied: what became of a column that was there.
    pub(super) fn altered(
        &mut self,
        table: &TableName,
        kind: &AlterKind,
        column: &Ident,
        span: Span,
    ) -> Result<()> {
        let now = self.after.tables[table].column(&column.name).cloned();
        let was = self.before.tables.get(table).and_then(|t| t.column(&column.name)).cloned();
        let (Some(now), Some(was)) = (now, was) else {
            return Err(Error::bug("column not applied"));
        };
        let nothing = || {
            Error::refused(format!("`{}` is that way already", column.name)).at(
                self.source,
                span,
                "nothing to do",
            )
        };
        let (table, name) = (table.clone(), was.name.clone());
        let is_default =
            !matches!(kind, AlterKind::SetNotNull { .. } | AlterKind::DropNotNull { .. });
        let said = |asked: &Asked| match &asked.change {
            Change::Require(Require { table: of, column, .. })
            | Change::Relax(Relax { table: of, column }) => {
                !is_default && (of, column) == (&table, &name)
            }
            Change::SetDefault(SetDefault { table: of, column, .. }) => {
                is_default && (of, column) == (&table, &name)
            }
            _ => false,
        };
        if self.asked.iter().any(said) {
            return Err(Error::refused(format!("this script says it of `{name}` twice"))
                .at(self.source, span, "said before, in the same way or another")
                .hint("leave one out"));
        }
        if let Some(Expr(text)) = now.default.as_ref().filter(|_| is_default) {
            self.is_value(&now, text, span)?;
        }
        let change = match kind {
            AlterKind::SetNotNull { .. } => {
                if was.not_null {
                    return Err(nothing());
                }
                let fill = self.absorbed(&table, &was);
                Change::Require(Require { table, column: name, fill })
            }
            AlterKind::DropNotNull { .. } => {
                if !was.not_null {
                    return Err(nothing());
                }
                Change::Relax(Relax { table, column: name })
            }
            _ => {
                if was.identity.is_some() {
                    let what = "another default of a column that numbers itself";
                    return Err(self.not_yet(what, span));
                }
                if let Some(retyped) = self.retype_of(&table, &name) {
                    retyped.after.default = now.default;
                    return Ok(());
                }
                if was.default == now.default {
                    return Err(nothing());
                }
                let (before, after) = (was.default, now.default);
                Change::SetDefault(SetDefault { table, column: name, before, after })
            }
        };
        self.ask(change, span);
        Ok(())
    }

    /// The column whose NOT NULL is called so, where a server gives it a name.
    pub(super) fn required_by(&self, table: &TableName, name: &str) -> Option<&str> {
        let table = self.after.tables.get(table).filter(|_| self.after.names_not_null)?;
        table.required_by(name)
    }

    /// After the statement is applied: `TYPE t [USING e]`.
    pub(super) fn retyped(
        &mut self,
        table: &TableName,
        column: &Ident,
        using: Option<&str>,
        span: Span,
    ) -> Result<()> {
        let after = self.after.tables[table].column(&column.name).cloned();
        let before = self.before.tables.get(table).and_then(|t| t.column(&column.name)).cloned();
        let (Some(after), Some(mut before)) = (after, before) else {
            return Err(self.not_yet("another type for a column of the same script", span));
        };
        if before.ty == after.ty && before.collation == after.collation {
            return Err(Error::refused(format!("`{}` is {} already", column.name, before.ty)).at(
                self.source,
                span,
                "nothing to do",
            ));
        }
        types::check(self.server, &self.after, &after.ty)
            .map_err(|why| Error::refused(why).at(self.source, span, "this type"))?;
        let ident = quote::ident(self.server.dialect, &before.name);
        let cast = |to: &Column| Expr(compose::cast(&ident, to.integer_type()));
        let back = self.backs.remove(&(table.clone(), before.name.clone()));
        // A cast to the new type, which Django always prints, is what happens without it.
        let is_cast = |text: &str| {
            input::cast_of(text, self.server.dialect).is_some_and(|(name, ty)| {
                name == before.name && Type::read(ty) == Type::read(&after.ty)
            })
        };
        let using = using.filter(|text| back.is_some() || !is_cast(text));
        let using = using.map(|text| Expr(text.to_owned()));
        if using.is_some() && back.is_none() {
            return Err(Error::refused(format!("nothing says how {} comes back", column.name))
                .at(self.source, span, "USING computes it one way only")
                .hint(format!(
                    "-- miggen: back {} = …    (the old value, of the new one)",
                    before.name
                )));
        }
        // The old type's default goes before the type changes, and the new one's comes after: one change.
        // One that is set before is carried over like any other.
        let own = |set: &SetDefault| set.table == *table && set.column == before.name;
        self.asked.retain(|asked| match &asked.change {
            Change::SetDefault(set) => !own(set) || set.after.is_some(),
            _ => true,
        });
        if after.default.is_some() {
            before.default.clone_from(&after.default);
        }
        let change = ChangeType {
            table: table.clone(),
            forward: using.clone().unwrap_or_else(|| cast(&after)),
            backward: back.clone().unwrap_or_else(|| cast(&before)),
            before,
            after,
            using,
            back,
        };
        self.ask(Change::ChangeType(Box::new(change)), span);
        Ok(())
    }

    fn retype_of(&mut self, table: &TableName, name: &str) -> Option<&mut ChangeType> {
        self.asked.iter_mut().find_map(|asked| match &mut asked.change {
            Change::ChangeType(change) if change.table == *table && change.before.name == name => {
                Some(&mut **change)
            }
            _ => None,
        })
    }

    /// `UPDATE t SET c = … WHERE c IS NULL` before `SET NOT NULL` says what rows without one get.
    fn absorbed(&mut self, table: &TableName, column: &Column) -> Option<Fill> {
        let dialect = self.server.dialect;
        let plain = |text: &str| input::unqualified(text, dialect, &table.name);
        let at = self.asked.iter().position(|asked| match &asked.change {
            Change::Update(update) => {
                update.table == *table
                    && update.reads.tables.is_empty()
                    && update.alias.is_none()
                    && update.set.len() == 1
                    && update.set[0].column == column.name
                    && !update.set[0].volatile
                    && update
                        .filter
                        .as_ref()
                        .is_some_and(|f| input::is_null_test(&plain(&f.0), &column.name, dialect))
            }
            _ => false,
        })?;
        let asked = self.asked.remove(at);
        let Change::Update(update) = asked.change else { return None };
        let text = plain(&update.set[0].expr.0);
        let facts = expr::read(&text, dialect)?;
        let needs = super::rows::needs(&text, &facts, dialect);
        let sources = facts.columns;
        Some(Fill { expr: Expr(text), sources, needs, typed: false, span: asked.span })
    }

    /// A constraint that miggen can bring beside running writers.
    pub(super) fn constraint_known(&self, constraint: &TableConstraint, span: Span) -> Result<()> {
        let options = match &constraint.kind {
            TableConstraintKind::Unique { before, rest, .. } => before.iter().chain(rest).next(),
            TableConstraintKind::PrimaryKey { rest, .. } => rest.as_ref(),
            TableConstraintKind::Check { .. } | TableConstraintKind::ForeignKey { .. } => None,
            TableConstraintKind::UsingIndex { .. } => {
                return Err(self
                    .not_yet("a constraint made of an index by hand", span)
                    .hint("write `UNIQUE (…)`: the index is built concurrently and then becomes the constraint"));
            }
            TableConstraintKind::Exclude => {
                return Err(Error::refused("an exclusion constraint cannot come beside writers")
                    .at(self.source, span, "here")
                    .note("its index can be built only while every writer waits"));
            }
            TableConstraintKind::NotNull { column } => {
                return Err(self
                    .not_yet("a NOT NULL under a name of its own", span)
                    .hint(format!("ALTER COLUMN {0} SET NOT NULL plans one that no writer waits for; its name is the server's usual", column.name)));
            }
            TableConstraintKind::Unknown => return Err(self.not_yet("this constraint", span)),
        };
        let plain = |text: &str| {
            let text = text.to_ascii_uppercase();
            ["DEFERRABLE", "NOT DEFERRABLE", "INITIALLY"].iter().any(|word| text.starts_with(word))
        };
        match options.filter(|options| !plain(options.text)) {
            Some(options) => Err(self.not_yet("this part of a constraint", options.span())),
            None => Ok(()),
        }
    }

    /// After the statement is applied.
    pub(super) fn constrained(&mut self, table: &TableName, span: Span) -> Result<()> {
        let added = self.after.tables[table].constraints.last().cloned();
        let constraint = added.ok_or_else(|| Error::bug("constraint not applied"))?;
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            return self.keyed(table, span);
        }
        self.refuse_unmatched(table, &constraint, span)?;
        self.referable(&constraint, span)?;
        let change = OfConstraint { table: table.clone(), constraint };
        self.ask(Change::AddConstraint(change), span);
        Ok(())
    }

    /// The primary key that came with a new column.
    pub(super) fn keyed(&mut self, table: &TableName, span: Span) -> Result<()> {
        if self.before.tables.get(table).is_some_and(|t| t.primary_key().is_some()) {
            return Err(self.not_yet("another primary key for a table that has one", span));
        }
        let is_key = |one: &&Constraint| matches!(one.kind, ConstraintKind::PrimaryKey(_));
        let key = self.after.tables[table].constraints.iter().find(is_key).cloned();
        let constraint = key.ok_or_else(|| Error::bug("constraint not applied"))?;
        self.required_by_key(table, &constraint, span)?;
        self.ask(Change::AddConstraint(OfConstraint { table: table.clone(), constraint }), span);
        Ok(())
    }

    /// A key requires its columns by itself.
    fn required_by_key(&mut self, of: &TableName, key: &Constraint, span: Span) -> Result<()> {
        let ConstraintKind::PrimaryKey(keys) = &key.kind else { return Ok(()) };
        let own = |asked: &Asked| match &asked.change {
            Change::Require(Require { table, column, fill })
                if table == of && keys.iter().any(|key| key.column() == Some(column)) =>
            {
                Some((column.clone(), fill.is_some()))
            }
            _ => None,
        };
        if let Some((column, _)) = self.asked.iter().filter_map(own).find(|(_, filled)| *filled) {
            return Err(Error::refused(format!(
                "`{column}` is filled, required and made a key by one script"
            ))
            .at(self.source, span, "the key")
            .hint("plan this first without the key, and the key when that rollout is through"));
        }
        self.asked.retain(|asked| own(asked).is_none());
        Ok(())
    }

    /// What a foreign key points to must have been unique before the script.
    fn referable(&self, constraint: &Constraint, span: Span) -> Result<()> {
        let ConstraintKind::ForeignKey { table, references, .. } = &constraint.kind else {
            return Ok(());
        };
        let Some(target) = self.before.tables.get(table).filter(|_| !references.is_empty()) else {
            return Ok(());
        };
        let same = |key: &Vec<String>| {
            key.len() == references.len() && key.iter().all(|column| references.contains(column))
        };
        // SQLite asks when rows are written, and takes names in any case.
        if self.server.dialect == Dialect::Sqlite || target.unique().iter().any(same) {
            return Ok(());
        }
        let columns = references.join(", ");
        Err(Error::refused(format!("{} ({columns}) is not unique yet", table.name))
            .at(self.source, span, "a foreign key must find one row")
            .hint("make it unique first, in a rollout of its own"))
    }

    pub(super) fn validated(&mut self, table: &TableName, name: &Ident, span: Span) {
        let now = self.after.tables[table].constraint(&name.name).cloned();
        let same = self.asked.iter_mut().find_map(|asked| match &mut asked.change {
            Change::AddConstraint(add) if add.constraint.name.as_deref() == Some(&name.name) => {
                Some(add)
            }
            _ => None,
        });
        match (now, same) {
            (Some(constraint), Some(add)) => add.constraint = constraint,
            (Some(constraint), None) => {
                let change = OfConstraint { table: table.clone(), constraint };
                self.ask(Change::ValidateConstraint(change), span);
            }
            (None, _) => {}
        }
    }

    /// Before the statement is applied: the constraint there is, and nobody leans on it.
    pub(super) fn constraint_droppable(
        &self,
        table: &TableName,
        name: &Ident,
        cascade: bool,
        span: Span,
    ) -> Result<Constraint> {
        let found = self.after.tables[table].constraint(&name.name).cloned();
        let Some(constraint) = found else {
            return Err(Error::refused(format!(
                "{} has no constraint `{}`",
                table.name, name.name
            ))
            .at(self.source, name.span, "not in the schema"));
        };
        if cascade {
            return Err(Error::refused("CASCADE drops whatever leans on the constraint, unseen")
                .at(self.source, span, "here")
                .hint("drop the foreign keys that point at it first, by name"));
        }
        let leaning = match &constraint.kind {
            ConstraintKind::Unique(keys) | ConstraintKind::PrimaryKey(keys) => {
                let keys: Vec<&str> = keys.iter().filter_map(crate::catalog::Key::column).collect();
                self.after
                    .references_to(table)
                    .find(|(_, key)| match &key.kind {
                        ConstraintKind::ForeignKey { references, .. } => *references == keys,
                        _ => false,
                    })
                    .map(|(from, key)| {
                        format!("{} of {}", key.name.as_deref().unwrap_or("a key"), from.name)
                    })
            }
            ConstraintKind::Exclude(_) => {
                return Err(self.not_yet("dropping this constraint", span));
            }
            _ => None,
        };
        match leaning {
            Some(key) => Err(Error::refused(format!("the foreign key {key} leans on it"))
                .at(self.source, span, "cannot be dropped yet")
                .hint("drop the foreign key first, in a rollout of its own")),
            None => Ok(constraint),
        }
    }
}
