//! Settings of a repository → its server.
//!
//! Enters: connection settings, compose files, the head of a dump. Leaves: a word such as
//! `postgres@15`, and which files name which server. A dump is of what runs, so it decides; where
//! settings contradict each other the user is asked. Of a connection only its scheme is looked at.
//! Must not know: what differs between servers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::schema::schema_file;
use super::settings::{properties, unquoted};
use super::{Repo, file_name};
use crate::source::Dialect;

/// How many bytes of a dump are asked for its version.
const HEAD: usize = 4096;

/// What a repository says of its server.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// `postgres@15`, or `sqlite` without a version; `None`: nothing is named, or several are.
    pub one: Option<String>,
    /// The settings that name each, the first file of each.
    pub named: BTreeMap<Dialect, PathBuf>,
}

/// The server, as far as the repository says, or `schema`, where that is a dump.
pub fn servers(repo: &Repo, schema: Option<&Path>) -> Servers {
    let mut named = Named::default();
    let mut versions = Versions::default();
    for path in settings(repo) {
        look(&path, &repo.glance(&path), &mut named, &mut versions);
    }
    let dump = schema.or_else(|| schema_file(repo).map(Path::new));
    let dumped = dump.and_then(|path| dumped(&repo.glance(path)));
    let images = versions.dialects();
    let Named(mut named) = named;
    // Both are reached by the same URL.
    if let Some(path) = named.remove(&Dialect::MySql) {
        let is_maria = images.contains(&Dialect::MariaDb) && !images.contains(&Dialect::MySql);
        named.insert(if is_maria { Dialect::MariaDb } else { Dialect::MySql }, path);
    }
    if let Some((dialect, version)) = dumped {
        return Servers { one: Some(format!("{}@{version}", dialect.name())), named };
    }
    if named.is_empty() {
        named =
            versions.0.iter().rev().map(|(dialect, _, path)| (*dialect, path.clone())).collect();
    }
    let mut candidates = named.keys();
    let one =
        candidates.next().filter(|_| candidates.next().is_none()).map(|dialect| {
            match versions.lowest(*dialect) {
                Some(version) => format!("{}@{version}", dialect.name()),
                None => dialect.name().to_owned(),
            }
        });
    Servers { one, named }
}

/// Files that may say which server it is.
fn settings(repo: &Repo) -> Vec<PathBuf> {
    let mut files = repo.walk("").unwrap_or_default();
    // Hidden, so not walked.
    let hidden = [repo.list(""), repo.list(".github/workflows")];
    for entry in hidden.into_iter().flatten().flatten() {
        if entry.path.to_string_lossy().starts_with('.')
            && !entry.is_folder
            && !files.contains(&entry.path)
        {
            files.push(entry.path);
        }
    }
    files.retain(|path| is_relevant(path));
    files
}

/// The first file that names each server.
#[derive(Default)]
struct Named(BTreeMap<Dialect, PathBuf>);

impl Named {
    fn extend(&mut self, dialects: impl IntoIterator<Item = Dialect>, path: &Path) {
        for dialect in dialects {
            self.0.entry(dialect).or_insert_with(|| path.to_owned());
        }
    }
}

fn is_relevant(path: &Path) -> bool {
    let name = file_name(path);
    let is_yaml = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
    let is_settings =
        name.contains("settings") || path.parent().is_some_and(|up| file_name(up) == "settings");
    let is_test = path.components().any(|part| part.as_os_str().to_string_lossy().contains("test"));
    let is_python = path.extension().is_some_and(|end| end == "py");
    !is_test
        && (name == "alembic.ini"
            || name.starts_with(".env")
            || name.starts_with("flyway")
            || name.starts_with("application") && (is_yaml || name.ends_with(".properties"))
            || is_yaml && (name.contains("compose") || path.starts_with(".github"))
            || is_python && is_settings)
}

/// Versions that images of servers have.
#[derive(Default)]
struct Versions(Vec<(Dialect, Option<String>, PathBuf)>);

impl Versions {
    fn dialects(&self) -> BTreeSet<Dialect> {
        self.0.iter().map(|(dialect, ..)| *dialect).collect()
    }

    /// A plan for the older one is right for both.
    fn lowest(&self, dialect: Dialect) -> Option<String> {
        let numbers = |version: &String| -> Vec<u32> {
            version.split('.').filter_map(|part| part.parse().ok()).collect()
        };
        let of_dialect = self.0.iter().filter(|(of, ..)| *of == dialect);
        of_dialect.filter_map(|(_, version, _)| version.clone()).min_by_key(numbers)
    }
}

fn look(path: &Path, text: &str, named: &mut Named, versions: &mut Versions) {
    if file_name(path).starts_with(".env") {
        for (key, value) in properties(text) {
            if key.contains("DATABASE") || key.contains("DB_") || key == "FLYWAY_URL" {
                named.extend(scheme(&value), path);
            }
        }
        return;
    }
    let is_python = path.extension().is_some_and(|end| end == "py");
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        if is_python {
            named.extend(literals(line).filter_map(|text| engine(text).or(scheme(text))), path);
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let key = unquoted(key.trim_start_matches('-').trim()).to_lowercase();
        let value = unquoted(value.trim().trim_end_matches(','));
        if key == "image" {
            versions
                .0
                .extend(image(value).map(|(dialect, version)| (dialect, version, path.into())));
        } else if key.contains("url") || key.contains("uri") {
            named.extend(scheme(value), path);
        }
    }
}

/// The texts in quotes on a line of Python, near enough for settings.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split(['"', '\'']).skip(1).step_by(2)
}

/// The server a URL is for: `postgresql+psycopg://…`, `jdbc:mysql://…`.
fn scheme(url: &str) -> Option<Dialect> {
    let mut url = url;
    // `${DB_URL:jdbc:…}` and `${DB_URL:-…}`: what holds where the variable is not set.
    while let Some((_, default)) = url.strip_prefix("${").and_then(|rest| rest.split_once(':')) {
        url = default.strip_prefix('-').unwrap_or(default);
    }
    let url = ["jdbc:", "r2dbc:"].iter().find_map(|way| url.strip_prefix(way)).unwrap_or(url);
    let (scheme, _) = url.split_once(':')?;
    match scheme.split_once('+').map_or(scheme, |(server, _)| server) {
        "postgres" | "postgresql" | "postgis" => Some(Dialect::Postgres),
        "mysql" => Some(Dialect::MySql),
        "mariadb" => Some(Dialect::MariaDb),
        "sqlite" | "sqlite3" => Some(Dialect::Sqlite),
        _ => None,
    }
}

/// The server of a Django `ENGINE`, of whichever library it is.
fn engine(engine: &str) -> Option<Dialect> {
    if !engine.contains("backend") {
        return None;
    }
    [
        ("postg", Dialect::Postgres),
        ("psqlextra", Dialect::Postgres),
        ("mysql", Dialect::MySql),
        ("sqlite", Dialect::Sqlite),
    ]
    .into_iter()
    .find(|(word, _)| engine.contains(word))
    .map(|(_, dialect)| dialect)
}

/// The server and the version of `postgres:15.3-alpine` or `timescale/timescaledb:2.1-pg15`.
fn image(image: &str) -> Option<(Dialect, Option<String>)> {
    let (path, tag) = match image.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (image, ""),
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let dialect = match name {
        "postgres" | "postgresql" | "postgis" | "pgvector" => Dialect::Postgres,
        _ if name.starts_with("timescaledb") => Dialect::Postgres,
        "mysql" | "mysql-server" => Dialect::MySql,
        "mariadb" => Dialect::MariaDb,
        _ => return None,
    };
    let number = |text: &str| {
        let end = text
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(text.len());
        Some(text[..end].trim_end_matches('.').to_owned()).filter(|number| !number.is_empty())
    };
    let version = match tag.split_once("pg") {
        Some((_, after)) => number(after),
        None if name.starts_with("timescaledb") => None,
        None => number(tag),
    };
    Some((dialect, version.map(|version| release(dialect, &version))))
}

/// As much of a version as tells releases apart: `15` of PostgreSQL 15.3, `8.0` of MySQL 8.0.36.
fn release(dialect: Dialect, version: &str) -> String {
    let parts = match dialect {
        Dialect::Postgres => 1,
        _ => 2,
    };
    let parts: Vec<_> = version.split('.').take(parts).collect();
    parts.join(".")
}

/// The server a dump says it is of, in its head.
fn dumped(text: &str) -> Option<(Dialect, String)> {
    let end = (0..=HEAD.min(text.len())).rev().find(|end| text.is_char_boundary(*end))?;
    text[..end].lines().find_map(|line| {
        let (dialect, rest) =
            if let Some(rest) = line.strip_prefix("-- Dumped from database version ") {
                (Dialect::Postgres, rest)
            } else {
                let rest = line.strip_prefix("-- Server version")?.trim_start();
                let is_maria = rest.contains("MariaDB");
                (if is_maria { Dialect::MariaDb } else { Dialect::MySql }, rest)
            };
        let end = rest
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(rest.len());
        let version = release(dialect, rest[..end].trim_end_matches('.'));
        (!version.is_empty()).then_some((dialect, version))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::repo;
    use super::*;

    fn of(files: &[(&str, &str)]) -> Option<String> {
        servers(&repo(files).repo, None).one
    }

    #[test]
    fn connections_say_which_server_it_is() {
        for (path, text, expected) in [
            (
                "alembic.ini",
                "[alembic]\nsqlalchemy.url = postgresql+psycopg2://u:p@h/db\n",
                "postgres",
            ),
            ("backend/alembic.ini", "sqlalchemy.url = sqlite:///app.db\n", "sqlite"),
            ("site/settings.py", "    'ENGINE': 'django.db.backends.postgresql',\n", "postgres"),
            (
                "site/settings/prod.py",
                "DATABASES = {'default': dj_database_url.config(default=\"postgres://h/db\")}\n",
                "postgres",
            ),
            ("site/settings/base.py", "\"ENGINE\": \"django.db.backends.mysql\",\n", "mysql"),
            (".env", "export DATABASE_URL=\"postgres://localhost/x\"\n", "postgres"),
            (".env.example", "DATABASE_URL=sqlite:dev.db\n", "sqlite"),
            ("flyway.toml", "[environments.default]\nurl = \"jdbc:mariadb://h/db\"\n", "mariadb"),
            ("flyway.conf", "flyway.url=jdbc:postgresql://h/db\n", "postgres"),
            ("src/main/resources/application.yml", "    url: jdbc:mysql://h/db\n", "mysql"),
            (
                "src/main/resources/application.properties",
                "spring.datasource.url=${DB_URL:jdbc:postgresql://localhost:5432/x}\n",
                "postgres",
            ),
            (
                "src/main/resources/application-dev.yml",
                "    url: \"${DB_URL:${OTHER_URL:r2dbc:postgresql://localhost:5432/x}}\"\n",
                "postgres",
            ),
            (".env", "DATABASE_URL=${URL:-sqlite:dev.db}\n", "sqlite"),
        ] {
            assert_eq!(of(&[(path, text)]).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn images_and_dumps_say_which_version() {
        let env = (".env", "DATABASE_URL=postgres://h/x");
        let compose = |image: &'static str| ("docker-compose.yml", image);
        for (image, expected) in [
            ("  image: postgres:15.3-alpine", "postgres@15"),
            ("  image: \"postgis/postgis:16-3.4\"", "postgres@16"),
            ("  image: timescale/timescaledb:2.14.2-pg15", "postgres@15"),
            ("  image: timescale/timescaledb:latest", "postgres"),
            ("  image: host:5000/postgres", "postgres"),
            ("  image: postgres:${PG}", "postgres"),
            ("  image: postgres:16\n  - image: postgres:9\n  image: mysql:8", "postgres@9"),
        ] {
            assert_eq!(of(&[env, compose(image)]).as_deref(), Some(expected), "{image}");
        }
        assert_eq!(of(&[compose("image: mysql:8.0.36")]).as_deref(), Some("mysql@8.0"));
        let url = (".env", "DATABASE_URL=mysql://h/x");
        assert_eq!(of(&[url, compose("image: mariadb:10.11")]).as_deref(), Some("mariadb@10.11"));
        let ci = (".github/workflows/ci.yml", "      postgres:\n        image: postgres:14\n");
        assert_eq!(of(&[ci]).as_deref(), Some("postgres@14"));

        let dump = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 12.9 (Debian)\n";
        assert_eq!(
            of(&[("db/schema.sql", dump), compose("image: postgres:15")]).as_deref(),
            Some("postgres@12")
        );
        let dump = "-- MySQL dump 10.13\n--\n-- Server version\t8.0.36\n";
        assert_eq!(of(&[("schema.sql", dump)]).as_deref(), Some("mysql@8.0"));
        let dump = "-- Server version\t10.11.6-MariaDB\n";
        assert_eq!(of(&[("schema.sql", dump)]).as_deref(), Some("mariadb@10.11"));
    }

    #[test]
    fn a_dump_decides() {
        let env = (".env", "DATABASE_URL=postgres://h/x\nOLD_DATABASE_URL=sqlite:x\n");
        let dump = "-- Dumped from database version 15.4\n";
        assert_eq!(of(&[env, ("schema.sql", dump)]).as_deref(), Some("postgres@15"));
        let made = repo(&[env, ("other/now.sql", dump), ("schema.sql", "")]);
        let given = servers(&made.repo, Some(Path::new("other/now.sql")));
        assert_eq!(given.one.as_deref(), Some("postgres@15"));
        let whole = made.repo.root().join("other/now.sql");
        assert_eq!(servers(&made.repo, Some(&whole)).one.as_deref(), Some("postgres@15"));
        let of_other = servers(&made.repo, None);
        assert_eq!(of_other.one, None);
        assert_eq!(
            of_other.named.keys().map(|d| d.name()).collect::<Vec<_>>(),
            ["postgres", "sqlite"]
        );
    }

    #[test]
    fn a_contradiction_or_nothing_is_left_to_the_user() {
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[("alembic.ini", "sqlalchemy.url = driver://user:pass@localhost/dbname\n")]),
            None
        );
        let both = "DATABASE_URL=postgres://h/x\nOLD_DATABASE_URL=sqlite:x\n";
        assert_eq!(of(&[(".env", both)]), None);
        assert_eq!(of(&[("docker-compose.yml", "image: postgres:15\nimage: mysql:8\n")]), None);
        // What only tests use does not count.
        let tests = ("site/settings_test.py", "'ENGINE': 'django.db.backends.sqlite3',");
        let site = ("site/settings.py", "'ENGINE': 'django.db.backends.postgresql',");
        assert_eq!(of(&[site, tests]).as_deref(), Some("postgres"));
    }
}
