//! What a rollout is called: a title for people, a slug for files.

use heck::ToSnakeCase;

use super::{Asked, Change, OfConstraint};
use crate::catalog::{ConstraintKind, Key};

const SLUG_LENGTH: usize = 40;

/// `rename posts.created to created_at`; several changes are joined by what they are about.
pub(super) fn title(asked: &[Asked]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for asked in asked.iter().filter(|one| !goes_without_saying(&one.change, asked)) {
        let part = match &asked.change {
            Change::AddColumn(add) => format!("add {}.{}", add.table, add.column.name),
            Change::Comment(comment) => format!("comment on {}", comment.on.title()),
            Change::CreateIndex(create) => format!("index {}", create.index.name),
            Change::CreateTable(create) => format!("create table {}", create.table.name),
            Change::DropIndex(drop) => format!("drop index {}", drop.index.name),
            Change::DropColumn(drop) => format!("drop {}.{}", drop.table, drop.column),
            Change::RenameColumn(rename) => {
                format!("rename {}.{} to {}", rename.table, rename.from, rename.to)
            }
            Change::DropTable(drop) => format!("drop table {}", drop.table),
            Change::RenameTable(rename) => {
                format!("rename {} to {}", rename.from, rename.to)
            }
            Change::ChangeType(one) => {
                format!("make {}.{} {}", one.table, one.before.name, one.after.ty)
            }
            Change::Replace(one) => {
                let names = |all: Vec<&str>| all.join(" and ");
                format!(
                    "replace {}.{} by {}",
                    one.table,
                    names(one.old.iter().map(|(drop, _)| drop.column.as_str()).collect()),
                    names(one.new.iter().map(|new| new.column.name.as_str()).collect())
                )
            }
            Change::Require(one) => format!("require {}.{}", one.table, one.column),
            Change::Relax(one) => format!("make {}.{} optional", one.table, one.column),
            Change::SetDefault(one) => {
                let verb = if one.after.is_some() { "set" } else { "drop" };
                format!("{verb} the default of {}.{}", one.table, one.column)
            }
            Change::RenameName(one) => format!("rename {} to {}", one.of.name(), one.to),
            Change::AddConstraint(one) => format!("add {}", constraint(one)),
            Change::ValidateConstraint(one) => format!("validate {}", constraint(one)),
            Change::DropConstraint(one) => format!("drop {}", constraint(one)),
            Change::Update(update) => format!("fill {}.{}", update.table, update.columns()),
            Change::Delete(delete) => format!("delete rows of {}", delete.table),
            Change::Copy(copy) => format!("copy {} to {}", copy.from, copy.into),
            Change::Seed(seed) => format!("rows for {}", seed.table),
        };
        parts.push(part);
    }
    match parts.len() {
        0..=2 => parts.join(" and "),
        more => format!("{} and {} more changes", parts[0], more - 1),
    }
}

/// An index on a column that the same script adds belongs to the column.
fn goes_without_saying(change: &Change, all: &[Asked]) -> bool {
    let Change::CreateIndex(create) = change else { return false };
    let added = |key: &Key| {
        all.iter().any(|other| match &other.change {
            Change::AddColumn(add) => {
                add.table == create.table && key.column() == Some(add.column.name.as_str())
            }
            Change::Replace(replace) => {
                let own = |add: &super::AddColumn| key.column() == Some(add.column.name.as_str());
                replace.table == create.table && replace.new.iter().any(own)
            }
            _ => false,
        })
    };
    create.index.keys.iter().all(added)
}

/// From the first change: `rename_created`, `add_users_email_verified`.
pub(super) fn slug(asked: &[Asked]) -> String {
    let text = match asked.first().map(|asked| &asked.change) {
        Some(Change::AddColumn(add)) => format!("add {} {}", add.table.name, add.column.name),
        Some(Change::Comment(comment)) => format!("comment {}", comment.on.title()),
        Some(Change::CreateIndex(create)) => format!("index {}", create.index.name),
        Some(Change::CreateTable(create)) => format!("create {}", create.table.name.name),
        Some(Change::DropIndex(drop)) => format!("drop {}", drop.index.name),
        Some(Change::DropColumn(drop)) => format!("drop {} {}", drop.table.name, drop.column),
        Some(Change::RenameColumn(rename)) => {
            format!("rename {} {}", rename.table.name, rename.from)
        }
        Some(Change::DropTable(drop)) => format!("drop {}", drop.table.name),
        Some(Change::RenameTable(rename)) => format!("rename {}", rename.from.name),
        Some(Change::ChangeType(one)) => {
            format!("type {} {}", one.table.name, one.before.name)
        }
        Some(Change::Replace(one)) => {
            format!("replace {} {}", one.table.name, one.old[0].0.column)
        }
        Some(Change::Require(one)) => format!("require {} {}", one.table.name, one.column),
        Some(Change::Relax(one)) => format!("optional {} {}", one.table.name, one.column),
        Some(Change::SetDefault(one)) => format!("default {} {}", one.table.name, one.column),
        Some(Change::RenameName(one)) => format!("rename {}", one.of.name()),
        Some(Change::AddConstraint(one)) => format!("add {}", constraint(one)),
        Some(Change::ValidateConstraint(one)) => format!("validate {}", constraint(one)),
        Some(Change::DropConstraint(one)) => format!("drop {}", constraint(one)),
        Some(Change::Update(update)) => format!("fill {} {}", update.table.name, update.columns()),
        Some(Change::Delete(delete)) => format!("delete {}", delete.table.name),
        Some(Change::Copy(copy)) => format!("copy {} to {}", copy.from.name, copy.into.name),
        Some(Change::Seed(seed)) => format!("rows for {}", seed.table.name),
        None => String::new(),
    };
    shorten(&text)
}

/// Lower case letters, digits and `_`, at most 40 of them, cut at a word.
pub fn shorten(text: &str) -> String {
    let mut slug: String = text
        .to_snake_case()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    while slug.len() > SLUG_LENGTH {
        match slug.rfind('_') {
            Some(at) if at > 0 => slug.truncate(at),
            _ => slug.truncate(SLUG_LENGTH),
        }
    }
    let slug = slug.trim_matches('_').to_owned();
    if slug.is_empty() { "change".to_owned() } else { slug }
}

/// The name, or what it is about where the server gives none.
fn constraint(of: &OfConstraint) -> String {
    of.constraint.name.clone().unwrap_or_else(|| {
        let kind = match of.constraint.kind {
            ConstraintKind::PrimaryKey(_) => "primary key",
            ConstraintKind::Unique(_) => "unique key",
            ConstraintKind::ForeignKey { .. } => "foreign key",
            _ => "check",
        };
        format!("a {kind} of {}", of.table.name)
    })
}
