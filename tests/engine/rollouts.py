"""The walk through a rollout, step by step, by the commands that its runbook prints."""

import time
from pathlib import Path

import dumps
from miggen import Rollout, Step
from projects import Project
from scenario import Scenario
from servers import SqliteDatabase
from shell import CommandFailed, attempt

# SQLite has one writer: the runbook says to run a step again that met another for too long.
AGAIN = ("database is locked", "SQLITE_BUSY")


def up(project: Project, step: Step) -> None:
    for command in step.up:
        project.run(command, step.files)


def down(project: Project, step: Step) -> None:
    for command in step.down:
        project.run(command, step.files)


def up_beside_writers(project: Project, step: Step) -> None:
    """As `up`; on SQLite it is run again when it could not get in."""
    for tries in range(10):
        try:
            up(project, step)
        except CommandFailed as error:
            busy = any(word in str(error) for word in AGAIN)
            if not (busy and isinstance(project.database, SqliteDatabase)) or tries == 9:
                raise
            time.sleep(0.1 * tries)  # not luck: the way a person would try again
        else:
            return


def schema(project: Project) -> str:
    return dumps.schema(project.database, project.target.bookkeeping)


def check_steps(project: Project, scenario: Scenario, rollout: Rollout) -> None:
    """Each step up, back, up again: back must lead to where it came from, up to the same place.

    A deploy that drops a column is walked as a whole: its way back brings a column back as the last
    one, and fills it in another step than the one that adds it.
    """
    deploy = rollout.deploy
    if deploy.as_a_whole:
        check_contract(project, scenario, rollout)
        return
    table = scenario.table if deploy.number == 1 else scenario.renamed or scenario.table
    kept = dumps.data(project.database, table, scenario.kept)
    for step in deploy.steps:
        name = f"deploy {deploy.number}, {step.slug}"
        before = schema(project)
        verified_before = [holds(project, file) for file in queries(rollout, step)]
        up(project, step)
        after = schema(project)
        if before != after:
            assert not any(verified_before), f"{name}: verified before it was run"
        down(project, step)
        dumps.assert_same(
            dumps.validated(before),
            dumps.validated(schema(project)),
            f"{name}: down is no way back",
            ("was", "is"),
        )
        up(project, step)
        dumps.assert_same(after, schema(project), f"{name}: up differs", ("first", "again"))
        verify(project, rollout, step)
    now = dumps.data(project.database, scenario.renamed or scenario.table, scenario.kept)
    dumps.assert_same_rows(kept, now, f"deploy {deploy.number} changed {scenario.kept}")


def check_contract(project: Project, scenario: Scenario, rollout: Rollout) -> None:
    deploy = rollout.deploy
    columns = (*scenario.kept, *scenario.restored)
    before = dumps.shape(project.database, project.target.bookkeeping)
    kept = dumps.data(project.database, scenario.table, columns)
    for step in deploy.steps:
        up(project, step)
        verify(project, rollout, step)
    after = schema(project)
    for step in reversed(deploy.steps):
        down(project, step)
    name = f"deploy {deploy.number}"
    back = dumps.shape(project.database, project.target.bookkeeping)
    dumps.assert_same(before, back, f"{name}: down is no way back", ("was", "is"))
    now = dumps.data(project.database, scenario.table, columns)
    dumps.assert_same_rows(kept, now, f"{name}: the way back loses {columns}")
    for step in deploy.steps:
        up(project, step)
    dumps.assert_same(after, schema(project), f"{name}: up differs", ("first", "again"))
    now = dumps.data(project.database, scenario.table, scenario.kept)
    kept = [row[: len(scenario.kept)] for row in kept]
    dumps.assert_same_rows(kept, now, f"{name} changed {scenario.kept}")


def queries(rollout: Rollout, step: Step) -> list[str]:
    """The rollout's own questions about a step: verify/02_backfill.sql asks about backfill."""
    return [file for file in rollout.verify if Path(file).stem.split("_", 1)[1] == step.slug]


def verify(project: Project, rollout: Rollout, step: Step) -> None:
    for file in queries(rollout, step):
        assert holds(project, file), f"{file} does not hold after {step.slug}"


def holds(project: Project, file: str) -> bool:
    """Ask a verification query: the first column of each row is `ok`; an error is a no."""
    if isinstance(project.database, SqliteDatabase):
        command = f'sqlite3 -bail "$DB" < {file}'
    else:
        command = f"psql -X -q -A -t -v ON_ERROR_STOP=1 -f {file}"
    done = attempt(command, project.root, project.env)
    rows = [line.split("|")[0] for line in done.stdout.splitlines() if line]
    return done.returncode == 0 and bool(rows) and all(ok in ("t", "1") for ok in rows)


def check_rows(project: Project, query: str | None, what: str) -> None:
    if query:
        rows = project.database.rows(query)
        assert not rows, f"{what}: {len(rows)} rows, {rows[:5]}"


def check_drift(project: Project, scenario: Scenario, rollout: Rollout) -> None:
    """The application changes as the runbook says, and its framework finds nothing to add."""
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    for edit in scenario.edits(project.target.name, project.server.id, rollout.current):
        for line in edit.told:
            assert line in runbook, f"the runbook does not tell to write\n{line}"
        project.edit(edit.file, edit.old, edit.new)
    if project.target.drift:
        project.run(project.target.drift)
