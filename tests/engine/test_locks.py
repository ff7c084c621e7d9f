"""The locks a plan claims are the locks its steps take, as the server saw them."""

import pytest

import locks
import miggen
import rollouts
from projects import Project
from scenario import Scenario


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18")
def test_locks(scenario: Scenario, project: Project) -> None:
    """No DDL statement holds a lock that is stronger than the plan says, or on another table."""
    locks.watch(project.database)
    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    while True:
        for step in rollout.deploy.steps:
            rollouts.up(project, step)
            for table, mode in locks.taken(project.database).items():
                # A table that is only read is not named.
                claimed = step.locks.get(table, "ACCESS SHARE")
                assert locks.rank(mode) <= locks.rank(claimed), (
                    f"deploy {rollout.current}, {step.slug}: {mode} on {table}, "
                    f"and the plan says {claimed}"
                )
        if rollout.is_last:
            return
        miggen.release(project, rollout)
        rollout = miggen.following(project)
