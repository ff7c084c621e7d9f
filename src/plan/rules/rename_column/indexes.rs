//! Indexes and unique constraints of a renamed column: what they are called before and after.

use crate::catalog::{Constraint, ConstraintKind, Expr, Index, Key, Origin, Table};
use crate::change::RenameColumn;
use crate::dialect::Action;
use crate::error::Result;
use crate::input;
use crate::plan::RenamedIndex;
use crate::plan::strategy::constrain::index_options;
use crate::plan::strategy::named;

use super::{Rule, renamed_index};

impl Rule<'_> {
    /// Indexes and unique constraints on the column: as they are, and as they will be.
    pub(super) fn indexes(&self) -> Result<Vec<RenamedIndex>> {
        let RenameColumn { table, from, .. } = self.rename;
        // What the rename alone leaves; the script may give an index a name that follows.
        let mut alone = self.context.before.clone();
        alone.rename_column(table, from, &self.rename.to);
        let alone = &alone.tables[table];
        let after = &self.context.intent.after.tables[table];
        let mut found = Vec::new();
        for (position, index) in self.table.indexes.iter().enumerate() {
            if !self.index_names(index) {
                continue;
            }
            let mut renamed = alone.indexes[position].clone();
            if after.index(&renamed.name).is_none()
                && let Some(new) = after.indexes.iter().find(|new| {
                    self.table.index(&new.name).is_none()
                        && Index { name: renamed.name.clone(), ..(*new).clone() } == renamed
                })
            {
                renamed.name.clone_from(&new.name);
            }
            if self.index_names(&renamed) {
                return Err(self
                    .context
                    .refuse(
                        format!("the index {} names `{from}` in an expression", index.name),
                        "cannot be copied for the new name",
                    )
                    .hint("`--downtime 5m` plans the plain rename, which carries it"));
            }
            found.push(renamed_index(index.clone(), renamed, false));
        }
        let uniques = |table: &Table| -> Vec<Constraint> {
            let unique = |c: &&Constraint| matches!(c.kind, ConstraintKind::Unique(_));
            table.constraints.iter().filter(unique).cloned().collect()
        };
        for (old, mut new) in uniques(self.table).iter().zip(uniques(alone)) {
            let name = new.name.as_deref().unwrap_or_default();
            if after.constraint(name).is_none()
                && let Some(renamed) = uniques(after).into_iter().find(|one| {
                    let known =
                        one.name.as_deref().is_some_and(|n| self.table.constraint(n).is_some());
                    !known && one.kind == new.kind
                })
            {
                new.name = renamed.name;
            }
            let (ConstraintKind::Unique(keys), ConstraintKind::Unique(new_keys)) =
                (&old.kind, &new.kind)
            else {
                continue;
            };
            if !keys.iter().any(|key| matches!(key, Key::Column { name, .. } if name == from)) {
                continue;
            }
            let named = |constraint: &Constraint, keys: &[Key]| Index {
                name: constraint.name.clone().unwrap_or_else(|| {
                    named(&format!("{}_{}", table.name, self.rename.to), "_key")
                }),
                keys: keys.to_vec(),
                unique: true,
                method: None,
                include: Vec::new(),
                filter: None,
                options: index_options(constraint),
                comment: None,
                origin: Origin::default(),
            };
            let constraint = self.context.can(Action::UniqueUsingIndex);
            found.push(renamed_index(named(old, keys), named(&new, new_keys), constraint));
        }
        Ok(found)
    }

    fn index_names(&self, index: &Index) -> bool {
        let from = &self.rename.from;
        let dialect = self.context.server.dialect;
        let mentions = |text: &str| input::columns_mentioned(text, dialect).contains(from);
        index.keys.iter().any(|key| match key {
            Key::Column { name, .. } => name == from,
            Key::Expr(Expr(text)) => mentions(text),
        }) || index.filter.as_ref().is_some_and(|Expr(text)| mentions(text))
            || index.include.contains(from)
    }
}
