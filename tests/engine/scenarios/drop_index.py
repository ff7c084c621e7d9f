"""An index that nobody needs any more goes, on a table that is written to all the time."""

from scenario import Edit, Scenario
from scenarios.create_table import OLD, text
from scenarios.models import told

ALEMBIC = 'sa.Index("posts_created_idx", "created")'
ALEMBIC_BOTH = ALEMBIC.replace('"created"', '"created", "author_id"')
DJANGO = 'models.Index(fields=["created"], name="posts_created_idx")'
DJANGO_BOTH = DJANGO.replace('"created"', '"created", "author"')

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
    # Another takes its place, and in the end its name.
    Scenario(
        name="replace_index",
        table="posts",
        sql={
            "postgres": "DROP INDEX posts_created_idx;\n"
            "CREATE INDEX posts_created_idx ON posts (created, author_id);\n"
        },
        old=OLD,
        new=OLD,
        values={"title": text("title")},
        kept=("id", "author_id", "title", "created"),
        models={
            "alembic": ((told("models.py", ALEMBIC, ALEMBIC_BOTH),),),
            "django": ((told("blog/models.py", DJANGO, DJANGO_BOTH),),),
        },
    ),
]
