"""The ids of a table, and the columns that point to them, from int to bigint."""

from dataclasses import replace

from scenario import Edit, Scenario, text
from scenarios.add_column import OLD, values
from scenarios.drop_column import code
from scenarios.models import alembic_leaving
from scenarios.rename_column import moment

# Alembic's int id is a serial one, and the plain change forgets how far its sequence counts.
USERS = "ALTER TABLE users ALTER COLUMN id TYPE bigint"
POSTS = "ALTER TABLE posts ALTER COLUMN author_id TYPE bigint"
POSTS_KEY = "ALTER TABLE posts ALTER COLUMN id TYPE bigint"


def wanted(table: str) -> dict[str, str]:
    change = f"ALTER TABLE {table} ALTER COLUMN id TYPE bigint"
    return {"postgres": f"{change}; ALTER SEQUENCE {table}_id_seq AS bigint"}


def alembic_key(table: str) -> Edit:
    name = f'    __tablename__ = "{table}"\n\n'
    line = "id: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True)"
    old = "    id: Mapped[int] = mapped_column(BigId, primary_key=True)\n"
    return Edit("models.py", name + old, f"{name}    {line}\n", (line,))


def django_key(file: str, model: str) -> Edit:
    line = "    id = models.BigAutoField(primary_key=True)\n"
    head = f"class {model}(models.Model):\n"
    return Edit(file, head, head + line, (f"+{line.rstrip()}",))


def alembic(leaving: tuple[Edit, Edit], change: Edit) -> tuple[tuple[Edit, ...], ...]:
    return leaving, (change,), tuple(Edit(edit.file, edit.new, edit.old) for edit in leaving)


AUTHOR = """    author_id: Mapped[int] = mapped_column(
        sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE")
    )
"""
BIG_AUTHOR = (
    "author_id: Mapped[int] = mapped_column(sa.BigInteger(), "
    'sa.ForeignKey("users.id", name="posts_author_id_fkey", ondelete="CASCADE"))'
)

SCENARIOS = [
    # With rows of another table that point to it.
    Scenario(
        name="type_of_key",
        table="users",
        sql={"postgres": USERS},
        old=replace(OLD, prepares=False),
        new=replace(OLD, prepares=False),
        values=values(),
        kept=("id", "email", "status"),
        int_ids=True,
        reference=wanted("users"),
        models={
            "alembic": alembic(
                alembic_leaving(
                    ("posts", "posts_author_id_fkey_new"),
                    ("users", "id_new"),
                    ("users", "users_pkey_new"),
                    ("users", "id_old"),
                ),
                alembic_key("users"),
            ),
            "django": ((), (django_key("accounts/models.py", "User"),)),
        },
    ),
    Scenario(
        name="type_of_both_ends",
        targets=("raw",),
        table="users",
        sql={"postgres": f"{POSTS}; {USERS}"},
        old=replace(OLD, prepares=False),
        new=replace(OLD, prepares=False),
        values=values(),
        kept=("id", "email", "status"),
        int_ids=True,
    ),
    Scenario(
        name="type_of_key_alone",
        targets=("raw", "alembic", "django"),
        table="posts",
        sql={"postgres": POSTS_KEY},
        old=replace(code("title", "created"), prepares=False),
        new=replace(code("title", "created"), prepares=False),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "created", "title"),
        int_ids=True,
        reference=wanted("posts"),
        models={
            "alembic": alembic(
                alembic_leaving(
                    ("posts", "id_new"), ("posts", "posts_pkey_new"), ("posts", "id_old")
                ),
                alembic_key("posts"),
            ),
            "django": ((), (django_key("blog/models.py", "Post"),)),
        },
    ),
    Scenario(
        name="type_of_foreign_key",
        targets=("raw", "alembic", "django"),
        table="posts",
        sql={"postgres": POSTS},
        old=replace(code("title", "created"), prepares=False),
        new=replace(code("title", "created"), prepares=False),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "created", "title"),
        int_ids=True,
        models={
            "alembic": alembic(
                alembic_leaving(
                    ("posts", "author_id_new"),
                    ("posts", "posts_author_id_fkey_new"),
                    ("posts", "author_id_old"),
                ),
                Edit("models.py", AUTHOR, f"    {BIG_AUTHOR}\n", (BIG_AUTHOR,)),
            ),
        },
    ),
]
