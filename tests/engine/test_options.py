"""Options together: each pair walks there, back and there again."""

import pytest

import dumps
import hard
import miggen
import rollouts
from hard import Lay, contents, take
from shell import CommandFailed

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, n int,
    role text NOT NULL DEFAULT 'member', state text DEFAULT 'new');
CREATE INDEX t_name ON t (name);
"""
ROWS = """
INSERT INTO t VALUES (1, 'a', 1, 'owner', 'old'), (2, 'b', NULL, 'member', NULL),
    (3, 'c', 3, 'admin', 'new')
"""
SMALL = "--rows=t=100"
CASES = [
    ("ALTER TABLE t DROP COLUMN n", ("--archive", SMALL)),
    ("ALTER TABLE t DROP COLUMN name", ("--archive", "--downtime=5m")),
    ("ALTER TABLE t DROP COLUMN n", ("--archive", "--keep=0d")),
    ("ALTER TABLE t DROP COLUMN role", ("--archive",)),
    ("ALTER TABLE t DROP COLUMN role", ("--archive", "--downtime=5m")),
    ("ALTER TABLE t DROP COLUMN state", ("--archive",)),
    ("DROP TABLE t", ("--archive", SMALL)),
    ("DROP TABLE t", ("--archive", "--downtime=any")),
]
TWICE = [
    ("ALTER TABLE t RENAME COLUMN name TO label", ("--dual-write=app", SMALL)),
    ("ALTER TABLE t RENAME COLUMN name TO label", ("--dual-write=app", "--archive")),
]


def walk(lay: Lay, change: str, options: tuple[str, ...], more: str = "") -> None:
    project = lay(SCHEMA + more, ROWS)
    arguments = [
        argument
        for argument in miggen.arguments(project)
        if not ("--downtime" in argument and any("--downtime" in one for one in options))
    ]
    rollout = miggen.parse(miggen.run(project, *arguments, *options, change))
    while True:
        before, rows = dumps.shape(project.database), contents(project)
        take(project, rollout)
        after = dumps.shape(project.database)
        for step in reversed(rollout.deploy.steps):
            rollouts.down(project, step)
        back = dumps.validated(dumps.shape(project.database))
        dumps.assert_same(dumps.validated(before), back, "down is no way back", ("was", "is"))
        # What deploy 2 filled stays, until its column goes.
        assert contents(project) == rows or "--dual-write=app" in options
        take(project, rollout)
        assert dumps.shape(project.database) == after
        if rollout.is_last:
            return
        rollout = hard.following(project, rollout)


@pytest.mark.parametrize("lay", ["pg12", "pg15", "sqlite"], indirect=True)
@pytest.mark.parametrize(("change", "options"), CASES)
def test_archive(lay: Lay, change: str, options: tuple[str, ...]) -> None:
    walk(lay, change, options)


def test_key_in_a_window(lay: Lay) -> None:
    """The server takes the foreign keys along by itself."""
    child = "CREATE TABLE c (t_id int REFERENCES t ON DELETE CASCADE, up int REFERENCES t (id));"
    walk(lay, "ALTER TABLE t ALTER COLUMN id TYPE bigint", ("--downtime=5m",), child)


def test_serial_in_a_window(lay: Lay) -> None:
    """Its sequence counts as far as the new type."""
    project = lay("CREATE TABLE t (id serial PRIMARY KEY)")
    arguments = [one for one in miggen.arguments(project) if "--downtime" not in one]
    change = "ALTER TABLE t ALTER COLUMN id TYPE bigint"
    take(project, miggen.parse(miggen.run(project, *arguments, "--downtime=5m", change)))
    project.database.script("SELECT setval('t_id_seq', 3000000000); INSERT INTO t DEFAULT VALUES")


@pytest.mark.parametrize(("change", "options"), TWICE[:1])
def test_twice(lay: Lay, change: str, options: tuple[str, ...]) -> None:
    walk(lay, change, options)


def test_archive_of_a_table_that_is_called_as_an_alias_might_be(lay: Lay) -> None:
    """The way back takes the values of the row they were of."""
    project = lay(
        "CREATE TABLE a (id int PRIMARY KEY, n int)",
        "INSERT INTO a SELECT n, n * 2 FROM generate_series(1, 50) AS n",
    )
    before = contents(project)["public.a"]
    rollout = miggen.plan(project, "ALTER TABLE a DROP COLUMN n", "--archive")
    if not rollout.is_last:
        take(project, rollout)
        rollout = hard.following(project, rollout)
    take(project, rollout)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    assert contents(project)["public.a"] == before


@pytest.mark.parametrize("lay", ["pg12", "pg15", "sqlite"], indirect=True)
def test_archive_has_the_last_values(lay: Lay) -> None:
    """Somebody writes on after the copy: it is made again, and the last file asks for that."""
    project = lay(SCHEMA, ROWS)
    written = "UPDATE t SET n = 7 WHERE id = 1; UPDATE t SET n = NULL WHERE id = 3"
    rollout = miggen.plan(project, "ALTER TABLE t DROP COLUMN n", "--archive")
    take(project, rollout)
    rollout = hard.following(project, rollout)
    *copies, contract = rollout.deploy.steps
    for step in copies:
        rollouts.up(project, step)
    project.database.script(written)
    with pytest.raises(CommandFailed, match="are not in t_n_archive"):
        rollouts.up(project, contract)
    if project.dialect == "sqlite":  # one transaction makes the table and fills it
        rollouts.down(project, copies[-1])
    rollouts.up(project, copies[-1])
    kept = "SELECT id, n FROM t ORDER BY id"
    before = project.database.rows(kept)
    rollouts.up(project, contract)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    assert project.database.rows(kept) == before


def test_nothing_to_archive(lay: Lay) -> None:
    """A column that is written twice is a copy of the one that goes."""
    change, options = TWICE[1]
    project = lay(SCHEMA, ROWS)
    done = miggen.call(project, *miggen.arguments(project), *options, change)
    assert done.returncode == 2
    assert "there is nothing to archive" in done.stdout
