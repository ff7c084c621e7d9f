//! Statements whose code may have changed the schema unseen.
//!
//! Enters: the statement, and the functions that were made before it. Leaves: a [`Taint`], with the
//! names that it may be about. Must not know: what is planned.

use std::collections::BTreeSet;

use crate::input::{self, Code};
use crate::source::Dialect;

use super::build::Replay;
use super::{Catalog, TableName, Taint};

impl Replay<'_, '_> {
    /// Of a statement that may hide DDL: what it calls is looked up.
    pub(super) fn taint(&mut self) {
        let text = self.statement.text.text;
        let mut code = input::code(text, self.dialect());
        self.look_up(&mut code);
        if self.dialect() == Dialect::Postgres && !code.changes_schema() {
            return;
        }
        // Text that is made while it runs names a table, or none that can be known.
        let is_named = self.catalog.tables.keys().any(|table| code.words.contains(&table.name));
        let anything = code.is_dynamic && (code.lists_tables || !is_named);
        let origin = self.origin();
        self.catalog.taints.push(Taint { about: (!anything).then_some(code.words), origin });
    }

    fn look_up(&self, code: &mut Code) {
        let mut seen = BTreeSet::new();
        while let Some(name) = code.calls.pop_first() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let is_it = |object: &TableName| object.name == name;
            let bodies: Vec<&str> = self
                .catalog
                .others
                .iter()
                .filter(|other| other.is_code() && other.object.as_ref().is_some_and(is_it))
                .map(|other| other.origin.text.as_str())
                .collect();
            code.is_dynamic |= bodies.is_empty();
            for body in bodies {
                code.include(input::code(body, self.dialect()));
            }
        }
    }
}

impl Catalog {
    /// What may have changed the table unseen.
    pub fn taints_of<'c>(&'c self, table: &'c TableName) -> impl Iterator<Item = &'c Taint> {
        self.taints
            .iter()
            .filter(|taint| taint.about.as_ref().is_none_or(|words| words.contains(&table.name)))
    }

    /// Who was about the table by its old name is about it by its new one.
    pub(super) fn taints_follow(&mut self, from: &str, to: &str) {
        for words in self.taints.iter_mut().filter_map(|taint| taint.about.as_mut()) {
            if words.contains(from) {
                words.insert(to.to_owned());
            }
        }
    }
}
