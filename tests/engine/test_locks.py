"""The locks a plan claims are the locks its steps take, as the server saw them."""

import pytest

import locks
import miggen
import rollouts
from projects import Project
from scenario import Scenario


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18")
def test_locks(scenario: Scenario, project: Project) -> None:
    """A step that has DDL takes the locks the plan says, no stronger and no weaker ones."""
    locks.watch(project.database)
    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    while True:
        for step in rollout.deploy.steps:
            rollouts.up(project, step)
            taken = locks.taken(project.database)
            # What is gone has no name to be seen under.
            there = locks.tables(project.database)
            claimed = {table: mode for table, mode in step.locks.items() if table in there}
            assert not taken or stronger(taken) == stronger(claimed), (
                f"deploy {rollout.current}, {step.slug}: {taken}, and the plan says {step.locks}"
            )
        if rollout.is_last:
            return
        miggen.release(project, rollout)
        rollout = miggen.following(project)


def stronger(modes: dict[str, str]) -> dict[str, str]:
    """Without tables that are only read, which a plan does not name."""
    return {table: mode for table, mode in modes.items() if mode != "ACCESS SHARE"}
