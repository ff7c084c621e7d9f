//! COMMENT ON.

use crate::catalog::TableName;
use crate::dialect::{Action, Verdict};
use crate::error::{Error, Result};
use crate::input::ast::{Comment as CommentStatement, Statement};
use crate::source::Span;

use super::super::{Asked, Change, Comment, CommentOn};
use super::Reader;

impl Reader<'_> {
    pub(super) fn comment(
        &mut self,
        comment: &CommentStatement,
        statement: &Statement,
    ) -> Result<()> {
        let span = statement.text.span();
        if let Verdict::No { .. } = self.server.verdict(Action::Comment) {
            return Err(Error::refused(format!("{} keeps no comments", self.server.title())).at(
                self.source,
                span,
                "here",
            ));
        }
        let on = self.comment_on(comment)?;
        let before = self.comment_of(&on);
        self.after.apply(self.source, statement)?;
        let text = self.comment_of(&on).filter(|text| !text.is_empty());
        if self.creates(on.table()) {
            return Ok(());
        }
        if let Some(of) = self.made(&on) {
            *of = text;
            return Ok(());
        }
        if text == before {
            return Err(Error::refused("it has this comment already").at(
                self.source,
                span,
                "nothing to do",
            ));
        }
        self.ask_of_old_name(on, text, before, span);
        Ok(())
    }

    /// Where the comment of a column, index or constraint that the script makes is kept.
    fn made(&mut self, on: &CommentOn) -> Option<&mut Option<String>> {
        self.asked.iter_mut().find_map(|asked| match (&mut asked.change, on) {
            (Change::AddConstraint(of), CommentOn::Constraint(table, name))
                if of.table == *table && of.constraint.name.as_ref() == Some(name) =>
            {
                Some(&mut of.constraint.comment)
            }
            (Change::AddColumn(add), CommentOn::Column(table, name))
                if add.table == *table && add.column.name == *name =>
            {
                Some(&mut add.column.comment)
            }
            (Change::CreateIndex(create), CommentOn::Index(table, name))
                if create.table == *table && create.index.name == *name =>
            {
                Some(&mut create.index.comment)
            }
            _ => None,
        })
    }

    /// A column keeps its comment when it is renamed: so it is made before that.
    fn ask_of_old_name(
        &mut self,
        on: CommentOn,
        text: Option<String>,
        before: Option<String>,
        span: Span,
    ) {
        let renamed = |asked: &Asked| match (&asked.change, &on) {
            (Change::RenameColumn(rename), CommentOn::Column(table, column)) => {
                rename.table == *table && rename.to == *column
            }
            _ => false,
        };
        let at = self.asked.iter().position(renamed).unwrap_or(self.asked.len());
        let on = match self.asked.get(at).map(|asked| &asked.change) {
            Some(Change::RenameColumn(rename)) => {
                CommentOn::Column(rename.table.clone(), rename.from.clone())
            }
            _ => on,
        };
        self.asked
            .insert(at, Asked { change: Change::Comment(Comment { on, text, before }), span });
    }

    fn comment_on(&self, comment: &CommentStatement) -> Result<CommentOn> {
        let name = TableName::of(&comment.object, self.server.dialect);
        let missing = |what: &str, name: &str, span| {
            Error::refused(format!("there is no {what} `{name}`")).at(
                self.source,
                span,
                "not in the schema",
            )
        };
        if comment.what == "INDEX" {
            let table = self.after.table_of_index(&name).ok_or_else(|| {
                missing("index", &name.name, comment.object.span())
                    .hint("a constraint's own index is described by COMMENT ON CONSTRAINT")
            })?;
            return Ok(CommentOn::Index(table.name.clone(), name.name));
        }
        if self.after.views.contains_key(&name) {
            return Err(self.not_yet("a comment on a view", comment.object.span()));
        }
        let table = self.table(&name, comment.object.span())?;
        match (comment.what, &comment.part) {
            ("TABLE", _) => Ok(CommentOn::Table(name)),
            ("COLUMN", Some(part)) => {
                self.column(&name, part)?;
                Ok(CommentOn::Column(name, part.name.to_string()))
            }
            ("CONSTRAINT", Some(part)) => match table.constraint(&part.name) {
                Some(_) => Ok(CommentOn::Constraint(name, part.name.to_string())),
                None => Err(missing("constraint", &part.name, part.span)),
            },
            _ => Err(self.not_yet("this comment", comment.object.span())),
        }
    }

    fn comment_of(&self, on: &CommentOn) -> Option<String> {
        let table = self.after.tables.get(on.table())?;
        match on {
            CommentOn::Table(_) => table.comment.clone(),
            CommentOn::Column(_, name) => table.column(name)?.comment.clone(),
            CommentOn::Index(_, name) => table.index(name)?.comment.clone(),
            CommentOn::Constraint(_, name) => table.constraint(name)?.comment.clone(),
        }
    }
}
