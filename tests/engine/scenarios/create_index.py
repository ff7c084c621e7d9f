"""An index on a table that is written to all the time."""

from scenario import Edit, Scenario
from scenarios.add_column import OLD, values
from scenarios.models import alembic_index, django_constraint, django_index


def scenario(kind: str, sql: str, alembic: str, *django: Edit) -> Scenario:
    return Scenario(
        name=f"create_index_{kind}",
        table="users",
        sql=sql,
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        models={
            "alembic-postgres": ((alembic_index(alembic),),),
            "alembic-sqlite": ((alembic_index(alembic.replace("postgresql_", "sqlite_")),),),
            "django": (django,),
        },
    )


LOWER = Edit(
    "accounts/models.py",
    "from django.db import models\n",
    "from django.db import models\nfrom django.db.models.functions import Lower\n",
    ("+from django.db.models.functions import Lower",),
)

SCENARIOS = [
    scenario(
        "plain",
        "CREATE INDEX users_email_idx ON users (email)",
        'sa.Index("users_email_idx", "email")',
        django_index('models.Index(fields=["email"], name="users_email_idx")'),
    ),
    scenario(
        "unique",
        "CREATE UNIQUE INDEX users_email_key ON users (email)",
        'sa.Index("users_email_key", "email", unique=True)',
        django_constraint('models.UniqueConstraint(fields=["email"], name="users_email_key")'),
    ),
    scenario(
        "partial",
        "CREATE INDEX users_left_idx ON users (email) WHERE status = 'left'",
        'sa.Index("users_left_idx", "email", postgresql_where=sa.text("status = \'left\'"))',
        django_index(
            'models.Index(fields=["email"], name="users_left_idx", '
            'condition=models.Q(status="left"))'
        ),
    ),
    scenario(
        "expression",
        "CREATE INDEX users_email_lower_idx ON users (lower(email))",
        'sa.Index("users_email_lower_idx", sa.text("lower(email)"))',
        django_index('models.Index(Lower("email"), name="users_email_lower_idx")'),
        LOWER,
    ),
]
