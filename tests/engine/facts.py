"""What a server does for one statement, asked of the server: its locks, and the work under them."""

from dataclasses import dataclass

import psycopg

from locks import rank, spelled
from servers import PostgresDatabase


@dataclass(frozen=True)
class Example:
    """One statement that stands for an action of miggen's tables of facts, on the table `t`."""

    statement: str
    setup: str = ""
    table: str = "t"


@dataclass(frozen=True)
class Seen:
    """What the statement did to its table."""

    lock: str | None
    rewrites: bool
    reads: bool
    in_transaction: bool


WORLD = """
DROP TABLE IF EXISTS t, parent;
CREATE TABLE parent (id bigint PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 100);
CREATE TABLE t (
    id bigint PRIMARY KEY,
    a integer NOT NULL,
    b text,
    c varchar(10) DEFAULT 'x',
    p bigint
);
INSERT INTO t SELECT n, n, 'b' || n, 'c', 1 + n % 100 FROM generate_series(1, 1000) AS n;
"""

LOCKS = """
SELECT mode FROM pg_locks
WHERE pid = pg_backend_pid() AND granted AND relation = %s::regclass
"""

READS = (
    "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relid = %s::regclass"
)

FILE = "SELECT pg_relation_filenode(%s::regclass)"


def observe(database: PostgresDatabase, example: Example) -> Seen:
    """Run the statement in a transaction of its own, look around, and roll back."""
    database.script(WORLD)
    if example.setup:
        with database.connect() as connection:
            for statement in example.setup.split(";"):
                if statement.strip():
                    connection.execute(statement)
    connection = database.connect()
    connection.autocommit = False
    oid = one(connection, f"SELECT '{example.table}'::regclass::oid::int")
    connection.rollback()
    file = one(connection, FILE, oid)
    try:
        connection.execute(example.statement)
    except psycopg.errors.ActiveSqlTransaction:
        connection.rollback()
        connection.autocommit = True
        connection.execute(example.statement)
        connection.close()
        return Seen(None, False, False, in_transaction=False)
    modes = [spelled(mode) for (mode,) in connection.execute(LOCKS, [oid]).fetchall()]
    seen = Seen(
        max(modes, key=rank, default=None),
        rewrites=one(connection, FILE, oid) not in (file, None),
        reads=one(connection, READS, oid) > 0,
        in_transaction=True,
    )
    connection.rollback()
    connection.close()
    return seen


def one(connection: psycopg.Connection, sql: str, *parameters: object):
    row = connection.execute(sql, parameters or None).fetchone()
    return row[0] if row else None
