"""New columns that number or compute themselves, or are computed by one UPDATE."""

from dataclasses import replace

from scenario import Scenario, email
from scenarios.add_column import OLD, models, values
from scenarios.models import alembic_column, django_field, told
from writers import Code

NUMBERED = Scenario(
    name="add_column_identity",
    table="users",
    sql={"postgres": "ALTER TABLE users ADD COLUMN no bigint GENERATED ALWAYS AS IDENTITY"},
    old=OLD,
    new=OLD,
    values=values(),
    kept=("id", "email", "status"),
    in_step="SELECT no FROM users GROUP BY no HAVING count(*) > 1 OR no IS NULL",
    at_end="SELECT no FROM users GROUP BY no HAVING count(*) > 1",
    models=models(
        "users", "no: Mapped[int] = mapped_column(sa.BigInteger(), sa.Identity(always=True))"
    ),
)


def both(row):
    """Whatever old code wrote, the rollout keeps the new columns in step with it."""
    return {**row, "low": row["email"].lower(), "up": row["email"].upper()}


LOW = "low: Mapped[str | None] = mapped_column(sa.Text())"
UP = "up: Mapped[str] = mapped_column(sa.Text())"
UP_NULL = "up: Mapped[str | None] = mapped_column(sa.Text())"
DJANGO_LOW = "low = models.TextField(null=True)"
DJANGO_UP = "up = models.TextField()"
DJANGO_UP_NULL = "up = models.TextField(null=True)"
DIFFER = (
    "SELECT id FROM users "
    "WHERE low IS DISTINCT FROM lower(email) OR up IS DISTINCT FROM upper(email)"
)

# One trigger and one walk through the rows for both.
TOGETHER = Scenario(
    name="add_columns_together",
    table="users",
    sql="ALTER TABLE users ADD COLUMN low text;\n"
    "ALTER TABLE users ADD COLUMN up text NOT NULL;\n"
    "UPDATE users SET low = lower(email), up = upper(email);\n",
    old=OLD,
    new=Code(
        read="SELECT email, status, low, up FROM users WHERE id = :id",
        writes=(
            "UPDATE users SET email = :email, low = :low, up = :up WHERE id = :id",
            "UPDATE users SET status = :status WHERE id = :id",
            "INSERT INTO users (email, low, up) VALUES (:email, :low, :up) RETURNING id",
            "DELETE FROM users WHERE id = :id",
        ),
    ),
    values=values(
        low=lambda writer, n: email()(writer, n).lower(),
        up=lambda writer, n: email()(writer, n).upper(),
    ),
    kept=("id", "email", "status"),
    settle=both,
    in_step=DIFFER,
    at_end=DIFFER,
    models={
        "alembic-postgres": (
            (alembic_column("users", f"{LOW}\n    {UP}")._replace(told=(LOW, UP)),),
        ),
        "alembic-sqlite": (
            (alembic_column("users", f"{LOW}\n    {UP_NULL}")._replace(told=(LOW, UP_NULL)),),
            (told("models.py", UP_NULL, UP),),
        ),
        "django-postgres": (
            (
                django_field("users", f"{DJANGO_LOW}\n    {DJANGO_UP}")._replace(
                    told=(DJANGO_LOW, DJANGO_UP)
                ),
            ),
        ),
        "django-sqlite": (
            (
                django_field("users", f"{DJANGO_LOW}\n    {DJANGO_UP_NULL}")._replace(
                    told=(DJANGO_LOW, DJANGO_UP_NULL)
                ),
            ),
            (told("accounts/models.py", DJANGO_UP_NULL, DJANGO_UP),),
        ),
    },
)

EMAIL = "author_email: Mapped[str | None] = mapped_column(sa.Text())"

# No trigger could follow another table: deploy 2 fills it, once all code gives it.
FROM_ANOTHER = Scenario(
    name="add_column_from_another",
    table="users",
    sql="ALTER TABLE posts ADD COLUMN author_email text;\n"
    "UPDATE posts SET author_email = "
    "(SELECT u.email FROM users u WHERE u.id = posts.author_id);\n",
    old=OLD,
    new=OLD,
    values=values(),
    kept=("id", "email", "status"),
    at_end="SELECT posts.id FROM posts JOIN users ON users.id = author_id "
    "WHERE author_email IS NULL",
    models=models("posts", EMAIL, "author_email = models.TextField(null=True)"),
)

SCENARIOS = [
    NUMBERED,
    FROM_ANOTHER,
    TOGETHER,
    replace(
        NUMBERED,
        name="add_column_serial",
        sql={"postgres": "ALTER TABLE users ADD COLUMN no serial UNIQUE"},
        targets=("raw", "alembic"),
        models=models(
            "users",
            "no: Mapped[int] = mapped_column(sa.Integer(), "
            """server_default=sa.text("nextval('users_no_seq'::regclass)"), """
            "unique=True)",
        ),
    ),
    Scenario(
        name="add_column_generated",
        table="users",
        sql={
            "sqlite": "ALTER TABLE users ADD COLUMN low text GENERATED ALWAYS AS "
            "(lower(email)) STORED",
            "pg18": "ALTER TABLE users ADD COLUMN low text GENERATED ALWAYS AS "
            "(lower(email)) VIRTUAL",
        },
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT id FROM users WHERE low <> lower(email) OR low IS NULL",
        targets=("raw", "alembic"),
        models=models(
            "users",
            "low: Mapped[str | None] = mapped_column(sa.Text(), "
            'sa.Computed("lower(email)", persisted=True))',
        ),
    ),
]
