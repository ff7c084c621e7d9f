//! A change beside a rollout that is not finished.

mod support;

use support::{Ran, Repo};

const SCHEMA: &str = "\
CREATE TABLE t (id bigint PRIMARY KEY, a text, b text, c int, d int);
CREATE INDEX t_b_c ON t (b, c);
CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint CONSTRAINT u_t REFERENCES t (id), a text);
CREATE INDEX u_t_id ON u (t_id);
CREATE TABLE v (id bigint PRIMARY KEY, code text UNIQUE);
CREATE TABLE w (id bigint PRIMARY KEY, v_code text CONSTRAINT w_v REFERENCES v (code));
CREATE INDEX w_v_code ON w (v_code);
";
const RENAME: &str = "ALTER TABLE t RENAME COLUMN a TO aa";

fn run(repo: &Repo, server: &str, rest: &[&str]) -> Ran {
    repo.miggen(&[&["--target", "raw", "--server", server], rest].concat())
}

/// A repository in which deploy 1 of a change is written.
fn begun(server: &str, change: &str) -> Repo {
    let repo = Repo::raw(SCHEMA);
    let ran = run(&repo, server, &["--name", "first", change]);
    assert_eq!(ran.code, 0, "{change}: {}", ran.stderr);
    assert!(repo.miggen(&["status"]).stdout.contains("deploy 1 of 2"), "{change} is finished");
    repo
}

fn finish(repo: &Repo) {
    let state = "rollouts/2026-11-21-first/rollout.toml";
    let text = repo.read(state).replacen("number = 1\n", "number = 1\nreleased = 2026-11-21\n", 1);
    repo.write(state, &text);
    assert_eq!(repo.miggen(&["next", "first"]).code, 0);
}

#[test]
fn two_rollouts_do_not_work_on_one_column() {
    for (first, then, what) in [
        (RENAME, "ALTER TABLE t DROP COLUMN a", "`t.a`"),
        (RENAME, "ALTER TABLE t ALTER COLUMN a TYPE varchar(9)", "`t.a`"),
        (RENAME, RENAME, "`t.a`"),
        (RENAME, "ALTER TABLE t ADD COLUMN x int; ALTER TABLE t RENAME COLUMN a TO z", "`t.a`"),
        (RENAME, "CREATE INDEX i ON t (lower(a))", "`t.a`"),
        (RENAME, "ALTER TABLE t ADD COLUMN x text GENERATED ALWAYS AS (lower(a)) VIRTUAL", "`t.a`"),
        (RENAME, "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = upper(a)", "`t.a`"),
        (RENAME, "UPDATE t SET a = 'x' WHERE a = 'y'", "`t.a`"),
        ("ALTER TABLE u RENAME COLUMN a TO aa", "DROP TABLE u", "`u`"),
        (RENAME, "ALTER TABLE t RENAME TO tt", "`t`"),
        ("ALTER TABLE t DROP COLUMN a", RENAME, "`t.a`"),
        (
            "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = upper(a)",
            "ALTER TABLE t DROP COLUMN a",
            "`t.a`",
        ),
        ("ALTER TABLE t RENAME COLUMN b TO bb", "ALTER TABLE t DROP COLUMN c", "t_b_c of `t`"),
        (
            "ALTER TABLE v RENAME COLUMN code TO k",
            "ALTER TABLE w RENAME COLUMN v_code TO x",
            "w_v of `w`",
        ),
        ("ALTER TABLE u RENAME COLUMN t_id TO x", "ALTER TABLE u DROP CONSTRAINT u_t", "`u.t_id`"),
        ("DROP TABLE u", "ALTER TABLE u ADD COLUMN x int", "`u`"),
        ("ALTER TABLE u RENAME TO uu", "ALTER TABLE u ADD COLUMN x int", "`u`"),
    ] {
        let repo = begun("postgres@18", first);
        let before = repo.files();
        let ran = run(&repo, "postgres@18", &["--name", "second", then]);
        assert_eq!(ran.code, 1, "{first}; {then}: {}", ran.stderr);
        let said = format!("error: the rollout first is not finished, and works on {what} too\n");
        assert!(ran.stderr.starts_with(&said), "{first}; {then}: {}", ran.stderr);
        assert!(ran.stderr.contains("then `miggen next first`"), "{}", ran.stderr);
        assert_eq!(repo.files(), before, "something was written");
        finish(&repo);
        let ran = run(&repo, "postgres@18", &["--name", "second", then]);
        assert_eq!(ran.code, 0, "{first}; {then}: {}", ran.stderr);
    }
}

#[test]
fn rollouts_beside_one_another_are_let_be() {
    for (first, then) in [
        (RENAME, "ALTER TABLE t RENAME COLUMN d TO dd"),
        (RENAME, "ALTER TABLE u RENAME COLUMN a TO aa"),
        (RENAME, "ALTER TABLE t ADD COLUMN x int"),
        (RENAME, "CREATE INDEX i ON t (b)"),
        (RENAME, "DELETE FROM t WHERE a = 'x'"),
        (RENAME, "UPDATE t SET b = upper(a)"),
        ("ALTER TABLE t RENAME COLUMN b TO bb", "ALTER TABLE t ALTER COLUMN c SET DEFAULT 0"),
        (
            "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = upper(a)",
            "ALTER TABLE t ADD COLUMN y text; UPDATE t SET y = lower(a)",
        ),
    ] {
        let repo = begun("postgres@18", first);
        let ran = run(&repo, "postgres@18", &["--name", "second", then]);
        assert_eq!(ran.code, 0, "{first}; {then}: {}", ran.stderr);
    }
}

#[test]
fn what_is_made_anew_later_is_one_rollouts_alone() {
    let server = "sqlite@3.45";
    for (first, then) in [
        (
            "ALTER TABLE t ADD COLUMN x text NOT NULL; UPDATE t SET x = upper(a)",
            "ALTER TABLE t ADD COLUMN y int",
        ),
        (RENAME, "ALTER TABLE t ALTER COLUMN d SET NOT NULL"),
    ] {
        let repo = begun(server, first);
        let ran = run(&repo, server, &["--name", "second", then]);
        assert_eq!(ran.code, 1, "{first}; {then}: {}", ran.stderr);
        assert!(ran.stderr.contains("works on `t`, which is made anew"), "{}", ran.stderr);
        let ran = run(&repo, server, &["--name", "second", "ALTER TABLE u ADD COLUMN y int"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        finish(&repo);
        let ran = run(&repo, server, &["--name", "third", then]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}

#[test]
fn another_database_of_the_repository_is_another_matter() {
    let repo = begun("postgres@18", RENAME);
    repo.write("other/schema.sql", SCHEMA);
    repo.write("other/migrations/001_initial.up.sql", "");
    repo.write("other/migrations/001_initial.down.sql", "");
    let there = ["--dir", "other/migrations"];
    let ran = run(&repo, "postgres@18", &[&there[..], &["--name", "second", RENAME]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let schema = ["--schema", "other/schema.sql"];
    let args = [&there[..], &schema, &["--name", "second", RENAME]].concat();
    let ran = run(&repo, "postgres@18", &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
