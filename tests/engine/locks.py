"""Which locks a step really takes: written down by the server itself, inside the step.

An event trigger runs at the end of every DDL statement, in the session and the transaction of that
statement, where all locks it took are still held. It notes them in a table of its own.
"""

from servers import PostgresDatabase

# From the weakest to the strongest; the plan uses the words of LOCK TABLE.
STRENGTH = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)

WATCH = """
CREATE SCHEMA watch;
CREATE TABLE watch.seen (at serial, command text, relation text, mode text);
CREATE FUNCTION watch.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch.seen (command, relation, mode)
    SELECT tg_tag, c.relname, l.mode
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p')
        AND n.nspname = 'public';
END
$$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch.note();
"""


def watch(database: PostgresDatabase) -> None:
    database.script(WATCH)


def taken(database: PostgresDatabase) -> dict[str, str]:
    """The strongest lock on each table since the last question."""
    strongest: dict[str, str] = {}
    for table, mode in database.rows("DELETE FROM watch.seen RETURNING relation, mode"):
        words = spelled(mode)
        if rank(words) > rank(strongest.get(table)):
            strongest[table] = words
    return strongest


def tables(database: PostgresDatabase) -> set[str]:
    return {name for (name,) in database.rows("SELECT tablename FROM pg_tables")}


def spelled(mode: str) -> str:
    """AccessExclusiveLock, as pg_locks has it -> ACCESS EXCLUSIVE, as LOCK TABLE has it."""
    name = mode.removesuffix("Lock")
    return "".join(f" {c}" if c.isupper() else c.upper() for c in name).strip()


def rank(mode: str | None) -> int:
    return -1 if mode is None else STRENGTH.index(mode)
