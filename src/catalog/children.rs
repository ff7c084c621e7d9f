//! What hangs on a table: rows of others, views, triggers.

use crate::input;

use super::options::ROW_SECURITY;
use super::{Catalog, ConstraintKind, Key, Other, Table, TableName, names};

/// A foreign key that points to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    pub table: TableName,
    pub columns: Vec<String>,
    /// `None`: a row that points to one that is deleted stands in its way.
    pub on_delete: Option<Follows>,
    /// An index begins with the columns.
    pub indexed: bool,
}

/// What a foreign key does to rows that point to one that goes, or whose key changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// `CASCADE`
    Cascade,
    /// `SET NULL`, `SET DEFAULT`
    Set,
}

impl Table {
    /// It `INHERITS`: its columns, and rows, are another table's too.
    pub fn is_heir(&self) -> bool {
        let options = self.options.as_deref().unwrap_or_default();
        options.to_ascii_uppercase().starts_with("INHERITS")
    }
}

impl Catalog {
    /// What names an index or constraint of the table: replicas know rows by it, or CLUSTER orders them.
    pub fn marked(&self, table: &TableName, name: &str) -> Option<&str> {
        let mark = self.others.iter().find(|mark| {
            matches!(mark.kind.as_str(), "REPLICA IDENTITY" | "CLUSTER ON")
                && mark.on.as_ref() == Some(table)
                && mark.object.as_ref().is_some_and(|object| object.name == name)
        })?;
        Some(&mark.kind)
    }

    /// Whether rows are filtered by who asks; the owner sees all, unless that too is forced.
    pub fn has_row_security(&self, table: &TableName) -> bool {
        let is_on = |on: &TableName| self.same_table(on, table);
        self.others
            .iter()
            .any(|other| other.kind == ROW_SECURITY && other.on.as_ref().is_some_and(is_on))
    }

    /// Whether a GRANT is about the column alone.
    pub fn is_granted(&self, table: &TableName, column: &str) -> bool {
        self.others.iter().any(|other| {
            other.kind == "GRANT"
                && other.object.as_ref() == Some(table)
                && input::granted_columns(&other.origin.text, self.dialect)
                    .iter()
                    .any(|name| name == column)
        })
    }

    /// The keys that point to the table, and to tables whose rows go along with its own.
    pub fn children(&self, table: &TableName) -> Vec<Child> {
        let mut found: Vec<Child> = Vec::new();
        let mut parents = vec![table.clone()];
        let mut at = 0;
        while at < parents.len() {
            for (child, columns, _, actions) in self.keys_to(&parents[at].clone()) {
                let on_delete = follows(actions, "DELETE");
                if on_delete == Some(Follows::Cascade) && !parents.contains(&child.name) {
                    parents.push(child.name.clone());
                }
                found.push(Child {
                    table: child.name.clone(),
                    columns: columns.to_vec(),
                    on_delete,
                    indexed: is_indexed(child, columns),
                });
            }
            at += 1;
        }
        found
    }

    /// Views that may read the table, also through one another.
    pub fn views_upon(&self, table: &TableName) -> Vec<&TableName> {
        let mut found: Vec<&TableName> = Vec::new();
        while let Some((view, _)) = self.views.iter().find(|(view, definition)| {
            let reached =
                |name: &String| *name == table.name || found.iter().any(|one| one.name == *name);
            !found.contains(view) && definition.mentions.iter().any(reached)
        }) {
            found.push(view);
        }
        found
    }

    /// What the table is called while it is made anew, and whose names stood in the way of that.
    pub fn aside(&self, table: &TableName) -> (String, Vec<&TableName>) {
        let mut name = format!("{}_new", table.name);
        let mut taken = Vec::new();
        while let Some(other) = self
            .tables
            .keys()
            .chain(self.views.keys())
            .find(|other| other.name.eq_ignore_ascii_case(&name))
        {
            taken.push(other);
            name.push('_');
        }
        (name, taken)
    }

    /// Triggers of the table that name another one, in themselves or in a function they call.
    pub fn triggers_naming<'c>(&'c self, table: &'c TableName, other: &TableName) -> Vec<&'c str> {
        let calls = |mentions: &[String]| {
            self.others.iter().any(|one| {
                one.is_function()
                    && one.object.as_ref().is_some_and(|name| mentions.contains(&name.name))
                    && one.mentions.contains(&other.name)
            })
        };
        self.triggers_of(table)
            .filter(|(_, trigger)| {
                trigger.mentions.contains(&other.name) || calls(&trigger.mentions)
            })
            .map(|(name, _)| name)
            .collect()
    }

    /// Each function of the name is declared IMMUTABLE, and none is altered.
    pub fn is_immutable(&self, function: &str) -> bool {
        let mut all = self
            .others
            .iter()
            .filter(|other| other.kind.ends_with(" FUNCTION") || other.kind.ends_with(" ROUTINE"))
            .filter(|other| other.object.as_ref().is_some_and(|name| name.name == function))
            .peekable();
        let declared = |other: &Other| {
            let is = |word: &str| word.eq_ignore_ascii_case("immutable");
            other.is_function() && input::says(&other.origin.text, self.dialect, is)
        };
        all.peek().is_some() && all.all(declared)
    }

    /// Values of the collation may be equal and not the same.
    pub fn is_nondeterministic(&self, collation: &str) -> bool {
        let name = collation.trim_matches('"').rsplit('.').next().unwrap_or(collation);
        self.others.iter().any(|other| {
            let text: String = other.origin.text.to_ascii_lowercase().split_whitespace().collect();
            other.kind == "CREATE COLLATION"
                && other.object.as_ref().is_some_and(|object| object.name == name.trim_matches('"'))
                && (text.contains("deterministic=false") || text.contains("deterministic='false'"))
        })
    }

    /// Another table `INHERITS` from this one: its rows are rows of this one too.
    pub fn has_heirs(&self, table: &TableName) -> bool {
        self.tables.values().any(|other| self.inherits(other, table))
    }

    fn inherits(&self, heir: &Table, table: &TableName) -> bool {
        let options = heir.options.as_deref().unwrap_or_default();
        heir.is_heir() && input::columns_mentioned(options, self.dialect).contains(&table.name)
    }

    /// The table, and all its partitions at any depth.
    pub fn with_partitions(&self, table: &TableName) -> Vec<TableName> {
        let mut found = vec![table.clone()];
        let mut at = 0;
        while let Some(of) = found.get(at).cloned() {
            let own = self.tables.values().filter(|other| other.partition_of.as_ref() == Some(&of));
            found.extend(own.map(|partition| partition.name.clone()));
            at += 1;
        }
        found
    }

    /// Rows of the one may be rows of the other: the same table, a partition, an heir.
    pub fn share_rows(&self, one: &TableName, other: &TableName) -> bool {
        let family = |name: &TableName| {
            let mut names = vec![name.clone()];
            let mut at = 0;
            while at < names.len() {
                let parents = self.tables.get(&names[at]).into_iter().flat_map(|table| {
                    let heir = self.tables.keys().filter(|of| self.inherits(table, of)).cloned();
                    table.partition_of.iter().cloned().chain(heir)
                });
                let new: Vec<TableName> = parents.filter(|name| !names.contains(name)).collect();
                names.extend(new);
                at += 1;
            }
            names
        };
        let others = family(other);
        family(one).iter().any(|name| others.iter().any(|other| self.same_table(name, other)))
    }

    /// Writing rows of a table may change rows of another by its foreign keys: new values of the
    /// columns, or where none are told, that rows go.
    pub fn passes_on(&self, table: &TableName, to: &TableName, columns: Option<&[String]>) -> bool {
        let verb = if columns.is_some() { "UPDATE" } else { "DELETE" };
        let mut reached = vec![(table.clone(), columns.map(<[String]>::to_vec))];
        let mut at = 0;
        while let Some((parent, written)) = reached.get(at).cloned() {
            for (child, own, references, actions) in self.keys_to(&parent) {
                let changes =
                    written.as_ref().is_none_or(|set| self.writes_key(&parent, references, set));
                let next = (child.name.clone(), written.as_ref().map(|_| own.to_vec()));
                if changes && follows(actions, verb).is_some() && !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        reached[1..].iter().any(|(name, _)| name == to)
    }

    /// Whether a key of the table is among the columns, or computed from one. Without names it is the
    /// primary key.
    fn writes_key(&self, table: &TableName, key: &[String], written: &[String]) -> bool {
        let Some(table) = self.tables.get(table) else { return true };
        let primary = table.primary_key().unwrap_or_default().iter().filter_map(Key::column);
        let mut key = key.iter().map(String::as_str).chain(primary.filter(|_| key.is_empty()));
        let is_written =
            |name: &str| written.iter().any(|own| names::same(self.dialect, own, name));
        key.any(|name| is_written(name) || table.computed_from(name).into_iter().any(is_written))
    }

    /// Each with the columns of the child, and those they point to.
    fn keys_to(
        &self,
        parent: &TableName,
    ) -> impl Iterator<Item = (&Table, &[String], &[String], Option<&String>)> {
        self.tables.values().flat_map(move |child| {
            child.constraints.iter().filter_map(move |constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { columns, table, references, actions }
                    if table == parent =>
                {
                    Some((child, columns.as_slice(), references.as_slice(), actions.as_ref()))
                }
                _ => None,
            })
        })
    }
}

fn follows(actions: Option<&String>, event: &str) -> Option<Follows> {
    let words: Vec<String> = actions?.split_whitespace().map(str::to_ascii_uppercase).collect();
    let action = words.windows(3).find(|three| three[0] == "ON" && three[1] == event)?;
    match action[2].as_str() {
        "CASCADE" => Some(Follows::Cascade),
        "SET" => Some(Follows::Set),
        _ => None,
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
