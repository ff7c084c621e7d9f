"""Columns that number or compute themselves, on tables that are not their user's own."""

import psycopg
import pytest

import dumps
import hard
import miggen
import rollouts
from hard import PLAIN, Lay, beside, on_all, refusal
from shell import CommandFailed

SCHEMA = "CREATE TABLE t (name text); CREATE ROLE {role}; GRANT SELECT, INSERT ON t TO {role};"
ROWS = "INSERT INTO t SELECT 'Name ' || n FROM generate_series(1, 300) AS n"


@on_all
@pytest.mark.parametrize("kind", ["serial", "int GENERATED ALWAYS AS IDENTITY (START WITH 1000)"])
def test_a_role_that_only_inserts_goes_on(lay: Lay, kind: str) -> None:
    """The sequence is its table's owner's, and whoever may insert rows may count, at every step."""
    role, owner = f"clerk_{kind[0]}", f"boss_{kind[0]}"
    project = lay(
        SCHEMA.format(role=role) + f"CREATE ROLE {owner}; ALTER TABLE t OWNER TO {owner};"
        f"GRANT CREATE ON SCHEMA public TO {owner};",
        ROWS,
    )
    try:
        write = f"SET ROLE {role}; INSERT INTO t (name) VALUES ('new')"
        rollout = miggen.plan(project, f"ALTER TABLE t ADD COLUMN no {kind}")
        with beside(lambda connection: connection.execute(write), project):
            for step in rollout.deploy.steps:
                rollouts.up(project, step)
                rollouts.verify(project, rollout, step)
            for step in reversed(rollout.deploy.steps):
                rollouts.down(project, step)
            for step in rollout.deploy.steps:
                rollouts.up(project, step)
        rows = project.database.rows("SELECT count(*), count(no), count(DISTINCT no) FROM t")
        assert len(set(rows[0])) == 1
        if "1000" in kind:
            assert project.database.rows("SELECT min(no) >= 1000 FROM t") == [(True,)]
    finally:
        project.database.script(
            f"DROP TABLE t; DROP OWNED BY {role}, {owner}; DROP ROLE {role}, {owner}"
        )


@on_all
def test_a_key_for_a_table_without_one(lay: Lay) -> None:
    """A new column is numbered, required and made the primary key beside writers."""
    project = lay("CREATE TABLE t (name text)", ROWS)
    write = "INSERT INTO t (name) VALUES ('new')"
    with beside(lambda connection: connection.execute(write), project):
        hard.run(project, "ALTER TABLE t ADD COLUMN id bigserial PRIMARY KEY")
    wanted = project.database.copy()
    wanted.script("DROP TABLE t; CREATE TABLE t (name text)")
    wanted.script("ALTER TABLE t ADD COLUMN id bigserial PRIMARY KEY")
    dumps.assert_same(dumps.schema(wanted), dumps.schema(project.database), "", ("wanted", "is"))
    wanted.drop()


def test_a_stored_column_is_refused_where_everybody_would_wait(lay: Lay) -> None:
    change = "ALTER TABLE t ADD COLUMN low text GENERATED ALWAYS AS (lower(name)) STORED"
    project = lay("CREATE TABLE t (id int PRIMARY KEY, name text)")
    assert "would be computed for every row while everybody waits" in refusal(project, change)
    rollout = miggen.plan(project, change, "--rows=t=100")
    rollouts.up(project, rollout.deploy.steps[0])
    generated = "SELECT attgenerated FROM pg_attribute WHERE attname = 'low'"
    assert project.database.rows(generated) == [("s",)]


LATER = "ALTER TABLE t ALTER COLUMN x {}"


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        f"ALTER TABLE t ADD COLUMN x int; {LATER.format('SET DEFAULT 3')}",
        f"ALTER TABLE t ADD COLUMN x int DEFAULT 1; {LATER.format('SET DEFAULT 3')}",
        f"ALTER TABLE t ADD COLUMN x int DEFAULT 1; {LATER.format('DROP DEFAULT')}",
        f"ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 1; {LATER.format('DROP DEFAULT')}",
        "ALTER TABLE t ADD COLUMN x text DEFAULT NULL",
        "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = name",
        "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = 'a' WHERE x IS NULL",
        "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = 'a' WHERE name LIKE '%1'",
        f"ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = name; {LATER.format('SET DEFAULT 3')}",
        "ALTER TABLE t ADD COLUMN x text DEFAULT 'a'; UPDATE t SET x = name",
        "ALTER TABLE t ADD COLUMN x text DEFAULT 'a'; UPDATE t SET x = NULL WHERE name LIKE '%1'",
        "ALTER TABLE t ADD COLUMN x mood NOT NULL DEFAULT 'fine';"
        "UPDATE t SET x = 'bad' WHERE name LIKE '%1' OR name IS NULL",
        "ALTER TABLE t ADD COLUMN x date NOT NULL DEFAULT '2020-01-01';"
        "UPDATE t SET x = '2021-01-01' WHERE name LIKE '%1';"
        + LATER.format("SET DEFAULT '2022-01-01'"),
    ],
)
def test_rows_that_are_there_get_what_the_script_gives_them(lay: Lay, change: str) -> None:
    """Not what a later statement says of new rows."""
    project = lay(
        "CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TABLE t (id int PRIMARY KEY, name text)",
        "INSERT INTO t SELECT n, nullif('Name ' || n, 'Name 7') FROM generate_series(1, 40) AS n",
    )
    hard.carried(project, change)


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE t SET j = '{}' WHERE id > 10",
        "ALTER TABLE t ALTER COLUMN j TYPE jsonb",
        "ALTER TABLE t ALTER COLUMN j TYPE text",
        "ALTER TABLE t ADD COLUMN k json; UPDATE t SET k = j",
        "ALTER TABLE t ADD COLUMN k json NOT NULL DEFAULT '{}';UPDATE t SET k = '[]' WHERE id > 10",
    ],
)
def test_values_that_cannot_be_compared(lay: Lay, change: str) -> None:
    """A type without equality: texts are compared, in batches as in triggers."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, j json)",
        """INSERT INTO t SELECT n, ('{"n": ' || n || '}')::json FROM generate_series(1, 40) AS n""",
    )
    write = "INSERT INTO t SELECT max(id) + 1, '1' FROM t; UPDATE t SET j = '2' WHERE id = 3"
    hard.carried(project, change)
    project.database.script(write)


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
def test_a_rename_of_json(lay: Lay) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, j json NOT NULL)"
    rows = (
        """INSERT INTO t SELECT n, ('{"n": ' || n || '}')::json FROM generate_series(1, 40) AS n"""
    )
    change = "ALTER TABLE t RENAME COLUMN j TO k"
    hard.carried(lay(schema, rows), change)
    project = lay(schema, rows)
    hard.run(project, change)
    project.database.script("UPDATE t SET k = '1' WHERE id = 1; UPDATE t SET j = '2' WHERE id = 2")
    kept = "SELECT j::text, k::text FROM t WHERE id < 3 ORDER BY id"
    assert project.database.rows(kept) == [("1", "1"), ("2", "2")]


def test_json_cannot_be_kept_in_two_forms(lay: Lay) -> None:
    project = lay("CREATE TABLE t (id int PRIMARY KEY, j json)")
    split = (
        "-- miggen: back j = to_json(a)\n"
        "ALTER TABLE t ADD COLUMN a text; UPDATE t SET a = j::text; ALTER TABLE t DROP COLUMN j"
    )
    assert "values of `j` cannot be compared" in refusal(project, split)


@pytest.mark.parametrize("lay", ["pg15", "sqlite"], indirect=True)
def test_filled_before_it_is_required(lay: Lay) -> None:
    """An UPDATE of more than what is NULL stays one of its own, and comes first."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, a text)",
        "INSERT INTO t VALUES (1, NULL), (2, ''), (3, 'c')",
    )
    change = (
        "UPDATE t SET a = 'x' WHERE a IS NULL OR a = ''; ALTER TABLE t ALTER COLUMN a SET NOT NULL"
    )
    naive = None
    if project.dialect == "sqlite":
        naive = (
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL);"
            "INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'c')"
        )
    hard.arrives(project, change, naive)


TRIGGER = """
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF pg_trigger_depth() = 1 THEN PERFORM bump(NEW.id); END IF; RETURN NULL;
    END $$;
    CREATE FUNCTION bump(int) RETURNS void LANGUAGE sql AS 'UPDATE t SET a = a + 1 WHERE id = $1';
    CREATE TRIGGER touched AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touched();
"""


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    ("change", "new"),
    [
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint", "a_new"),
        ("ALTER TABLE t RENAME COLUMN a TO x", "x"),
        ("ALTER TABLE t ADD COLUMN x bigint; UPDATE t SET x = a", "x"),
    ],
)
def test_a_trigger_that_writes_the_row_of_a_batch(lay: Lay, change: str, new: str) -> None:
    """A batch goes without its own trigger only where nothing else may write."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, a int)",
        f"INSERT INTO t SELECT n, n FROM generate_series(1, 300) AS n; {TRIGGER}",
    )
    hard.run(project, change)
    assert project.database.rows(f"SELECT count(*) FROM t WHERE a IS DISTINCT FROM {new}") == [(0,)]


NUMBER = "id int PRIMARY KEY, n int, name text"
AFTER_EXPAND = "INSERT INTO t (id, n, name) VALUES (901, 5, 'x'); UPDATE t SET n = 6 WHERE id = 3"


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = n",
        "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = n; ALTER TABLE t ALTER x SET NOT NULL",
        "ALTER TABLE t ADD COLUMN x mood DEFAULT 'fine'; UPDATE t SET x = NULL WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x mood DEFAULT 'fine'; UPDATE t SET x = ('bad') WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x json DEFAULT '1'; UPDATE t SET x = NULL WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x text NOT NULL DEFAULT 'a'; UPDATE t SET x = n WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x text DEFAULT 'a'; UPDATE t SET x = n",
        "ALTER TABLE t ADD COLUMN x text DEFAULT 5; UPDATE t SET x = 'b' WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x real DEFAULT 0.1; UPDATE t SET x = 0.5 WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x numeric(10,2) DEFAULT 1.005; UPDATE t SET x = 2 WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x int DEFAULT 1.5; UPDATE t SET x = 7",
        "ALTER TABLE t ADD COLUMN x point DEFAULT '(1, 2)'; UPDATE t SET x = '(3, 4)' WHERE n > 9",
        "ALTER TABLE t ADD COLUMN x money DEFAULT 1; UPDATE t SET x = 2 WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x varchar(3) DEFAULT 'abc'; UPDATE t SET x = 'b' WHERE n > 10",
        "ALTER TABLE t ADD COLUMN x int[] DEFAULT '{}'; UPDATE t SET x = ARRAY[n] WHERE n > 10",
    ],
)
def test_a_value_becomes_one_of_the_columns_type(lay: Lay, change: str) -> None:
    """As an assignment makes it, in batches, in the trigger, and in what is asked of rows."""
    project = lay(
        f"CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TABLE t ({NUMBER})",
        "INSERT INTO t SELECT n, n, 'Name ' || n FROM generate_series(1, 40) AS n",
    )
    rollout = miggen.plan(project, change)
    naive = project.database.copy()
    naive.script(f"{AFTER_EXPAND}; {change}")
    first, *rest = rollout.deploy.steps
    rollouts.up(project, first)
    project.database.script(AFTER_EXPAND)
    for step in rest:
        rollouts.up(project, step)
        rollouts.verify(project, rollout, step)
    rows = "SELECT id, x::text FROM t ORDER BY id"
    assert project.database.rows(rows) == naive.rows(rows)
    naive.drop()


def test_what_no_trigger_can_read(lay: Lay) -> None:
    project = lay("CREATE TABLE t (id int PRIMARY KEY, n int GENERATED ALWAYS AS (id * 2) STORED)")
    said = refusal(project, "ALTER TABLE t ADD COLUMN x int; UPDATE t SET x = n")
    assert "`n` is generated, and no trigger can read it in time" in said


@pytest.mark.parametrize("lay", ["sqlite"], indirect=True)
def test_what_sqlites_triggers_cannot_tell(lay: Lay) -> None:
    project = lay("CREATE TABLE t (id int PRIMARY KEY, a text) WITHOUT ROWID")
    said = refusal(project, "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = lower(a)")
    assert "rows of `t` have no rowid of the server's" in said


def test_names_that_are_taken_for_a_while(lay: Lay) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX u_new ON t (a)"
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 40) AS n"
    change = "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)"
    hard.carried(lay(schema, rows), change)
    both = f"ALTER TABLE t ADD CONSTRAINT u_new_2 UNIQUE (b, a); {change}"
    hard.carried(lay(schema, rows), f"{both}; COMMENT ON CONSTRAINT u ON t IS 'one'")


def test_small_with_a_check_of_the_new_column(lay: Lay) -> None:
    project = lay("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    change = (
        "ALTER TABLE t ADD COLUMN x int DEFAULT 0; UPDATE t SET x = id;"
        "ALTER TABLE t ADD CONSTRAINT pos CHECK (x > 0)"
    )
    rollout = miggen.plan(project, change, "--rows=t=100")
    hard.take(project, rollout)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)


def test_required_and_made_the_key(lay: Lay) -> None:
    project = lay("CREATE TABLE t (id int)", "INSERT INTO t SELECT generate_series(1, 40)")
    hard.carried(
        project, "ALTER TABLE t ALTER COLUMN id SET NOT NULL; ALTER TABLE t ADD PRIMARY KEY (id)"
    )


COLLATED = """
    CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE t (id int PRIMARY KEY, name text COLLATE same)
"""


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
def test_values_that_are_equal_and_not_the_same(lay: Lay) -> None:
    """A change of letter case is a change, in batches as in triggers."""
    rows = "INSERT INTO t VALUES (1, 'Ada'), (2, 'plato')"
    assert "hold what varchar(3)" in refused_by_the_server(lay(COLLATED, rows))
    project = lay(COLLATED, rows)
    hard.carried(project, "UPDATE t SET name = lower(name)")
    assert project.database.rows("SELECT string_agg(name, ' ' ORDER BY id) FROM t") == [
        ("ada plato",)
    ]
    hard.take(
        project, miggen.plan(project, "ALTER TABLE t ADD COLUMN x text; UPDATE t SET x = name")
    )
    project.database.script("UPDATE t SET name = 'ADA' WHERE id = 1")
    assert project.database.rows("SELECT x FROM t WHERE id = 1") == [("ADA",)]


NO_CASE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name text COLLATE NOCASE)"


@pytest.mark.parametrize(
    ("lay", "schema"),
    [("pg12", COLLATED), ("pg18", COLLATED), ("sqlite", NO_CASE)],
    indirect=["lay"],
)
@pytest.mark.parametrize("required", ["", " NOT NULL", " NOT NULL DEFAULT 'x'"])
def test_a_rename_of_values_that_are_equal_and_not_the_same(
    lay: Lay, schema: str, required: str
) -> None:
    """Each side follows a change of letter case in the other."""
    schema = schema.replace("name text", f"name text{required}")
    rows = "INSERT INTO t VALUES (1, 'Ada'), (2, 'plato')"
    change = "ALTER TABLE t RENAME COLUMN name TO label"
    hard.carried(lay(schema, rows), change)
    project = lay(schema, rows)
    rollout = hard.run(project, change)
    for written, other in (("name", "label"), ("label", "name")):
        for value in ("ADA", "ada", "Ada"):
            project.database.script(f"UPDATE t SET {written} = '{value}' WHERE id = 1")
            assert project.database.rows(f"SELECT {other} FROM t WHERE id = 1") == [(value,)]
    project.database.script("INSERT INTO t (id, label) VALUES (3, 'Eve')")
    assert project.database.rows("SELECT name FROM t WHERE id = 3") == [("Eve",)]
    hard.take(project, hard.following(project, rollout))


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    ("ty", "one", "other"),
    [
        ("box", "(1,1),(0,0)", "(2,1),(1,0)"),
        ("numeric", "1.50", "1.5"),
        ("interval", "1 mon", "30 days"),
        ("double precision", "-0", "0"),
        ("jsonpath", "$.a", "$.b"),
        ("dj", "1", "2"),
        ("pair", "(1,2)", "(1,3)"),
    ],
)
def test_a_rename_of_values_of_many_types(lay: Lay, ty: str, one: str, other: str) -> None:
    """What new code writes reaches old code, whatever the type calls equal."""
    types = "CREATE DOMAIN dj AS json; CREATE TYPE pair AS (a int, b json);"
    project = lay(
        f"{types} CREATE TABLE t (id int PRIMARY KEY, v {ty})", f"INSERT INTO t VALUES (1, '{one}')"
    )
    rollout = hard.run(project, "ALTER TABLE t RENAME COLUMN v TO w")
    project.database.script(f"UPDATE t SET w = '{other}'")
    assert project.database.rows("SELECT v::text = w::text FROM t") == [(True,)]
    hard.take(project, hard.following(project, rollout))
    assert project.database.rows(f"SELECT w::text = '{other}'::{ty}::text FROM t") == [(True,)]


def test_values_that_are_none_of_their_type(lay: Lay) -> None:
    """The server would say so when rows are written, by old code."""
    project = lay("CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TABLE t (id int, m mood)")
    for change in (
        "ALTER TABLE t ADD COLUMN x mood NOT NULL DEFAULT 'fin'",
        "ALTER TABLE t ADD COLUMN x mood; UPDATE t SET x = 'fin'",
        "ALTER TABLE t ALTER COLUMN m SET DEFAULT 'fin'",
    ):
        said = refusal(project, change)
        assert "`fin` is no value of mood" in said and "did you mean 'fine'?" in said
    assert "is no value of int" in refusal(project, "ALTER TABLE t ADD COLUMN x int DEFAULT 'a'")
    hard.run(project, "ALTER TABLE t ADD COLUMN x mood NOT NULL DEFAULT 'fine'")


def test_a_default_that_its_check_refuses(lay: Lay) -> None:
    """Every INSERT without the column would fail: nothing is changed."""
    project = lay("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    change = "ALTER TABLE t ADD COLUMN x text DEFAULT {} CHECK (t.x IN ('a', 'b'))"
    step = miggen.plan(project, change.format("'c'")).deploy.steps[0]
    with pytest.raises(CommandFailed, match="breaks t_x_check: every INSERT without it would fail"):
        rollouts.up(project, step)
    project = lay("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    hard.carried(project, change.format("'a'"))


def test_what_frameworks_print(lay: Lay) -> None:
    """Their own bookkeeping, a cast to the new type, and CASCADE, are no change."""
    schema = """
        CREATE TABLE t (id int PRIMARY KEY, n int, name text);
        CREATE TABLE alembic_version (version_num varchar(32));
    """
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 40) AS n"
    project = lay(schema, rows + "; INSERT INTO alembic_version VALUES ('1')")
    change = (
        'BEGIN; ALTER TABLE t ALTER COLUMN "n" TYPE bigint USING "n"::bigint;'
        'SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE t DROP COLUMN "name" CASCADE;'
        "UPDATE alembic_version SET version_num='2' WHERE alembic_version.version_num = '1'; COMMIT"
    )
    hard.arrives(project, change, "ALTER TABLE t ALTER n TYPE bigint; ALTER TABLE t DROP name")


def refused_by_the_server(project: hard.Project) -> str:
    """What the first step of a narrowing says."""
    first = miggen.plan(project, "ALTER TABLE t ALTER name TYPE varchar(3)").deploy.steps[0]
    with pytest.raises(CommandFailed) as failed:
        rollouts.up(project, first)
    for file in (project.root / "migrations").glob("*type*"):
        file.unlink()
    return str(failed.value)


def test_an_update_that_names_its_table(lay: Lay) -> None:
    """In the trigger there is no table of that name."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text, n int)",
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 5)",
    )
    change = "ALTER TABLE t ADD x text; UPDATE t SET x = upper(t.name) WHERE t.n > 3"
    rollouts.up(project, miggen.plan(project, change).deploy.steps[0])
    project.database.script("INSERT INTO t VALUES (3, 'c', 9)")
    assert project.database.rows("SELECT x FROM t WHERE n > 3 ORDER BY id") == [(None,), ("C",)]


def test_a_constraint_that_the_schema_file_does_not_know(lay: Lay) -> None:
    """One of the same name stays, and the step says so."""
    project = lay("CREATE TABLE t (id int PRIMARY KEY, a int, b int)")
    project.database.script("ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE (a)")
    change = "ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE (b)"
    step = miggen.plan(project, change).deploy.steps[0]
    with pytest.raises(CommandFailed, match="t_b_key is a constraint on other columns"):
        rollouts.up(project, step)
    keys = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 't_b_key'"
    assert project.database.rows(keys) == [("UNIQUE (a)",)]


@on_all
def test_reserved_words(lay: Lay) -> None:
    """The server's own list: those are refused, all others are names."""
    project = lay("CREATE TABLE t (id int PRIMARY KEY)")
    words = dict(project.database.rows("SELECT word, catcode IN ('R', 'T') FROM pg_get_keywords()"))
    for word in (word for word, reserved in words.items() if reserved):
        assert f"`{word}` is a reserved word" in refusal(
            project, f"ALTER TABLE t ADD COLUMN {word} int"
        )
    for change in (
        "ALTER TABLE t ADD COLUMN n int CONSTRAINT user CHECK (n > 0)",
        "CREATE TABLE new (n int CONSTRAINT user NOT NULL)",
        "CREATE TABLE new (n int, CONSTRAINT user CHECK (n > 0))",
    ):
        assert "`user` is a reserved word" in refusal(project, change)
    names = ", ".join(f"{word} int" for word, reserved in words.items() if not reserved)
    hard.run(project, f"CREATE TABLE names ({names})")


@on_all
@pytest.mark.parametrize(
    "actions",
    [
        "ADD CONSTRAINT a CHECK (n > 0), ADD CONSTRAINT b CHECK (n > -1), ADD UNIQUE (n)",
        "ADD x int, ADD y int, ADD CONSTRAINT a CHECK (x < y), ADD CONSTRAINT b CHECK (x > 0)",
        "ADD x int CHECK (x > 0), ADD y date, ADD CONSTRAINT a CHECK (y > '2020-01-01' OR x < n)",
        "ADD UNIQUE (n), ADD UNIQUE (id, n), ADD FOREIGN KEY (n) REFERENCES t (id)",
        "ADD x text DEFAULT 'a', ALTER x SET NOT NULL, ADD CONSTRAINT a UNIQUE (x, id)",
    ],
)
def test_several_actions_of_one_statement(lay: Lay, actions: str) -> None:
    """Each brings its own constraint, and none brings another's."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, n int)"
    rows = "INSERT INTO t SELECT n, n FROM generate_series(1, 40) AS n"
    hard.carried(lay(schema, rows), f"ALTER TABLE t {actions}")


def test_a_key_goes_when_what_replaces_it_is_built(lay: Lay) -> None:
    """A build that fails leaves the old constraint in force."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text CONSTRAINT t_name UNIQUE)",
        "INSERT INTO t VALUES (1, 'a'), (2, 'A')",
    )
    change = "CREATE UNIQUE INDEX t_lower ON t (lower(name)); ALTER TABLE t DROP CONSTRAINT t_name"
    steps = miggen.plan(project, change).deploy.steps
    with pytest.raises(CommandFailed):
        for step in steps:
            rollouts.up(project, step)
    with pytest.raises(psycopg.errors.UniqueViolation, match="t_name"):
        project.database.script("INSERT INTO t VALUES (3, 'a')")


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_small_table_at_another_isolation_level(lay: Lay, level: str) -> None:
    """The tries for the lock would see the rows as they were before it, and fill no others."""
    project = lay(PLAIN, hard.ROWS)
    rollout = miggen.plan(project, hard.RENAME, "--rows=t=300")
    database = project.database.name
    project.database.script(
        f"ALTER DATABASE {database} SET default_transaction_isolation = '{level}'"
    )
    with pytest.raises(CommandFailed, match="run this at READ COMMITTED"):
        hard.take(project, rollout)
    project.database.script(f"ALTER DATABASE {database} RESET default_transaction_isolation")
    hard.take(project, rollout)
