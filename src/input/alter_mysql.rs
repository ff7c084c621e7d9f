//! The actions of `ALTER TABLE` that only MySQL and MariaDB have.
//!
//! Enters: a parser at an action. Leaves: its kind, or `None` when the common grammar has to look.
//! Must not know: what an action costs.

use std::borrow::Cow;

use super::alter_table::{other, take_position};
use super::ast::{AlterKind, Ident, Name};
use super::column::column;
use super::constraint::mysql_index;
use super::create_table::mysql_table_option;
use super::parser::Parser;

pub(super) fn mysql_action<'a>(
    parser: &mut Parser<'a, '_>,
    table: &Name<'a>,
) -> Option<AlterKind<'a>> {
    match parser.keyword().as_str() {
        "ADD" => {
            parser.at += 1;
            add(parser, table)
        }
        "DROP" => {
            parser.at += 1;
            drop(parser)
        }
        "RENAME" => {
            parser.at += 1;
            rename(parser)
        }
        "MODIFY" => {
            parser.at += 1;
            parser.accept(&["COLUMN"]);
            parser.accept(&["IF", "EXISTS"]);
            let from = parser.clone().ident()?;
            redefine(parser, from)
        }
        "CHANGE" => {
            parser.at += 1;
            parser.accept(&["COLUMN"]);
            parser.accept(&["IF", "EXISTS"]);
            let from = parser.ident()?;
            redefine(parser, from)
        }
        "ALTER" => {
            parser.at += 1;
            alter(parser)
        }
        _ => others(parser),
    }
}

fn redefine<'a>(parser: &mut Parser<'a, '_>, from: Ident<'a>) -> Option<AlterKind<'a>> {
    let position = take_position(parser);
    let column = column(parser)?;
    column.ty?;
    Some(AlterKind::Redefine {
        from,
        column,
        position,
    })
}

fn add<'a>(parser: &mut Parser<'a, '_>, table: &Name<'a>) -> Option<AlterKind<'a>> {
    if parser.accept(&["PARTITION"]) {
        parser.rest();
        return Some(other("ADD PARTITION"));
    }
    if parser.accept(&["SYSTEM", "VERSIONING"]) {
        return Some(other("ADD SYSTEM VERSIONING"));
    }
    if parser.accept(&["PERIOD", "FOR"]) {
        parser.rest();
        return Some(other("ADD PERIOD"));
    }
    mysql_index(parser, table).map(AlterKind::AddIndex)
}

fn drop<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if parser.accept(&["PRIMARY", "KEY"]) {
        return Some(AlterKind::DropConstraint {
            name: None,
            kind: "PRIMARY KEY",
            if_exists: false,
            cascade: false,
        });
    }
    if parser.accept_any(&["INDEX", "KEY"]).is_some() {
        let if_exists = parser.accept(&["IF", "EXISTS"]);
        let name = parser.ident()?;
        return Some(AlterKind::DropIndex { name, if_exists });
    }
    if parser.accept(&["PARTITION"]) {
        parser.rest();
        return Some(other("DROP PARTITION"));
    }
    if parser.accept(&["SYSTEM", "VERSIONING"]) {
        return Some(other("DROP SYSTEM VERSIONING"));
    }
    if parser.accept(&["PERIOD", "FOR"]) {
        parser.rest();
        return Some(other("DROP PERIOD"));
    }
    let kind = if parser.accept(&["FOREIGN", "KEY"]) {
        "FOREIGN KEY"
    } else if parser.accept(&["CHECK"]) {
        "CHECK"
    } else {
        return None;
    };
    let if_exists = parser.accept(&["IF", "EXISTS"]);
    Some(AlterKind::DropConstraint {
        name: Some(parser.ident()?),
        kind,
        if_exists,
        cascade: false,
    })
}

fn rename<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if parser.accept_any(&["INDEX", "KEY"]).is_some() {
        let from = parser.ident()?;
        if !parser.accept(&["TO"]) {
            return None;
        }
        let to = parser.ident()?;
        return Some(AlterKind::RenameIndex { from, to });
    }
    // `RENAME [TO | AS | =] t`, against `RENAME COLUMN a TO b` of the common grammar.
    if parser.accept_any(&["TO", "AS"]).is_none() {
        parser.accept_operator("=");
    }
    let to = parser.name()?;
    parser.done().then_some(AlterKind::RenameTable { to })
}

fn alter<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if parser.accept_any(&["INDEX", "KEY"]).is_some() {
        parser.accept(&["IF", "EXISTS"]);
        parser.ident()?;
        let known = parser
            .accept_any(&["VISIBLE", "INVISIBLE", "IGNORED"])
            .is_some()
            || parser.accept(&["NOT", "IGNORED"]);
        return known.then(|| other("ALTER INDEX"));
    }
    if parser.accept_any(&["CHECK", "CONSTRAINT"]).is_some() {
        return Some(AlterKind::AlterConstraint {
            name: parser.ident()?,
            options: parser.rest()?,
        });
    }
    parser.accept(&["COLUMN"]);
    parser.ident()?;
    let visible = parser.accept(&["SET", "VISIBLE"]) || parser.accept(&["SET", "INVISIBLE"]);
    visible.then(|| other("SET VISIBLE"))
}

/// Recognised by their first words; the rest of the action belongs to them.
const OTHERS: &[(&[&str], &str)] = &[
    (&["CONVERT", "TO"], "CONVERT TO CHARACTER SET"),
    (&["CONVERT", "PARTITION"], "CONVERT PARTITION"),
    (&["CONVERT", "TABLE"], "CONVERT TABLE"),
    (&["ORDER", "BY"], "ORDER BY"),
    (&["FORCE"], "FORCE"),
    (&["DISABLE", "KEYS"], "DISABLE KEYS"),
    (&["ENABLE", "KEYS"], "ENABLE KEYS"),
    (&["DISCARD", "TABLESPACE"], "DISCARD TABLESPACE"),
    (&["IMPORT", "TABLESPACE"], "IMPORT TABLESPACE"),
    (&["DISCARD", "PARTITION"], "DISCARD PARTITION"),
    (&["IMPORT", "PARTITION"], "IMPORT PARTITION"),
    (&["REORGANIZE", "PARTITION"], "REORGANIZE PARTITION"),
    (&["TRUNCATE", "PARTITION"], "TRUNCATE PARTITION"),
    (&["COALESCE", "PARTITION"], "COALESCE PARTITION"),
    (&["EXCHANGE", "PARTITION"], "EXCHANGE PARTITION"),
    (&["ANALYZE", "PARTITION"], "ANALYZE PARTITION"),
    (&["CHECK", "PARTITION"], "CHECK PARTITION"),
    (&["OPTIMIZE", "PARTITION"], "OPTIMIZE PARTITION"),
    (&["REBUILD", "PARTITION"], "REBUILD PARTITION"),
    (&["REPAIR", "PARTITION"], "REPAIR PARTITION"),
    (&["PARTITION", "BY"], "PARTITION BY"),
    (&["REMOVE", "PARTITIONING"], "REMOVE PARTITIONING"),
    (&["WITH", "VALIDATION"], "WITH VALIDATION"),
    (&["WITHOUT", "VALIDATION"], "WITHOUT VALIDATION"),
];

fn others<'a>(parser: &mut Parser<'a, '_>) -> Option<AlterKind<'a>> {
    if let Some(words) = parser.accept_any(&["ALGORITHM", "LOCK"]) {
        parser.accept_operator("=");
        parser.ident()?;
        return Some(other(words));
    }
    if let Some((_, words)) = OTHERS.iter().find(|(words, _)| parser.are(words)) {
        parser.rest();
        return Some(other(words));
    }
    let first = mysql_table_option(parser)?;
    let mut words = Cow::Borrowed(first);
    while !parser.done() {
        let next = mysql_table_option(parser)?;
        words = Cow::Owned(format!("{words}, {next}"));
    }
    Some(AlterKind::Other { words })
}
