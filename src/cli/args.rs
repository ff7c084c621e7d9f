//! What can be typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes:
  0   done; or, with `status --check`, nothing is overdue
  1   refused: the message says where and what to do; nothing was written
  2   the command line is wrong
  70  a bug of miggen; nothing was written";

const EXAMPLES: &str = "\
Examples:
  miggen --target alembic \"ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false\"
  miggen --server postgres@15 --schema schema.sql --rows users=40M change.sql
  python manage.py sqlmigrate shop 0042 | miggen --target django -
  miggen next        the following deploy, when its time has come
  miggen status      what each rollout waits for";

/// Turns a naive schema change into a safe, zero-downtime rollout: migration files for your
/// framework, one deploy at a time, with a runbook.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

impl Args {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            None => self.plan.common.format,
            Some(Command::Next { common, .. }) => common.format,
            Some(Command::Status { format, .. } | Command::Facts { format, .. }) => *format,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the next deploy of a rollout against the repository as it is now
    Next {
        /// Name of the rollout, or its folder, where several wait
        rollout: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// List rollouts and what each waits for
    Status {
        /// Exit with 1 when a deploy is overdue, or this is no root of a repository
        #[arg(long)]
        check: bool,
        /// Root of the repository [default: nearest folder upwards with miggen.toml or rollouts]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show what miggen knows of a server: locks, work, and where that was read or measured
    Facts {
        /// `postgres@15`, `sqlite@3.45`
        #[arg(long, value_name = "SERVER")]
        server: String,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct PlanArgs {
    /// The change as naive SQL, a .sql file, or `-` for standard input
    pub(super) change: Option<String>,
    /// Framework to write for: alembic, flyway, django, sqlx, raw [default: what the repository shows]
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// Server to plan for: postgres@15, sqlite@3.45 [default: what the repository shows]
    #[arg(long, value_name = "SERVER")]
    pub(super) server: Option<String>,
    /// The schema as it is now: a dump, or a folder of SQL migrations [default: schema.sql and the like]
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) schema: Option<PathBuf>,
    /// Rows of a table, for durations: users=40M; may be given several times
    #[arg(long, value_name = "TABLE=N")]
    pub(super) rows: Vec<String>,
    /// Downtime that is allowed: none, 5m, any [default: none]
    #[arg(long, value_name = "TIME")]
    pub(super) downtime: Option<String>,
    /// Where rows are filled, copied or deleted: in a migration, or in a job that you run by hand
    /// and the migration asserts: migration, job [default: migration]
    #[arg(long, value_name = "WHERE")]
    pub(super) backfill: Option<String>,
    /// Who writes the old and the new form while both are in use: trigger, app [default: trigger]
    #[arg(long, value_name = "WHO")]
    pub(super) dual_write: Option<String>,
    /// Keep what the last deploy drops in a table beside
    #[arg(long)]
    pub(super) archive: bool,
    /// How long what the last deploy drops stays at least: 30d [default: until no old code runs]
    #[arg(long, value_name = "DAYS")]
    pub(super) keep: Option<String>,
    /// Name of the rollout, of its folder and files [default: from the change]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Named in the runbook and, where a template places it, in files
    #[arg(long)]
    pub(super) author: Option<String>,
    /// Why the change is made, for the runbook
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// Folder of the migrations [default: what the framework's settings say]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// What the first file follows, where the repository does not say it plainly (Alembic)
    #[arg(long, value_name = "ID")]
    pub(super) parent: Option<String>,
    /// Write every deploy at once, for those who run files by hand; not where something is kept
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Common {
    /// Root of the repository [default: nearest folder upwards with miggen.toml or rollouts]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}
