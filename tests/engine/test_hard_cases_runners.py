"""Hard cases of the programs that run what was written: their locks, books and first bytes."""

import re
import threading
import time
from pathlib import Path

import psycopg
import pytest

import hard
import miggen
import rollouts
from hard import in_background, until
from miggen import Rollout, Step
from projects import Project

UNIQUE = "CREATE UNIQUE INDEX users_email_new ON users (email)"
FILL = "UPDATE users SET status = 'x' WHERE status IS NULL"
COMBINED = (
    "ALTER TABLE users ADD COLUMN low text; UPDATE users SET low = lower(email);"
    "CREATE UNIQUE INDEX users_low ON users (low); ALTER TABLE users ALTER COLUMN low SET NOT NULL"
)
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
BUILDING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND query LIKE '%CREATE UNIQUE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
)


def on(*names: str):
    """Projects on PostgreSQL 15, by target."""
    pairs = [(name, "pg15") for name in names]
    return pytest.mark.parametrize("project", pairs, ids=names, indirect=True)


def index_step(project: Project) -> tuple[Rollout, Step]:
    rollout = miggen.plan(project, UNIQUE)
    return rollout, rollout.deploy.steps[-1]


def kill(project: Project, blocker: psycopg.Connection, step: Step) -> None:
    """The build dies while it waits for somebody's transaction."""
    blocker.execute("BEGIN")
    blocker.execute("UPDATE users SET status = status WHERE id = 1")
    runner = in_background(project, step.up)
    until(lambda: project.database.rows(BUILDING))
    (pid,) = project.database.rows(BUILDING)[0]
    project.database.script(f"SELECT pg_terminate_backend({pid})")
    runner.join()
    blocker.execute("ROLLBACK")


@on("alembic", "django", "flyway")
def test_hc46_81_a_killed_build_is_run_again(project: Project) -> None:
    """Nothing is in the framework's book: the same command drops the invalid index and builds."""
    rollout, step = index_step(project)
    with project.database.connect() as blocker:
        kill(project, blocker, step)
    assert project.database.rows(INVALID) == [(1,)]
    rollouts.up(project, step)
    rollouts.verify(project, rollout, step)
    assert project.database.rows(INVALID) == [(0,)]


@on("alembic", "django", "flyway", "sqlx")
def test_hc57_a_failed_build_is_run_again(project: Project) -> None:
    """Duplicates that came after the question, mended: what the runbook says then goes through."""
    rollout, step = index_step(project)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    with project.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("INSERT INTO users (email) VALUES ('User1@Example.org')")
        runner = in_background(project, step.up)
        until(lambda: project.database.rows(BUILDING))
        blocker.execute("COMMIT")
        runner.join()
    assert project.database.rows(INVALID) == [(1,)]
    project.database.script("DELETE FROM users WHERE id > 5000")
    if project.target.name == "flyway":
        assert "run its command with `repair` in place of `migrate -target=…`" in runbook
        with pytest.raises(AssertionError, match="repair"):
            rollouts.up(project, step)
        for command in step.up:
            project.run(re.sub(r"migrate -target=\S+", "repair", command))
    if project.target.name == "sqlx":
        rollouts.down(project, step)
    rollouts.up(project, step)
    rollouts.verify(project, rollout, step)
    assert project.database.rows(INVALID) == [(0,)]


@on("sqlx")
def test_hc103_sqlx_reverts_what_failed(project: Project) -> None:
    """A recorded file is never run again: `revert`, then `run`, as the runbook says."""
    rollout, step = index_step(project)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "`revert` its step, then `run` it again" in runbook
    with project.database.connect() as blocker:
        kill(project, blocker, step)
    assert project.database.rows(INVALID) == [(1,)]
    rollouts.down(project, step)
    rollouts.up(project, step)
    rollouts.verify(project, rollout, step)
    assert project.database.rows(INVALID) == [(0,)]


@on("sqlx")
def test_hc55_a_second_migrator(project: Project) -> None:
    """`sqlx::migrate!` in two instances: the build and the lock wait for one another.

    `sqlx migrate` takes no lock, and clears what is left.
    """
    rollout, step = index_step(project)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "its own `sqlx::migrate!` holds a lock" in runbook
    with project.database.connect() as first, project.database.connect() as second:
        first.execute("SELECT pg_advisory_lock(55)")

        gave_up: list[str] = []

        def attempt(connection: psycopg.Connection, sql: str) -> None:
            try:
                connection.execute(sql)
            except psycopg.errors.DeadlockDetected:
                gave_up.append(sql)

        waiter = threading.Thread(target=attempt, args=(second, "SELECT pg_advisory_lock(55)"))
        waiter.start()
        until(lambda: project.database.rows("SELECT FROM pg_locks WHERE NOT granted"))
        attempt(first, UNIQUE.replace("INDEX", "INDEX CONCURRENTLY"))
        first.execute("SELECT pg_advisory_unlock(55)")
        waiter.join()
    assert len(gave_up) == 1
    rollouts.up(project, step)
    rollouts.verify(project, rollout, step)


@on("alembic")
def test_hc82_autocommit_splits_the_revision(project: Project) -> None:
    """What stands beside autocommit_block would be committed by it: each has its own revision."""
    rollout = miggen.plan(project, COMBINED)
    for step in rollout.deploy.steps:
        for file in step.files:
            up = (project.root / file).read_text().split("def upgrade")[1].split("def downgrade")[0]
            lines = [line for line in up.splitlines()[1:] if line.strip() and "pass" not in line]
            inside = [line for line in lines if line.startswith(" " * 8)]
            if "autocommit_block" in up:
                outside = [line for line in lines if line not in inside]
                assert len(outside) == 2, outside  # the docstring, and the block itself
    hard.take(project, rollout)


@on("sqlx")
def test_hc84_marker_is_first(project: Project) -> None:
    """sqlx asks `starts_with`; a header, a byte order mark or a line before it would undo it."""
    (project.root / "miggen.toml").write_text('author = "Somebody"\n')
    rollout = miggen.plan(project, COMBINED)
    alone = 0
    for name, contents in migrations(project, rollout).items():
        if b"CONCURRENTLY" in contents or b"COMMIT;" in contents:
            alone += 1
            assert contents.startswith(b"-- no-transaction\n"), name
    assert alone >= 3
    hard.take(project, rollout)


def migrations(project: Project, rollout: Rollout) -> dict[str, bytes]:
    """The files of the first deploy that are SQL, up and down."""
    files = (Path(file) for file in rollout.written)
    return {
        str(file): (project.root / file).read_bytes()
        for file in files
        if file.suffix == ".sql" and "verify" not in file.parts
    }


@on("raw", "sqlx", "flyway")
@pytest.mark.parametrize("change", [COMBINED, FILL, UNIQUE], ids=["combined", "fill", "index"])
def test_hc85_settings_of_a_session(project: Project, change: str) -> None:
    """SET without LOCAL only where no transaction could hold it, and then the runbook asks."""
    rollout = miggen.plan(project, change)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    for name, contents in migrations(project, rollout).items():
        text = contents.decode()
        plain = [line for line in text.splitlines() if line.startswith("SET ")]
        session = [line for line in plain if not line.startswith("SET LOCAL")]
        assert not (session and "\nBEGIN;" in text), name
    assert "behind a pooler in transaction mode" in runbook
    pids = "SELECT pg_backend_pid();"
    assert pids in runbook


CUTS = ("lock_timeout = '100ms'", "statement_timeout = '1s'", "transaction_timeout = '1s'")


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
def test_timeouts_of_the_database_cut_nothing_off(lay: hard.Lay) -> None:
    """Each step waits its turn behind one that takes longer than any of them."""
    project = lay(hard.PLAIN, hard.ROWS)
    for cut in CUTS[: 3 if project.server.id == "pg18" else 2]:
        project.database.script(f"ALTER DATABASE {project.database.name} SET {cut}")
    change = (
        "ALTER TABLE t ADD COLUMN label text; UPDATE t SET label = lower(name);"
        "ALTER TABLE t ALTER COLUMN label SET NOT NULL; CREATE INDEX t_label ON t (label);"
        "ALTER TABLE t ADD CONSTRAINT t_short CHECK (length(label) < 99)"
    )
    rollout = miggen.plan(project, change)
    for step in rollout.deploy.steps:
        with project.database.connect() as blocker:
            for cut in CUTS[: 3 if project.server.id == "pg18" else 2]:
                blocker.execute(f"SET {cut.split()[0]} = 0")
            blocker.execute("BEGIN")
            blocker.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
            runner = hard.in_background(project, step.up)
            time.sleep(1.5)  # longer than each of the settings
            blocker.execute("COMMIT")
            runner.join()
        rollouts.verify(project, rollout, step)


@on("flyway")
def test_hc104_flyways_own_lock(project: Project) -> None:
    """Flyway's lock holds a snapshot for the whole run: every command that builds turns it off."""
    rollout = miggen.plan(project, COMBINED)
    for step in rollout.deploy.steps:
        if not step.transaction:
            assert all("-postgresql.transactional.lock=false" in line for line in step.up)
    hard.take(project, rollout)
