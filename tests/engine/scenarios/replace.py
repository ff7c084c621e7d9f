"""One column split into two: old and new code see each other's writes until it goes."""

from dataclasses import replace

from scenario import Edit, Edits, Scenario, email, text
from scenarios.models import ALEMBIC_LAST, DJANGO_LAST, alembic_leaving, told
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
LOCAL_PART, DOMAIN = (
    "substr({0}, 1, instr({0}, '@') - 1)",
    "substr({0}, instr({0}, '@') + 1)",
)
SPLIT_SQLITE = f"""
ALTER TABLE users ADD COLUMN local_part text;
ALTER TABLE users ADD COLUMN domain text NOT NULL;
UPDATE users SET local_part = {LOCAL_PART.format("email")}, domain = {DOMAIN.format("email")};
CREATE INDEX users_domain_idx ON users (domain);
-- miggen: back email = local_part || '@' || domain
ALTER TABLE users DROP COLUMN email;
"""
LEAVING = alembic_leaving(("users", "email"))
COLUMNS = (
    "local_part: Mapped[str | None] = mapped_column(sa.Text())",
    "domain: Mapped[str] = mapped_column(sa.Text())",
)
INDEX = 'sa.Index("users_domain_idx", "domain")'
FIELDS = ("local_part = models.TextField(null=True)", "domain = models.TextField()")
DJANGO_INDEX = 'models.Index(fields=["domain"], name="users_domain_idx")'

SPLIT_UP = Scenario(
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
)

# NOT NULL comes with deploy 2, for it rebuilds the table.
OPTIONAL = (COLUMNS[0], COLUMNS[1].replace("[str]", "[str | None]"))
OPTIONAL_FIELDS = (FIELDS[0], "domain = models.TextField(null=True)")


def optional(edits: Edits) -> Edits:
    def first(text: str) -> str:
        return text.replace(COLUMNS[1], OPTIONAL[1]).replace(FIELDS[1], OPTIONAL_FIELDS[1])

    return tuple(
        Edit(edit.file, edit.old, first(edit.new), tuple(first(line) for line in edit.told))
        for edit in edits
    )


def on_sqlite(code: Code) -> Code:
    parts = f"{LOCAL_PART.format(':email')}, {DOMAIN.format(':email')}"
    return replace(code, writes=tuple(write.replace(PARTS, parts) for write in code.writes))


SCENARIOS = [
    SPLIT_UP,
    replace(
        SPLIT_UP,
        name="split_by_rebuild",
        sql={"sqlite": SPLIT_SQLITE},
        new=on_sqlite(SPLIT_UP.new),
        models={
            "alembic": (
                optional(SPLIT_UP.models["alembic"][0]),
                (
                    *SPLIT_UP.models["alembic"][1],
                    told("models.py", OPTIONAL[1], COLUMNS[1]),
                ),
            ),
            "django": (
                optional(SPLIT_UP.models["django"][0]),
                (told("accounts/models.py", OPTIONAL_FIELDS[1], FIELDS[1]),),
            ),
        },
    ),
]
