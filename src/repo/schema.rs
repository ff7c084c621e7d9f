//! Names of files → what says the schema as it is now.
//!
//! Enters: the repository, and what is known of its framework. Leaves: the path of a dump, or the folder
//! of SQL migrations that are to be replayed. Must not know: what is in them.

use std::path::{Path, PathBuf};

use super::{Framework, Repo, detect, flyway, raw, sqlx};
use crate::error::Result;

/// Where a schema usually is.
const SCHEMAS: &[&str] = &[
    "schema.sql",
    "db/schema.sql",
    "db/structure.sql",
    "database/schema.sql",
    "sql/schema.sql",
    "structure.sql",
];

/// The file, or the folder of migrations, that says what the schema is; `dir`: where migrations are said
/// to be. An error only where there is SQL, and its order cannot be told.
pub fn schema(repo: &Repo, target: Option<&str>, dir: Option<&Path>) -> Result<Option<PathBuf>> {
    if let Some(file) = schema_file(repo) {
        return Ok(Some(PathBuf::from(file)));
    }
    match migrations(repo, target, dir) {
        Ok(Some(folder)) if holds_sql(repo, &folder) => Ok(Some(folder)),
        Err(error) if holds_sql(repo, Path::new("")) => Err(error),
        _ => Ok(None),
    }
}

pub(super) fn schema_file(repo: &Repo) -> Option<&'static str> {
    SCHEMAS.iter().copied().find(|path| repo.is_file(path))
}

/// The folder of a framework whose migrations are SQL.
fn migrations(repo: &Repo, target: Option<&str>, dir: Option<&Path>) -> Result<Option<PathBuf>> {
    let named =
        [Framework::Alembic, Framework::Django, Framework::Flyway, Framework::Sqlx, Framework::Raw]
            .into_iter()
            .find(|framework| Some(framework.name()) == target);
    let framework = match named {
        Some(framework) => framework,
        None => detect(repo)?,
    };
    let inside = dir.and_then(|dir| repo.inside(dir));
    let dir = inside.as_deref().or(dir);
    Ok(match framework {
        Framework::Alembic | Framework::Django => None,
        Framework::Flyway => Some(flyway::read(repo, dir)?.folder),
        Framework::Sqlx => Some(sqlx::read(repo, dir)?.folder),
        Framework::Raw => Some(raw::read(repo, dir)?.folder),
    })
}

fn holds_sql(repo: &Repo, folder: &Path) -> bool {
    let files = repo.walk(folder).unwrap_or_default();
    files.iter().any(|path| path.extension().is_some_and(|end| end == "sql"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::repo;
    use super::*;

    #[test]
    fn the_folder_that_is_named_is_asked_and_the_error_is_told() {
        let made = repo(&[("a/db/migration/V1__x.sql", ""), ("b/db/migration/V1__x.sql", "")]);
        let error = schema(&made.repo, None, None).unwrap_err();
        assert!(error.message().starts_with("several folders of Flyway migrations"), "{error}");
        let folder = Path::new("a/db/migration");
        let found = schema(&made.repo, None, Some(folder)).unwrap();
        assert_eq!(found.as_deref(), Some(folder));
        let whole = made.repo.root().canonicalize().unwrap().join(folder);
        let found = schema(&made.repo, Some("flyway"), Some(&whole)).unwrap();
        assert_eq!(found.as_deref(), Some(folder));
    }

    #[test]
    fn a_schema_file_goes_before_the_migrations() {
        let of = |files: &[(&str, &str)]| schema(&repo(files).repo, None, None).unwrap();
        let path = |path: &str| Some(PathBuf::from(path));
        let migration = ("migrations/001_x.up.sql", "");
        assert_eq!(of(&[("db/structure.sql", ""), migration]), path("db/structure.sql"));
        assert_eq!(of(&[("schema.sql", ""), ("db/schema.sql", "")]), path("schema.sql"));
        assert_eq!(of(&[migration]), path("migrations"));
        assert_eq!(of(&[("sqlx.toml", ""), ("migrations/1_x.sql", "")]), path("migrations"));
        assert_eq!(of(&[("sqlx.toml", ""), ("migrations/", "")]), None);
        assert_eq!(of(&[("flyway.toml", ""), ("sql/a/V1__x.sql", "")]), path("sql/a"));
        assert_eq!(
            of(&[("alembic.ini", "[alembic]\nscript_location = db\n"), ("db/versions/a.py", "")]),
            None
        );
        assert_eq!(of(&[]), None);
    }
}
