"""A column, its values, a unique index and NOT NULL: what people write as one script."""

from scenario import Scenario, email
from scenarios.add_column import OLD, values
from scenarios.models import alembic_column, alembic_index, django_constraint, django_field, told
from writers import Code


def normalized(row):
    """Whatever old code wrote, the rollout keeps the new column in step with it."""
    return {**row, "email_normalized": row["email"].lower()}


UNIQUE = "CREATE UNIQUE INDEX users_email_normalized_key ON users (email_normalized)"

# On SQLite NOT NULL comes with deploy 2, for it rebuilds the table.
ALEMBIC = "email_normalized: Mapped[str{}] = mapped_column(sa.Text())"
INDEX = alembic_index('sa.Index("users_email_normalized_key", "email_normalized", unique=True)')
DJANGO = "email_normalized = models.TextField()"
DJANGO_UNIQUE = django_constraint(
    'models.UniqueConstraint(fields=["email_normalized"], name="users_email_normalized_key")'
)
DJANGO_NULL = "email_normalized = models.TextField(null=True)"


SCENARIOS = [
    Scenario(
        name="combined",
        table="users",
        sql={
            "postgres": "ALTER TABLE users ADD COLUMN email_normalized text;\n"
            "UPDATE users SET email_normalized = lower(email);\n"
            f"{UNIQUE};\n"
            "ALTER TABLE users ALTER COLUMN email_normalized SET NOT NULL;\n",
            "sqlite": "ALTER TABLE users ADD COLUMN email_normalized text NOT NULL;\n"
            "UPDATE users SET email_normalized = lower(email);\n"
            f"{UNIQUE};\n",
        },
        old=OLD,
        new=Code(
            read="SELECT email, status, email_normalized FROM users WHERE id = :id",
            writes=(
                "UPDATE users SET email = :email, email_normalized = :email_normalized "
                "WHERE id = :id",
                "UPDATE users SET status = :status WHERE id = :id",
                "INSERT INTO users (email, email_normalized) "
                "VALUES (:email, :email_normalized) RETURNING id",
                "DELETE FROM users WHERE id = :id",
            ),
        ),
        values=values(email_normalized=lambda writer, n: email()(writer, n).lower()),
        kept=("id", "email", "status"),
        settle=normalized,
        in_step="SELECT id FROM users WHERE email_normalized IS DISTINCT FROM lower(email)",
        at_end="SELECT id FROM users WHERE email_normalized IS DISTINCT FROM lower(email)",
        models={
            "alembic-postgres": ((alembic_column("users", ALEMBIC.format("")), INDEX),),
            "alembic-sqlite": (
                (alembic_column("users", ALEMBIC.format(" | None")), INDEX),
                (told("models.py", ALEMBIC.format(" | None"), ALEMBIC.format("")),),
            ),
            "django-postgres": ((django_field("users", DJANGO), DJANGO_UNIQUE),),
            "django-sqlite": (
                (django_field("users", DJANGO_NULL), DJANGO_UNIQUE),
                (told("accounts/models.py", DJANGO_NULL, DJANGO),),
            ),
        },
    ),
]
