//! Flyway's settings → how its command line is called.
//!
//! Enters: the settings files. Leaves: [`Cli`]. The command reads its own files alone, and of those
//! only the ones where it is run: what Maven, Gradle or Spring know, it is told. Must not know:
//! migrations' names.

use std::path::{Path, PathBuf};

use super::super::{file_name, name};
use super::config::Page;

/// How `flyway` is called for a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cli {
    /// Where it is run, relative to the root.
    pub home: PathBuf,
    /// What it is given beside its command.
    pub options: Vec<String>,
    /// A file that it reads says which database is meant.
    pub names_database: bool,
    /// A file that it reads turns the lock off that makes a concurrent index wait for ever.
    pub lock_disabled: bool,
}

impl Cli {
    /// `folder` is where the next migration goes, `locations` all that hold some; `spelling` is the
    /// parts of a file's name: setting, value, default.
    pub(super) fn new(
        pages: &[Page],
        folder: &Path,
        locations: &[PathBuf],
        spelling: &[(&str, &String, &str)],
    ) -> Cli {
        let Some(page) = own(pages, folder) else {
            let mut options = vec![given(Path::new(""), locations)];
            let other = spelling.iter().filter(|(_, value, default)| value.as_str() != *default);
            options.extend(other.map(|(part, value, _)| format!("-sqlMigration{part}={value}")));
            return Cli { options, ..Cli::default() };
        };
        let named = page.locations.iter().any(|location| folder.starts_with(location));
        let is_home = page.locations.iter().all(|location| location.starts_with(page.folder()));
        let mut cli = Cli {
            names_database: pages
                .iter()
                .filter(|other| is_own(other) && other.folder() == page.folder())
                .any(|other| other.setting("url").is_some()),
            lock_disabled: page.setting("transactionallock").as_deref() == Some("false"),
            ..Cli::default()
        };
        if is_usual(page) && is_home {
            page.folder().clone_into(&mut cli.home);
        } else {
            cli.options.push(format!("-configFiles={}", name(&page.path)));
        }
        if !named {
            cli.options.push(given(&cli.home, locations));
        }
        cli
    }
}

/// The file that the command reads: the root's, else the nearest above the migrations, else any.
fn own<'p>(pages: &'p [Page], folder: &Path) -> Option<&'p Page> {
    let own = || pages.iter().filter(|page| is_own(page));
    own()
        .find(|page| is_usual(page) && page.folder().as_os_str().is_empty())
        .or_else(|| {
            let above = own().filter(|page| folder.starts_with(page.folder()));
            above.max_by_key(|page| (is_usual(page), page.folder().components().count()))
        })
        .or_else(|| own().next())
}

fn is_own(page: &Page) -> bool {
    file_name(&page.path).starts_with("flyway")
}

/// Whether the command finds the file by itself where it is run.
fn is_usual(page: &Page) -> bool {
    matches!(file_name(&page.path), "flyway.toml" | "flyway.conf")
}

/// `-locations=filesystem:db/migration`, as seen from `home`.
fn given(home: &Path, locations: &[PathBuf]) -> String {
    let up = "../".repeat(home.components().count());
    let places: Vec<String> = locations
        .iter()
        .map(|location| match location.strip_prefix(home) {
            Ok(below) => format!("filesystem:{}", name(below)),
            Err(_) => format!("filesystem:{up}{}", name(location)),
        })
        .collect();
    format!("-locations={}", places.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::repo;
    use super::super::read;
    use super::*;

    /// Where `flyway` is run, and with which options.
    fn command(files: &[(&str, &str)]) -> (String, String) {
        let cli = read(&repo(files).repo, None).unwrap().cli;
        (name(&cli.home), cli.options.join(" "))
    }

    #[test]
    fn the_command_is_told_what_no_file_of_its_own_says() {
        let toml = "[flyway]\nlocations = [\"filesystem:sql\"]\n";
        for (file, text, migration, home, options) in [
            ("flyway.toml", toml, "sql/V1__x.sql", ".", ""),
            ("app/flyway.toml", toml, "app/sql/V1__x.sql", "app", ""),
            ("flyway.conf", "flyway.url=x", "db/V1__x.sql", ".", "-locations=filesystem:db"),
            ("conf/flyway.toml", toml, "sql/V1__x.sql", ".", "-configFiles=conf/flyway.toml"),
            (
                "flyway-dev.conf",
                "flyway.locations=filesystem:sql",
                "sql/V1__x.sql",
                ".",
                "-configFiles=flyway-dev.conf",
            ),
            ("a/flyway.toml", "", "db/V1__x.sql", "a", "-locations=filesystem:../db"),
            (
                "pom.xml",
                "spring-boot",
                "src/main/resources/db/migration/V1__x.sql",
                ".",
                "-locations=filesystem:src/main/resources/db/migration",
            ),
            (
                "application.properties",
                "spring.flyway.sql-migration-prefix=M\nspring.flyway.locations=filesystem:db",
                "db/M1__x.sql",
                ".",
                "-locations=filesystem:db -sqlMigrationPrefix=M",
            ),
        ] {
            let found = command(&[(file, text), (migration, "")]);
            assert_eq!(found, (home.to_owned(), options.to_owned()), "{file}");
        }
    }

    #[test]
    fn what_spring_turns_off_is_on_in_the_command() {
        let read = |file: &str, text: &str| {
            let made = repo(&[(file, text), ("sql/V1__x.sql", "")]);
            let project = read(&made.repo, None).unwrap();
            (project.cli.lock_disabled, project.spring.map(|spring| spring.lock_disabled))
        };
        let yml = "spring:\n  flyway:\n    postgresql:\n      transactional-lock: false\n";
        assert_eq!(read("application.yml", yml), (false, Some(true)));
        assert_eq!(
            read("build.gradle.kts", "org.springframework.boot:spring-boot"),
            (false, Some(false))
        );
        let conf = "flyway.postgresql.transactional.lock=false\nflyway.locations=filesystem:sql\n";
        assert_eq!(read("flyway.conf", conf), (true, None));
    }
}
