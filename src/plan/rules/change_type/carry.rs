//! What a column that is of two types for a while takes along, and what it cannot.

use crate::catalog::{Constraint, ConstraintKind, Index};
use crate::dialect::type_change;
use crate::error::Result;
use crate::plan::strategy::constrain::further_options;

use super::Rule;

impl Rule<'_> {
    pub(super) fn refuse_what_cannot_be_carried(&self) -> Result<()> {
        let Rule { context, old, .. } = self;
        match self.what_stays().or_else(|| self.foreign_key_that_stays()) {
            Some(why) => Err(context
                .refuse(
                    format!("`{}` cannot be of two types for a while: {why}", old.name),
                    "without downtime",
                )
                .hint("`--downtime 5m` plans the plain change, which writes the table anew")),
            None => Ok(()),
        }
    }

    fn what_stays(&self) -> Option<String> {
        if self.context.before.is_granted(&self.change.table, &self.old.name) {
            return Some("a GRANT names it, and its copy would be nobody's".into());
        }
        if self.old.identity.is_some() && !(self.between_integers() && self.numbering().is_some()) {
            return Some("it numbers itself".into());
        }
        let computes = |index: &&Index| {
            index.filter.is_some() || index.keys.iter().any(|key| key.column().is_none())
        };
        // Values that are computed need not fulfil what the old ones did.
        let alike = self.change.using.is_none()
            && type_change::computes_alike(&self.old.ty, &self.change.after.ty);
        let carried = |c: &Constraint| match &c.kind {
            ConstraintKind::Unique(_) => !further_options(c),
            // Its copy is an index, which is checked at once.
            ConstraintKind::PrimaryKey(_) => c.options.is_none(),
            ConstraintKind::ForeignKey { .. } => true,
            ConstraintKind::Check(_) => alike && c.is_enforced(),
            _ => false,
        };
        if let Some(constraint) = self.constraints().find(|c| !carried(c)) {
            let name = constraint.name.as_deref().unwrap_or("a constraint");
            return Some(format!("{name} would have to change with it"));
        }
        if let Some(index) = self.indexes().find(computes).filter(|_| !alike) {
            return Some(format!("the index {} computes with it", index.name));
        }
        self.marked_index()
    }

    /// One that replicas know rows by, or that CLUSTER orders them by.
    fn marked_index(&self) -> Option<String> {
        let indexes = self.indexes().map(|index| index.name.as_str());
        let names: Vec<&str> =
            indexes.chain(self.constraints().filter_map(|c| c.name.as_deref())).collect();
        names.iter().find_map(|name| {
            let mark = self.context.before.marked(&self.change.table, name)?;
            Some(format!("{name} is marked by {mark}"))
        })
    }

    fn foreign_key_that_stays(&self) -> Option<String> {
        let tables = &self.context.before.tables;
        let partitioned = |name| {
            tables.get(name).is_some_and(|t| t.partition_by.is_some() || t.partition_of.is_some())
        };
        self.tied().into_iter().find_map(|tied| {
            let ConstraintKind::ForeignKey { table: target, actions, .. } = &tied.own.kind else {
                return None;
            };
            let name = tied.own.name.as_deref().unwrap_or("a foreign key");
            if !self.between_integers() {
                Some(format!("{name} compares it with a column of the old type"))
            } else if partitioned(tied.table) || partitioned(target) {
                Some(format!("{name} is a foreign key of a partitioned table"))
            } else if actions.as_deref().is_some_and(|text| text.contains('(')) {
                Some(format!("{name} names columns in what it does"))
            } else {
                None
            }
        })
    }

    /// A foreign key, and a sequence, take one integer type for another.
    fn between_integers(&self) -> bool {
        [&self.old.ty, &self.change.after.ty]
            .iter()
            .all(|ty| type_change::integer_range(ty).is_some())
    }
}
