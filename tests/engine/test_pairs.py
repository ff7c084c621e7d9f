"""Two changes of one script that meet in a column: carried out, or refused with a place."""

import pytest

import hard
from hard import Lay, planned

SCHEMA = """
    CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE t (id int PRIMARY KEY, a text, b int, c text NOT NULL,
        CONSTRAINT t_b CHECK (b > 0), CONSTRAINT t_c_key UNIQUE (c));
    CREATE INDEX t_1 ON t (c);
    CREATE INDEX t_2 ON t (a);
    CREATE INDEX t_3 ON t (b, a);
    CREATE INDEX t_4 ON t (id, b);
    COMMENT ON COLUMN t.a IS 'before';
"""
ROWS = """
    INSERT INTO p SELECT generate_series(1, 40);
    INSERT INTO t SELECT n, CASE WHEN n % 3 > 0 THEN 'Name ' || n END, n, 'c' || n
    FROM generate_series(1, 40) AS n
"""

# What lasts longer than one deploy, by the name that the column has afterwards.
LASTING = {
    "rename": ("ALTER TABLE t RENAME COLUMN a TO x", "x"),
    "type": ("ALTER TABLE t ALTER COLUMN a TYPE varchar(60)", "a"),
    "drop": ("ALTER TABLE t DROP COLUMN a", None),
}
OTHERS = {
    "rename": "ALTER TABLE t RENAME COLUMN {} TO y",
    "type": "ALTER TABLE t ALTER COLUMN {} TYPE varchar(90)",
    "drop": "ALTER TABLE t DROP COLUMN {}",
    "free_type": "ALTER TABLE t ALTER COLUMN {} TYPE varchar",
    "require": "UPDATE t SET {0} = '' WHERE {0} IS NULL;"
    " ALTER TABLE t ALTER COLUMN {0} SET NOT NULL",
    "set_default": "ALTER TABLE t ALTER COLUMN {} SET DEFAULT 'new'",
    "drop_default": "ALTER TABLE t ALTER COLUMN {} DROP DEFAULT",
    "check": "ALTER TABLE t ADD CONSTRAINT t_new CHECK ({} <> 'bad')",
    "unique": "ALTER TABLE t ADD CONSTRAINT t_new UNIQUE ({})",
    "create_index": "CREATE INDEX t_new ON t ({})",
    "create_expression_index": "CREATE INDEX t_new ON t (lower({}))",
    "create_other_index": "CREATE INDEX t_new ON t (b)",
    "drop_index": "DROP INDEX t_2",
    "drop_shared_index": "DROP INDEX t_3",
    "drop_other_index": "DROP INDEX t_1",
    "comment": "COMMENT ON COLUMN t.{} IS 'after'",
    "comment_index": "COMMENT ON INDEX t_2 IS 'after'",
    "update": "UPDATE t SET {0} = 'was null' WHERE {0} IS NULL",
    "delete": "DELETE FROM t WHERE {} = 'Name 7'",
    "insert": "INSERT INTO t (id, {}, b, c) VALUES (99, 'new', 99, 'c99')",
    "derive": "ALTER TABLE t ADD COLUMN low text; UPDATE t SET low = lower({})",
    "add_old_name": "ALTER TABLE t ADD COLUMN a int",
    "rename_other": "ALTER TABLE t RENAME COLUMN b TO y",
    "rename_to_old_name": "ALTER TABLE t RENAME COLUMN c TO a",
    "type_other": "ALTER TABLE t ALTER COLUMN b TYPE bigint",
    "drop_other": "ALTER TABLE t DROP COLUMN b",
    "drop_unique": "ALTER TABLE t DROP CONSTRAINT t_c_key",
    "drop_check": "ALTER TABLE t DROP CONSTRAINT t_b",
    "references": "ALTER TABLE t ADD CONSTRAINT t_new FOREIGN KEY (b) REFERENCES p (id)",
}
WITHOUT_NAME = {name for name, text in OTHERS.items() if "{" not in text}


def scripts() -> dict[str, str]:
    found = {}
    for lasting, (change, name) in LASTING.items():
        for other, text in OTHERS.items():
            if other != "rename_to_old_name" and other != "add_old_name":
                found[f"{other}-{lasting}"] = f"{text.format('a')}; {change}"
            if name or other in WITHOUT_NAME:
                found[f"{lasting}-{other}"] = f"{change}; {text.format(name)}"
    return found


@pytest.mark.parametrize("change", scripts().values(), ids=scripts())
def test_pair(lay: Lay, change: str) -> None:
    project = lay(SCHEMA, ROWS)
    if not runs(project, change):
        assert planned(project, change) is None
    elif rollout := planned(project, change):
        hard.walk(project, rollout, change, writes_rows=True)


def runs(project: hard.Project, change: str) -> bool:
    """Whether the server itself takes the script."""
    copy = project.database.copy()
    try:
        copy.script(change)
    except Exception:
        return False
    finally:
        copy.drop()
    return True
