"""A small schema, its rows and a change of it, drawn by chance: a seed always gives the same case.

A change is one that its server can run on those rows, so that all must arrive where it leads. On
SQLite some kinds have no statement: there `Case.naive` edits the schema in place.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

ROWS = 40

LONG = "a_name_that_fills_all_of_the_63_bytes_a_server_keeps_of_it_"
NAMES = [
    *("orders", "items", "people", "amount", "label", "code", "n", "state", "placed_at", "note_1"),
    *(
        "CamelCase",
        "Mixed Name",
        "select",
        "group",
        "größe",
        "名前",
        "имя",
        'we"ird',
        "100%",
        "a.b",
    ),
    *(f"{LONG}t123", f"{LONG}u123", "$1", "{{ x }}", ":name"),
]
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
RESERVED = {"select", "group"}


@dataclass(frozen=True)
class Kind:
    """A type, and values of it: of row `n`, as a default, one that no row has, what all obey."""

    sql: str
    value: str
    default: str
    fresh: str
    check: str
    # What it can become without losing a value.
    wider: tuple[str, ...] = ()
    # Whether no two rows have the same value.
    distinct: bool = True


KINDS = {
    "postgres": [
        Kind("int", "n", "7", "-3", "{} > -9", ("bigint", "numeric(12, 2)")),
        Kind("bigint", "n * 5000000000", "-1", "11", "{} <> 12"),
        Kind("text", "'Wert ' || n", "'it''s; -- %s {{ x }} :y'", "'\\n'", "length({}) < 99"),
        Kind("text", "'Wert ' || n", "''", "'é🙂'", "{} <> 'x;''y'", ("varchar(90)",)),
        Kind("varchar(40)", "'v' || n", "'none'", "'f'", "{} IS NOT NULL", ("text", "varchar(60)")),
        Kind("char(8)", "'c' || n", "'none'", "'f'", "{} > ''", ("varchar(20)", "text")),
        Kind("numeric(8, 2)", "n / 4.0", "0.5", "-1.25", "{} < 9999", ("numeric(12, 3)",)),
        Kind("real", "n / 4.0", "1.5", "-1.25", "{} < 9999", ("double precision",)),
        Kind("boolean", "n % 2 = 0", "false", "true", "{} IN (true, false)", (), False),
        Kind("date", "date '2020-02-28' + n", "'2021-01-01'", "'2000-01-01'", "{} > '1999-01-01'"),
        Kind(
            "timestamptz",
            "timestamptz '2020-01-01 12:00:00+00' + n * interval '1 hour'",
            "'2021-01-01 00:00:00+00'",
            "'2022-01-01 00:00:00+00'",
            "{} >= '1999-01-01 00:00:00+00'",
        ),
        Kind(
            "uuid",
            "md5(n::text)::uuid",
            "'00000000-0000-0000-0000-000000000000'",
            "'00000000-0000-0000-0000-000000000001'",
            "{} IS NOT NULL",
            ("text",),
        ),
        Kind(
            "jsonb",
            "jsonb_build_object('n', n)",
            "'{}'",
            "'{\"a\": [1, null]}'",
            "jsonb_typeof({}) = 'object'",
        ),
        Kind("text[]", "ARRAY['a', n::text]", "'{}'", "'{\"a b\",c}'", "array_length({}, 1) < 9"),
    ],
    "sqlite": [
        Kind("INTEGER", "n", "7", "-3", "{} > -9", ("TEXT",)),
        Kind("TEXT", "'Wert ' || n", "'it''s; -- %s'", "'\\n'", "length({}) < 99"),
        Kind("varchar(40)", "'v' || n", "'none'", "'é🙂'", "{} <> 'x;y'", ("varchar(60)", "TEXT")),
        Kind("REAL", "n / 4.0", "0.5", "-1.25", "{} < 9999"),
        Kind("NUMERIC", "n", "0", "-2", "{} < 9999"),
        Kind("boolean", "n % 2", "0", "1", "{} IN (0, 1)", (), False),
    ],
}


def quoted(name: str) -> str:
    if PLAIN.fullmatch(name) and name not in RESERVED:
        return name
    return '"{}"'.format(name.replace('"', '""'))


@dataclass
class Column:
    name: str
    kind: Kind
    required: bool = False
    default: str | None = None
    # Constraints of this column alone: (name, definition).
    constraints: list[tuple[str, str]] = field(default_factory=list)

    def sql(self) -> str:
        parts = [quoted(self.name), self.kind.sql]
        parts += ["NOT NULL"] if self.required else []
        parts += [f"DEFAULT {self.default}"] if self.default else []
        return " ".join(parts)

    def filled(self) -> str:
        return (
            self.kind.value if self.required else f"CASE WHEN n % 3 > 0 THEN {self.kind.value} END"
        )


@dataclass
class Table:
    name: str
    key: str
    columns: list[Column]
    parent: "Table | None" = None
    # (name, columns, statement)
    indexes: list[tuple[str, list[Column], str]] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def create(self) -> str:
        parts = [self.key, *(column.sql() for column in self.columns)]
        if self.parent:
            parts.append(f"parent_id int REFERENCES {quoted(self.parent.name)} (id)")
        for column in self.columns:
            parts += [f"CONSTRAINT {quoted(n)} {text}" for n, text in column.constraints]
        return f"CREATE TABLE {quoted(self.name)} ({', '.join(parts)})"

    def fill(self, numbers: str) -> str:
        names = ["id", *(quoted(column.name) for column in self.columns)]
        values = ["n", *(column.filled() for column in self.columns)]
        if self.parent:
            names.append("parent_id")
            values.append("1 + n % 20")
        into = f"INSERT INTO {quoted(self.name)} ({', '.join(names)})"
        return f"{into} SELECT {', '.join(values)} {numbers}"


@dataclass(frozen=True)
class Case:
    schema: str
    rows: str
    change: str
    # What the server is to run in its place.
    naive: str
    # What `--rows` says of tables whose names fit there.
    options: tuple[str, ...]
    # Whether the change itself writes rows, which no way back undoes.
    writes_rows: bool


NUMBERS = {
    "postgres": f"FROM generate_series(1, {ROWS}) AS n",
    "sqlite": "FROM (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
    f" WHERE n < {ROWS}) SELECT n FROM numbers)",
}

KEYS = {
    "postgres": [
        "id int PRIMARY KEY",
        "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "id serial PRIMARY KEY",
    ],
    "sqlite": ["id INTEGER PRIMARY KEY", "id INTEGER PRIMARY KEY AUTOINCREMENT"],
}

TRIGGER = {
    "postgres": """
        CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER seen BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION seen()
    """,
    "sqlite": "CREATE TRIGGER seen AFTER INSERT ON {} BEGIN SELECT 1; END",
}


def draw(seed: int, dialect: str) -> Case:
    return Draw(random.Random(f"{dialect} {seed}"), dialect).case()


class Draw:
    """One case in the making."""

    def __init__(self, chance: random.Random, dialect: str) -> None:
        self.chance = chance
        self.dialect = dialect
        self.names = chance.sample(NAMES, len(NAMES))
        self.numbers = count(1)
        self.tables: list[Table] = []
        # Tables and columns that a statement has been about: one change each.
        self.done: set[str] = set()
        self.writes_rows = False

    def case(self) -> Case:
        for _ in range(self.chance.choice([1, 2, 2, 3])):
            self.tables.append(self.table())
        schema = [statement for table in self.tables for statement in self.statements(table)]
        if self.maybe(0.3):
            table = self.chance.choice(self.tables)
            schema.append(TRIGGER[self.dialect].format(quoted(table.name)))
        rows = [table.fill(NUMBERS[self.dialect]) for table in self.tables]
        small = [t.name for t in self.tables if PLAIN.fullmatch(t.name) and self.maybe(0.3)]
        wanted = self.chance.choice([1, 1, 1, 2, 2, 3])
        asked: list[tuple[str, str]] = []
        while len(asked) < wanted:
            name = self.chance.choice(CHANGES if wanted > 1 else [*CHANGES, *ALONE])
            found = getattr(self, name)()
            if found:
                asked.append(found if isinstance(found, tuple) else (found, found))
        return Case(
            schema="".join(f"{statement};\n" for statement in schema),
            rows="".join(f"{statement};\n" for statement in rows),
            change="".join(f"{change};\n" for change, _ in asked),
            naive="".join(f"{naive};\n" for _, naive in asked),
            options=tuple(f"--rows={name}={ROWS}" for name in small),
            writes_rows=self.writes_rows,
        )

    def maybe(self, likely: float) -> bool:
        return self.chance.random() < likely

    def name(self) -> str:
        return self.names.pop() if self.names else f"more_{next(self.numbers)}"

    def derived(self, table: Table, what: str) -> str:
        """A name of an index or a constraint, which must not be the name of another table's."""
        return f"{table.name[:20]}_{what}{next(self.numbers)}"

    # ---- the schema

    def table(self) -> Table:
        columns = [self.column() for _ in range(self.chance.randint(2, 4))]
        parent = self.chance.choice(self.tables) if self.tables and self.maybe(0.5) else None
        table = Table(self.name(), self.chance.choice(KEYS[self.dialect]), columns, parent)
        for column in columns:
            if self.maybe(0.2):
                check = f"CHECK ({column.kind.check.format(quoted(column.name))})"
                if "IS NOT NULL" not in check or column.required:
                    column.constraints.append((self.derived(table, "check"), check))
            if column.kind.distinct and self.maybe(0.15):
                unique = f"UNIQUE ({quoted(column.name)})"
                column.constraints.append((self.derived(table, "key"), unique))
        for _ in range(self.chance.choice([0, 1, 1, 2])):
            self.index(table)
        return table

    def column(self) -> Column:
        kind = self.chance.choice(KINDS[self.dialect])
        default = kind.default if self.maybe(0.3) else None
        return Column(self.name(), kind, required=self.maybe(0.4), default=default)

    def index(self, table: Table) -> str:
        """A new index of a table, which keeps it."""
        column = self.chance.choice(table.columns)
        own, more, unique = quoted(column.name), [column], False
        key = own
        match self.chance.choice(["plain", "unique", "several", "partial", "expression", "desc"]):
            case "unique" if column.kind.distinct:
                unique = True
            case "several" if len(table.columns) > 1:
                other = self.chance.choice([c for c in table.columns if c is not column])
                key, more = f"{own}, {quoted(other.name)}", [column, other]
            case "partial":
                key = f"{own}) WHERE ({own} IS NOT NULL"
            case "expression" if "'" in column.kind.value:
                key = (
                    f"lower({own})"
                    if column.kind.sql in ("text", "TEXT")
                    else f"coalesce({own}, {column.kind.default})"
                )
            case "desc":
                key = f"{own} DESC"
        name = self.derived(table, "idx")
        statement = (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {quoted(name)}"
            f" ON {quoted(table.name)} ({key})"
        )
        table.indexes.append((name, more, statement))
        return statement

    def statements(self, table: Table) -> list[str]:
        found = [table.create(), *(statement for *_, statement in table.indexes)]
        if self.dialect == "postgres" and self.maybe(0.4):
            column = quoted(self.chance.choice(table.columns).name)
            found.append(
                f"COMMENT ON COLUMN {quoted(table.name)}.{column} IS 'it''s %s {{{{ x }}}}'"
            )
        return found

    # ---- what a change is about

    def a_table(self, fits: Callable[[Table], bool] = lambda _: True) -> Table | None:
        """A table that no statement has been about, with its columns."""
        tables = [t for t in self.tables if t.name not in self.done and fits(t)]
        tables = [t for t in tables if not any(c.name in self.done for c in t.columns)]
        if not tables:
            return None
        table = self.chance.choice(tables)
        self.done.add(table.name)
        return table

    def a_column(
        self, fits: Callable[[Column], bool] = lambda _: True
    ) -> tuple[Table, Column] | None:
        found = [
            (table, column)
            for table in self.tables
            for column in table.columns
            if table.name not in self.done and column.name not in self.done and fits(column)
        ]
        if not found:
            return None
        table, column = self.chance.choice(found)
        self.done.add(table.name if self.dialect == "sqlite" else column.name)
        return table, column

    def alter(self, table: Table, action: str) -> str:
        return f"ALTER TABLE {quoted(table.name)} {action}"

    def edited(self, table: Table, statement: str, rows: str = "") -> tuple[str, str]:
        """On SQLite the table as it is now, in the place of a statement that it does not know."""
        change = f"{rows}{statement}"
        if self.dialect == "postgres":
            return change, change
        text = table.create().replace("'", "''")
        return change, (
            f"{rows}PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{text}'"
            f" WHERE type = 'table' AND name = '{table.name}';"
            "PRAGMA writable_schema = RESET"
        )

    # ---- the kinds of change

    def add_column(self) -> str | None:
        table = self.chance.choice(self.tables)
        if table.name in self.done:
            return None
        self.done.add(table.name)
        column = self.column()
        column.default = column.kind.default if column.required else column.default
        text = self.alter(table, f"ADD COLUMN {column.sql()}")
        match self.chance.choice(["plain", "plain", "check", "unique", "references"]):
            case "check":
                text += f" CHECK ({column.kind.check.format(quoted(column.name))})"
                if "IS NOT NULL" in text and not column.default:
                    return self.alter(table, f"ADD COLUMN {column.sql()}")
            case "unique" if self.dialect == "postgres" and not column.default:
                text += " UNIQUE"
            case "references" if not column.default and column.kind.sql == "int":
                other = self.chance.choice(self.tables)
                if other.name not in self.done:
                    text += f" REFERENCES {quoted(other.name)} (id)"
        return text

    def add_derived(self) -> str | None:
        found = self.a_column(lambda c: "'" in c.kind.value and "ext" in c.kind.sql)
        if not found or found[1].kind.sql == "text[]":
            return None
        table, source = found
        self.done.add(table.name)
        self.writes_rows = True
        name, own = quoted(self.name()), quoted(table.name)
        parts = [
            self.alter(table, f"ADD COLUMN {name} text"),
            f"UPDATE {own} SET {name} = upper({quoted(source.name)})",
        ]
        if self.maybe(0.5):
            parts.append(f"CREATE INDEX {quoted(self.derived(table, 'idx'))} ON {own} ({name})")
        if source.required and self.dialect == "postgres" and self.maybe(0.6):
            parts.append(self.alter(table, f"ALTER COLUMN {name} SET NOT NULL"))
        return ";\n".join(parts)

    def drop_column(self) -> str | tuple[str, str] | None:
        bare = self.dialect == "postgres"
        found = self.a_column(lambda column: bare or not column.constraints)
        if not found or len(found[0].columns) < 2:
            return None
        table, column = found
        self.done.add(table.name)
        change = self.alter(table, f"DROP COLUMN {quoted(column.name)}")
        gone = [f"DROP INDEX {quoted(n)}; " for n, columns, _ in table.indexes if column in columns]
        return (change, change if bare else "".join([*gone, change]))

    def rename_column(self) -> str | None:
        if not (found := self.a_column()):
            return None
        names = f"{quoted(found[1].name)} TO {quoted(self.name())}"
        return self.alter(found[0], f"RENAME COLUMN {names}")

    def rename_table(self) -> str | None:
        table = self.a_table()
        return self.alter(table, f"RENAME TO {quoted(self.name())}") if table else None

    def change_type(self) -> tuple[str, str] | None:
        if not (found := self.a_column(lambda c: bool(c.kind.wider) and not c.default)):
            return None
        table, column = found
        kind = self.chance.choice(column.kind.wider)
        column.kind = Kind(kind, *("",) * 4)
        name = quoted(column.name)
        change, naive = self.edited(table, self.alter(table, f"ALTER COLUMN {name} TYPE {kind}"))
        if self.dialect == "sqlite":
            naive += f"; UPDATE {quoted(table.name)} SET {name} = {name}"
        return change, naive

    def require(self) -> tuple[str, str] | None:
        if not (found := self.a_column(lambda c: not c.required and not c.constraints)):
            return None
        table, column = found
        if any(column in columns for _, columns, text in table.indexes if "UNIQUE" in text):
            return None
        column.required = True
        name = quoted(column.name)
        self.writes_rows = True
        rows = (
            f"UPDATE {quoted(table.name)} SET {name} = {column.kind.fresh} WHERE {name} IS NULL;\n"
        )
        return self.edited(table, self.alter(table, f"ALTER COLUMN {name} SET NOT NULL"), rows)

    def relax(self) -> tuple[str, str] | None:
        if not (found := self.a_column(lambda c: c.required)):
            return None
        table, column = found
        column.required = False
        action = f"ALTER COLUMN {quoted(column.name)} DROP NOT NULL"
        return self.edited(table, self.alter(table, action))

    def default(self) -> tuple[str, str] | None:
        if not (found := self.a_column()):
            return None
        table, column = found
        column.default = None if column.default else column.kind.fresh
        to = f"SET DEFAULT {column.default}" if column.default else "DROP DEFAULT"
        return self.edited(table, self.alter(table, f"ALTER COLUMN {quoted(column.name)} {to}"))

    def add_constraint(self) -> tuple[str, str] | None:
        if not (found := self.a_column()):
            return None
        table, column = found
        own = quoted(column.name)
        kinds = [f"CHECK ({column.kind.check.format(own)} OR {own} IS NULL)"]
        if self.dialect == "postgres":
            kinds += [f"UNIQUE ({own})"] if column.kind.distinct else []
            others = [t for t in self.tables if t.name not in self.done]
            if column.kind.sql == "int" and others:
                kinds.append(f"FOREIGN KEY ({own}) REFERENCES {quoted(others[0].name)} (id)")
        name = self.derived(table, "new")
        column.constraints.append((name, self.chance.choice(kinds)))
        added = f"ADD CONSTRAINT {quoted(name)} {column.constraints[-1][1]}"
        return self.edited(table, self.alter(table, added))

    def drop_constraint(self) -> tuple[str, str] | None:
        checks = self.dialect == "sqlite"
        if not (found := self.a_column(lambda c: bool(c.constraints))):
            return None
        table, column = found
        name, text = column.constraints.pop()
        if checks and "CHECK" not in text:
            column.constraints.append((name, text))
            return None
        return self.edited(table, self.alter(table, f"DROP CONSTRAINT {quoted(name)}"))

    def create_index(self) -> str | None:
        table = self.a_table()
        return self.index(table) if table else None

    def drop_index(self) -> str | None:
        table = self.a_table(lambda table: bool(table.indexes))
        return f"DROP INDEX {quoted(self.chance.choice(table.indexes)[0])}" if table else None

    def comment(self) -> str | None:
        if self.dialect == "sqlite" or not (found := self.a_column()):
            return None
        table, column = found
        about = self.chance.choice(
            [
                f"TABLE {quoted(table.name)}",
                f"COLUMN {quoted(table.name)}.{quoted(column.name)}",
                *(f"INDEX {quoted(name)}" for name, *_ in table.indexes),
                *(f"CONSTRAINT {quoted(n)} ON {quoted(table.name)}" for n, _ in column.constraints),
            ]
        )
        text = self.chance.choice(["'it''s; $$ %(x)s {{ y }}'", "'plain'", "NULL"])
        return f"COMMENT ON {about} IS {text}"

    def create_table(self) -> str:
        table = self.table()
        if table.parent and table.parent.name in self.done:
            table.parent = None
        return ";\n".join([table.create(), *(statement for *_, statement in table.indexes)])

    def drop_table(self) -> str | None:
        parents = [table.parent for table in self.tables]
        table = self.a_table(lambda table: len(self.tables) > 1 and table not in parents)
        if not table:
            return None
        self.tables.remove(table)
        return f"DROP TABLE {quoted(table.name)}"

    def update(self) -> str | None:
        found = self.a_column(lambda c: not c.constraints)
        if not found or any(found[1] in columns for _, columns, _ in found[0].indexes):
            return None
        table, column = found
        own = quoted(column.name)
        self.writes_rows = True
        where = self.chance.choice(
            [f"{own} IS NULL", f"{own} IS DISTINCT FROM {column.kind.fresh}"]
        )
        if self.dialect == "sqlite":
            where = f"{own} IS NULL"
        return f"UPDATE {quoted(table.name)} SET {own} = {column.kind.fresh} WHERE {where}"

    def delete(self) -> str | None:
        parents = [table.parent for table in self.tables]
        table = self.a_table(lambda table: table not in parents)
        self.writes_rows = True
        return f"DELETE FROM {quoted(table.name)} WHERE id % 4 = 1" if table else None

    def insert(self) -> str | None:
        if not (table := self.a_table()):
            return None
        self.writes_rows = True
        names = ", ".join(["id", *(quoted(column.name) for column in table.columns)])
        values = ", ".join(["1001", *(column.kind.fresh for column in table.columns)])
        return f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({values})"


CHANGES = [
    *("add_column", "add_column", "add_derived", "drop_column", "rename_column", "rename_column"),
    *("change_type", "change_type", "require", "relax", "default"),
    *("add_constraint", "drop_constraint", "create_index", "drop_index", "comment"),
    *("create_table", "update", "delete", "insert"),
]
# Each is a rollout of its own.
ALONE = ["rename_table", "drop_table"]
