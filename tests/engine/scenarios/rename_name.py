"""Indexes and constraints that get another name; no code says it."""

from scenario import Edit, Scenario
from scenarios.create_table import OLD, text
from scenarios.drop_index import ALEMBIC, DJANGO


def renamed(file: str, indent: str, argument: str) -> tuple[tuple[Edit, ...], ...]:
    new = argument.replace("posts_created_idx", "posts_by_age")
    told = (f"-{indent}{argument},", f"+{indent}{new},")
    return ((Edit(file, argument, new, told),),)


SCENARIOS = [
    Scenario(
        name="rename_index",
        table="posts",
        sql={"postgres": "ALTER INDEX posts_created_idx RENAME TO posts_by_age"},
        old=OLD,
        new=OLD,
        values={"title": text("title")},
        kept=("id", "author_id", "title", "created"),
        models={
            "alembic": renamed("models.py", " " * 8, ALEMBIC),
            "django": renamed("blog/models.py", " " * 12, DJANGO),
        },
    ),
    Scenario(
        name="rename_constraint",
        table="posts",
        sql={"postgres": "ALTER TABLE posts RENAME CONSTRAINT posts_pkey TO posts_key"},
        old=OLD,
        new=OLD,
        values={"title": text("title")},
        kept=("id", "author_id", "title", "created"),
    ),
]
