"""The tests of the tests: what they are there to find, they find."""

from pathlib import Path
from tempfile import mkdtemp

import pytest

import dumps
import proof
from projects import Project
from scenario import Scenario
from servers import Servers
from writers import Traffic


@pytest.fixture
def traffic(scenario: Scenario, project: Project):
    traffic = Traffic(project.database, scenario.values, scenario.settle)
    traffic.ledger.fill(project.database, scenario.old)
    yield traffic
    traffic.stop_all()


@pytest.mark.only("raw-pg15", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_naive_change_breaks_old_code(
    scenario: Scenario, project: Project, traffic: Traffic
) -> None:
    """The change as people write it: the writers notice in the same instant."""
    traffic.start("old", scenario.old)
    traffic.wait(10)
    traffic.assert_no_failures()
    project.database.script(scenario.change(project.server.id))
    traffic.wait(10)
    with pytest.raises(AssertionError, match="failed statements"):
        traffic.assert_no_failures()


@pytest.mark.only("raw-pg15", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE posts SET title = 'lost' WHERE id = 7",
        "DELETE FROM posts WHERE id = 7",
        "INSERT INTO posts (author_id, title) VALUES (1, 'from nowhere')",
    ],
)
def test_damage_is_found(
    damage: str, scenario: Scenario, project: Project, traffic: Traffic
) -> None:
    """One row changed behind the writers' backs is one row too many."""
    traffic.start("old", scenario.old)
    traffic.wait(50)
    traffic.stop_all()
    traffic.assert_no_failures()
    traffic.assert_kept(scenario.old)
    project.database.script(damage)
    with pytest.raises(AssertionError, match="diverge"):
        traffic.assert_kept(scenario.old)


@pytest.mark.only("raw-pg15", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_wrong_read_is_found(scenario: Scenario, project: Project, traffic: Traffic) -> None:
    """A trigger that turns old code's value into another is found by the read after the write."""
    body = "UPDATE posts SET title = 'other' WHERE id = NEW.id"
    if project.dialect == "postgres":
        project.database.script(
            "CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.title := 'other'; RETURN NEW; END $$;"
            "CREATE TRIGGER harm BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION harm()"
        )
    else:
        project.database.script(
            f"CREATE TRIGGER harm AFTER UPDATE OF title ON posts BEGIN {body}; END"
        )
    traffic.start("old", scenario.old)
    traffic.wait(20)
    with pytest.raises(AssertionError, match="wrong rows"):
        traffic.assert_no_failures()


COMMON = [
    "ALTER TABLE users ADD COLUMN x text",
    "CREATE INDEX users_x ON users (status)",
    "DROP INDEX posts_created_idx",
]
POSTGRES = [
    "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
    "ALTER TABLE users ALTER COLUMN status SET DEFAULT 'x'",
    "ALTER TABLE users ADD CHECK (status <> '') NOT VALID",
    "CREATE FUNCTION left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON COLUMN users.email IS 'x'",
    "GRANT SELECT ON users TO PUBLIC",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'posts_created_idx'::regclass",
]


@pytest.mark.only("raw-pg12", "raw-pg15", "raw-pg18", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_every_difference_shows(scenario: Scenario, project: Project) -> None:
    """Whatever a way back may forget changes the dump, and its shape."""
    for sql in [*COMMON, *(POSTGRES if project.dialect == "postgres" else [])]:
        copy = project.database.copy()
        assert dumps.schema(copy) == dumps.schema(project.database)
        assert dumps.shape(copy) == dumps.shape(project.database)
        copy.script(sql)
        assert dumps.schema(copy) != dumps.schema(project.database), sql
        assert dumps.shape(copy) != dumps.shape(project.database), sql
        copy.drop()


@pytest.mark.only("raw-pg15", "raw-sqlite")
@pytest.mark.scenarios("rename_column")
def test_shape_forgets_order_alone(scenario: Scenario, project: Project) -> None:
    """A column that went and came back is last: another schema, the same shape."""
    database = project.database
    move = "ALTER TABLE posts DROP COLUMN title; ALTER TABLE posts ADD COLUMN title text"
    database.script(move)
    schema, shape = dumps.schema(database), dumps.shape(database)
    database.script("ALTER TABLE posts ADD COLUMN later text")
    database.script(move)
    assert dumps.schema(database) != schema
    database.script("ALTER TABLE posts DROP COLUMN later")
    assert dumps.shape(database) == shape


def test_schema_of_sqlite_forgets_words_alone(running: Servers, tmp_path: Path) -> None:
    """One table in two spellings, and other ones."""

    def schema(sql: str) -> str:
        database = running.get("sqlite").create(Path(mkdtemp(dir=tmp_path)))
        database.script(sql)
        found = dumps.schema(database)
        database.drop()
        return found

    one = "CREATE TABLE t (id INTEGER NOT NULL, a text DEFAULT 'a b', PRIMARY KEY (id))"
    other = """CREATE TABLE "t" (id integer NOT NULL PRIMARY KEY,\n a TEXT DEFAULT 'a b' NULL)"""
    assert schema(one) == schema(other)
    for old, new in [("a b", "A B"), (" NOT NULL", ""), ("text", "int"), ("PRIMARY KEY", "UNIQUE")]:
        assert schema(one) != schema(one.replace(old, new)), new


def test_the_proof_speaks_of_tests_that_there_are() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    missing = [test for test in proof.COLUMNS if f"def {test}(" not in sources]
    assert not missing
