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
    """All steps up, back, up again: each way back leads to where its step began.

    The downs of a deploy that drops a column lead back together: a column comes back as the last
    one, and is filled in another step than the one that adds it.
    """
    deploy = rollout.deploy
    whole = deploy.as_a_whole
    view = dumps.shape if whole else dumps.schema
    table = scenario.table if whole or deploy.number == 1 else scenario.renamed or scenario.table
    columns = (*scenario.kept, *scenario.restored) if whole else scenario.kept
    rows = dumps.data(project.database, table, columns)

    def look() -> str:
        return view(project.database, project.target.bookkeeping)

    states = [look()]
    for step in deploy.steps:
        verified_before = [holds(project, file) for file in queries(rollout, step)]
        up(project, step)
        verify(project, rollout, step)
        states.append(look())
        if states[-1] != states[-2] and not whole:
            name = f"deploy {deploy.number}, {step.slug}"
            assert not any(verified_before), f"{name}: verified before it was run"
    for number, step in reversed(list(enumerate(deploy.steps))):
        down(project, step)
        if number == 0 or not whole:
            name = f"deploy {deploy.number}, {step.slug}: down is no way back"
            was, now = dumps.validated(states[number]), dumps.validated(look())
            dumps.assert_same(was, now, name, ("was", "is"))
    back = dumps.data(project.database, table, columns)
    dumps.assert_same_rows(rows, back, f"deploy {deploy.number}: the way back loses {columns}")
    for step in deploy.steps:
        up(project, step)
        verify(project, rollout, step)
    name = f"deploy {deploy.number}: up differs"
    dumps.assert_same(states[-1], look(), name, ("first", "again"))
    now = dumps.data(project.database, scenario.renamed or scenario.table, scenario.kept)
    rows = [row[: len(scenario.kept)] for row in rows]
    dumps.assert_same_rows(rows, now, f"deploy {deploy.number} changed {scenario.kept}")


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
