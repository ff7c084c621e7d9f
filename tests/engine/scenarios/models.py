"""The application's models after a deploy: the very lines that the runbook tells to write."""

from scenario import Edit

ALEMBIC_LAST = {
    "users": "    status: Mapped[str | None] = mapped_column(sa.Text)\n",
    "posts": "    title: Mapped[str] = mapped_column(sa.Text)\n",
}
DJANGO_LAST = {
    "users": ("accounts/models.py", "    status = models.TextField(null=True)\n"),
    "posts": ("blog/models.py", "    title = models.TextField()\n"),
}

ENV_CONFIGURE = """            connection=connection,
            target_metadata=target_metadata,
"""
INCLUDE_OBJECT = """

def include_object(obj, name, type_, reflected, compare_to):
    return type_ == "table" or (obj.table.name, name) not in LEAVING
"""

DJANGO_NOW = Edit(
    "accounts/models.py",
    "from django.db import models\n",
    "from django.db import models\nfrom django.db.models.functions import Now\n",
)


def alembic_column(table: str, line: str) -> Edit:
    """A new column, below the last one of its table."""
    last = ALEMBIC_LAST[table]
    return Edit("models.py", last, f"{last}    {line}\n", (line,))


def alembic_index(line: str) -> Edit:
    """The first index of users."""
    name = '    __tablename__ = "users"\n'
    return Edit("models.py", name, f"{name}    __table_args__ = ({line},)\n", (line,))


def alembic_leaving(*pairs: tuple[str, str]) -> tuple[Edit, Edit]:
    """What autogenerate must leave alone until deploy 2."""
    shown = ", ".join(f'("{table}", "{name}")' for table, name in pairs)
    leaving = f"LEAVING = {{{shown}}}"
    metadata = "target_metadata = Base.metadata\n"
    option = "            include_object=include_object,\n"
    return (
        Edit(
            "migrations/env.py",
            metadata,
            f"{metadata}{leaving}\n{INCLUDE_OBJECT}",
            (leaving, INCLUDE_OBJECT.strip().replace("\n", "\n+")),
        ),
        Edit("migrations/env.py", ENV_CONFIGURE, ENV_CONFIGURE + option),
    )


def django_field(table: str, line: str) -> Edit:
    """A new field, below the last one of its model."""
    file, last = DJANGO_LAST[table]
    return Edit(file, last, f"{last}    {line}\n", (line,))


def django_index(line: str) -> Edit:
    """The first index of users."""
    meta = '        db_table = "users"\n'
    return Edit("accounts/models.py", meta, f"{meta}        indexes = [{line}]\n", (line,))


def django_constraint(line: str) -> Edit:
    """The first constraint of users."""
    meta = '        db_table = "users"\n'
    return Edit("accounts/models.py", meta, f"{meta}        constraints = [{line}]\n", (line,))


def told(file: str, old: str, new: str) -> Edit:
    """A line that another takes the place of."""
    return Edit(file, old, new, (new,))
