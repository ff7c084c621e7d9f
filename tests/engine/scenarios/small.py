"""Changes of large tables again, on tables that `--rows` says are small: a transaction a deploy."""

from dataclasses import replace

from scenario import Scenario
from scenarios import column, combined, rename_column
from scenarios import replace as split


def small(scenario: Scenario) -> Scenario:
    return replace(
        scenario,
        name=f"{scenario.name}_small",
        sql={"postgres": scenario.change("pg15")},
        options=("--rows=users=5K", "--rows=posts=5K"),
        targets=("raw", "alembic", "django"),
    )


def named(scenarios: list[Scenario], name: str) -> Scenario:
    return next(scenario for scenario in scenarios if scenario.name == name)


SCENARIOS = [
    small(combined.SCENARIOS[0]),
    small(rename_column.SCENARIOS[0]),
    small(split.SCENARIOS[0]),
    small(named(column.SCENARIOS, "change_type")),
]
