//! minijinja, set up once: strict about names, exact about white space, a team's files first.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::repo::Repo;

use super::overrides;

/// Templates by `<target>/<file>`; `builtin/<target>/<file>` is always miggen's own, so that an
/// override can extend what it replaces.
pub struct Engine {
    environment: Environment<'static>,
}

const BUILT_IN: [(&str, &str); 13] = [
    ("alembic/revision.py.j2", include_str!("../../templates/alembic/revision.py.j2")),
    ("django/migration.py.j2", include_str!("../../templates/django/migration.py.j2")),
    ("flyway/migration.sql.j2", include_str!("../../templates/flyway/migration.sql.j2")),
    ("flyway/migration.sql.conf.j2", include_str!("../../templates/flyway/migration.sql.conf.j2")),
    ("flyway/rollback.sql.j2", include_str!("../../templates/flyway/rollback.sql.j2")),
    ("raw/up.sql.j2", include_str!("../../templates/raw/up.sql.j2")),
    ("raw/down.sql.j2", include_str!("../../templates/raw/down.sql.j2")),
    ("sqlx/up.sql.j2", include_str!("../../templates/sqlx/up.sql.j2")),
    ("sqlx/down.sql.j2", include_str!("../../templates/sqlx/down.sql.j2")),
    ("shared/statements.sql.j2", include_str!("../../templates/shared/statements.sql.j2")),
    ("shared/runbook.md.j2", include_str!("../../templates/shared/runbook.md.j2")),
    ("shared/deploy.md.j2", include_str!("../../templates/shared/deploy.md.j2")),
    ("shared/deploy_body.md.j2", include_str!("../../templates/shared/deploy_body.md.j2")),
];

impl Engine {
    /// With the team's templates, where the repository has some.
    pub fn new(repo: &Repo) -> Result<Engine> {
        let overrides = repo.root().join(overrides::FOLDER);
        overrides::check(&overrides, &BUILT_IN.map(|(name, _)| name))?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true);
        // Only delimiters could be wrong, and they are the default ones.
        if let Ok(syntax) = syntax.build() {
            environment.set_syntax(syntax);
        }
        environment.set_loader(move |name| {
            let path = overrides.join(name);
            if path.is_file() {
                return std::fs::read_to_string(&path).map(Some).map_err(|error| {
                    minijinja::Error::new(
                        minijinja::ErrorKind::InvalidOperation,
                        format!("{}: {error}", path.display()),
                    )
                });
            }
            let own = name.strip_prefix("builtin/").unwrap_or(name);
            let found = BUILT_IN.iter().find(|(built_in, _)| *built_in == own);
            Ok(found.map(|(_, text)| (*text).to_owned()))
        });
        Ok(Engine { environment })
    }

    /// A file that does something: each part of what it is to do must stand in it.
    pub fn render_whole<'p, V: Serialize>(
        &self,
        template: &str,
        view: &V,
        parts: impl IntoIterator<Item = &'p str>,
    ) -> Result<String> {
        let text = self.render(template, view)?;
        overrides::whole(template, &text, parts)?;
        Ok(text)
    }

    pub fn render<V: Serialize>(&self, template: &str, view: &V) -> Result<String> {
        let fail = |error: minijinja::Error| {
            let mut message = format!("the template {template} does not render: {error}");
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(inner) = cause {
                message = format!("{message}; {inner}");
                cause = inner.source();
            }
            Error::refused(message).hint(format!(
                "see `.miggen/templates/{template}`; without it the built-in one is used"
            ))
        };
        let found = self.environment.get_template(template).map_err(fail)?;
        let text = found.render(minijinja::value::Serde(view)).map_err(fail)?;
        if text.trim().is_empty() {
            return Err(Error::usage(format!("the template {template} gives an empty file"))
                .hint(format!("see `{}/{template}`", overrides::FOLDER)));
        }
        Ok(text)
    }
}
