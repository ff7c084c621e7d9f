//! A DROP with a way back, and the new columns that are computed from it: one change.

use crate::error::{Error, Result};

use super::super::{Asked, Change, Replace};
use super::Reader;

impl Reader<'_> {
    /// Puts together what belongs together, once the whole script is read.
    pub(super) fn replacements(&mut self) -> Result<()> {
        let Some(table) = self.asked.iter().find_map(|asked| match &asked.change {
            Change::DropColumn(drop) if drop.back.is_some() => Some(drop.table.clone()),
            _ => None,
        }) else {
            return Ok(());
        };
        let mut replace = Replace { table: table.clone(), old: Vec::new(), new: Vec::new() };
        let mut span = None;
        for Asked { change, span: own } in &self.asked {
            if let Change::DropColumn(drop) = change
                && let Some(back) = drop.back.clone().filter(|_| drop.table == table)
            {
                replace.old.push((drop.clone(), back));
                span = span.or(Some(*own));
            }
        }
        let olds: Vec<String> = replace.old.iter().map(|(drop, _)| drop.column.clone()).collect();
        let computed = |change: &Change| match change {
            Change::AddColumn(add) => {
                add.table == table
                    && add.fill.as_ref().is_some_and(|fill| {
                        !fill.sources.is_empty() && fill.sources.iter().all(|s| olds.contains(s))
                    })
            }
            _ => false,
        };
        let dropped = |change: &Change| match change {
            Change::DropColumn(drop) => drop.table == table && drop.back.is_some(),
            _ => false,
        };
        for asked in self.asked.iter().filter(|asked| computed(&asked.change)) {
            if let Change::AddColumn(add) = &asked.change {
                replace.new.push(add.clone());
            }
        }
        let span = span.unwrap_or(self.asked[0].span);
        if replace.new.is_empty() {
            return Err(Error::refused(format!(
                "nothing of this script is computed from {}",
                olds.join(" or ")
            ))
            .at(self.source, span, "it has a way back, but nothing that takes its place")
            .hint(format!("UPDATE {} SET new_column = … {} …;", table.name, olds[0])));
        }
        for (drop, back) in &replace.old {
            let facts = self.understood(&table, &back.0, span.start)?;
            let known = |name: &String| replace.new.iter().any(|new| new.column.name == *name);
            if let Some(other) = facts.columns.iter().find(|name| !known(name)) {
                return Err(Error::refused(format!(
                    "the way back of {} reads {other}, which does not take its place",
                    drop.column
                ))
                .at(self.source, span, "computed from the new columns alone"));
            }
        }
        self.asked.retain(|asked| !computed(&asked.change) && !dropped(&asked.change));
        self.asked.insert(0, Asked { change: Change::Replace(replace), span });
        Ok(())
    }
}
