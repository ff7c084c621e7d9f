"""A column that nobody needs any more: new code stops naming it before it goes."""

from scenario import Edit, Edits, Scenario, fill, text
from scenarios.models import alembic_leaving
from scenarios.rename_column import DJANGO_INDEX, INDEX, OLD_COLUMN, moment
from writers import Code

TITLE = "    title: Mapped[str] = mapped_column(sa.Text)\n"
TITLE_TOLD = "title: Mapped[str] = mapped_column({})"


def code(*columns: str) -> Code:
    names = ", ".join(("author_id", *columns))
    values = ", ".join(("1", *(f":{column}" for column in columns)))
    return Code(
        read=f"SELECT {names} FROM posts WHERE id = :id",
        writes=(
            *(f"UPDATE posts SET {column} = :{column} WHERE id = :id" for column in columns),
            f"INSERT INTO posts ({names}) VALUES ({values}) RETURNING id",
            "DELETE FROM posts WHERE id = :id",
        ),
    )


def gone(line: str, told: str, leaving: tuple[Edit, ...], *more: Edit) -> tuple[Edits, ...]:
    """The model without the column from deploy 1 on; nothing to overlook after deploy 2."""
    back = tuple(Edit(edit.file, edit.new, edit.old) for edit in leaving)
    return ((Edit("models.py", line, "", (told,)), *more, *leaving), back)


LEAVING_CREATED = alembic_leaving(("posts", "created"), ("posts", "posts_created_idx"))

SCENARIOS = [
    # Required and without a default: it becomes optional before new code comes.
    Scenario(
        name="drop_column_required",
        table="posts",
        sql="ALTER TABLE posts DROP COLUMN title",
        old=code("title", "created"),
        new=code("created"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "created"),
        settle=fill(title=None),
        models={
            "alembic": gone(
                TITLE,
                TITLE_TOLD.format("sa.Text()"),
                alembic_leaving(("posts", "title")),
            ),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        "    title = models.TextField()\n",
                        "",
                        ("-    title = models.TextField()",),
                    ),
                ),
            ),
        },
    ),
    Scenario(
        name="drop_column_indexed",
        table="posts",
        sql="ALTER TABLE posts DROP COLUMN created",
        old=code("title", "created"),
        new=code("title"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "title"),
        reference={"sqlite": "DROP INDEX posts_created_idx; ALTER TABLE posts DROP COLUMN created"},
        models={
            "alembic": gone(
                OLD_COLUMN,
                "-    created: Mapped[datetime] = mapped_column(",
                LEAVING_CREATED,
                Edit(
                    "models.py",
                    f"\n    __table_args__ = ({INDEX},)\n",
                    "",
                    (f"-        {INDEX},",),
                ),
            ),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        "    created = models.DateTimeField(db_default=Now())\n",
                        "",
                    ),
                    Edit(
                        "blog/models.py",
                        f"        indexes = [{DJANGO_INDEX}]\n",
                        "",
                        (f"-            {DJANGO_INDEX},",),
                    ),
                ),
            ),
        },
    ),
]
