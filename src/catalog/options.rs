//! Options of tables and constraints that ALTER TABLE replaces.
//!
//! Enters: old options and the words that change them. Leaves: the new ones, still as text. Must
//! not know: what an option does.

use crate::input;
use crate::input::ast::Slice;

use super::build::Replay;
use super::{Other, TableName};

pub(super) const ROW_SECURITY: &str = "ROW LEVEL SECURITY";
const FORCED: &str = "FORCE ROW LEVEL SECURITY";

impl Replay<'_, '_> {
    /// PostgreSQL marks an index for replicas to know rows by, or for CLUSTER to order them by.
    fn marked_index(&mut self, table: &TableName, words: &str, text: &Slice<'_>) {
        let kind = match words {
            "REPLICA IDENTITY" => words,
            "CLUSTER ON" | "SET WITHOUT CLUSTER" => "CLUSTER ON",
            _ => return,
        };
        self.catalog.others.retain(|other| other.kind != kind || other.on.as_ref() != Some(table));
        let mentions = input::columns_mentioned(text.text, self.dialect());
        let names_one = words == "CLUSTER ON" || text.text.to_ascii_uppercase().contains("INDEX");
        if let Some(index) = mentions.last().filter(|_| names_one) {
            self.catalog.others.push(Other {
                kind: kind.to_owned(),
                object: Some(table.sibling(index.clone())),
                on: Some(table.clone()),
                mentions,
                origin: self.origin(),
            });
        }
    }

    /// Whether a table's rows are filtered by who asks, and for its owner too.
    fn row_security(&mut self, table: &TableName, words: &str) {
        let (kind, is_on) = match words {
            "ENABLE ROW LEVEL SECURITY" => (ROW_SECURITY, true),
            "DISABLE ROW LEVEL SECURITY" => (ROW_SECURITY, false),
            "FORCE ROW LEVEL SECURITY" => (FORCED, true),
            "NO FORCE ROW LEVEL SECURITY" => (FORCED, false),
            _ => return,
        };
        self.catalog.others.retain(|other| other.kind != kind || other.on.as_ref() != Some(table));
        if is_on {
            self.catalog.others.push(Other {
                kind: kind.to_owned(),
                object: None,
                on: Some(table.clone()),
                mentions: Vec::new(),
                origin: self.origin(),
            });
        }
    }

    /// MySQL's table options, the last of which counts; the rest changes nothing kept here.
    pub(super) fn other_action(&mut self, table: &TableName, words: &str, text: &Slice<'_>) {
        let dialect = self.dialect();
        if !self.mysql() {
            self.marked_index(table, words, text);
            self.row_security(table, words);
            return;
        }
        let text = input::folded(text.text, dialect);
        let Some(mut owner) = self.catalog.tables.remove(table) else {
            return;
        };
        let option = match words {
            "CONVERT TO CHARACTER SET" => {
                // Every text column gets the table's own character set.
                for column in &mut owner.columns {
                    column.collation = None;
                    column.other.retain(|other| !other.to_ascii_uppercase().starts_with("CHAR"));
                }
                text.get("CONVERT TO ".len()..).map(str::to_owned)
            }
            "PARTITION BY" => {
                owner.partition_by = Some(text);
                None
            }
            "REMOVE PARTITIONING" => {
                owner.partition_by = None;
                None
            }
            "ALGORITHM" | "LOCK" => None,
            _ if words.ends_with("PARTITION") => {
                owner.partial.push(format!("its partitions were changed by `{text}`"));
                None
            }
            _ if is_table_option(words) => Some(text),
            _ => None,
        };
        if let Some(option) = option {
            let before = owner.options.take();
            owner.options = Some(match before {
                Some(before) => format!("{before} {option}"),
                None => option,
            });
            self.table_comment(&mut owner);
        }
        self.catalog.tables.insert(table.clone(), owner);
    }
}

/// One of several options may be enough: `ENGINE, ROW_FORMAT`.
fn is_table_option(words: &str) -> bool {
    words.split(", ").next().is_some_and(input::is_mysql_table_option)
}

/// The options with those of `new` in place of what they contradict.
pub(super) fn with_options(old: &str, new: &str) -> String {
    let upper = new.to_ascii_uppercase();
    let mut kept: Vec<&str> = old.split_whitespace().collect();
    let mut remove = |word: &str| {
        while let Some(at) = kept.iter().position(|own| own.eq_ignore_ascii_case(word)) {
            kept.remove(at);
            if at > 0 && kept[at - 1].eq_ignore_ascii_case("not") {
                kept.remove(at - 1);
            }
        }
    };
    if upper.contains("DEFERRABLE") || upper.contains("INITIALLY") {
        for word in ["DEFERRABLE", "INITIALLY", "DEFERRED", "IMMEDIATE"] {
            remove(word);
        }
    }
    if upper.contains("ENFORCED") {
        remove("ENFORCED");
    }
    kept.push(new);
    kept.join(" ")
}
