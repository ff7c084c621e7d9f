"""A new column, with whatever may come with it. Old code does not know it, and goes on."""

from scenario import Edits, Scenario, email, fill, text
from scenarios.models import DJANGO_NOW, alembic_column, alembic_index, django_field
from writers import Code, Value

OLD = Code(
    read="SELECT email, status FROM users WHERE id = :id",
    writes=(
        "UPDATE users SET email = :email WHERE id = :id",
        "INSERT INTO users (email, status) VALUES (:email, :status) RETURNING id",
        "UPDATE users SET status = :status WHERE id = :id",
        "DELETE FROM users WHERE id = :id",
    ),
)


def new(column: str) -> Code:
    return Code(
        read=f"SELECT email, status, {column} FROM users WHERE id = :id",
        writes=(
            f"UPDATE users SET {column} = :{column} WHERE id = :id",
            f"INSERT INTO users (email, {column}) VALUES (:email, :{column}) RETURNING id",
            "UPDATE users SET status = :status WHERE id = :id",
            "INSERT INTO users (email) VALUES (:email) RETURNING id",
            "DELETE FROM users WHERE id = :id",
        ),
    )


def values(**more: Value) -> dict[str, Value]:
    return {"email": email(), "status": text("status"), **more}


def models(table: str, alembic: str, django: str | None = None) -> dict[str, tuple[Edits, ...]]:
    """The new column in both ORMs."""
    found: dict[str, tuple[Edits, ...]] = {"alembic": ((alembic_column(table, alembic),),)}
    if django:
        found["django"] = ((django_field(table, django),),)
    return found


SCENARIOS = [
    Scenario(
        name="add_column_not_null_default",
        table="users",
        sql="ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false",
        old=OLD,
        new=new("email_verified"),
        values=values(email_verified=lambda writer, n: n % 2 == 0),
        kept=("id", "email", "status"),
        settle=fill(email_verified=False),
        models=models(
            "users",
            "email_verified: Mapped[bool] = mapped_column("
            'sa.Boolean(), server_default=sa.text("false"))',
            "email_verified = models.BooleanField(default=False, db_default=False)",
        ),
    ),
    Scenario(
        name="add_column_nullable",
        table="users",
        sql="ALTER TABLE users ADD COLUMN nickname text",
        old=OLD,
        new=new("nickname"),
        values=values(nickname=text("nickname")),
        kept=("id", "email", "status"),
        settle=fill(nickname=None),
        models=models(
            "users",
            "nickname: Mapped[str | None] = mapped_column(sa.Text())",
            "nickname = models.TextField(null=True)",
        ),
    ),
    Scenario(
        name="add_column_volatile_default",
        table="users",
        sql={
            "postgres": "ALTER TABLE users ADD COLUMN token text NOT NULL "
            "DEFAULT md5(random()::text)",
        },
        old=OLD,
        new=new("token"),
        values=values(token=text("token")),
        kept=("id", "email", "status"),
        # One value for all rows would be the default of the moment, and not one for each.
        at_end="SELECT token FROM users GROUP BY token HAVING count(*) > 1",
        models=models(
            "users",
            "token: Mapped[str] = mapped_column("
            'sa.Text(), server_default=sa.text("md5(random()::text)"))',
        ),
    ),
    Scenario(
        name="add_column_current_timestamp",
        table="users",
        sql={
            "sqlite": "ALTER TABLE users ADD COLUMN joined datetime NOT NULL "
            "DEFAULT CURRENT_TIMESTAMP",
        },
        old=OLD,
        new=new("joined"),
        values=values(joined=lambda writer, n: f"2024-01-01 00:{n // 60 % 60:02}:{n % 60:02}"),
        kept=("id", "email", "status"),
        at_end="SELECT id FROM users WHERE joined IS NULL",
        models={
            "alembic": (
                (
                    alembic_column(
                        "users",
                        "joined: Mapped[datetime] = mapped_column(sa.DateTime(), "
                        'server_default=sa.text("CURRENT_TIMESTAMP"))',
                    ),
                ),
            ),
            "django": (
                (
                    django_field("users", "joined = models.DateTimeField(db_default=Now())"),
                    DJANGO_NOW,
                ),
            ),
        },
    ),
    Scenario(
        name="add_column_check",
        table="users",
        sql="ALTER TABLE users ADD COLUMN age integer CHECK (age >= 0)",
        old=OLD,
        new=new("age"),
        values=values(age=lambda writer, n: n),
        kept=("id", "email", "status"),
        settle=fill(age=None),
        models=models(
            "users",
            "age: Mapped[int | None] = mapped_column(sa.Integer())",
            "age = models.IntegerField(null=True)",
        ),
    ),
    Scenario(
        name="add_column_unique",
        table="users",
        sql="ALTER TABLE users ADD COLUMN handle text UNIQUE",
        old=OLD,
        new=new("handle"),
        values=values(handle=text("handle")),
        kept=("id", "email", "status"),
        settle=fill(handle=None),
        reference={
            "sqlite": "ALTER TABLE users ADD COLUMN handle text;"
            "CREATE UNIQUE INDEX users_handle_key ON users (handle)",
        },
        models=models(
            "users",
            "handle: Mapped[str | None] = mapped_column(sa.Text(), unique=True)",
            "handle = models.TextField(null=True, unique=True)",
        )
        | {
            # SQLite cannot add a constraint: an index does the same.
            "alembic-sqlite": (
                (
                    alembic_column(
                        "users", "handle: Mapped[str | None] = mapped_column(sa.Text())"
                    ),
                    alembic_index('sa.Index("users_handle_key", "handle", unique=True)'),
                ),
            ),
        },
    ),
    Scenario(
        name="add_column_references",
        table="posts",
        sql="ALTER TABLE posts ADD COLUMN editor_id bigint REFERENCES users (id)",
        old=Code(
            read="SELECT title, author_id FROM posts WHERE id = :id",
            writes=(
                "UPDATE posts SET title = :title WHERE id = :id",
                "INSERT INTO posts (author_id, title) VALUES (1, :title) RETURNING id",
                "DELETE FROM posts WHERE id = :id",
            ),
        ),
        new=Code(
            read="SELECT title, author_id, editor_id FROM posts WHERE id = :id",
            writes=(
                "UPDATE posts SET editor_id = :editor_id WHERE id = :id",
                "INSERT INTO posts (author_id, title, editor_id) "
                "VALUES (1, :title, :editor_id) RETURNING id",
            ),
        ),
        values={"title": text("title"), "editor_id": lambda writer, n: 1 + n % 100},
        kept=("id", "author_id", "title", "created"),
        settle=fill(editor_id=None),
        models=models(
            "posts",
            "editor_id: Mapped[int | None] = mapped_column(sa.BigInteger(), "
            'sa.ForeignKey("users.id"))',
            # Post has an author already: one of the two must not have the usual way back.
            "editor = models.ForeignKey("
            'to="accounts.user", on_delete=models.DO_NOTHING, db_index=False, related_name="+", '
            "null=True)",
        ),
    ),
]
