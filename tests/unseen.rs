//! Code in a folder of migrations that may change the schema unseen.

mod support;

use support::{Ran, Repo};

const SCHEMA: &str = "\
CREATE TABLE t (id bigint PRIMARY KEY, a text, updated_at timestamptz NOT NULL);
CREATE TABLE u (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, t_id bigint CONSTRAINT u_t REFERENCES t (id));
CREATE INDEX u_t_id ON u (t_id);
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at = now(); RETURN NEW; END $$;
CREATE FUNCTION add_trg(tab regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('CREATE TRIGGER trg BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION set_updated_at()', tab);
END $$;
CREATE FUNCTION note(a text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN a; END $$;
";
const RENAME: &str = "ALTER TABLE t RENAME COLUMN updated_at TO changed_at";

/// Without a dump: the migrations are the schema.
fn folder(more: &str) -> Repo {
    let repo = Repo::new();
    repo.write("migrations/001_initial.up.sql", SCHEMA);
    repo.write("migrations/001_initial.down.sql", "");
    if !more.is_empty() {
        repo.write("migrations/002_more.up.sql", more);
        repo.write("migrations/002_more.down.sql", "");
    }
    repo
}

fn run(repo: &Repo, change: &str) -> Ran {
    repo.miggen(&["--server", "postgres@15", change])
}

#[test]
fn what_code_may_have_done_to_the_table_is_refused_where_values_are_written() {
    for (code, line) in [
        ("SELECT add_trg('t');", 1),
        ("SELECT add_trg('public.t');", 1),
        ("SELECT add_trg(oid) FROM pg_class WHERE relname LIKE 't%';", 1),
        ("\nSELECT create_hypertable('t', 'updated_at');", 2),
        ("SELECT from_nowhere();", 1),
        ("CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT add_trg(''t'')'; CALL p();", 1),
        ("DO $$ BEGIN ALTER TABLE t DISABLE TRIGGER ALL; END $$;", 1),
        ("DO $$ BEGIN PERFORM add_trg('t'); END $$;", 1),
        (
            "DO $$ DECLARE n text; BEGIN FOR n IN SELECT tablename FROM pg_tables LOOP PERFORM add_trg(n); END LOOP; END $$;",
            1,
        ),
        (
            "DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['u', 't'] LOOP EXECUTE 'x' || n; END LOOP; END $$;",
            1,
        ),
    ] {
        for change in [
            RENAME,
            "ALTER TABLE t ALTER COLUMN a TYPE bigint",
            "UPDATE t SET a = upper(a) WHERE a <> upper(a)",
            "DELETE FROM t WHERE a = 'x'",
            "ALTER TABLE t DROP COLUMN a",
        ] {
            let repo = folder(code);
            let ran = run(&repo, change);
            assert_eq!(ran.code, 1, "{code}: {change}");
            assert!(ran.stderr.contains("what this did to `t` cannot be read"), "{}", ran.stderr);
            let place = format!("migrations/002_more.up.sql:{line}:");
            assert!(ran.stderr.contains(&place), "{}", ran.stderr);
            assert!(ran.stderr.contains("hint: `pg_dump -s … > schema.sql`"), "{}", ran.stderr);
        }
        let repo = folder(code);
        repo.write("schema.sql", SCHEMA);
        assert_eq!(run(&repo, "UPDATE t SET a = upper(a)").code, 0, "{code}");
    }
}

#[test]
fn it_was_about_the_table_by_its_name_of_then() {
    let repo = folder("SELECT add_trg('t'); ALTER TABLE t RENAME TO things;");
    let ran = run(&repo, "UPDATE things SET a = upper(a)");
    assert!(ran.stderr.contains("what this did to `things` cannot be read"), "{}", ran.stderr);
}

#[test]
fn where_no_value_is_written_it_is_a_warning() {
    for change in
        ["ALTER TABLE t ADD COLUMN b text", "CREATE INDEX i ON t (a)", "COMMENT ON TABLE t IS 'x'"]
    {
        let ran = run(&folder("\n\nSELECT add_trg('t');"), change);
        assert_eq!(ran.code, 0, "{change}: {}", ran.stderr);
        let warning = "warning: migrations/002_more.up.sql:3: this may have made triggers";
        assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    }
    let ran = run(&folder("SELECT add_trg('t');"), "CREATE TABLE z (id bigint PRIMARY KEY)");
    assert!(ran.code == 0 && !ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn what_cannot_have_changed_the_table_says_nothing() {
    for code in [
        "SELECT 1; SELECT setval('u_id_seq', 1); SELECT pg_catalog.set_config('search_path', '', false);",
        "SELECT note('t'); SELECT count(*) FROM t WHERE length(a) > 1;",
        "SELECT add_trg('u');",
        "DO $$ BEGIN UPDATE t SET a = note(a); END $$;",
        "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        "SELECT * INTO kept FROM t;",
    ] {
        let ran = run(&folder(code), RENAME);
        assert_eq!(ran.code, 0, "{code}: {}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{code}: {}", ran.stderr);
    }
}

#[test]
fn migrations_of_earlier_rollouts_hide_nothing() {
    for first in [
        RENAME,
        "ALTER TABLE t RENAME TO things",
        "ALTER TABLE u ALTER COLUMN id TYPE bigint",
        "ALTER TABLE t ADD COLUMN n bigserial",
        "ALTER TABLE t ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE t ADD COLUMN n text; UPDATE t SET n = digest(a, 'md5'); ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE u DROP CONSTRAINT u_t",
        "ALTER TABLE u ADD CONSTRAINT u_a UNIQUE (a)",
        "DROP TABLE u",
        "UPDATE t SET a = 'x' WHERE digest(a) = 'y'",
        "DELETE FROM u WHERE a = 'x'",
    ] {
        let repo = folder("");
        let ran = repo.miggen(&["--server", "postgres@15", "--name", "first", first]);
        assert_eq!(ran.code, 0, "{first}: {}", ran.stderr);
        finish(&repo);
        let names = if first.contains("things") { ["things", "u"] } else { ["t", "u"] };
        for table in names.iter().filter(|table| first != "DROP TABLE u" || **table != "u") {
            let then = format!("UPDATE {table} SET a = upper(a) WHERE a <> upper(a)");
            let then = match first {
                "ALTER TABLE t DROP COLUMN a" if *table == "t" => "DELETE FROM t WHERE id = 7",
                _ => &then,
            };
            let ran = run(&repo, then);
            assert_eq!(ran.code, 0, "{first}, then {then}: {}", ran.stderr);
        }
    }
}

/// All deploys, each released on the day it was written.
fn finish(repo: &Repo) {
    let state = "rollouts/2026-11-21-first/rollout.toml";
    for deploy in 1..9 {
        let text = repo.read(state);
        if !text.contains(&format!("number = {}\n", deploy + 1)) {
            return;
        }
        let number = format!("number = {deploy}\n");
        let text = text.replacen(&number, &format!("{number}released = 2026-11-21\n"), 1);
        repo.write(state, &text);
        let ran = repo.miggen(&["next", "first"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}

#[test]
fn a_rollout_that_was_begun_goes_on() {
    let repo = folder("");
    assert_eq!(repo.miggen(&["--server", "postgres@15", "--name", "first", RENAME]).code, 0);
    // Begun by a version that did not ask.
    let state = "rollouts/2026-11-21-first/rollout.toml";
    let text =
        repo.read(state).replacen("ddl = \"\"\"\n", "ddl = \"\"\"\nSELECT add_trg('t');\n", 1);
    repo.write(state, &text);
    repo.write("migrations/001_initial.up.sql", &format!("{SCHEMA}SELECT add_trg('t');"));
    finish(&repo);
}
