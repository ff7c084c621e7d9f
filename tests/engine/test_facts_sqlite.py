"""miggen's facts of SQLite, held against the SQLite that Python brings, row by row.

What a statement costs is seen by doing it on two tables, one ten times the other: steps of the
virtual machine that grow with the rows are reading, and so is writing where the table's own pages
are in the log.
"""

import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from test_facts import ask

SMALL, LARGE = 300, 3000


@dataclass(frozen=True)
class Example:
    """Statements that stand for an action, on the table `t`."""

    statements: str
    setup: str = ""


REBUILD = """
CREATE TABLE x (id INTEGER PRIMARY KEY, a INT NOT NULL, b TEXT, p INT REFERENCES parent (id));
INSERT INTO x SELECT * FROM t; DROP TABLE t; ALTER TABLE x RENAME TO t
"""
INDEX = "CREATE INDEX x ON t (b)"
TRIGGER = "CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET b = 'x' WHERE id = NEW.id; END"

EXAMPLES = {
    "add_column": Example("ALTER TABLE t ADD COLUMN x TEXT"),
    "add_column_constant_default": Example("ALTER TABLE t ADD COLUMN x TEXT NOT NULL DEFAULT 'x'"),
    "add_column_virtual": Example("ALTER TABLE t ADD COLUMN x TEXT AS (b || 'x') VIRTUAL"),
    "add_column_references": Example("ALTER TABLE t ADD COLUMN x INT REFERENCES parent (id)"),
    "drop_column": Example("ALTER TABLE t DROP COLUMN b"),
    "rename_table": Example("ALTER TABLE t RENAME TO x"),
    "rename_column": Example("ALTER TABLE t RENAME COLUMN b TO x"),
    "rename_index": Example("DROP INDEX x; CREATE INDEX y ON t (b)", INDEX),
    "create_index": Example(INDEX),
    "drop_index": Example("DROP INDEX x", INDEX),
    "create_table": Example("CREATE TABLE x (id INTEGER PRIMARY KEY)"),
    "drop_table": Example("DROP TABLE t", "CREATE TABLE child (t INT REFERENCES t (id))"),
    "create_trigger": Example(TRIGGER),
    "drop_trigger": Example("DROP TRIGGER x", TRIGGER),
    "update_all": Example("UPDATE t SET b = b || 'x'"),
    "write_few": Example("UPDATE t SET b = 'x' WHERE id = 7"),
    "rebuild": Example(REBUILD),
    "scan": Example("SELECT count(*) FROM t WHERE b <> 'x'"),
}


@dataclass(frozen=True)
class Cost:
    steps: int
    own_pages: int  # of the table, written
    moved: bool  # the table is another one


def test_facts_of_sqlite(tmp_path: Path) -> None:
    rows = ask(f"sqlite@{sqlite3.sqlite_version}", tmp_path)
    assert rows
    wrong = [f"{row['action']}: {told}" for row in rows for told in complaints(row, tmp_path)]
    assert not wrong, "\n".join(wrong)


def complaints(row: dict[str, str], folder: Path) -> Iterator[str]:
    example = EXAMPLES.get(row["action"])
    if example is None:
        yield "no example"
        return
    small, large = (cost(example, rows, folder) for rows in (SMALL, LARGE))
    reads = large.steps > 3 * small.steps
    rewrites = large.moved or large.own_pages > 3 * small.own_pages
    work = "rewrite" if rewrites else "scan" if reads else "metadata"
    if row["work"] != work and (row["work"], work) != ("few", "metadata"):
        yield f"says {row['work']}, does {work}: {small}, {large}"
    lock, blocks = others(example, folder)
    if (row["lock"], row["blocks"]) != (lock, blocks):
        yield f"says {row['lock']} that blocks {row['blocks']}, takes {lock}: {blocks}"
    # Foreign keys are off while a table is made anew, and that is not to be had in a transaction.
    transaction = "outside" if row["action"] == "rebuild" and not can_turn_off(folder) else "inside"
    if row["transaction"] != transaction:
        yield f"says it runs {row['transaction']} a transaction, and it runs {transaction}"


def lay_out(folder: Path, rows: int, example: Example, journal: str) -> tuple[Path, int]:
    """A database whose first pages are those of `t`: how many."""
    path = folder / "facts.db"
    for old in folder.glob("facts.db*"):
        old.unlink()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"""
        PRAGMA journal_mode = {journal};
        CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL, b TEXT, p INT);
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})
        INSERT INTO t SELECT n, n, printf('%0100d', n), 1 FROM n;
    """)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.executescript(f"CREATE TABLE parent (id INTEGER PRIMARY KEY); {example.setup};")
    connection.execute("INSERT INTO parent VALUES (1)")
    connection.close()
    return path, pages


def cost(example: Example, rows: int, folder: Path) -> Cost:
    path, pages = lay_out(folder, rows, example, "WAL")
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA foreign_keys = ON")
        before = root(connection)
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        connection.set_progress_handler(step, 1)
        connection.execute("BEGIN")
        for statement in split(example.statements):
            connection.execute(statement).fetchall()
        connection.execute("COMMIT")
        connection.set_progress_handler(None, 0)
        written = {page for page in logged(path) if 1 < page <= pages}
        moved = root(connection) not in (before, None)
    connection.close()
    return Cost(steps, len(written), moved)


def root(connection: sqlite3.Connection) -> int | None:
    found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 't'").fetchone()
    return found[0] if found else None


def logged(path: Path) -> Iterator[int]:
    """The pages in the write-ahead log: its header has 32 bytes, that of each frame 24."""
    log = Path(f"{path}-wal")
    text = log.read_bytes() if log.exists() else b""
    if len(text) > 32:
        size = struct.unpack_from(">I", text, 8)[0]
        for at in range(32, len(text), 24 + size):
            yield struct.unpack_from(">I", text, at)[0]


def others(example: Example, folder: Path) -> tuple[str, str]:
    """What another connection can do while the transaction is open, and while it commits."""
    path, _ = lay_out(folder, SMALL, example, "DELETE")
    writer = sqlite3.connect(path, isolation_level=None)
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    writer.execute("BEGIN")
    for statement in split(example.statements):
        writer.execute(statement).fetchall()
    assert can(other, "SELECT count(*) FROM parent")
    writes = can(other, "BEGIN IMMEDIATE")
    if writes:
        other.execute("ROLLBACK")
    # A reader that stays keeps a commit from its last lock.
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM parent").fetchall()
    commits = can(writer, "COMMIT")
    other.close()
    writer.close()
    if writes:
        return ("SHARED", "nothing") if commits else ("?", "?")
    return ("RESERVED", "writes") if commits else ("RESERVED, then EXCLUSIVE", "writes")


def can(connection: sqlite3.Connection, statement: str) -> bool:
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        assert "locked" in str(error), error
        return False
    return True


def can_turn_off(folder: Path) -> bool:
    connection = sqlite3.connect(folder / "keys.db", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN")
    connection.execute("PRAGMA foreign_keys = OFF")
    on = connection.execute("PRAGMA foreign_keys").fetchone()[0]
    connection.close()
    return not on


def split(statements: str) -> list[str]:
    """Statements, of which a trigger is one."""
    parts = [statements] if "TRIGGER x AFTER" in statements else statements.split(";")
    return [part for part in parts if part.strip()]
