//! What a repository shows by itself, and what is said where it shows several things.

mod support;

use support::{Ran, Repo};

const TABLE: &str = "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n";
const CHANGE: &str = "ALTER TABLE notes ADD COLUMN x int";

#[track_caller]
fn says(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    for text in texts {
        assert!(ran.stderr.contains(text), "{text}\n{}", ran.stderr);
    }
}

#[test]
fn several_servers_are_named_with_their_files() {
    let repo = Repo::raw(TABLE);
    repo.write(".env", "DATABASE_URL=mysql://h/x\n");
    repo.write("site/settings.py", "'ENGINE': 'django.db.backends.sqlite3',\n");
    repo.write("application.properties", "spring.datasource.url=${URL:jdbc:postgresql://h/x}\n");
    let named = "= postgres (application.properties), mysql (.env), sqlite (site/settings.py)";
    let more = "error: more than one server is named here";
    says(&repo.miggen(&["--target", "raw", CHANGE]), 1, &[more, named, "hint: `--server"]);
    repo.write("db/dump.sql", &format!("-- Dumped from database version 15.4\n{TABLE}"));
    let given = ["--target", "raw", "--schema", "db/dump.sql", CHANGE];
    says(&repo.miggen(&given), 0, &["server    postgres@15"]);

    let images = Repo::raw(TABLE);
    images.write("compose.yml", "  image: postgres:15\n  image: mysql:8\n");
    let named = "= postgres (compose.yml), mysql (compose.yml)";
    says(&images.miggen(&["--target", "raw", CHANGE]), 1, &[more, named]);
}

#[test]
fn the_folder_that_is_named_holds_the_schema() {
    let repo = Repo::new();
    repo.write("a/db/migration/V1__x.sql", TABLE);
    repo.write("b/db/migration/V1__x.sql", TABLE);
    let several = "error: several folders of Flyway migrations are found here";
    says(&repo.miggen(&["--server", "postgres@15", CHANGE]), 1, &[several, "--dir a/db/migration"]);
    let dir = ["--server", "postgres@15", "--dir", "a/db/migration", CHANGE];
    says(&repo.miggen(&dir), 0, &["schema    a/db/migration"]);
    let empty = Repo::new();
    let none = "error: nothing says what the schema is now";
    says(&empty.miggen(&["--target", "flyway", "--server", "postgres@15", CHANGE]), 1, &[none]);
}

#[test]
fn another_engine_in_the_settings_of_django_is_told() {
    let repo = Repo::new();
    repo.write("schema.sql", TABLE);
    repo.write(
        "manage.py",
        "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"config.settings\")\n",
    );
    let settings = "INSTALLED_APPS = [\"notes\"]\nENGINE = \"django.db.backends.postgresql\"\n";
    repo.write("config/settings.py", settings);
    let model = "from django.db import models\n\n\nclass Note(models.Model):\n    body = models.TextField()\n\n    class Meta:\n        db_table = \"notes\"\n";
    repo.write("notes/models.py", model);
    repo.write("notes/migrations/__init__.py", "");
    let first = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = []\n";
    repo.write("notes/migrations/0001_initial.py", first);
    let args = ["--server", "postgres@15", "--dry-run", CHANGE];
    let alone = repo.miggen(&args);
    says(&alone, 0, &[]);
    assert!(!alone.stderr.contains("as well"), "{}", alone.stderr);
    let both = format!("{settings}OTHER = \"django.db.backends.sqlite3\"\n");
    repo.write("config/settings.py", &both);
    let told =
        "warning: config/settings.py names SQLite as well: these migrations run on PostgreSQL only";
    says(&repo.miggen(&args), 0, &[told]);
}

#[test]
fn names_are_where_the_search_path_says() {
    let repo = Repo::new();
    let up = "\
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE SCHEMA app;
SET search_path = \"$user\", app, public;
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE orders (id bigserial PRIMARY KEY, total int NOT NULL, user_id bigint REFERENCES users (id), parent bigint REFERENCES orders (id));
CREATE INDEX orders_user_id ON orders (user_id);
ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT positive CHECK (total > 0);
COMMENT ON COLUMN orders.note IS 'x';
ALTER TABLE users ADD COLUMN name text;
SET search_path TO DEFAULT;
ALTER TABLE users ADD COLUMN last text;
";
    repo.write("migrations/001_initial.up.sql", up);
    repo.write("migrations/001_initial.down.sql", "");
    repo.write("migrations/002_more.up.sql", "CREATE TABLE more (id bigint PRIMARY KEY);");
    repo.write("migrations/002_more.down.sql", "");
    let run = |change: &str| repo.miggen(&["--server", "postgres@15", "--name", "first", change]);
    let bare = run("ALTER TABLE orders ADD COLUMN x int");
    says(&bare, 1, &["there is no table `orders`", "hint: did you mean `app.orders`?"]);
    let wrong = run("ALTER TABLE app.users ADD COLUMN x int");
    says(&wrong, 1, &["there is no table `app.users`", "hint: did you mean `public.users`?"]);
    for change in ["ALTER TABLE users ADD COLUMN x int", "ALTER TABLE more ADD COLUMN x int"] {
        says(&repo.miggen(&["--server", "postgres@15", "--dry-run", change]), 0, &[]);
    }
    let pointed = run("DROP TABLE users");
    says(
        &pointed,
        1,
        &["the foreign key orders_user_id_fkey of app.orders", "`ALTER TABLE app.orders DROP"],
    );
    says(&run("ALTER TABLE app.orders RENAME COLUMN total TO amount"), 0, &[]);
    let expand = repo.read("migrations/003_first_expand.up.sql");
    assert!(expand.contains("ALTER TABLE app.orders"), "{expand}");

    let state = "rollouts/2026-11-21-first/rollout.toml";
    let text = repo.read(state);
    assert!(text.contains("SET search_path TO app;\nCREATE"), "{text}");
    assert!(text.contains("SET search_path TO DEFAULT;\nALTER TABLE users"), "{text}");
    repo.write(state, &text.replacen("number = 1\n", "number = 1\nreleased = 2026-11-21\n", 1));
    says(&repo.miggen(&["next", "first"]), 0, &[]);
}
