"""A new column that numbers itself, or computes itself: nobody writes it."""

from dataclasses import replace

from scenario import Scenario
from scenarios.add_column import OLD, models, values

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

SCENARIOS = [
    NUMBERED,
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
