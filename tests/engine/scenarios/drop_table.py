"""posts goes: the tables its keys point to are in use all the time."""

from pathlib import Path

from scenario import Edit, Scenario
from scenarios.add_column import OLD as USERS
from scenarios.add_column import values
from writers import Code

REPOS = Path(__file__).parents[1] / "repos"

OLD = Code(
    read=USERS.read,
    writes=(
        *USERS.writes,
        "INSERT INTO posts (author_id, title) VALUES (1, :email)",
        "UPDATE posts SET title = 'again' WHERE id = :id",
    ),
)


def without(file: str, begin: str, end: str, told: str) -> Edit:
    """A class taken out of its file."""
    text = (REPOS / file).read_text()
    old = text[text.index(begin) : text.index(end) + len(end)]
    return Edit(file.split("/", 1)[1], old, "", (told,))


TABLE = '    __tablename__ = "posts"'
INDEX = '    __table_args__ = (sa.Index("posts_created_idx", "created"),)\n'
METADATA = "target_metadata = Base.metadata\n"
LEAVING = """LEAVING = {"posts"}


def include_object(obj, name, type_, reflected, compare_to):
    return type_ != "table" or name not in LEAVING
"""
CONFIGURE = """            connection=connection,
            target_metadata=target_metadata,
"""
HIDDEN = (
    Edit("migrations/env.py", METADATA, f"{METADATA}{LEAVING}", ('+LEAVING = {"posts"}',)),
    Edit(
        "migrations/env.py", CONFIGURE, f"{CONFIGURE}            include_object=include_object,\n"
    ),
)

SCENARIOS = [
    Scenario(
        name="drop_table",
        table="users",
        sql="DROP TABLE posts",
        old=OLD,
        new=USERS,
        values=values(),
        kept=("id", "email", "status"),
        models={
            "alembic": (
                (without("alembic/models.py", "class Post(", INDEX, f"-{TABLE}"), *HIDDEN),
                tuple(Edit(edit.file, edit.new, edit.old) for edit in HIDDEN),
            ),
            "django": (
                (
                    without(
                        "django/blog/models.py",
                        "class Post(",
                        'name="posts_created_idx")]\n',
                        "-class Post(models.Model):",
                    ),
                ),
            ),
        },
    ),
]
