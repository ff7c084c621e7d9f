"""Hard cases of columns: what hangs on a column, and what happens around it meanwhile."""

import re

import psycopg
import pytest

import hard
import miggen
import rollouts
from hard import Lay, beside, carried, contents, refusal
from miggen import Rollout
from projects import Project
from shell import CommandFailed

ROWS = "INSERT INTO t (id, name) SELECT n, 'Name ' || n FROM generate_series(1, 300) AS n"
TO_VARCHAR = "ALTER TABLE t ALTER COLUMN name TYPE varchar(50)"
RENAME = "ALTER TABLE t RENAME COLUMN name TO label"
DROP = "ALTER TABLE t DROP COLUMN name"
PLAIN = "CREATE TABLE t (id int PRIMARY KEY, name text, n int);"

on_all = pytest.mark.parametrize("lay", ["pg12", "pg15", "pg18"], indirect=True)
on_sqlite = pytest.mark.parametrize("lay", ["sqlite"], indirect=True)

# What hangs on a column and is not the column's own: by number, schema, and how it is named.
IN_THE_WAY = [
    ("01", "CREATE VIEW v AS SELECT id, name FROM t", "the view v"),
    ("02", "CREATE MATERIALIZED VIEW v AS SELECT upper(name) AS u FROM t", "the view v"),
    ("03", "CREATE VIEW v AS SELECT * FROM t", "the view v"),
    (
        "04",
        "ALTER TABLE t ADD COLUMN g text GENERATED ALWAYS AS (upper(name)) STORED",
        "the generated column g",
    ),
    (
        "24",
        "CREATE POLICY p ON t USING (name = current_user); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "the policy p",
    ),
    (
        "96",
        "ALTER TABLE t ADD COLUMN v tsvector; CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON t"
        " FOR EACH ROW EXECUTE FUNCTION"
        " tsvector_update_trigger(v, 'pg_catalog.english', name)",
        "the trigger fill",
    ),
]


@pytest.mark.parametrize(("number", "more", "named"), IN_THE_WAY, ids=lambda v: v[:2])
def test_hc01_to_04_24_96_in_the_way(lay: Lay, number: str, more: str, named: str) -> None:
    """What stands on a column is named, not lost; a rename takes along what follows by itself."""
    project = lay(f"{PLAIN} {more}", ROWS)
    for change in (TO_VARCHAR, DROP, f"{DROP} CASCADE"):
        assert f"`name` is used by {named}" in refusal(project, change), change
    if number == "96":
        assert "the trigger fill names `name`" in refusal(project, RENAME)
    else:
        carried(project, RENAME)


def test_hc05_indexes(lay: Lay) -> None:
    """Keys of several columns, directions, INCLUDE come along; expressions are refused or moved."""
    indexes = """
        CREATE INDEX t_several ON t (n, name DESC NULLS LAST);
        CREATE INDEX t_include ON t (n) INCLUDE (name);
        CREATE UNIQUE INDEX t_unique ON t (name text_pattern_ops, id);
    """
    project = lay(PLAIN + indexes, ROWS)
    carried(project, TO_VARCHAR)
    carried(lay(PLAIN + indexes, ROWS), RENAME)
    for index in ("(lower(name))", "(n) WHERE name <> ''"):
        schema = f"{PLAIN} CREATE INDEX t_index ON t {index};"
        project = lay(schema, ROWS)
        assert "the index t_index computes with it" in refusal(project, TO_VARCHAR)
        carried(project, RENAME)
        carried(lay(schema, ROWS), DROP)


def test_hc06_unique(lay: Lay) -> None:
    """A unique constraint keeps its name, and its index too."""
    schema = PLAIN.replace("name text", "name text UNIQUE")
    carried(lay(schema, ROWS), TO_VARCHAR)
    carried(lay(schema, ROWS), RENAME)
    carried(lay(schema, ROWS), DROP)


KEYED = """
    CREATE TABLE p (a int, b int, c int UNIQUE, PRIMARY KEY (a, b));
    CREATE TABLE t (id int PRIMARY KEY, a int, b int, up int, c int,
        CONSTRAINT t_p FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL ON UPDATE CASCADE,
        CONSTRAINT t_up FOREIGN KEY (up) REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT t_c FOREIGN KEY (c) REFERENCES p ON DELETE SET NULL);
    COMMENT ON CONSTRAINT t_p ON t IS 'both or none';
    COMMENT ON CONSTRAINT p_pkey ON p IS 'the pair';
""".replace("REFERENCES p ON", "REFERENCES p (c) ON")
KEYED_ROWS = """
    INSERT INTO p SELECT n, -n, n * 2 FROM generate_series(1, 200) AS n;
    INSERT INTO t SELECT n, n, -n, n, n * 2 FROM generate_series(1, 200) AS n;
"""


@on_all
@pytest.mark.parametrize("column", ["t.b", "t.up", "t.c", "t.id", "p.a", "p.b", "p.c"])
def test_hc07_08_09_foreign_keys(lay: Lay, column: str) -> None:
    """Foreign keys at either end come along: composite, to oneself, with all that they say."""
    table, name = column.split(".")
    carried(lay(KEYED, KEYED_ROWS), f"ALTER TABLE {table} ALTER COLUMN {name} TYPE bigint")


@on_all
@pytest.mark.parametrize("columns", ["t.b p.b", "p.a t.a", "t.up t.id", "p.c t.c", "t.c t.up p.c"])
def test_hc07_08_09_both_ends_together(lay: Lay, columns: str) -> None:
    """Whichever is named first; a key to oneself, composite ones, those that point to no key."""
    change = "ALTER TABLE {} ALTER COLUMN {} TYPE bigint; "
    together = "".join(change.format(*column.split(".")) for column in columns.split())
    carried(lay(KEYED, KEYED_ROWS), together)


TENANTS = """
    CREATE TABLE t (tenant int, id int, parent int, PRIMARY KEY (tenant, id),
        CONSTRAINT t_up FOREIGN KEY (tenant, parent) REFERENCES t (tenant, id));
"""


@pytest.mark.parametrize("columns", ["tenant", "id", "parent", "id parent"])
def test_hc09_a_key_that_points_to_its_own_column(lay: Lay, columns: str) -> None:
    rows = "INSERT INTO t SELECT 1, n, 1 FROM generate_series(1, 90) AS n"
    change = "ALTER TABLE t ALTER COLUMN {} TYPE bigint; "
    carried(lay(TENANTS, rows), "".join(change.format(column) for column in columns.split()))


def test_hc16_small_tables_are_locked_together(lay: Lay) -> None:
    """Who held one while it tries for the other would stop what needs both."""
    schema = """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p_id int NOT NULL REFERENCES p);
    """
    rows = "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)"
    project = lay(schema, rows)
    change = (
        "ALTER TABLE p ALTER COLUMN id TYPE bigint; ALTER TABLE c ALTER COLUMN p_id TYPE bigint"
    )
    rollout = miggen.plan(project, change, "--rows=c=100", "--rows=p=100")
    slugs = [step.slug for deploy in rollout.deploys for step in deploy.steps]
    while True:
        hard.take(project, rollout)
        if rollout.is_last:
            break
        rollout = hard.following(project, rollout)
    for file in (project.root / "migrations").glob("*.sql"):
        assert file.read_text().count("LOCK TABLE") <= 1, file.name
    for deploy in rollout.deploys:
        slugs = [step.slug for step in deploy.steps]
        assert len(set(slugs)) == len(slugs)


def test_hc07_a_chain_of_keys(lay: Lay) -> None:
    """A column that points to another and is pointed to by a third, in either order."""
    schema = """
        CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
        CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users ON DELETE CASCADE);
        CREATE TABLE pictures (id serial PRIMARY KEY, of int NOT NULL REFERENCES profiles);
    """
    rows = """
        INSERT INTO users SELECT FROM generate_series(1, 90);
        INSERT INTO profiles SELECT id FROM users;
        INSERT INTO pictures (of) SELECT id FROM users;
    """
    changes = [
        "ALTER TABLE profiles ALTER COLUMN user_id TYPE bigint;",
        "ALTER TABLE users ALTER COLUMN id TYPE bigint;",
        "ALTER TABLE pictures ALTER COLUMN of TYPE bigint;",
    ]
    carried(lay(schema, rows), "".join(changes))
    carried(lay(schema, rows), "".join(reversed(changes)))


@on_all
@pytest.mark.parametrize(
    "more",
    [
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN k DROP NOT NULL",
        "CREATE INDEX t_several ON t (k, n); DROP INDEX t_n",
        "ALTER TABLE t ADD CONSTRAINT t_once UNIQUE (n)",
        "ALTER TABLE t ADD CONSTRAINT t_up FOREIGN KEY (n) REFERENCES t (id) ON DELETE SET NULL",
        "COMMENT ON COLUMN t.n IS 'counted'; ALTER TABLE t ALTER COLUMN k SET DEFAULT 7",
        "ALTER INDEX t_n RENAME TO t_by_n; COMMENT ON INDEX t_by_n IS 'x'",
        "ALTER TABLE t ALTER COLUMN id TYPE bigint; ALTER TABLE t ALTER COLUMN n SET NOT NULL",
    ],
)
def test_a_type_among_other_changes_of_its_column(lay: Lay, more: str) -> None:
    """What is done in one deploy comes first, wherever the script says it, and is taken along."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, n int, k int NOT NULL); CREATE INDEX t_n ON t (n)"
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 90) AS n"
    types = "ALTER TABLE t ALTER COLUMN n TYPE bigint; ALTER TABLE t ALTER COLUMN k TYPE bigint"
    if "KEY" not in more and "UNIQUE" not in more and "INDEX t_several" not in more:
        carried(lay(schema, rows), f"{types}; {more}")
        return
    carried(lay(schema, rows), f"{types.split(';')[0]}; {more}")
    carried(lay(schema, rows), f"{more}; {types.split(';')[0]}")


@pytest.mark.parametrize(
    "more",
    [
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN n DROP NOT NULL",
        "DROP INDEX t_n",
        "DROP INDEX t_n; ALTER TABLE t ALTER COLUMN k SET NOT NULL",
    ],
)
def test_a_rename_behind_other_changes_of_its_column(lay: Lay, more: str) -> None:
    required = " NOT NULL" if "DROP NOT NULL" in more else ""
    schema = f"CREATE TABLE t (id int, n int{required}, k int); CREATE INDEX t_n ON t (n)"
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 90) AS n"
    carried(lay(schema, rows), f"{more}; ALTER TABLE t RENAME COLUMN n TO m")


def test_hc07_both_ends(lay: Lay) -> None:
    """One after the other in either order, or together; what else meets the key is refused."""
    schema = """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p_id int NOT NULL REFERENCES p ON DELETE CASCADE);
    """
    rows = """
        INSERT INTO p SELECT n FROM generate_series(1, 90) AS n;
        INSERT INTO c SELECT n, n FROM generate_series(1, 90) AS n;
    """
    parent = "ALTER TABLE p ALTER COLUMN id TYPE bigint;"
    child = "ALTER TABLE c ALTER COLUMN p_id TYPE bigint;"
    for first, second in ((parent, child), (child, parent)):
        project = lay(schema, rows)
        carried(lay(schema, rows), first + second)
        for other in (
            "ALTER TABLE c DROP COLUMN p_id",
            "CREATE TABLE e (p_id bigint REFERENCES p)",
            "ALTER TABLE c ADD COLUMN q_id int REFERENCES p (id)",
        ):
            assert "two statements of this script change" in refusal(project, parent + other)
        carried(project, first)
        (project.root / "schema.sql").write_text(f"{schema}{first}")
        carried(project, second)


def test_hc07_keys_that_stay(lay: Lay) -> None:
    project = lay(
        """
        CREATE TABLE p (id int PRIMARY KEY, code int UNIQUE);
        CREATE TABLE c (id int PRIMARY KEY, p_id int CONSTRAINT c_p REFERENCES p, code int)
            PARTITION BY RANGE (id);
        CREATE TABLE d (code int CONSTRAINT d_code REFERENCES p (code));
        CREATE TABLE l (id int PRIMARY KEY DEFERRABLE);
        CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL UNIQUE);
        ALTER TABLE t CLUSTER ON t_pkey;
        ALTER TABLE t REPLICA IDENTITY USING INDEX t_n_key;
        """
    )
    said = refusal(project, "ALTER TABLE l ALTER COLUMN id TYPE bigint")
    assert "l_pkey would have to change with it" in said
    said = refusal(project, "ALTER TABLE t ALTER COLUMN id TYPE bigint")
    assert "t_pkey is marked by CLUSTER ON" in said
    said = refusal(project, "ALTER TABLE t ALTER COLUMN n TYPE bigint")
    assert "t_n_key is marked by REPLICA IDENTITY" in said
    said = refusal(project, "ALTER TABLE p ALTER COLUMN id TYPE bigint")
    assert "c_p is a foreign key of a partitioned table" in said
    said = refusal(project, "ALTER TABLE p ALTER COLUMN code TYPE numeric")
    assert "d_code compares it with a column of the old type" in said


def test_hc10_default_fits(lay: Lay) -> None:
    carried(
        lay(PLAIN.replace("n int", "n int NOT NULL DEFAULT 7"), ROWS),
        "ALTER TABLE t ALTER COLUMN n TYPE bigint",
    )
    # The default's constant is of the new type as well, where the server would keep a cast.
    naive = f"{TO_VARCHAR}; ALTER TABLE t ALTER COLUMN name SET DEFAULT 'none'"
    schema = PLAIN.replace("name text", "name text NOT NULL DEFAULT 'none'")
    carried(lay(schema, ROWS), TO_VARCHAR, naive)


def test_hc11_check(lay: Lay) -> None:
    project = lay(PLAIN.replace("n int", "n int CONSTRAINT t_n CHECK (n < 9)"))
    said = refusal(project, "ALTER TABLE t ALTER COLUMN n TYPE bigint")
    assert "cannot be of two types for a while: t_n would have to change with it" in said


def test_hc12_all_that_a_column_has(lay: Lay) -> None:
    """Comment, column grants, statistics target, storage: the renamed column is the old one."""
    more = """
        COMMENT ON COLUMN t.name IS 'as written on the door';
        GRANT SELECT (name), UPDATE (name) ON t TO pg_monitor;
        ALTER TABLE t ALTER COLUMN name SET STATISTICS 500;
        ALTER TABLE t ALTER COLUMN name SET STORAGE EXTERNAL;
    """
    carried(lay(PLAIN + more, ROWS), RENAME)


@pytest.mark.parametrize("change", [RENAME, TO_VARCHAR, DROP])
def test_hc12_comments_come_back(lay: Lay, change: str) -> None:
    """With what is made again: a column, its index, its constraint; up and back."""
    more = """
        CREATE INDEX t_name ON t (name);
        COMMENT ON COLUMN t.name IS 'as written on the door';
        COMMENT ON INDEX t_name IS 'for the search';
        COMMENT ON CONSTRAINT t_name_key ON t IS 'one door each';
    """
    carried(lay(PLAIN.replace("name text", "name text UNIQUE") + more, ROWS), change)


@on_sqlite
def test_hc06_named_unique_on_sqlite(lay: Lay) -> None:
    """A constraint's name is none that an index could meet."""
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, CONSTRAINT t_key UNIQUE (name))"
    project = lay(schema, "INSERT INTO t (name) VALUES ('a'), ('b'), (NULL)")
    carried(project, RENAME)


def test_small_table_beside_another(lay: Lay) -> None:
    """Another table's step between those of a small one: its CHECK comes back on the way back."""
    project = lay(f"{PLAIN} CREATE TABLE u (id int PRIMARY KEY, n int);", ROWS)
    change = "ALTER TABLE t ADD COLUMN x int CHECK (x < 9); CREATE INDEX u_n ON u (n);"
    rollout = hard.planned(project, change, "--rows=t=40", "--rows=u=40")
    assert rollout is not None
    hard.walk(project, rollout, change, writes_rows=False)


NUMBERED = """
    CREATE TABLE t (id int PRIMARY KEY, n serial, a int GENERATED ALWAYS AS IDENTITY,
        d int GENERATED BY DEFAULT AS IDENTITY (START WITH 1000 INCREMENT BY 5));
    GRANT SELECT, USAGE ON SEQUENCE t_n_seq, t_a_seq TO pg_monitor, PUBLIC;
    ALTER TABLE t ALTER COLUMN d SET GENERATED ALWAYS;
"""
# A sequence of its own type, under another name.
FAR = """
    CREATE SEQUENCE far;
    CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT nextval('far'));
    ALTER SEQUENCE far OWNED BY t.n;
"""


@on_all
@pytest.mark.parametrize(
    ("schema", "column"), [(NUMBERED, "n"), (NUMBERED, "a"), (NUMBERED, "d"), (FAR, "n")]
)
def test_hc13_14_numbered(lay: Lay, schema: str, column: str) -> None:
    """The sequence comes along, and counts as far as the new type; so does an identity."""
    project = lay(schema, "INSERT INTO t SELECT n FROM generate_series(1, 300) AS n")
    change = f"ALTER TABLE t ALTER COLUMN {column} TYPE bigint"
    also = "; ALTER SEQUENCE t_n_seq AS bigint" if "serial" in schema and column == "n" else ""
    carried(project, change, change + also)
    with project.database.connect() as connection:
        returned = f"INSERT INTO t (id) VALUES (1000) RETURNING {column}"
        assert connection.execute(returned).fetchone() == ({"d": 2500}.get(column, 301),)
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('t', '{column}'), 3000000000, false)"
        )
        returned = f"INSERT INTO t (id) VALUES (1001) RETURNING {column}"
        assert connection.execute(returned).fetchone() == (3000000000,)


def test_hc14_numbered_rename(lay: Lay) -> None:
    project = lay(NUMBERED)
    for column in "nad":
        said = refusal(project, f"ALTER TABLE t RENAME COLUMN {column} TO number")
        assert f"`{column}` cannot have two names for a while: it numbers itself" in said
    said = refusal(project, "ALTER TABLE t ALTER COLUMN n TYPE numeric")
    assert "`n` cannot be of two types for a while: it numbers itself" in said


@on_all
@pytest.mark.parametrize(
    "key",
    [
        "id int PRIMARY KEY",
        "id serial PRIMARY KEY",
        "id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "id int GENERATED BY DEFAULT AS IDENTITY, CONSTRAINT k PRIMARY KEY (id)",
        "id int, half int DEFAULT 1, PRIMARY KEY (half, id)",
    ],
)
def test_hc16_primary_keys(lay: Lay, key: str) -> None:
    project = lay(
        f"CREATE TABLE t ({key}, name text)",
        "INSERT INTO t SELECT FROM generate_series(1, 300)"
        if "serial" in key or "IDENTITY" in key
        else "INSERT INTO t SELECT n FROM generate_series(1, 300) AS n",
    )
    change = "ALTER TABLE t ALTER COLUMN id TYPE bigint"
    also = "; ALTER SEQUENCE t_id_seq AS bigint" if "serial" in key else ""
    carried(project, change, change + also)


@pytest.mark.parametrize("numbers", ["serial", "int GENERATED ALWAYS AS IDENTITY"])
def test_hc16_74_75_names(lay: Lay, numbers: str) -> None:
    project = lay(
        f"""
        CREATE SCHEMA "s 1";
        CREATE TABLE "s 1"."T x" ("I'd %s" {numbers} PRIMARY KEY, "u""p" int,
            FOREIGN KEY ("u""p") REFERENCES "s 1"."T x");
        CREATE TABLE c (id int PRIMARY KEY, t_id int REFERENCES "s 1"."T x" ON DELETE SET NULL);
        GRANT SELECT ON ALL SEQUENCES IN SCHEMA "s 1" TO pg_monitor;
        """,
        """
        INSERT INTO "s 1"."T x" ("u""p") SELECT NULL FROM generate_series(1, 200);
        INSERT INTO c SELECT n, n FROM generate_series(1, 200) AS n;
        """,
    )
    change = """ALTER TABLE "s 1"."T x" ALTER COLUMN "I'd %s" TYPE bigint"""
    also = """; ALTER SEQUENCE "s 1"."T x_I'd %s_seq" AS bigint""" if numbers == "serial" else ""
    carried(project, change, change + also)


@on_all
@pytest.mark.parametrize("columns", ["p.id", "p.id p.up c.p_id"])
def test_hc16_beside_writers_of_both_ends(lay: Lay, columns: str) -> None:
    """Rows that point to the key come and go throughout, up and back."""
    project = lay(
        """
        CREATE TABLE p (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            up int REFERENCES p ON DELETE SET NULL, name text);
        CREATE TABLE c (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            p_id int NOT NULL REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE INDEX c_p ON c (p_id);
        """,
        """
        INSERT INTO p (name) SELECT n FROM generate_series(1, 300) AS n;
        INSERT INTO c (p_id) SELECT n FROM generate_series(1, 300) AS n;
        """,
    )

    def children(connection: psycopg.Connection) -> None:
        connection.prepare_threshold = None
        with connection.transaction():
            connection.execute("INSERT INTO c (p_id) VALUES (1 + random() * 200)")
            connection.execute("INSERT INTO p (up) VALUES (1 + random() * 200)")

    def parents(connection: psycopg.Connection) -> None:
        connection.prepare_threshold = None
        made = connection.execute("INSERT INTO p (name) VALUES ('x') RETURNING id").fetchone()
        assert made
        connection.execute("INSERT INTO c (p_id) VALUES (%s), (%s)", [made[0], made[0]])
        connection.execute("UPDATE p SET id = -id WHERE id = %s", made)
        left = connection.execute("DELETE FROM p WHERE id = -%s::int RETURNING id", made).fetchone()
        assert left
        orphans = connection.execute("SELECT FROM c WHERE abs(p_id) = %s", made).fetchall()
        assert not orphans

    change = "ALTER TABLE {} ALTER COLUMN {} TYPE bigint; "
    together = "".join(change.format(*column.split(".")) for column in columns.split())
    rollout = miggen.plan(project, together)
    with beside(children, project), beside(parents, project):
        while True:
            hard.take(project, rollout)
            go_back(project, rollout)
            hard.take(project, rollout)
            if rollout.is_last:
                break
            rollout = hard.following(project, rollout)


@pytest.mark.parametrize(
    ("column", "ty", "value"),
    [
        ("id", "bigint", "3000000000"),
        ("n", "bigint", "-3000000000"),
        ("r", "double precision", "1e300"),
    ],
)
def test_hc16_beyond_the_old_type(lay: Lay, column: str, ty: str, value: str) -> None:
    """What the old type cannot hold is written all the same; while it stands no way leads back."""
    project = lay(
        "CREATE TABLE t (id serial PRIMARY KEY, n int NOT NULL, r real)",
        "INSERT INTO t (n, r) SELECT n, n FROM generate_series(1, 300) AS n",
    )
    rollout = hard.run(project, f"ALTER TABLE t ALTER COLUMN {column} TYPE {ty}")
    rollout = hard.following(project, rollout)
    hard.take(project, rollout)
    with project.database.connect() as connection:
        connection.execute(f"UPDATE t SET {column} = {value} WHERE id = 7")
        with pytest.raises(
            CommandFailed, match=f"rows of t hold what {'real' if column == 'r' else 'int'}"
        ):
            go_back(project, rollout)
        connection.execute(f"UPDATE t SET {column} = 7 WHERE {column} = {value}")
    go_back(project, rollout)


def test_hc16_a_way_back_is_gone_to_its_end(lay: Lay) -> None:
    """What its first down builds would be in the way of big numbers, and of the contract."""
    project = lay("CREATE TABLE t (id serial PRIMARY KEY)", "INSERT INTO t DEFAULT VALUES")
    rollout = hard.run(project, "ALTER TABLE t ALTER COLUMN id TYPE bigint")
    rollout = hard.following(project, rollout)
    hard.take(project, rollout)
    key, switch, last = rollout.deploy.steps
    rollouts.down(project, last)
    rollouts.down(project, last)
    with pytest.raises(CommandFailed, match="t.id_old is required by a way back that was begun"):
        rollouts.up(project, last)
    rollouts.down(project, switch)
    rollouts.down(project, key)
    hard.take(project, rollout)


def test_hc16_small_tables(lay: Lay) -> None:
    project = lay(
        """
        CREATE TABLE p (id serial PRIMARY KEY, up int REFERENCES p, n int UNIQUE);
        CREATE TABLE c (id int PRIMARY KEY, p_id int NOT NULL REFERENCES p ON DELETE CASCADE);
        """,
        """
        INSERT INTO p SELECT n, n, n FROM generate_series(1, 300) AS n;
        INSERT INTO c SELECT n, n FROM generate_series(1, 300) AS n;
        """,
    )
    for small in (("--rows=p=40",), ("--rows=p=40", "--rows=c=40")):
        for table, column in (("p", "id"), ("p", "up"), ("p", "n"), ("c", "p_id")):
            change = f"ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint"
            if table == "c" and len(small) == 1:
                continue
            again = lay((project.root / "schema.sql").read_text())
            rollout = hard.planned(again, change, *small)
            assert rollout is not None
            also = "; ALTER SEQUENCE p_id_seq AS bigint" if column == "id" else ""
            hard.walk(again, rollout, change + also, writes_rows=False)


def go_back(project: Project, rollout: Rollout) -> None:
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)


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


@on_all
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


def filenode(project: Project, table: str = "t") -> int:
    return project.database.rows(f"SELECT pg_relation_filenode('{table}')")[0][0]


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


def again(project: Project) -> None:
    """The schema file as it is now, for another rollout."""
    dump = project.run("pg_dump -s -O -x")
    (project.root / "schema.sql").write_text(dump)


def fails(project: Project, rollout: miggen.Rollout) -> str:
    """What the first step of a deploy says as it fails; it must leave nothing behind."""
    before = rollouts.schema(project)
    with pytest.raises(CommandFailed) as failure:
        rollouts.up(project, rollout.deploy.steps[0])
    assert rollouts.schema(project) == before
    return str(failure.value)


def test_hc21_narrowing_is_found_before(lay: Lay) -> None:
    """What a cast would cut off or refuse is counted before anything is changed."""
    project = lay(PLAIN, f"{ROWS}; UPDATE t SET name = repeat('x', 60), n = 70000 WHERE id = 7")
    said = fails(project, miggen.plan(project, TO_VARCHAR))
    assert "1 rows of t hold what varchar(50) cannot: mend them first" in said
    project = lay(PLAIN, f"{ROWS}; UPDATE t SET n = 70000 WHERE id = 7")
    said = fails(project, miggen.plan(project, "ALTER TABLE t ALTER COLUMN n TYPE smallint"))
    assert "smallint out of range" in said


def test_hc25_no_window(lay: Lay) -> None:
    """The new column and its trigger come in one moment, and leave in one."""
    project = lay(PLAIN, ROWS)

    def look(connection: psycopg.Connection) -> None:
        connection.execute("UPDATE t SET name = name || '.' WHERE id = 9")
        found = connection.execute(
            "SELECT (SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass"
            " AND attname IN ('name', 'label')),"
            " (SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass)"
        ).fetchone()
        assert found in ((1, 0), (2, 1)), found

    with beside(look, project):
        rollout = hard.run(project, RENAME)
    same = "SELECT count(*) FROM t WHERE name IS DISTINCT FROM label"
    assert project.database.rows(same) == [(0,)]
    hard.take(project, hard.following(project, rollout))


def test_hc26_33_both_ways(lay: Lay) -> None:
    """Whichever name is written wins, in rows that are filled and in rows that are not yet."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, RENAME)
    rollouts.up(project, rollout.deploy.steps[0])
    project.database.script("UPDATE t SET n = 1 WHERE id = 11")
    project.database.script("UPDATE t SET label = 'new' WHERE id = 12")
    project.database.script("UPDATE t SET name = 'old' WHERE id = 13")
    project.database.script("UPDATE t SET name = NULL WHERE id = 15")
    project.database.script("INSERT INTO t (id, label) VALUES (1001, 'only new')")
    project.database.script("INSERT INTO t (id, name) VALUES (1002, 'only old')")
    for step in rollout.deploy.steps[1:]:
        rollouts.up(project, step)
        rollouts.verify(project, rollout, step)
    project.database.script("UPDATE t SET label = 'newer' WHERE id = 13")
    project.database.script("UPDATE t SET label = NULL WHERE id = 14")
    rows = "SELECT id, name, label FROM t WHERE id BETWEEN 11 AND 15 OR id > 1000 ORDER BY id"
    values = ["Name 11", "new", "newer", None, None, "only new", "only old"]
    assert [row[1] for row in project.database.rows(rows)] == values
    assert [row[2] for row in project.database.rows(rows)] == values


@pytest.mark.parametrize("trigger", ["a_trimmed", "zz_trimmed", "zzz_trimmed", "~trimmed"])
def test_hc28_firing_order(lay: Lay, trigger: str) -> None:
    """A trigger that changes what the new column derives from, whatever its name."""
    project = lay(
        f"""
        {PLAIN}
        CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.name := trim(NEW.name); RETURN NEW; END';
        CREATE TRIGGER "{trigger}" BEFORE INSERT OR UPDATE ON t
            FOR EACH ROW EXECUTE FUNCTION trimmed();
        """,
        ROWS,
    )
    hard.run(project, "ALTER TABLE t ADD COLUMN done text; UPDATE t SET done = lower(name)")
    project.database.script("INSERT INTO t (id, name) VALUES (0, '  New ')")
    project.database.script("UPDATE t SET name = ' Other  ' WHERE id = 1")
    wrong = "SELECT id, name, done FROM t WHERE done IS DISTINCT FROM lower(name)"
    assert project.database.rows(wrong) == []


@pytest.mark.parametrize(
    "change",
    [
        RENAME,
        TO_VARCHAR,
        "ALTER TABLE t ADD COLUMN done text; UPDATE t SET done = lower(name)",
        "ALTER TABLE t ALTER COLUMN name SET NOT NULL; UPDATE t SET name = '' WHERE name IS NULL",
    ],
)
def test_hc29_deferred_triggers(lay: Lay, change: str) -> None:
    """Events that wait for the commit make ALTER TABLE in the same transaction fail."""
    project = lay(
        f"""
        {PLAIN}
        CREATE TABLE seen (id int);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER looked AFTER INSERT OR UPDATE ON t
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
        """,
        ROWS,
    )
    rollout = hard.run(project, change)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    hard.take(project, rollout)
    while not rollout.is_last:
        rollout = hard.following(project, rollout)
        hard.take(project, rollout)


def test_hc34_prepared_star(lay: Lay) -> None:
    """A prepared `SELECT *` fails once, as was said; one that names its columns does not."""
    project = lay(PLAIN, ROWS)
    with project.database.connect() as connection:
        connection.execute("PREPARE named AS SELECT id, name FROM t WHERE id = 1")
        connection.execute("PREPARE star AS SELECT * FROM t WHERE id = 1")
        for name in ("named", "star"):
            connection.execute(f"EXECUTE {name}")
        rollout = miggen.plan(project, RENAME)
        rollouts.up(project, rollout.deploy.steps[0])
        assert connection.execute("EXECUTE named").fetchone() == (1, "Name 1")
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan"):
            connection.execute("EXECUTE star")
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "cached plan must not change result type" in runbook


def test_hc58_partitioned(lay: Lay) -> None:
    project = lay(
        """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE t (id int, p_id int) PARTITION BY RANGE (id);
        """
    )
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p (id)")
    assert "changing a partitioned table" in said


FOREIGN = "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (n) REFERENCES p (id)"


def test_hc59_foreign_key_locks_both(lay: Lay) -> None:
    """The lock on the parent is taken in tries as well: its writers wait shortly, not in vain."""
    project = lay(f"CREATE TABLE p (id int PRIMARY KEY); {PLAIN}", "INSERT INTO p VALUES (1)")
    rollout = miggen.plan(project, FOREIGN)
    assert set(rollout.deploy.steps[0].locks) == {"t", "p"}
    with project.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("UPDATE p SET id = id")
        runner = hard.in_background(project, rollout.deploy.steps[0].up)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        hard.until(lambda: project.database.rows(waiting)[0][0])
        with project.database.connect() as other:
            other.execute("SET lock_timeout = '2s'")
            other.execute("UPDATE p SET id = id WHERE false")
        blocker.execute("COMMIT")
        runner.join()
    rollouts.verify(project, rollout, rollout.deploy.steps[0])
    assert project.database.rows("SELECT count(*) FROM pg_constraint WHERE conname = 't_p'") == [
        (1,)
    ]


def test_hc60_no_inherit(lay: Lay) -> None:
    carried(lay(PLAIN, ROWS), "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NO INHERIT")


PROOFS = [
    ('CHECK ("Na me" IS NOT NULL)', True),
    ('CHECK ((((("Na me" IS NOT NULL))) AND n > 0))', True),
    ("CHECK (\"Na me\" IS NOT NULL AND 'x OR y' <> '')", True),
    ('CHECK ("Na me" IS NOT NULL OR n > 0)', False),
    ('CHECK (n > 0) -- "Na me" IS NOT NULL\n', False),
    ('CHECK (NOT ("Na me" IS NOT NULL AND n > 0) IS NULL)', False),
    ("CHECK (n IS NOT NULL AND '\"Na me\" IS NOT NULL' <> '')", False),
    ('CHECK ("Na me" IS NOT NULL) NOT VALID', False),
]


@pytest.mark.parametrize(("check", "proves"), PROOFS)
def test_hc61_a_check_that_proves(lay: Lay, check: str, proves: bool) -> None:
    """NOT NULL at once where a valid CHECK says so, read as an expression and not as text."""
    project = lay(
        f'CREATE TABLE t (id int PRIMARY KEY, "Na me" text, n int);'
        f"ALTER TABLE t ADD CONSTRAINT c {check};",
        "INSERT INTO t SELECT n, 'x', n FROM generate_series(1, 300) AS n",
    )
    change = 'ALTER TABLE t ALTER COLUMN "Na me" SET NOT NULL'
    (rollout,) = carried(project, change)
    assert len(rollout.deploy.steps) == (1 if proves else 2)


def test_hc63_deferrable_include_exclusion(lay: Lay) -> None:
    carried(lay(PLAIN, ROWS), "ALTER TABLE t ADD CONSTRAINT u UNIQUE (name) DEFERRABLE")
    deferred = "ALTER TABLE t ADD CONSTRAINT u UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"
    carried(lay(PLAIN, ROWS), deferred)
    foreign = f"{FOREIGN} DEFERRABLE INITIALLY DEFERRED"
    carried(lay(f"CREATE TABLE p (id int PRIMARY KEY); {PLAIN}", ROWS), foreign)
    project = lay(PLAIN)
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING btree (name WITH =)")
    assert "an exclusion constraint cannot come beside writers" in said
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT e UNIQUE (name) INCLUDE (n)")
    assert "miggen does not plan this part of a constraint" in said


def test_hc65_validate_under_a_short_statement_timeout(lay: Lay) -> None:
    """The role's statement_timeout is for the application; reading all rows may take longer."""
    project = lay(
        f"""
        {PLAIN}
        CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN PERFORM pg_sleep(0.005); RETURN true; END';
        """,
        ROWS,
    )
    name = project.database.rows("SELECT current_database()")[0][0]
    project.database.script(f"ALTER DATABASE {name} SET statement_timeout = '300ms'")
    hard.run(project, "ALTER TABLE t ADD CONSTRAINT c CHECK (slow(id))")
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'c'"
    assert project.database.rows(valid) == [(True,)]


NEW_COLUMNS = [
    "timestamptz NOT NULL DEFAULT now()",
    "timestamptz NOT NULL DEFAULT clock_timestamp()",
    "uuid NOT NULL DEFAULT gen_random_uuid()",
    "int NOT NULL DEFAULT 7",
    "double precision DEFAULT random()",
]


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
@pytest.mark.parametrize("column", NEW_COLUMNS)
def test_hc66_no_default_rewrites(lay: Lay, column: str) -> None:
    """Whatever the default: the table is not written anew, and every row has a value of its own."""
    project = lay(PLAIN, ROWS)
    before = filenode(project)
    hard.run(project, f"ALTER TABLE t ADD COLUMN added {column}")
    assert filenode(project) == before
    assert project.database.rows("SELECT count(*) FROM t WHERE added IS NULL") == [(0,)]
    values = project.database.rows("SELECT count(DISTINCT added) FROM t")[0][0]
    one = "now()" in column or "7" in column
    assert values == 1 if one else values > 290
    project.database.script("INSERT INTO t (id) VALUES (1001)")
    assert project.database.rows("SELECT added IS NULL FROM t WHERE id = 1001") == [(False,)]


@pytest.mark.parametrize("kind", ["serial", "int GENERATED ALWAYS AS IDENTITY"])
def test_hc66_rewriting_columns(lay: Lay, kind: str) -> None:
    """Numbered without writing the table anew; what cannot be is refused."""
    project = lay(PLAIN, ROWS)
    file = "SELECT pg_relation_filenode('t')"
    before = project.database.rows(file)
    hard.run(project, f"ALTER TABLE t ADD COLUMN added {kind}")
    assert project.database.rows(file) == before
    stored = "ALTER TABLE t ADD COLUMN up text GENERATED ALWAYS AS (upper(name)) STORED"
    assert "for every row while everybody waits" in refusal(project, stored)


def test_hc67_68_domain_and_required(lay: Lay) -> None:
    project = lay(f"CREATE DOMAIN positive AS int CHECK (VALUE > 0); {PLAIN}")
    assert "`positive` is a domain" in refusal(project, "ALTER TABLE t ADD COLUMN x positive")
    said = refusal(project, "ALTER TABLE t ADD COLUMN x int NOT NULL")
    assert "NOT NULL" in said and "default" in said.lower(), said


def test_hc54_indexes_of_a_dropped_column(lay: Lay) -> None:
    """Indexes go first, beside the writers, and the way back brings each of them."""
    project = lay(
        f"""
        {PLAIN} CREATE INDEX a ON t (name); CREATE INDEX b ON t (n, name);
        CREATE INDEX c ON t (lower(name)) WHERE n > 0; CREATE INDEX other ON t (n);
        """,
        ROWS,
    )
    rollout = carried(project, DROP)[-1]
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "oint of no return" in runbook


@pytest.mark.parametrize("change", [RENAME, TO_VARCHAR])
def test_hc86_all_deploys_at_once(lay: Lay, change: str) -> None:
    """Who skips releases runs all files in one go: they ask, and find everything in place."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.parse(miggen.run(project, *miggen.arguments(project), "--all", change))
    reference = project.database.copy()
    reference.script(change)
    for deploy in rollout.deploys:
        for step in deploy.steps:
            rollouts.up(project, step)
    wanted = Project(project.target, project.server, project.root, reference)
    assert contents(wanted) == contents(project)
    reference.drop()


def test_hc86_contract_without_its_backfill(lay: Lay) -> None:
    """Somebody marked the backfill as run: deploy 2 looks at the rows and not at the book."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, RENAME)
    rollouts.up(project, rollout.deploy.steps[0])
    contract = hard.following(project, rollout)
    said = fails(project, contract)
    assert "row" in said


def test_hc87_no_way_back_is_said_before(lay: Lay) -> None:
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, DROP)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert re.search(r"point of no return", runbook, re.I)
    assert "the values of name are lost" in runbook


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


@on_all
def test_hc97_pattern_and_collation(lay: Lay) -> None:
    """A pattern that the column's collation cannot match is refused; with another one it is not."""
    project = lay(
        """
        CREATE COLLATION plain (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (id int PRIMARY KEY, name text COLLATE plain);
        """,
        "INSERT INTO t VALUES (1, 'ab')",
    )
    change = "ALTER TABLE t ADD CONSTRAINT c CHECK (name {} ~ '^a')"
    with pytest.raises(psycopg.Error, match="nondeterministic"):
        project.database.script(change.format(""))
    assert "a pattern cannot be matched against `name`" in refusal(project, change.format(""))
    called = "ALTER TABLE t ADD CONSTRAINT f CHECK (regexp_replace(name, 'a', '') <> '')"
    assert "a pattern cannot be matched" in refusal(project, called)
    carried(project, change.format('COLLATE "C"'))
    carried(project, "ALTER TABLE t ADD CONSTRAINT d CHECK (name <> '~')")
    like = "ALTER TABLE t ADD CONSTRAINT e CHECK (name LIKE 'a%')"
    if project.server.id == "pg18":
        carried(project, like)
    else:
        assert "a pattern cannot be matched" in refusal(project, like)
