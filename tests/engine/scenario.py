"""What a test must know of one kind of change: the naive SQL, and the application around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from writers import Code, Row, Value


class Edit(NamedTuple):
    """What a person changes in the application for a deploy, as the runbook `told`."""

    file: str
    old: str
    new: str
    told: tuple[str, ...] = ()


Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class Scenario:
    """One naive change, and how the application looks before and after it."""

    name: str
    table: str
    # One text for all servers, or by server or dialect; not there: the scenario has no sense there.
    sql: str | Mapping[str, str]
    old: Code
    # None: more releases than two go through it, in a test of its own.
    new: Code | None
    values: Mapping[str, Value]
    # Columns that no step may change, up or down; and those a contract's way back brings back.
    kept: tuple[str, ...]
    restored: tuple[str, ...] = ()
    # Whether the repository's ids are int, as they were before the framework's default was bigint.
    int_ids: bool = False
    # The table's name from deploy 1 on, if that is another.
    renamed: str | None = None
    # What the rollout itself makes of a row that nobody writes.
    settle: Callable[[Row], Row] = field(default=lambda row: row)
    # SQL that finds rows which are not in step, between deploy 1 and 2 and at the end.
    in_step: str | None = None
    at_end: str | None = None
    # For each deploy, by target or target and dialect ("django-sqlite"): the edits to the
    # application that the runbook asks for. Alembic and Django then find nothing to add.
    models: Mapping[str, tuple[Edits, ...]] = field(default_factory=dict)
    # Further options of miggen's command line.
    options: tuple[str, ...] = ()
    # The targets that it is for; all where nothing is said.
    targets: tuple[str, ...] = ()
    # SQL that builds the wanted schema, where the server cannot run the naive change at all.
    reference: Mapping[str, str] = field(default_factory=dict)

    def change(self, server: str) -> str | None:
        """The naive SQL for a server: pg12, pg15, pg18 or sqlite."""
        if isinstance(self.sql, str):
            return self.sql
        return self.sql.get(server) or self.sql.get(dialect(server))

    def wanted(self, server: str) -> str:
        """SQL that builds the schema the rollout must arrive at, from empty tables."""
        return self.reference.get(dialect(server)) or self.change(server) or ""

    def edits(self, target: str, server: str, deploy: int) -> Edits:
        both = f"{target}-{dialect(server)}"
        by_deploy = self.models.get(both) or self.models.get(target, ())
        return by_deploy[deploy - 1] if deploy <= len(by_deploy) else ()


def dialect(server: str) -> str:
    return "sqlite" if server == "sqlite" else "postgres"


def text(kind: str) -> Value:
    """A value nobody wrote before."""
    return lambda writer, n: f"{kind} {writer.name} {n}"


def email() -> Value:
    """An address nobody wrote before, in mixed case and unique in lower case too."""
    return lambda writer, n: f"{writer.name.title()}{n}@Example.ORG"


def fill(**values: object) -> Callable[[Row], Row]:
    """What a new column holds in a row for which nobody wrote it."""
    return lambda row: {**values, **row}
