//! A team's own templates.

mod support;

use support::Repo;

const SCHEMA: &str = "CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL);\n";
const CHANGE: &str = "ALTER TABLE users ADD COLUMN age int";

fn with<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    ["--target", "raw", "--server", "postgres@15"].iter().chain(rest).copied().collect()
}

/// What a run with these templates says that is refused; nothing is written.
fn refused(templates: &[(&str, &str)]) -> String {
    let repo = Repo::raw(SCHEMA);
    for (name, text) in templates {
        repo.write(&format!(".miggen/templates/{name}"), text);
    }
    let before = repo.files();
    let ran = repo.miggen(&with(&[CHANGE]));
    assert_eq!(ran.code, 2, "{templates:?}: {}", ran.stderr);
    assert_eq!((repo.files(), ran.stdout), (before, String::new()), "something was written");
    ran.stderr
}

#[test]
fn a_team_overrides_one_block_or_one_file() {
    let repo = Repo::raw(SCHEMA);
    repo.write(
        ".miggen/templates/raw/up.sql.j2",
        "{% extends \"builtin/raw/up.sql.j2\" %}\n{% block head %}\n-- ticket: {{ reason }}\n{{ super() }}{% endblock %}\n",
    );
    repo.write(".miggen/templates/raw/down.sql.j2", "-- {{ message }}: ask the database team\n");
    let ran = repo.miggen(&with(&["--reason", "DB-7", CHANGE]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let up = repo.read("migrations/002_add_users_age.up.sql");
    assert!(up.starts_with("-- ticket: DB-7\n\\set ON_ERROR_STOP on\n"), "{up}");
    assert!(up.contains("ADD COLUMN age int"), "{up}");
    assert_eq!(
        repo.read("migrations/002_add_users_age.down.sql"),
        "-- add users.age: ask the database team\n"
    );

    let wrong = Repo::raw(SCHEMA);
    wrong.write(".miggen/templates/raw/up.sql.j2", "{{ nonsense }}\n");
    let before = wrong.files();
    let ran = wrong.miggen(&with(&[CHANGE]));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("raw/up.sql.j2"), "{}", ran.stderr);
    assert_eq!(wrong.files(), before);
}

#[test]
fn a_template_that_leaves_out_what_is_to_be_done_is_refused() {
    for text in ["", "\n  \n", "{# nothing #}\n"] {
        let said = refused(&[("raw/up.sql.j2", text)]);
        assert!(said.contains("the template raw/up.sql.j2 gives an empty file"), "{said}");
        assert!(said.contains(".miggen/templates/raw/up.sql.j2"), "{said}");
        assert!(refused(&[("raw/down.sql.j2", text)]).contains("raw/down.sql.j2 gives an empty"));
    }
    let without =
        "{% extends \"builtin/raw/up.sql.j2\" %}\n{% block statements %}\n{% endblock %}\n";
    let first =
        "{% for one in statements %}{% if loop.first %}{{ one.sql }};{% endif %}{% endfor %}\n";
    for text in ["-- nothing\n", without, first] {
        let said = refused(&[("raw/up.sql.j2", text)]);
        assert!(said.contains("raw/up.sql.j2 leaves out what the migration is to do"), "{said}");
    }
    let said = refused(&[("shared/statements.sql.j2", "-- none\n")]);
    assert!(said.contains("leaves out what the migration is to do"), "{said}");
}

#[test]
fn a_template_may_place_statements_as_it_likes() {
    let repo = Repo::raw(SCHEMA);
    repo.write(
        ".miggen/templates/raw/up.sql.j2",
        "{% include \"raw/ours.j2\" %}\n{% for one in statements %}\n    {{ one.sql | indent(8) }};\n{% endfor %}\n",
    );
    repo.write(".miggen/templates/raw/ours.j2", "-- ours\n");
    repo.write(".miggen/templates/README.md", "How we write migrations.\n");
    repo.write(".miggen/templates/.gitkeep", "");
    let ran = repo.miggen(&with(&["ALTER TABLE users RENAME COLUMN email TO mail"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_template_of_an_unknown_name_is_refused_with_those_that_are_known() {
    for (name, near) in [
        ("raw/upp.sql.j2", "did you mean `raw/up.sql.j2`?"),
        ("raw/up.sql", "did you mean `raw/up.sql.j2`?"),
        ("alembik/revision.py.j2", "did you mean `alembic/revision.py.j2`?"),
        ("house.j2", "name it as one of those"),
    ] {
        let said = refused(&[(name, "{{ message }}\n")]);
        let start = format!("error: .miggen/templates/{name} takes the place of no template\n");
        assert!(said.starts_with(&start) && said.contains(near), "{said}");
        assert!(said.contains("django/migration.py.j2"), "{said}");
    }
}

#[test]
fn every_framework_holds_what_it_is_to_do() {
    for (target, template) in [
        ("alembic", "alembic/revision.py.j2"),
        ("django", "django/migration.py.j2"),
        ("flyway", "flyway/migration.sql.j2"),
        ("sqlx", "sqlx/up.sql.j2"),
    ] {
        let repo = Repo::new();
        repo.write("schema.sql", SCHEMA);
        let (file, dir) = match target {
            "alembic" => ("migrations/versions/.keep", "migrations"),
            "django" => ("users/migrations/__init__.py", "users"),
            _ => ("migrations/.keep", "migrations"),
        };
        repo.write(file, "");
        repo.write("migrations/env.py", "");
        let args = ["--target", target, "--server", "postgres@15", "--dir", dir, CHANGE];
        repo.write(&format!(".miggen/templates/{template}"), "# {{ message }}\n");
        let said = repo.miggen(&args).stderr;
        assert!(said.contains(&format!("the template {template} leaves out")), "{target}: {said}");
    }
}
