"""Every scenario, by its name."""

from scenario import Scenario
from scenarios import (
    add_column,
    backfill,
    column,
    combined,
    constraint,
    create_index,
    drop_column,
    rename_column,
    replace,
    rows,
)

ALL: dict[str, Scenario] = {
    scenario.name: scenario
    for module in (
        add_column,
        create_index,
        rename_column,
        replace,
        drop_column,
        column,
        constraint,
        backfill,
        rows,
        combined,
    )
    for scenario in module.SCENARIOS
}
