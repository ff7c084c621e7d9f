"""What a test must know of one kind of change: the naive SQL, and the application around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from writers import Code, Row, Value

# (file, old text, new text): what a person changes in the application for a deploy.
Edit = tuple[str, str, str]


@dataclass(frozen=True)
class Scenario:
    """One naive change, and how the application looks before and after it."""

    name: str
    table: str
    sql: str | Mapping[str, str]  # one text for all, or by dialect; a missing dialect: not there
    old: Code
    new: Code
    values: Mapping[str, Value]
    # Columns that no step may change, up or down; and those a contract's way back brings back.
    kept: tuple[str, ...]
    restored: tuple[str, ...] = ()
    # What the rollout itself makes of a row that nobody writes.
    settle: Callable[[Row], Row] = field(default=lambda row: row)
    # SQL that finds rows which are not in step, between deploy 1 and 2 and at the end.
    in_step: str | None = None
    at_end: str | None = None
    # For each deploy, by target: the edits to the application. Alembic and Django check them.
    models: Mapping[str, tuple[tuple[Edit, ...], ...]] = field(default_factory=dict)
    # SQL that builds the wanted schema, where the naive change cannot run on a filled table.
    reference: Mapping[str, str] = field(default_factory=dict)

    def change(self, dialect: str) -> str | None:
        return self.sql if isinstance(self.sql, str) else self.sql.get(dialect)

    def wanted(self, dialect: str) -> str:
        """SQL that builds the schema the rollout must arrive at."""
        return self.reference.get(dialect) or self.change(dialect) or ""

    def edits(self, target: str, deploy: int) -> tuple[Edit, ...]:
        by_deploy = self.models.get(target, ())
        return by_deploy[deploy - 1] if deploy <= len(by_deploy) else ()


def text(kind: str) -> Value:
    """A value nobody wrote before."""
    return lambda writer, n: f"{kind} {writer.name} {n}"


def email() -> Value:
    """An address nobody wrote before, in mixed case and unique in lower case too."""
    return lambda writer, n: f"{writer.name.title()}{n}@Example.ORG"
