//! Changes that would do harm are refused with their true reason.

mod support;

use support::Repo;

const POSTGRES: &str = "postgres@18";
const SQLITE: &str = "sqlite@3.40";

fn planned(server: &str, schema: &str, change: &str) -> Result<String, String> {
    planned_with(&[], server, schema, change)
}

fn planned_with(more: &[&str], server: &str, schema: &str, change: &str) -> Result<String, String> {
    let repo = Repo::raw(schema);
    let options = ["--target", "raw", "--server", server, "--schema", "schema.sql", change];
    let ran = repo.miggen(&[&options[..], more].concat());
    if ran.code == 0 { Ok(ran.stdout) } else { Err(format!("{}exit {}", ran.stderr, ran.code)) }
}

#[track_caller]
fn refused(server: &str, schema: &str, change: &str, says: &str) {
    let said = planned(server, schema, change).expect_err(change);
    assert!(said.contains(says) && said.ends_with("exit 1"), "{server}: {change}\n{said}");
}

#[test]
fn a_generated_column_is_what_it_is_computed_from() {
    let schema = "\
CREATE TABLE t (
    id int PRIMARY KEY, price numeric, n int,
    gross numeric GENERATED ALWAYS AS (price * 1.2) STORED
);
CREATE TABLE b (id int PRIMARY KEY, n numeric);";
    for (change, reads) in [
        ("UPDATE t SET price = gross WHERE id <= 500", "gross"),
        ("UPDATE t SET price = gross", "gross"),
        ("UPDATE t SET n = gross, price = 1", "gross"),
        ("UPDATE t SET price = gross + b.n FROM b WHERE b.id = t.id", "gross"),
        ("UPDATE t SET price = (SELECT b.n FROM b WHERE b.id = 1) + t.gross", "gross"),
        (
            "ALTER TABLE t ADD COLUMN s numeric;
             ALTER TABLE t ADD COLUMN more numeric GENERATED ALWAYS AS (s + 1);
             UPDATE t SET s = more",
            "more",
        ),
    ] {
        for server in [POSTGRES, SQLITE] {
            let says = format!("is computed from `{reads}`, which the same statement changes");
            refused(server, schema, change, &says);
        }
    }
    let through = schema.replace("STORED", "STORED, tax numeric AS (GROSS - 1)");
    let says = "`price` is computed from `tax`, which the same statement changes";
    refused(SQLITE, &through, "UPDATE t SET PRICE = tax", says);
    refused(POSTGRES, schema, "UPDATE t SET gross = 5", "`gross` is generated");
    assert!(planned(POSTGRES, schema, "UPDATE t SET n = gross").is_ok());
}

#[test]
fn a_rename_does_not_reach_through_a_view_with_downtime_either() {
    let schema = "\
CREATE TABLE a (id INTEGER PRIMARY KEY, v text);
CREATE VIEW w AS SELECT id, v FROM a;
CREATE VIEW w2 AS SELECT v FROM w;";
    let rename = "ALTER TABLE a RENAME COLUMN v TO val";
    let window = ["--downtime", "5m"];
    let said = planned_with(&window, SQLITE, schema, rename).unwrap_err();
    assert!(said.contains("the view w2 reads `v` of the view w"), "{said}");
    assert!(planned_with(&window, POSTGRES, schema, rename).is_ok());
}

#[test]
fn only_a_key_that_is_written_passes_on() {
    let schema = "\
CREATE TABLE a (id integer PRIMARY KEY, v int, b_id int);
CREATE TABLE b (id integer PRIMARY KEY, v int, a_id int REFERENCES a ON UPDATE CASCADE);
CREATE INDEX i ON b (a_id);";
    for server in [POSTGRES, SQLITE] {
        let update = "UPDATE a SET v = b.v FROM b WHERE b.id = a.b_id";
        assert!(planned(server, schema, update).is_ok());
        let key = "UPDATE a SET id = b.v FROM b WHERE b.id = a.b_id";
        refused(server, schema, key, "this reads rows of `b`, and changes them");
    }
}

#[test]
fn what_is_applied_twice_is_said_of_the_server() {
    let schema = "CREATE TABLE t (id integer PRIMARY KEY, v int, n int);";
    let change = "UPDATE t SET v = v + 1";
    refused(POSTGRES, schema, change, "a batch that runs again would apply it twice");
    refused(SQLITE, schema, change, "a file that runs again would apply it twice");
}

#[test]
fn a_function_varies_as_the_schema_declares_it() {
    for (declared, fits) in
        [("IMMUTABLE", true), ("STABLE", false), ("VOLATILE", false), ("", false)]
    {
        let schema = format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, a int, n int);
             CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql {declared} AS $$ SELECT i /* immutable */ $$;"
        );
        for change in ["UPDATE t SET a = public.f(n)", "DELETE FROM t WHERE f(n) = 3"] {
            assert_eq!(planned(POSTGRES, &schema, change).is_ok(), fits, "{declared}: {change}");
        }
        let altered = format!("{schema} ALTER FUNCTION f(int) VOLATILE;");
        assert!(planned(POSTGRES, &altered, "UPDATE t SET a = f(n)").is_err());
    }
}

#[test]
fn what_stands_for_a_value_is_named() {
    let schema = "CREATE TABLE t (id bigint PRIMARY KEY, a text, b text DEFAULT 'x');";
    refused(POSTGRES, schema, "UPDATE t SET b = DEFAULT", "write it out: `b = 'x'`");
    refused(POSTGRES, schema, "UPDATE t SET a = default WHERE b = 'y'", "write it out: `a = NULL`");
    for change in [
        "UPDATE t SET a = row_to_json(t)",
        "UPDATE t SET a = t::text WHERE id > 7",
        "UPDATE t AS x SET a = row_to_json(x)",
        "DELETE FROM t WHERE t IS NULL",
    ] {
        refused(POSTGRES, schema, change, "this reads whole rows of `");
    }
    refused(POSTGRES, schema, "UPDATE t SET a = t.*::text", "does not understand");
}

#[test]
fn hints_are_statements_of_the_server() {
    let schema = "\
CREATE TABLE t (id integer PRIMARY KEY, a int);
CREATE TABLE \"Order\" (id integer PRIMARY KEY, parent int REFERENCES t (id), \"group\" int);";
    let delete = "DELETE FROM t WHERE a = 1";
    let read = "UPDATE t SET a = (SELECT max(o.id) FROM \"Order\" o WHERE o.\"group\" = t.id)";
    refused(POSTGRES, schema, delete, "CREATE INDEX ON \"Order\" (parent)\n");
    refused(SQLITE, schema, delete, "CREATE INDEX \"Order_parent_idx\" ON \"Order\" (parent)\n");
    refused(POSTGRES, schema, read, "CREATE INDEX ON \"Order\" (\"group\")\n");
    refused(SQLITE, schema, read, "CREATE INDEX \"Order_group_idx\" ON \"Order\" (\"group\")\n");
}

#[test]
fn a_key_that_may_be_null_is_to_be_required_first() {
    let schema = "\
CREATE TABLE t (id bigint PRIMARY KEY, a int);
CREATE TABLE l (id bigserial PRIMARY KEY, t_id bigint UNIQUE, v int);";
    let copy = "INSERT INTO l (t_id, v) SELECT id, a FROM t";
    refused(POSTGRES, schema, copy, "make t_id of `l` NOT NULL first");
    let required = schema.replace("t_id bigint", "t_id bigint NOT NULL");
    assert!(planned(POSTGRES, &required, copy).is_ok());
}

#[test]
fn everyday_changes_are_planned_for_the_oldest_sqlite() {
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER);";
    for change in [
        "ALTER TABLE t ADD COLUMN b TEXT",
        "ALTER TABLE t ADD COLUMN b TEXT UNIQUE; ALTER TABLE t ADD COLUMN c TEXT",
        "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE t ADD COLUMN b TEXT; UPDATE t SET b = lower(a)",
        "ALTER TABLE t DROP COLUMN a",
    ] {
        for server in ["sqlite", "sqlite@3.26", "sqlite@3.34"] {
            let done = planned(server, schema, change);
            assert!(done.is_ok(), "{server}: {change}\n{}", done.unwrap_err());
        }
    }
    let change = "ALTER TABLE t ADD COLUMN b TEXT AS (lower(a))";
    refused("sqlite", schema, change, "sqlite@3.26 has no generated columns");
    refused("sqlite", schema, change, "assumed where no version is given");
    refused(
        "sqlite@3.30",
        schema,
        change,
        "= planned for SQLite 3.30\nhint: `--server sqlite@3.45`",
    );
}

#[test]
fn what_is_first_is_said_where_a_table_is_pointed_to() {
    let schema = "\
CREATE TABLE w (id integer PRIMARY KEY);
CREATE TABLE p (id integer PRIMARY KEY, w_id integer CONSTRAINT p_w REFERENCES w (id), n integer);
CREATE INDEX p_w_id ON p (w_id);";
    let unnamed = schema.replace("CONSTRAINT p_w ", "");
    for (server, schema, first) in [
        (POSTGRES, schema, "ALTER TABLE p DROP CONSTRAINT p_w"),
        (SQLITE, schema, "ALTER TABLE p DROP CONSTRAINT p_w"),
        (SQLITE, &unnamed, "ALTER TABLE p DROP COLUMN w_id"),
    ] {
        let says = format!("first, as a rollout of its own: `{first}`; when its last deploy");
        refused(server, schema, "DROP TABLE w", &says);
        assert!(planned(server, schema, first).is_ok(), "{first}");
        let both = format!("{first}; DROP TABLE w");
        refused(server, schema, &both, "plan the others first; when their last deploy is through");
    }
}

#[test]
fn an_empty_pair_is_enough_for_sqlx() {
    let repo = Repo::new();
    repo.write("migrations/20260101000000_a.sql", "CREATE TABLE t (id int PRIMARY KEY);");
    let options = ["--target", "sqlx", "--server", POSTGRES, "ALTER TABLE t ADD COLUMN a int"];
    let said = repo.miggen(&options).stderr;
    assert!(
        said.contains("hint: start with `sqlx migrate add -r NAME`: the pair may stay empty"),
        "{said}"
    );
    repo.write("migrations/20260102000000_b.up.sql", "");
    repo.write("migrations/20260102000000_b.down.sql", "");
    assert_eq!(repo.miggen(&options).code, 0);
}
