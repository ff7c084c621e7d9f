"""users becomes people: old code goes on under the old name until deploy 2."""

from scenario import Edit, Scenario
from scenarios.add_column import values
from writers import Code


def code(table: str) -> Code:
    return Code(
        read=f"SELECT email, status FROM {table} WHERE id = :id",
        writes=(
            f"UPDATE {table} SET email = :email WHERE id = :id",
            f"INSERT INTO {table} (email, status) VALUES (:email, :status) RETURNING id",
            f"UPDATE {table} SET status = :status WHERE id = :id RETURNING id",
            f"INSERT INTO {table} (id, email) VALUES (DEFAULT, :email) "
            "ON CONFLICT (id) DO UPDATE SET email = excluded.email RETURNING id",
            f"DELETE FROM {table} WHERE id = :id",
            f"SELECT id FROM {table} WHERE id = :id FOR UPDATE",
        ),
    )


SCENARIOS = [
    Scenario(
        name="rename_table",
        table="users",
        renamed="people",
        sql={"postgres": "ALTER TABLE users RENAME TO people"},
        old=code("users"),
        new=code("people"),
        values=values(),
        kept=("id", "email", "status"),
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        '    __tablename__ = "users"\n',
                        '    __tablename__ = "people"\n',
                        ('    __tablename__ = "people"',),
                    ),
                    Edit(
                        "models.py",
                        'sa.ForeignKey("users.id"',
                        'sa.ForeignKey("people.id"',
                        ('sa.ForeignKey("people.id")',),
                    ),
                ),
            ),
            "django": (
                (
                    Edit(
                        "accounts/models.py",
                        '        db_table = "users"\n',
                        '        db_table = "people"\n',
                        ('        db_table = "people"',),
                    ),
                ),
            ),
        },
    ),
]
