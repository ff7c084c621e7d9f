"""Comments on what a schema is made of: models repeat those of tables and columns."""

from scenario import Edit, Scenario
from scenarios.add_column import OLD, values

EMAIL = "    email: Mapped[str] = mapped_column(sa.Text)\n"
DJANGO_EMAIL = "    email = models.TextField()\n"
DJANGO_TABLE = '        db_table = "users"\n'
STATUS = "    status: Mapped[str | None] = mapped_column(sa.Text)\n"

SCENARIOS = [
    Scenario(
        name="comment",
        table="users",
        sql={
            "postgres": "COMMENT ON TABLE users IS 'Who logs in; 100% people';\n"
            "COMMENT ON COLUMN users.email IS 'As typed, it''s never folded';\n"
            "COMMENT ON CONSTRAINT users_pkey ON users IS 'a key';\n",
        },
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        EMAIL,
                        EMAIL.replace("sa.Text", 'sa.Text, comment="As typed, it\'s never folded"'),
                        ('comment="As typed, it\'s never folded")',),
                    ),
                    Edit(
                        "models.py",
                        STATUS,
                        f'{STATUS}    __table_args__ = {{"comment": "Who logs in; 100% people"}}\n',
                        ('{"comment": "Who logs in; 100% people"},',),
                    ),
                ),
            ),
            "django": (
                (
                    Edit(
                        "accounts/models.py",
                        DJANGO_EMAIL,
                        '    email = models.TextField(db_comment="As typed, it\'s never folded")\n',
                        ('TextField(db_comment="As typed, it\'s never folded")',),
                    ),
                    Edit(
                        "accounts/models.py",
                        DJANGO_TABLE,
                        f'{DJANGO_TABLE}        db_table_comment = "Who logs in; 100% people"\n',
                        ('+        db_table_comment = "Who logs in; 100% people"',),
                    ),
                ),
            ),
        },
    ),
]
