"""Every scenario, by its name."""

from scenario import Scenario
from scenarios import (
    add_column,
    archive,
    backfill,
    column,
    combined,
    comment,
    computed,
    constraint,
    create_index,
    create_table,
    drop_column,
    drop_index,
    drop_table,
    flag,
    keys,
    rename_column,
    rename_name,
    rename_table,
    replace,
    rows,
    small,
)

MODULES = (
    add_column,
    computed,
    flag,
    create_index,
    rename_column,
    replace,
    drop_column,
    column,
    keys,
    constraint,
    backfill,
    rows,
    combined,
    create_table,
    drop_index,
    comment,
    rename_name,
    rename_table,
    drop_table,
    archive,
    small,
)

ALL: dict[str, Scenario] = {
    scenario.name: scenario for module in MODULES for scenario in module.SCENARIOS
}

# Between them they have every mechanism a step may need: their writers go through all frameworks.
EVERY_MECHANISM = {
    "add_column_not_null_default",
    "add_column_volatile_default",
    "add_column_current_timestamp",
    "create_index_unique",
    "rename_column",
    "backfill",
    "combined",
    "change_type",
    "split",
}
assert EVERY_MECHANISM.issubset(ALL)
