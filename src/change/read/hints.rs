//! `-- miggen: …` above a statement: what SQL cannot say.
//!
//! | hint | says |
//! |---|---|
//! | `keep 30 days` | how long the old form stays |
//! | `back column = expression` | how a dropped or retyped column is computed again |
//! | `back none` | that nothing computes it again, and old code may read old values |
//! | `unrelated to column` | that a new column does not take the place of that dropped one |

use crate::catalog::{Expr, TableName};
use crate::dialect::quote;
use crate::error::{Error, Result};
use crate::input::ast::{Kind, Slice, Statement};

use super::super::{Change, Keep};
use super::Reader;

impl Reader<'_> {
    pub(super) fn hints(&mut self, statement: &Statement) -> Result<()> {
        for hint in &statement.hints {
            let words: Vec<&str> = hint.text.split_whitespace().collect();
            match words.as_slice() {
                ["back", "none"] => {
                    let table = self.altered_table(statement, hint)?;
                    self.without_way_back.insert(table);
                }
                ["back", ..] => {
                    let (column, expr) = hint
                        .text
                        .strip_prefix("back ")
                        .and_then(|rest| rest.split_once('='))
                        .map(|(column, expr)| (column.trim(), expr.trim()))
                        .filter(|(column, expr)| !column.is_empty() && !expr.is_empty())
                        .ok_or_else(|| self.unknown(hint))?;
                    let column = match column.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
                        Some(quoted) => quoted.replace("\"\"", "\""),
                        None => column.to_owned(),
                    };
                    let table = self.altered_table(statement, hint)?;
                    self.backs.insert((table, column), Expr(expr.to_owned()));
                }
                ["unrelated", "to", column] => {
                    self.altered_table(statement, hint)?;
                    self.unrelated.insert((*column).to_owned());
                }
                ["keep", number, "day" | "days"] => {
                    self.keep = Some(Keep {
                        text: format!("{number} {}", words[2]),
                        days: Keep::days(number).ok_or_else(|| self.not_days(hint))?,
                        span: hint.span(),
                    });
                }
                _ => return Err(self.unknown(hint)),
            }
        }
        Ok(())
    }

    fn altered_table(&self, statement: &Statement, hint: &Slice) -> Result<TableName> {
        match &statement.kind {
            Kind::AlterTable(alter) => Ok(TableName::of(&alter.table, self.server.dialect)),
            _ => Err(Error::refused("this hint is for ALTER TABLE").at(
                self.source,
                hint.span(),
                "here",
            )),
        }
    }

    fn not_days(&self, hint: &Slice) -> Error {
        Error::refused("this hint does not say how long")
            .at(self.source, hint.span(), "a number of days, ten years at most")
            .hint("`-- miggen: keep 30 days`")
    }

    fn unknown(&self, hint: &Slice) -> Error {
        Error::refused("this hint is not one miggen knows")
            .at(self.source, hint.span(), "not understood")
            .hint("keep 30 days · back column = expression · back none · unrelated to column")
    }

    /// A column dropped and one added may be a rename, and may be two things: nobody but the author
    /// knows.
    pub(super) fn no_rename_in_disguise(&self) -> Result<()> {
        let quoted = |name: &str| quote::ident(self.server.dialect, name);
        for asked in &self.asked {
            let Change::DropColumn(drop) = &asked.change else { continue };
            let old = &drop.column;
            let table = &drop.table.name;
            let added = self.asked.iter().filter_map(|other| match &other.change {
                Change::AddColumn(add) if add.table == drop.table => Some((add, other.span)),
                _ => None,
            });
            for (add, span) in added {
                let new = &add.column.name;
                let computed = add.fill.as_ref().is_some_and(|fill| fill.sources.contains(old));
                if computed && !self.without_way_back.contains(&drop.table) {
                    return Err(Error::refused(format!(
                        "{new} is computed from {old}, which goes: how is {old} computed back?"
                    ))
                    .at(self.source, asked.span, "old code still reads it until the last deploy")
                    .note("with a way back each column follows the other, whoever is written")
                    .hint(format!("above the DROP: `-- miggen: back {old} = …{new}…`"))
                    .hint(format!(
                        "or `-- miggen: back none`, where old code may read a {old} that is out of date"
                    )));
                }
                if !computed && !self.unrelated.contains(old) {
                    return Err(Error::refused(format!(
                        "is {new} a new name for {old}, or another thing?"
                    ))
                    .at(self.source, span, format!("and {old} is dropped"))
                    .note("as a drop and an add the values are lost; miggen does not guess")
                    .hint(format!(
                        "a rename: `ALTER TABLE {} RENAME COLUMN {} TO {}`",
                        quoted(table),
                        quoted(old),
                        quoted(new)
                    ))
                    .hint(format!("two things: `-- miggen: unrelated to {old}` above the ADD")));
                }
            }
        }
        Ok(())
    }
}
