"""An index on a table that is written to all the time."""

from collections.abc import Mapping

from scenario import Edit, Scenario
from scenarios.add_column import OLD, values


def in_user(alembic: str, django: str | None) -> Mapping[str, tuple[tuple[Edit, ...], ...]]:
    """The index in both ORMs' models; Django's are left alone where it has no such index."""
    name = '    __tablename__ = "users"\n'
    meta = '        db_table = "users"\n'
    in_django = (("accounts/models.py", meta, f"{meta}        {django}\n"),)
    return {
        "alembic": ((("models.py", name, f"{name}    __table_args__ = ({alembic},)\n"),),),
        "django": (in_django if django else (),),
    }


def scenario(kind: str, sql: str, models: Mapping[str, tuple[tuple[Edit, ...], ...]]) -> Scenario:
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


SCENARIOS = [
    scenario(
        "plain",
        "CREATE INDEX users_email_idx ON users (email)",
        in_user(
            'sa.Index("users_email_idx", "email")',
            'indexes = [models.Index(fields=["email"], name="users_email_idx")]',
        ),
    ),
    scenario(
        "unique",
        "CREATE UNIQUE INDEX users_email_key ON users (email)",
        in_user(
            'sa.Index("users_email_key", "email", unique=True)',
            None,
        ),
    ),
    scenario(
        "partial",
        "CREATE INDEX users_left_idx ON users (email) WHERE status = 'left'",
        in_user(
            'sa.Index("users_left_idx", "email", postgresql_where=sa.text("status = \'left\'"), '
            "sqlite_where=sa.text(\"status = 'left'\"))",
            None,
        ),
    ),
    scenario(
        "expression",
        "CREATE INDEX users_email_lower_idx ON users (lower(email))",
        in_user(
            'sa.Index("users_email_lower_idx", sa.text("lower(email)"))',
            None,
        ),
    ),
]
