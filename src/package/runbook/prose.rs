//! Sentences: risk, strategy, who writes what, what to do when it says no.

use crate::catalog::{Child, Constraint, ConstraintKind, Expr, Table, TableName};
use crate::change::{Change, DefaultKind};
use crate::dialect::{Action, Blocks, Dialect, Work};
use crate::package::Target;
use crate::package::targets::LIBPQ_PAUSE;
use crate::plan::op::{Op, SyncKind};
use crate::plan::small;
use crate::plan::{Deploy, Downtime, Plan, Unit};

pub struct Risk {
    pub level: &'static str,
    /// A word, and the sentence.
    pub reasons: Vec<(&'static str, String)>,
}

/// How much can go wrong, and why.
pub fn risk(plan: &Plan) -> Risk {
    let steps: Vec<_> = plan.deploys.iter().flat_map(|deploy| &deploy.steps).collect();
    let ops: Vec<&Op> = steps.iter().flat_map(|step| &step.up).collect();
    let sqlite = plan.server.dialect == Dialect::Sqlite;
    let tables: std::collections::BTreeSet<&str> = steps
        .iter()
        .flat_map(|step| {
            let others =
                step.locks(&plan.server).into_iter().map(|(table, ..)| table.name.as_str());
            others.chain([step.table.name.as_str()])
        })
        .collect();
    let tables: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    let tables = tables.join(", ");
    let mut reasons = Vec::new();
    let mut level = 0;

    let strongest: Vec<_> = steps
        .iter()
        .filter_map(|step| step.strongest(&plan.server))
        .filter(|(_, blocks)| *blocks == Blocks::Everything)
        .collect();
    if let Some((lock, _)) = strongest.first() {
        let times = match strongest.len() {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        let held = if steps.iter().any(|step| small::is_small(&plan.policy, &step.table)) {
            "for a short transaction"
        } else {
            "under 50 ms"
        };
        reasons.push((
            "locks",
            format!("{tables}: {lock} {times}, {held}, in tries of 200 ms; nothing else blocks"),
        ));
    } else if let Some((lock, who)) = writers_wait(plan) {
        reasons.push((
            "locks",
            format!("{who}: {lock} once, under 50 ms, in tries of 200 ms; readers go on"),
        ));
    } else if sqlite {
        reasons.push((
            "locks",
            format!("{tables}: other writers wait while a file runs; readers go on in WAL mode"),
        ));
    } else {
        reasons.push((
            "locks",
            format!("{tables}: reads and writes go on; only vacuum and other DDL wait"),
        ));
    }
    if ops.iter().any(|op| matches!(op, Op::CreateSync(_))) {
        level = level.max(1);
        reasons.push((
            "writes",
            format!(
                "a trigger on {tables} until deploy 2, about 2 µs a row; its first run is inside the migration"
            ),
        ));
    }
    if ops.iter().any(|op| matches!(op, Op::Rebuild(_))) {
        level = level.max(1);
        reasons.push((
            "writes",
            "the table is written anew in one transaction: it needs twice its size in free disk, and writers wait"
                .into(),
        ));
    }
    if ops.iter().any(|op| op.walk().is_some_and(|(walk, _)| !walk.is_batched())) {
        reasons
            .push(("writes", "all rows are written in one statement: writers wait for it".into()));
        level = level.max(1);
    }
    if sqlite && ops.iter().any(|op| matches!(op, Op::CreateSync(_))) {
        reasons.push((
            "reads",
            "the triggers fill a row right after it is stored: INSERT … RETURNING shows it as before".into(),
        ));
    }
    if plan.stops_old_code() {
        level = 2;
        reasons.push((
            "breaks",
            "old code fails from the moment this runs, and new code may before it: stop the application first".into(),
        ));
    }
    for asked in &plan.intent.asked {
        match &asked.change {
            Change::AddColumn(add) if add.unique.is_some() && add.fill.is_some() => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "once the unique index is there, a row with the {} of another fails, also from old code",
                        add.column.name
                    ),
                ));
            }
            Change::Require(one) if one.fill.is_some() => reasons.push((
                "loses",
                format!("which rows had no {}: a way back leaves them what they got", one.column),
            )),
            Change::CreateTable(create) => reasons.push((
                "loses",
                format!("nothing; the way back loses the rows of {}", create.table.name.name),
            )),
            Change::DropIndex(drop) => {
                level = level.max(1);
                reasons.push((
                    "reads",
                    format!(
                        "queries that used {} become slow at once: see `idx_scan` in the pre-checks",
                        drop.index.name
                    ),
                ));
                if drop.index.unique {
                    reasons.push((
                        "meaning",
                        format!(
                            "nothing keeps rows of `{}` from sharing {} any more; `ON CONFLICT` on it fails",
                            drop.table.name, drop.index.name
                        ),
                    ));
                }
            }
            Change::DropTable(drop) if plan.archives.is_empty() => {
                level = level.max(1);
                reasons.push((
                    "loses",
                    format!(
                        "the rows of {}, with the last deploy: a way back brings the table, empty",
                        drop.table
                    ),
                ));
            }
            Change::RenameTable(rename) if plan.deploys.len() > 1 => {
                level = level.max(1);
                reasons.push((
                    "view",
                    format!(
                        "until deploy 2 {} is a view: rows are read, written and locked through it as before. What a view cannot do: \
                         COPY, TRUNCATE, ON CONFLICT ON CONSTRAINT, GROUP BY the key alone with other columns (Django's \
                         `annotate` writes that), MERGE before PostgreSQL 17, ctid and xmin, TABLESAMPLE, pg_get_serial_sequence; \
                         triggers see {} in TG_TABLE_NAME",
                        rename.from, rename.to
                    ),
                ));
            }
            Change::Update(update) => {
                level = level.max(1);
                let columns: Vec<&str> = update.set.iter().map(|set| set.column.as_str()).collect();
                reasons.push((
                    "loses",
                    format!(
                        "the values that {} had before: there is no way back",
                        columns.join(", ")
                    ),
                ));
            }
            Change::Delete(delete) => {
                level = level.max(1);
                let mut what = "the rows that are deleted: there is no way back".to_owned();
                for sentence in dependants(plan, &delete.table) {
                    what = format!("{what}. {sentence}");
                }
                reasons.push(("loses", what));
            }
            Change::DropColumn(drop) if plan.archives.is_empty() => {
                level = level.max(1);
                reasons.push((
                    "loses",
                    format!("what {} holds, with the last deploy: a way back brings the column, not its values", drop.column),
                ));
            }
            Change::ChangeType(one) if plan.deploys.len() > 1 => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!("a value that {} cannot hold fails from deploy 1 on", one.after.ty),
                ));
                reasons.push((
                    "switch",
                    format!(
                        "prepared statements that select {} fail once in deploy 2: let clients reconnect, or prepare again",
                        one.before.name
                    ),
                ));
            }
            Change::Replace(one) => {
                level = level.max(1);
                let olds: Vec<&str> =
                    one.old.iter().map(|(drop, _)| drop.column.as_str()).collect();
                reasons.push((
                    "loses",
                    format!(
                        "what {} held beyond what the new columns can say, with the last deploy",
                        olds.join(" and ")
                    ),
                ));
            }
            Change::AddConstraint(one) => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "a statement that breaks {} fails from the first step on",
                        named(&one.constraint)
                    ),
                ));
            }
            Change::DropConstraint(one)
                if matches!(
                    one.constraint.kind,
                    ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
                ) =>
            {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "ON CONFLICT on the columns of {} fails from then on: change such statements first",
                        named(&one.constraint)
                    ),
                ));
            }
            Change::Require(one) if one.fill.is_none() => {
                level = level.max(1);
                reasons.push((
                    "writes",
                    format!(
                        "a statement that leaves {} NULL fails from the first step on",
                        one.column
                    ),
                ));
            }
            Change::RenameColumn(rename) if plan.deploys.len() > 1 => {
                let old =
                    plan.before.tables.get(&rename.table).and_then(|t| t.column(&rename.from));
                if old.is_some_and(|column| !column.not_null && column.default.is_some()) {
                    reasons.push((
                        "meaning",
                        format!(
                            "an INSERT that gives {} as NULL gets the default of {} until deploy 2",
                            rename.to, rename.from
                        ),
                    ));
                }
            }
            _ => {}
        }
    }
    if !sqlite && ops.iter().any(|op| matches!(op, Op::AddColumn { .. } | Op::DropColumn { .. })) {
        reasons.push((
            "plans",
            "clients that cache `SELECT *` plans see \"cached plan must not change result type\" once"
                .into(),
        ));
    }
    if !plan.archives.is_empty() {
        let kept = format!("what is dropped, in {}, until a person drops that", archives(plan));
        reasons.push(("keeps", kept));
    }
    if !reasons.iter().any(|(name, _)| *name == "loses") {
        reasons.push(("loses", "nothing, in either direction".into()));
    }
    reasons.push(("radius", format!("what reads or writes {tables}; no other table is touched")));
    Risk { level: ["low", "medium", "high"][level], reasons }
}

/// Tables whose writers wait for a moment, and the lock they wait for.
fn writers_wait(plan: &Plan) -> Option<(&'static str, String)> {
    if plan.server.dialect == Dialect::Sqlite {
        return None;
    }
    let steps = plan.deploys.iter().flat_map(|deploy| &deploy.steps);
    let locks: Vec<_> = steps
        .flat_map(|step| step.locks(&plan.server))
        .filter(|(_, _, blocks)| *blocks == Blocks::Writes)
        .collect();
    let tables: std::collections::BTreeSet<String> =
        locks.iter().map(|(table, ..)| format!("`{}`", table.name)).collect();
    let (_, lock, _) = locks.first()?;
    Some((lock, tables.into_iter().collect::<Vec<_>>().join(", ")))
}

/// `` `users_email_archive` ``
fn archives(plan: &Plan) -> String {
    let names: Vec<String> = plan.archives.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

/// What the downs of a deploy lose.
fn losses(deploy: &Deploy) -> Vec<&str> {
    let notes = deploy.steps.iter().filter_map(|step| step.down.note.as_deref());
    let losses = notes.filter_map(|note| note.strip_prefix("Loses "));
    losses.filter(|what| !what.starts_with("nothing")).collect()
}

/// `deploy`, `database`, `application`, `way back`.
pub(super) fn overview(plan: &Plan) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let titles: Vec<&str> = deploy.steps.iter().map(|step| step.title.as_str()).collect();
        let stops = at == 0 && plan.stops_old_code();
        let application = super::releases::application(plan, at);
        let losses = losses(deploy).join(" ");
        let no_return = deploy.steps.iter().any(|step| step.down.loses);
        let back = if no_return && deploy.steps.iter().all(|s| s.down.ops.is_empty()) {
            "**none: the old values are not kept**".into()
        } else if no_return {
            "**point of no return: values are lost**".into()
        } else if !losses.is_empty() {
            format!("**open, but loses** {losses}")
        } else if stops {
            "open, with the application stopped: nothing lost".into()
        } else if at == 0 && plan.deploys.len() > 1 {
            "open: new code → old code at any time, nothing lost".into()
        } else {
            "open: nothing lost".into()
        };
        rows.push([format!("**Deploy {}**", at + 1), titles.join("; "), application.into(), back]);
    }
    rows
}

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
                if add.fill.is_some() {
                    format!(
                        "**{name}** is added empty, with a trigger that fills it whenever old code writes a row; existing \
                         rows are filled apart from that. As written, one UPDATE would hold every row of `{}` to its end, \
                         and rows that old code inserts afterwards would stay empty.",
                        add.table.name
                    )
                } else if plan.deploys[0].steps.iter().any(|step| step.unit == Unit::Rebuild) {
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
                        create.index.name, create.table.name
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
                drop.index.name, drop.table.name
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
                         deploy 3. Code that runs around deploy 2 must take either type."
                    )
                } else if plan.deploys[0].steps.iter().any(|step| step.unit == Unit::Rebuild) {
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
            Change::Update(update) => {
                if plan.server.can(Action::UpdateBatch) {
                    format!(
                        "Rows of `{}` are updated in batches of a tenth of a second, a commit each. As written, one UPDATE \
                         would hold every row to its end and double the table.",
                        update.table.name
                    )
                } else {
                    format!(
                        "Rows of `{}` are updated in one statement, only those that differ.",
                        update.table.name
                    )
                }
            }
            Change::Delete(delete) => deletes(plan, &delete.table),
            Change::Copy(copy) => format!(
                "Rows of `{}` that `{}` does not hold yet, by their key, are copied{}.",
                copy.from.name,
                copy.into.name,
                in_batches(plan)
            ),
            Change::Seed(seed) => {
                format!("The rows for `{}` are inserted as written, all or none.", seed.table.name)
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

fn new_table(plan: &Plan, table: &Table) -> String {
    let name = &table.name.name;
    let parents: Vec<String> = plan
        .deploys
        .iter()
        .flat_map(|deploy| &deploy.steps)
        .filter(|step| step.table == table.name)
        .flat_map(|step| step.locks(&plan.server))
        .filter(|(parent, ..)| **parent != table.name)
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

fn named(constraint: &Constraint) -> &str {
    constraint.name.as_deref().unwrap_or("the constraint")
}

fn in_batches(plan: &Plan) -> &'static str {
    if plan.server.can(Action::UpdateBatch) {
        " in batches of a tenth of a second, a commit each"
    } else {
        " in one statement"
    }
}

/// What goes along with deleted rows, and what stands in their way.
fn dependants(plan: &Plan, table: &TableName) -> Vec<String> {
    let sentence = |child: &Child| {
        let key = format!("`{}` ({})", child.table.name, child.columns.join(", "));
        if child.cascade {
            format!("Rows of {key} that point to them go too, by ON DELETE CASCADE")
        } else {
            format!(
                "Where a row of {key} points to one of them, that batch fails and says so; those before it stay done"
            )
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

/// While a trigger is on: who writes, and what happens.
pub(super) fn who_writes(plan: &Plan) -> Vec<[String; 2]> {
    let mut rows: Vec<[String; 2]> = super::releases::table(plan);
    let mut row = |who: String, what: String| rows.push([who, what]);
    let syncs = plan
        .deploys
        .iter()
        .flat_map(|deploy| &deploy.steps)
        .take(plan.deploys[0].steps.len())
        .flat_map(|s| &s.up);
    for op in syncs {
        let Op::CreateSync(sync) = op else { continue };
        match &sync.kind {
            SyncKind::Mirror { old, new, old_default, .. } => {
                row(format!("old code writes {old}"), format!("{new} follows"));
                row(format!("new code writes {new}"), format!("{old} follows"));
                if *old_default {
                    row(
                        "an INSERT names neither".into(),
                        format!(
                            "both get the default of {old}; {new} has none of its own, for then a default could not be told from a value"
                        ),
                    );
                }
                row("a row not filled yet is touched".into(), "it is filled".into());
            }
            SyncKind::Replace { forward, backward } => {
                let names = |all: &[(String, Expr)]| {
                    all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" and ")
                };
                let (olds, news) = (names(backward), names(forward));
                row(format!("old code writes {olds}"), format!("{news} are computed from it"));
                row(format!("new code writes {news}"), format!("{olds} is computed from them"));
                row("a row not filled yet is touched".into(), "it is filled".into());
            }
            SyncKind::Follow { column, .. } => {
                row("any code writes".into(), format!("{column} follows"));
            }
            SyncKind::Fill { column, expr, .. } => {
                row(
                    format!("an INSERT or UPDATE that leaves {column} NULL"),
                    format!("it gets `{}`", expr.0),
                );
            }
            SyncKind::Derive { column, expr, sources, .. } => {
                row(format!("an INSERT without {column}"), format!("it gets `{}`", expr.0));
                if !sources.is_empty() {
                    row(
                        format!("an UPDATE of {} alone", sources.join(" or ")),
                        format!("{column} follows"),
                    );
                }
                row(format!("new code writes {column}"), "it stays as written".into());
            }
        }
    }
    rows
}

pub(super) fn stop(plan: &Plan, deploy: &Deploy) -> String {
    let batches = deploy.steps.iter().any(|step| step.unit == Unit::Alone);
    if plan.server.dialect == Dialect::Sqlite {
        return "Stop (Ctrl-C) when writers time out, or disk runs short. What was not committed is undone by itself; \
                run the same command again."
            .into();
    }
    if batches {
        "Stop (Ctrl-C, or `SELECT pg_terminate_backend(pid)`) when replicas lag more than you can bear, disk falls below a \
         tenth, or p99 of the application doubles. Stopping loses nothing: the same command goes on where it was."
            .into()
    } else {
        "Stop (Ctrl-C) when p99 of the application doubles. A transaction that is cut off changes nothing; run the same \
         command again."
            .into()
    }
}

/// `it says`, `do`.
pub(super) fn troubles(plan: &Plan, deploy: &Deploy, target: &dyn Target) -> Vec<[String; 2]> {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |says: &str, act: String| {
        let entry = [says.to_owned(), act];
        if !rows.contains(&entry) {
            rows.push(entry);
        }
    };
    for op in deploy.steps.iter().flat_map(|step| &step.up) {
        if let Some((walk, table)) = op.walk()
            && walk.is_batched()
        {
            row(
                &format!("`rows of {} stayed locked: …`", table.name),
                "find the blocker, run the step again".into(),
            );
            // A job is run by psql.
            let pause = if matches!(op, Op::Job { .. }) { LIBPQ_PAUSE } else { target.pause() };
            row(
                "replicas lag while rows are written",
                format!(
                    "stop it; run it with `{pause}` before the command: seconds after each batch"
                ),
            );
        }
        match op {
            Op::Lock { tables, .. } => row(
                &format!("`{} was busy for 30 tries: …`", tables[0].name),
                "that step changed nothing. End the blocker or wait for it, run the step again"
                    .into(),
            ),
            Op::CreateIndex { index, online: true, .. } => row(
                &format!("the build of {} died, whatever the reason", index.name),
                "run the step again: it drops the invalid index first".into(),
            ),
            Op::Guard(conditions) => {
                for condition in conditions {
                    match condition {
                        crate::plan::condition::Condition::ColumnIs { table, column, .. } => row(
                            &format!("`{}.{column} is not …: plan this change again`", table.name),
                            "the schema moved since this was planned: plan again with miggen".into(),
                        ),
                        crate::plan::condition::Condition::NoRows {
                            reason: crate::plan::condition::Reason::OutOfStep, ..
                        } => row(
                            "`rows of … are out of step`",
                            "something wrote with the trigger off. Write the column that is right onto itself for those rows, ask again".into(),
                        ),
                        crate::plan::condition::Condition::NoDuplicates { table, .. } => row(
                            &format!("`values of {} stand in several rows`", table.name),
                            "make them unique first; nothing was changed".into(),
                        ),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if let Some([says, act]) = target.after_failure(deploy) {
        row(says, act.into());
    }
    if plan.server.dialect == Dialect::Sqlite {
        row("`database is locked`", "another writer holds it: run the command again".into());
        row(
            "`CHECK constraint failed: …`",
            "a guard of the file: its name says what does not hold. Nothing was changed".into(),
        );
    }
    rows
}

pub(super) fn way_back(plan: &Plan, deploy: &Deploy, number: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let back = deploy.steps.iter().any(|step| !step.down.ops.is_empty());
    if !back && deploy.steps.iter().any(|step| step.down.loses) {
        lines.push("There is none: the old values are not kept. Take a backup of the table, or copy the columns aside, if they may be needed.".into());
    } else if number == 1 && plan.stops_old_code() {
        lines.push("Stop the new code, run the downs, start the old code:".into());
    } else if number == 1 {
        lines.push("New code → old code: roll the application back, nothing else.".into());
        if back {
            lines.push("The database too, only when no new code runs:".into());
        }
    } else {
        lines.push(
            "Old code may run again only after the downs of all its files, the last one first; `miggen next` names them."
                .into(),
        );
    }
    for note in deploy.steps.iter().rev().filter_map(|step| step.down.note.as_ref()) {
        let useful =
            note.starts_with("Loses") || note.starts_with("Only while") || note.starts_with("The ");
        if useful && !lines.contains(note) {
            let at = if plan.stops_old_code() { 0 } else { 1.min(lines.len()) };
            lines.insert(at, note.clone());
        }
    }
    if deploy.steps.iter().any(|step| step.down.loses) && back {
        lines.insert(0, "**This deploy is the point of no return.**".into());
    }
    lines
}

pub(super) fn checklist(plan: &Plan) -> Vec<String> {
    let two = plan.deploys.len() > 1;
    let mut items = Vec::new();
    let steps = plan.deploys[0].steps.len();
    let stopped = if plan.stops_old_code() { " · old code stopped" } else { "" };
    let released = if two { " · `released` written into `rollout.toml`" } else { "" };
    let each = if steps > 1 {
        format!("{steps} steps, each verified")
    } else {
        "the step, verified".into()
    };
    items.push(format!("deploy 1: pre-checks{stopped} · {each} · new code out{released}"));
    if two {
        items.push("nobody else uses the old form (reports, exports, other services) · date of deploy 2 in the calendar".into());
        items.push("deploy 2: `miggen next` · no old code left · every step, verified".into());
    }
    let heavy = plan
        .deploys
        .iter()
        .flat_map(|d| &d.steps)
        .filter(|s| !small::is_small(&plan.policy, &s.table))
        .any(|s| s.facts(&plan.server).iter().any(|f| f.work == Work::Rewrite));
    if heavy {
        items.push("a backup that was restored once".into());
    }
    items
}
