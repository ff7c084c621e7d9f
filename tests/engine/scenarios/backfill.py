"""An UPDATE of a whole table, as somebody wrote it: it becomes small batches."""

from scenario import Scenario
from scenarios.add_column import OLD, values

SCENARIOS = [
    Scenario(
        name="backfill",
        table="users",
        sql="UPDATE users SET status = 'active' WHERE status IS NULL",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email"),
        settle=lambda row: {**row, "status": row["status"] or "active"},
        at_end="SELECT id FROM users WHERE status IS NULL",
    ),
]
