"""A framework that does not live at the repository's root: its commands are copied there."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import miggen
import projects
from miggen import Rollout
from projects import Project, Target
from servers import Servers

HOME = "server"
MAVEN = "src/main/resources/db/migration"
RENAME = "ALTER TABLE posts RENAME COLUMN created TO created_at"


def move(root: Path, folder: str, *, keep: tuple[str, ...] = ()) -> None:
    """Everything at the root, but what is to be kept there, into a folder below it."""
    found = [path for path in root.iterdir() if path.name not in keep]
    (root / folder).mkdir(parents=True)
    for path in found:
        path.rename(root / folder / path.name)


def alembic_ini(root: Path, old: str, new: str) -> None:
    ini = next(root.rglob("alembic.ini"))
    text = ini.read_text()
    assert old in text
    ini.write_text(text.replace(old, new))


def in_a_folder(root: Path) -> None:
    move(root, HOME)


def relative_to_its_folder(root: Path) -> None:
    move(root, HOME)
    alembic_ini(root, "%(here)s/migrations", "migrations")


def relative_to_the_root(root: Path) -> None:
    move(root, "settings", keep=("migrations", "models.py"))
    alembic_ini(root, "%(here)s/migrations", "migrations")


def a_section_each(root: Path) -> None:
    move(root, HOME)
    alembic_ini(
        root,
        "[alembic]\nscript_location = %(here)s/migrations\n",
        "[alembic]\n\n[other]\nscript_location = elsewhere\n\n"
        "[core]\nscript_location = migrations\n",
    )


def a_maven_project(root: Path) -> None:
    (root / "flyway.toml").unlink()
    move(root, f"{HOME}/src/main/resources/db")
    (root / HOME / "src/main/resources/db/sql").rename(root / HOME / MAVEN)
    (root / HOME / "pom.xml").write_text("<artifactId>flyway-core</artifactId>\n")


# Target, what becomes of its usual layout, what applies the first migration, options.
CASES = {
    "alembic-here": ("alembic", in_a_folder, "cd server && alembic upgrade head"),
    "alembic-folder": ("alembic", relative_to_its_folder, "cd server && alembic upgrade head"),
    "alembic-root": (
        "alembic",
        relative_to_the_root,
        "alembic -c settings/alembic.ini upgrade head",
    ),
    "alembic-section": ("alembic", a_section_each, "cd server && alembic -n core upgrade head"),
    "django": ("django", in_a_folder, "cd server && python manage.py migrate"),
    "flyway": ("flyway", in_a_folder, "cd server && flyway migrate"),
    "flyway-maven": (
        "flyway",
        a_maven_project,
        f"flyway -locations=filesystem:{HOME}/{MAVEN} migrate",
    ),
    "sqlx": ("sqlx", in_a_folder, "cd server && sqlx migrate run"),
}
OPTIONS = {
    "alembic-section": ["--dir=server/migrations"],
    "sqlx": ["--dir=server/migrations"],
}


@pytest.fixture(params=CASES)
def case(
    request: pytest.FixtureRequest, running: Servers, tmp_path: Path
) -> Iterator[tuple[Project, list[str]]]:
    projects.programs()
    name, layout, first = CASES[request.param]
    target = projects.TARGETS[name]

    class Elsewhere(type(target)):  # type: ignore[misc]
        def lay_out(self, root: Path, dialect: str) -> None:
            super().lay_out(root, dialect)
            layout(root)
            for left in root.rglob("__pycache__"):
                shutil.rmtree(left)

        def initial(self, dialect: str) -> str:
            return first

    moved: Target = Elsewhere()
    project = projects.create(moved, running.get("pg15"), tmp_path, rows=50)
    yield project, OPTIONS.get(request.param, [])
    project.database.drop()


def test_every_printed_command_runs_at_the_root(case: tuple[Project, list[str]]) -> None:
    """Each line of the runbook by itself, forth and back and forth; then the next deploy's."""
    project, options = case
    first = miggen.plan(project, RENAME, *options)
    walk(project, first, "RUNBOOK.md")
    miggen.release(project, first)
    last = miggen.following(project)
    assert last.is_last
    walk(project, last, "DEPLOY-2.md")
    assert project.database.rows("SELECT count(created_at) FROM posts") == [(50,)]


def walk(project: Project, rollout: Rollout, file: str) -> None:
    text = (project.root / rollout.folder / file).read_text()
    variables = re.findall(r"(?m)^    (V=.+)$", text)
    section = text.split(f"# Deploy {rollout.current}")[1].split("\n## ")[0]
    blocks = re.findall(r"(?s)```sh\n(.+?)```", section)
    assert len(blocks) == 2, f"not the ways forth and back:\n{section}"
    forth, back = (block.splitlines() for block in blocks)
    printed = [line.split("  #")[0].rstrip() for line in forth]
    for step in rollout.deploy.steps:
        assert set(step.up) <= set(printed)
    for lines in (forth, back, forth):
        for line in lines:
            said = project.run("\n".join((*variables, line)))
            if "psql -X -f $V" in line:
                assert "\n t" in said, f"{line}\n{said}"
