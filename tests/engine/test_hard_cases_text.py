"""Hard cases of names and text, and those that only one server or one framework knows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hard
import miggen
import projects
import rollouts
from hard import Lay, arrives, carried, on_all, on_sqlite, refusal
from projects import Project
from servers import Servers

RENAME = 'ALTER TABLE "{t}" RENAME COLUMN "{a}" TO "{b}"'
TYPE = 'ALTER TABLE "{t}" ALTER COLUMN "{a}" TYPE varchar(50)'
DERIVE = 'ALTER TABLE "{t}" ADD COLUMN "{b}" text; UPDATE "{t}" SET "{b}" = upper("{a}")'
REQUIRE = (
    'UPDATE "{t}" SET "{a}" = \'\' WHERE "{a}" IS NULL; '
    'ALTER TABLE "{t}" ALTER COLUMN "{a}" SET NOT NULL'
)
DROP = 'ALTER TABLE "{t}" DROP COLUMN "{a}"'
CHECK = 'ALTER TABLE "{t}" ADD CONSTRAINT "{b}" CHECK ("{a}" <> \'\')'
UNIQUE = 'ALTER TABLE "{t}" ADD CONSTRAINT "{b}" UNIQUE ("{a}")'
INDEX = 'CREATE INDEX "{b}" ON "{t}" ("{a}")'

CHANGES = [RENAME, TYPE, DERIVE, REQUIRE, DROP, CHECK, UNIQUE, INDEX]
KINDS = ["rename", "type", "derive", "require", "drop", "check", "unique", "index"]

LONG = "a_name_that_fills_all_of_the_63_bytes_a_server_keeps_of_it_"
NAMES = {
    "reserved": ("select", "order", "user"),
    "mixed": ("User Table", "CamelCase", "camelCase"),
    "quotes": ('we""ird', "it's", 'a""b\'c'),
    "signs": ("100% sure", "$$;--", "%(x)s {{ y }} :z ${w} \\"),
    "letters": ("größe", "名前", "имя🙂"),
    "long": (LONG + "t123", LONG + "c123", LONG + "d123"),
}
ROWS = "INSERT INTO \"{t}\" SELECT n, 'Name ' || n FROM generate_series(1, 200) AS n"


@pytest.mark.parametrize("change", CHANGES, ids=KINDS)
@pytest.mark.parametrize("names", NAMES)
def test_hc73_74_names(lay: Lay, names: str, change: str) -> None:
    """Whatever a thing is called: every step, its way back, and the rollout's own questions."""
    t, a, b = NAMES[names]
    schema = f'CREATE TABLE "{t}" (id int PRIMARY KEY, "{a}" text); CREATE INDEX ON "{t}" ("{a}")'
    project = lay(schema, ROWS.format(t=t))
    carried(project, change.format(t=t, a=a, b=b))


@pytest.mark.parametrize("change", [RENAME, TYPE], ids=KINDS[:2])
def test_hc73_two_names_that_are_cut(lay: Lay, change: str) -> None:
    """Two indexes whose names differ in the last letter: what is derived from them does too."""
    schema = f"""
        CREATE TABLE t (id int PRIMARY KEY, a text, n int);
        CREATE INDEX {LONG}i_1 ON t (a); CREATE INDEX {LONG}i_2 ON t (n, a);
        ALTER TABLE t ADD CONSTRAINT {LONG}u_1 UNIQUE (a);
    """
    project = lay(schema, "INSERT INTO t SELECT n, 'Name ' || n, n FROM generate_series(1, 99) n")
    carried(project, change.format(t="t", a="a", b="b"))


def test_hc74_enum_label_that_injects(lay: Lay) -> None:
    label = "'); DROP TABLE t; --"
    quoted = label.replace("'", "''")
    project = lay(
        f"CREATE TYPE mood AS ENUM ('{quoted}', 'fine'); CREATE TABLE t (id int PRIMARY KEY)",
        "INSERT INTO t SELECT generate_series(1, 50)",
    )
    carried(project, f"ALTER TABLE t ADD COLUMN m mood NOT NULL DEFAULT '{quoted}'")
    assert project.database.rows("SELECT DISTINCT m FROM t") == [(label,)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE a.t RENAME COLUMN name TO label",
        "ALTER TABLE a.t ALTER COLUMN name TYPE varchar(40)",
        "ALTER TABLE a.t ADD COLUMN low text; UPDATE a.t SET low = lower(name);"
        "ALTER TABLE a.t ALTER COLUMN low SET NOT NULL",
        "ALTER TABLE a.t DROP COLUMN name",
        "CREATE INDEX t_name_new ON a.t (name)",
        "ALTER TABLE a.t ADD CONSTRAINT c CHECK (name <> '')",
    ],
)
def test_hc75_two_schemas_and_no_search_path(lay: Lay, change: str) -> None:
    """The other schema's table of the same name stays as it is; search_path does not matter."""
    table = "(id int PRIMARY KEY, name text NOT NULL, n int)"
    schema = "".join(
        f"CREATE SCHEMA {s}; CREATE TABLE {s}.t {table}; CREATE INDEX t_name ON {s}.t (name);"
        for s in "ab"
    )
    rows = "".join(
        f"INSERT INTO {s}.t SELECT n, 'Name ' || n FROM generate_series(1, 200) AS n;" for s in "ab"
    )
    project = lay(schema, rows)
    name = project.database.rows("SELECT current_database()")[0][0]
    project.database.script(f"ALTER DATABASE {name} SET search_path = ''")
    first = carried(project, change)[0]
    other = project.database.rows("SELECT count(*), count(name) FROM b.t")
    assert other == [(200, 200)]
    assert "b.t" not in (project.root / first.folder / "RUNBOOK.md").read_text()


SHADOWED = (
    "ALTER TABLE public.t RENAME COLUMN name TO label",
    "ALTER TABLE public.t ALTER COLUMN name TYPE varchar(40)",
    "ALTER TABLE public.t ADD COLUMN low text; UPDATE public.t SET low = lower(name)",
    "ALTER TABLE public.t DROP COLUMN name",
    "ALTER TABLE public.t ADD COLUMN m int REFERENCES public.t (id)",
    "CREATE INDEX t_new ON public.t (n); DROP INDEX public.t_name",
    "DELETE FROM public.t WHERE n IS NULL",
    "UPDATE public.t SET n = 1 WHERE n IS NULL",
    "ALTER TABLE public.t RENAME TO s",
    "DROP TABLE public.t",
    "CREATE TABLE public.u (id int PRIMARY KEY, t_id int REFERENCES public.t (id))",
)


@pytest.mark.parametrize("change", SHADOWED)
def test_hc75_the_schema_that_is_said(lay: Lay, change: str) -> None:
    """Before public the search path has a schema with a table of the same name."""
    table = "(id int PRIMARY KEY, name text NOT NULL, n int)"
    schema = "".join(
        f"CREATE TABLE {s}.t {table}; CREATE INDEX t_name ON {s}.t (name);"
        for s in ("public", "postgres")
    )
    rows = "".join(
        f"INSERT INTO {s}.t SELECT n, 'Name ' || n FROM generate_series(1, 200) AS n;"
        for s in ("public", "postgres")
    )
    project = lay(f"CREATE SCHEMA postgres; {schema}", rows)
    carried(project, change)
    other = project.database.rows("SELECT count(*), count(name), count(n) FROM postgres.t")
    assert other == [(200, 200, 0)]


@pytest.mark.parametrize("change", ["rename", "derive"])
def test_hc75_writers_without_search_path(lay: Lay, change: str) -> None:
    """The trigger runs in the writer's session, whatever search_path that one has."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text)",
        "INSERT INTO t SELECT n, 'Name ' || n FROM generate_series(1, 50) AS n",
    )
    asked = {
        "rename": "ALTER TABLE t RENAME COLUMN name TO label",
        "derive": "ALTER TABLE t ADD COLUMN label text; UPDATE t SET label = lower(name)",
    }[change]
    hard.run(project, asked)
    with project.database.connect() as writer:
        writer.execute("SET search_path = ''")
        writer.execute("INSERT INTO public.t (id, name) VALUES (100, 'new')")
        writer.execute("UPDATE public.t SET name = 'newer' WHERE id = 1")
    found = project.database.rows("SELECT label FROM t WHERE id IN (1, 100) ORDER BY id")
    assert found == [("newer",), ("new",)]


OWN_TYPE = """
CREATE TYPE order_status AS ENUM ('new', 'paid');
CREATE FUNCTION norm(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL DEFAULT 'new');
"""


@on_all
@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("ALTER TABLE t ALTER COLUMN name TYPE order_status USING name::order_status", "name_new"),
        ("ALTER TABLE t ADD COLUMN label text; UPDATE t SET label = norm(name)", "label"),
    ],
)
def test_hc75_own_names_without_search_path(lay: Lay, change: str, column: str) -> None:
    """What only a search path finds is found by the one of the migration."""
    project = lay(OWN_TYPE, "INSERT INTO t (id) SELECT generate_series(1, 50)")
    hard.run(project, change)
    with project.database.connect() as writer:
        writer.execute("SET search_path = ''")
        writer.execute("INSERT INTO public.t (id, name) VALUES (100, 'paid')")
        writer.execute("UPDATE public.t SET name = 'paid' WHERE id = 1")
    found = project.database.rows(f"SELECT {column} FROM t WHERE id IN (1, 100) ORDER BY id")
    assert found == [("paid",), ("paid",)]


@pytest.mark.parametrize("lay", ["pg15", "sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "\ufeffALTER TABLE t RENAME COLUMN name\r\n\tTO label;\r\n-- größer\r\n",
        "-- miggen: keep 3 days\r\nALTER TABLE t\r\n\tRENAME\tCOLUMN name TO label\r\n;\r\n",
        "ALTER TABLE t ADD COLUMN größe text\r\n\tDEFAULT 'Ä\t🙂';\r\n",
    ],
)
def test_hc78_line_ends_and_marks(lay: Lay, change: str) -> None:
    project = lay("\ufeffCREATE TABLE t (id int PRIMARY KEY,\r\n\tname text);\r\n".lstrip("\ufeff"))
    (project.root / "schema.sql").write_bytes(
        "\ufeffCREATE TABLE t (id int PRIMARY KEY,\r\n\tname text);\r\n".encode()
    )
    (project.root / "change.sql").write_bytes(change.encode())
    naive = change.lstrip("\ufeff")
    reference = project.database.copy()
    reference.script(naive)
    rollout = hard.run(project, "change.sql")
    if not rollout.is_last:
        hard.take(project, hard.following(project, rollout))
    wanted = Project(project.target, project.server, project.root, reference)
    assert hard.contents(project) == hard.contents(wanted)
    assert rollouts.dumps.shape(project.database) == rollouts.dumps.shape(reference)
    reference.drop()


@pytest.mark.parametrize("lay", ["pg15", "sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN note text;"
        "UPDATE t SET note = 'first\n  second\n' || name || '\n\tthird'",
        "UPDATE t SET name = 'one\n two' WHERE name = 'x\n  y'",
        "DELETE FROM t WHERE name = 'x\n  y'",
    ],
)
def test_hc77_lines_inside_a_literal(lay: Lay, change: str) -> None:
    """SQL is indented where it is placed, but not what stands between quotes."""
    rows = "INSERT INTO t VALUES (1, 'plain'), (2, 'x\n  y'), (3, 'x\ny')"
    arrives(lay("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL)", rows), change)


@pytest.fixture(params=projects.TARGETS)
def each(request: pytest.FixtureRequest, running: Servers, tmp_path: Path) -> Iterator[Project]:
    """The repository of every target, on one server."""
    projects.programs()
    server = running.get("pg15")
    project = projects.create(projects.TARGETS[request.param], server, tmp_path, rows=20)
    yield project
    project.database.drop()


TEXT = '%s %(x)s 100% :name ${x} #{y} {{ z }} {% if %} $$ $1 ? \\ \\n ; -- " """ \'\' /* é'


def test_hc77_text_in_every_target(each: Project) -> None:
    """No layer between miggen and the server takes a sign in a text for its own."""
    project = each
    change = (
        f"ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT '{TEXT}'"
        f" CONSTRAINT users_note_check CHECK (note <> '{TEXT}x');"
        f"UPDATE users SET status = '{TEXT}' WHERE status IS DISTINCT FROM '{TEXT}';"
    )
    rollout = miggen.plan(project, change)
    hard.take(project, rollout)
    wanted = TEXT.replace("''", "'")
    assert project.database.rows("SELECT DISTINCT note, status FROM users") == [(wanted, wanted)]
    project.database.script("INSERT INTO users (email) VALUES ('new@example.org')")
    with pytest.raises(Exception, match="users_note_check"):
        project.database.script(f"UPDATE users SET note = '{TEXT}x'".replace("%", "%"))
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    hard.take(project, rollout)


def test_hc75_the_schema_that_is_said_in_every_target(each: Project) -> None:
    change = (
        "ALTER TABLE public.posts RENAME COLUMN title TO name;"
        "ALTER TABLE public.posts ADD COLUMN n int; CREATE INDEX posts_n ON public.posts (n)"
    )
    rollout = miggen.plan(each, change)
    for file in (file for step in rollout.deploy.steps for file in step.files):
        text = (each.root / file).read_text()
        assert not re.findall(r"\b(?:TABLE|ON|FROM|UPDATE)\s+\W?posts\b.*", text)
    hard.take(each, rollout)


def test_hc77_text_in_a_trigger(each: Project) -> None:
    """The same inside the body of a trigger, which is text in a text."""
    project = each
    change = (
        "ALTER TABLE users ADD COLUMN note text NOT NULL;"
        f"UPDATE users SET note = email || '{TEXT}';"
    )
    rollout = miggen.plan(project, change)
    hard.take(project, rollout)
    project.database.script("INSERT INTO users (email) VALUES ('new@example.org')")
    found = project.database.rows("SELECT count(*), count(DISTINCT right(note, 9)) FROM users")
    assert found == [(21, 1)]
    end = TEXT.replace("''", "'")
    assert project.database.rows("SELECT DISTINCT substr(note, length(email) + 1) FROM users") == [
        (end,)
    ]
    hard.take(project, hard.following(project, rollout))


# ---- one framework

django = pytest.mark.parametrize(
    "project", [("django", "pg15")], ids=["django-pg15"], indirect=True
)


@django
def test_hc69_django_keeps_the_default(project: Project) -> None:
    """Old code does not know the column: the default must stay in the database."""
    change = "ALTER TABLE users ADD COLUMN verified boolean NOT NULL DEFAULT false"
    hard.take(project, miggen.plan(project, change))
    project.database.script("INSERT INTO users (email) VALUES ('old@example.org')")
    assert project.database.rows("SELECT DISTINCT verified FROM users") == [(False,)]


@django
def test_hc70_django_still_lists_the_column(project: Project) -> None:
    """Deploy 1 takes the field out of the state only: code that still names it goes on."""
    rollout = miggen.plan(project, "ALTER TABLE posts DROP COLUMN title")
    hard.take(project, rollout)
    project.database.script("INSERT INTO posts (author_id, title) VALUES (1, 'old code')")
    project.database.script("INSERT INTO posts (author_id) VALUES (1)")
    hard.take(project, hard.following(project, rollout))
    project.database.script("INSERT INTO posts (author_id) VALUES (1)")


# ---- one server

PARENT = """
    CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, n INT);
    CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INT REFERENCES p (id) ON DELETE CASCADE);
    CREATE VIEW v AS SELECT id, n FROM p;
    CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
    CREATE TRIGGER own AFTER INSERT ON p BEGIN INSERT INTO log (what) VALUES ('p'); END;
    CREATE TRIGGER other AFTER INSERT ON c BEGIN UPDATE p SET n = n + 1 WHERE id = NEW.p_id; END;
"""
PARENT_ROWS = """
    INSERT INTO p (name, n) VALUES ('a', 1), ('b', 2), ('gone', 3);
    DELETE FROM p WHERE name = 'gone';
    INSERT INTO c (p_id) SELECT id FROM p;
"""
REBUILT = [
    "ALTER TABLE p ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE p ALTER COLUMN name TYPE varchar(20)",
    "ALTER TABLE p ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE p ADD CONSTRAINT k CHECK (name <> '')",
]


@on_sqlite
@pytest.mark.parametrize("change", REBUILT)
def test_hc90_91_rebuild(lay: Lay, change: str) -> None:
    """Children stay, and so do the counter, triggers here and elsewhere, views and rows."""
    project = lay(PARENT, PARENT_ROWS)
    rest = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT IN ('p') ORDER BY 1, 2"
    before = (project.database.rows(rest), hard.contents(project))
    rollout = hard.run(project, change)
    assert (project.database.rows(rest), hard.contents(project)) == before
    project.database.script("INSERT INTO p (name, n) VALUES ('new', 0)")
    assert project.database.rows("SELECT max(id) FROM p") == [(4,)], "an id was given twice"
    project.database.script("DELETE FROM p WHERE id = 1")
    assert project.database.rows("SELECT count(*) FROM c") == [(1,)]
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    assert project.database.rows(rest) == before[0]


@on_sqlite
def test_hc91_rowids(lay: Lay) -> None:
    """A table whose rows have no key but the rowid: who remembers it finds the same row."""
    project = lay(
        "CREATE TABLE p (name TEXT, n INT)",
        "INSERT INTO p (rowid, name) VALUES (7, 'seven'), (3, 'three'), (-1, 'minus')",
    )
    hard.run(project, REBUILT[0])
    found = project.database.rows("SELECT rowid, name FROM p ORDER BY 1")
    assert found == [(-1, "minus"), (3, "three"), (7, "seven")]


@on_sqlite
@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("CREATE TRIGGER w AFTER UPDATE OF n ON p BEGIN SELECT 1; END", "the trigger w"),
        (
            "CREATE TRIGGER w AFTER INSERT ON p BEGIN"
            " INSERT INTO log (what) VALUES (NEW.name); END",
            "the trigger w",
        ),
        (
            "CREATE TRIGGER w AFTER INSERT ON log BEGIN UPDATE p SET name = 'x'; END",
            "the trigger w on log",
        ),
        ("CREATE VIEW w AS SELECT name FROM p", "the view w"),
    ],
)
def test_hc92_what_uses_a_dropped_column(lay: Lay, more: str, named: str) -> None:
    """SQLite drops the column all the same, and the next write fails."""
    project = lay(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT, n INT);"
        f"CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT); {more}"
    )
    column = "n" if "OF n" in more else "name"
    said = refusal(project, f"ALTER TABLE p DROP COLUMN {column}")
    assert f"`{column}` is used by {named}" in said


DEFERRED = "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED"
DISTINCT = "UNIQUE NULLS NOT DISTINCT (a)"


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
@pytest.mark.parametrize("unique", [DISTINCT, DEFERRED], ids=["distinct", "deferrable"])
def test_hc98_unique_as_it_was_meant(lay: Lay, unique: str) -> None:
    """A constraint made of an index keeps NULLS NOT DISTINCT, and is as deferrable as asked."""
    add = f"ALTER TABLE t ADD CONSTRAINT u {unique}"
    plain = "CREATE TABLE t (id int PRIMARY KEY, a text)"
    if unique == DISTINCT:
        assert "miggen does not plan this part of a constraint" in refusal(lay(plain), add)
    else:
        carried(lay(plain), add)
    schema = f"CREATE TABLE t (id int PRIMARY KEY, a text, CONSTRAINT u {unique})"
    carried(lay(schema), "ALTER TABLE t RENAME COLUMN a TO b")
    carried(lay(schema), "ALTER TABLE t ALTER COLUMN a TYPE varchar(40)")
    carried(lay(schema), "ALTER TABLE t DROP COLUMN a")


@pytest.mark.parametrize(
    "change",
    [
        "RENAME COLUMN a TO b",
        "ALTER COLUMN a TYPE varchar(40)",
        "DROP COLUMN a",
    ],
)
def test_hc63_unique_with_include(lay: Lay, change: str) -> None:
    schema = (
        "CREATE TABLE t (id int PRIMARY KEY, a text, n int, CONSTRAINT u UNIQUE (a) INCLUDE (n))"
    )
    said = refusal(lay(schema), f"ALTER TABLE t {change}")
    assert "further options" in said or "u would have to change with it" in said
