"""Hard cases of keys: primary keys, what points to them, and what numbers them."""

import re

import psycopg
import pytest

import hard
import miggen
import rollouts
from hard import (
    DROP,
    PLAIN,
    RENAME,
    ROWS,
    TO_VARCHAR,
    Lay,
    beside,
    carried,
    on_all,
    on_sqlite,
    refusal,
)
from miggen import Rollout
from projects import Project
from shell import CommandFailed


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


@on_all
@pytest.mark.parametrize("column", ["t.b", "t.up", "t.c", "p.c"])
def test_hc08_keys_follow_a_name(lay: Lay, column: str) -> None:
    table, name = column.split(".")
    carried(lay(KEYED, KEYED_ROWS), f"ALTER TABLE {table} RENAME COLUMN {name} TO other")


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


FAMILY = """
    CREATE TABLE parents (id int PRIMARY KEY, code text UNIQUE);
    CREATE TABLE children (
        id int PRIMARY KEY,
        parent_id int REFERENCES parents ON DELETE SET NULL,
        code text REFERENCES parents (code) ON UPDATE CASCADE ON DELETE CASCADE
    );
"""
MEMBERS = """
    INSERT INTO parents SELECT n, 'c' || n FROM generate_series(1, 9) AS n;
    INSERT INTO children SELECT n, n, 'c' || n FROM generate_series(1, 9) AS n;
"""


@on_all
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE children RENAME COLUMN parent_id TO owner_id",
        "ALTER TABLE children RENAME COLUMN code TO label",
        "ALTER TABLE parents RENAME COLUMN code TO label",
    ],
)
def test_hc08_a_foreign_key_takes_another_name(lay: Lay, change: str) -> None:
    """Both names say the same while both exist, also after what the key itself does to its rows."""
    project = lay(FAMILY, MEMBERS)
    hard.carried(project, change)
    project = lay(FAMILY, MEMBERS)
    hard.run(project, change)
    project.database.script("DELETE FROM parents WHERE id = 1")
    project.database.script("UPDATE parents SET code = 'new' WHERE id = 2")
    old, new = re.findall(r"COLUMN (\w+) TO (\w+)", change)[0]
    table = change.split()[2]
    both = f"SELECT count(*) FROM {table} WHERE {old} IS DISTINCT FROM {new}"
    assert project.database.rows(both) == [(0,)]
    if table == "children":
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            project.database.script(f"UPDATE children SET {new} = '77' WHERE id = 3")
    wanted = "SELECT id, parent_id, code FROM children WHERE id < 3"
    assert project.database.rows(wanted) == [(2, 2, "new")]


@on_sqlite
def test_hc06_named_unique_on_sqlite(lay: Lay) -> None:
    """A constraint's name is none that an index could meet."""
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, CONSTRAINT t_key UNIQUE (name))"
    project = lay(schema, "INSERT INTO t (name) VALUES ('a'), ('b'), (NULL)")
    carried(project, RENAME)


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


TIED = """
CREATE TABLE a (id uuid PRIMARY KEY, n int);
CREATE TABLE b (id uuid PRIMARY KEY, a_id uuid CONSTRAINT b_a REFERENCES a (id));
"""
TIED_ROWS = """
INSERT INTO a SELECT md5(n::text)::uuid, n FROM generate_series(1, 100) AS n;
INSERT INTO b SELECT id, id FROM a;
"""
ONE_END = "ALTER TABLE a ALTER COLUMN id TYPE text"
OTHER_END = "ALTER TABLE b ALTER COLUMN a_id TYPE text"


@on_all
def test_hc07_ends_that_no_key_compares(lay: Lay) -> None:
    """A key between types that the server does not compare would fail in the first file."""
    project = lay(TIED, TIED_ROWS)
    for change in (ONE_END, f"{ONE_END}; {OTHER_END}"):
        said = refusal(project, change, "--downtime=5m")
        assert "b_a: `b.a_id` is uuid, and `a.id` is text" in said
        assert "drop b_a" in refusal(project, change)
    for change in (
        "ALTER TABLE b ADD COLUMN v text REFERENCES a (id)",
        "ALTER TABLE b ADD CONSTRAINT b_n FOREIGN KEY (id) REFERENCES a (id),"
        " ADD COLUMN m int REFERENCES a (id)",
        "CREATE TABLE c (id int PRIMARY KEY, a_id text REFERENCES a (id))",
    ):
        assert "no foreign key between these types" in refusal(project, change)
    dropped = f"ALTER TABLE b DROP CONSTRAINT b_a; {ONE_END}; {OTHER_END}"
    assert "b_a tied it to a column of the old type" in refusal(project, dropped)
    rollout = miggen.plan(project, dropped, "--downtime=5m")
    hard.take(project, rollout)
    again = "ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a (id)"
    project.database.script(again)
