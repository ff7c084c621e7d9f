//! One piece → one statement: which grammar its first words call for.
//!
//! Enters: a `Piece`. Leaves: its [`Kind`], opaque where no typed form exists. Must not know:
//! what a statement does to a schema.

use super::alter_table::alter_table;
use super::ast::{Kind, Name};
use super::create_table::{Modifiers, create_table, create_virtual_table};
use super::index::{create_index, drop_index, rename_index};
use super::objects;
use super::opaque::{self, opaque};
use super::parser::Parser;
use super::rows::{delete, insert};
use super::update::update;

/// What a statement is, and, where it was not understood, the token at which that became clear.
pub(super) struct Understood<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) stuck: Option<usize>,
}

pub(super) fn understand<'a>(parser: &Parser<'a, '_>) -> Understood<'a> {
    let mut typed = parser.clone();
    match typed_kind(&mut typed) {
        Ok(kind) => Understood { kind, stuck: None },
        Err(Untyped::NoForm) => {
            let opaque = opaque(parser);
            Understood { stuck: opaque.unknown.then_some(typed.at), kind: Kind::Opaque(opaque) }
        }
        Err(Untyped::Unfit) => {
            let mut opaque = opaque(parser);
            opaque.unknown = true;
            Understood { kind: Kind::Opaque(opaque), stuck: Some(typed.at) }
        }
    }
}

enum Untyped {
    /// There is no typed form of such a statement.
    NoForm,
    /// There is one, and this is not it.
    Unfit,
}

fn whole<'a>(kind: Option<Kind<'a>>, parser: &Parser<'a, '_>) -> Result<Kind<'a>, Untyped> {
    kind.filter(|_| parser.done()).ok_or(Untyped::Unfit)
}

fn typed_kind<'a>(parser: &mut Parser<'a, '_>) -> Result<Kind<'a>, Untyped> {
    match parser.keyword().as_str() {
        "CREATE" => {
            parser.at += 1;
            create(parser)
        }
        "ALTER" => {
            parser.at += 1;
            alter(parser)
        }
        "DROP" => {
            parser.at += 1;
            drop(parser)
        }
        "RENAME" if parser.mysql() && parser.is_word(1, "TABLE") => {
            parser.at += 2;
            let renames = rename_tables(parser).map(Kind::RenameTable);
            whole(renames, parser)
        }
        "COMMENT" if parser.postgres() => {
            parser.at += 1;
            if !objects::typed_comment(parser) {
                return Err(Untyped::NoForm);
            }
            let comment = objects::comment(parser).map(Kind::Comment);
            whole(comment, parser)
        }
        "UPDATE" => update(parser).map(Kind::Update).ok_or(Untyped::NoForm),
        "WITH" if opaque::main_verb(parser) == Some("UPDATE") => {
            update(parser).map(Kind::Update).ok_or(Untyped::NoForm)
        }
        "DELETE" => delete(parser).map(Kind::Delete).ok_or(Untyped::NoForm),
        "INSERT" => insert(parser).map(Kind::Insert).ok_or(Untyped::NoForm),
        _ => Err(Untyped::NoForm),
    }
}

const PLAIN_MODIFIERS: [&str; 5] = ["GLOBAL", "LOCAL", "UNLOGGED", "RECURSIVE", "CONSTRAINT"];

fn create<'a>(parser: &mut Parser<'a, '_>) -> Result<Kind<'a>, Untyped> {
    let mut modifiers = Modifiers::default();
    let (mut unique, mut materialized) = (false, false);
    let mut method = None;
    loop {
        let from = parser.at;
        if parser.accept(&["OR", "REPLACE"]) {
            modifiers.or_replace = true;
        } else if parser.accept_any(&["TEMPORARY", "TEMP"]).is_some() {
            modifiers.temporary = true;
        } else if parser.accept(&["UNIQUE"]) {
            unique = true;
        } else if parser.accept(&["MATERIALIZED"]) {
            materialized = true;
        } else if parser.mysql() && parser.accept_any(&["FULLTEXT", "SPATIAL", "VECTOR"]).is_some()
        {
            method = Some(parser.slice(from, parser.at));
        } else if parser.accept_any_word(&PLAIN_MODIFIERS)
            || (parser.mysql() && objects::mysql_modifier(parser))
        {
            // Stands in the statement's text.
        } else {
            break;
        }
    }
    let kind = match parser.keyword().as_str() {
        "TABLE" => {
            parser.at += 1;
            create_table(parser, modifiers).map(Kind::CreateTable)
        }
        "FOREIGN" if parser.accept(&["FOREIGN", "TABLE"]) => {
            create_table(parser, modifiers).map(Kind::CreateTable)
        }
        "VIRTUAL" if parser.accept(&["VIRTUAL", "TABLE"]) => {
            create_virtual_table(parser).map(Kind::CreateTable)
        }
        "INDEX" => {
            parser.at += 1;
            create_index(parser, unique, method).map(Kind::CreateIndex)
        }
        "VIEW" => {
            parser.at += 1;
            objects::create_view(parser, modifiers, materialized).map(Kind::CreateView)
        }
        "TRIGGER" => {
            parser.at += 1;
            objects::create_trigger(parser, modifiers).map(Kind::CreateTrigger)
        }
        "SEQUENCE" => {
            parser.at += 1;
            objects::create_sequence(parser)
        }
        "TYPE" if parser.postgres() => {
            parser.at += 1;
            if !objects::is_enum(parser) {
                return Err(Untyped::NoForm);
            }
            objects::create_enum(parser)
        }
        "DOMAIN" if parser.postgres() => {
            parser.at += 1;
            objects::create_domain(parser)
        }
        _ => return Err(Untyped::NoForm),
    };
    whole(kind, parser)
}

fn alter<'a>(parser: &mut Parser<'a, '_>) -> Result<Kind<'a>, Untyped> {
    if parser.mysql() {
        while parser.accept_any(&["ONLINE", "OFFLINE", "IGNORE"]).is_some() {}
    }
    if parser.accept(&["TABLE"]) || parser.accept(&["FOREIGN", "TABLE"]) {
        if parser.are(&["ALL", "IN", "TABLESPACE"]) {
            return Err(Untyped::NoForm);
        }
        let alter = alter_table(parser).map(Kind::AlterTable);
        return whole(alter, parser);
    }
    let typed = if parser.accept(&["INDEX"]) {
        rename_index(parser)
    } else if parser.accept(&["SEQUENCE"]) {
        objects::alter_sequence(parser)
    } else if parser.accept(&["TYPE"]) {
        objects::alter_type(parser)
    } else if parser.accept(&["MATERIALIZED", "VIEW"]) {
        objects::rename(parser, "MATERIALIZED VIEW")
    } else if let Some(what) = parser.accept_any(&["VIEW", "DOMAIN", "TRIGGER", "POLICY"]) {
        objects::rename(parser, what)
    } else {
        None
    };
    // The other forms of these have no typed form and change nothing the catalog keeps.
    typed.filter(|_| parser.done()).ok_or(Untyped::NoForm)
}

fn drop<'a>(parser: &mut Parser<'a, '_>) -> Result<Kind<'a>, Untyped> {
    let kind = if parser.accept(&["TABLE"]) || parser.accept(&["FOREIGN", "TABLE"]) {
        objects::drop_table(parser).map(Kind::DropTable)
    } else if parser.accept(&["INDEX"]) {
        drop_index(parser).map(Kind::DropIndex)
    } else {
        Some(objects::drop_other(parser).ok_or(Untyped::NoForm)?)
    };
    whole(kind, parser)
}

fn rename_tables<'a>(parser: &mut Parser<'a, '_>) -> Option<Vec<(Name<'a>, Name<'a>)>> {
    parser.accept(&["IF", "EXISTS"]);
    let mut renames = Vec::new();
    while let Some(mut element) = parser.element() {
        let from = element.name()?;
        element.accept_any(&["WAIT", "NOWAIT"]);
        if !element.accept(&["TO"]) {
            return None;
        }
        renames.push((from, element.name()?));
        if !element.done() {
            return None;
        }
    }
    Some(renames)
}
