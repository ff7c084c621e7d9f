"""posts.created becomes created_at: both names work from deploy 1 until deploy 2."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from scenario import Edit, Scenario, text
from scenarios.models import alembic_leaving
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


DJANGO_OLD = "    created = models.DateTimeField(db_default=Now())\n"
DJANGO_NEW = "created_at = models.DateTimeField(db_default=Now())"
DJANGO_OPTIONAL = "created_at = models.DateTimeField(db_default=Now(), null=True)"
OLD_COLUMN = """    created: Mapped[datetime] = mapped_column(
        sa.DateTime(timezone=True), server_default=sa.func.now()
    )
"""
NEW_COLUMN = (
    "created_at: Mapped[datetime] = mapped_column("
    'sa.DateTime(timezone=True), server_default=sa.text("now()"))'
)
OPTIONAL = NEW_COLUMN.replace("[datetime]", "[datetime | None]")
NEW_COLUMN_SQLITE = (
    "created_at: Mapped[datetime{}] = mapped_column(sa.DateTime(), "
    'server_default=sa.text("CURRENT_TIMESTAMP"))'
)
INDEX = 'sa.Index("posts_created_idx", "created")'
NEW_INDEX = 'sa.Index("posts_created_idx", "created_at")'
DJANGO_INDEX = 'models.Index(fields=["created"], name="posts_created_idx")'
NEW_DJANGO_INDEX = DJANGO_INDEX.replace("created", "created_at", 1)
LEAVING = alembic_leaving(
    ("posts", "created"), ("posts", "posts_created_idx"), ("posts", "posts_created_idx_copy")
)
GONE = tuple(Edit(edit.file, edit.new, edit.old) for edit in LEAVING)


def column(old: str, new: str) -> Edit:
    return Edit("models.py", old, f"    {new}\n", (new,))


RENAME = Scenario(
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
        "alembic-postgres": (
            (
                column(OLD_COLUMN, NEW_COLUMN),
                Edit("models.py", INDEX, NEW_INDEX, (NEW_INDEX,)),
                *LEAVING,
            ),
            GONE,
        ),
        "alembic-sqlite": (
            (
                column(OLD_COLUMN, NEW_COLUMN_SQLITE.format(" | None")),
                Edit("models.py", INDEX, NEW_INDEX, (NEW_INDEX,)),
                *LEAVING,
            ),
            (
                Edit(
                    "models.py",
                    NEW_COLUMN_SQLITE.format(" | None"),
                    NEW_COLUMN_SQLITE.format(""),
                    (NEW_COLUMN_SQLITE.format(""),),
                ),
                *GONE,
            ),
        ),
        "django": (
            (
                Edit("blog/models.py", "    created =", "    created_at ="),
                Edit("blog/models.py", DJANGO_INDEX, NEW_DJANGO_INDEX, (NEW_DJANGO_INDEX,)),
            ),
        ),
    },
)

SCENARIOS = [
    RENAME,
    # Two locks on one table: the first is as strong as any.
    replace(
        RENAME,
        name="rename_column_commented",
        sql={
            "postgres": f"{RENAME.change('pg15')};\n"
            "COMMENT ON COLUMN posts.created_at IS 'when it was written'"
        },
        targets=("raw",),
    ),
    replace(
        RENAME,
        name="rename_column_app",
        sql={"postgres": RENAME.change("pg15")},
        new=None,
        in_step=None,
        options=("--dual-write=app",),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        OLD_COLUMN,
                        f"{OLD_COLUMN}    {OPTIONAL}\n",
                        (OPTIONAL,),
                    ),
                    *alembic_leaving(
                        ("posts", "created"),
                        ("posts", "posts_created_idx"),
                        ("posts", "posts_created_idx_new"),
                    ),
                ),
                (Edit("models.py", OPTIONAL, NEW_COLUMN, (NEW_COLUMN,)),),
                (
                    Edit("models.py", OLD_COLUMN, ""),
                    Edit("models.py", INDEX, NEW_INDEX, (NEW_INDEX,)),
                ),
            ),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        DJANGO_OLD,
                        f"{DJANGO_OLD}    {DJANGO_OPTIONAL}\n",
                        (DJANGO_OPTIONAL,),
                    ),
                ),
                (Edit("blog/models.py", DJANGO_OPTIONAL, DJANGO_NEW, (DJANGO_NEW,)),),
                (
                    Edit("blog/models.py", DJANGO_OLD, ""),
                    Edit("blog/models.py", DJANGO_INDEX, NEW_DJANGO_INDEX, (NEW_DJANGO_INDEX,)),
                ),
            ),
        },
    ),
]
