//! What a column that is of two types for a while takes along, and what it cannot.

use crate::catalog::{Constraint, ConstraintKind, Index, TableName};
use crate::change::Change;
use crate::dialect::references::can_reference;
use crate::dialect::type_change;
use crate::error::Result;
use crate::plan::strategy::constrain::further_options;

use super::Rule;

const PLAIN: &str = "`--downtime 5m` plans the plain change, which writes the table anew";

impl Rule<'_> {
    pub(super) fn refuse_what_cannot_be_carried(&self) -> Result<()> {
        let Rule { context, old, .. } = self;
        let refused = |why: &str| {
            let message = format!("`{}` cannot be of two types for a while: {why}", old.name);
            context.refuse(message, "without downtime")
        };
        if let Some(why) = self.what_stays() {
            return Err(refused(&why).hint(PLAIN));
        }
        if let Some(name) = self.joined_no_more() {
            let why = format!(
                "{name} tied it to a column of the old type, and no query could compare them"
            );
            return Err(refused(&why)
                .note("both ends change over in moments of their own")
                .hint("`--downtime 5m` plans the plain changes"));
        }
        let Some((name, why)) = self.foreign_key_that_stays() else { return Ok(()) };
        let error = refused(&format!("{name} {why}"));
        let (old, new, dialect) = (&old.ty, &self.change.after.ty, context.server.dialect);
        let plain = can_reference(dialect, old, new) && can_reference(dialect, new, old);
        Err(if plain {
            error.hint(PLAIN)
        } else {
            error.hint(format!(
                "drop {name} and change the type at both ends by one script, with `--downtime 5m`; add it \
                 again when that rollout is through"
            ))
        })
    }

    /// A foreign key that the script drops, and whose ends both get another type.
    fn joined_no_more(&self) -> Option<&str> {
        if self.between_integers() {
            return None;
        }
        let retyped = |table: &TableName, names: &[String]| {
            let asked = self.context.intent.asked.iter();
            let mut changes = asked.filter_map(|asked| match &asked.change {
                Change::ChangeType(change) => Some(change),
                _ => None,
            });
            changes.any(|change| change.table == *table && names.contains(&change.before.name))
        };
        let own = |table: &TableName, names: &[String]| {
            *table == self.change.table && names.contains(&self.change.before.name)
        };
        self.context.intent.asked.iter().find_map(|asked| {
            let Change::DropConstraint(old) = &asked.change else { return None };
            let ConstraintKind::ForeignKey { columns, table, references, .. } =
                &old.constraint.kind
            else {
                return None;
            };
            let (from, to) = ((&old.table, columns), (table, references));
            let tied = own(from.0, from.1) && retyped(to.0, to.1)
                || own(to.0, to.1) && retyped(from.0, from.1);
            tied.then_some(old.constraint.name.as_deref().unwrap_or("a foreign key"))
        })
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

    /// Its name, and why.
    fn foreign_key_that_stays(&self) -> Option<(String, &'static str)> {
        let tables = &self.context.before.tables;
        let partitioned = |name| {
            tables.get(name).is_some_and(|t| t.partition_by.is_some() || t.partition_of.is_some())
        };
        self.tied().into_iter().find_map(|tied| {
            let ConstraintKind::ForeignKey { table: target, actions, .. } = &tied.own.kind else {
                return None;
            };
            let why = if !self.between_integers() {
                "compares it with a column of the old type"
            } else if partitioned(tied.table) || partitioned(target) {
                "is a foreign key of a partitioned table"
            } else if actions.as_deref().is_some_and(|text| text.contains('(')) {
                "names columns in what it does"
            } else {
                return None;
            };
            Some((tied.own.name.clone().unwrap_or_else(|| "a foreign key".into()), why))
        })
    }

    /// A foreign key, and a sequence, take one integer type for another.
    fn between_integers(&self) -> bool {
        [&self.old.ty, &self.change.after.ty]
            .iter()
            .all(|ty| type_change::integer_range(ty).is_some())
    }
}
