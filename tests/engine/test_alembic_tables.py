"""Tables and indexes that Alembic's own calls say in part only."""

from pathlib import Path

import pytest

import consumers
import dumps
import hard
import miggen
import projects
import rollouts
import servers

ENUM = "CREATE TYPE mood AS ENUM ('sad', 'ok')"


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (
            "CREATE TABLE t (id bigserial PRIMARY KEY, a int, t text);"
            "CREATE INDEX t_p ON t (a) WHERE t = 'x:y';"
            "CREATE UNIQUE INDEX t_u ON t (t) WHERE a > 0",
            "40M",
        ),
        ("CREATE UNIQUE INDEX posts_new ON posts (title) WHERE author_id > 1", "100"),
        ("CREATE INDEX posts_new ON posts (title) WHERE author_id > 1", "40M"),
        ("CREATE TABLE t (id int PRIMARY KEY, m mood, n int[], s timestamp(3))", "40M"),
        ('CREATE TABLE t (id int PRIMARY KEY, a text COLLATE "C", b int DEFAULT 1)', "40M"),
        ("CREATE TABLE t (id int PRIMARY KEY, a text); CREATE INDEX t_a ON t (a DESC)", "40M"),
        ("CREATE TABLE t (id int PRIMARY KEY, date date, r tstzrange, n int4range)", "40M"),
    ],
)
def test_nothing_is_lost(running: servers.Servers, tmp_path: Path, change: str, rows: str) -> None:
    """The files please their linter, and arrive where the statements themselves do."""
    project = projects.create(projects.TARGETS["alembic"], running.get("pg15"), tmp_path)
    project.database.script(ENUM)
    (project.root / "schema.sql").write_text(projects.schema_file(project))
    reference = project.database.copy()
    reference.script(change)
    known = [
        "--target=alembic",
        "--server=postgres@15",
        "--schema=schema.sql",
        f"--rows=posts={rows}",
    ]
    rollout = miggen.parse(miggen.run(project, *known, "--format=json", change))
    consumers.check(project, rollout)
    hard.take(project, rollout)
    shapes = (dumps.shape(reference), dumps.shape(project.database))
    dumps.assert_same(*shapes, "not where the change leads", ("wanted", "is"))
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    reference.drop()
    project.database.drop()


def test_a_model_says_all_of_a_table(running: servers.Servers, tmp_path: Path) -> None:
    """As the runbook has it, it can be imported, and Alembic finds nothing to add."""
    project = projects.create(projects.TARGETS["alembic"], running.get("pg15"), tmp_path)
    project.database.script(ENUM)
    (project.root / "schema.sql").write_text(projects.schema_file(project))
    change = (
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood NOT NULL,"
        ' date date, made date, int int, r tstzrange, n int4range, a varchar(9) COLLATE "C",'
        ' b text COLLATE "C", c numeric(8, 2)[], u uuid UNIQUE, CHECK (int > 0))'
    )
    rollout = miggen.plan(project, change)
    hard.take(project, rollout)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    added = [line[1:] for line in runbook.splitlines() if line.startswith("+")]
    models = project.root / "models.py"
    imports = [line for line in added if line.startswith(("from ", "import "))]
    body = [line for line in added if line not in imports]
    models.write_text("\n".join([*imports, models.read_text(), *body, ""]))
    project.run(str(project.target.drift))
    project.database.drop()
