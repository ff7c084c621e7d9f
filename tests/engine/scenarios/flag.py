"""A new column with a default, and rows that are to have another value or default than that."""

from scenario import Edits, Scenario, fill
from scenarios.add_column import OLD as ADD_OLD
from scenarios.add_column import models as models_of
from scenarios.add_column import values
from scenarios.models import alembic_column, django_field, told
from writers import Code, Row, Value

OLD = Code(
    read="SELECT email, status FROM users WHERE id = :id",
    writes=(
        "UPDATE users SET email = :email WHERE id = :id",
        "INSERT INTO users (email, status) VALUES (:email, :status) RETURNING id",
        "DELETE FROM users WHERE id = :id",
    ),
)
NEW = Code(
    read="SELECT email, status, active FROM users WHERE id = :id",
    writes=(
        "UPDATE users SET active = :active WHERE id = :id",
        "INSERT INTO users (email, status, active) VALUES (:email, :status, :active) RETURNING id",
        "UPDATE users SET email = :email WHERE id = :id",
        "DELETE FROM users WHERE id = :id",
    ),
)


def flagged(row: Row) -> Row:
    """A row for which nobody said otherwise."""
    return {"active": row["status"] == "active", **row}


def choice(*options: object) -> Value:
    return lambda writer, n: options[n % len(options)]


ALEMBIC = "active: Mapped[bool{}] = mapped_column(sa.Boolean())"
ALEMBIC_AFTER = (
    'active: Mapped[bool] = mapped_column(sa.Boolean(), server_default=sa.text("false"))'
)
DJANGO = "active = models.BooleanField({})"
DJANGO_AFTER = "active = models.BooleanField(default=False, db_default=False)"


def models(optional: str) -> dict[str, tuple[Edits, ...]]:
    """Without its default until deploy 2; `optional` until then, by dialect."""
    found = {}
    for dialect in ("postgres", "sqlite"):
        null = dialect in optional
        alembic, django = (
            ALEMBIC.format(" | None" if null else ""),
            DJANGO.format("null=True" if null else ""),
        )
        found[f"alembic-{dialect}"] = (
            (alembic_column("users", alembic),),
            (told("models.py", alembic, ALEMBIC_AFTER),),
        )
        found[f"django-{dialect}"] = (
            (django_field("users", django),),
            (told("accounts/models.py", django, DJANGO_AFTER),),
        )
    return found


SCENARIOS = [
    Scenario(
        name="add_column_flag",
        table="users",
        sql="ALTER TABLE users ADD COLUMN active boolean NOT NULL DEFAULT false;\n"
        "UPDATE users SET active = true WHERE status = 'active'",
        old=OLD,
        new=NEW,
        values=values(status=choice("active", "left"), active=choice(True, False)),
        kept=("id", "email", "status"),
        settle=flagged,
        at_end="SELECT id FROM users WHERE active IS NULL",
        models=models("sqlite"),
    ),
    Scenario(
        name="add_column_flag_later_default",
        table="users",
        sql={
            "postgres": "ALTER TABLE users ADD COLUMN active boolean;\n"
            "UPDATE users SET active = (status = 'active') WHERE status IS NOT NULL;\n"
            "ALTER TABLE users ALTER COLUMN active SET DEFAULT false"
        },
        old=OLD,
        new=NEW,
        values=values(status=choice("active", "left"), active=choice(True, False)),
        kept=("id", "email", "status"),
        settle=lambda row: {"active": row["status"] and row["status"] == "active", **row},
        targets=("raw", "alembic"),
        models={
            "alembic": (
                (alembic_column("users", ALEMBIC.format(" | None")),),
                (
                    told(
                        "models.py",
                        ALEMBIC.format(" | None"),
                        ALEMBIC_AFTER.replace("[bool]", "[bool | None]"),
                    ),
                ),
            ),
        },
    ),
    Scenario(
        name="add_column_default_dropped",
        targets=("raw", "alembic", "django"),
        table="users",
        sql={
            "postgres": "ALTER TABLE users ADD COLUMN level integer DEFAULT 1 NOT NULL;\n"
            "ALTER TABLE users ALTER COLUMN level DROP DEFAULT"
        },
        old=ADD_OLD,
        new=Code(
            read="SELECT email, status, level FROM users WHERE id = :id",
            writes=(
                "UPDATE users SET level = :level WHERE id = :id",
                "INSERT INTO users (email, level) VALUES (:email, :level) RETURNING id",
                "DELETE FROM users WHERE id = :id",
            ),
        ),
        values=values(level=lambda writer, n: n),
        kept=("id", "email", "status"),
        settle=fill(level=1),
        models=models_of(
            "users",
            "level: Mapped[int] = mapped_column(sa.Integer())",
            "level = models.IntegerField()",
        ),
    ),
    Scenario(
        name="add_column_other_default",
        table="users",
        sql={
            "postgres": "ALTER TABLE users ADD COLUMN level integer DEFAULT 1;\n"
            "ALTER TABLE users ALTER COLUMN level SET DEFAULT 2"
        },
        old=Code(
            read="SELECT email, status FROM users WHERE id = :id",
            writes=("UPDATE users SET email = :email WHERE id = :id",),
        ),
        new=Code(
            read="SELECT email, status, level FROM users WHERE id = :id",
            writes=("UPDATE users SET level = :level WHERE id = :id",),
        ),
        values=values(level=lambda writer, n: n),
        kept=("id", "email", "status"),
        settle=fill(level=1),
        targets=("raw", "alembic", "django"),
        models=models_of(
            "users",
            'level: Mapped[int | None] = mapped_column(sa.Integer(), server_default=sa.text("2"))',
            "level = models.IntegerField(default=2, db_default=2, null=True)",
        ),
    ),
]
