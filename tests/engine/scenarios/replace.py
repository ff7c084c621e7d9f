"""One column split into two: old and new code see each other's writes until it goes."""

from scenario import Edit, Scenario, email, text
from scenarios.models import ALEMBIC_LAST, DJANGO_LAST, alembic_leaving
from writers import Code

SPLIT = """
ALTER TABLE users ADD COLUMN local_part text, ADD COLUMN domain text;
UPDATE users SET local_part = split_part(email, '@', 1), domain = split_part(email, '@', 2);
ALTER TABLE users ALTER COLUMN domain SET NOT NULL;
CREATE INDEX users_domain_idx ON users (domain);
-- miggen: back email = local_part || '@' || domain
ALTER TABLE users DROP COLUMN email;
"""
PARTS = "split_part(:email, '@', 1), split_part(:email, '@', 2)"
LEAVING = alembic_leaving(("users", "email"))
COLUMNS = (
    "local_part = mapped_column(sa.Text(), nullable=True)",
    "domain = mapped_column(sa.Text(), nullable=False)",
)
INDEX = 'sa.Index("users_domain_idx", "domain")'
FIELDS = ("local_part = models.TextField(null=True)", "domain = models.TextField()")
DJANGO_INDEX = 'models.Index(fields=["domain"], name="users_domain_idx")'

SCENARIOS = [
    Scenario(
        name="split",
        table="users",
        sql={"postgres": SPLIT},
        old=Code(
            read="SELECT email, status FROM users WHERE id = :id",
            writes=(
                "UPDATE users SET email = :email WHERE id = :id",
                "INSERT INTO users (email, status) VALUES (:email, :status) RETURNING id",
                "UPDATE users SET status = :status WHERE id = :id",
                "DELETE FROM users WHERE id = :id",
            ),
        ),
        new=Code(
            read="SELECT local_part || '@' || domain AS email, status FROM users WHERE id = :id",
            writes=(
                f"UPDATE users SET (local_part, domain) = ({PARTS}) WHERE id = :id",
                f"INSERT INTO users (local_part, domain) VALUES ({PARTS}) RETURNING id",
                "UPDATE users SET status = :status WHERE id = :id",
                "DELETE FROM users WHERE id = :id",
            ),
        ),
        values={"email": email(), "status": text("status")},
        kept=("id", "status"),
        restored=("email",),
        in_step="SELECT id FROM users WHERE email <> local_part || '@' || domain",
        models={
            "alembic": (
                (
                    Edit(
                        "models.py",
                        ALEMBIC_LAST["users"],
                        ALEMBIC_LAST["users"] + "".join(f"    {line}\n" for line in COLUMNS),
                        COLUMNS,
                    ),
                    Edit("models.py", "    email: Mapped[str] = mapped_column(sa.Text)\n", ""),
                    Edit(
                        "models.py",
                        '    __tablename__ = "users"\n',
                        f'    __tablename__ = "users"\n    __table_args__ = ({INDEX},)\n',
                        (INDEX,),
                    ),
                    *LEAVING,
                ),
                tuple(Edit(edit.file, edit.new, edit.old) for edit in LEAVING),
            ),
            "django": (
                (
                    Edit(
                        DJANGO_LAST["users"][0],
                        DJANGO_LAST["users"][1],
                        DJANGO_LAST["users"][1] + "".join(f"    {line}\n" for line in FIELDS),
                        FIELDS,
                    ),
                    Edit("accounts/models.py", "    email = models.TextField()\n", ""),
                    Edit(
                        "accounts/models.py",
                        '        db_table = "users"\n',
                        f'        db_table = "users"\n        indexes = [{DJANGO_INDEX}]\n',
                        (DJANGO_INDEX,),
                    ),
                ),
            ),
        },
    ),
]
