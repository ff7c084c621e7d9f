//! Types, sequences, views, triggers, comments, and what is kept as text.
//!
//! Enters: the typed statements. Leaves: the catalog with or without the object. Must not know:
//! tables, but for their names.

use std::borrow::Cow;

use crate::input;
use crate::input::ast::{self, EnumPosition, Ident, Name, Opaque, Slice};
use crate::source::Dialect;

use super::build::{NOT_THERE, Replay};
use super::{Constraint, Domain, Other, Sequence, TableName, Trigger, View, columns};

/// Kinds of opaque statements that make or change an object worth remembering.
const KEPT: &[&str] = &["CREATE ", "ALTER ", "GRANT", "REVOKE", "COMMENT ON ", "SECURITY"];

impl Replay<'_, '_> {
    pub(super) fn create_enum(&mut self, name: &Name<'_>, labels: &[Cow<'_, str>]) {
        let name = self.name(name);
        let labels = labels.iter().map(ToString::to_string).collect();
        self.catalog.enums.insert(name, labels);
    }

    /// The labels of an enum; where there is none, that is a problem.
    fn labels(&mut self, name: &Name<'_>) -> Option<&mut Vec<String>> {
        let wanted = self.name(name);
        if !self.catalog.enums.contains_key(&wanted) {
            let message = format!("there is no enum type `{wanted}`");
            self.problem(message, name.span(), NOT_THERE);
        }
        self.catalog.enums.get_mut(&wanted)
    }

    pub(super) fn add_enum_value(
        &mut self,
        name: &Name<'_>,
        label: &str,
        if_not_exists: bool,
        position: Option<&EnumPosition<'_>>,
    ) {
        let Some(labels) = self.labels(name) else {
            return;
        };
        if labels.iter().any(|own| own == label) {
            if !if_not_exists {
                let message = format!("the enum has a label `{label}` already");
                self.problem(message, name.span(), "in the schema");
            }
            return;
        }
        let find = |other: &str| labels.iter().position(|own| own == other);
        let at = match position {
            Some(EnumPosition::Before(other)) => find(other),
            Some(EnumPosition::After(other)) => find(other).map(|at| at + 1),
            None => None,
        };
        labels.insert(at.unwrap_or(labels.len()), label.to_owned());
    }

    pub(super) fn rename_enum_value(&mut self, name: &Name<'_>, from: &str, to: &str) {
        if let Some(labels) = self.labels(name)
            && let Some(label) = labels.iter_mut().find(|label| *label == from)
        {
            to.clone_into(label);
        }
    }

    pub(super) fn create_domain(
        &mut self,
        name: &Name<'_>,
        ty: &Slice<'_>,
        rest: Option<&Slice<'_>>,
    ) {
        let dialect = self.dialect();
        let name = self.name(name);
        let domain = Domain {
            ty: input::folded(ty.text, dialect),
            rest: rest.map(|rest| input::folded(rest.text, dialect)),
        };
        self.catalog.domains.insert(name, domain);
    }

    pub(super) fn create_sequence(
        &mut self,
        name: &Name<'_>,
        if_not_exists: bool,
        ty: Option<&Slice<'_>>,
        owned_by: Option<&(Name<'_>, Ident<'_>)>,
    ) {
        let sequence = self.name(name);
        if self.catalog.sequences.contains_key(&sequence) {
            if !if_not_exists {
                let message = format!("there is a sequence `{sequence}` already");
                self.problem(message, name.span(), "created before");
            }
            return;
        }
        let ty = ty.map(|ty| input::folded(ty.text, self.dialect()));
        self.catalog.sequences.insert(sequence, Sequence { ty, owned_by: None });
        if owned_by.is_some() {
            self.own_sequence(name, owned_by);
        }
    }

    pub(super) fn own_sequence(
        &mut self,
        name: &Name<'_>,
        owned_by: Option<&(Name<'_>, Ident<'_>)>,
    ) {
        let sequence = self.name(name);
        let owner = owned_by.map(|(table, column)| (self.name(table), column.name.to_string()));
        let serial = owner.clone();
        self.catalog.sequences.entry(sequence).or_default().owned_by = owner;
        if let Some((table, column)) = serial {
            self.find_serial(&table, &column);
        }
    }

    pub(super) fn create_view(&mut self, view: &ast::CreateView<'_>) {
        if view.temporary {
            return;
        }
        let name = self.name(&view.name);
        let of = View {
            materialized: view.materialized,
            stale: false,
            mentions: input::columns_mentioned(view.query.text, self.dialect()),
            origin: self.origin(),
        };
        self.catalog.views.insert(name, of);
    }

    pub(super) fn create_trigger(&mut self, trigger: &ast::CreateTrigger<'_>) {
        if trigger.temporary {
            return;
        }
        let mut table = self.name(&trigger.table);
        if let Some(key) = self.catalog.table_key(&table) {
            table = key.clone();
        }
        let of = Trigger {
            stale: false,
            mentions: input::columns_mentioned(self.statement.text.text, self.dialect()),
            origin: self.origin(),
        };
        self.catalog.triggers.insert((table, trigger.name.name.to_string()), of);
    }

    pub(super) fn comment(&mut self, comment: &ast::Comment<'_>) {
        let dialect = self.dialect();
        let text = comment.text.as_ref().map(|text| columns::comment(text, dialect));
        let wanted = self.name(&comment.object);
        if comment.what == "INDEX" {
            for table in self.catalog.tables.values_mut() {
                for index in &mut table.indexes {
                    if index.name == wanted.name && table.name.schema == wanted.schema {
                        index.comment.clone_from(&text);
                    }
                }
            }
            return;
        }
        // Views have comments by the same words.
        if self.catalog.views.contains_key(&wanted) {
            return;
        }
        let Some(name) = self.known_table(&comment.object, false) else {
            return;
        };
        let Some(table) = self.catalog.table_mut(&name) else {
            return;
        };
        match (comment.what, &comment.part) {
            ("TABLE", _) => table.comment = text,
            ("COLUMN", Some(part)) => {
                self.with_column(&name, part, |column| column.comment = text);
            }
            ("CONSTRAINT", Some(part)) => {
                let own = |of: &&mut Constraint| of.name.as_deref() == Some(part.name.as_ref());
                if let Some(constraint) = table.constraints.iter_mut().find(own) {
                    constraint.comment = text;
                }
            }
            _ => {}
        }
    }

    pub(super) fn rename_other(
        &mut self,
        what: &str,
        name: &Name<'_>,
        on: Option<&Name<'_>>,
        to: &str,
    ) {
        let from = self.name(name);
        let new = from.sibling(to);
        match what {
            "VIEW" | "MATERIALIZED VIEW" => {
                if let Some(view) = self.catalog.views.remove(&from) {
                    self.catalog.views.insert(new, view);
                }
            }
            "SEQUENCE" => {
                if let Some(sequence) = self.catalog.sequences.remove(&from) {
                    self.catalog.sequences.insert(new, sequence);
                }
            }
            "TYPE" | "DOMAIN" => {
                if let Some(labels) = self.catalog.enums.remove(&from) {
                    self.catalog.enums.insert(new.clone(), labels);
                }
                if let Some(domain) = self.catalog.domains.remove(&from) {
                    self.catalog.domains.insert(new.clone(), domain);
                }
                self.rename_type(&from, &new);
            }
            "TRIGGER" => {
                if let Some(on) = on {
                    let table = self.name(on);
                    let key = (table.clone(), from.name.clone());
                    if let Some(mut trigger) = self.catalog.triggers.remove(&key) {
                        trigger.stale = true;
                        self.catalog.triggers.insert((table, to.to_owned()), trigger);
                    }
                }
            }
            _ => {}
        }
    }

    /// Columns of the type follow.
    fn rename_type(&mut self, from: &TableName, to: &TableName) {
        let dialect = self.dialect();
        let written = super::names::in_expression(&to.name, dialect);
        for table in self.catalog.tables.values_mut() {
            for column in &mut table.columns {
                if input::mentions(&column.ty, &from.name, dialect) {
                    column.ty = input::renamed(&column.ty, &from.name, &written, dialect);
                }
            }
        }
    }

    pub(super) fn drop_other(
        &mut self,
        what: &str,
        name: &Name<'_>,
        on: Option<&Name<'_>>,
        if_exists: bool,
        cascade: bool,
    ) {
        let wanted = self.name(name);
        let found = match what {
            "VIEW" | "MATERIALIZED VIEW" => {
                if cascade {
                    self.drop_views_on(&wanted.name);
                }
                self.catalog.views.remove(&wanted).is_some() || cascade
            }
            "TYPE" | "DOMAIN" => {
                let known = self.catalog.enums.remove(&wanted).is_some()
                    || self.catalog.domains.remove(&wanted).is_some();
                self.forget(what, &wanted, None) || known
            }
            "SEQUENCE" => self.catalog.sequences.remove(&wanted).is_some(),
            "TRIGGER" => self.drop_trigger(&wanted, on),
            "SCHEMA" => {
                if cascade {
                    self.drop_schema(&wanted.name);
                }
                true
            }
            _ => {
                let on = on.map(|on| self.name(on));
                self.forget(what, &wanted, on.as_ref());
                true
            }
        };
        if !found && !if_exists {
            let message = format!("there is no {} `{wanted}`", what.to_ascii_lowercase());
            self.problem(message, name.span(), NOT_THERE);
        }
    }

    fn drop_trigger(&mut self, name: &TableName, on: Option<&Name<'_>>) -> bool {
        let before = self.catalog.triggers.len();
        let on = on.map(|on| self.name(on));
        let sqlite = self.dialect() == Dialect::Sqlite;
        self.catalog.triggers.retain(|(table, own), _| {
            let same =
                if sqlite { own.eq_ignore_ascii_case(&name.name) } else { *own == name.name };
            !same || on.as_ref().is_some_and(|on| on != table)
        });
        before != self.catalog.triggers.len()
    }

    fn drop_schema(&mut self, schema: &str) {
        let inside = |name: &TableName| name.schema.as_deref() == Some(schema);
        let catalog = &mut *self.catalog;
        let tables: Vec<TableName> =
            catalog.tables.keys().filter(|name| inside(name)).cloned().collect();
        catalog.enums.retain(|name, _| !inside(name));
        catalog.domains.retain(|name, _| !inside(name));
        catalog.sequences.retain(|name, _| !inside(name));
        catalog.views.retain(|name, _| !inside(name));
        catalog.others.retain(|other| !other.object.as_ref().is_some_and(inside));
        for table in tables {
            self.drop_references(&table, None);
            self.remove_table(&table);
        }
    }

    /// Removes a text kept under this kind and name. Of functions that differ in their arguments
    /// none is removed: which one is meant is not known here.
    fn forget(&mut self, what: &str, name: &TableName, on: Option<&TableName>) -> bool {
        let kind = match what {
            "ROUTINE" => "CREATE FUNCTION".to_owned(),
            _ => format!("CREATE {what}"),
        };
        let is = |other: &Other| {
            other.kind == kind
                && other.object.as_ref() == Some(name)
                && (on.is_none() || other.on.as_ref() == on)
        };
        let count = self.catalog.others.iter().filter(|other| is(other)).count();
        if count == 1 {
            self.catalog.others.retain(|other| !is(other));
        }
        count > 0
    }

    pub(super) fn opaque(&mut self, opaque: &Opaque<'_>) {
        let kind = opaque.kind.as_ref();
        if opaque.may_hide_ddl {
            self.taint();
        }
        if kind == "PRAGMA" {
            self.pragma();
            return;
        }
        if kind == "CREATE SCHEMA" && opaque.may_hide_ddl {
            let message = "what this CREATE SCHEMA makes is not read";
            self.problem(message, self.statement.text.span(), "one statement for each is");
        }
        if opaque.unknown && kind.starts_with("CREATE TABLE") {
            self.unreadable_table();
            return;
        }
        if opaque.unknown
            && kind == "ALTER TABLE"
            && let Some(object) = &opaque.object
        {
            let name = self.name(object);
            if let Some(table) = self.catalog.table_mut(&name) {
                let text = self.statement.text.text;
                table.partial.push(format!("`{text}` is not understood"));
            }
            return;
        }
        if opaque.unknown {
            let span = self.statement.text.span();
            let mut shown: Vec<&str> =
                self.statement.text.text.split_whitespace().take(4).collect();
            if shown.len() == 4 {
                shown[3] = "…";
            }
            let message = format!("`{}` is not understood", shown.join(" "));
            self.problem(message, span, "kept out of the schema");
            return;
        }
        if !KEPT.iter().any(|kept| kind.starts_with(kept)) {
            return;
        }
        let object = opaque.object.as_ref().map(|name| self.name(name));
        let other = Other {
            kind: kind.to_owned(),
            on: opaque.on.as_ref().map(|name| self.name(name)),
            mentions: input::columns_mentioned(self.statement.text.text, self.dialect()),
            origin: self.origin(),
            object,
        };
        // OR REPLACE: the new text takes the place of the one with the same arguments.
        if kind.starts_with("CREATE ") {
            let wanted = arguments(&other.origin.text);
            self.catalog.others.retain(|old| {
                old.kind != other.kind
                    || old.object != other.object
                    || old.object.is_none()
                    || old.on != other.on
                    || arguments(&old.origin.text) != wanted
            });
        }
        self.catalog.others.push(other);
    }

    fn unreadable_table(&mut self) {
        let span = self.statement.text.span();
        self.problem("this CREATE TABLE is not understood", span, "kept out of the schema");
    }

    fn pragma(&mut self) {
        let words: String = self
            .statement
            .text
            .text
            .to_ascii_lowercase()
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\'')
            .collect();
        for (text, on) in [("on", true), ("1", true), ("true", true), ("yes", true)]
            .into_iter()
            .chain([("off", false), ("0", false), ("false", false), ("no", false)])
        {
            if words.ends_with(&format!("legacy_alter_table={text}")) {
                self.session.legacy_rename = on;
            }
        }
    }
}

/// What stands in a function's first parentheses, white space folded.
fn arguments(text: &str) -> String {
    let Some(from) = text.find('(') else {
        return String::new();
    };
    let end = text[from..].find(')').map_or(text.len(), |end| from + end);
    let words: Vec<&str> = text[from..end].split_whitespace().collect();
    words.join(" ")
}
