"""Hard cases of SQLite: what a table made anew must not lose, and names in any case."""

import sqlite3

import pytest

import dumps
import hard
import rollouts
from hard import Lay, carried, on_sqlite, refusal
from shell import CommandFailed

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, nick TEXT);"
LOG = "CREATE TABLE log (id INTEGER PRIMARY KEY, msg TEXT);"
ROWS = "INSERT INTO users (email, nick) VALUES ('a@b', 'a'), ('c@d', 'c')"
RENAME = "ALTER TABLE users RENAME COLUMN email TO mail"
AFTER = "CREATE TRIGGER t AFTER {} BEGIN {}; END"


@on_sqlite
@pytest.mark.parametrize(
    "more",
    [
        "CREATE VIEW v AS SELECT id, email FROM users",
        AFTER.format("INSERT ON users", "INSERT INTO log (msg) VALUES (NEW.email)"),
        AFTER.format("DELETE ON users", "INSERT INTO log (msg) VALUES (OLD.email)"),
        AFTER.format("INSERT ON log", "UPDATE users SET email = NEW.msg"),
        AFTER.format("UPDATE OF email ON users", "DELETE FROM log"),
    ],
)
def test_hc92_a_rename_reaches_into_views_and_triggers(lay: Lay, more: str) -> None:
    """A required column is renamed by making the table anew, and by the server's own RENAME."""
    project = lay(f"{USERS} {LOG} {more};", ROWS)
    carried(project, RENAME)
    project.database.script(
        "INSERT INTO users (mail) VALUES ('e@f'); UPDATE users SET mail = mail || 'x';"
        "INSERT INTO log (msg) VALUES ('g'); DELETE FROM users WHERE id = 1"
    )
    if "VIEW" in more:
        project.database.rows("SELECT * FROM v")


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users ADD COLUMN phone TEXT",
        "ALTER TABLE users ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"
        " ALTER TABLE users ADD COLUMN m TEXT",
        "ALTER TABLE users ADD COLUMN log_id INTEGER REFERENCES log (id)",
        "ALTER TABLE users ADD COLUMN l TEXT; UPDATE users SET l = lower(email)",
        "ALTER TABLE users ADD COLUMN l TEXT; CREATE INDEX i ON users (l, nick)",
        "ALTER TABLE users DROP COLUMN nick",
    ],
)
def test_where_the_server_drops_no_column(
    lay: Lay, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Before 3.35 the table is made anew instead, which any later server takes as well."""
    children = (
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id)"
        " ON DELETE CASCADE);"
    )
    rows = f"{ROWS}; INSERT INTO posts (user_id) VALUES (1), (2)"
    project = lay(f"{USERS} {LOG} {children}", rows)
    monkeypatch.setattr(project.server, "version", "sqlite@3.26")
    carried(project, change)


@on_sqlite
@pytest.mark.parametrize(
    "more",
    [
        "CREATE VIEW v AS SELECT id, nick FROM users; CREATE TRIGGER i INSTEAD OF DELETE ON v "
        "BEGIN DELETE FROM log WHERE id = OLD.id; END",
        "CREATE VIEW v AS SELECT id, nick FROM users; CREATE TRIGGER i INSTEAD OF INSERT ON v "
        "BEGIN INSERT INTO users (email) VALUES (NEW.nick); END",
        "CREATE VIEW v AS SELECT id, nick FROM users; CREATE VIEW w AS SELECT nick FROM v",
        "CREATE VIEW v AS SELECT id, nick FROM users; CREATE TRIGGER t AFTER INSERT ON log "
        "BEGIN DELETE FROM log WHERE id IN (SELECT id FROM v); END",
        "CREATE VIEW v AS SELECT Id FROM Users",
        "CREATE TRIGGER t AFTER INSERT ON log BEGIN UPDATE USERS SET Nick = 'x'; END",
        "CREATE TABLE users_new (id INTEGER PRIMARY KEY)",
    ],
)
def test_hc92_what_stands_around_a_table_made_anew(lay: Lay, more: str) -> None:
    """Views upon views, their triggers, whatever case names are in: all of it is there again."""
    carried(lay(f"{USERS} {LOG} {more};", ROWS), RENAME)


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE USERS RENAME COLUMN EMAIL TO mail",
        "ALTER TABLE users RENAME COLUMN nick TO handle",
        "UPDATE users SET Email = lower(EMAIL) WHERE email <> lower(Email)",
        "ALTER TABLE Users ADD COLUMN age INTEGER",
    ],
)
def test_names_in_another_case(lay: Lay, change: str) -> None:
    more = "CREATE INDEX i ON users (Nick); CREATE VIEW v AS SELECT NICK FROM Users"
    users = USERS.replace("nick TEXT", "nick TEXT CHECK (Nick <> '')")
    carried(lay(f"{users} {more};", ROWS), change)


@on_sqlite
def test_a_trigger_that_names_a_dropped_column_in_another_case(lay: Lay) -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON log BEGIN UPDATE Users SET Nick = 'x'; END"
    project = lay(f"{USERS} {LOG} {trigger};", ROWS)
    assert "the trigger t" in refusal(project, "ALTER TABLE users DROP COLUMN nick")


@on_sqlite
def test_hc21_a_type_loses_no_value(lay: Lay) -> None:
    """What is no number stays as it is; what would come back another way is found before."""
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
    rows = "INSERT INTO t (v) VALUES ('hello'), ('12abc'), ('3.7'), ('12'), (NULL), ('2024-01-01')"
    for ty in ("INTEGER", "datetime", "REAL"):
        project = lay(schema, rows)
        hard.run(project, f"ALTER TABLE t ALTER COLUMN v TYPE {ty}")
        kept = project.database.rows("SELECT CAST(v AS TEXT) FROM t ORDER BY id")
        twelve = "12.0" if ty == "REAL" else "12"
        assert [v for (v,) in kept] == ["hello", "12abc", "3.7", twelve, None, "2024-01-01"]
    project = lay(schema, f"{rows}, ('007')")
    before = rollouts.schema(project)
    assert "hold what INTEGER cannot" in hard.fails(
        project, hard.miggen.plan(project, "ALTER TABLE t ALTER COLUMN v TYPE INTEGER")
    )
    assert rollouts.schema(project) == before


@on_sqlite
def test_triggers_that_fire_twice_are_told(lay: Lay) -> None:
    """One of the user's own sees the write of the rollout's trigger as well: so it is said."""
    own = AFTER.format("UPDATE OF email ON users", "INSERT INTO log (msg) VALUES (NEW.email)")
    project = lay(f"{USERS} {LOG} {own};", ROWS)
    rollout = hard.run(project, RENAME)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "`t` may fire twice for a write" in runbook
    count = "SELECT count(*) FROM log"
    before = project.database.rows(count)[0][0]
    project.database.script("UPDATE users SET email = 'x' WHERE id = 1")
    assert project.database.rows(count)[0][0] == before + 2


@on_sqlite
def test_an_index_of_the_same_name(lay: Lay) -> None:
    """No index can take another name there, so the new one has its own from the start."""
    project = lay("CREATE TABLE t (id INTEGER PRIMARY KEY, a text); CREATE INDEX i ON t (a)")
    said = refusal(project, "DROP INDEX i; CREATE INDEX i ON t (a, id)")
    assert "`i` is dropped and made again" in said


IN_BETWEEN = [
    "ALTER TABLE users ADD COLUMN phone TEXT DEFAULT '1'",
    "ALTER TABLE USERS ADD COLUMN Phone TEXT AS (nick || '1')",
    "CREATE INDEX i ON Users (nick)",
    "CREATE TRIGGER t AFTER DELETE ON Users BEGIN DELETE FROM log WHERE id = OLD.id; END",
]


@on_sqlite
@pytest.mark.parametrize("more", IN_BETWEEN)
@pytest.mark.parametrize("when", ["before", "after deploy 1", "before the way back"])
def test_what_the_plan_does_not_know_is_not_lost(lay: Lay, more: str, when: str) -> None:
    """A table made anew has what the plan knows; so there must be nothing else."""
    project = lay(f"{USERS} {LOG}", ROWS)
    filled = "ALTER TABLE users ADD COLUMN s TEXT NOT NULL; UPDATE users SET s = lower(email)"
    optional = "ALTER TABLE users ALTER COLUMN email DROP NOT NULL"
    rollout = hard.miggen.plan(project, filled if when == "after deploy 1" else optional)
    if when == "after deploy 1":
        hard.take(project, rollout)
        rollout = hard.following(project, rollout)
    if when == "before the way back":
        hard.take(project, rollout)
        project.database.script(more)
        with pytest.raises(CommandFailed, match="other columns, indexes or triggers"):
            rollouts.down(project, rollout.deploy.steps[0])
        return
    project.database.script(more)
    assert "users has other columns, indexes or triggers" in hard.fails(project, rollout)


@on_sqlite
def test_what_a_table_has_is_compared_without_case_or_order(lay: Lay) -> None:
    """Nor does what a constraint makes by itself count, nor what stands on other tables."""
    project = lay(
        f"CREATE TABLE Users (NICK TEXT, Email TEXT NOT NULL UNIQUE, Id INTEGER PRIMARY KEY); {LOG}"
    )
    project.database.script("CREATE INDEX I ON users (NICK); CREATE INDEX j ON log (msg)")
    known = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, nick TEXT);"
    (project.root / "schema.sql").write_text(f"{known} CREATE INDEX i ON users (nick); {LOG}")
    hard.run(project, "ALTER TABLE users ALTER COLUMN email DROP NOT NULL")


FAMILY = """
CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE gone (id INTEGER PRIMARY KEY);
CREATE TABLE k (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    v TEXT UNIQUE,
    p_id int NOT NULL REFERENCES p ON DELETE CASCADE,
    strict_id int CONSTRAINT strict REFERENCES p (id) ON DELETE RESTRICT,
    parent int REFERENCES k
);
CREATE INDEX ki ON k (p_id);
CREATE TRIGGER kt AFTER DELETE ON k BEGIN INSERT INTO gone VALUES (OLD.id); END;
"""
CHILDREN = """
INSERT INTO p VALUES (1), (2);
INSERT INTO k (id, v, p_id, strict_id) VALUES (7, 'a', 1, 2), (9, 'b', 2, NULL);
DELETE FROM k WHERE id = 9;
"""


@on_sqlite
def test_an_archive_is_bound_to_nothing(lay: Lay) -> None:
    """Rows that are kept go with no other, and keep none; the way back brings all there was."""
    project = lay(FAMILY, CHILDREN)
    rollout = hard.miggen.plan(project, "DROP TABLE k", "--archive")
    rollout = hard.following(project, rollout)
    before, rows = hard.shape(project), hard.contents(project)
    hard.take(project, rollout)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    dumps.assert_same(before, hard.shape(project), "the way back", ("was", "is"))
    assert hard.contents(project) == rows
    hard.take(project, rollout)
    project.database.script(
        "PRAGMA foreign_keys = ON; DELETE FROM p;CREATE TABLE k (id int); CREATE INDEX ki ON k (id)"
    )
    assert project.database.rows("SELECT id, v FROM k_archive") == [(7, "a")]
    assert not project.database.rows("SELECT * FROM pragma_foreign_key_list('k_archive')")
    project.database.script("DROP TABLE k_archive")


VIEW = "CREATE VIEW v AS SELECT id, email{} FROM users"
READERS = [
    "CREATE VIEW w AS SELECT EMAIL FROM V",
    "CREATE VIEW all_of_it AS SELECT * FROM v; CREATE VIEW w AS SELECT email FROM all_of_it",
    "CREATE TRIGGER w INSTEAD OF INSERT ON v "
    "BEGIN INSERT INTO users (email) VALUES (NEW.email); END",
    "CREATE TRIGGER w AFTER INSERT ON log BEGIN UPDATE log SET msg = (SELECT email FROM v); END",
]


@on_sqlite
@pytest.mark.parametrize("more", READERS)
def test_a_rename_that_would_not_reach_the_reader_of_a_view(lay: Lay, more: str) -> None:
    """The view gets the new name, and what reads the old one of it would be left."""
    project = lay(f"{USERS} {LOG} {VIEW.format('')}; {more};", ROWS)
    assert " w reads `email` of the view " in refusal(project, RENAME)
    with pytest.raises(sqlite3.OperationalError, match="w after rename"):
        project.database.script(RENAME)
    carried(lay(f"{USERS} {LOG} {VIEW.format(' AS email')}; {more};", ROWS), RENAME)


@on_sqlite
@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL", "STORED NOT NULL CHECK (g > 0)"])
def test_a_generated_column_is_dropped_and_computed_again(lay: Lay, kind: str) -> None:
    schema = f"CREATE TABLE t (id INTEGER PRIMARY KEY, n int, g int AS (n + 1) {kind}, v AS (n));"
    project = lay(schema, "INSERT INTO t (n) VALUES (1), (2)")
    carried(project, "ALTER TABLE t DROP COLUMN g")
