"""Columns that others take the place of, in the forms that no scenario has."""

import pytest

import hard
import miggen
from hard import Lay, contents, take

PEOPLE = """
CREATE TABLE people (id INTEGER PRIMARY KEY, first text NOT NULL, last text, age int{more});
CREATE TABLE pets (id INTEGER PRIMARY KEY, owner int REFERENCES people (id) ON DELETE CASCADE);
"""
ROWS = """
INSERT INTO people (id, first, last) VALUES (1, 'Ada', 'Lovelace'), (2, 'Plato', NULL);
INSERT INTO pets VALUES (1, 1), (2, 2);
"""
MERGE = """
ALTER TABLE people ADD COLUMN name text{kind};
UPDATE people SET name = first || ' ' || coalesce(last, '');
-- miggen: back first = substr(name, 1, instr(name, ' ') - 1)
ALTER TABLE people DROP COLUMN first;
-- miggen: back last = nullif(substr(name, instr(name, ' ') + 1), '')
ALTER TABLE people DROP COLUMN last;
"""
WRITES = [
    ("INSERT INTO people (id, first, last) VALUES (3, 'Mary', 'Shelley')", ("Mary", "Shelley")),
    ("INSERT INTO people (id, first) VALUES (3, 'Sappho')", ("Sappho", None)),
    ("INSERT INTO people (id, name) VALUES (3, 'Jane Austen')", ("Jane", "Austen")),
    ("UPDATE people SET first = 'Augusta' WHERE id = 1", ("Augusta", "Lovelace")),
    ("UPDATE people SET name = 'Ada King' WHERE id = 1", ("Ada", "King")),
    ("UPDATE people SET age = 36 WHERE id = 1", ("Ada", "Lovelace")),
    ("REPLACE INTO people (id, name) VALUES (1, 'Ada Byron')", ("Ada", "Byron")),
]


@pytest.mark.parametrize("lay", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["", " NOT NULL"])
@pytest.mark.parametrize("more", ["", ", UNIQUE (first, last)", ", CHECK (first <> last)"])
def test_merge_by_rebuild(lay: Lay, kind: str, more: str) -> None:
    """Up and back with what hangs on the old columns; children stay."""
    project = lay(PEOPLE.format(more=more), ROWS)
    change = MERGE.format(kind=kind)
    wanted = PEOPLE.format(more="").replace(
        "first text NOT NULL, last text, age int", "age int, name text" + kind
    )
    naive = f"DROP TABLE pets; DROP TABLE people; {wanted}" + (
        "INSERT INTO people (id, name) VALUES (1, 'Ada Lovelace'), (2, 'Plato ');"
        "INSERT INTO pets VALUES (1, 1), (2, 2)"
    )
    hard.carried(project, change, naive)


@pytest.mark.parametrize("lay", ["sqlite"], indirect=True)
@pytest.mark.parametrize("recursive", ["OFF", "ON"])
@pytest.mark.parametrize(("write", "then"), WRITES)
def test_either_form_follows_the_other(
    lay: Lay, write: str, then: tuple[str, str | None], recursive: str
) -> None:
    project = lay(PEOPLE.format(more=""), ROWS)
    take(project, miggen.plan(project, MERGE.format(kind=" NOT NULL")))
    project.database.script(f"PRAGMA recursive_triggers = {recursive}; {write}")
    first, last = then
    rows = project.database.rows(
        "SELECT first, last, name FROM people ORDER BY id = 3 DESC, id LIMIT 1"
    )
    assert rows == [(first, last, f"{first} {last or ''}")]
    # SQLite's REPLACE deletes the row first.
    assert len(contents(project)["pets"]) == (1 if write.startswith("REPLACE") else 2)


@pytest.mark.parametrize("lay", ["pg15", "sqlite"], indirect=True)
def test_a_new_form_that_says_nothing(lay: Lay) -> None:
    """What is required keeps what it had, and that is in step."""
    project = lay("CREATE TABLE people (id int PRIMARY KEY, first text NOT NULL)")
    change = """
        ALTER TABLE people ADD COLUMN name text;
        UPDATE people SET name = first || ' ';
        -- miggen: back first = trim(name)
        ALTER TABLE people DROP COLUMN first;
    """
    project.database.script("INSERT INTO people VALUES (1, 'Ada')")
    rollout = miggen.plan(project, change)
    take(project, rollout)
    project.database.script("UPDATE people SET name = NULL WHERE id = 1")
    take(project, hard.following(project, rollout))
