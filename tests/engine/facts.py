"""What a server does for one statement, asked of the server: its locks, and the work under them."""

import threading
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
    ddl: bool = True
    new: bool = False  # the statement makes the table


@dataclass(frozen=True)
class Seen:
    """What the statement did to its table."""

    lock: str | None
    rewrites: bool
    reads: bool | None  # not known of a statement that refuses a transaction
    in_transaction: bool


WORLD = """
DROP VIEW IF EXISTS v;
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
WHERE pid = pg_backend_pid() AND granted AND relation = %s
"""

LOCKS_OF = "SELECT mode FROM pg_locks WHERE pid = %s AND granted AND relation = %s"

READS = (
    "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relid = %s::regclass"
)

FILE = "SELECT pg_relation_filenode(%s::oid)"


def observe(database: PostgresDatabase, example: Example) -> Seen:
    """Run the statement in a transaction of its own, look around, and roll back."""
    database.script(WORLD)
    with database.connect() as connection:
        for statement in filter(str.strip, example.setup.split(";")):
            connection.execute(statement)
        table = oid(connection, example)
    connection = database.connect()
    try:
        connection.autocommit = False
        file = one(connection, FILE, table)
        connection.rollback()
        connection.execute(example.statement)
        table = table or oid(connection, example)
        modes = [spelled(mode) for (mode,) in connection.execute(LOCKS, [table]).fetchall()]
        return Seen(
            max(modes, key=rank, default=None),
            rewrites=one(connection, FILE, table) not in (file, None) and not example.new,
            reads=one(connection, READS, table) > 0,
            in_transaction=True,
        )
    except psycopg.errors.ActiveSqlTransaction:
        connection.rollback()
        return Seen(lock_outside(database, example, table), False, None, in_transaction=False)
    finally:
        connection.close()


def oid(connection: psycopg.Connection, example: Example) -> int | None:
    return one(connection, f"SELECT to_regclass('{example.table}')::oid::int")


def lock_outside(database: PostgresDatabase, example: Example, table: int) -> str | None:
    """The lock of a statement that refuses a transaction: looked at while it waits for another."""
    with database.connect() as writer, database.connect() as worker, database.connect() as observer:
        writer.execute("BEGIN")
        writer.execute(f"LOCK TABLE {example.table} IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=worker.execute, args=(example.statement,))
        thread.start()
        modes: list[str] = []
        while thread.is_alive() and not modes:
            waits = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
            if one(observer, waits, worker.info.backend_pid) == "Lock":
                rows = observer.execute(LOCKS_OF, [worker.info.backend_pid, table]).fetchall()
                modes = [spelled(mode) for (mode,) in rows]
        writer.execute("COMMIT")
        thread.join()
    return max(modes, key=rank, default=None)


def one(connection: psycopg.Connection, sql: str, *parameters: object):
    row = connection.execute(sql, parameters or None).fetchone()
    return row[0] if row else None
