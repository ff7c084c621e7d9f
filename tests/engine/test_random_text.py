"""Hostile text, put together by chance, through every layer between miggen and the server.

The server is asked for what it stored. `RANDOM_ROUNDS=20` adds as many to each.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import hard
import miggen
import projects
import rollouts
from projects import TARGETS, Project
from servers import Servers

ROUNDS = 3 + int(os.environ.get("RANDOM_ROUNDS", "0"))
CASES = [
    (target, server, seed)
    for target in TARGETS
    for server in ("pg15", "sqlite")
    for seed in range(1, ROUNDS + 1)
]
PIECES = [
    *("%", "%s", "%(x)s", "%%", "{{", "{{ x }}", "{% if %}", "{#", "{0}", "{", "}", ":name", "::"),
    *("${x}", "$$", "$t$", "$guard$", "$1", "?", "#{y}", "\\", "\\n", "\\'", "'", "''", '"', '"""'),
    *("'''", "\n", "\r\n", "\t", ";", "; --", "--", "/*", "*/", "`", "-- miggen: keep 1 day", "#"),
    *(
        "é",
        "ß",
        "名前",
        "🙂",
        "\u00a0",
        "\u2028",
        "x",
        " ",
        "COMMIT;",
        "BEGIN",
        "END $$",
        "f'",
        'r"',
    ),
]


@pytest.fixture
def case(
    request: pytest.FixtureRequest, running: Servers, tmp_path: Path
) -> Iterator[tuple[Project, random.Random]]:
    """The repository of a target on a server, and the chance of a seed."""
    projects.programs()
    target, server, seed = request.param
    project = projects.create(TARGETS[target], running.get(server), tmp_path, rows=20)
    yield project, random.Random(seed)
    project.database.drop()


@pytest.mark.parametrize(
    "case", CASES, ids=["-".join(map(str, case)) for case in CASES], indirect=True
)
def test_text_arrives(case: tuple[Project, random.Random]) -> None:
    project, chance = case
    by_sqlite3 = project.target.name == "raw" and project.dialect == "sqlite"

    def text() -> str:
        found = "".join(chance.choices(PIECES, k=chance.randint(4, 12)))
        # The sqlite3 program ends every line that it reads by a line feed alone.
        return found.replace("\r", "") if by_sqlite3 else found

    given, forbidden, said, email, status = (text() for _ in range(5))
    commented = project.dialect == "postgres"
    change = (
        f"ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT {literal(given)}"
        f" CONSTRAINT users_note_check CHECK (note <> {literal('no ' + forbidden)});\n"
        "INSERT INTO users (id, email, status)"
        f" VALUES (1001, {literal(email)}, {literal(status)});\n"
    )
    if commented:
        change += f"COMMENT ON COLUMN users.status IS {literal(said)};\n"
    (project.root / "change.sql").write_bytes(change.encode())
    rollout = miggen.plan(project, "change.sql")
    for _ in range(2):
        hard.take(project, rollout)
        assert project.database.rows("SELECT DISTINCT note FROM users") == [(given,)]
        newest = "SELECT email, status FROM users ORDER BY id DESC LIMIT 1"
        assert project.database.rows(newest) == [(email, status)]
        with pytest.raises(Exception, match="users_note_check"):
            project.database.script(f"UPDATE users SET note = {literal('no ' + forbidden)}")
        if commented:
            comment = "SELECT col_description('users'::regclass, attnum) FROM pg_attribute"
            of = " WHERE attrelid = 'users'::regclass AND attname = 'status'"
            assert project.database.rows(comment + of) == [(said,)]
        for step in reversed(rollout.deploy.steps):
            rollouts.down(project, step)
        assert project.database.rows("SELECT count(*) FROM users") == [(20,)]


def literal(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))
