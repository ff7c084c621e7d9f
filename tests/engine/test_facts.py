"""miggen's tables of facts, held against the servers they speak of, row by row.

A row of `miggen facts` without an example here fails: a fact nobody checked is a rumour.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import facts
import miggen
import projects
from facts import Example
from servers import PostgresDatabase, Servers
from shell import attempt, describe, environment

# By the name of the action.
TRIGGER = "BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"

EXAMPLES = {
    "add_column": Example("ALTER TABLE t ADD COLUMN x text"),
    "add_column_constant_default": Example("ALTER TABLE t ADD COLUMN x text DEFAULT 'x'"),
    "add_column_stable_default": Example("ALTER TABLE t ADD COLUMN x timestamp DEFAULT now()"),
    "add_column_rewrite": Example("ALTER TABLE t ADD COLUMN x bigserial"),
    "add_column_virtual": Example(
        "ALTER TABLE t ADD COLUMN x text GENERATED ALWAYS AS (b || 'x') VIRTUAL"
    ),
    "like_nondeterministic": Example(
        "SELECT count(*) FROM t WHERE b COLLATE same LIKE 'b%'",
        setup="CREATE COLLATION IF NOT EXISTS same "
        "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        ddl=False,
    ),
    "set_identity": Example("ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY"),
    "drop_column": Example("ALTER TABLE t DROP COLUMN b"),
    "drop_column_takes_indexes": Example(
        "ALTER TABLE t DROP COLUMN b", setup="CREATE INDEX x ON t (b)"
    ),
    "rename_column": Example("ALTER TABLE t RENAME COLUMN b TO x"),
    "rename_table": Example("ALTER TABLE t RENAME TO x"),
    "view_stands_in": Example("CREATE VIEW v AS SELECT * FROM t"),
    "view_as_invoker": Example("CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM t"),
    "drop_view": Example("DROP VIEW v", setup="CREATE VIEW v AS SELECT * FROM t", table="v"),
    "set_default": Example("ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x'"),
    "drop_default": Example("ALTER TABLE t ALTER COLUMN c DROP DEFAULT"),
    "set_type_free": Example(
        "ALTER TABLE t ALTER COLUMN v TYPE varchar(20)",
        setup="ALTER TABLE t ADD COLUMN v varchar(10)",
    ),
    "set_type_rewrite": Example("ALTER TABLE t ALTER COLUMN a TYPE bigint"),
    "set_not_null_proven": Example(
        "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
        setup="ALTER TABLE t ADD CONSTRAINT b_is_there CHECK (b IS NOT NULL)",
    ),
    "drop_not_null": Example("ALTER TABLE t ALTER COLUMN a DROP NOT NULL"),
    "add_check_not_valid": Example("ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) NOT VALID"),
    "comment": Example("COMMENT ON COLUMN t.b IS 'x'"),
    "create_table": Example("CREATE TABLE x (id bigint PRIMARY KEY)", table="x", new=True),
    "create_table_references": Example(
        "CREATE TABLE x (p bigint REFERENCES parent (id))", table="parent"
    ),
    "drop_table": Example("DROP TABLE t", ddl=False),
    "drop_table_references": Example(
        "DROP TABLE t",
        setup="ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id)",
        table="parent",
    ),
    "validate_check": Example(
        "ALTER TABLE t VALIDATE CONSTRAINT x",
        setup="ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) NOT VALID",
    ),
    "add_foreign_key_not_valid": Example(
        "ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id) NOT VALID"
    ),
    "validate_foreign_key": Example(
        "ALTER TABLE t VALIDATE CONSTRAINT x",
        setup="ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id) NOT VALID",
    ),
    "validate_foreign_key_parent": Example(
        "ALTER TABLE t VALIDATE CONSTRAINT x",
        setup="ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id) NOT VALID",
        table="parent",
    ),
    "drop_constraint": Example(
        "ALTER TABLE t DROP CONSTRAINT x", setup="ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0)"
    ),
    "rename_constraint": Example(
        "ALTER TABLE t RENAME CONSTRAINT x TO y",
        setup="ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0)",
    ),
    "rename_not_null": Example(
        "ALTER TABLE t RENAME CONSTRAINT t_b_not_null TO y",
        setup="ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    ),
    # Its lock is on the index: the table is not touched.
    "rename_index": Example(
        "ALTER INDEX x RENAME TO y", setup="CREATE INDEX x ON t (b)", table="x"
    ),
    "create_index": Example("CREATE INDEX x ON t (b)"),
    "create_index_online": Example("CREATE INDEX CONCURRENTLY x ON t (b)"),
    "drop_index": Example("DROP INDEX x", setup="CREATE INDEX x ON t (b)"),
    "drop_index_online": Example("DROP INDEX CONCURRENTLY x", setup="CREATE INDEX x ON t (b)"),
    "unique_using_index": Example(
        "ALTER TABLE t ADD CONSTRAINT x UNIQUE USING INDEX x",
        setup="CREATE UNIQUE INDEX x ON t (b)",
    ),
    "create_trigger": Example(f"CREATE TRIGGER x {TRIGGER}"),
    "trigger_sets_new": Example(f"CREATE TRIGGER x {TRIGGER}"),
    "drop_trigger": Example("DROP TRIGGER x ON t", setup=f"CREATE TRIGGER x {TRIGGER}"),
    "update_batch": Example("UPDATE t SET b = 'x' WHERE id = 1", ddl=False),
    "update_all": Example("UPDATE t SET b = 'x'", ddl=False),
    "write_few": Example("INSERT INTO t (id, a) VALUES (2000, 1)", ddl=False),
    "page_range": Example("SELECT FROM t WHERE ctid >= '(1,0)' AND ctid < '(2,0)'", ddl=False),
    "scan": Example("SELECT count(*) FROM t"),
}

BLOCKS = {
    "ACCESS EXCLUSIVE": "everything",
    "SHARE ROW EXCLUSIVE": "writes",
    "SHARE": "writes",
    "SHARE UPDATE EXCLUSIVE": "ddl",
    "ROW EXCLUSIVE": "rows",
    "ROW SHARE": "nothing",
    "ACCESS SHARE": "nothing",
}


@pytest.mark.parametrize("server", ["pg12", "pg15", "pg18"])
def test_facts(server: str, running: Servers, tmp_path: Path) -> None:
    projects.programs()
    postgres = running.get(server)
    rows = ask(postgres.version, tmp_path)
    database = postgres.create(tmp_path)
    wrong = [
        f"{row['action']}: {complaint}" for row in rows for complaint in complaints(database, row)
    ]
    database.drop()
    assert rows
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("server", ["pg12", "pg15", "pg18"])
def test_page_range(server: str, running: Servers, tmp_path: Path) -> None:
    """Where the facts say so, and only there, a range of addresses reads no other page."""
    projects.programs()
    postgres = running.get(server)
    told = "page_range" in {row["action"] for row in ask(postgres.version, tmp_path)}
    database = postgres.create(tmp_path)
    database.script(facts.WORLD)
    plan = database.rows("EXPLAIN " + EXAMPLES["page_range"].statement)
    database.drop()
    assert told == any("Tid Range Scan" in line for (line,) in plan), plan


def complaints(database: PostgresDatabase, row: dict[str, str]) -> Iterator[str]:
    """What the server says against one fact."""
    example = EXAMPLES.get(row["action"])
    if example is None:
        yield "no example"
        return
    seen = facts.observe(database, example)
    transaction = "inside" if seen.in_transaction else "outside"
    if row["transaction"] != transaction:
        yield f"says it runs {row['transaction']} a transaction, and it runs {transaction}"
    if row["lock"] != seen.lock:
        yield f"says {row['lock']}, takes {seen.lock}"
    # Nobody waits for a table that nobody knows yet.
    blocks = "nothing" if example.new else BLOCKS.get(seen.lock or "")
    if row["blocks"] != blocks:
        yield f"says it blocks {row['blocks']}, with {seen.lock}"
    work = "rewrite" if seen.rewrites else "scan" if seen.reads else "metadata"
    if example.ddl and seen.reads is not None and row["work"] != work:
        yield f"says {row['work']}, does {work}"


def ask(version: str, folder: Path) -> list[dict[str, str]]:
    command = [str(miggen.PROGRAM), "facts", f"--server={version}", "--format=json"]
    done = attempt(command, folder, environment(folder))
    assert done.returncode == 0, describe(done, folder)
    return json.loads(done.stdout)["facts"]


# One of each kind of which something is known, and two of a kind.
TYPES = (
    *("smallint", "bigint", "numeric(9, 2)", "double precision", "text", "varchar(9)", "char(9)"),
    *("uuid", "boolean", "date", "timestamp", "timestamptz", "time", "interval", "inet", "cidr"),
    *("bytea", "jsonb"),
)


@pytest.mark.parametrize("server", ["pg12", "pg15", "pg18"])
def test_types_of_foreign_keys(server: str, running: Servers, tmp_path: Path) -> None:
    """A key is planned between the types between which the server makes one."""
    projects.programs()
    project = projects.create(projects.TARGETS["raw"], running.get(server), tmp_path)
    names = {ty: f"p{number}" for number, ty in enumerate(TYPES)}
    schema = "\n".join(f"CREATE TABLE {name} (id {ty} UNIQUE);" for ty, name in names.items())
    (project.root / "schema.sql").write_text(schema)
    project.database.script(schema)
    wrong = []
    with project.database.connect() as connection:
        for one, (other, parent) in itertools.product(TYPES, names.items()):
            change = f"CREATE TABLE c (x {one} REFERENCES {parent} (id))"
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(change)
                takes = True
            except psycopg.errors.DatatypeMismatch:
                takes = False
            plans = miggen.call(project, *miggen.arguments(project), "--dry-run", change)
            if (plans.returncode == 0) != takes:
                wrong.append(f"{one} to {other}: {plans.stdout}")
    project.database.drop()
    assert not wrong
