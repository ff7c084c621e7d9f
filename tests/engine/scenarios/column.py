"""What may become of a column that is there: required, optional, with another default."""

from dataclasses import replace

from scenario import Edit, Scenario, fill, text
from scenarios.add_column import OLD, values
from scenarios.drop_column import code
from scenarios.models import alembic_leaving
from scenarios.rename_column import moment
from writers import Code

STATUS = "    status: Mapped[str | None] = mapped_column(sa.Text)\n"
STATUS_REQUIRED = "status: Mapped[str] = mapped_column(sa.Text())"
DJANGO_STATUS = "    status = models.TextField(null=True)\n"
DJANGO_DEFAULT = 'status = models.TextField(null=True, default="new", db_default="new")'
TITLE = "    title: Mapped[str] = mapped_column(sa.Text)\n"
TITLE_VARCHAR = "title: Mapped[str] = mapped_column(sa.String(300))"
TITLE_OPTIONAL = "title: Mapped[str | None] = mapped_column(sa.Text())"

# Old code may leave the status out; new code does not.
WITHOUT_STATUS = Code(
    read=OLD.read,
    writes=(
        *OLD.writes,
        "INSERT INTO users (email) VALUES (:email) RETURNING id",
    ),
)
required_alembic = (Edit("models.py", STATUS, f"    {STATUS_REQUIRED}\n", (STATUS_REQUIRED,)),)
required_django = (
    Edit(
        "accounts/models.py",
        DJANGO_STATUS,
        "    status = models.TextField()\n",
        ("+    status = models.TextField()",),
    ),
)


def edited(table: str, *pairs: tuple[str, str]) -> str:
    """SQL that edits CREATE TABLE in place: SQLite cannot run the naive change.

    The pairs are for what each framework wrote; those of the others find nothing.
    """
    sql = "sql"
    for old, new in pairs:
        sql = "replace({}, '{}', '{}')".format(
            sql, *(part.replace("'", "''") for part in (old, new))
        )
    return (
        f"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = {sql} WHERE name = '{table}';"
        "PRAGMA writable_schema = RESET"
    )


varchar_alembic = Edit("models.py", TITLE, f"    {TITLE_VARCHAR}\n", (TITLE_VARCHAR,))
varchar_django = Edit(
    "blog/models.py",
    "    title = models.TextField()\n",
    "    title = models.CharField(max_length=300)\n",
    ("+    title = models.CharField(max_length=300)",),
)
LEAVING = alembic_leaving(("posts", "title_new"), ("posts", "title_old"))
GONE = tuple(Edit(edit.file, edit.new, edit.old) for edit in LEAVING)

SCENARIOS = [
    Scenario(
        name="require",
        table="users",
        sql="UPDATE users SET status = 'new' WHERE status IS NULL;"
        "ALTER TABLE users ALTER COLUMN status SET NOT NULL",
        old=WITHOUT_STATUS,
        new=OLD,
        values=values(),
        kept=("id", "email"),
        settle=lambda row: {**row, "status": row.get("status") or "new"},
        at_end="SELECT id FROM users WHERE status IS NULL",
        models={
            "alembic-postgres": (required_alembic,),
            "alembic-sqlite": ((), required_alembic),
            "django-postgres": (required_django,),
            "django-sqlite": ((), required_django),
        },
        reference={
            "sqlite": edited(
                "users",
                ("status TEXT", "status TEXT NOT NULL"),
                ('"status" text NULL', '"status" text NOT NULL'),
            )
        },
    ),
    Scenario(
        name="relax",
        table="posts",
        sql="ALTER TABLE posts ALTER COLUMN title DROP NOT NULL",
        old=code("title", "created"),
        new=Code(
            read="SELECT author_id, title, created FROM posts WHERE id = :id",
            writes=(
                "INSERT INTO posts (author_id, created) VALUES (1, :created) RETURNING id",
                "DELETE FROM posts WHERE id = :id",
            ),
        ),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "created", "title"),
        models={
            "alembic": ((Edit("models.py", TITLE, f"    {TITLE_OPTIONAL}\n", (TITLE_OPTIONAL,)),),),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        "    title = models.TextField()\n",
                        "    title = models.TextField(null=True)\n",
                        ("+    title = models.TextField(null=True)",),
                    ),
                ),
            ),
        },
        settle=fill(title=None),
        reference={
            "sqlite": edited(
                "posts",
                ("title TEXT NOT NULL", "title TEXT"),
                ('"title" text NOT NULL', '"title" text'),
            )
        },
    ),
    Scenario(
        name="set_default",
        table="users",
        sql="ALTER TABLE users ALTER COLUMN status SET DEFAULT 'new'",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        reference={
            "sqlite": edited(
                "users",
                ("status TEXT", "status TEXT DEFAULT 'new'"),
                ('"status" text', "\"status\" text DEFAULT 'new'"),
            )
        },
        models={
            "django": (
                (
                    Edit(
                        "accounts/models.py",
                        DJANGO_STATUS,
                        f"    {DJANGO_DEFAULT}\n",
                        (f"+    {DJANGO_DEFAULT}",),
                    ),
                ),
            ),
        },
    ),
    # Of two types for a while: all code writes one name, and another column follows.
    Scenario(
        name="change_type",
        table="posts",
        sql="ALTER TABLE posts ALTER COLUMN title TYPE varchar(300)",
        old=replace(code("title", "created"), prepares=False),
        new=replace(code("title", "created"), prepares=False),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "created", "title"),
        models={
            "alembic-postgres": (LEAVING, (varchar_alembic,), GONE),
            "alembic-sqlite": ((varchar_alembic,),),
            "django-postgres": ((), (varchar_django,)),
            "django-sqlite": ((varchar_django,),),
        },
        reference={
            "sqlite": edited(
                "posts",
                ("title TEXT", "title varchar(300)"),
                ('"title" text', '"title" varchar(300)'),
            )
        },
    ),
    # Old code leaves the time to the server; new code gives it.
    Scenario(
        name="drop_default",
        table="posts",
        sql="ALTER TABLE posts ALTER COLUMN created DROP DEFAULT",
        old=code("title"),
        new=code("title", "created"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "title", "created"),
        reference={
            "sqlite": edited(
                "posts",
                (" DEFAULT CURRENT_TIMESTAMP", ""),
                (" DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))", ""),
            )
        },
        models={
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        "    created = models.DateTimeField(db_default=Now())\n",
                        "    created = models.DateTimeField()\n",
                        ("+    created = models.DateTimeField()",),
                    ),
                ),
            ),
        },
    ),
]
