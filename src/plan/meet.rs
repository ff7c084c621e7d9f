//! Statements of one script that meet: what lasts over several deploys has its column to itself.
//!
//! Each rule plans from the schema before the script. Two of them on one column, or two that each
//! move one index, would not know of one another.

use crate::catalog::{Catalog, Constraint, ConstraintKind, Expr, TableName};
use crate::change::{Change, CommentOn, Intent, Named, OfConstraint};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::input;

use super::Phase;
use super::each::{Planned, ring};

/// Refuses statements that meet, and are not planned one behind the other.
pub(super) fn refuse(before: &Catalog, intent: &Intent, planned: &Planned) -> Result<()> {
    let lasts = |at: usize| {
        moves(&intent.asked[at].change)
            && planned.steps[at].iter().any(|step| step.phase >= Phase::Switch)
    };
    for (later, then) in intent.asked.iter().enumerate() {
        for (earlier, first) in intent.asked[..later].iter().enumerate() {
            if let Some(table) = rewritten(before, &first.change, &then.change) {
                return Err(Error::refused(format!(
                    "this changes rows of `{}`, which a statement above it reads",
                    table.name
                ))
                .at(&intent.source, then.span, "the second")
                .note("the first would read something else when it is run again")
                .hint("plan one first, and the other when its rollout is through"));
            }
            let pairs = [(earlier, later), (later, earlier)];
            if pairs.iter().any(|pair| planned.behind.contains(pair)) {
                continue;
            }
            let lasting = [lasts(earlier), lasts(later)];
            let ring = || {
                ring(before, intent, earlier, later)
                    .then(|| "columns that point to one another".into())
            };
            let what = meet(before, &first.change, &then.change, lasting).or_else(|| {
                tied(before, &first.change, &then.change)
                    .or_else(ring)
                    .filter(|_| lasting.contains(&true))
            });
            let Some(what) = what else { continue };
            let why = if lasting.contains(&true) {
                "one of them takes several deploys, and meanwhile both would hold on to it"
            } else {
                "the second is done at once, and the first would come after it"
            };
            return Err(Error::refused(format!("two statements of this script change {what}"))
                .at(&intent.source, then.span, "the second")
                .note(why)
                .hint("plan one first, and the other when its rollout is through"));
        }
    }
    Ok(())
}

/// The table whose rows the first reads and the second changes.
fn rewritten<'c>(before: &Catalog, first: &Change, then: &'c Change) -> Option<&'c TableName> {
    let table = match then {
        Change::Update(update) => &update.table,
        Change::Delete(delete) => &delete.table,
        Change::Copy(copy) => &copy.into,
        Change::Seed(seed) => &seed.table,
        _ => return None,
    };
    first.reads()?.tables.iter().any(|read| before.share_rows(read, table)).then_some(table)
}

/// A column that is there gives way to another, or goes; what hangs on it moves too.
pub(super) fn moves(change: &Change) -> bool {
    matches!(
        change,
        Change::RenameColumn(_)
            | Change::DropColumn(_)
            | Change::ChangeType(_)
            | Change::Replace(_)
    )
}

/// The column, or the index or constraint of several, that both are about.
fn meet(before: &Catalog, first: &Change, then: &Change, lasts: [bool; 2]) -> Option<String> {
    let lasting = lasts.contains(&true);
    let renames = matches!(then, Change::RenameColumn(_));
    let drops = matches!(then, Change::DropColumn(_));
    let follows = renames && !lasts[0] && follows_a_rename(first, lasts[1]);
    if follows || !(lasting || renames || drops) {
        return None;
    }
    let (table, names) = match columns(then) {
        Some(found) if renames || drops => found,
        other => columns(first).or(other)?,
    };
    let column = names.iter().copied().find(|name| {
        let reads = !lasts[1] && reads(before, first, table, name);
        (reads || about(before, first, table, name)) && about(before, then, table, name)
    });
    if let Some(column) = column {
        return Some(format!("`{column}`"));
    }
    let both = lasts == [true, true] || drops && matches!(first, Change::DropColumn(_));
    let own = before.tables.get(table).filter(|_| both)?;
    let ((_, names), (_, others)) =
        columns(first).zip(columns(then)).filter(|(a, b)| a.0 == b.0)?;
    let dialect = before.dialect;
    let shared = |uses: &dyn Fn(&str) -> bool| {
        names.iter().any(|name| uses(name)) && others.iter().any(|name| uses(name))
    };
    let index = own.indexes.iter().find(|index| shared(&|name| index.uses(name, dialect)));
    let constraint = own.constraints.iter().find(|one| shared(&|name| one.uses(name, dialect)));
    let index = index.map(|index| format!("the index {}", index.name));
    index.or_else(|| Some(constraint?.name.as_deref().unwrap_or("one constraint").to_owned()))
}

/// The foreign key that gets another type at one end, and comes, moves or goes at the other.
fn tied(before: &Catalog, first: &Change, then: &Change) -> Option<String> {
    let ((Change::ChangeType(change), other) | (other, Change::ChangeType(change))) = (first, then)
    else {
        return None;
    };
    if matches!(other, Change::ChangeType(_)) {
        return None; // They know of one another.
    }
    let about = |table: &TableName, names: &[String]| {
        columns(other)
            .is_some_and(|(of, own)| of == table && own.iter().any(|own| names.contains(own)))
    };
    let named = |table: &TableName, names: &[String]| {
        *table == change.table && names.contains(&change.before.name)
    };
    let new: Vec<&Constraint> = match other {
        Change::AddColumn(add) => add.references.iter().collect(),
        Change::CreateTable(create) => create.table.constraints.iter().collect(),
        _ => Vec::new(),
    };
    let comes = new.into_iter().find(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table, references, .. } => named(table, references),
        _ => false,
    });
    if let Some(key) = comes {
        return Some(format!("what {} points to", key.name.as_deref().unwrap_or("a foreign key")));
    }
    before.tables.values().find_map(|table| {
        let key = table.constraints.iter().find(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, table: target, references, .. } => {
                named(&table.name, columns) && about(target, references)
                    || named(target, references) && about(&table.name, columns)
            }
            _ => false,
        })?;
        Some(format!("the foreign key {}", key.name.as_deref().unwrap_or("between them")))
    })
}

/// What is there before the column gets its new name, and takes it on.
fn follows_a_rename(first: &Change, lasts: bool) -> bool {
    match first {
        Change::SetDefault(_) | Change::ChangeType(_) => true,
        Change::AddConstraint(_) | Change::CreateIndex(_) => lasts,
        Change::Comment(comment) => matches!(comment.on, CommentOn::Column(..)),
        _ => false,
    }
}

/// The columns that a change of columns is about, under their names before and after it.
fn columns(change: &Change) -> Option<(&TableName, Vec<&String>)> {
    match change {
        Change::AddColumn(add) => Some((&add.table, vec![&add.column.name])),
        Change::ChangeType(change) => Some((&change.table, vec![&change.before.name])),
        Change::DropColumn(drop) => Some((&drop.table, vec![&drop.column])),
        Change::RenameColumn(rename) => Some((&rename.table, vec![&rename.from, &rename.to])),
        Change::Replace(replace) => {
            // The new ones are like any new column: with what the script says of them.
            Some((&replace.table, replace.old.iter().map(|(drop, _)| &drop.column).collect()))
        }
        Change::Require(one) => Some((&one.table, vec![&one.column])),
        Change::Relax(one) => Some((&one.table, vec![&one.column])),
        Change::SetDefault(set) => Some((&set.table, vec![&set.column])),
        _ => None,
    }
}

pub(super) fn about(before: &Catalog, change: &Change, table: &TableName, name: &str) -> bool {
    if let Some((of, names)) = columns(change) {
        return of == table && names.iter().any(|own| *own == name);
    }
    let dialect = before.dialect;
    match change {
        Change::CreateIndex(create) => create.table == *table && create.index.uses(name, dialect),
        Change::DropIndex(drop) => drop.table == *table && drop.index.uses(name, dialect),
        Change::AddConstraint(of) | Change::ValidateConstraint(of) | Change::DropConstraint(of) => {
            uses(of, table, name, dialect)
        }
        Change::RenameName(rename) => {
            rename.table == *table
                && match &rename.of {
                    Named::Index(index) => index.uses(name, dialect),
                    Named::Constraint(constraint) => constraint.uses(name, dialect),
                }
        }
        Change::Comment(comment) if comment.on.table() == table => {
            let own = before.tables.get(table);
            match &comment.on {
                CommentOn::Table(_) => false,
                CommentOn::Column(_, column) => column == name,
                CommentOn::Index(_, index) => own
                    .and_then(|own| own.index(index))
                    .is_some_and(|index| index.uses(name, dialect)),
                CommentOn::Constraint(_, constraint) => own
                    .and_then(|own| own.constraint(constraint))
                    .is_some_and(|constraint| constraint.uses(name, dialect)),
            }
        }
        _ => false,
    }
}

/// Whether rows are found or filled by the column.
pub(super) fn reads(before: &Catalog, change: &Change, table: &TableName, name: &str) -> bool {
    let (of, texts): (&TableName, Vec<&Expr>) = match change {
        Change::AddColumn(add) => (&add.table, add.fill.iter().map(|fill| &fill.expr).collect()),
        Change::Require(one) => (&one.table, one.fill.iter().map(|fill| &fill.expr).collect()),
        Change::Update(update) => {
            if update.table == *table && update.set.iter().any(|set| set.column == name) {
                return true;
            }
            let values = update.set.iter().map(|set| &set.expr);
            let of = if update.reads.tables.contains(table) { table } else { &update.table };
            (of, values.chain(&update.filter).collect())
        }
        Change::Delete(delete) => {
            let of = if delete.reads.tables.contains(table) { table } else { &delete.table };
            (of, vec![&delete.filter])
        }
        Change::Seed(seed) => (&seed.table, vec![&seed.text]),
        Change::Copy(copy) => {
            if copy.into == *table && copy.list.iter().any(|(column, _)| column == name) {
                return true;
            }
            let of = if copy.reads.tables.contains(table) { table } else { &copy.from };
            (of, copy.list.iter().map(|(_, expr)| expr).chain(&copy.filter).collect())
        }
        _ => return false,
    };
    of == table && texts.iter().any(|text| input::mentions(&text.0, name, before.dialect))
}

/// At either end, where it is a foreign key.
fn uses(of: &OfConstraint, table: &TableName, name: &str, dialect: Dialect) -> bool {
    let points = match &of.constraint.kind {
        ConstraintKind::ForeignKey { table: target, references, .. } => {
            target == table && references.iter().any(|column| column == name)
        }
        _ => false,
    };
    points || of.table == *table && of.constraint.uses(name, dialect)
}
