//! Which rows of other tables hang on the rows of a table.

use super::{Catalog, ConstraintKind, Table, TableName};

/// A foreign key that points to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    pub table: TableName,
    pub columns: Vec<String>,
    /// `ON DELETE CASCADE`.
    pub cascade: bool,
    /// An index begins with the columns.
    pub indexed: bool,
}

impl Catalog {
    /// The keys that point to the table, and to tables whose rows go along with its own.
    pub fn children(&self, table: &TableName) -> Vec<Child> {
        let mut found: Vec<Child> = Vec::new();
        let mut parents = vec![table.clone()];
        let mut at = 0;
        while at < parents.len() {
            for (child, columns, actions) in self.keys_to(&parents[at].clone()) {
                let cascade = actions
                    .is_some_and(|text| text.to_ascii_uppercase().contains("DELETE CASCADE"));
                if cascade && !parents.contains(&child.name) {
                    parents.push(child.name.clone());
                }
                found.push(Child {
                    table: child.name.clone(),
                    columns: columns.to_vec(),
                    cascade,
                    indexed: is_indexed(child, columns),
                });
            }
            at += 1;
        }
        found
    }

    fn keys_to(
        &self,
        parent: &TableName,
    ) -> impl Iterator<Item = (&Table, &[String], Option<&String>)> {
        self.tables.values().flat_map(move |child| {
            child.constraints.iter().filter_map(move |constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { columns, table, actions, .. } if table == parent => {
                    Some((child, columns.as_slice(), actions.as_ref()))
                }
                _ => None,
            })
        })
    }
}

fn is_indexed(table: &Table, columns: &[String]) -> bool {
    let constraints = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => Some(keys),
        _ => None,
    });
    let indexes = table.indexes.iter().filter(|i| i.filter.is_none()).map(|index| &index.keys);
    constraints.chain(indexes).any(|keys| {
        keys.get(..columns.len()).is_some_and(|first| {
            first
                .iter()
                .all(|key| key.column().is_some_and(|name| columns.iter().any(|c| c == name)))
        })
    })
}
