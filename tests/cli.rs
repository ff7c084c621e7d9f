//! The command line as people meet it: what is said, where, and with which exit code.

mod support;

use support::Repo;

const SCHEMA: &str = "\
CREATE TABLE users (
    id bigserial PRIMARY KEY,
    email text NOT NULL,
    status text
);
CREATE TABLE posts (
    id bigserial PRIMARY KEY,
    title text NOT NULL,
    created timestamp NOT NULL DEFAULT now()
);
CREATE INDEX posts_created_idx ON posts (created);
CREATE TABLE notes (body text);
CREATE TABLE parts (id bigint) PARTITION BY RANGE (id);
";
const RENAME: &str =
    "-- miggen: keep 14 days\nALTER TABLE posts RENAME COLUMN created TO created_at;\n";
const FLAGS: [&str; 6] = ["--target", "raw", "--server", "postgres@15", "--schema", "schema.sql"];

fn with<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    FLAGS.iter().copied().chain(rest.iter().copied()).collect()
}

/// What a refused change prints; nothing may have been written.
fn refused(change: &str) -> String {
    refused_with(SCHEMA, change)
}

fn refused_with(schema: &str, change: &str) -> String {
    let repo = Repo::raw(schema);
    let before = repo.files();
    let ran = repo.miggen(&with(&[change]));
    assert_eq!(ran.stdout, "");
    assert_eq!(repo.files(), before, "something was written");
    format!("{}\nexit {}", ran.stderr, ran.code)
}

#[test]
fn refusals_name_the_place_the_reason_and_what_to_do() {
    let mut all = String::new();
    for change in [
        "ALTER TABLE user ADD COLUMN x int",
        "ALTER TABLE users ADD COLUMN email text",
        "ALTER TABLE users ADD COLUMN x int NOT NULL",
        "ALTER TABLE users ADD COLUMN x foo",
        "ALTER TABLE users ADD COLUMN n text GENERATED ALWAYS AS (lower(email)) STORED",
        "ALTER TABLE users ADD COLUMN n text GENERATED ALWAYS AS (lower(email))",
        "ALTER TABLE users ALTER COLUMN status TYPE serial",
        "ALTER TABLE users ADD COLUMN x int PRIMARY KEY",
        "ALTER TABLE users ADD COLUMN x text DEFAULT 'abc",
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        "ALTER TABLE users DROP COLUMN id",
        "ALTER TABLE users DROP COLUMN id CASCADE",
        "ALTER TABLE users ADD COLUMN state text, DROP COLUMN status",
        "ALTER TABLE users ADD COLUMN state text; UPDATE users SET state = status; ALTER TABLE users DROP COLUMN status",
        "ALTER TABLE users DROP CONSTRAINT nope",
        "ALTER TABLE users ADD EXCLUDE USING gist (email WITH =)",
        "ALTER TABLE users ALTER COLUMN status TYPE int USING length(status)",
        "ALTER TABLE users RENAME COLUMN id TO user_id",
        "ALTER TABLE users RENAME COLUMN emial TO mail",
        "ALTER TABLE users RENAME COLUMN status TO user",
        "ALTER TABLE posts RENAME CONSTRAINT posts_pkey TO posts_created_idx",
        "ALTER INDEX posts_pkey RENAME TO posts_key",
        "ALTER TABLE parts ADD COLUMN x int UNIQUE",
        "ALTER TABLE parts DROP COLUMN id",
        "CREATE INDEX posts_created_idx ON posts (title)",
        "CREATE INDEX i ON posts (titel)",
        "CREATE INDEX i ON parts (id)",
        "ALTER TABLE users DROP COLUMN status; ALTER TABLE users RENAME COLUMN email TO status",
        "ALTER TABLE posts ALTER COLUMN created TYPE timestamptz",
        "DROP TABLE usres",
        "DROP TABLE users CASCADE",
        "DROP TABLE parts",
        "DROP TABLE users; CREATE INDEX i ON posts (title)",
        "CREATE TABLE posts (id bigint)",
        "CREATE UNLOGGED TABLE x (id bigint)",
        "CREATE TABLE x (id bigint) PARTITION BY RANGE (id)",
        "CREATE TABLE x AS SELECT * FROM users",
        "CREATE TABLE x (id bigint) INHERITS (users)",
        "CREATE TABLE x (id bigint); UPDATE x SET id = 1",
        "CREATE TABLE x (id bigint); DELETE FROM x WHERE id = 1",
        "CREATE TABLE x (id bigint); ALTER TABLE x OWNER TO somebody",
        "ALTER TABLE users RENAME TO posts",
        "ALTER TABLE users RENAME TO people; ALTER TABLE people ADD COLUMN x int",
        "DROP INDEX users_pkey",
        "DROP INDEX posts_created_idx CASCADE",
        "COMMENT ON COLUMN users.mail IS 'x'",
        "COMMENT ON TABLE users IS NULL",
        "UPDATE users SET status = status || 'x'",
        "UPDATE users SET status = random()::text",
        "UPDATE users SET status = upper(statsu)",
        "UPDATE parts SET id = 0",
        "-- miggen: renamed from x\nALTER TABLE users ADD COLUMN y int",
        "SELEC 1",
        "ALTER TABLE users ADD COLUMN ${name} int",
        "ALTER TABLE users FROBNICATE",
        "SELECT 1",
    ] {
        all.push_str(&format!("$ miggen {change:?}\n{}\n\n", refused(change)));
    }
    insta::assert_snapshot!(all);
}

const ORDERS: &str = "\
CREATE TABLE customers (id bigint PRIMARY KEY, plan text, rate float8, code text UNIQUE);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint REFERENCES customers (id),
    plan text,
    status text,
    total numeric
);
CREATE INDEX ON orders (customer_id);
CREATE TABLE lines (order_id bigint REFERENCES orders (id) ON DELETE CASCADE, price float8);
CREATE INDEX ON lines (order_id);
CREATE TABLE gone (id bigint PRIMARY KEY, plan text);
CREATE VIEW spenders AS SELECT customer_id FROM orders;
";

#[test]
fn statements_that_read_other_tables_are_refused_where_batches_cannot_carry_them() {
    let mut all = String::new();
    for change in [
        // Names.
        "UPDATE orders SET status = (SELECT plan FROM custmers)",
        "UPDATE orders SET status = (SELECT c.plan FROM spenders c)",
        "UPDATE orders SET status = (SELECT c.plam FROM customers c WHERE c.id = orders.customer_id)",
        "UPDATE orders SET status = (SELECT c.plan FROM customers c WHERE c.id = o.customer_id)",
        "UPDATE orders o SET status = (SELECT code FROM customers WHERE id = orders.customer_id)",
        "UPDATE orders SET status = (SELECT code FROM customers WHERE id = nope)",
        "UPDATE orders SET status = (SELECT 1 FROM customers c, orders o WHERE id = 1)",
        "UPDATE orders SET status = plan FROM customers c WHERE c.id = customer_id",
        "UPDATE orders SET status = orders.plan FROM orders WHERE orders.id = 1",
        // What is written.
        "UPDATE orders SET status = (SELECT max(status) FROM orders)",
        "UPDATE orders SET status = (SELECT c.code FROM customers c WHERE c.code = orders.status)",
        "UPDATE orders SET status = coalesce(status, (SELECT max(plan) FROM customers))",
        "DELETE FROM orders WHERE id NOT IN (SELECT max(id) FROM orders GROUP BY customer_id)",
        "DELETE FROM orders WHERE EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)",
        "UPDATE orders SET status = (SELECT plan FROM customers c WHERE c.id = customer_id); DELETE FROM customers WHERE id = 1",
        "ALTER TABLE customers ADD COLUMN tier text; UPDATE orders SET status = (SELECT c.tier FROM customers c WHERE c.id = customer_id)",
        "ALTER TABLE orders ADD COLUMN tier text DEFAULT 'x'; UPDATE orders SET tier = (SELECT c.plan FROM customers c WHERE c.id = customer_id)",
        "ALTER TABLE orders ADD COLUMN tier text; UPDATE orders SET tier = (SELECT c.plan FROM customers c WHERE c.id = customer_id); ALTER TABLE orders ALTER tier SET NOT NULL",
        "ALTER TABLE orders ADD COLUMN tier text; UPDATE orders SET tier = (SELECT c.plan FROM customers c WHERE c.id = customer_id); DELETE FROM customers WHERE id = 7",
        // What is left to chance.
        "UPDATE orders SET status = c.plan FROM customers c WHERE c.plan = orders.plan",
        "UPDATE orders SET status = c.plan FROM customers c WHERE c.code = orders.customer_id::text",
        "UPDATE orders SET status = c.plan FROM customers c WHERE c.id = orders.total",
        "UPDATE orders SET status = 'x' FROM customers c",
        "UPDATE customers SET plan = (SELECT o.status FROM orders o WHERE o.customer_id = customers.id ORDER BY o.total LIMIT 1)",
        "UPDATE orders SET status = 'x' WHERE customer_id IN (SELECT id FROM customers ORDER BY id LIMIT 1)",
        "UPDATE orders SET total = (SELECT sum(price) FROM lines WHERE order_id = orders.id)",
        "UPDATE orders SET status = (SELECT random()::text)",
        "UPDATE orders SET status = (SELECT c.plan || now() FROM customers c WHERE c.id = customer_id)",
        "UPDATE orders SET status = 'x' WHERE customer_id IN (SELECT id FROM customers WHERE rate > random())",
        // What is read whole.
        "UPDATE orders SET status = 'x' WHERE customer_id NOT IN (SELECT id FROM customers)",
        "UPDATE orders SET status = (SELECT max(code) FROM customers)",
        "DELETE FROM orders WHERE plan IN (SELECT plan FROM customers)",
        "UPDATE orders SET status = 'x' WHERE EXISTS (SELECT 1 FROM customers c WHERE c.rate > total)",
        // What is not planned.
        "UPDATE customers SET plan = (SELECT max(o.plan) FROM orders o WHERE o.status = customers.code)",
        "UPDATE orders SET (status, plan) = (SELECT c.plan, c.code FROM customers c WHERE c.id = customer_id)",
        "UPDATE orders SET status = max(c.plan) FROM customers c WHERE c.id = customer_id",
        "UPDATE orders SET status = max(plan)",
        "UPDATE orders SET status = (SELECT plan FROM customers UNION SELECT code FROM customers)",
        "UPDATE orders SET status = p.plan FROM (SELECT id, plan FROM customers) p WHERE p.id = orders.customer_id",
        "WITH c AS (SELECT 1) UPDATE orders SET status = (SELECT 'x' FROM c)",
        "UPDATE orders SET status = c.plan FROM customers c WHERE c.id = customer_id RETURNING id",
        "DELETE FROM orders USING customers c WHERE c.id = customer_id RETURNING orders.id",
        // Copies.
        "INSERT INTO gone (id, plan) SELECT o.id, c.plan FROM orders o JOIN customers c ON c.plan = o.plan AND c.id > 1",
        "INSERT INTO gone (id, plan) SELECT o.id, c.plan FROM orders o, customers c",
        "INSERT INTO gone (id, plan) SELECT o.id, plan FROM orders o JOIN customers c ON c.id = customer_id",
        "INSERT INTO gone (id, plan) SELECT c.id, c.plan FROM orders o JOIN customers c ON c.id = customer_id",
        "INSERT INTO gone (id) SELECT id FROM orders WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = orders.id)",
        "INSERT INTO gone (id) SELECT gone.id FROM orders gone",
        "INSERT INTO gone (id) SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = customer_id",
        "INSERT INTO gone (id, plan) SELECT id, count(*) FROM orders",
    ] {
        let text = refused_with(ORDERS, change);
        all.push_str(&format!("$ miggen {change:?}\n{text}\n\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_trigger_that_may_write_what_is_read_is_named() {
    let trigger = "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        UPDATE customers SET rate = rate + 1 WHERE id = NEW.customer_id; RETURN NEW; END $$;\n\
        CREATE TRIGGER counts BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION counted();\n";
    let repo = Repo::raw(&format!("{ORDERS}{trigger}"));
    let change = "UPDATE orders SET status = c.plan FROM customers c WHERE c.id = customer_id";
    let ran = repo.miggen(&with(&["--dry-run", "--format", "json", change]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("counts names `customers`: if it writes there"), "{}", ran.stdout);
}

#[test]
fn a_small_table_may_be_read_whole_by_each_batch() {
    let repo = Repo::raw(ORDERS);
    let change =
        "UPDATE orders SET status = 'x' WHERE customer_id NOT IN (SELECT id FROM customers)";
    let ran = repo.miggen(&with(&["--rows", "customers=2000", "--dry-run", change]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("ROW EXCLUSIVE"), "{}", ran.stdout);
}

#[test]
fn usage_errors_exit_with_2() {
    let repo = Repo::raw(SCHEMA);
    for (args, said) in [
        (vec![], "no change is given"),
        (with(&["--rows", "users=lots", "SELECT 1"]), "does not say how many rows"),
        (with(&["--downtime", "soon", "UPDATE users SET status = 'x'"]), "is not a downtime"),
        (
            vec!["--target", "cobol", "--server", "postgres", "UPDATE users SET status = 'x'"],
            "`cobol` is not a target",
        ),
        (vec!["--target", "raw", "--server", "oracle@9", "x y"], "is not a server miggen knows"),
        (with(&["--keep", "soon", "UPDATE users SET status = 'x'"]), "is not a number of days"),
        (with(&["--archive", "UPDATE users SET status = 'x'"]), "there is nothing to archive"),
        (with(&["--dual-write", "me", "UPDATE users SET status = 'x'"]), "cannot write twice"),
        (with(&["--parent", "abc", "DROP TABLE notes"]), "--parent says nothing to plain SQL"),
        (with(&["--name", "", "DROP TABLE notes"]), "--name is empty"),
        (with(&["--name", "  ", "DROP TABLE notes"]), "--name is empty"),
        (vec!["--frobnicate"], "unexpected argument"),
    ] {
        let ran = repo.miggen(&args);
        assert!(ran.stderr.contains(said), "{args:?} says {:?}", ran.stderr);
        assert_eq!(ran.code, 2, "{args:?}");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn how_long_is_kept_is_said_once() {
    let repo = Repo::raw(SCHEMA);
    repo.write("change.sql", RENAME);
    let ran = repo.miggen(&with(&["--keep", "30d", "change.sql"]));
    assert!(ran.stderr.contains("--keep says 30 days, the change says 14 days"), "{}", ran.stderr);
    assert_eq!(ran.code, 1);
    let ran = repo.miggen(&with(&["--keep", "30d", "DROP TABLE notes"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("not before 30 days after deploy 1"), "{}", ran.stderr);
}

#[test]
fn help_lists_the_exit_codes() {
    let ran = Repo::new().miggen(&["--help"]);
    assert_eq!(ran.code, 0);
    for line in ["Exit codes:", "refused", "the command line is wrong", "a bug of miggen"] {
        assert!(ran.stdout.contains(line), "{line} is missing");
    }
}

#[test]
fn the_change_comes_from_a_file_or_standard_input_as_well() {
    let sql = "ALTER TABLE users ADD COLUMN age int;\n";
    let from_file = Repo::raw(SCHEMA);
    from_file.write("change.sql", sql);
    assert_eq!(from_file.miggen(&with(&["change.sql"])).code, 0);
    let from_input = Repo::raw(SCHEMA);
    assert_eq!(from_input.miggen_with_input(&with(&["-"]), sql.as_bytes()).code, 0);
    let up = "migrations/002_add_users_age.up.sql";
    assert_eq!(from_file.read(up), from_input.read(up));

    let missing = Repo::raw(SCHEMA).miggen(&with(&["nowhere.sql"]));
    assert!(missing.stderr.contains("nowhere.sql cannot be read"), "{}", missing.stderr);
    assert_eq!(missing.code, 1);
    let latin1 = Repo::raw(SCHEMA).miggen_with_input(&with(&["-"]), b"-- caf\xe9\nSELECT 1;");
    assert!(latin1.stderr.contains("standard input is not UTF-8: byte 7"), "{}", latin1.stderr);
    assert_eq!(latin1.code, 1);
}

#[test]
fn a_rollout_goes_through_its_deploys() {
    let repo = Repo::raw(SCHEMA);
    repo.write("change.sql", RENAME);
    let mut told = String::new();
    let mut tell = |title: &str, ran: &support::Ran| {
        told.push_str(&format!("$ {title}\n{}{}exit {}\n\n", ran.stdout, ran.stderr, ran.code));
    };
    tell("miggen change.sql", &repo.miggen(&with(&["--rows", "posts=2M", "change.sql"])));
    tell("miggen status", &repo.miggen(&["status"]));
    tell("miggen next", &repo.miggen(&["next"]));
    let toml = "rollouts/2026-11-21-rename-posts-created/rollout.toml";
    let state = repo.read(toml).replacen(
        "emitted = 2026-11-21\n",
        "emitted = 2026-11-21\nreleased = 2026-11-24\n",
        1,
    );
    repo.write(toml, &state);
    let repo = repo.at("1796205600"); // 2026-12-02
    tell("miggen next      # 2026-12-02", &repo.miggen(&["next"]));
    tell("miggen status --check", &repo.miggen(&["status", "--check"]));
    let repo = repo.at("1796810400"); // 2026-12-09
    tell("miggen status --check      # 2026-12-09", &repo.miggen(&["status", "--check"]));
    // Somebody else's migration came in between.
    repo.write("migrations/006_other.up.sql", "-- other\n");
    repo.write("migrations/006_other.down.sql", "-- other\n");
    tell("miggen next      # 2026-12-09", &repo.miggen(&["next"]));
    tell("miggen next", &repo.miggen(&["next"]));
    tell("miggen status --check", &repo.miggen(&["status", "--check"]));
    insta::assert_snapshot!(told);
    assert!(
        repo.files().contains(&"migrations/009_rename_posts_created_contract.up.sql".to_owned())
    );
    assert!(
        repo.read("migrations/009_rename_posts_created_contract.up.sql")
            .contains("now() < '2026-12-08'")
    );
}

#[test]
fn next_sees_what_a_table_made_anew_would_lose() {
    let schema = "CREATE TABLE u (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n";
    let repo = Repo::raw(schema);
    let change = "ALTER TABLE u ADD COLUMN s TEXT NOT NULL; UPDATE u SET s = lower(name)";
    let options = ["--target", "raw", "--server", "sqlite@3.40", "--schema", "schema.sql"];
    assert_eq!(repo.miggen(&[&options[..], &[change]].concat()).code, 0);
    let toml = "rollouts/2026-11-21-add-u-s/rollout.toml";
    let day = "emitted = 2026-11-21\n";
    let released = repo.read(toml).replacen(day, &format!("{day}released = 2026-11-21\n"), 1);
    repo.write(toml, &released);
    for (more, name) in [
        ("ALTER TABLE u ADD COLUMN s TEXT; ALTER TABLE U ADD COLUMN phone TEXT;", "phone"),
        ("CREATE INDEX u_name ON u (name);", "u_name"),
    ] {
        repo.write("schema.sql", &format!("{schema}{more}"));
        let ran = repo.miggen(&["next"]);
        assert_eq!(ran.code, 1);
        let said = format!("`u` has got `{name}` since this rollout was planned");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
    let index = "CREATE INDEX u_name ON u (name);\n\"\"\"";
    repo.write(
        toml,
        &released.replacen("\"\"\"\n\n[[deploys", &format!("{index}\n\n[[deploys"), 1),
    );
    assert_eq!(repo.miggen(&["next"]).code, 0);
}

#[test]
fn nothing_existing_is_overwritten_and_all_is_written_or_nothing() {
    let repo = Repo::raw(SCHEMA);
    let change = "ALTER TABLE users ADD COLUMN age int";
    assert_eq!(repo.miggen(&with(&[change])).code, 0);
    let before = repo.files();
    let again = repo.miggen(&with(&[change]));
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("is already there"), "{}", again.stderr);
    assert_eq!(repo.files(), before);

    // A folder where a file should go: the first files must go again.
    let blocked = Repo::raw(SCHEMA);
    blocked.write("rollouts/2026-11-21-add-users-age/verify", "not a folder");
    let before = blocked.files();
    let ran = blocked.miggen(&with(&[change]));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(blocked.files(), before);
}

#[test]
fn a_dry_run_writes_nothing_and_json_holds_every_file() {
    let repo = Repo::raw(SCHEMA);
    let before = repo.files();
    let text = repo.miggen(&with(&["--dry-run", RENAME]));
    insta::assert_snapshot!(text.stdout);
    let json = repo.miggen(&with(&["--dry-run", "--format", "json", RENAME]));
    assert_eq!(repo.files(), before);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["deploys"].as_array().unwrap().len(), 2);
    let files = value["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["path"].as_str().unwrap().ends_with("RUNBOOK.md")));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (Repo::raw(SCHEMA), Repo::raw(SCHEMA));
    for repo in [&one, &two] {
        assert_eq!(repo.miggen(&with(&[RENAME])).code, 0);
    }
    assert_eq!(one.files(), two.files());
    for file in one.files() {
        assert_eq!(one.read(&file), two.read(&file), "{file}");
    }
}

#[test]
fn all_deploys_at_once_for_those_who_run_files_by_hand() {
    let repo = Repo::raw(SCHEMA);
    let change = "ALTER TABLE posts RENAME COLUMN created TO created_at";
    assert_eq!(repo.miggen(&with(&["--all", change])).code, 0);
    let ups = repo.files().iter().filter(|file| file.ends_with(".up.sql")).count();
    assert_eq!(ups, 1 + 4 + 3);
}
