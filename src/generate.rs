//! The pipeline: options → files and what to say of them. Nothing is written here.
//!
//! Enters: resolved options, the clock among them. Leaves: an [`Outcome`]. Must not know: the
//! command line, the terminal.

mod again;
mod keep;
mod moved_on;
mod place;
mod policy;
mod unfinished;
mod unseen;
mod written;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use crate::catalog::{self, Catalog, TableName};
use crate::change::{self, Intent, names};
use crate::dialect::Server;
use crate::error::{Error, Result};
use crate::input;
use crate::package::{self, Emission, Engine, File, Request, Target, runbook, targets};
use crate::plan::{self, DualWrite, Plan};
use crate::repo::{self, Repo};
use crate::rollout::{self, ChangeText, DeployState, Facts, FileState, Rollout, SchemaText, State};
use crate::source::Source;
use crate::sql;

pub use keep::parse_keep;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    pub repo: Repo,
    pub target: String,
    pub server: Server,
    pub change: Source,
    /// In replay order.
    pub schema: Vec<Source>,
    /// As named by the user or found.
    pub schema_name: String,
    pub facts: Facts,
    /// Tables of `facts.rows` that were typed just now, and must be there.
    pub typed_rows: Vec<String>,
    /// Days that what the last deploy drops stays at least.
    pub keep: Option<u32>,
    pub name: Option<String>,
    pub author: Option<String>,
    pub reason: Option<String>,
    pub folder: Option<PathBuf>,
    pub parent: Option<String>,
    /// UTC.
    pub now: NaiveDateTime,
    /// Emit every deploy at once.
    pub all: bool,
}

/// What a run would write.
pub struct Outcome {
    pub plan: Plan,
    pub target: &'static dyn Target,
    /// Deploys in order; those not emitted in this run are `None`.
    pub emissions: Vec<Option<Emission>>,
    /// The rollout's folder, relative to the root.
    pub folder: PathBuf,
    pub name: String,
    pub new: Vec<File>,
    pub changed: Vec<File>,
    /// Verification queries, as paths.
    pub verify: Vec<PathBuf>,
    pub warnings: Vec<String>,
    /// The number of the deploy that this run is about.
    pub deploy: usize,
    pub schema_name: String,
}

/// Plans a change and emits its first deploy.
pub fn first(options: &Options) -> Result<Outcome> {
    let (server, repo) = (options.server, &options.repo);
    let target = find_target(&options.target)?;
    refuse_idle(options, target)?;
    let folder = place::folder(repo, options.folder.as_deref())?;
    let (schema, change) = catalog::spelled(&options.schema, &options.change, server.dialect)?;
    let options = &Options { change, schema, folder, ..options.clone() };
    let (catalog, mut warnings) = server.catalog(&options.schema)?;
    warnings.extend(server.newest_measured().map(|newest| {
        format!("{server} is newer than what miggen was measured on: planned as {newest}")
    }));
    let mut intent = change::read(&server, &catalog, &options.change, repo::BOOKKEEPING)?;
    keep::settle(&mut intent, options.keep)?;
    let policy = policy::policy(&options.facts, None)?;
    warnings.extend(policy::known_rows(options, &[&catalog, &intent.after])?);
    let plan = plan::plan(server, &catalog, &intent, &policy)?;
    warnings.extend(unseen::warn_or_refuse(&options.schema, &plan)?);
    if options.all {
        keep::refuse_at_once(&plan)?;
    }
    let engine = Engine::new(repo)?;
    let slug = options.name.as_deref().map_or_else(|| plan.slug.clone(), names::shorten);
    let name = slug.replace('_', "-");
    let folder = Path::new(rollout::FOLDER)
        .join(format!("{}-{name}", options.now.date().format("%Y-%m-%d")));
    if repo.is_folder(&folder) {
        let error = Error::refused(format!("the rollout {} is already there", folder.display()))
            .note("miggen overwrites nothing");
        return Err(if repo.is_file(folder.join("rollout.toml")) {
            error
                .hint("`miggen next` writes its next deploy; `--name OTHER` starts another rollout")
        } else {
            error.hint("it has no rollout.toml, so nothing can follow: take the folder away")
        });
    }

    let request = Request {
        plan: &plan,
        deploys: (1, if options.all { plan.deploys.len() } else { 1 }),
        repo,
        engine: &engine,
        created: options.now,
        folder: options.folder.clone(),
        parent: options.parent.clone(),
        author: options.author.clone(),
        reason: options.reason.clone(),
        slug: slug.clone(),
        rollout: folder.clone(),
        keeps_state: target.keeps_state(),
    };
    let mut emissions: Vec<Option<Emission>> =
        package::emit(target, &request)?.into_iter().map(Some).collect();
    emissions.resize_with(plan.deploys.len(), || None);
    let verify = verification_files(&plan, &folder);
    let state = new_state(options, &plan, &catalog, &intent, &emissions, &slug, &name)?;
    let mut new: Vec<File> = emissions
        .iter()
        .flatten()
        .flat_map(|emission| emission.steps.iter().flat_map(|step| step.files.clone()))
        .collect();
    new.push(File { path: folder.join("rollout.toml"), contents: state.text()? });
    new.push(File {
        path: folder.join("RUNBOOK.md"),
        contents: runbook::render(&runbook::Input {
            plan: &plan,
            target,
            emissions: &emissions,
            verify: &verify,
            folder: &folder,
            created: options.now.date(),
            engine: &engine,
            author: options.author.as_deref(),
            reason: options.reason.as_deref(),
        })?,
    });
    let paths = verify.iter().map(|file| file.path.clone()).collect();
    new.extend(verify);
    new.extend(package::job_files(&plan, &folder));
    place::refuse_outside(repo, &new)?;
    unfinished::refuse(options, &plan, &state)?;
    Ok(Outcome {
        plan,
        target,
        emissions,
        folder,
        name,
        new,
        changed: Vec::new(),
        verify: paths,
        warnings,
        deploy: 1,
        schema_name: options.schema_name.clone(),
    })
}

/// Emits the next deploy of a rollout against the repository as it is now.
pub fn next(repo: &Repo, rollout: &Rollout, now: NaiveDateTime) -> Result<Outcome> {
    let today = now.date();
    let (deploy, not_before) = rollout.ready(today)?;
    let state = &rollout.state;
    let mut warnings = written::compare(repo, state)?;
    let keep_ends = (state.facts.keep.is_some()).then_some(not_before);
    let (plan, more) = again::plan(rollout, keep_ends)?;
    warnings.extend(more);
    moved_on::refuse(repo, rollout, &plan, deploy)?;
    let target = find_target(&state.target)?;
    let engine = Engine::new(repo)?;
    let request = Request {
        plan: &plan,
        deploys: (deploy, deploy),
        repo,
        engine: &engine,
        created: now,
        folder: state
            .folder
            .as_ref()
            .map(PathBuf::from)
            .or_else(|| state_folder(state).filter(|_| target.keeps_state())),
        parent: None,
        author: state.author.clone(),
        reason: state.reason.clone(),
        slug: state.slug.clone(),
        rollout: rollout.folder.clone(),
        keeps_state: target.keeps_state(),
    };
    let emission = package::emit(target, &request)?.remove(0);
    let mut new: Vec<File> = emission.steps.iter().flat_map(|step| step.files.clone()).collect();
    let changed = vec![File {
        path: rollout.folder.join("rollout.toml"),
        contents: rollout.emitted(
            deploy,
            today,
            emission.parent.as_deref(),
            &file_states(&emission),
        )?,
    }];
    let verify = verification_files(&plan, &rollout.folder);
    let mut emissions: Vec<Option<Emission>> = plan.deploys.iter().map(|_| None).collect();
    emissions[deploy - 1] = Some(emission);
    new.push(File {
        path: rollout.folder.join(runbook::page_name(deploy)),
        contents: runbook::render_deploy(
            &runbook::Input {
                plan: &plan,
                target,
                emissions: &emissions,
                verify: &verify,
                folder: &rollout.folder,
                created: today,
                engine: &engine,
                author: state.author.as_deref(),
                reason: state.reason.as_deref(),
            },
            deploy,
        )?,
    });
    place::refuse_outside(repo, &new)?;
    let verify = verify.into_iter().map(|file| file.path).collect();
    Ok(Outcome {
        plan,
        target,
        emissions,
        folder: rollout.folder.clone(),
        name: state.name.clone(),
        new,
        changed,
        verify,
        warnings,
        deploy,
        schema_name: state.schema.from.clone(),
    })
}

/// Where deploy 1 was written: its models may not say so any more.
fn state_folder(state: &State) -> Option<PathBuf> {
    let file = state.deploys.first()?.files.first()?;
    Path::new(&file.path).parent().map(Path::to_path_buf)
}

/// Options that would say nothing.
fn refuse_idle(options: &Options, target: &dyn Target) -> Result<()> {
    if options.parent.is_some() && !target.names_parent() {
        return Err(Error::usage(format!("--parent says nothing to {}", target.title()))
            .note("what its next migration follows is read from the repository")
            .hint("leave it out"));
    }
    if options.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return Err(
            Error::usage("--name is empty").hint("leave it out, and the change gives the name")
        );
    }
    Ok(())
}

fn find_target(name: &str) -> Result<&'static dyn Target> {
    targets::target(name).ok_or_else(|| {
        let names: Vec<&str> = package::TARGETS.iter().map(|target| target.name()).collect();
        Error::usage(format!("`{name}` is not a target"))
            .hint(format!("one of {}", names.join(", ")))
    })
}

/// One file of queries a step, numbered through all deploys.
fn verification_files(plan: &Plan, folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for step in plan.deploys.iter().flat_map(|deploy| &deploy.steps) {
        if step.verify.is_empty() {
            continue;
        }
        let mut contents =
            format!("-- Expected: {}.\n", sql::expectation(&plan.server, &step.verify));
        let queries = sql::verification(&plan.server, &step.verify);
        for (at, query) in queries.iter().enumerate() {
            if at > 0 {
                contents.push('\n');
            }
            contents.push_str(query);
            contents.push_str(";\n");
        }
        let name = format!("{:02}_{}.sql", files.len() + 1, step.slug);
        files.push(File { path: folder.join("verify").join(name), contents });
    }
    files
}

fn new_state(
    options: &Options,
    plan: &Plan,
    catalog: &Catalog,
    intent: &Intent,
    emissions: &[Option<Emission>],
    slug: &str,
    name: &str,
) -> Result<State> {
    let today = options.now.date();
    let written = plan.deploys.iter().flat_map(|deploy| &deploy.steps).map(|step| &step.table);
    let read = intent.asked.iter().filter_map(|asked| asked.change.reads());
    let tables: BTreeSet<TableName> =
        written.chain(read.flat_map(|reads| &reads.tables)).cloned().collect();
    let whole: String = options.schema.iter().map(|source| source.text.as_str()).collect();
    let mut deploys = Vec::new();
    for (at, emission) in emissions.iter().enumerate() {
        let number = at + 1;
        deploys.push(DeployState {
            number,
            may_run: match (plan.policy.dual_write, number) {
                (_, 1) if plan.stops_old_code() => "none; new code once it is verified",
                (DualWrite::App, _) => runbook::releases::application(plan, at),
                (DualWrite::Trigger, 1) if plan.stops_old_code() => {
                    "none; new code once it is verified"
                }
                (DualWrite::Trigger, 1) if !plan.deploys[at].changes_database() => {
                    "old code, and new code beside it"
                }
                (DualWrite::Trigger, 1) => "old code; new code once it is verified",
                (DualWrite::Trigger, _) => "new code only",
            }
            .into(),
            waits_for: (number > 1).then(|| match &intent.keep {
                Some(keep) => format!("deploy {at} released, {}, no old code runs", keep.text),
                None => format!("deploy {at} released, no old code runs"),
            }),
            emitted: emission.as_ref().map(|_| rollout::day(today)),
            released: None,
            parent: emission.as_ref().and_then(|emission| emission.parent.clone()),
            files: emission.as_ref().map(file_states).unwrap_or_default(),
        });
    }
    let mut state = State {
        format: 1,
        name: name.to_owned(),
        created: rollout::day(today),
        target: options.target.clone(),
        server: options.server.to_string(),
        slug: slug.to_owned(),
        folder: options.folder.as_ref().map(|folder| folder.display().to_string()),
        author: options.author.clone(),
        reason: options.reason.clone(),
        sha256: String::new(),
        change: ChangeText { from: options.change.name.clone(), sql: options.change.text.clone() },
        facts: Facts {
            keep: intent.keep.as_ref().map(|keep| keep.text.clone()),
            ..options.facts.clone()
        },
        schema: SchemaText {
            from: options.schema_name.clone(),
            sha256: rollout::fingerprint(&whole),
            ddl: rollout::excerpt(
                &options.schema,
                &options.change.text,
                options.server.dialect,
                catalog,
                &intent.after,
                &tables,
            )?,
        },
        deploys,
    };
    state.sha256 = state.basis();
    Ok(state)
}

fn file_states(emission: &Emission) -> Vec<FileState> {
    emission
        .steps
        .iter()
        .flat_map(|step| &step.files)
        .map(|file| FileState {
            path: file.path.display().to_string(),
            sha256: rollout::fingerprint(&file.contents),
        })
        .collect()
}

/// Reads a schema: one file, or a folder of migrations in replay order.
pub fn read_schema(repo: &Repo, path: &Path) -> Result<Vec<Source>> {
    if repo.is_folder(path) {
        let mut files = Vec::new();
        for file in repo.walk(path)? {
            if file.extension().is_some_and(|extension| extension == "sql") {
                files.push(repo.read(&file)?);
            }
        }
        if files.is_empty() {
            return Err(Error::refused(format!("{} holds no .sql files", path.display()))
                .hint("`--schema FILE` names a dump: `pg_dump -s`, or `sqlite3 app.db .schema`"));
        }
        return input::folder::order(files);
    }
    match repo.find(path)? {
        Some(source) => Ok(vec![source]),
        None => Err(Error::refused(format!("there is no schema `{}`", path.display()))
            .hint("`--schema FILE` names a dump: `pg_dump -s`, or `sqlite3 app.db .schema`")),
    }
}
