"""posts.created becomes created_at: both names work from deploy 1 until deploy 2."""

from datetime import datetime, timedelta, timezone

from scenario import Scenario, text
from servers import SqliteDatabase
from writers import Code


def moment(writer, n):
    """A point in time, as the server's driver takes it."""
    value = datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=n)
    if isinstance(writer.database, SqliteDatabase):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value


def code(created: str) -> Code:
    insert = f"INSERT INTO posts (author_id, title, {created})"
    return Code(
        read=f"SELECT title, {created} AS created FROM posts WHERE id = :id",
        writes=(
            f"UPDATE posts SET {created} = :created WHERE id = :id",
            "UPDATE posts SET title = :title WHERE id = :id",
            f"{insert} VALUES (1, :title, :created) RETURNING id",
            f"UPDATE posts SET title = :title, {created} = :created WHERE id = :id",
            "INSERT INTO posts (author_id, title) VALUES (1, :title) RETURNING id",
            "DELETE FROM posts WHERE id = :id",
        ),
    )


LEAVING = """
LEAVING = {("posts", "created"), ("posts", "posts_created_idx")}


def include_object(obj, name, type_, reflected, compare_to):
    return type_ == "table" or (obj.table.name, name) not in LEAVING
"""

SCENARIOS = [
    Scenario(
        name="rename_column",
        table="posts",
        sql="ALTER TABLE posts RENAME COLUMN created TO created_at",
        old=code("created"),
        new=code("created_at"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "title"),
        restored=("created",),
        in_step="SELECT id FROM posts WHERE created IS DISTINCT FROM created_at",
        models={
            "alembic": (
                (
                    ("models.py", "    created:", "    created_at:"),
                    (
                        "models.py",
                        '"posts_created_idx", "created"',
                        '"posts_created_idx", "created_at"',
                    ),
                ),
            ),
            "django": (
                (
                    ("blog/models.py", "    created =", "    created_at ="),
                    ("blog/models.py", 'fields=["created"]', 'fields=["created_at"]'),
                ),
            ),
        },
    ),
]
