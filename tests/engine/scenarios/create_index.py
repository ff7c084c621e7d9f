"""An index on a table that is written to all the time."""

from scenario import Edit, Scenario
from scenarios.add_column import OLD, values
from scenarios.models import alembic_index, django_index


def scenario(kind: str, sql: str, alembic: str, django: str | None = None) -> Scenario:
    models: dict[str, tuple[tuple[Edit, ...], ...]] = {"alembic": ((alembic_index(alembic),),)}
    if django:
        models["django"] = ((django_index(django),),)
    return Scenario(
        name=f"create_index_{kind}",
        table="users",
        sql=sql,
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        models=models,
    )


# Where nothing is said of Django its model cannot say it, or says something else: SQL alone.
SCENARIOS = [
    scenario(
        "plain",
        "CREATE INDEX users_email_idx ON users (email)",
        alembic='sa.Index("users_email_idx", "email")',
        django='models.Index(fields=["email"], name="users_email_idx")',
    ),
    scenario(
        "unique",
        "CREATE UNIQUE INDEX users_email_key ON users (email)",
        alembic='sa.Index("users_email_key", "email", unique=True)',
    ),
    scenario(
        "partial",
        "CREATE INDEX users_left_idx ON users (email) WHERE status = 'left'",
        alembic='sa.Index("users_left_idx", "email", '
        "postgresql_where=sa.text(\"status = 'left'\"))",
    ),
    scenario(
        "expression",
        "CREATE INDEX users_email_lower_idx ON users (lower(email))",
        alembic='sa.Index("users_email_lower_idx", sa.text("lower(email)"))',
    ),
]
