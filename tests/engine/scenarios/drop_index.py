"""An index that nobody needs any more goes, on a table that is written to all the time."""

from scenario import Edit, Scenario
from scenarios.create_table import OLD, text

ALEMBIC = 'sa.Index("posts_created_idx", "created")'
DJANGO = 'models.Index(fields=["created"], name="posts_created_idx")'

SCENARIOS = [
    Scenario(
        name="drop_index",
        table="posts",
        sql="DROP INDEX posts_created_idx",
        old=OLD,
        new=OLD,
        values={"title": text("title")},
        kept=("id", "author_id", "title", "created"),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        f"\n    __table_args__ = ({ALEMBIC},)\n",
                        "",
                        (f"-        {ALEMBIC},",),
                    ),
                ),
            ),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        f"        indexes = [{DJANGO}]\n",
                        "",
                        (f"-            {DJANGO},",),
                    ),
                ),
            ),
        },
    ),
]
