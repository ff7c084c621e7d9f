"""What the hard cases share: a schema of the test's own, and the walk through its rollout."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import dumps
import miggen
import projects
import rollouts
from miggen import Rollout
from projects import Project
from servers import PostgresDatabase, Server
from shell import CommandFailed, attempt, describe

Lay = Callable[..., Project]

# A table and everyday changes of its column, for cases that need no more.
ROWS = "INSERT INTO t (id, name) SELECT n, 'Name ' || n FROM generate_series(1, 300) AS n"
TO_VARCHAR = "ALTER TABLE t ALTER COLUMN name TYPE varchar(50)"
RENAME = "ALTER TABLE t RENAME COLUMN name TO label"
DROP = "ALTER TABLE t DROP COLUMN name"
PLAIN = "CREATE TABLE t (id int PRIMARY KEY, name text, n int);"

on_all = pytest.mark.parametrize("lay", ["pg12", "pg15", "pg18"], indirect=True)
on_sqlite = pytest.mark.parametrize("lay", ["sqlite"], indirect=True)


@contextmanager
def laying(server: Server, folder: Path) -> Iterator[Lay]:
    """Repositories of plain SQL files, each over a schema of its own."""
    projects.programs()
    made: list[Project] = []

    def lay(schema: str, rows: str = "") -> Project:
        home = folder / str(len(made))
        root = home / "repo"
        (root / "migrations").mkdir(parents=True)
        (root / "migrations/001_initial.up.sql").write_text(schema)
        (root / "migrations/001_initial.down.sql").write_text("")
        (root / "schema.sql").write_text(schema)
        project = Project(projects.TARGETS["raw"], server, root, server.create(home))
        made.append(project)
        project.database.script(schema)
        project.database.script(rows)
        return project

    yield lay
    for project in made:
        project.database.drop()


def run(project: Project, change: str) -> Rollout:
    """Plan the change, take every step of its first deploy, and ask the rollout's own questions."""
    rollout = miggen.plan(project, change)
    take(project, rollout)
    return rollout


def take(project: Project, rollout: Rollout) -> None:
    for step in rollout.deploy.steps:
        rollouts.up(project, step)
        rollouts.verify(project, rollout, step)


def following(project: Project, rollout: Rollout) -> Rollout:
    """The next deploy, long after this one was released."""
    miggen.release(project, rollout)
    return miggen.following(project)


def carried(project: Project, change: str, naive: str | None = None) -> list[Rollout]:
    """Every deploy up, back, and up again; what it arrives at is what the naive change makes."""

    def there_and_back(rollout: Rollout) -> None:
        before = dumps.validated(dumps.shape(project.database))
        rows = contents(project)
        take(project, rollout)
        for step in reversed(rollout.deploy.steps):
            rollouts.down(project, step)
        back = dumps.validated(dumps.shape(project.database))
        name = f"deploy {rollout.current}: down is no way back"
        dumps.assert_same(before, back, name, ("was", "is"))
        assert contents(project) == rows or rollout.is_last, name

    return arrives(project, change, naive, there_and_back)


def arrives(
    project: Project,
    change: str,
    naive: str | None = None,
    before: Callable[[Rollout], None] = lambda _: None,
) -> list[Rollout]:
    """Every deploy up; what it arrives at is what the naive change makes."""
    reference = project.database.copy()
    reference.script(naive or change)
    deploys = [miggen.plan(project, change)]
    while True:
        rollout = deploys[-1]
        before(rollout)
        take(project, rollout)
        if rollout.is_last:
            break
        deploys.append(following(project, rollout))
    wanted = Project(project.target, project.server, project.root, reference)
    shapes = (dumps.shape(reference), dumps.shape(project.database))
    dumps.assert_same(*shapes, "not where the change leads", ("wanted", "is"))
    assert contents(wanted) == contents(project)
    reference.drop()
    return deploys


def planned(project: Project, change: str, *options: str) -> Rollout | None:
    """The rollout; none if it was refused, which must be with a place in the script."""
    done = miggen.call(project, *miggen.arguments(project, *options), change)
    if done.returncode == 0:
        return miggen.parse(done.stdout)
    assert done.returncode == 1, describe(done, project.root)
    told = re.search(r"^error: .*\n +--> \S+:\d+:\d+\n", done.stdout, re.MULTILINE)
    assert told, done.stdout
    print(done.stdout)
    return None


def walk(project: Project, rollout: Rollout, naive: str, writes_rows: bool) -> None:
    """Every deploy: each step up, back and up again, then all of it; the end is the naive one's."""
    reference = project.database.copy()
    reference.script(naive)
    while True:
        there_and_back(project, rollout, writes_rows)
        if rollout.is_last:
            break
        miggen.release(project, rollout)
        rollout = miggen.following(project)
    shapes = (dumps.shape(reference), dumps.shape(project.database))
    dumps.assert_same(*shapes, "not where the change leads", ("wanted", "is"))
    wanted = Project(project.target, project.server, project.root, reference)
    assert contents(wanted) == contents(project)
    reference.drop()


def there_and_back(project: Project, rollout: Rollout, writes_rows: bool) -> None:
    steps = rollout.deploy.steps
    start, rows = shape(project), contents(project)
    for step in steps:
        before = rollouts.schema(project)
        rollouts.up(project, step)
        after = rollouts.schema(project)
        if not rollout.deploy.as_a_whole:
            rollouts.down(project, step)
            same(before, project, f"down of {step.slug} is no way back")
            rollouts.up(project, step)
            same(after, project, f"{step.slug} differs the second time")
        rollouts.verify(project, rollout, step)
    end = shape(project)
    for step in reversed(steps):
        rollouts.down(project, step)
    whole = f"deploy {rollout.current} does not lead back"
    dumps.assert_same(start, shape(project), whole, ("was", "is"))
    if not writes_rows and not rollout.is_last:
        assert contents(project) == rows
    for step in steps:
        rollouts.up(project, step)
    again = f"deploy {rollout.current} differs the second time"
    dumps.assert_same(end, shape(project), again, ("first", "again"))


def shape(project: Project) -> str:
    return dumps.validated(dumps.shape(project.database))


def same(before: str, project: Project, what: str) -> None:
    now = dumps.validated(rollouts.schema(project))
    dumps.assert_same(dumps.validated(before), now, what, ("was", "is"))


def contents(project: Project) -> dict[str, list[str]]:
    """Every row of every table as text, whatever the order of rows and columns."""
    database = project.database
    if isinstance(database, PostgresDatabase):
        tables = database.rows(
            "SELECT quote_ident(nspname) || '.' || quote_ident(relname)"
            " FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        as_text = "SELECT to_jsonb(x)::text FROM {} AS x ORDER BY 1"
        return {name: [row for (row,) in database.rows(as_text.format(name))] for (name,) in tables}
    found = {}
    for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        text = name.replace("'", "''")
        columns = database.rows(f"SELECT name FROM pragma_table_info('{text}') ORDER BY name")
        listed = ", ".join(identifier(column) for (column,) in columns)
        rows = database.rows(f"SELECT {listed} FROM {identifier(name)}")
        found[name] = [str(row) for row in rows]
    return {name: sorted(rows) for name, rows in found.items()}


def identifier(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def refusal(project: Project, change: str, *options: str) -> str:
    """What is said to a change that is refused; nothing may have been written."""
    before = miggen.files(project.root)
    done = miggen.call(project, *miggen.arguments(project, *options), change)
    assert done.returncode == 1, done.stdout
    assert miggen.files(project.root) == before
    return " ".join(done.stdout.replace("\n", " ").split())


@contextmanager
def beside(work: Callable[[psycopg.Connection], object], project: Project) -> Iterator[None]:
    """`work` over and over in a connection of its own, until the block is left."""
    ending = threading.Event()
    failures: list[Exception] = []

    def loop() -> None:
        with contextlib.closing(project.database.connect()) as connection:
            try:
                while not ending.wait(0.002):
                    work(connection)
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
    assert not failures, failures


def in_background(project: Project, command: tuple[str, ...]) -> threading.Thread:
    """The commands of a step, whatever becomes of them."""

    def work() -> None:
        for line in command:
            attempt(line, project.root, project.env)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(question: Callable[[], object]) -> None:
    for _ in range(6000):
        if question():
            return
        time.sleep(0.01)  # asks again; nothing depends on how long it is
    raise AssertionError("it never came to pass")


def again(project: Project) -> None:
    """The schema file as it is now, for another rollout."""
    dump = project.run("pg_dump -s -O -x")
    (project.root / "schema.sql").write_text(dump)


def fails(project: Project, rollout: Rollout) -> str:
    """What the first step of a deploy says as it fails; it must leave nothing behind."""
    before = rollouts.schema(project)
    with pytest.raises(CommandFailed) as failure:
        rollouts.up(project, rollout.deploy.steps[0])
    assert rollouts.schema(project) == before
    return str(failure.value)


def filenode(project: Project, table: str = "t") -> int:
    return project.database.rows(f"SELECT pg_relation_filenode('{table}')")[0][0]
