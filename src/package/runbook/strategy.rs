//! What is done and why this way, change by change.

use std::collections::BTreeSet;

use crate::catalog::{Child, Constraint, ConstraintKind, Expr, Follows, Table, TableName};
use crate::change::{AddColumn, Change, ChangeType, DefaultKind};
use crate::dialect::Action;
use crate::plan::op::Op;
use crate::plan::small;
use crate::plan::{Downtime, Plan};

pub(super) fn strategy(plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    let twice = super::releases::strategy(plan);
    for asked in &plan.intent.asked {
        let text = match &asked.change {
            Change::RenameColumn(_) | Change::Replace(_) if twice.is_some() => {
                twice.clone().unwrap_or_default()
            }
            Change::AddColumn(add) => {
                let name = &add.column.name;
                if add.fill.is_some() && comes_with_default(plan, add) {
                    format!(
                        "**{name}** comes with its default, so no row has to be written but those that are to have \
                         another value. New rows of old code get theirs from a trigger: a default would leave it nothing \
                         to tell a row that says {name} from one that does not, so the default is back in deploy 2. A row \
                         that is given the default on purpose before it is filled counts as one that was not. As \
                         written, one UPDATE would hold every row it writes to its end."
                    )
                } else if add.fill.is_some() {
                    format!(
                        "**{name}** is added empty, with a trigger that fills it whenever old code writes a row; existing \
                         rows are filled apart from that. As written, one UPDATE would hold every row of `{}` to its end, \
                         and rows that old code inserts afterwards would stay empty.",
                        add.table
                    )
                } else if makes_anew(plan) {
                    format!(
                        "**{name}** cannot be added by ALTER TABLE on a table with rows. The table is made anew beside the \
                         old one, copied, checked and swapped in one transaction, with foreign keys off so that no child \
                         row is deleted."
                    )
                } else {
                    match add.default {
                        DefaultKind::Volatile => format!(
                            "**{name}** gets a value of its own for every row. As written the server would write the whole \
                             table under a lock that blocks everything; so the column comes empty, the default is set for \
                             new rows, and existing rows are filled in batches."
                        ),
                        DefaultKind::None => {
                            format!("**{name}** may be NULL, so no row has to be touched.")
                        }
                        DefaultKind::Constant if add.column.default.is_none() => format!(
                            "**{name}**: the server keeps the default in its catalog and writes no row. Old code does not \
                             name the column, so the default stays until deploy 2, when no such code runs."
                        ),
                        DefaultKind::Constant if add.column.default != add.existing => format!(
                            "**{name}**: rows that are there get `{}` from the server's catalog, and none is written; \
                             new rows have the default that is set behind it.",
                            add.existing.as_ref().map_or("", |Expr(text)| text)
                        ),
                        _ => format!(
                            "**{name}**: the server keeps the default in its catalog and writes no row. It stays, so old \
                             code that does not name the column can go on inserting."
                        ),
                    }
                }
            }
            Change::CreateIndex(create) => {
                if plan.server.can(Action::CreateIndexOnline) {
                    format!(
                        "**{}** is built concurrently: as written, every writer of `{}` would wait for the whole build. \
                         Without a timeout, for a build that is cut off leaves an invalid index.",
                        create.index.name, create.table
                    )
                } else {
                    format!(
                        "**{}** is built as written: the server has one writer at a time anyway.",
                        create.index.name
                    )
                }
            }
            Change::Comment(comment) => format!(
                "The comment on {} is a row of the server's catalog: no reader or writer waits.",
                comment.on.title()
            ),
            Change::CreateTable(create) => new_table(plan, &create.table),
            Change::DropIndex(drop) if plan.server.can(Action::DropIndexOnline) => format!(
                "**{}** is dropped concurrently: as written, everybody would queue behind its lock on `{}`. Without a \
                 timeout, for a drop that is cut off leaves an invalid index; run again, it drops that.",
                drop.index.name, drop.table
            ),
            Change::DropIndex(drop) => format!(
                "**{}** is dropped as written: the server has one writer at a time anyway.",
                drop.index.name
            ),
            Change::DropColumn(drop) => format!(
                "**{}** goes in deploy 2. As written it breaks the running code, which names it; so first a release that \
                 does not, and when no other code runs any more, what hangs on the column and the column itself.",
                drop.column
            ),
            Change::ChangeType(one) => {
                let (name, ty) = (&one.before.name, &one.after.ty);
                if plan.deploys.len() > 1 {
                    format!(
                        "**{name}** becomes {ty}. As written the server writes the table and its indexes anew under a lock \
                         that blocks everything. So a copy of the new type is computed by a trigger and filled beside \
                         running code; in deploy 2 both columns change names in one moment, and the old one follows until \
                         deploy 3.{} Code that runs around deploy 2 must take either type.",
                        changes_over(plan, one)
                    )
                } else if makes_anew(plan) {
                    format!(
                        "**{name}** becomes {ty}: the table is made anew, each value converted once."
                    )
                } else if plan.policy.downtime == Downtime::None {
                    format!(
                        "**{name}** becomes {ty}: the server changes its catalog and reads no row."
                    )
                } else {
                    format!(
                        "**{name}** becomes {ty}: downtime is allowed, so it is the plain change."
                    )
                }
            }
            Change::Replace(one) => {
                let olds: Vec<&str> =
                    one.old.iter().map(|(drop, _)| drop.column.as_str()).collect();
                let news: Vec<&str> = one.new.iter().map(|new| new.column.name.as_str()).collect();
                format!(
                    "**{} → {}**: both stand side by side, and a trigger computes either from the one that was written, so \
                     old and new code see each other's writes. In deploy 2 what was replaced goes. As written, old code \
                     breaks at once and its last writes are never taken over.",
                    olds.join(", "),
                    news.join(", ")
                )
            }
            Change::Require(one) if one.fill.is_some() => format!(
                "**{}** is required in the end. Until deploy 2 a trigger gives old code, which may leave it out, the same \
                 value as existing rows without one; a CHECK that is validated beside running writers proves NOT NULL. As \
                 written, the UPDATE holds its rows to its end, and the next row of old code breaks the rest.",
                one.column
            ),
            Change::Require(one) => format!(
                "**{}** must be given by all code that runs, and by every row: both are asked before anything changes. As \
                 written, SET NOT NULL reads the whole table under a lock that blocks everything.",
                one.column
            ),
            Change::Relax(one) => format!(
                "**{}** may be NULL from now on: a change of the catalog only. The way back asks for rows without one \
                 first.",
                one.column
            ),
            Change::SetDefault(one) if one.after.is_some() => format!(
                "**{}**: the default is for rows to come; existing ones keep what they have.",
                one.column
            ),
            Change::SetDefault(one) => format!(
                "**{}**: code that runs may rely on the default. So it is dropped when only code runs that gives the \
                 value itself.",
                one.column
            ),
            Change::RenameName(one) => format!(
                "**{} → {}** is a change of the server's catalog. Code seldom says these names: look for \
                 `ON CONFLICT ON CONSTRAINT` and for handlers that read a constraint's name off an error; such code has to \
                 know both names before the deploy.",
                one.of.name(),
                one.to
            ),
            Change::AddConstraint(one) => format!(
                "**{}** holds for new rows at once, and for existing ones when they were looked at beside running \
                 writers. As written, everybody waits while the table is read.",
                named(&one.constraint)
            ),
            Change::ValidateConstraint(one) => format!(
                "**{}** is in force for new rows already; existing ones are read with writers at work.",
                named(&one.constraint)
            ),
            Change::DropConstraint(one) => format!(
                "**{}** goes in a short lock. The way back brings it without stopping writers, as long as no row breaks \
                 it.",
                named(&one.constraint)
            ),
            Change::RenameColumn(rename) if plan.policy.downtime == Downtime::None => format!(
                "**{from} → {to}**: as written the rename is instant, and breaks the running code in the same instant. So \
                 both names exist for a while: {to} is a copy that a trigger keeps equal. In deploy 2 the *copy* goes and \
                 {from} itself takes the new name: whatever hangs on it (default, constraints, indexes, keys, grants, \
                 views) is carried by the server, and nothing is lost either way.",
                from = rename.from,
                to = rename.to
            ),
            Change::RenameColumn(rename) => format!(
                "**{} → {}**: downtime is allowed, so it is the plain rename: one moment, together with the application.",
                rename.from, rename.to
            ),
            Change::DropTable(drop) => format!(
                "**{}** goes in deploy 2. As written it breaks the running code, which names it; so first a release that \
                 does not. When no other code runs any more its foreign keys go one by one, for each needs a moment on the \
                 table it points to, and then the table.",
                drop.table
            ),
            Change::RenameTable(rename) if plan.policy.downtime == Downtime::None => format!(
                "**{from} → {to}**: as written the rename is instant, and breaks the running code in the same instant. So in \
                 that instant a view takes the old name, with the owner and the grants of the table: old code goes on reading \
                 and writing rows through it. In deploy 2 the view goes. Indexes, constraints, sequences and triggers keep \
                 their names.",
                from = rename.from,
                to = rename.to
            ),
            Change::RenameTable(rename) => format!(
                "**{} → {}**: downtime is allowed, so it is the plain rename: one moment, together with the application. \
                 Foreign keys and views follow; indexes, constraints, sequences and triggers keep their names.",
                rename.from, rename.to
            ),
            Change::Update(update) if plan.is_late(update) => {
                let text = format!(
                    "**{}** is filled from another table, which no trigger on `{}` could follow. So new code gives it from \
                     deploy 1 on, and rows from before, where it is NULL, get it in deploy 2{}.",
                    update.columns(),
                    update.table,
                    in_batches(plan),
                );
                with_reads(text, &asked.change)
            }
            Change::Update(update) => {
                let text = if plan.server.can(Action::UpdateBatch) {
                    format!(
                        "Rows of `{}` are updated in batches of a tenth of a second, a commit each. As written, one UPDATE \
                         would hold every row to its end and double the table.",
                        update.table
                    )
                } else {
                    format!(
                        "Rows of `{}` are updated in one statement, only those that differ.",
                        update.table
                    )
                };
                with_reads(text, &asked.change)
            }
            Change::Delete(delete) => with_reads(deletes(plan, &delete.table), &asked.change),
            Change::Copy(copy) => {
                let text = format!(
                    "Rows of `{}` that `{}` does not hold yet, by their key, are copied{}.",
                    copy.from,
                    copy.into,
                    in_batches(plan)
                );
                with_reads(text, &asked.change)
            }
            Change::Seed(seed) => {
                format!("The rows for `{}` are inserted as written, all or none.", seed.table)
            }
        };
        if !all.contains(&text) {
            all.push(text);
        }
    }
    for (table, rows) in &plan.policy.rows {
        let here = plan.deploys.iter().flat_map(|d| &d.steps).any(|step| step.table == *table);
        let online = plan.server.can(Action::CreateIndexOnline);
        if here && online && small::is_small(&plan.policy, table) {
            all.push(format!(
                "`{}` has {} rows: few enough for one short transaction a deploy, without batches and concurrent builds. \
                 Its lock is held for all of it.",
                table.name,
                super::count(*rows)
            ));
        }
    }
    if !plan.archives.is_empty() {
        all.push(format!(
            "What is dropped stays in {0}, as it was at that moment. Once nobody asks for it, drop {0} by hand; until then \
             what is said of such data (who may read it, when it must be deleted) holds for it as well.",
            archives(plan)
        ));
    }
    all
}

/// `` `users_email_archive` ``
pub(super) fn archives(plan: &Plan) -> String {
    let names: Vec<String> = plan.archives.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

/// What changes over with a column of another type, in words.
fn changes_over(plan: &Plan, one: &ChangeType) -> String {
    let (table, column) = (&one.table, &one.before.name);
    let is = |of: &TableName, names: &[String]| of == table && names.contains(column);
    let tied = |of: &TableName, key: &Constraint| match &key.kind {
        ConstraintKind::ForeignKey { columns, table: target, references, .. } => {
            is(of, columns) || is(target, references)
        }
        _ => false,
    };
    let tables = &plan.before.tables;
    let keyed = tables[table]
        .primary_key()
        .is_some_and(|keys| keys.iter().any(|key| key.column() == Some(column.as_str())));
    let mut ops = plan.deploys.iter().flat_map(|d| &d.steps).flat_map(|step| &step.up);
    let mut parts = Vec::new();
    if keyed {
        parts.push("the primary key, on an index that was built beside running code");
    }
    if tables.values().any(|of| of.constraints.iter().any(|key| tied(&of.name, key))) {
        parts.push("its foreign keys, each by a twin that was validated before");
    }
    if ops.any(
        |op| matches!(op, Op::PassNumbering { table: of, to, .. } if of == table && to == column),
    ) {
        parts.push("what numbers it, on from where it is");
    }
    match parts.as_slice() {
        [] => String::new(),
        parts => format!(" In that moment change over: {}.", parts.join("; ")),
    }
}

fn new_table(plan: &Plan, table: &Table) -> String {
    let name = &table.name.name;
    let parents: Vec<String> = plan
        .deploys
        .iter()
        .flat_map(|deploy| &deploy.steps)
        .filter(|step| step.table == table.name)
        .flat_map(|step| step.locks(&plan.server))
        .filter(|(parent, ..)| *parent != table.name)
        .map(|(parent, ..)| format!("`{}`", parent.name))
        .collect();
    let mut text = format!(
        "**{name}** is created with all that the script says of it, in one transaction: nobody uses it yet, so nothing is \
         built or validated apart."
    );
    if !parents.is_empty() {
        text.push_str(&format!(
            " Its foreign keys need a moment on {} in which writers wait; that lock is taken first, in short tries, for as \
             written all would queue behind it.",
            parents.join(" and ")
        ));
    }
    text
}

pub(super) fn named(constraint: &Constraint) -> &str {
    constraint.name.as_deref().unwrap_or("the constraint")
}

/// Deploy 1 does, on its way there.
fn makes_anew(plan: &Plan) -> bool {
    let mut ops = plan.deploys[0].steps.iter().flat_map(|step| &step.up);
    ops.any(|op| matches!(op, Op::Rebuild(_)))
}

fn in_batches(plan: &Plan) -> &'static str {
    if plan.server.can(Action::UpdateBatch) {
        " in batches of a tenth of a second, a commit each"
    } else {
        " in one statement"
    }
}

/// Nothing follows the other tables afterwards.
fn with_reads(text: String, change: &Change) -> String {
    match change.reads().map_or_else(String::new, |reads| tables(&reads.tables)) {
        names if names.is_empty() => text,
        names => format!(
            "{text} For each row {names} counts as at that moment; what is written there later is not followed."
        ),
    }
}

/// `` `users` and `posts` ``
/// `a`, `b` and `c`, each as code.
pub(super) fn tables(names: &BTreeSet<TableName>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// What goes along with deleted rows, and what stands in their way.
pub(super) fn dependants(plan: &Plan, table: &TableName) -> Vec<String> {
    let sentence = |child: &Child| {
        let key = format!("`{}` ({})", child.table.name, child.columns.join(", "));
        match child.on_delete {
            Some(Follows::Cascade) => {
                format!("Rows of {key} that point to them go too, by ON DELETE CASCADE")
            }
            Some(Follows::Set) => {
                format!("Rows of {key} that point to them stay, and no longer do, by ON DELETE SET")
            }
            None => format!(
                "Where a row of {key} points to one of them, that batch fails and says so; those before it stay done"
            ),
        }
    };
    plan.before.children(table).iter().map(sentence).collect()
}

fn deletes(plan: &Plan, table: &TableName) -> String {
    let mut text = format!("Rows of `{}` are deleted{}.", table.name, in_batches(plan));
    let triggers: Vec<String> = plan
        .before
        .triggers
        .iter()
        .filter(|((of, _), trigger)| {
            of == table && trigger.origin.text.to_ascii_uppercase().contains("DELETE")
        })
        .map(|((_, name), _)| format!("`{name}`"))
        .collect();
    if !triggers.is_empty() {
        text = format!("{text} Triggers that run for each of them: {}.", triggers.join(", "));
    }
    text
}

/// Whether rows that are there have the default at once, and only some get another value.
fn comes_with_default(plan: &Plan, add: &AddColumn) -> bool {
    add.existing.is_some() && plan.server.can(Action::TriggerSetsNew)
}
