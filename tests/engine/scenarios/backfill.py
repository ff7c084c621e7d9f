"""An UPDATE of a whole table, as somebody wrote it: it becomes small batches."""

from scenario import Scenario
from scenarios.add_column import OLD, values
from writers import Code, Row

WITH_ID = Code(read="SELECT id, email, status FROM users WHERE id = :id", writes=OLD.writes)


def partner(row: Row) -> Row:
    """Rows that were there may get the title of their post; what writers insert has a status."""
    title = f"title {row['id']}" if str(row.get("id", "")).endswith("7") else None
    return {**row, "status": row["status"] or title}


# A row that should have its partner's title and has not, or the other way round.
LEFT = """
    SELECT users.id FROM users LEFT JOIN posts p ON p.id = users.id
    WHERE users.status IS NULL AND p.title LIKE '%7'
        OR users.status LIKE 'title%' AND users.status = p.title
            AND p.title NOT LIKE '%7'
"""

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
    Scenario(
        name="backfill_subquery",
        targets=("raw", "alembic"),
        table="users",
        sql="UPDATE users SET status = (SELECT p.title FROM posts p WHERE p.id = users.id) "
        "WHERE status IS NULL AND id IN (SELECT posts.id FROM posts WHERE title LIKE '%7')",
        old=WITH_ID,
        new=WITH_ID,
        values=values(),
        kept=("id", "email"),
        settle=partner,
        at_end=LEFT,
    ),
    Scenario(
        name="backfill_join",
        targets=("raw", "alembic"),
        table="users",
        sql="UPDATE users AS u SET status = p.title FROM posts p "
        "WHERE p.id = u.id AND u.status IS NULL AND title LIKE '%7'",
        old=WITH_ID,
        new=WITH_ID,
        values=values(),
        kept=("id", "email"),
        settle=partner,
        at_end=LEFT,
    ),
]
