//! The command line: arguments → options, outcomes → text or JSON.
//!
//! Enters: arguments, environment, clock, standard input. Leaves: an exit code. The only station
//! that names clap, reads the environment, or prints. Data goes to stdout, talk to stderr.

mod args;
mod json;
mod rollouts;
mod root;
mod settings;
mod summary;

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use chrono::{DateTime, NaiveDateTime};
use clap::Parser;

use crate::dialect::Server;
use crate::error::{Error, Result};
use crate::generate::{self, Options, Outcome};
use crate::repo::{self, Framework, Repo, Servers};
use crate::rollout::{self, Facts};
use crate::source::Source;

use args::{Args, Command, Format, PlanArgs};
use settings::Settings;

/// Runs miggen and returns its exit code.
pub fn main() -> u8 {
    let args = match Args::try_parse_from(arguments()) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            if args.format() == Format::Json {
                data(&json::error(&error).unwrap_or_default());
            }
            complain(&error);
            error.exit_code()
        }
    }
}

fn complain(error: &Error) {
    let colour = std::io::stderr().is_terminal() && environment("NO_COLOR").is_none();
    talk(&error.render(colour));
}

/// SQL may begin with a comment, which looks like an option.
fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(|argument| match argument.to_str() {
        Some(text) if text.starts_with("-- ") => format!(" {text}").into(),
        _ => argument,
    })
}

fn run(args: &Args) -> Result<u8> {
    match &args.command {
        None => plan(&args.plan),
        Some(Command::Next { rollout, common }) => {
            let repo = root::find(common.out.as_deref())?;
            let now = now()?;
            let rollout = rollouts::find(&repo, rollout.as_deref(), now.date())?;
            let outcome = generate::next(&repo, &rollout, now)?;
            finish(&repo, &outcome, common.dry_run, common.format)
        }
        Some(Command::Status { check, out, format }) => {
            rollouts::status(&root::find(out.as_deref())?, *check, *format, now()?.date())
        }
        Some(Command::Facts { server, format }) => {
            let server = Server::parse(server)?;
            data(&match format {
                Format::Json => json::facts(&server)?,
                Format::Text => summary::facts(&server),
            });
            Ok(0)
        }
    }
}

fn plan(args: &PlanArgs) -> Result<u8> {
    let repo = root::find(args.common.out.as_deref())?;
    let options = options(&repo, args)?;
    let mut outcome = generate::first(&options)?;
    outcome.warnings.extend(other_engines(&repo, &options));
    finish(&repo, &outcome, args.common.dry_run, args.common.format)
}

/// What was typed, what `miggen.toml` says, what the repository shows: in this order.
fn options(repo: &Repo, args: &PlanArgs) -> Result<Options> {
    let settings = Settings::read(repo)?;
    let Some(change) = &args.change else {
        return Err(Error::usage("no change is given")
            .hint("miggen \"ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false\"")
            .hint("miggen change.sql, or `-` for standard input"));
    };
    let change = read_change(change)?;
    let target = match args.target.clone().or(settings.target) {
        Some(target) => target,
        None => repo::detect(repo)?.name().to_owned(),
    };
    let folder = args.dir.clone().or(settings.dir);
    let schema = args.schema.clone().or(settings.schema);
    // What is typed is meant from here; what is configured, from the repository's root.
    let schema_path = match &args.schema {
        Some(typed) if typed.exists() => {
            let whole = std::path::absolute(typed).unwrap_or_else(|_| typed.clone());
            Some(whole.strip_prefix(repo.root()).map(Path::to_path_buf).unwrap_or(whole))
        }
        _ => schema.clone(),
    };
    let server = match args.server.clone().or(settings.server) {
        Some(server) => server,
        None => found_server(&repo::servers(repo, schema_path.as_deref()))?,
    };
    let server = Server::parse(&server)?;
    let (schema, schema_path) = if let (Some(schema), Some(path)) = (schema, schema_path) {
        (schema, path)
    } else {
        let found = repo::schema(repo, Some(&target), folder.as_deref())?.ok_or_else(no_schema)?;
        (found.clone(), found)
    };
    let mut rows = settings.rows;
    let mut typed_rows = Vec::new();
    for fact in &args.rows {
        let (table, count) = parse_rows(fact)?;
        typed_rows.push(table.clone());
        rows.extend([(table, count)]);
    }
    let downtime = args.downtime.clone().or(settings.downtime).unwrap_or_else(|| "none".into());
    Ok(Options {
        repo: repo.clone(),
        target,
        server,
        change,
        schema: generate::read_schema(repo, &schema_path)?,
        schema_name: schema.display().to_string(),
        facts: Facts {
            downtime,
            dual_write: args.dual_write.clone().filter(|who| who != "trigger"),
            archive: args.archive,
            backfill: args.backfill.clone().filter(|place| place != "migration"),
            keep: None,
            rows,
        },
        typed_rows,
        keep: args.keep.as_deref().map(generate::parse_keep).transpose()?,
        name: args.name.clone(),
        author: args.author.clone().or(settings.author),
        reason: args.reason.clone(),
        folder,
        parent: args.parent.clone(),
        now: now()?,
        all: args.all,
    })
}

fn no_schema() -> Error {
    Error::refused("nothing says what the schema is now")
        .note("columns, keys, indexes and triggers decide what is safe")
        .hint("`pg_dump -s > schema.sql` or `sqlite3 app.db .schema > schema.sql`, then `--schema schema.sql`")
}

/// The one that the repository names.
fn found_server(servers: &Servers) -> Result<String> {
    const HINT: &str =
        "`--server postgres@15` or `--server sqlite@3.45`, or `server = …` in miggen.toml";
    if let Some(one) = &servers.one {
        return Ok(one.clone());
    }
    if servers.named.len() > 1 {
        let named: Vec<String> = servers
            .named
            .iter()
            .map(|(dialect, path)| format!("{} ({})", dialect.name(), repo::name(path)))
            .collect();
        return Err(Error::refused("more than one server is named here")
            .note(named.join(", "))
            .hint(HINT)
            .hint("a dump decides as well: `pg_dump -s > schema.sql`"));
    }
    Err(Error::refused("nothing says which server this is for")
        .note("the plan depends on it: PostgreSQL 12 and SQLite need different steps")
        .hint(HINT))
}

/// Django's operations go with any engine, SQL does not.
fn other_engines(repo: &Repo, options: &Options) -> Option<String> {
    if options.target != Framework::Django.name() {
        return None;
    }
    let own = options.server.dialect;
    let named = repo::servers(repo, None).named;
    let (other, path) = named.iter().find(|(dialect, path)| {
        **dialect != own && path.extension().is_some_and(|end| end == "py")
    })?;
    Some(format!(
        "{} names {} as well: these migrations run on {} only",
        repo::name(path),
        other.title(),
        own.title()
    ))
}

/// SQL, the path of a file that holds it, or `-`.
fn read_change(given: &str) -> Result<Source> {
    if given == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Error::refused(format!("standard input cannot be read: {error}")))?;
        return text("standard input", bytes);
    }
    let path = Path::new(given);
    let is_path = !given.contains(char::is_whitespace)
        && (path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
            || path.is_file());
    if is_path {
        let bytes = std::fs::read(path)
            .map_err(|error| Error::refused(format!("{given} cannot be read: {error}")))?;
        return text(given, bytes);
    }
    Ok(Source::new("argument", given))
}

fn text(name: &str, bytes: Vec<u8>) -> Result<Source> {
    String::from_utf8(bytes).map(|text| Source::new(name, text)).map_err(|error| {
        Error::refused(format!(
            "{name} is not UTF-8: byte {} cannot be read",
            error.utf8_error().valid_up_to() + 1
        ))
        .hint("convert it first: `iconv -f LATIN1 -t UTF-8`")
    })
}

/// `users=40M`, `public.users=1_200`.
fn parse_rows(fact: &str) -> Result<(String, u64)> {
    let wrong = || {
        Error::usage(format!("`{fact}` does not say how many rows a table has"))
            .hint("`--rows users=40M`: a number, with K, M or G")
    };
    let (table, count) = fact.split_once('=').ok_or_else(wrong)?;
    let count = count.replace('_', "");
    let (digits, unit) = match count.char_indices().last() {
        Some((at, 'k' | 'K')) => (&count[..at], 1_000.0),
        Some((at, 'm' | 'M')) => (&count[..at], 1e6),
        Some((at, 'g' | 'G')) => (&count[..at], 1e9),
        _ => (count.as_str(), 1.0),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    if !(0.0..1e15).contains(&number) || table.is_empty() {
        return Err(wrong());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok((table.to_owned(), (number * unit) as u64))
}

fn finish(repo: &Repo, outcome: &Outcome, dry_run: bool, format: Format) -> Result<u8> {
    if !dry_run {
        rollout::write_all(repo.root(), &outcome.new, &outcome.changed)?;
    }
    for warning in &outcome.warnings {
        talk(&format!("warning: {warning}\n"));
    }
    match format {
        Format::Json => data(&json::outcome(outcome, dry_run)?),
        Format::Text if dry_run => data(&summary::dry_run(outcome)),
        Format::Text => talk(&summary::written(outcome)),
    }
    Ok(0)
}

/// The clock, read once; `SOURCE_DATE_EPOCH` stands in for it.
fn now() -> Result<NaiveDateTime> {
    let seconds = match environment("SOURCE_DATE_EPOCH") {
        Some(text) => {
            Some(text.parse::<i64>().ok().and_then(|s| DateTime::from_timestamp(s, 0)).ok_or_else(
                || {
                    Error::usage(format!("SOURCE_DATE_EPOCH is `{text}`, not a time"))
                        .hint("seconds since 1970, as `date +%s` prints them")
                },
            )?)
        }
        None => None,
    };
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    let now = seconds.unwrap_or_else(chrono::Utc::now);
    Ok(now.naive_utc())
}

#[allow(clippy::disallowed_methods, reason = "this is the place")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A closed pipe is the reader's decision, not an error.
fn data(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn talk(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
