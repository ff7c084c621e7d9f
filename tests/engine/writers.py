"""Applications at work while a rollout goes through: old code, new code, and an exact ledger.

Each release of an application is a thread with one connection that writes at a fixed rate, as
`Code` tells it. The ledger holds what every row must contain: a writer holds the ledger's lock of
a row from before its statement until it has written down what it wrote, so the last entry is the
last write, whoever made it. After each write the row is read back under the names of that code:
what the other code wrote must be there too.
"""

import random
import re
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from servers import Database, PostgresDatabase

Row = dict[str, Any]
Value = Callable[["Writer", int], Any]

RATE = 100  # statements a second and writer
PATIENCE = 120  # seconds: a writer that does nothing for so long is dead, whatever the machine


@dataclass(frozen=True)
class Code:
    """One release of the application: what it reads and writes, and under which names.

    The names in `read` (its column aliases) are those of the ledger, the same for old and new code.
    In `writes`, `:id` is the row, and every other `:name` a new value of the ledger's field. An
    INSERT returns the id; a DELETE takes a row that this writer inserted.
    """

    read: str
    writes: tuple[str, ...]
    # Statements are prepared once: such a client fails once where a column's type changes.
    prepares: bool = True


@dataclass
class Ledger:
    """What every row must hold; and a lock for each, so that this is never in doubt."""

    rows: dict[int, Row] = field(default_factory=dict)
    locks: dict[int, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    guard: threading.Lock = field(default_factory=threading.Lock)

    def lock(self, row_id: int) -> threading.Lock:
        with self.guard:
            return self.locks[row_id]

    def fill(self, database: Database, code: Code) -> None:
        """Start with the rows that are there."""
        with_all = re.sub(r"\s+WHERE id = :id\s*$", "", code.read)
        assert with_all != code.read, f"must end with WHERE id = :id: {code.read}"
        names, rows = named_rows(database, with_all.replace("SELECT ", "SELECT id, ", 1))
        for row in rows:
            self.rows[row[0]] = dict(zip(names[1:], row[1:], strict=True))


def named_rows(database: Database, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    connection = database.connect()
    try:
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        connection.close()


class Writer(threading.Thread):
    """One release of the application at work."""

    def __init__(
        self,
        name: str,
        code: Code,
        database: Database,
        ledger: Ledger,
        values: Mapping[str, Value],
        matches: Callable[[Row, Row], bool],
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.code = code
        self.database = database
        self.ledger = ledger
        self.values = values
        self.matches = matches
        self.random = random.Random(name)
        self.own: list[int] = []
        self.done = 0
        self.failures: list[str] = []
        self.wrong: list[str] = []
        self.longest = 0.0
        self.changed = threading.Condition()
        self.ending = threading.Event()

    # ---- the thread

    def run(self) -> None:
        self.connection = self.database.connect()
        if not self.code.prepares and isinstance(self.database, PostgresDatabase):
            self.connection.prepare_threshold = None
        try:
            while not self.ending.is_set():
                start = time.monotonic()
                self._write(self.code.writes[self.done % len(self.code.writes)])
                with self.changed:
                    self.done += 1
                    self.changed.notify_all()
                self.ending.wait(max(0, 1 / RATE - (time.monotonic() - start)))
        except Exception as error:  # a fault of the harness: it must not look like an idle writer
            self.failures.append(f"{self.name} died: {error!r}")
        finally:
            self.connection.close()

    def _write(self, sql: str) -> None:
        new = {
            name: self.values[name](self, self.done)
            for name in dict.fromkeys(re.findall(r"(?<![:\w]):(\w+)", sql))
            if name != "id"
        }
        verb = sql.split(None, 1)[0].upper()
        if verb == "INSERT":
            returned = self._execute(sql, new)
            if returned:
                row_id = returned[0][0]
                with self.ledger.lock(row_id):
                    self._check(row_id, new, first=True)
                self.own.append(row_id)
            return
        if verb == "DELETE":
            if self.own:
                row_id = self.own.pop(0)
                with self.ledger.lock(row_id):
                    if self._execute(sql, {"id": row_id}) is not None:
                        self.ledger.rows.pop(row_id, None)
            return
        with self.ledger.guard:
            row_id = self.random.choice(list(self.ledger.rows))
        with self.ledger.lock(row_id):
            if row_id not in self.ledger.rows:
                return  # deleted between the choice and the lock
            if self._execute(sql, {**new, "id": row_id}) is not None:
                self._check(row_id, new)

    def _check(self, row_id: int, new: Row, first: bool = False) -> None:
        """Read the row back under this code's names, and compare it with the ledger."""
        rows = self._execute(self.code.read, {"id": row_id})
        if rows is None:
            return
        expected = {**({} if first else self.ledger.rows[row_id]), **new}
        found = dict(zip(self.names, rows[0], strict=True)) if rows else {}
        if not rows or not self.matches(expected, found):
            self.wrong.append(f"{self.name}, row {row_id}: {expected} became {found}")
        # What the row holds beside what was written (defaults) is from now on to be kept.
        self.ledger.rows[row_id] = {**expected, **found}

    def _execute(self, sql: str, parameters: Row) -> list[tuple[Any, ...]] | None:
        """Run one statement; None if it failed, and that is one failure of the rollout."""
        if isinstance(self.database, PostgresDatabase):
            sql = re.sub(r"(?<![:\w]):(\w+)", r"%(\1)s", sql)
        start = time.monotonic()
        try:
            cursor = self.connection.execute(sql, parameters)
            rows = cursor.fetchall() if cursor.description else []
            self.names = [column[0] for column in cursor.description or ()]
        except (psycopg.Error, sqlite3.Error) as error:
            self.failures.append(f"{self.name}: {sql} {parameters}: {str(error).strip()}")
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - start)
        return rows

    # ---- the test's side

    def wait(self, writes: int) -> None:
        """Until so many more writes are through: what a step leaves behind has then been used."""
        with self.changed:
            goal = self.done + writes
            if not self.changed.wait_for(lambda: self.done >= goal or self.failures, PATIENCE):
                raise AssertionError(f"{self.name} has stood still for {PATIENCE} s")

    def stop(self) -> None:
        self.ending.set()
        self.join(PATIENCE)
        assert not self.is_alive(), f"{self.name} does not come back from a statement"


@dataclass
class Traffic:
    """The writers of one rollout over one ledger."""

    database: Database
    values: Mapping[str, Value]
    settle: Callable[[Row], Row]
    ledger: Ledger = field(default_factory=Ledger)
    at_work: dict[str, Writer] = field(default_factory=dict)
    gone: list[Writer] = field(default_factory=list)

    def start(self, name: str, code: Code) -> None:
        writer = Writer(name, code, self.database, self.ledger, self.values, self.matches)
        self.at_work[name] = writer
        writer.start()

    def stop(self, name: str) -> None:
        writer = self.at_work.pop(name)
        writer.stop()
        self.gone.append(writer)

    def stop_all(self) -> None:
        for name in list(self.at_work):
            self.stop(name)

    def wait(self, writes: int = 25) -> None:
        for writer in self.at_work.values():
            writer.wait(writes)

    def matches(self, expected: Row, found: Row) -> bool:
        """Whether a row holds what was written; NULL may stand until the rollout fills it."""
        settled = self.settle(expected)
        return all(
            found[name] == settled[name] or (value is None and found[name] is None)
            for name, value in expected.items()
            if name in found
        )

    @property
    def writers(self) -> list[Writer]:
        return [*self.gone, *self.at_work.values()]

    def assert_no_failures(self) -> None:
        failures = [text for writer in self.writers for text in writer.failures]
        wrong = [text for writer in self.writers for text in writer.wrong]
        if failures or wrong:
            raise AssertionError(
                f"{len(failures)} failed statements, {len(wrong)} wrong rows\n"
                + "\n".join([*failures[:5], *wrong[:5]])
            )

    def assert_kept(self, code: Code) -> None:
        """Every row, read under the names of `code`, holds what the ledger says, and no more."""
        found = Ledger()
        found.fill(self.database, code)
        lost = sorted(set(self.ledger.rows) - set(found.rows))
        extra = sorted(set(found.rows) - set(self.ledger.rows))
        wrong = [
            f"row {row_id}: {expected} is {found.rows[row_id]}"
            for row_id, row in self.ledger.rows.items()
            if row_id in found.rows
            for expected in [self.settle(row)]
            if any(
                found.rows[row_id][name] != value
                for name, value in expected.items()
                if name in found.rows[row_id]
            )
        ]
        if lost or extra or wrong:
            raise AssertionError(
                f"{len(lost)} rows lost {lost[:5]}, {len(extra)} came from nowhere {extra[:5]}, "
                f"{len(wrong)} diverge\n" + "\n".join(wrong[:5])
            )

    def report(self) -> dict[str, int]:
        """How much was written, and how many ms somebody had to wait at the worst."""
        statements = sum(writer.done for writer in self.writers)
        longest = max((writer.longest for writer in self.writers), default=0)
        return {"writes": statements, "longest": round(longest * 1000)}
