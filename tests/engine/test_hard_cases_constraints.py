"""Hard cases of constraints: what is read under which lock, and what proves what."""

import re

import pytest

import hard
import miggen
import rollouts
from hard import PLAIN, ROWS, Lay, carried, filenode, on_all, refusal


def test_hc11_check(lay: Lay) -> None:
    project = lay(PLAIN.replace("n int", "n int CONSTRAINT t_n CHECK (n < 9)"))
    said = refusal(project, "ALTER TABLE t ALTER COLUMN n TYPE text")
    assert "cannot be of two types for a while: t_n would have to change with it" in said


FOREIGN = "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (n) REFERENCES p (id)"


def test_hc59_foreign_key_locks_both(lay: Lay) -> None:
    """The lock on the parent is taken in tries as well: its writers wait shortly, not in vain."""
    project = lay(f"CREATE TABLE p (id int PRIMARY KEY); {PLAIN}", "INSERT INTO p VALUES (1)")
    rollout = miggen.plan(project, FOREIGN)
    assert set(rollout.deploy.steps[0].locks) == {"t", "p"}
    with project.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("UPDATE p SET id = id")
        runner = hard.in_background(project, rollout.deploy.steps[0].up)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        hard.until(lambda: project.database.rows(waiting)[0][0])
        with project.database.connect() as other:
            other.execute("SET lock_timeout = '2s'")
            other.execute("UPDATE p SET id = id WHERE false")
        blocker.execute("COMMIT")
        runner.join()
    rollouts.verify(project, rollout, rollout.deploy.steps[0])
    assert project.database.rows("SELECT count(*) FROM pg_constraint WHERE conname = 't_p'") == [
        (1,)
    ]


def test_hc60_no_inherit(lay: Lay) -> None:
    carried(lay(PLAIN, ROWS), "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NO INHERIT")


PROOFS = [
    ('CHECK ("Na me" IS NOT NULL)', True),
    ('CHECK ((((("Na me" IS NOT NULL))) AND n > 0))', True),
    ("CHECK (\"Na me\" IS NOT NULL AND 'x OR y' <> '')", True),
    ('CHECK ("Na me" IS NOT NULL OR n > 0)', False),
    ('CHECK (n > 0) -- "Na me" IS NOT NULL\n', False),
    ('CHECK (NOT ("Na me" IS NOT NULL AND n > 0) IS NULL)', False),
    ("CHECK (n IS NOT NULL AND '\"Na me\" IS NOT NULL' <> '')", False),
    ('CHECK ("Na me" IS NOT NULL) NOT VALID', False),
]


@pytest.mark.parametrize(("check", "proves"), PROOFS)
def test_hc61_a_check_that_proves(lay: Lay, check: str, proves: bool) -> None:
    """NOT NULL at once where a valid CHECK says so, read as an expression and not as text."""
    project = lay(
        f'CREATE TABLE t (id int PRIMARY KEY, "Na me" text, n int);'
        f"ALTER TABLE t ADD CONSTRAINT c {check};",
        "INSERT INTO t SELECT n, 'x', n FROM generate_series(1, 300) AS n",
    )
    change = 'ALTER TABLE t ALTER COLUMN "Na me" SET NOT NULL'
    (rollout,) = carried(project, change)
    assert len(rollout.deploy.steps) == (1 if proves else 2)


def test_hc63_deferrable_include_exclusion(lay: Lay) -> None:
    carried(lay(PLAIN, ROWS), "ALTER TABLE t ADD CONSTRAINT u UNIQUE (name) DEFERRABLE")
    deferred = "ALTER TABLE t ADD CONSTRAINT u UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"
    carried(lay(PLAIN, ROWS), deferred)
    foreign = f"{FOREIGN} DEFERRABLE INITIALLY DEFERRED"
    carried(lay(f"CREATE TABLE p (id int PRIMARY KEY); {PLAIN}", ROWS), foreign)
    project = lay(PLAIN)
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING btree (name WITH =)")
    assert "an exclusion constraint cannot come beside writers" in said
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT e UNIQUE (name) INCLUDE (n)")
    assert "miggen does not plan this part of a constraint" in said


def test_hc65_validate_under_a_short_statement_timeout(lay: Lay) -> None:
    """The role's statement_timeout is for the application; reading all rows may take longer."""
    project = lay(
        f"""
        {PLAIN}
        CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN PERFORM pg_sleep(0.005); RETURN true; END';
        """,
        ROWS,
    )
    name = project.database.rows("SELECT current_database()")[0][0]
    project.database.script(f"ALTER DATABASE {name} SET statement_timeout = '300ms'")
    hard.run(project, "ALTER TABLE t ADD CONSTRAINT c CHECK (slow(id))")
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'c'"
    assert project.database.rows(valid) == [(True,)]


NEW_COLUMNS = [
    "timestamptz NOT NULL DEFAULT now()",
    "timestamptz NOT NULL DEFAULT clock_timestamp()",
    "uuid NOT NULL DEFAULT gen_random_uuid()",
    "int NOT NULL DEFAULT 7",
    "double precision DEFAULT random()",
]


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
@pytest.mark.parametrize("column", NEW_COLUMNS)
def test_hc66_no_default_rewrites(lay: Lay, column: str) -> None:
    """Whatever the default: the table is not written anew, and every row has a value of its own."""
    project = lay(PLAIN, ROWS)
    before = filenode(project)
    hard.run(project, f"ALTER TABLE t ADD COLUMN added {column}")
    assert filenode(project) == before
    assert project.database.rows("SELECT count(*) FROM t WHERE added IS NULL") == [(0,)]
    values = project.database.rows("SELECT count(DISTINCT added) FROM t")[0][0]
    one = "now()" in column or "7" in column
    assert values == 1 if one else values > 290
    project.database.script("INSERT INTO t (id) VALUES (1001)")
    assert project.database.rows("SELECT added IS NULL FROM t WHERE id = 1001") == [(False,)]


@pytest.mark.parametrize("kind", ["serial", "int GENERATED ALWAYS AS IDENTITY"])
def test_hc66_rewriting_columns(lay: Lay, kind: str) -> None:
    """Numbered without writing the table anew; what cannot be is refused."""
    project = lay(PLAIN, ROWS)
    file = "SELECT pg_relation_filenode('t')"
    before = project.database.rows(file)
    hard.run(project, f"ALTER TABLE t ADD COLUMN added {kind}")
    assert project.database.rows(file) == before
    stored = "ALTER TABLE t ADD COLUMN up text GENERATED ALWAYS AS (upper(name)) STORED"
    assert "for every row while everybody waits" in refusal(project, stored)


def test_hc67_68_domain_and_required(lay: Lay) -> None:
    project = lay(f"CREATE DOMAIN positive AS int CHECK (VALUE > 0); {PLAIN}")
    assert "`positive` is a domain" in refusal(project, "ALTER TABLE t ADD COLUMN x positive")
    said = refusal(project, "ALTER TABLE t ADD COLUMN x int NOT NULL")
    assert "NOT NULL" in said and "default" in said.lower(), said


HELD = """
CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'a', n int,
    CONSTRAINT t_name CHECK (name IN ('a', 'b')), CONSTRAINT t_n CHECK (n IS NOT NULL));
CREATE UNIQUE INDEX t_name_key ON t (name, id);
"""
OTHER = "CREATE TABLE other (id int PRIMARY KEY, name text);"
COPIED = """
INSERT INTO other (id, name) SELECT id, name FROM t WHERE n > 3;
"""
MOVED = OTHER + COPIED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "ALTER TABLE t DROP CONSTRAINT t_name; UPDATE t SET name = 'c' WHERE name = 'a'; "
            "ALTER TABLE t ADD CONSTRAINT t_name_2 CHECK (name IN ('b', 'c'))",
            "t_name would still hold while this script writes",
        ),
        (
            "ALTER TABLE t DROP CONSTRAINT t_name; ALTER TABLE t ALTER name SET DEFAULT 'c'; "
            "ALTER TABLE t ADD CONSTRAINT t_name_2 CHECK (name IN ('b', 'c'))",
            "t_name would still hold while this script writes",
        ),
        (
            "DROP INDEX t_name_key; UPDATE t SET name = 'b' WHERE name = 'a'; "
            "CREATE INDEX t_name_index ON t (name)",
            "t_name_key would still hold while this script writes",
        ),
        (
            "ALTER TABLE t ALTER n SET NOT NULL; ALTER TABLE t DROP CONSTRAINT t_n",
            "t_n may prove the NOT NULL of this script",
        ),
        (MOVED + "DELETE FROM t WHERE n > 3", "what old code writes into `t` after it was copied"),
        (MOVED + "ALTER TABLE t DROP COLUMN name", "what old code writes into `t.name` after"),
    ],
)
def test_what_old_code_does_between_two_steps(lay: Lay, change: str, said: str) -> None:
    """Steps of one script that would break what is written between them."""
    assert said in refusal(lay(HELD), change)


def test_rows_that_were_copied_may_go(lay: Lay) -> None:
    rows = "INSERT INTO t SELECT n, 'a', n FROM generate_series(1, 9) AS n"
    project = lay(HELD + OTHER, rows)
    hard.run(project, COPIED + "DELETE FROM t WHERE id IN (SELECT id FROM other)")
    assert project.database.rows("SELECT count(*), (SELECT count(*) FROM other) FROM t") == [(3, 6)]


def test_a_key_that_goes_beside_a_new_not_null(lay: Lay) -> None:
    """Only a CHECK can prove it; a name that says CONFLICT is a name."""
    schema = (
        "CREATE TABLE t (id int CONSTRAINT no_conflict PRIMARY KEY, n int CONSTRAINT t_n UNIQUE);"
    )
    project = lay(schema, "INSERT INTO t VALUES (1, 2)")
    carried(project, "ALTER TABLE t ALTER n SET NOT NULL; ALTER TABLE t DROP CONSTRAINT t_n")


REPLACED = """
    CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE t (
        id int PRIMARY KEY, n int CONSTRAINT t_n CHECK (n > 0), up int,
        CONSTRAINT t_up FOREIGN KEY (up) REFERENCES p, CONSTRAINT t_once UNIQUE (n)
    );
    CREATE INDEX t_i ON t (up);
"""
REPLACED_ROWS = """
    INSERT INTO p SELECT n FROM generate_series(1, 9) AS n;
    INSERT INTO t SELECT n, n, n FROM generate_series(1, 9) AS n
"""


@on_all
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t DROP CONSTRAINT t_n, ADD CONSTRAINT t_n CHECK (n > 0 AND n < 500)",
        "ALTER TABLE t DROP CONSTRAINT t_n, ADD CONSTRAINT t_n CHECK (n > -9) NOT VALID",
        "ALTER TABLE t DROP CONSTRAINT t_up; "
        "ALTER TABLE t ADD CONSTRAINT t_up FOREIGN KEY (up) REFERENCES p ON DELETE CASCADE",
        "ALTER TABLE t DROP CONSTRAINT t_once; ALTER TABLE t ADD CONSTRAINT t_once UNIQUE (n, up)",
        "DROP INDEX t_i; CREATE INDEX t_i ON t (up, n)",
        "DROP INDEX t_i; CREATE UNIQUE INDEX t_i ON t (up) WHERE n > 3",
    ],
)
def test_hc64_the_same_name_again(lay: Lay, change: str) -> None:
    """What takes the place of another is there before that one goes, and then takes its name."""
    carried(lay(REPLACED, REPLACED_ROWS), change)


def test_a_check_that_was_never_proven(lay: Lay) -> None:
    """Rows that break it cannot be written anew: the pre-checks find them, and not the backfill."""
    project = lay(PLAIN, ROWS)
    project.database.script("UPDATE t SET n = -1 WHERE id < 9")
    project.database.script("ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0) NOT VALID")
    hard.again(project)
    rollout = miggen.plan(project, "ALTER TABLE t ADD COLUMN m int; UPDATE t SET m = n + 1")
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    told = "-- 0 rows: the server writes none of these anew, and a backfill fails at the first."
    (question,) = re.findall(f"^{told}\n([^;]+;)", runbook, re.MULTILINE)
    assert project.database.rows(question)[0][-1] == 8
    project.database.script("UPDATE t SET n = 1 WHERE id < 9")
    assert project.database.rows(question)[0][-1] == 0
    hard.take(project, rollout)


# What a table that was once called `articles`, and a column that was `heading`, leave behind on 18.
NAMED = """
CREATE TABLE posts (
    id bigint CONSTRAINT articles_id_not_null NOT NULL,
    title text CONSTRAINT articles_heading_not_null NOT NULL,
    n integer NOT NULL,
    CONSTRAINT posts_pkey PRIMARY KEY (id)
);
"""
NAMED_ROWS = "INSERT INTO posts SELECT n, 'Title ' || n, n FROM generate_series(1, 300) AS n"


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE posts ALTER COLUMN title DROP NOT NULL",
        "ALTER TABLE posts ALTER COLUMN title TYPE varchar(50)",
        "ALTER TABLE posts ALTER COLUMN n TYPE bigint",
        "ALTER TABLE posts ALTER COLUMN id TYPE integer",
        "ALTER TABLE posts DROP COLUMN title",
        "ALTER TABLE posts RENAME COLUMN title TO subject",
        "ALTER TABLE posts RENAME COLUMN n TO place",
        "ALTER TABLE posts RENAME TO entries",
        "ALTER TABLE posts RENAME COLUMN n TO place; ALTER TABLE posts ALTER title DROP NOT NULL",
        "DROP TABLE posts",
    ],
)
def test_names_of_not_null(lay: Lay, change: str) -> None:
    """From 18 on a NOT NULL has a name, which stays when its table or column gets another."""
    carried(lay(NAMED, NAMED_ROWS), change)


@pytest.mark.parametrize("lay", ["pg18"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE posts DROP CONSTRAINT articles_heading_not_null",
        "ALTER TABLE posts DROP CONSTRAINT posts_n_not_null",
        "ALTER TABLE posts RENAME CONSTRAINT articles_heading_not_null TO posts_title_not_null",
        "ALTER TABLE posts RENAME CONSTRAINT posts_n_not_null TO n_given",
    ],
)
def test_a_not_null_by_its_name(lay: Lay, change: str) -> None:
    carried(lay(NAMED, NAMED_ROWS), change)
