"""Dropped, and kept in a table beside: the way back brings the values too."""

from dataclasses import replace

from scenario import Edit
from scenarios import drop_column, drop_table
from scenarios.models import ENV_CONFIGURE

METADATA = "target_metadata = Base.metadata\n"


def leaving(shown: str) -> tuple[Edit, Edit]:
    lines = f"""LEAVING = {{{shown}}}


def include_object(obj, name, type_, reflected, compare_to):
    key = name if type_ == "table" else (obj.table.name, name)
    return key not in LEAVING
"""
    option = "            include_object=include_object,\n"
    told = tuple(line for line in lines.splitlines() if line)
    return (
        Edit("migrations/env.py", METADATA, f"{METADATA}{lines}", told),
        Edit("migrations/env.py", ENV_CONFIGURE, ENV_CONFIGURE + option),
    )


COLUMN, TABLE = drop_column.SCENARIOS[0], drop_table.SCENARIOS[0]
TITLE = '"posts_title_archive", ("posts", "title")'

SCENARIOS = [
    replace(
        COLUMN,
        name="drop_column_archive",
        targets=("raw", "alembic", "django"),
        restored=("title",),
        options=("--archive",),
        reference={
            "postgres": "ALTER TABLE posts DROP COLUMN title;"
            "CREATE TABLE posts_title_archive (id bigint PRIMARY KEY, title text)",
            "sqlite": "ALTER TABLE posts DROP COLUMN title;"
            "CREATE TABLE posts_title_archive (id INTEGER NOT NULL PRIMARY KEY, title TEXT)",
        },
        models={
            "alembic": (
                (COLUMN.models["alembic"][0][0], *leaving(TITLE)),
                (),
            ),
            "django": COLUMN.models["django"],
        },
    ),
    replace(
        TABLE,
        name="drop_table_archive",
        options=("--archive",),
        targets=("raw", "sqlx"),
        reference={
            "postgres": "ALTER TABLE posts DROP CONSTRAINT posts_author_id_fkey;"
            "ALTER TABLE posts RENAME TO posts_archive",
            "sqlite": "DROP INDEX posts_created_idx; DROP TABLE posts;"
            "CREATE TABLE posts_archive (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL,"
            " title TEXT NOT NULL, created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        },
        models={
            "alembic": (
                (TABLE.models["alembic"][0][0], *leaving('"posts_archive", "posts"')),
                (),
            ),
        },
    ),
]
