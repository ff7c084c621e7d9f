"""A database as text that can be compared: its schema, and the rows a rollout must not change.

Two readings of a schema. `schema` is exact: it proves that a step's way back leads to where it
came from. `shape` forgets the order of columns, and on SQLite the words of CREATE TABLE: it
compares what a whole rollout built with what the naive change would have built.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from servers import Database, PostgresDatabase, SqliteDatabase
from shell import environment, run

# What pg_dump says about itself and its session, and not about the schema.
NOISE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\restrict|\\unrestrict")

# pg_dump leaves these out, and a rollout that ends with one has failed.
INVALID_INDEXES = """
    SELECT 'INVALID INDEX ' || indexrelid::regclass
    FROM pg_index WHERE NOT indisvalid ORDER BY 1
"""


def schema(database: Database, hidden: Iterable[str] = ()) -> str:
    """The whole schema less the tables of the framework itself."""
    if isinstance(database, PostgresDatabase):
        return postgres_schema(database, hidden)
    return "\n".join(sqlite_lines(database, hidden, in_order=True))


def postgres_schema(database: PostgresDatabase, hidden: Iterable[str]) -> str:
    folder = database.server.folder
    options = [option for table in hidden for option in ("-T", f"{table}*")]
    env = environment(folder, **database.env())
    text = run(["pg_dump", "-s", "-O", *options], folder, env).stdout
    lines = [line for line in text.splitlines() if line and not NOISE.match(line)]
    return "\n".join(lines + [name for (name,) in database.rows(INVALID_INDEXES)])


def plain(sql: str) -> str:
    """SQL without what RENAME TO or a rebuild may write another way: quotes, spaces, case."""
    sql = re.sub(r'"(\w+)"', r"\1", sql)
    sql = re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql)).strip()
    parts = sql.split("'")
    parts[::2] = [part.upper() for part in parts[::2]]  # what stands between two texts
    return "'".join(parts)


def shape(database: Database, hidden: Iterable[str] = ()) -> str:
    """The schema without the order of columns."""
    if isinstance(database, PostgresDatabase):
        return unordered(postgres_schema(database, hidden))
    return "\n".join(sorted(sqlite_lines(database, hidden, in_order=False)))


def unordered(schema: str) -> str:
    """A dump whose CREATE TABLE statements, and comments after them, list their columns by name."""

    def sort(match: re.Match[str]) -> str:
        lines = sorted(line.rstrip(",") for line in match[2].splitlines())
        return "\n".join([match[1], *lines, ");"])

    tables = re.sub(r"^(CREATE TABLE [^\n]*\()\n(.*?)\n\);$", sort, schema, flags=re.M | re.S)
    comments = re.compile(r"(^COMMENT ON COLUMN .*;\n)+", re.M)
    return comments.sub(lambda match: "".join(sorted(match[0].splitlines(True))), tables)


def validated(schema: str) -> str:
    """A dump as if all constraints were valid.

    The way back of VALIDATE is nothing: it changed no rule, it found it obeyed. But pg_dump has a
    constraint in its table once it is valid, and before that apart.
    """
    checks = re.compile(r"^    CONSTRAINT (\w+) (CHECK .*?),?$", re.M)
    table = ""
    lines = []
    apart = []
    for line in schema.replace(" NOT VALID;", ";").splitlines():
        if line.startswith("CREATE TABLE "):
            table = line.split()[2]
        if found := checks.match(line):
            apart.append(f"ALTER TABLE {table}\n    ADD CONSTRAINT {found[1]} {found[2]};")
        else:
            lines.append(line)
    text = "\n".join(lines).replace(",\n);", "\n);")
    statement = re.compile(r"^ALTER TABLE \S+\n    ADD CONSTRAINT \w+ CHECK .*;$\n?", re.M)
    apart += [found.strip() for found in statement.findall(text)]
    return "\n".join([statement.sub("", text).strip(), *sorted(apart)])


def sqlite_lines(database: SqliteDatabase, hidden: Iterable[str], *, in_order: bool) -> list[str]:
    """Tables, columns, keys and indexes as SQLite understood them; triggers and views as text.

    What no pragma tells is read off CREATE TABLE: its CHECKs, AUTOINCREMENT, STRICT and the like.
    """
    lines = []
    tables = database.rows(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    for table, sql in sorted(tables):
        if table in set(hidden):
            continue
        quoted = "'" + table.replace("'", "''") + "'"
        written = plain(sql)
        lines += sorted(f"{table} check {check}" for check in checks(written))
        if "AUTOINCREMENT" in written:
            lines.append(f"{table} autoincrement")
        lines.append(f"{table} options {written[written.rindex(')') + 1 :]}")
        columns = database.rows(
            'SELECT name, upper(type), "notnull", dflt_value, pk, hidden '
            f"FROM pragma_table_xinfo({quoted}) ORDER BY cid"
        )
        columns = columns if in_order else sorted(columns)
        lines += [f"{table} column {row}" for row in columns]
        keys = database.rows(
            'SELECT "from", "table", "to", on_update, on_delete '
            f"FROM pragma_foreign_key_list({quoted})"
        )
        lines += sorted(f"{table} foreign key {row}" for row in keys)
        indexes = database.rows(
            'SELECT l.name, l."unique", l.origin, l.partial, s.sql, '
            "(SELECT group_concat(coalesce(i.name, '(expression)')) "
            "FROM pragma_index_info(l.name) AS i) "
            f"FROM pragma_index_list({quoted}) AS l "
            "LEFT JOIN sqlite_schema AS s ON s.name = l.name"
        )
        own = []
        for name, unique, origin, partial, sql, names in indexes:
            known = "" if name.startswith("sqlite_") else name
            own.append(
                f"{table} index {known} {unique} {origin} {partial} {names} {plain(sql or '')}"
            )
        lines += sorted(own)
    others = database.rows("SELECT type, sql FROM sqlite_schema WHERE type IN ('trigger', 'view')")
    return lines + sorted(f"{kind} {plain(sql)}" for kind, sql in others)


def checks(sql: str) -> list[str]:
    """The CHECKs of a CREATE TABLE statement, each with the name it may have."""
    found = []
    for match in re.finditer(r"(?:CONSTRAINT \S+ )?CHECK ?\(", sql):
        depth, at = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[at], 0)
            at += 1
        found.append(sql[match.start() : at])
    return found


def data(database: Database, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of `table` by id: what a rollout must leave as it was."""
    return database.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")


def difference(before: str, after: str, names: tuple[str, str]) -> str:
    """A unified diff, for the message of a failed comparison."""
    return "\n".join(
        difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=1)
    )


def assert_same(before: str, after: str, what: str, names: tuple[str, str]) -> None:
    assert before == after, f"{what}\n{difference(before, after, names)}"


def assert_same_rows(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], what: str
) -> None:
    if before != after:
        pairs = [(b, a) for b, a in zip(before, after, strict=False) if b != a][:5]
        shown = "\n".join(f"  {b}\n  -> {a}" for b, a in pairs)
        raise AssertionError(f"{what}: {len(before)} rows, then {len(after)}\n{shown}")
