"""Every kind of change, in every target, on every server: what miggen wrote does what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest

import consumers
import dumps
import miggen
import rollouts
from projects import Project
from scenario import Scenario
from writers import Traffic


def test_steps(scenario: Scenario, project: Project, tmp_path: Path) -> None:
    """Each step goes up, back and up again, and the whole arrives where the naive change would."""
    reference = project.database.copy()
    reference.script("DELETE FROM posts; DELETE FROM users")
    reference.script(scenario.wanted(project.server.id))
    copy = miggen.fresh_copy(project, tmp_path)

    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    consumers.check(project, rollout)
    again = miggen.plan(copy, scenario.change(project.server.id), *scenario.options)
    assert again.answer == rollout.answer
    miggen.assert_same_files(project.root, copy.root)

    rollouts.check_steps(project, scenario, rollout)
    rollouts.check_rows(project, scenario.in_step, "not in step after deploy 1")
    rollouts.check_drift(project, scenario, rollout)
    while not rollout.is_last:
        miggen.release(project, rollout)
        rollout = miggen.following(project)
        consumers.check(project, rollout)
        rollouts.check_steps(project, scenario, rollout)
        rollouts.check_drift(project, scenario, rollout)

    rollouts.check_rows(project, scenario.at_end, "wrong at the end")
    hidden = project.target.bookkeeping
    dumps.assert_same(
        dumps.shape(reference, hidden),
        dumps.shape(project.database, hidden),
        "the rollout does not arrive where the change leads",
        ("wanted", "is"),
    )
    reference.drop()


@pytest.mark.two_releases
def test_writers(
    scenario: Scenario, project: Project, record_property: Callable[[str, int], None]
) -> None:
    """Old and new code write throughout, and lose nothing: no failed statement, no lost value."""
    rollout = miggen.plan(project, scenario.change(project.server.id), *scenario.options)
    traffic = Traffic(project.database, scenario.values, scenario.settle)
    traffic.ledger.fill(project.database, scenario.old)

    def take_steps() -> None:
        for step in rollout.deploy.steps:
            rollouts.up_beside_writers(project, step)
            traffic.wait()
            traffic.assert_no_failures()

    traffic.start("old", scenario.old)
    try:
        traffic.wait()
        take_steps()
        traffic.start("new", scenario.new)
        traffic.wait(100)
        traffic.stop_all()
        rollouts.check_rows(project, scenario.in_step, "not in step after deploy 1")
        traffic.assert_kept(scenario.old)
        traffic.assert_kept(scenario.new)
        if not rollout.is_last:
            traffic.start("newer", scenario.new)
        while not rollout.is_last:
            miggen.release(project, rollout)
            rollout = miggen.following(project)
            take_steps()
            traffic.wait(100)
    finally:
        traffic.stop_all()
    traffic.assert_no_failures()
    traffic.assert_kept(scenario.new)
    rollouts.check_rows(project, scenario.at_end, "wrong at the end")
    for name, value in traffic.report().items():
        record_property(name, value)
