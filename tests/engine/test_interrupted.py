"""A step that dies half-way: the same command goes on, and nothing is lost."""

import re
import subprocess
import threading
from collections.abc import Callable

import pytest

import dumps
import miggen
import rollouts
from miggen import Rollout, Step
from projects import Project
from scenario import Scenario
from servers import PostgresDatabase
from shell import CommandFailed, attempt
from writers import PATIENCE


def reach(project: Project, scenario: Scenario, slug: str) -> tuple[Rollout, Step]:
    """Run the first deploy up to its step `slug`."""
    rollout = miggen.plan(project, scenario.change(project.server.id))
    for step in rollout.deploy.steps:
        if slug in step.slug:
            return rollout, step
        rollouts.up(project, step)
    raise AssertionError(f"no step {slug} in {[step.slug for step in rollout.deploy.steps]}")


def go_on(project: Project, scenario: Scenario, rollout: Rollout, step: Step) -> None:
    """The step again, and the rest of the deploy."""
    steps = rollout.deploy.steps
    for later in steps[steps.index(step) :]:
        rollouts.up(project, later)
    rollouts.check_rows(project, scenario.in_step, "not in step")


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18", "flyway-pg15", "alembic-pg15", "sqlx-pg15")
@pytest.mark.scenarios("rename_column", "combined", "backfill")
def test_backfill_is_killed(scenario: Scenario, project: Project) -> None:
    """Killed at a row that somebody has locked, when most of the others are done."""
    rollout, step = reach(project, scenario, "backfill")
    database = project.database
    assert isinstance(database, PostgresDatabase)
    with database.connect() as blocker:
        blocker.execute("BEGIN")
        # A row that every scenario fills, near the end of the table.
        blocker.execute(f"SELECT FROM {scenario.table} WHERE id = 4998 FOR UPDATE")
        failures: list[AssertionError] = []
        runner = threading.Thread(target=collect, args=(project, step, failures))
        runner.start()
        kill_waiting(database, runner)
        runner.join()
        assert failures, "the backfill was killed and said nothing"
    go_on(project, scenario, rollout, step)
    if rollout.is_last:
        rollouts.check_rows(project, scenario.at_end, "wrong at the end")


def collect(project: Project, step: Step, failures: list[AssertionError]) -> None:
    try:
        rollouts.up(project, step)
    except (AssertionError, subprocess.SubprocessError) as error:
        failures.append(AssertionError(str(error)))


def kill_waiting(database: PostgresDatabase, runner: threading.Thread) -> None:
    """End the session that waits for a row, as soon as there is one."""
    with database.connect() as admin:
        pause = threading.Event()
        for _ in range(PATIENCE * 100):
            killed = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
            if killed:
                return
            assert runner.is_alive(), "the backfill ended, past a row that is locked"
            pause.wait(0.01)
    raise AssertionError("nobody waits for the locked row")


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18")
@pytest.mark.scenarios("create_index_plain", "create_index_unique", "combined")
def test_index_build_is_killed(scenario: Scenario, project: Project) -> None:
    """What a killed CREATE INDEX CONCURRENTLY leaves is an invalid index: it is built again."""
    rollout, step = reach(project, scenario, "index")
    rollouts.up(project, step)
    with project.database.connect() as admin:
        made = admin.execute(
            "UPDATE pg_index SET indisvalid = false WHERE NOT indisprimary "
            f"AND indrelid = '{scenario.table}'::regclass RETURNING indexrelid"
        ).fetchall()
    assert made
    assert "INVALID" in rollouts.schema(project)
    go_on(project, scenario, rollout, step)
    assert "INVALID" not in rollouts.schema(project)


# Ends the session in the command of that number. A sequence counts on where all else is undone.
KILLER = """
CREATE SEQUENCE killer_count;
CREATE FUNCTION killer() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('killer_count') = {command} THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(10);
    END IF;
END $$;
CREATE EVENT TRIGGER killer ON ddl_command_end EXECUTE FUNCTION killer();
"""
DISARMED = "DROP EVENT TRIGGER IF EXISTS killer; DROP FUNCTION killer(); DROP SEQUENCE killer_count"


DDL = re.compile(r"^ *(ALTER|CREATE) ", re.MULTILINE)


def killed(project: Project, run: Callable[[], None]) -> int:
    """`run` until it gets through: killed in its first command, then in its second, and so on."""
    database = project.database
    for command in range(1, 50):
        database.script(KILLER.format(command=command))
        try:
            run()
        except CommandFailed as error:
            if "terminating connection" not in str(error):
                raise
        else:
            return command - 1
        finally:
            database.script(DISARMED)
    raise AssertionError("it never got through")


@pytest.mark.only("raw-pg15")
def test_killed_in_the_middle(scenario: Scenario, project: Project) -> None:
    """Killed at each of its commands and run again, every file comes to the same end; back too."""
    reference = project.database.copy()
    reference.script("DELETE FROM posts; DELETE FROM users")
    reference.script(scenario.wanted(project.server.id))
    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    while True:
        before = dumps.shape(project.database)
        steps = rollout.deploy.steps
        for step in steps:
            kills = killed(project, lambda step=step: rollouts.up(project, step))
            up = "".join((project.root / file).read_text() for file in step.files[:1])
            if DDL.search(up):
                assert kills, f"{step.slug} changes the schema, and nobody was there to kill it"
            if not step.transaction:
                # All of it succeeded, and the framework died before it wrote that down.
                rollouts.up(project, step)
            rollouts.verify(project, rollout, step)
        for step in reversed(steps):
            killed(project, lambda step=step: rollouts.down(project, step))
            if not step.transaction:
                rollouts.down(project, step)
        dumps.assert_same(
            dumps.validated(before),
            dumps.validated(dumps.shape(project.database)),
            f"deploy {rollout.current}: down is no way back",
            ("was", "is"),
        )
        for step in steps:
            rollouts.up(project, step)
            rollouts.verify(project, rollout, step)
        if rollout.is_last:
            break
        miggen.release(project, rollout)
        rollout = miggen.following(project)
    rollouts.check_rows(project, scenario.at_end, "wrong at the end")
    dumps.assert_same(
        dumps.shape(reference),
        dumps.shape(project.database),
        "killed and run again, it does not arrive where the change leads",
        ("wanted", "is"),
    )
    reference.drop()


@pytest.mark.only("raw-sqlite")
def test_cut_off_on_sqlite(scenario: Scenario, project: Project) -> None:
    """A file that ends after any of its lines, short of COMMIT, has changed nothing."""
    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    while True:
        for step in rollout.deploy.steps:
            for file in step.files:
                if file.endswith(".up.sql"):
                    cut_off(project, file)
            rollouts.up(project, step)
        if rollout.is_last:
            return
        miggen.release(project, rollout)
        rollout = miggen.following(project)


def cut_off(project: Project, file: str) -> None:
    lines = (project.root / file).read_text().splitlines(keepends=True)
    before = everything(project)
    part = project.root / "part.sql"
    last = lines.index("COMMIT;\n")
    for end in range(1, last + 1):
        more = ".print reached" if end == last else ""
        part.write_text("".join([*lines[:end], more]))
        done = attempt('sqlite3 -bail "$DB" < part.sql', project.root, project.env)
        assert everything(project) == before, f"{file} cut off after line {end}"
    assert "reached" in done.stdout, done.stdout
    part.unlink()


def everything(project: Project) -> list[str]:
    """The schema and every row, as one script."""
    return attempt('sqlite3 "$DB" .dump', project.root, project.env).stdout.splitlines()
