"""Hard cases of filling rows: tables, keys and neighbours that real backfills broke on."""

import subprocess
import time

import pytest

import hard
import miggen
import rollouts
from hard import Lay, beside, in_background, refusal, until
from projects import Project
from servers import PostgresDatabase
from shell import CommandFailed, attempt

FILL = "UPDATE t SET done = lower(name) WHERE done IS NULL"


pytestmark = pytest.mark.parametrize("lay", ["pg12", "pg15"], indirect=True)


def run(project: Project, change: str = FILL) -> None:
    hard.run(project, change)


def left(project: Project) -> int:
    return project.database.rows("SELECT count(*) FROM t WHERE done IS DISTINCT FROM lower(name)")[
        0
    ][0]


NAMES = "INSERT INTO t SELECT {key}, 'Name ' || n FROM generate_series({first}, {last}) AS n"


def test_hc27_own_updated_at_trigger(lay: Lay) -> None:
    """The table's own trigger fires for every row that is filled, and indexes what it writes."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, name text, done text, updated_at timestamptz);
        CREATE INDEX t_updated ON t (updated_at);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.updated_at := now(); RETURN NEW; END';
        CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
        """,
        NAMES.format(key="n", first=1, last=20000),
    )
    run(project)
    assert left(project) == 0
    stamps = project.database.rows("SELECT count(DISTINCT updated_at) FROM t")[0][0]
    assert stamps > 5, "the rows were not filled batch by batch"


def test_hc28_triggers_by_name(lay: Lay) -> None:
    """A trigger whose name comes after all others still finds the value it is to derive from."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, name text);
        CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.name := trim(NEW.name); RETURN NEW; END';
        CREATE TRIGGER z_trimmed BEFORE INSERT OR UPDATE ON t
            FOR EACH ROW EXECUTE FUNCTION trimmed();
        """,
        NAMES.format(key="n", first=1, last=300),
    )
    run(project, "ALTER TABLE t ADD COLUMN done text; UPDATE t SET done = lower(name)")
    project.database.script("INSERT INTO t (id, name) VALUES (0, '  New ')")
    project.database.script("UPDATE t SET name = ' Other  ' WHERE id = 1")
    assert left(project) == 0


def test_hc30_rows_keep_coming(lay: Lay) -> None:
    """Somebody goes on inserting rows that nobody fills: the backfill of the others ends."""
    project = lay(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, done text)",
        "INSERT INTO t (name) SELECT 'Name ' || n FROM generate_series(1, 20000) AS n",
    )
    step = miggen.plan(project, FILL).deploy.steps[0]
    with beside(lambda c: c.execute("INSERT INTO t (name) VALUES ('New')"), project):
        start = time.monotonic()
        rollouts.up(project, step)
        assert time.monotonic() - start < 60
    assert project.database.rows("SELECT count(*) FROM t WHERE id <= 20000 AND done IS NULL") == [
        (0,)
    ]


def test_hc35_no_key(lay: Lay) -> None:
    """Neither a primary nor a unique key, and rows that are the same."""
    project = lay(
        "CREATE TABLE t (n int, name text, done text)",
        NAMES.format(key="n % 7", first=1, last=20000),
    )
    project.database.script("DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t LIMIT 500))")
    run(project)
    assert left(project) == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a uuid, b text, PRIMARY KEY (a, b)", "md5((n % 50)::text)::uuid, 'b' || n"),
        ("a text, b smallint, PRIMARY KEY (b, a)", "'ä' || n, n % 3"),
        ("a date, b numeric, PRIMARY KEY (a, b)", "date '2020-02-28' + n % 9, n / 7.0"),
    ],
)
def test_hc36_composite_key(lay: Lay, key: str, value: str) -> None:
    columns = key.split(", PRIMARY")[0]
    project = lay(
        f"CREATE TABLE t ({columns}, name text, done text, PRIMARY{key.split(', PRIMARY')[1]})",
        NAMES.format(key=value, first=1, last=8000),
    )
    run(project)
    assert left(project) == 0


def test_hc36_partitioned(lay: Lay) -> None:
    """A page number would mean one page in each partition: walked along its mixed key."""
    project = lay(
        """
        CREATE TABLE t (day date, id text, name text, done text, PRIMARY KEY (day, id))
            PARTITION BY RANGE (day);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
        CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
        """,
        NAMES.format(key="date '2020-01-01' + n % 60, 'k' || n", first=1, last=8000),
    )
    run(project)
    assert left(project) == 0


@pytest.mark.parametrize("collation", ["", 'COLLATE "C"', 'COLLATE "und-x-icu"'])
def test_hc37_text_key(lay: Lay, collation: str) -> None:
    """A text key, whatever its order: letters of all kinds, the empty text, quotes."""
    project = lay(
        f"CREATE TABLE t (id text {collation} PRIMARY KEY, name text, done text)",
        NAMES.format(key="chr(33 + n % 400) || n || 'É'", first=1, last=8000)
        + "; INSERT INTO t VALUES ('', 'Empty'), ('''', 'Quote'), (repeat('x', 2000), 'Long')",
    )
    run(project)
    assert left(project) == 0


def test_hc38_locked_rows(lay: Lay) -> None:
    """Rows that others hold for a while are come back to, none is left."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text)",
        NAMES.format(key="n", first=1, last=5000),
    )
    rollout = miggen.plan(project, FILL)
    with project.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM t WHERE id IN (7, 2500, 4999) FOR UPDATE")
        runner = in_background(project, rollout.deploy.steps[0].up)
        done = "SELECT count(*) FROM t WHERE done IS NOT NULL"
        until(lambda: project.database.rows(done)[0][0] > 100)
        assert left(project) >= 3
        blocker.execute("COMMIT")
        runner.join()
    assert left(project) == 0


def test_hc39_few_rows_left(lay: Lay) -> None:
    """A row here and there in a large table: one pass finds them, it is not read once per batch."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text)",
        "INSERT INTO t SELECT n, 'Name ' || n, CASE WHEN n % 1000 <> 0 THEN lower('Name ' || n) END"
        " FROM generate_series(1, 100000) AS n; ANALYZE t",
    )
    step = miggen.plan(project, FILL).deploy.steps[0]
    rollouts.up(project, step)
    assert left(project) == 0
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 't'"
    until(lambda: project.database.rows(read)[0][0] > 100_000)
    assert project.database.rows(read)[0][0] < 30 * 100_000


@pytest.mark.parametrize(
    "ids", ["(n::bigint - 4000) * 1000003", "-n", "CASE n WHEN 1 THEN 0 ELSE n END"]
)
def test_hc40_gaps_and_signs(lay: Lay, ids: str) -> None:
    """Ids with gaps, below zero, zero, and the two ends of the type."""
    project = lay(
        "CREATE TABLE t (id bigint PRIMARY KEY, name text, done text)",
        NAMES.format(key=ids, first=1, last=8000)
        + "; INSERT INTO t VALUES (9223372036854775807, 'Top'), (-9223372036854775808, 'Bottom')",
    )
    run(project)
    assert left(project) == 0


def test_hc41_nullable_unique_key(lay: Lay) -> None:
    """A unique key that may be NULL is none: its NULLs lie in no window."""
    project = lay(
        "CREATE TABLE t (id int UNIQUE, name text, done text)",
        NAMES.format(key="CASE WHEN n % 3 > 0 THEN n END", first=1, last=8000),
    )
    run(project)
    assert left(project) == 0


def test_hc42_volatile_value(lay: Lay) -> None:
    """A value of its own for each row, given once: a second run changes none."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, done float8)",
        "INSERT INTO t SELECT generate_series(1, 3000)",
    )
    change = "UPDATE t SET done = random() WHERE done IS NULL"
    step = miggen.plan(project, change).deploy.steps[0]
    rollouts.up(project, step)
    first = project.database.rows("SELECT id, done FROM t ORDER BY id")
    assert len({done for _, done in first}) > 2900
    rollouts.up(project, step)
    assert project.database.rows("SELECT id, done FROM t ORDER BY id") == first
    assert "another value each time" in refusal(project, "UPDATE t SET done = random()")


def test_hc43_killed_at_any_batch(lay: Lay) -> None:
    """Killed three times at whatever batch it had come to, then run to its end: the same rows."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text)",
        NAMES.format(key="n", first=1, last=20000),
    )
    database = project.database
    assert isinstance(database, PostgresDatabase)
    step = miggen.plan(project, FILL).deploy.steps[0]
    filled = "SELECT count(*) FROM t WHERE done IS NOT NULL"
    slow = project.env | {"PGOPTIONS": "-c miggen.pause=0.02"}
    with database.connect() as blocker:
        blocker.execute("BEGIN")
        # However fast it is, it does not come to its end.
        blocker.execute("SELECT FROM t WHERE id = 20000 FOR UPDATE")
        for share in (1, 5000, 12000):
            runner = subprocess.Popen(
                step.up[0], shell=True, cwd=project.root, env=slow, stderr=subprocess.DEVNULL
            )
            until(lambda share=share: database.rows(filled)[0][0] >= share)
            database.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'DO $backfill%'"
            )
            runner.wait()
            assert runner.returncode != 0
            assert 0 < left(project) < 20000
        blocker.execute("ROLLBACK")
    rollouts.up(project, step)
    assert left(project) == 0
    assert database.rows("SELECT count(*), sum(id) FROM t") == [(20000, 200010000)]


@pytest.mark.parametrize(
    ("key", "value", "more"),
    [
        ("float8", "n / 3.0", "('NaN'), ('Infinity'), ('-Infinity'), (-0.0), (5e-324)"),
        ("timestamptz", "now() + n * interval '1 us'", "('infinity'), ('-infinity')"),
        ("numeric", "n / 7.0", "('NaN'), (-1e100), (1e-100)"),
    ],
)
def test_hc44_float_and_time_keys(lay: Lay, key: str, value: str, more: str) -> None:
    project = lay(
        f"CREATE TABLE t (id {key} PRIMARY KEY, name text DEFAULT 'Some', done text)",
        NAMES.format(key=value, first=1, last=8000) + f"; INSERT INTO t (id) VALUES {more}",
    )
    run(project)
    assert left(project) == 0


def test_hc45_no_value_for_some_rows(lay: Lay) -> None:
    """The expression is NULL for some rows: they are no reason to go on for ever."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text)",
        NAMES.format(key="n", first=1, last=5000)
        + "; UPDATE t SET name = NULL WHERE id % 10 = 0; UPDATE t SET done = 'old' WHERE id < 20",
    )
    start = time.monotonic()
    run(project, "UPDATE t SET done = lower(name)")
    assert left(project) == 0
    assert time.monotonic() - start < 30


def test_indexed_column_goes_on_in_plain_windows(lay: Lay) -> None:
    """No update stays in its page when the column is indexed: the block sees it by itself."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text); CREATE INDEX x ON t (done)",
        NAMES.format(key="n", first=1, last=30000),
    )
    step = miggen.plan(project, FILL).deploy.steps[0]
    start = (
        "SELECT pg_current_xact_id()" if project.server.id != "pg12" else "SELECT txid_current()"
    )
    before = int(project.database.rows(start)[0][0])
    rollouts.up(project, step)
    assert left(project) == 0
    # Striped throughout it would be at least 14 for each window of 14 * 400 pages or 20,000 rows.
    commits = int(project.database.rows(start)[0][0]) - before
    assert commits < 120, commits


def test_delete_in_batches(lay: Lay) -> None:
    """Rows go along a walk, with those that hang on them, while others are written and locked."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, name text, done text);
        CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t (id) ON DELETE CASCADE);
        CREATE INDEX ON child (t_id);
        """,
        NAMES.format(key="n", first=1, last=20000) + "; INSERT INTO child SELECT id, id FROM t",
    )
    step = miggen.plan(project, "DELETE FROM t WHERE id % 2 = 0 OR id = 1").deploy.steps[0]
    with project.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM t WHERE id = 1 FOR UPDATE")
        with beside(lambda c: c.execute("UPDATE t SET done = 'x' WHERE id % 997 = 3"), project):
            runner = in_background(project, step.up)
            until(lambda: project.database.rows("SELECT count(*) FROM t")[0][0] < 15000)
            blocker.execute("COMMIT")
            runner.join()
    assert project.database.rows("SELECT count(*) FROM t") == [(9999,)]
    assert project.database.rows("SELECT count(*) FROM child") == [(9999,)]


def test_what_deleted_rows_leave_behind(lay: Lay) -> None:
    """ON DELETE SET NULL takes nothing along, nor stands in the way: also of keys to oneself."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t (id) ON DELETE SET NULL);
        CREATE INDEX ON t (up);
        CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t (id) ON DELETE\n SET NULL);
        CREATE INDEX ON child (t_id);
        """,
        "INSERT INTO t SELECT n, nullif(n - 1, 0) FROM generate_series(1, 20000) AS n;"
        "INSERT INTO child SELECT id, id FROM t",
    )
    rollout = miggen.plan(project, "DELETE FROM t WHERE id % 3 = 0")
    rollouts.up(project, rollout.deploy.steps[0])
    counts = "SELECT count(*), count(t_id), (SELECT count(*) - count(up) FROM t) FROM child"
    assert project.database.rows(counts) == [(20000, 13334, 6667)]
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "Rows of `child` (t_id) that point to them stay" in runbook
    assert "rows of `child` change with it" in runbook


def test_delete_of_rows_that_others_keep_moving(lay: Lay) -> None:
    """Each write puts the row on another page, and so out of the window that is being deleted."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text); "
        "ALTER TABLE t ALTER name SET STORAGE PLAIN",
        "INSERT INTO t SELECT n, repeat('x', 5000) FROM generate_series(1, 1000) AS n",
    )
    step = miggen.plan(project, "DELETE FROM t WHERE id % 50 = 0").deploy.steps[0]
    work = "UPDATE t SET done = done WHERE id % 50 = 0; SELECT pg_sleep(0.05)"
    slow = project.env | {"PGOPTIONS": "-c miggen.pause=0.05"}
    with beside(lambda c: c.execute(work), project):
        done = attempt(step.up[0], project.root, slow)
        assert done.returncode == 0, done.stdout
        assert project.database.rows("SELECT count(*) FROM t") == [(980,)]


def test_copy_is_killed_and_run_again(lay: Lay) -> None:
    """A copy goes on where it was; rows that were there, or came meanwhile, stay as they are."""
    project = lay(
        """
        CREATE TABLE t (a int, b text, name text, PRIMARY KEY (a, b));
        CREATE TABLE copy (b text, a int, label text, UNIQUE (b, a));
        ALTER TABLE copy ALTER a SET NOT NULL, ALTER b SET NOT NULL;
        """,
        NAMES.format(key="n % 100, 'b' || n", first=1, last=20000)
        + "; INSERT INTO copy VALUES ('b7', 7, 'mine')",
    )
    change = "INSERT INTO copy (a, b, label) SELECT a, b, lower(name) FROM t WHERE a <> 3"
    step = miggen.plan(project, change).deploy.steps[0]
    slow = project.env | {"PGOPTIONS": "-c miggen.pause=0.02"}
    runner = subprocess.Popen(step.up[0], shell=True, cwd=project.root, env=slow)
    until(lambda: project.database.rows("SELECT count(*) FROM copy")[0][0] > 1)
    runner.terminate()
    project.database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO $copy%'"
    )
    runner.wait()
    rollouts.up(project, step)
    assert project.database.rows("SELECT count(*) FROM copy") == [(19800,)]
    assert project.database.rows("SELECT label FROM copy WHERE b IN ('b7', 'b8') ORDER BY b") == [
        ("mine",),
        ("name 8",),
    ]


@pytest.mark.parametrize(
    "change", [FILL, "ALTER TABLE t ADD COLUMN new text; UPDATE t SET new = lower(name)"]
)
def test_backfill_as_a_job(lay: Lay, change: str) -> None:
    """The migration asks for the job; the job says how far it is, and the migration is content."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, done text)",
        NAMES.format(key="n", first=1, last=20000),
    )
    answer = miggen.run(project, *miggen.arguments(project), "--backfill=job", change)
    rollout = miggen.parse(answer)
    *before, step = rollout.deploy.steps
    for earlier in before:
        rollouts.up(project, earlier)
    job, migration = step.up
    assert job.endswith("/jobs/01_backfill.sql")
    asked = attempt(migration, project.root, project.env)
    assert asked.returncode != 0
    assert "20000 rows of t are not done: run jobs/01_backfill.sql" in asked.stdout
    slow = project.env | {"PGOPTIONS": "-c miggen.pause=0.25"}
    told = attempt(job, project.root, slow)
    assert told.returncode == 0, told.stdout
    assert "NOTICE:  pass 1: " in told.stdout and " a second" in told.stdout
    rollouts.up(project, step)
    rollouts.verify(project, rollout, step)


REFUSED = [
    ("DELETE FROM t", "would take those that come meanwhile"),
    ("DELETE FROM t WHERE day < now()", "`now` gives each batch another answer"),
    ("DELETE FROM t WHERE id IN (SELECT max(id) FROM t)", "reads rows of `t`, and changes them"),
    ("UPDATE t SET day = (SELECT max(day) FROM t)", "reads values of `day`, and changes them"),
    ("UPDATE t SET day = u.day FROM t u WHERE u.id = t.id + 1", "reads values of `day`"),
    ("UPDATE t SET day = '2020-01-01' FROM parent", "joins without a condition"),
    ("UPDATE t SET id = b.id FROM bare b WHERE b.parent_id = t.id", "would read all of `bare`"),
    ("DELETE FROM t WHERE id = 1 RETURNING id", "DELETE"),
    ("DELETE FROM self WHERE id = 1", "rows of `self` point to rows of the same table"),
    ("DELETE FROM parent WHERE id = 1", "each deleted row would read all of `bare`"),
    ("INSERT INTO t VALUES (1)", "does not name its columns"),
    ("INSERT INTO t (id) VALUES (nextval('s'))", "would not know these rows again"),
    ("INSERT INTO t (id, day) VALUES (1)", "2 columns and 1 values"),
    ("INSERT INTO t (id) SELECT sum(id) FROM parent", "an aggregate of the rows that are copied"),
    ("INSERT INTO t (id) SELECT abs(id) FROM parent", "which rows are copied already"),
    (
        "INSERT INTO t (id) SELECT p.id FROM parent p, bare b WHERE b.parent_id = p.id",
        "read all of",
    ),
    ("INSERT INTO t (id) SELECT p.id FROM parent p JOIN self s ON s.id > p.id", "several rows"),
    ("INSERT INTO t (id) SELECT p.id FROM parent p JOIN parent q ON q.id = max(p.id)", "aggregate"),
    ("INSERT INTO t (id, day) SELECT id, day FROM t", "itself"),
    (
        "INSERT INTO t (id) SELECT id FROM parent ON CONFLICT DO NOTHING",
        "ON CONFLICT is not needed",
    ),
    ("INSERT INTO t (id) SELECT DISTINCT id FROM parent", "INSERT"),
]


def test_refused_rows(lay: Lay) -> None:
    """What cannot be done batch by batch is refused, with its reason, and nothing is written."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, day date);
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE bare (id int PRIMARY KEY, parent_id int REFERENCES parent (id));
        CREATE TABLE self (id int PRIMARY KEY, self_id int REFERENCES self (id));
        """
    )
    before = miggen.files(project.root)
    for change, sentence in REFUSED:
        said = refusal(project, change)
        assert sentence in said, f"{change}\n{said}"
        assert miggen.files(project.root) == before, change


def test_columns_named_like_variables(lay: Lay) -> None:
    """A table's columns are read where the batches have variables of that name."""
    names = ("batch", "before", "done", "from", "hi", "hot", "left", "lines", "lo", "missed")
    names += ("next", "page", "pages", "pass", "pause", "plain", "rest", "row", "rows", "slowest")
    names += ("start", "stripe", "stripes", "swept", "to", "top", "without")
    columns = ", ".join(f"v_{name} int DEFAULT {n}" for n, name in enumerate(names))
    project = lay(
        f"CREATE TABLE t (id int PRIMARY KEY, name text, done text, {columns})",
        "INSERT INTO t SELECT n, 'Name ' || n FROM generate_series(1, 20000) AS n",
    )
    total = " + ".join(f"v_{name}" for name in names)
    run(project, f"UPDATE t SET done = ({total})::text WHERE done IS NULL AND v_rows < 99")
    expected = str(sum(range(len(names))))
    assert project.database.rows("SELECT DISTINCT done FROM t") == [(expected,)]


def test_hc27_a_trigger_that_fires_is_told(lay: Lay) -> None:
    """What it writes over is lost, and the runbook does not say that nothing is."""
    project = lay(
        """
        CREATE TABLE t (id int PRIMARY KEY, name text, updated_at timestamptz);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.updated_at := now(); RETURN NEW; END';
        CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER other BEFORE INSERT OR UPDATE OF id ON t
            FOR EACH ROW EXECUTE FUNCTION touch();
        """
    )
    rollout = miggen.plan(project, "ALTER TABLE t RENAME COLUMN name TO label")
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "**trigger**: `touched` fires for each row that is filled" in runbook
    assert "**loses**: nothing but what those triggers write over" in runbook


KEEPERS = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER k BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE RULE k AS ON UPDATE TO t DO INSTEAD NOTHING;"
    "CREATE RULE l AS ON DELETE TO t DO INSTEAD NOTHING",
)


@pytest.mark.parametrize("keeper", KEEPERS, ids=["trigger", "rule"])
@pytest.mark.parametrize(
    "change",
    [FILL, "DELETE FROM t WHERE id > 5", "ALTER TABLE t ADD COLUMN m text; UPDATE t SET m = name"],
)
def test_hc27_a_trigger_that_keeps_rows_as_they_are(lay: Lay, change: str, keeper: str) -> None:
    """Nobody locks them, and nobody brings new ones: the file fails, and says why."""
    project = lay(
        f"CREATE TABLE t (id int PRIMARY KEY, name text, done text); {keeper};",
        "INSERT INTO t SELECT n, 'Name ' || n FROM generate_series(1, 300) AS n",
    )
    steps = miggen.plan(project, change).deploy.steps
    for step in steps[:-1]:
        rollouts.up(project, step)
    with pytest.raises(CommandFailed, match="stay as they were: a trigger or rule keeps them so"):
        rollouts.up(project, steps[-1])


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ALTER COLUMN found SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN found TYPE varchar(20)",
        "ALTER TABLE t RENAME COLUMN found TO lost",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (v_rows > 0)",
        "ALTER TABLE t ADD COLUMN m text; UPDATE t SET m = found || v_rows",
    ],
)
def test_columns_named_as_the_language_does(lay: Lay, change: str) -> None:
    rows = "INSERT INTO t SELECT n, 'Name ' || n, n FROM generate_series(1, 300) AS n"
    hard.carried(lay("CREATE TABLE t (id int PRIMARY KEY, found text, v_rows int)", rows), change)
