//! What was asked → how it is carried out: deploys of steps of typed operations.
//!
//! Enters: the catalog before, what was asked, a server, a policy. Leaves: a [`Plan`], proven in
//! memory. Must not know: SQL text, files, frameworks.

mod archive;
mod beside;
pub mod condition;
mod context;
mod each;
mod jobs;
mod locks;
mod meet;
mod model;
mod moved;
pub mod op;
mod order;
mod prove;
pub mod rows;
mod rules;
pub mod small;
mod strategy;
mod taken;
mod unfit;

use chrono::NaiveDate;

use crate::catalog::{Catalog, Expr, TableName};
use crate::change::{Asked, Change, Intent, Keep, Update};
use crate::dialect::{Action, Dialect, Server, Tx, Verdict, quote};
use crate::error::{Error, Result};
use crate::input;
use crate::source::Span;

use condition::Condition;
use op::Op;

pub use beside::{Meeting, meeting};
pub use model::{Field, ModelChange, RenamedIndex};

/// How the change is to be carried out.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub downtime: Downtime,
    /// Rows of a table, where known.
    pub rows: std::collections::BTreeMap<TableName, u64>,
    /// Day before which a contract must not run; known once deploy 1 is released.
    pub not_before: Option<NaiveDate>,
    pub batches: Batches,
    pub dual_write: DualWrite,
    /// What the last deploy drops is kept in a table beside.
    pub archive: bool,
}

/// Who keeps an old and a new form in step while both are in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DualWrite {
    #[default]
    Trigger,
    /// Each release of the application, as the runbook tells.
    App,
}

/// Where walks through rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Batches {
    /// Each is a migration of its own.
    #[default]
    Migration,
    /// Each is a file that a person runs; the migration asserts that it was run.
    Job,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Downtime {
    #[default]
    None,
    /// At most so many minutes.
    Minutes(u32),
    Any,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub server: Server,
    /// `rename posts.created to created_at`
    pub title: String,
    /// `rename_created`
    pub slug: String,
    pub deploys: Vec<Deploy>,
    pub keep: Option<Keep>,
    pub intent: Intent,
    pub before: Catalog,
    pub policy: Policy,
    /// Tables that keep what is dropped, until a person drops them.
    pub archives: Vec<TableName>,
}

/// What reaches production together: a release boundary.
#[derive(Debug, Clone)]
pub struct Deploy {
    pub steps: Vec<Step>,
}

/// One or a few operations that run as one unit.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it belongs; with the table, what it may be merged with.
    pub phase: Phase,
    pub table: TableName,
    /// `expand`, `backfill`, `index`: the last part of file names.
    pub slug: String,
    /// `created_at, kept in step by a trigger`
    pub title: String,
    pub unit: Unit,
    pub up: Vec<Op>,
    pub down: Down,
    /// What holds afterwards, asked from outside.
    pub verify: Vec<Condition>,
    /// What the application's models may say from now on.
    pub model: Vec<ModelChange>,
}

/// Ordered: steps of a rollout run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Expand,
    Backfill,
    /// Constraints that wait for the backfill, not validated yet.
    Constrain,
    Index,
    /// Validated constraints, NOT NULL.
    Enforce,
    // From here on: another deploy.
    /// The application changes over.
    Switch,
    // From here on: the last one.
    Check,
    Equal,
    Contract,
}

impl Phase {
    /// Phases of one release go out together. Where the application writes both forms, nothing can be
    /// filled before it does.
    fn release(self, dual_write: DualWrite) -> usize {
        let changes_over = match dual_write {
            DualWrite::Trigger => self >= Phase::Switch,
            DualWrite::App => self > Phase::Expand,
        };
        usize::from(changes_over) + usize::from(self >= Phase::Check)
    }
}

/// How the statements of a step hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Transaction,
    /// Every statement by itself, locks waited for without limit.
    Alone,
    /// A transaction of its own in which foreign keys are off.
    Rebuild,
}

#[derive(Debug, Clone)]
pub struct Down {
    pub ops: Vec<Op>,
    /// What goes lost, or why there is nothing to do.
    pub note: Option<String>,
    /// The up destroys what no down can bring back.
    pub loses: bool,
}

impl Plan {
    /// Whether code of before fails from the moment the plan runs, for downtime is allowed.
    pub fn stops_old_code(&self) -> bool {
        let breaks = |asked: &Asked| {
            matches!(
                asked.change,
                Change::RenameColumn(_)
                    | Change::RenameTable(_)
                    | Change::DropColumn(_)
                    | Change::DropTable(_)
            )
        };
        self.policy.downtime != Downtime::None && self.intent.asked.iter().any(breaks)
    }

    /// The schema at the end of each deploy.
    pub fn states(&self) -> Vec<Catalog> {
        let mut catalog = self.before.clone();
        let mut states = Vec::new();
        for deploy in &self.deploys {
            for op in deploy.steps.iter().flat_map(|step| &step.up) {
                // Proven when the plan was made.
                let _ = op.apply(&mut catalog);
            }
            states.push(catalog.clone());
        }
        states
    }
}

impl Plan {
    /// They are what was asked for as well, and come about as the steps make them.
    fn expect_archives(&mut self) {
        if self.archives.is_empty() {
            return;
        }
        let states = self.states();
        let Some(end) = states.last() else { return };
        for name in &self.archives {
            if let Some(table) = end.tables.get(name) {
                self.intent.after.tables.insert(name.clone(), table.clone());
            }
            let triggers = end.triggers.iter().filter(|((of, _), _)| of == name);
            self.intent.after.triggers.extend(triggers.map(|(k, v)| (k.clone(), v.clone())));
        }
    }
}

impl Plan {
    /// Its rows are filled in deploy 2.
    pub fn is_late(&self, update: &Update) -> bool {
        update.late && self.policy.downtime == Downtime::None
    }
}

impl Down {
    pub fn ops(ops: Vec<Op>) -> Down {
        Down { ops, note: None, loses: false }
    }

    pub fn noted(ops: Vec<Op>, note: impl Into<String>) -> Down {
        Down { ops, note: Some(note.into()), loses: false }
    }

    pub fn lossy(ops: Vec<Op>, note: impl Into<String>) -> Down {
        Down { loses: true, ..Down::noted(ops, note) }
    }
}

impl Deploy {
    /// Else it is a release of the application, and at most what its framework notes of that.
    pub fn changes_database(&self) -> bool {
        self.steps.iter().any(|step| !step.up.is_empty())
    }

    /// Whether the downs of its steps lead back together only, not one by one: a column comes back
    /// as the last one, empty in one step and filled in another.
    pub fn back_as_a_whole(&self) -> bool {
        self.steps.iter().any(|step| {
            let drops = step.up.iter().any(|op| matches!(op, Op::DropColumn { .. }));
            let loses = step.down.loses && !step.down.ops.is_empty();
            step.phase == Phase::Equal || drops || loses || step.is_for_the_way_back()
        })
    }
}

impl Step {
    fn modelled(mut self, model: Vec<ModelChange>) -> Step {
        self.model = model;
        self
    }

    /// It only asks, and its down prepares that of a step before.
    fn is_for_the_way_back(&self) -> bool {
        self.up.iter().all(|op| matches!(op, Op::Guard(_))) && !self.down.ops.is_empty()
    }

    /// Whether there is something to run, in either direction; else it is the application's alone.
    pub fn acts(&self) -> bool {
        !(self.up.is_empty() && self.down.ops.is_empty() && self.verify.is_empty())
    }
}

/// Plans, orders, merges and proves.
pub fn plan(server: Server, before: &Catalog, intent: &Intent, policy: &Policy) -> Result<Plan> {
    let names_schema = server.dialect == Dialect::Postgres
        && input::says_schema(&intent.source.text, server.dialect.default_schema(), server.dialect);
    let server = Server { names_schema, ..server };
    if server.facts().next().is_none() {
        let place = intent.asked.first().map_or_else(Span::default, |asked| asked.span);
        return Err(Error::refused(format!("miggen does not plan for {} yet", server.title()))
            .at(&intent.source, place, "understood, but not how that server does it")
            .note("its scripts are read; what its statements lock and cost is not known")
            .hint("`--server` names PostgreSQL or SQLite: postgres@15, sqlite@3.45"));
    }
    let mut planned = each::plan(&server, before, intent, policy)?;
    if policy.archive && planned.archives.is_empty() {
        return Err(Error::usage("there is nothing to archive")
            .note("the change drops no column and no table whose values would be lost")
            .hint("leave out `--archive`"));
    }
    let twice = |asked: &crate::change::Asked| {
        matches!(asked.change, Change::RenameColumn(_) | Change::Replace(_))
    };
    if policy.dual_write == DualWrite::App && !intent.asked.iter().any(twice) {
        return Err(Error::usage("there is nothing for the application to write twice")
            .note("it writes both forms of a column that is renamed, split or merged")
            .hint("leave out `--dual-write app`"));
    }
    if policy.downtime == Downtime::None {
        moved::refuse(before, intent)?;
    }
    meet::refuse(before, intent, &planned)?;
    let mut steps = planned.in_order(intent);
    if !server.can(Action::DropColumn) {
        for (_, step) in &mut steps {
            strategy::rebuild::drop_by_rebuild(step);
        }
    }
    let mut deploys = order::order(steps, policy.dual_write);
    if policy.batches != Batches::Job {
        small::shorten(&server, policy, &mut deploys);
    }
    order::number_twins(&mut deploys);
    if policy.batches == Batches::Job && jobs::take_out(&mut deploys) == 0 {
        return Err(Error::usage("there is nothing to make a job of")
            .note("no step walks through the rows of a table in batches")
            .hint("leave out `--backfill job`"));
    }
    strategy::rebuild::settle(before, &mut deploys).map_err(|misfit| prove::broken(&misfit))?;
    strategy::comments::say(&mut deploys);
    strategy::visible::ask(before, &mut deploys);
    strategy::gained::ask(&server, before, &mut deploys);
    for step in deploys.iter().flat_map(|deploy| &deploy.steps) {
        check_facts(&server, step)?;
    }
    let mut plan = Plan {
        server,
        title: intent.title.clone(),
        slug: intent.slug.clone(),
        deploys,
        keep: intent.keep.clone(),
        intent: intent.clone(),
        before: before.clone(),
        policy: policy.clone(),
        archives: planned.archives,
    };
    plan.expect_archives();
    prove::prove(&plan)?;
    Ok(plan)
}

/// A plan may only hold what the server is known to do, in the unit it may run in.
fn check_facts(server: &Server, step: &Step) -> Result<()> {
    for action in step.up.iter().chain(&step.down.ops).flat_map(Op::actions) {
        match server.verdict(action) {
            Verdict::No { why } => {
                return Err(server.with_newer(Error::refused(format!(
                    "{} needs something that this server does not offer: {why}",
                    step.title
                ))));
            }
            Verdict::Yes(fact)
                if fact.transaction == Tx::Outside && step.unit == Unit::Transaction =>
            {
                return Err(Error::bug(format!(
                    "step `{}` runs {action:?} in a transaction",
                    step.slug
                )));
            }
            Verdict::Yes(_) => {}
        }
    }
    Ok(())
}

/// The expression `column`, as our own text.
pub(crate) fn column_expr(server: &Server, column: &str) -> Expr {
    Expr(quote::ident(server.dialect, column))
}
