"""What miggen must not do: overwrite, write half, or let a later deploy out too early."""

from datetime import date

import pytest

import dumps
import miggen
import rollouts
from projects import Project
from scenario import Scenario
from shell import describe


@pytest.mark.only("alembic-pg15", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_dry_run_writes_nothing(scenario: Scenario, project: Project) -> None:
    before = miggen.files(project.root)
    miggen.run(project, *miggen.arguments(project), "--dry-run", scenario.change(project.server.id))
    assert miggen.files(project.root) == before


@pytest.mark.only("raw-pg15", "sqlx-pg15", "flyway-pg15", "alembic-pg15", "django-pg15")
@pytest.mark.scenarios("rename_column")
def test_second_run_overwrites_nothing(scenario: Scenario, project: Project) -> None:
    """The same change again, beside the files of the first: refused, and no file is touched."""
    miggen.plan(project, scenario.change(project.server.id))
    before = miggen.files(project.root)
    arguments = [*miggen.arguments(project), scenario.change(project.server.id)]
    done = miggen.call(project, *arguments)
    assert done.returncode == 1, describe(done, project.root)
    assert miggen.files(project.root) == before


@pytest.mark.only("raw-pg15", "sqlx-pg15", "flyway-pg15", "alembic-pg15", "django-pg15")
@pytest.mark.scenarios("rename_column")
def test_next_waits_for_the_release(scenario: Scenario, project: Project) -> None:
    """Without the day of the release, and until the old column's time is over, nothing comes."""
    change = f"-- miggen: keep 14 days\n{scenario.change(project.server.id)};\n"
    (project.root / "change.sql").write_text(change)
    rollout = miggen.plan(project, "change.sql")
    refused(project, miggen.LATER, "released")
    miggen.release(project, rollout)
    refused(project, date(2025, 1, 13), "too early")


def refused(project: Project, day: date, word: str) -> None:
    before = miggen.files(project.root)
    done = miggen.call(project, "next", day=day)
    assert done.returncode == 1, describe(done, project.root)
    assert word in done.stdout, done.stdout
    assert miggen.files(project.root) == before


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_contract_without_expand_changes_nothing(scenario: Scenario, project: Project) -> None:
    """Deploy 2 on a database that never saw deploy 1: the first file says no, and so does the one
    with the point of no return, should somebody start there.
    """
    rollout = miggen.plan(project, scenario.change(project.server.id))
    miggen.release(project, rollout)
    contract = miggen.following(project)
    before = rollouts.schema(project)
    rows = dumps.data(project.database, scenario.table, ("id", *scenario.restored))
    for step in (contract.deploy.steps[0], contract.deploy.steps[-1]):
        with pytest.raises(AssertionError):
            rollouts.up(project, step)
        dumps.assert_same(before, rollouts.schema(project), step.slug, ("was", "is"))
    assert dumps.data(project.database, scenario.table, ("id", *scenario.restored)) == rows
