//! What people get wrong: one clear error with its place, the right exit code, and nothing written.

mod support;

use std::fs;

use support::{Ran, Repo};

const SCHEMA: &str = "\
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name text);
CREATE TABLE notes (body text);
";
const CHANGE: &str = "ALTER TABLE notes ADD COLUMN x int";
const FLAGS: [&str; 4] = ["--target", "raw", "--server", "postgres@15"];

/// The error of a run that fails; the repository is as it was.
fn fails(repo: &Repo, args: &[&str]) -> Ran {
    let before = contents(repo);
    let ran = repo.miggen(args);
    assert_ne!(ran.code, 0, "{args:?} is no error");
    assert_ne!(ran.code, 70, "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    assert_eq!(contents(repo), before, "something was written");
    ran
}

fn contents(repo: &Repo) -> Vec<(String, Vec<u8>)> {
    let files = repo.files().into_iter();
    files.map(|file| (file.clone(), fs::read(repo.path().join(file)).unwrap())).collect()
}

fn with<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    FLAGS.iter().copied().chain(rest.iter().copied()).collect()
}

fn told(told: &mut String, title: &str, ran: &Ran) {
    told.push_str(&format!("# {title}\n{}exit {}\n\n", ran.stderr, ran.code));
}

#[test]
fn scripts_that_contradict_themselves() {
    let repo = Repo::raw(SCHEMA);
    let mut all = String::new();
    for change in [
        "ALTER TABLE users ADD COLUMN x int; ALTER TABLE users DROP COLUMN x",
        "ALTER TABLE users ADD COLUMN x int; ALTER TABLE users ADD COLUMN x text",
        "ALTER TABLE users RENAME COLUMN name TO label; ALTER TABLE users DROP COLUMN name",
        "ALTER TABLE users RENAME COLUMN name TO label; ALTER TABLE users DROP COLUMN label",
        "ALTER TABLE users RENAME COLUMN name TO a; ALTER TABLE users RENAME COLUMN a TO b",
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL, ALTER COLUMN name DROP NOT NULL",
        "ALTER TABLE users DROP COLUMN name; ALTER TABLE users DROP COLUMN name",
        "CREATE INDEX i ON users (name); ALTER TABLE users DROP COLUMN name",
        "CREATE TABLE z (id int); DROP TABLE z",
        "DROP TABLE notes; ALTER TABLE notes ADD COLUMN x int",
        "ALTER TABLE users ADD COLUMN x int CHECK (name <> '')",
        "UPDATE users SET name = email, email = name",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE (name); ALTER TABLE notes ADD CONSTRAINT f FOREIGN KEY (body) REFERENCES users (name)",
        "UPDATE users SET name = now()",
        "CREATE INDEX ON users ()",
        "CREATE INDEX i ON users (name,)",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE ()",
        "UPDATE users SET name lower(email)",
        "ALTER TABLE users ADD COLUMN x int DEFAULT 1; UPDATE users SET x = 2 WHERE x IS NULL",
        "ALTER TABLE users ADD COLUMN x int; UPDATE users SET x = 2 WHERE x > 1",
        "ALTER TABLE users ADD COLUMN x int DEFAULT random(); UPDATE users SET x = 2",
        "ALTER TABLE users ADD COLUMN x timestamp DEFAULT now(); ALTER TABLE users ALTER COLUMN x DROP DEFAULT",
    ] {
        told(&mut all, change, &fails(&repo, &with(&[change])));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn statements_that_break_off() {
    let repo = Repo::raw(SCHEMA);
    let mut all = String::new();
    for change in [
        "ALTER TABLE users ADD CONSTRAINT u CHECK (id >)",
        "ALTER TABLE users ADD COLUMN x int DEFAULT 1 +",
        "CREATE INDEX i ON users (name) WHERE id >= -- some",
        "ALTER TABLE users ADD COLUMN x varchar(abc)",
        "CREATE TABLE z (id int, x numeric(10, two))",
        "INSERT INTO users (id, id, email) VALUES (1, 2, 'x')",
        "INSERT INTO users (id, name) VALUES (1, 'x')",
        "DELETE users WHERE id = 1",
    ] {
        told(&mut all, change, &fails(&repo, &with(&[change])));
    }
    insta::assert_snapshot!(all);
    // What looks like it and is whole.
    for change in [
        "CREATE INDEX i ON users (name) WHERE id >= -1 AND id OPERATOR(pg_catalog.<) 9",
        "ALTER TABLE notes ADD CONSTRAINT n CHECK ((string_to_array(body, ',')) [2:] IS NOT NULL)",
        "ALTER TABLE notes ADD COLUMN g geometry(Point, 4326)",
        "ALTER TABLE notes ADD COLUMN n numeric(10, -2)",
    ] {
        assert_eq!(repo.miggen(&with(&["--dry-run", change])).code, 0, "{change}");
    }
}

#[test]
fn what_is_left_out_is_said() {
    let repo = Repo::raw(&format!("CREATE TABL x (a int, b int);\n{SCHEMA}"));
    let args = ["--target", "raw", "--server", "postgres@99", "--dry-run", CHANGE];
    let said = repo.miggen(&args).stderr;
    for warning in [
        "schema.sql:1: `CREATE TABL x …` is not understood",
        "postgres@99 is newer than what miggen was measured on: planned as postgres@18",
    ] {
        assert!(said.contains(&format!("warning: {warning}\n")), "{said}");
    }
}

#[test]
fn rows_of_a_table_that_is_not_there_are_warned_of_where_they_are_configured() {
    let repo = Repo::raw(SCHEMA);
    repo.write("miggen.toml", "[rows]\nuser = 5\nnotes = 7\nzz = 5\n");
    let ran = repo.miggen(&with(&["--dry-run", CHANGE]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let warnings: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        warnings,
        [
            "warning: [rows] in miggen.toml: there is no table `user` in schema.sql; did you mean `users`?",
            "warning: [rows] in miggen.toml: there is no table `zz` in schema.sql",
        ]
    );
    let ran = fails(&repo, &with(&["--rows", "zz=5", CHANGE]));
    assert!(ran.stderr.contains("--rows: there is no table `zz`"), "{}", ran.stderr);
}

#[test]
fn what_a_script_does_to_itself() {
    let repo = Repo::raw(
        "CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT k CHECK (a < 9), b int, name text,
            v varchar(9) CONSTRAINT kk CHECK (v <> ''), c int CONSTRAINT u UNIQUE, g int);
        CREATE TABLE o (id int PRIMARY KEY, CONSTRAINT i_old UNIQUE (id));
        CREATE TABLE d (c int CONSTRAINT d_c REFERENCES t (c));
        CREATE INDEX i ON t (b);
        CREATE UNIQUE INDEX ri ON o (id);
        ALTER TABLE o REPLICA IDENTITY USING INDEX ri;
        GRANT SELECT (id, g) ON t TO app;",
    );
    let mut all = String::new();
    for change in [
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD COLUMN y int; UPDATE t SET z = b; UPDATE t SET y = z",
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD COLUMN y int; UPDATE t SET z = b, y = z",
        "ALTER TABLE t RENAME COLUMN name TO label; ALTER TABLE t ADD COLUMN y text; UPDATE t SET y = upper(label)",
        "ALTER TABLE t ALTER COLUMN g TYPE bigint",
        "ALTER TABLE t RENAME COLUMN g TO h",
        "-- miggen: back a = (a / 100)::int\nALTER TABLE t ALTER COLUMN a TYPE bigint USING a * 100",
        "ALTER TABLE t ALTER COLUMN b TYPE bigint",
        "ALTER TABLE t DROP CONSTRAINT u; CREATE UNIQUE INDEX u ON t (b)",
        "DROP INDEX i; ALTER TABLE t ADD CONSTRAINT i UNIQUE (b)",
        "DROP INDEX ri; CREATE UNIQUE INDEX ri ON o (id)",
        "ALTER TABLE d DROP CONSTRAINT d_c; ALTER TABLE t DROP CONSTRAINT u; ALTER TABLE t ADD CONSTRAINT u UNIQUE (c); ALTER TABLE d ADD CONSTRAINT d_c FOREIGN KEY (c) REFERENCES t (c)",
        "ALTER TABLE t DROP CONSTRAINT kk; ALTER TABLE t ALTER COLUMN v TYPE text",
        "ALTER TABLE t DROP COLUMN b; CREATE INDEX i ON t (name)",
        "CREATE TABLE x (id int PRIMARY KEY, y_id int); CREATE TABLE y (id int PRIMARY KEY, x_id int REFERENCES x); ALTER TABLE x ADD CONSTRAINT x_y FOREIGN KEY (y_id) REFERENCES y",
    ] {
        told(&mut all, change, &fails(&repo, &with(&[change])));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_there_already() {
    let repo = Repo::raw(SCHEMA);
    let mut all = String::new();
    for change in [
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN name DROP NOT NULL",
        "ALTER TABLE users ALTER COLUMN name DROP DEFAULT",
        "ALTER TABLE users ALTER COLUMN name TYPE text",
        "ALTER TABLE users RENAME COLUMN name TO name",
        "CREATE TABLE notes (body text)",
    ] {
        told(&mut all, change, &fails(&repo, &with(&[change])));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_words_of_another_server() {
    let repo = Repo::raw(SCHEMA);
    let mut all = String::new();
    for (server, change) in [
        ("postgres@15", "ALTER TABLE users MODIFY name varchar(40)"),
        ("postgres@15", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)"),
        ("sqlite@3.45", "CREATE INDEX CONCURRENTLY i ON users (name)"),
        ("sqlite@3.45", "COMMENT ON TABLE users IS 'x'"),
        ("mysql@8.0", CHANGE),
    ] {
        let args = ["--target", "raw", "--server", server, change];
        told(&mut all, &format!("{server}: {change}"), &fails(&repo, &args));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn repositories_that_do_not_say_what_is_needed() {
    let mut all = String::new();
    told(&mut all, "an empty folder", &fails(&Repo::new(), &[CHANGE]));
    let repo = Repo::new();
    told(&mut all, "no server", &fails(&repo, &["--target", "raw", CHANGE]));
    told(&mut all, "no schema", &fails(&repo, &with(&[CHANGE])));
    told(&mut all, "no such schema", &fails(&repo, &with(&["--schema", "nowhere.sql", CHANGE])));
    fs::create_dir(repo.path().join("empty")).unwrap();
    told(&mut all, "an empty schema", &fails(&repo, &with(&["--schema", "empty", CHANGE])));
    let repo = Repo::raw(SCHEMA);
    told(&mut all, "rows of no table", &fails(&repo, &with(&["--rows", "note=5M", CHANGE])));
    told(&mut all, "no such root", &fails(&repo, &with(&["--out", "nowhere", CHANGE])));
    insta::assert_snapshot!(all);
}

#[test]
fn revisions_without_one_plain_head() {
    let revision = |id: &str, parent: &str| {
        format!("revision = \"{id}\"\ndown_revision = {parent}\n\n\ndef upgrade():\n    pass\n")
    };
    let alembic = || {
        let repo = Repo::new();
        repo.write("schema.sql", SCHEMA);
        repo.write("alembic.ini", "[alembic]\nscript_location = migrations\n");
        repo.write("migrations/env.py", "");
        repo.write("migrations/versions/a_first.py", &revision("aaaaaaaaaaaa", "None"));
        repo
    };
    let args = ["--server", "postgres@15", CHANGE];
    let mut all = String::new();
    let heads = alembic();
    heads.write("migrations/versions/b_one.py", &revision("bbbbbbbbbbbb", "\"aaaaaaaaaaaa\""));
    heads.write("migrations/versions/c_other.py", &revision("cccccccccccc", "\"aaaaaaaaaaaa\""));
    told(&mut all, "two heads", &fails(&heads, &args));
    let computed = alembic();
    computed.write("migrations/versions/b_one.py", &revision("bbbbbbbbbbbb", "previous()"));
    told(&mut all, "a parent that is computed", &fails(&computed, &args));

    let django = Repo::new();
    django.write("schema.sql", "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n");
    django.write(
        "manage.py",
        "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"config.settings\")\n",
    );
    django.write("config/settings.py", "INSTALLED_APPS = [\"notes\"]\n");
    django.write(
        "notes/models.py",
        "from django.db import models\n\n\nclass Note(models.Model):\n    body = models.TextField()\n\n    class Meta:\n        db_table = \"notes\"\n",
    );
    django.write("notes/migrations/__init__.py", "");
    for (name, parent) in
        [("0001_initial", ""), ("0002_a", "0001_initial"), ("0002_b", "0001_initial")]
    {
        let dependency =
            if parent.is_empty() { String::new() } else { format!("(\"notes\", \"{parent}\")") };
        django.write(
            &format!("notes/migrations/{name}.py"),
            &format!(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [{dependency}]\n    operations = []\n"
            ),
        );
    }
    told(&mut all, "two leaves", &fails(&django, &args));
    insta::assert_snapshot!(all);
}

#[test]
fn text_that_is_none() {
    let repo = Repo::raw(SCHEMA);
    let mut all = String::new();
    fs::write(repo.path().join("latin1.sql"), b"CREATE TABLE t (id int);\n-- caf\xe9\n").unwrap();
    told(&mut all, "a change", &fails(&repo, &with(&["latin1.sql"])));
    told(&mut all, "a schema", &fails(&repo, &with(&["--schema", "latin1.sql", CHANGE])));
    for open in ["'it", "\"na", "$$bo", "/* no", "(1 + "] {
        let change = format!("{CHANGE} DEFAULT {open}");
        told(&mut all, &change, &fails(&repo, &with(&[&change])));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_deep_or_huge_is_answered() {
    let repo = Repo::raw(SCHEMA);
    let deep = format!("{CHANGE} DEFAULT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let ran = fails(&repo, &with(&[&deep]));
    assert!(ran.stderr.contains("does not understand this default"), "{}", ran.stderr);
    assert!(ran.stderr.len() < 2_000, "{} bytes are no sentence", ran.stderr.len());
    repo.write("huge.sql", &format!("{CHANGE};\n/*{}*/", "x".repeat(50 * 1024 * 1024)));
    assert_eq!(repo.miggen(&with(&["--dry-run", "huge.sql"])).code, 0);
    repo.write("huge.sql", &format!("{CHANGE};\n/*{}", "x".repeat(50 * 1024 * 1024)));
    let ran = fails(&repo, &with(&["huge.sql"]));
    assert!(ran.stderr.contains("huge.sql:2:1"), "{}", ran.stderr);
}

#[test]
fn folders_that_cannot_be_written() {
    let mut all = String::new();
    // A file where a folder should be stops everybody, root as well.
    let rollouts = Repo::raw(SCHEMA);
    rollouts.write("rollouts", "not a folder");
    told(&mut all, "rollouts", &fails(&rollouts, &with(&[CHANGE])));
    let migrations = Repo::raw(SCHEMA);
    migrations.write("db", "not a folder");
    told(&mut all, "migrations", &fails(&migrations, &with(&["--dir", "db/migrations", CHANGE])));
    let again = Repo::raw(SCHEMA);
    assert_eq!(again.miggen(&with(&[CHANGE])).code, 0);
    told(&mut all, "the same once more", &fails(&again, &with(&[CHANGE])));
    // The error of the system has another number elsewhere.
    let all = all.replace("Not a directory (os error 20)", "[not a folder]");
    insta::assert_snapshot!(all.replace("File exists (os error 17)", "[not a folder]"));
}

#[test]
fn rollouts_that_are_broken() {
    let begun = || {
        let repo = Repo::raw(SCHEMA);
        assert_eq!(repo.miggen(&with(&["ALTER TABLE users RENAME COLUMN name TO label"])).code, 0);
        repo
    };
    let state = "rollouts/2026-11-21-rename-users-name/rollout.toml";
    let mut all = String::new();
    for text in ["format = ", "format = 1\n", "name = 3\n"] {
        let repo = begun();
        repo.write(state, text);
        told(&mut all, text.trim(), &fails(&repo, &["next"]));
        assert_eq!(fails(&repo, &["status", "--check"]).code, 1);
    }
    let repo = begun();
    let good = repo.read(state);
    repo.write(state, &good.replace("format = 1", "format = 9"));
    told(&mut all, "of a later version", &fails(&repo, &["next"]));
    repo.write(state, &good.replacen("may_run", "released = \"soon\"\nmay_run", 1));
    told(&mut all, "a day that is none", &fails(&repo, &["next"]));
    repo.write(state, &good);
    let files = repo.files();
    let first = files.iter().find(|file| file.ends_with("expand.up.sql")).expect("it is written");
    std::fs::remove_file(repo.path().join(first)).unwrap();
    repo.write(state, &good.replacen("may_run", "released = 2026-11-21\nmay_run", 1));
    told(&mut all, "a file of deploy 1 is gone", &fails(&repo, &["next"]));
    told(&mut all, "no such rollout", &fails(&repo, &["next", "nothing"]));
    told(&mut all, "none at all", &fails(&Repo::raw(SCHEMA), &["next"]));
    let half = Repo::raw(SCHEMA);
    half.write("rollouts/2026-11-21-add-notes-x/RUNBOOK.md", "");
    told(&mut all, "begun by a run that was cut off", &fails(&half, &with(&[CHANGE])));
    told(&mut all, "next of that", &fails(&half, &["next"]));
    insta::assert_snapshot!(all);
}
