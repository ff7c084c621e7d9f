"""Constraints on columns that are there: in force beside running writers, and gone again."""

from scenario import Edit, Scenario, text
from scenarios.add_column import OLD, values
from scenarios.column import edited
from scenarios.drop_column import code
from scenarios.rename_column import moment

CHECK = "ALTER TABLE users ADD CONSTRAINT email_is_short CHECK (length(email) < 200)"
UNIQUE = "ALTER TABLE posts ADD CONSTRAINT posts_title_key UNIQUE (author_id, title)"
ALEMBIC_UNIQUE = 'sa.UniqueConstraint("author_id", "title", name="posts_title_key")'
DJANGO_UNIQUE = 'models.UniqueConstraint(fields=["author", "title"], name="posts_title_key")'
INDEXES = '__table_args__ = (sa.Index("posts_created_idx", "created"),)'

SCENARIOS = [
    Scenario(
        name="add_check",
        table="users",
        sql={"postgres": CHECK, "sqlite": CHECK},
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        reference={
            "sqlite": edited(
                "users",
                (
                    "status TEXT",
                    "status TEXT, CONSTRAINT email_is_short CHECK (length(email) < 200)",
                ),
                (
                    '"status" text NULL',
                    '"status" text, CONSTRAINT email_is_short CHECK (length(email) < 200)',
                ),
            )
        },
    ),
    Scenario(
        name="add_unique",
        table="posts",
        sql={"postgres": UNIQUE},
        old=code("title", "created"),
        new=code("title", "created"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "title", "created"),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        INDEXES,
                        INDEXES.replace(",)", f", {ALEMBIC_UNIQUE})"),
                        (ALEMBIC_UNIQUE,),
                    ),
                ),
            ),
            "django": (
                (
                    Edit(
                        "blog/models.py",
                        '        db_table = "posts"\n',
                        f'        db_table = "posts"\n        constraints = [{DJANGO_UNIQUE}]\n',
                    ),
                ),
            ),
        },
    ),
    Scenario(
        name="drop_foreign_key",
        table="posts",
        sql={"postgres": "ALTER TABLE posts DROP CONSTRAINT posts_author_id_fkey"},
        # Django names its keys by a hash of its own.
        targets=("raw", "sqlx", "flyway", "alembic"),
        old=code("title", "created"),
        new=code("title", "created"),
        values={"created": moment, "title": text("title")},
        kept=("id", "author_id", "title", "created"),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        'sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE")',
                        "sa.BigInteger",
                        (
                            '-        sa.ForeignKeyConstraint(["author_id"], ["users.id"], '
                            'name="posts_author_id_fkey", ondelete="CASCADE")',
                        ),
                    ),
                ),
            ),
        },
    ),
]
