"""miggen's tables of facts, held against the servers they speak of, row by row.

A row of `miggen facts` without an example here fails: a fact nobody checked is a rumour.
"""

import json
from pathlib import Path

import pytest

import facts
import miggen
import projects
from facts import Example
from servers import Servers
from shell import attempt, describe, environment

# By the name of the action.
EXAMPLES = {
    "add_column": Example("ALTER TABLE t ADD COLUMN x text"),
    "add_column_constant_default": Example("ALTER TABLE t ADD COLUMN x text DEFAULT 'x'"),
    "add_column_volatile_default": Example(
        "ALTER TABLE t ADD COLUMN x double precision DEFAULT random()"
    ),
    "drop_column": Example("ALTER TABLE t DROP COLUMN b"),
    "rename_column": Example("ALTER TABLE t RENAME COLUMN b TO x"),
    "set_default": Example("ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x'"),
    "drop_default": Example("ALTER TABLE t ALTER COLUMN c DROP DEFAULT"),
    "set_not_null": Example("ALTER TABLE t ALTER COLUMN b SET NOT NULL"),
    "set_not_null_proven": Example(
        "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
        setup="ALTER TABLE t ADD CONSTRAINT b_is_there CHECK (b IS NOT NULL)",
    ),
    "drop_not_null": Example("ALTER TABLE t ALTER COLUMN a DROP NOT NULL"),
    "add_check": Example("ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0)"),
    "add_check_not_valid": Example("ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) NOT VALID"),
    "validate_check": Example(
        "ALTER TABLE t VALIDATE CONSTRAINT x",
        setup="ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) NOT VALID",
    ),
    "add_foreign_key": Example(
        "ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id)"
    ),
    "add_foreign_key_not_valid": Example(
        "ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id) NOT VALID"
    ),
    "validate_foreign_key": Example(
        "ALTER TABLE t VALIDATE CONSTRAINT x",
        setup="ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES parent (id) NOT VALID",
    ),
    "drop_constraint": Example(
        "ALTER TABLE t DROP CONSTRAINT x", setup="ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0)"
    ),
    "create_index": Example("CREATE INDEX x ON t (b)"),
    "create_index_concurrently": Example("CREATE INDEX CONCURRENTLY x ON t (b)"),
    "drop_index": Example("DROP INDEX x", setup="CREATE INDEX x ON t (b)"),
    "drop_index_concurrently": Example(
        "DROP INDEX CONCURRENTLY x", setup="CREATE INDEX x ON t (b)"
    ),
    "add_unique_using_index": Example(
        "ALTER TABLE t ADD CONSTRAINT x UNIQUE USING INDEX x",
        setup="CREATE UNIQUE INDEX x ON t (b)",
    ),
    "add_unique": Example("ALTER TABLE t ADD CONSTRAINT x UNIQUE (b)"),
    "create_trigger": Example(
        "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "drop_trigger": Example(
        "DROP TRIGGER x ON t",
        setup="CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    "update": Example("UPDATE t SET b = 'x' WHERE id = 1"),
    "drop_table": Example("DROP TABLE t"),
    "rename_table": Example("ALTER TABLE t RENAME TO x"),
}


@pytest.mark.parametrize("server", ["pg12", "pg15", "pg18"])
def test_facts(server: str, running: Servers, tmp_path: Path) -> None:
    projects.programs()
    postgres = running.get(server)
    rows = ask(postgres.version, tmp_path)
    database = postgres.create(tmp_path)
    wrong = []
    for row in rows:
        example = EXAMPLES.get(row["action"])
        if example is None:
            wrong.append(f"{row['action']}: no example")
            continue
        seen = facts.observe(database, example)
        if seen.in_transaction != row["transaction"]:
            wrong.append(f"{row['action']}: says transaction {row['transaction']}, is not so")
        elif seen.in_transaction and seen.lock != row["lock"]:
            wrong.append(f"{row['action']}: says {row['lock']}, takes {seen.lock}")
        elif seen.rewrites != (row["work"] == "rewrite"):
            wrong.append(f"{row['action']}: says {row['work']}, rewrites: {seen.rewrites}")
        elif seen.reads and row["work"] not in ("scan", "build", "rewrite"):
            wrong.append(f"{row['action']}: says {row['work']}, and reads the table")
    database.drop()
    assert rows
    assert not wrong, "\n".join(wrong)


def ask(version: str, folder: Path) -> list[dict]:
    command = [str(miggen.PROGRAM), "facts", f"--server={version}", "--format=json"]
    done = attempt(command, folder, environment(folder))
    assert done.returncode == 0, describe(done, folder)
    return json.loads(done.stdout)
