"""Every example, by the commands of its README and of its runbook, to its end and back again."""

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import consumers
import dumps
import miggen
import projects
import rollouts
from hard import contents
from miggen import Rollout
from projects import Project
from servers import Servers
from shell import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
# The days of the examples; between them the deploy before was released.
WRITTEN = (date(2025, 1, 13), date(2025, 2, 17), date(2025, 3, 17))
RELEASED = (date(2025, 1, 15), date(2025, 2, 19))

# Deploys whose way back loses what their runbooks name: there rows are counted, not compared.
LOSES = {("not-null-flag", 1), ("split-full-name", 2)}

# Target, server, and rows as they are found: odd ones among them.
CASES = {
    "split-full-name": (
        "alembic",
        "pg15",
        """
        INSERT INTO users (email, full_name)
        SELECT n || '@example.org', CASE n % 5 WHEN 1 THEN 'Mary Jane  Watson ' || n
            WHEN 2 THEN 'Cher' WHEN 3 THEN NULL WHEN 4 THEN '' ELSE 'Ada Lovelace' END
        FROM generate_series(1, {rows}) AS n
        """,
    ),
    "email-normalized": (
        "alembic",
        "pg15",
        """
        INSERT INTO users (email)
        SELECT ' User' || n || '@Example.org ' FROM generate_series(1, {rows}) AS n
        """,
    ),
    "not-null-flag": (
        "flyway",
        "pg15",
        """
        INSERT INTO customers (email, newsletter)
        SELECT n || '@example.org', CASE n % 3 WHEN 1 THEN true WHEN 2 THEN false END
        FROM generate_series(1, {rows}) AS n
        """,
    ),
    "rename-created": (
        "django",
        "pg15",
        "INSERT INTO posts (title) SELECT 'title ' || n FROM generate_series(1, {rows}) AS n",
    ),
    "required-computed": (
        "sqlx",
        "pg15",
        "INSERT INTO users (email) SELECT n || '@example.org' FROM generate_series(1, {rows}) AS n",
    ),
    "rename-in-a-window": (
        "raw",
        "pg15",
        "INSERT INTO posts (title) SELECT 'title ' || n FROM generate_series(1, {rows}) AS n",
    ),
    "rename-small-table": (
        "alembic",
        "pg15",
        """
        INSERT INTO countries
        SELECT chr(65 + n / 26) || chr(65 + n % 26), 'c' || n FROM generate_series(0, 249) AS n
        """,
    ),
    "key-to-bigint": (
        "raw",
        "pg15",
        """
        INSERT INTO orders (replaces) SELECT nullif(n % 7, 0) FROM generate_series(1, {rows}) AS n;
        INSERT INTO order_lines (order_id, article)
        SELECT id, 'article ' || id FROM orders, generate_series(1, 2)
        """,
    ),
    "sqlite-required": (
        "raw",
        "sqlite",
        """
        WITH RECURSIVE numbers (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}
        )
        INSERT INTO authors (id, name) SELECT n, ' Name ' || n FROM numbers;
        INSERT INTO books (author_id, title) SELECT id, 'title ' || id FROM authors
        """,
    ),
}


@pytest.fixture(params=CASES)
def example(
    request: pytest.FixtureRequest, running: Servers, tmp_path: Path
) -> Iterator[tuple[Project, Path, str]]:
    """The repository as it was before miggen came, its database filled, and the shape wanted."""
    projects.programs()
    target, server, rows = CASES[request.param]
    folder = EXAMPLES / request.param
    root = tmp_path / "repo"
    shutil.copytree(folder, root)
    for state in root.glob("rollouts/*/rollout.toml"):
        for file in re.findall(r'(?m)^path = "(.+)"$', state.read_text()):
            (root / file).unlink()
    shutil.rmtree(root / "rollouts")
    for left in ("db/rollback", "db"):
        if (root / left).is_dir():
            (root / left).rmdir()
    engine = running.get(server)
    project = Project(projects.TARGETS[target], engine, root, engine.create(tmp_path))
    project.run(project.target.initial(engine.dialect))
    reference = project.database.copy()
    reference.script((root / "change.sql").read_text())
    wanted = dumps.shape(reference, project.target.bookkeeping)
    reference.drop()
    project.database.script(rows.format(rows=projects.ROWS))
    yield project, folder, wanted
    project.database.drop()


def test_every_example_is_a_case() -> None:
    assert sorted(CASES) == sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))


def test_to_the_end_and_back(example: tuple[Project, Path, str]) -> None:
    project, folder, wanted = example
    block = (folder / "README.md").read_text().split("```")[1]
    rollout = None
    for number, line in enumerate(block.splitlines()[1:]):
        if rollout:
            release(project, rollout.folder, number)
        arguments = line.split("#")[0].split()[1:]
        output = miggen.run(project, *arguments, "--format=json", day=WRITTEN[number])
        rollout = miggen.parse(output)
        consumers.check(project, rollout)
        there_and_back(project, rollout, (folder.name, number + 1) in LOSES)
    assert rollout and rollout.is_last
    assert miggen.files(project.root) == miggen.files(folder)
    arrived = dumps.shape(project.database, project.target.bookkeeping)
    dumps.assert_same(wanted, arrived, "not where the change leads", ("wanted", "is"))


def release(project: Project, rollout: str, deploy: int) -> None:
    """Write the day below the number, where the runbook asks a person to."""
    state = project.root / rollout / "rollout.toml"
    number = f"number = {deploy}\n"
    text = state.read_text()
    assert number in text
    state.write_text(text.replace(number, f"{number}released = {RELEASED[deploy - 1]}\n", 1))


def there_and_back(project: Project, rollout: Rollout, loses: bool) -> None:
    """A deploy up, each step verified, down as its commands say, and up again."""
    hidden = project.target.bookkeeping
    before = dumps.validated(dumps.shape(project.database, hidden))
    rows = contents(project)
    for step in rollout.deploy.steps:
        rollouts.up(project, step)
        rollouts.verify(project, rollout, step)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    back = dumps.validated(dumps.shape(project.database, hidden))
    dumps.assert_same(before, back, f"deploy {rollout.current}: down", ("was", "is"))
    now = contents(project)
    if loses:
        rows, now = ({table: len(of[table]) for table in of} for of in (rows, now))
    assert rows == now, f"deploy {rollout.current}: down"
    for step in rollout.deploy.steps:
        rollouts.up(project, step)


@pytest.mark.parametrize("example", ["split-full-name"], indirect=True)
def test_what_one_side_cannot_say_stays(example: tuple[Project, Path, str]) -> None:
    """Neither backfill, forth or back, changes what it is computed from."""
    project, folder, _ = example
    block = (folder / "README.md").read_text().split("```")[1].splitlines()[1:]
    commands = [line.split("#")[0].split()[1:] for line in block]
    before = "SELECT id, full_name FROM users ORDER BY id"
    full_names = project.database.rows(before)

    first = miggen.parse(miggen.run(project, *commands[0], "--format=json", day=WRITTEN[0]))
    for step in first.deploy.steps:
        rollouts.up(project, step)
    assert project.database.rows(before) == full_names
    long = "x" * 200
    project.database.script(
        "UPDATE users SET first_name = 'Mary Jane', last_name = 'Watson' WHERE id = 1;"
        f"UPDATE users SET first_name = '{long}', last_name = '{long}' WHERE id = 2;"
        "INSERT INTO users (email, first_name, last_name) VALUES ('new', 'Ana Maria', 'Lopez');"
        "UPDATE users SET full_name = '  Grace   Hopper ' WHERE id = 3"
    )
    after = "SELECT id, first_name, last_name FROM users ORDER BY id"
    names = project.database.rows(after)
    assert names[0] == (1, "Mary Jane", "Watson")
    assert names[1] == (2, long, long)
    assert names[2] == (3, "Grace", "Hopper")
    release(project, first.folder, 1)
    last = miggen.parse(miggen.run(project, *commands[1], "--format=json", day=WRITTEN[1]))
    for step in last.deploy.steps:
        rollouts.up(project, step)
        rollouts.verify(project, last, step)
    for step in reversed(last.deploy.steps):
        rollouts.down(project, step)
    assert project.database.rows(after) == names
    assert project.database.rows("SELECT full_name FROM users WHERE id = 1") == [
        ("Mary Jane Watson",)
    ]
