//! Files of a repository → the framework its migrations are for.
//!
//! Enters: names and a few telling words of files. Leaves: [`Framework`]. Must not know: what any
//! framework's reader finds out.

use std::path::{Path, PathBuf};

use super::{Repo, alembic, django, file_name, flyway, name, raw};
use crate::error::{Error, Result};

/// What runs the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framework {
    Alembic,
    Flyway,
    Django,
    Sqlx,
    Raw,
}

impl Framework {
    /// As in `--target NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Framework::Alembic => "alembic",
            Framework::Flyway => "flyway",
            Framework::Django => "django",
            Framework::Sqlx => "sqlx",
            Framework::Raw => "raw",
        }
    }
}

/// Finds the one framework of a repository; what lies at the root goes before what lies deeper.
pub fn detect(repo: &Repo) -> Result<Framework> {
    let files = repo.walk("")?;
    let mut signs = Vec::new();
    signs.extend(first(Framework::Alembic, alembic::signs(repo, &files)?));
    signs.extend(first(Framework::Flyway, flyway::signs(repo, &files)));
    signs.extend(first(Framework::Django, django::signs(repo, &files)));
    signs.extend(first(Framework::Sqlx, sqlx(repo, &files)));
    if signs.iter().any(|(_, sign)| is_at_root(sign)) {
        signs.retain(|(_, sign)| is_at_root(sign));
    }
    // Numbered files say little: most frameworks have them too.
    if signs.is_empty() {
        signs.extend(first(Framework::Raw, raw::signs(&files)));
    }
    match signs.as_slice() {
        [(framework, _)] => Ok(*framework),
        [] => Err(Error::refused("no framework for migrations is found here")
            .note("looked for alembic.ini, flyway.toml, manage.py, sqlx.toml and their like, and for 001_init.up.sql")
            .hint("--target alembic, flyway, django, sqlx or raw")),
        several => {
            let found: Vec<_> = several
                .iter()
                .map(|(framework, sign)| format!("{} ({})", framework.name(), name(sign)))
                .collect();
            let flags: Vec<_> = several
                .iter()
                .map(|(framework, _)| format!("--target {}", framework.name()))
                .collect();
            Err(Error::refused("more than one framework is found here")
                .note(found.join(", "))
                .hint(flags.join(", or ")))
        }
    }
}

fn is_at_root(sign: &Path) -> bool {
    sign.components().count() == 1
}

/// The sign that lies highest.
fn first(framework: Framework, signs: Vec<PathBuf>) -> Option<(Framework, PathBuf)> {
    signs.into_iter().min_by_key(|sign| sign.components().count()).map(|sign| (framework, sign))
}

fn sqlx(repo: &Repo, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut signs = Vec::new();
    if repo.is_folder(".sqlx") {
        signs.push(PathBuf::from(".sqlx"));
    }
    for path in files {
        match file_name(path) {
            "sqlx.toml" => signs.push(path.clone()),
            // The library alone does not mean that it runs the migrations.
            "Cargo.toml" => {
                let text = repo.glance(path);
                let names_it = text.lines().any(|line| {
                    line.starts_with("sqlx ")
                        || line.starts_with("sqlx=")
                        || line.contains("ependencies.sqlx]")
                });
                let home = path.parent().unwrap_or(Path::new(""));
                if names_it
                    && (text.contains("\"migrate\"") || repo.is_folder(home.join("migrations")))
                {
                    signs.push(path.clone());
                }
            }
            _ => {}
        }
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::super::testing::repo;
    use super::*;

    const ENV: (&str, &str) = ("db/env.py", "");
    const MANAGE: (&str, &str) = ("manage.py", "os.environ['DJANGO_SETTINGS_MODULE']");

    fn found(files: &[(&str, &str)]) -> &'static str {
        detect(&repo(files).repo).unwrap().name()
    }

    #[test]
    fn each_framework_is_told_by_its_files() {
        for (files, name) in [
            (&[("alembic.ini", "[alembic]\n")][..], "alembic"),
            (&[("pyproject.toml", "[tool.alembic]\n")], "alembic"),
            (&[ENV, ("db/script.py.mako", "")], "alembic"),
            (&[MANAGE], "django"),
            (&[("flyway.toml", "")], "flyway"),
            (&[("conf/flyway.conf", "")], "flyway"),
            (&[("pom.xml", "<artifactId>flyway-core</artifactId>")], "flyway"),
            (&[("build.gradle.kts", "plugins { id(\"org.flywaydb.flyway\") }")], "flyway"),
            (&[("src/main/resources/application.yml", "spring:\n  flyway:\n")], "flyway"),
            (&[("db/V1__init.sql", "")], "flyway"),
            (&[("sqlx.toml", "")], "sqlx"),
            (&[(".sqlx/query-1.json", "")], "sqlx"),
            (&[("Cargo.toml", "sqlx = { features = [\"migrate\"] }\n")], "sqlx"),
            (&[("a/Cargo.toml", "[dependencies.sqlx]\n"), ("a/migrations/1_x.sql", "")], "sqlx"),
            (&[("migrations/001_x.up.sql", "")], "raw"),
            (&[("migrations/001_x.sql", "")], "raw"),
            (&[("db/001_x.down.sql", "")], "raw"),
        ] {
            assert_eq!(found(files), name, "{files:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_sign_is_none() {
        for files in [
            &[("alembic.ini", "[other]\n")][..],
            &[("pyproject.toml", "dependencies = ['alembic']\n")],
            &[ENV],
            &[("manage.py", "print()")],
            &[("pom.xml", "<project/>")],
            &[("Cargo.toml", "sqlx = \"0.9\"\n")],
            &[("Cargo.toml", "sqlx-macros = \"0.9\"\n"), ("migrations/", "")],
            &[("docs/001_intro.sql", "")],
            &[("node_modules/x/manage.py", "DJANGO_SETTINGS_MODULE")],
        ] {
            let refused = detect(&repo(files).repo).unwrap_err().render(false);
            assert!(refused.contains("no framework"), "{files:?}");
            assert!(refused.contains("hint: --target alembic, flyway"), "{refused}");
        }
    }

    #[test]
    fn two_frameworks_are_both_named() {
        let made = repo(&[("alembic.ini", "[alembic]\n"), MANAGE]);
        insta::assert_snapshot!(detect(&made.repo).unwrap_err().render(false), @r"
        error: more than one framework is found here
         |
         = alembic (alembic.ini), django (manage.py)
        hint: --target alembic, or --target django
        ");
    }

    #[test]
    fn the_root_goes_before_what_lies_deeper() {
        let fixture = ("tests/fixtures/flyway.toml", "");
        assert_eq!(found(&[MANAGE, fixture]), "django");
        assert_eq!(
            found(&[("Cargo.toml", "sqlx = { features = [\"migrate\"] }"), fixture]),
            "sqlx"
        );
        let both = repo(&[("a/flyway.toml", ""), ("b/alembic.ini", "[alembic]")]);
        assert!(detect(&both.repo).is_err());
    }
}
