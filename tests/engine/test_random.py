"""Whatever the schema, whatever the change: a plan that arrives where it leads, or a refusal.

Each case has a number, which its test's id ends with. `RANDOM_ROUNDS=100` adds as many to each.
"""

import os

import pytest

import hard
import randoms
from hard import Lay, planned
from projects import Project

ROUNDS = {"pg15": 25, "sqlite": 15}
MORE = int(os.environ.get("RANDOM_ROUNDS", "0"))
SEEDS = [(server, seed) for server, n in ROUNDS.items() for seed in range(1, n + MORE + 1)]


@pytest.mark.parametrize(
    ("lay", "seed"), SEEDS, ids=[f"{server}-{seed}" for server, seed in SEEDS], indirect=["lay"]
)
def test_random(lay: Lay, seed: int) -> None:
    project, case = drawn(lay, seed)
    rollout = planned(project, "change.sql", *case.options)
    if rollout is not None:
        hard.walk(project, rollout, case.naive, case.writes_rows)


@pytest.mark.parametrize("lay", ROUNDS, indirect=True)
def test_most_are_planned(lay: Lay, request: pytest.FixtureRequest) -> None:
    """A refusal is an answer, but not to most of what people ask."""
    server = request.node.callspec.params["lay"]
    total = ROUNDS[server]
    cases = [drawn(lay, seed) for seed in range(1, total + 1)]
    plans = sum(planned(p, "change.sql", *case.options) is not None for p, case in cases)
    print(f"{server}: {plans} of {total} planned")
    assert plans * 2 >= total


def drawn(lay: Lay, seed: int) -> tuple[Project, randoms.Case]:
    project = lay("")
    case = randoms.draw(seed, project.dialect)
    for file in ("schema.sql", "migrations/001_initial.up.sql"):
        (project.root / file).write_text(case.schema)
    (project.root / "change.sql").write_text(case.change)
    project.database.script(case.schema)
    project.database.script(case.rows)
    return project, case
