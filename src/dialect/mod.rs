//! What a server can do, and what it costs.
//!
//! Enters: a server and its version. Leaves: [`Fact`] rows, each with the source it was read or
//! measured in. Must not know: rules, statements. A missing row is a refusal, never a guess.

pub mod compose;
pub mod functions;
mod postgres;
pub mod quote;
pub mod references;
pub mod reserved;
mod sqlite;
pub mod type_change;
pub mod types;

use std::fmt;

use serde::Serialize;

use crate::catalog::{self, Catalog};
use crate::error::{Error, Result};
pub use crate::source::Dialect;
use crate::source::Source;

/// Major, minor, patch; missing parts are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u16; 3]);

/// A server to plan for: `postgres@15`, `sqlite@3.45`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    pub dialect: Dialect,
    pub version: Version,
    /// Names of the default schema are written with it: the change says `public.`, and what a name
    /// alone means is up to the search path of who runs a file.
    pub names_schema: bool,
}

/// What a step asks of a server. Conditions that depend on the table (a constant or a volatile
/// default, a proven or an unproven NOT NULL) are actions of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    AddColumn,
    AddColumnConstantDefault,
    AddColumnStableDefault,
    /// Inline REFERENCES on a column whose existing rows are NULL.
    AddColumnReferences,
    /// Every row gets a value of its own: it numbers or computes itself, and keeps what it computed.
    AddColumnRewrite,
    /// Computed when it is read.
    AddColumnVirtual,
    /// LIKE against a text whose collation is not deterministic.
    LikeNondeterministic,
    /// A filled, required column becomes an identity, or is one no longer.
    SetIdentity,
    AddCheckNotValid,
    Comment,
    /// Its lock is on the new table, which nobody uses.
    CreateTable,
    /// What its foreign keys take on the tables they point to.
    CreateTableReferences,
    DropTable,
    /// What dropping its foreign keys takes on the tables they point to.
    DropTableReferences,
    ValidateCheck,
    AddForeignKeyNotValid,
    ValidateForeignKey,
    /// The same, and what it takes on the table the key points to.
    ValidateForeignKeyParent,
    SetNotNullProven,
    DropNotNull,
    SetDefault,
    /// A change that the catalog alone carries out.
    SetTypeFree,
    SetTypeRewrite,
    DropDefault,
    DropColumn,
    /// Indexes of the column go with it; elsewhere they stand in its way.
    DropColumnTakesIndexes,
    DropConstraint,
    RenameColumn,
    RenameTable,
    /// A view of one table takes its name: reads and writes of rows go through it.
    ViewStandsIn,
    /// The same, with the rights and row security of whoever uses it.
    ViewAsInvoker,
    DropView,
    RenameConstraint,
    /// A NOT NULL has a name, which does not follow its column's.
    RenameNotNull,
    RenameIndex,
    CreateIndex,
    CreateIndexOnline,
    DropIndex,
    DropIndexOnline,
    UniqueUsingIndex,
    CreateTrigger,
    /// A trigger may change the row before it is stored and checked.
    TriggerSetsNew,
    DropTrigger,
    /// One batch of rows that are filled, copied or deleted.
    UpdateBatch,
    /// Reading the rows of a range of pages, and no other page.
    PageRange,
    /// The same in one statement, for all rows that need it.
    UpdateAll,
    /// A few rows that the change itself lists.
    WriteFew,
    /// Create, copy, drop, rename.
    Rebuild,
    /// Reading all rows.
    Scan,
}

/// Who waits while a lock is held; ordered, so that a step has a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    Nothing,
    /// Only other DDL and vacuum.
    Ddl,
    /// Writers of the rows at hand.
    Rows,
    Writes,
    Everything,
}

/// What the server has to touch while it holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Metadata,
    /// A few rows that the change itself lists.
    Few,
    /// The rows of a batch.
    Batch,
    Scan,
    Rewrite,
}

/// Whether the statement may run in a transaction block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tx {
    Inside,
    Outside,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Fact {
    pub action: Action,
    #[serde(serialize_with = "version_text")]
    pub since: Version,
    /// First version for which the row no longer holds.
    #[serde(serialize_with = "optional_version_text")]
    pub before: Option<Version>,
    /// The server's own name of the strongest lock on the table.
    pub lock: &'static str,
    pub blocks: Blocks,
    pub work: Work,
    pub transaction: Tx,
    pub source: &'static str,
}

/// Of lock modes of one server, the greater is the stronger.
pub fn strength(mode: &str) -> Option<usize> {
    postgres::LOCK_MODES.iter().position(|known| *known == mode)
}

/// The answer to "can this server do that in place?".
#[derive(Debug, Clone)]
pub enum Verdict {
    Yes(&'static Fact),
    No { why: String },
}

impl Version {
    pub const fn new(major: u16, minor: u16) -> Version {
        Version([major, minor, 0])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        match (minor, patch) {
            (0, 0) => write!(f, "{major}"),
            (_, 0) => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

fn version_text<S: serde::Serializer>(version: &Version, to: S) -> Result2<S> {
    to.collect_str(version)
}

#[allow(clippy::ref_option, reason = "the signature serde asks for")]
fn optional_version_text<S: serde::Serializer>(version: &Option<Version>, to: S) -> Result2<S> {
    match version {
        Some(version) => to.collect_str(version),
        None => to.serialize_none(),
    }
}

type Result2<S> =
    std::result::Result<<S as serde::Serializer>::Ok, <S as serde::Serializer>::Error>;

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.dialect.name(), self.version)
    }
}

impl Server {
    /// Reads `postgres@15`; without a version the oldest one that the facts cover is meant, for
    /// what is safe there is safe later.
    pub fn parse(text: &str) -> Result<Server> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let dialect = match name {
            "postgres" | "postgresql" | "pg" => Dialect::Postgres,
            "mysql" => Dialect::MySql,
            "mariadb" => Dialect::MariaDb,
            "sqlite" => Dialect::Sqlite,
            _ => {
                return Err(Error::usage(format!("`{text}` is not a server miggen knows"))
                    .hint("`--server postgres@15` or `--server sqlite@3.45`"));
            }
        };
        let version = match version {
            None => oldest(dialect),
            Some(text) => parse_version(text)?,
        };
        let server = Server { dialect, version, names_schema: false };
        if version < oldest(dialect) {
            return Err(Error::refused(format!(
                "miggen has no facts for {server}: the oldest it knows is {}",
                Server { version: oldest(dialect), ..server }
            )));
        }
        Ok(server)
    }

    /// The schema as this server keeps it, and what did not fit.
    pub fn catalog(&self, sources: &[Source]) -> Result<(Catalog, Vec<String>)> {
        let (mut catalog, problems) = catalog::build(sources, self.dialect)?;
        if !self.can(Action::RenameNotNull) {
            catalog.forget_not_null_names();
        }
        Ok((catalog, problems))
    }

    /// Settings by which a role, a database or the server cuts off what waits or takes long.
    /// Source: manual, Client Connection Defaults; release notes of 17.
    pub fn timeouts(&self) -> &'static [&'static str] {
        match self.dialect {
            Dialect::Postgres if self.version >= Version::new(17, 0) => {
                &["lock_timeout", "statement_timeout", "transaction_timeout"]
            }
            Dialect::Postgres => &["lock_timeout", "statement_timeout"],
            Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => &[],
        }
    }

    /// The newest version that the facts were measured on, where this one is newer.
    pub fn newest_measured(&self) -> Option<Server> {
        let newest = match self.dialect {
            Dialect::Postgres => postgres::NEWEST,
            Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => return None,
        };
        (self.version.0[0] > newest.0[0]).then_some(Server { version: newest, ..*self })
    }

    /// The server's name as people write it, with its version: `PostgreSQL 15`.
    pub fn title(&self) -> String {
        format!("{} {}", self.dialect.title(), self.version)
    }

    /// All rows that hold for this server.
    pub fn facts(&self) -> impl Iterator<Item = &'static Fact> + use<> {
        let version = self.version;
        facts(self.dialect).iter().filter(move |fact| {
            fact.since <= version && fact.before.is_none_or(|before| version < before)
        })
    }

    pub fn verdict(&self, action: Action) -> Verdict {
        if let Some(fact) = self.facts().find(|fact| fact.action == action) {
            return Verdict::Yes(fact);
        }
        let why = match facts(self.dialect).iter().find(|fact| fact.action == action) {
            Some(fact) => format!("needs {} {}", self.dialect.name(), fact.since),
            None => format!("{} has no such thing", self.title()),
        };
        Verdict::No { why }
    }

    /// What to say where a newer version could.
    pub fn with_newer(&self, error: Error) -> Error {
        let oldest = oldest(self.dialect);
        let error = if self.version == oldest {
            error.note(format!(
                "planned for {}, the oldest that is known, which is assumed where no version is given",
                self.title()
            ))
        } else {
            error.note(format!("planned for {}", self.title()))
        };
        error.hint(match self.dialect {
            Dialect::Sqlite => "`--server sqlite@3.45`: the version that runs, with its number",
            _ => "`--server postgres@15`: the version that runs, with its number",
        })
    }

    pub fn can(&self, action: Action) -> bool {
        matches!(self.verdict(action), Verdict::Yes(_))
    }
}

fn facts(dialect: Dialect) -> &'static [Fact] {
    match dialect {
        Dialect::Postgres => postgres::FACTS,
        Dialect::Sqlite => sqlite::FACTS,
        // Their rows come with their rules; until then every action is refused.
        Dialect::MySql | Dialect::MariaDb => &[],
    }
}

fn oldest(dialect: Dialect) -> Version {
    match dialect {
        Dialect::Postgres => postgres::OLDEST,
        Dialect::Sqlite => sqlite::OLDEST,
        Dialect::MySql | Dialect::MariaDb => Version::new(0, 0),
    }
}

fn parse_version(text: &str) -> Result<Version> {
    let mut parts = [0_u16; 3];
    for (count, part) in text.split('.').enumerate() {
        let number = part.parse().ok().filter(|_| count < 3);
        let Some(number) = number else {
            return Err(Error::usage(format!("`{text}` is not a version"))
                .hint("write it as `15`, `15.4` or `3.45.1`"));
        };
        parts[count] = number;
    }
    Ok(Version(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECTS: [Dialect; 4] =
        [Dialect::Postgres, Dialect::MySql, Dialect::MariaDb, Dialect::Sqlite];

    #[test]
    fn every_fact_has_a_source() {
        for fact in DIALECTS.iter().flat_map(|dialect| facts(*dialect)) {
            assert!(fact.source.len() > 10, "{:?} has no source", fact.action);
        }
    }

    #[test]
    fn no_two_rows_answer_for_the_same_version() {
        for dialect in DIALECTS {
            let rows = facts(dialect);
            for (index, a) in rows.iter().enumerate() {
                for b in rows[index + 1..].iter().filter(|b| b.action == a.action) {
                    let apart = a.before.is_some_and(|before| before <= b.since)
                        || b.before.is_some_and(|before| before <= a.since);
                    assert!(apart, "{:?} of {} overlaps", a.action, dialect.name());
                }
            }
        }
    }

    #[test]
    fn servers_are_read_and_printed() {
        for text in ["postgres@15", "sqlite@3.45", "sqlite@3.40.1"] {
            assert_eq!(Server::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Server::parse("postgres").unwrap().to_string(), "postgres@12");
        assert!(Server::parse("postgres@9.6").is_err());
        assert!(Server::parse("postgres@x").is_err());
        assert!(Server::parse("oracle").is_err());
    }

    #[test]
    fn a_missing_row_says_why() {
        let old = Server::parse("sqlite@3.31").unwrap();
        let Verdict::No { why } = old.verdict(Action::DropColumn) else { panic!() };
        assert_eq!(why, "needs sqlite 3.35");
        let Verdict::No { why } = old.verdict(Action::TriggerSetsNew) else { panic!() };
        assert_eq!(why, "SQLite 3.31 has no such thing");
    }
}
