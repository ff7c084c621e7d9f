"""Hard cases of types: which changes are free, what values lose, what the default becomes."""

import re

import psycopg
import pytest

import hard
import miggen
import rollouts
from hard import (
    PLAIN,
    RENAME,
    ROWS,
    TO_VARCHAR,
    Lay,
    again,
    carried,
    fails,
    filenode,
    on_all,
    refusal,
)
from projects import Project
from shell import CommandFailed


def test_hc10_default_fits(lay: Lay) -> None:
    carried(
        lay(PLAIN.replace("n int", "n int NOT NULL DEFAULT 7"), ROWS),
        "ALTER TABLE t ALTER COLUMN n TYPE bigint",
    )
    # The default's constant is of the new type as well, where the server would keep a cast.
    naive = f"{TO_VARCHAR}; ALTER TABLE t ALTER COLUMN name SET DEFAULT 'none'"
    schema = PLAIN.replace("name text", "name text NOT NULL DEFAULT 'none'")
    carried(lay(schema, ROWS), TO_VARCHAR, naive)


def test_hc17_collation(lay: Lay) -> None:
    project = lay(f"{PLAIN} CREATE INDEX t_name ON t (name)", ROWS)
    carried(project, 'ALTER TABLE t ALTER COLUMN name TYPE text COLLATE "C"')


def test_hc18_text_and_enum(lay: Lay) -> None:
    schema = "CREATE TYPE mood AS ENUM ('fine', 'it''s; ok'); CREATE TABLE t (id int PRIMARY KEY,"
    rows = "INSERT INTO t SELECT n, 'fine' FROM generate_series(1, 50) AS n"
    carried(
        lay(f"{schema} m text NOT NULL)", rows),
        "-- miggen: back m = m::text\nALTER TABLE t ALTER COLUMN m TYPE mood USING m::mood",
    )
    carried(lay(f"{schema} m mood NOT NULL)", rows), "ALTER TABLE t ALTER COLUMN m TYPE text")


def test_hc18_a_text_that_was_no_label(lay: Lay) -> None:
    """The enum became text to hold more: the way back after the contract leaves such rows out."""
    project = lay(
        "CREATE TYPE state AS ENUM ('new', 'done');"
        "CREATE TABLE t (id int PRIMARY KEY, state state NOT NULL DEFAULT 'new')",
        "INSERT INTO t SELECT n FROM generate_series(1, 50) AS n",
    )
    rollout = hard.run(project, "ALTER TABLE t ALTER COLUMN state TYPE text")
    rollouts_run = [rollout]
    while not rollout.is_last:
        rollout = hard.following(project, rollout)
        hard.take(project, rollout)
        rollouts_run.append(rollout)
    project.database.script("UPDATE t SET state = 'paused' WHERE id = 5")
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    found = project.database.rows("SELECT state, state_old FROM t WHERE id IN (4, 5) ORDER BY id")
    assert found == [("new", "new"), ("paused", None)]
    switch = next(s for s in rollouts_run[-2].deploy.steps if s.slug == "switch")
    with pytest.raises(CommandFailed, match="1 rows of t hold what state cannot"):
        rollouts.down(project, switch)


@pytest.mark.parametrize(
    ("old", "change"),
    [
        ("int NOT NULL DEFAULT 0", "boolean USING m <> 0"),
        ("text DEFAULT 'fine'::text", "mood USING m::mood"),
    ],
)
def test_hc18_a_default_that_no_cast_makes(lay: Lay, old: str, change: str) -> None:
    """The naive statement fails at once; the switch would fail after the release."""
    project = lay(
        f"CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE t (id int PRIMARY KEY, m {old})"
    )
    with pytest.raises(psycopg.errors.DatatypeMismatch):
        project.database.script(f"ALTER TABLE t ALTER COLUMN m TYPE {change}")
    hint = f"-- miggen: back m = m::{old.split()[0]}\n"
    said = refusal(project, f"{hint}ALTER TABLE t ALTER COLUMN m TYPE {change}")
    assert "the default of `m` is" in said


@on_all
def test_hc18_an_enum_becomes_text_and_keeps_its_default(lay: Lay) -> None:
    """As one writes it who runs it by hand: the server cannot cast the default of an enum."""
    schema = "CREATE TYPE mood AS ENUM ('fine', 'sad');" + PLAIN.replace(
        "name text", "name mood NOT NULL DEFAULT 'fine'"
    )
    carried(
        lay(schema, "INSERT INTO t (id) VALUES (1); INSERT INTO t VALUES (2, 'sad')"),
        "ALTER TABLE t ALTER name DROP DEFAULT, ALTER name TYPE text USING name::text, "
        "ALTER name SET DEFAULT 'fine'",
    )


@pytest.mark.parametrize("default", ["", " DEFAULT 'fine'"])
@pytest.mark.parametrize("then", ["", "SET DEFAULT 'it''s; ok'"])
def test_hc10_18_default_of_either_type(lay: Lay, default: str, then: str) -> None:
    """As the manual has it: the default is dropped, the type changes, a default is set."""
    project = lay(
        "CREATE TYPE mood AS ENUM ('fine', 'it''s; ok');"
        f"CREATE TABLE t (id int PRIMARY KEY, m text NOT NULL{default}, n int DEFAULT 1)",
        "INSERT INTO t SELECT n, 'fine' FROM generate_series(1, 50) AS n",
    )
    column = "ALTER TABLE t ALTER COLUMN {} {};"
    script = column.format("m", "DROP DEFAULT") if default else ""
    script += "\n-- miggen: back m = m::text\n" + column.format("m", "TYPE mood USING m::mood")
    script += column.format("m", then) if then else ""
    carried(project, script)
    wider = column.format("n", "TYPE bigint") + column.format("n", "SET DEFAULT 7")
    carried(project, wider)


FREE = [
    ("varchar(10)", "varchar(20)"),
    ("varchar(10)", "text"),
    ("numeric(8, 2)", "numeric(12, 2)"),
]


DEAR = [
    ("char(10)", "varchar(20)"),
    ("varchar(20)", "varchar(10)"),
    ("numeric(8, 2)", "numeric(12, 3)"),
    ("int", "bigint"),
]


@on_all
def test_hc20_free_or_not(lay: Lay) -> None:
    """What the server does in its catalog is done at once and moves no row; all else by a copy."""
    columns = ", ".join(f"f{n} {old}" for n, (old, _) in enumerate(FREE))
    dear = ", ".join(f"d{n} {old}" for n, (old, _) in enumerate(DEAR))
    project = lay(f"CREATE TABLE t (id int PRIMARY KEY, {columns}, {dear})")
    project.database.script("INSERT INTO t (id, f0, d0, d3) VALUES (1, 'a', 'b', 7)")
    before = filenode(project)
    for number, (_, new) in enumerate(FREE):
        rollout = hard.run(project, f"ALTER TABLE t ALTER COLUMN f{number} TYPE {new}")
        assert len(rollout.deploys) == 1 and rollout.is_last
        assert filenode(project) == before, new
        again(project)
    for number, (_, new) in enumerate(DEAR):
        rollout = hard.run(project, f"ALTER TABLE t ALTER COLUMN d{number} TYPE {new}")
        assert len(rollout.deploys) == 3, new
        assert filenode(project) == before, new
        project.database.script(f"ALTER TABLE t ALTER COLUMN d{number} TYPE {new}")
        assert filenode(project) != before, f"{new} would have been free"
        before = filenode(project)


def test_hc21_narrowing_is_found_before(lay: Lay) -> None:
    """What a cast would cut off or refuse is counted before anything is changed."""
    project = lay(PLAIN, f"{ROWS}; UPDATE t SET name = repeat('x', 60), n = 70000 WHERE id = 7")
    said = fails(project, miggen.plan(project, TO_VARCHAR))
    assert "1 rows of t hold what varchar(50) cannot give back: mend them first" in said
    project = lay(PLAIN, f"{ROWS}; UPDATE t SET n = 70000 WHERE id = 7")
    said = fails(project, miggen.plan(project, "ALTER TABLE t ALTER COLUMN n TYPE smallint"))
    assert "smallint out of range" in said


@pytest.mark.parametrize("change", [RENAME, TO_VARCHAR])
def test_hc102_back_from_the_last_deploy(lay: Lay, change: str) -> None:
    """The way back after the contract, with values written since: they stay."""
    project = lay(PLAIN.replace("name text", "name text NOT NULL"), ROWS)
    rollout = hard.run(project, change)
    while not rollout.is_last:
        rollout = hard.following(project, rollout)
        hard.take(project, rollout)
    new = "label" if change == RENAME else "name"
    project.database.script(f"UPDATE t SET {new} = 'later' WHERE id = 5")
    project.database.script(f"INSERT INTO t (id, {new}) VALUES (1001, 'last')")
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    project.database.script("UPDATE t SET n = 1 WHERE id IN (4, 5, 1001)")
    found = project.database.rows(f"SELECT name, {new} FROM t WHERE id IN (4, 5, 1001) ORDER BY id")
    assert found == [("Name 4",) * 2, ("later",) * 2, ("last",) * 2]
    project.database.script("UPDATE t SET name = 'old code' WHERE id = 6")
    assert project.database.rows(f"SELECT {new} FROM t WHERE id = 6") == [("old code",)]
    hard.take(project, rollout)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("TYPE jsonb USING name::jsonb", '{"k": 1}'),
        ("TYPE boolean USING name::boolean", "true"),
        ("TYPE int USING name::int", "7"),
    ],
)
def test_a_cast_in_a_window(lay: Lay, change: str, value: str) -> None:
    """The server casts text to nothing by itself: there and back the file says how."""
    project = lay(PLAIN, f"INSERT INTO t (id, name) VALUES (1, '{value}')")
    said = f"ALTER TABLE t ALTER COLUMN name {change}"
    before, rows = rollouts.schema(project), hard.contents(project)
    rollout = miggen.plan(project, said, "--downtime=5m")
    hard.take(project, rollout)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    assert (rollouts.schema(project), hard.contents(project)) == (before, rows)


ASSIGNED = (
    ("smallint", "int", "bigint", "numeric", "real", "float8"),
    ("date", "timestamp", "timestamptz"),
)


@on_all
@pytest.mark.parametrize("group", ASSIGNED, ids=lambda group: group[0])
def test_types_that_the_server_casts_by_itself(lay: Lay, group: tuple[str, ...]) -> None:
    """No USING between them; to text and back it stands where it must: it runs, both ways."""
    pairs = [(a, b) for a in group for b in (*group, "text") if a != b]
    columns = "".join(f", c{n} {old}" for n, (old, _) in enumerate(pairs))
    value = "'2024-01-02'" if group[0] == "date" else "7"
    rows = f"INSERT INTO t VALUES (1{''.join(f', {value}' for _ in pairs)})"
    project = lay(f"CREATE TABLE t (id int PRIMARY KEY{columns});", rows)
    change = ", ".join(f"ALTER c{n} TYPE {new}" for n, (_, new) in enumerate(pairs))
    before = rollouts.schema(project)
    rollout = miggen.plan(project, f"ALTER TABLE t {change}", "--downtime=5m")
    hard.take(project, rollout)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    assert rollouts.schema(project) == before


@pytest.mark.parametrize(
    ("ty", "value"),
    [("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), ("int", "007")],
)
def test_a_value_that_comes_back_another_way(lay: Lay, ty: str, value: str) -> None:
    """Not without being asked; but a way back that is said is the way back."""
    schema = PLAIN.replace("name text", "name text NOT NULL")
    change = f"ALTER TABLE t ALTER COLUMN name TYPE {ty} USING name::{ty}"
    rows = f"INSERT INTO t (id, name) VALUES (1, '{value}')"
    project = lay(schema, rows)
    assert f"hold what {ty} cannot give back" in fails(project, miggen.plan(project, change))
    hard.arrives(lay(schema, rows), f"-- miggen: back name = name::text\n{change}")


@pytest.mark.parametrize(("ty", "value"), [("jsonb", '{"k":1}'), ("inet", "10.0.0.1")])
def test_a_type_that_always_writes_another_way(lay: Lay, ty: str, value: str) -> None:
    project = lay(PLAIN, f"INSERT INTO t (id, name) VALUES (1, '{value}')")
    change = f"ALTER TABLE t ALTER COLUMN name TYPE {ty} USING name::{ty}"
    assert "would come back written another way" in refusal(project, change)
    hard.arrives(project, f"-- miggen: back name = name::text\n{change}")


COMPUTED = """
    CREATE TABLE t (
        id int PRIMARY KEY, a int NOT NULL CONSTRAINT t_a CHECK (a >= 0), b int,
        name varchar(20) CONSTRAINT t_name CHECK (name <> ''), code varchar(9), state text,
        CONSTRAINT t_ab CHECK (a <= b OR b IS NULL), CONSTRAINT t_once UNIQUE (b, name)
    );
    COMMENT ON CONSTRAINT t_a ON t IS 'never less';
    CREATE INDEX t_part ON t (a DESC) WHERE state = 'x' AND a > 5;
    CREATE INDEX t_sum ON t ((a + b));
    CREATE UNIQUE INDEX t_lower ON t (lower(code)) WHERE state <> 'y';
    CREATE INDEX t_state ON t (state) INCLUDE (b) WHERE code IS NOT NULL;
"""
COMPUTED_ROWS = (
    "INSERT INTO t SELECT n, n, n + 1, 'n' || n, 'C' || n, 'x' FROM generate_series(1, 90) AS n"
)


@on_all
@pytest.mark.parametrize(
    ("column", "ty"),
    [
        ("a", "bigint"),
        ("b", "numeric"),
        ("name", "varchar(40)"),
        ("name", "text"),
        ("code", "text"),
    ],
)
def test_hc06_what_computes_with_a_column(lay: Lay, column: str, ty: str) -> None:
    """CHECKs, indexes with conditions or expressions, keys of several columns: all come along."""
    project = lay(COMPUTED, COMPUTED_ROWS)
    deploys = carried(project, f"ALTER TABLE t ALTER COLUMN {column} TYPE {ty}")
    # Nothing stands on the column that the server would have to build again or look through.
    assert (len(deploys) == 1) == (column == "name")


@on_all
def test_hc06_a_check_holds_at_every_moment(lay: Lay) -> None:
    project = lay(COMPUTED, COMPUTED_ROWS)
    rollout = miggen.plan(project, "ALTER TABLE t ALTER COLUMN a TYPE bigint")
    while True:
        for step in rollout.deploy.steps:
            rollouts.up(project, step)
            with pytest.raises(psycopg.errors.CheckViolation):
                project.database.script("INSERT INTO t (id, a, b) VALUES (500, -1, 2)")
            with pytest.raises(psycopg.errors.CheckViolation):
                project.database.script("UPDATE t SET a = 90 WHERE id = 3")
        if rollout.is_last:
            break
        rollout = hard.following(project, rollout)


@on_all
@pytest.mark.parametrize(
    ("column", "ty", "what"),
    [("a", "text USING a::text", "t_a"), ("code", "bytea USING code::bytea", "t_lower")],
)
def test_hc06_what_another_type_would_make_another(
    lay: Lay, column: str, ty: str, what: str
) -> None:
    said = refusal(lay(COMPUTED), f"ALTER TABLE t ALTER COLUMN {column} TYPE {ty}")
    assert what in said


@on_all
@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("text", "timestamptz", "2024-01-02 03:04:05"),
        ("date", "timestamptz", "2024-01-02"),
        ("timestamptz", "date", "2024-01-02 00:00:00+00"),
        ("timestamptz", "timestamp", "2024-01-02 03:04:05+00"),
    ],
)
def test_a_time_zone_that_the_hint_says(lay: Lay, old: str, new: str, value: str) -> None:
    """Nobody's session decides; what is said instead is taken by the server, both ways."""
    schema = f"CREATE TABLE t (id int PRIMARY KEY, ts {old});"
    project = lay(schema, f"INSERT INTO t VALUES (1, '{value}'), (2, NULL)")
    change = f"ALTER TABLE t ALTER COLUMN ts TYPE {new}"
    said = refusal(project, change)
    found = re.search(r"hint: (-- miggen: back ts = .*?) before … .*(USING .*)", said)
    assert found, said
    carried(project, f"{found[1]}\n{change} {found[2]}")


def told(project: Project, sql: str) -> list[str]:
    """What the server says of its work while it carries out a statement."""
    heard: list[str] = []
    with project.database.connect() as connection:
        connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        connection.execute("SET client_min_messages = debug1")
        connection.execute(sql)
    return heard


@on_all
@pytest.mark.parametrize(("old", "new"), FREE, ids=lambda ty: ty)
def test_hc20_free_at_both_ends_of_a_foreign_key(lay: Lay, old: str, new: str) -> None:
    """The server makes the key again, and compares no row for that."""
    schema = f"""
        CREATE TABLE l (code {old} PRIMARY KEY, n int);
        CREATE TABLE t (id int PRIMARY KEY, code {old} NOT NULL REFERENCES l (code));
        CREATE INDEX t_code ON t (code);
    """
    rows = (
        "INSERT INTO l SELECT n, n FROM generate_series(1, 30) n;"
        "INSERT INTO t SELECT n, n FROM generate_series(1, 30) n"
    )
    both = [f"ALTER TABLE {table} ALTER COLUMN code TYPE {new}" for table in ("l", "t")]
    for change in (*both, "; ".join(both)):
        (rollout,) = carried(lay(schema, rows), change)
        assert set(rollout.deploy.steps[0].locks) == {"l", "t"}
        project = lay(schema, rows)
        files = [filenode(project, name) for name in ("l", "t", "l_pkey", "t_code")]
        heard = told(project, change)
        assert not [said for said in heard if "verifying" in said or "validating" in said]
        assert [filenode(project, name) for name in ("l", "t", "l_pkey", "t_code")] == files
