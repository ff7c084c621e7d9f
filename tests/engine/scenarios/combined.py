"""A column, its values, a unique index and NOT NULL: what people write as one script."""

from scenario import Scenario, email
from scenarios.add_column import OLD, in_user, values
from writers import Code


def normalized(row):
    """Whatever old code wrote, the rollout keeps the new column in step with it."""
    return {**row, "email_normalized": row["email"].lower()}


UNIQUE = "CREATE UNIQUE INDEX users_email_normalized_key ON users (email_normalized)"

COLUMN = in_user(
    "email_normalized: Mapped[str] = mapped_column(sa.Text)",
    "email_normalized = models.TextField()",
)
INDEX = {
    "alembic": (
        "models.py",
        '    __tablename__ = "users"\n',
        '    __tablename__ = "users"\n    __table_args__ = (\n        sa.Index('
        '"users_email_normalized_key", "email_normalized", unique=True),\n    )\n',
    ),
}
# On SQLite the column may be NULL until deploy 2.
LOOSE = in_user(
    "email_normalized: Mapped[str | None] = mapped_column(sa.Text)",
    "email_normalized = models.TextField(null=True)",
)
STRICT = {
    "alembic": (
        "models.py",
        "email_normalized: Mapped[str | None]",
        "email_normalized: Mapped[str]",
    ),
    "django": (
        "accounts/models.py",
        "email_normalized = models.TextField(null=True)",
        "email_normalized = models.TextField()",
    ),
}
# Django has no unique index apart from a constraint: the runbook leaves its models alone.
MODELS = {
    "alembic": ((*COLUMN["alembic"][0], INDEX["alembic"]),),
    "django": COLUMN["django"],
    "alembic-sqlite": ((*LOOSE["alembic"][0], INDEX["alembic"]), (STRICT["alembic"],)),
    "django-sqlite": (LOOSE["django"][0], (STRICT["django"],)),
}

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
        models=MODELS,
    ),
]
