"""Hard cases of tables and indexes, by their number in the list that the plans are held against."""

from collections.abc import Callable

import pytest

import dumps
import miggen
import rollouts
from miggen import Rollout
from projects import TARGETS, Project
from servers import PostgresDatabase
from shell import describe


def on(*names: str):
    """Projects by target and server: raw-pg15."""
    pairs = [tuple(name.split("-")) for name in names]
    return pytest.mark.parametrize("project", pairs, ids=names, indirect=True)


def given(project: Project, sql: str) -> None:
    """More of a schema, on the server and in its file."""
    project.database.script(sql)
    file = project.root / "schema.sql"
    file.write_text(f"{file.read_text()}\n{sql}")


def shape(project: Project) -> str:
    return dumps.shape(project.database, project.target.bookkeeping)


def walk(
    project: Project, change: str, each: Callable[[], None] = lambda: None, renew: bool = False
) -> Rollout:
    """Every deploy up, back and up again; `each` is asked after every step up.

    At the end the schema is what the naive change makes of it; `renew` keeps it as the new file.
    """
    reference = project.database.copy()
    reference.script("DELETE FROM posts; DELETE FROM users")
    reference.script(change)
    (project.root / "change.sql").write_text(change)
    rollout = miggen.plan(project, "change.sql")
    while True:
        before = shape(project)
        for step in rollout.deploy.steps:
            rollouts.up(project, step)
            each()
        for step in reversed(rollout.deploy.steps):
            rollouts.down(project, step)
        number = f"deploy {rollout.current}"
        dumps.assert_same(before, shape(project), f"{number}: no way back", ("was", "is"))
        for step in rollout.deploy.steps:
            rollouts.up(project, step)
            rollouts.verify(project, rollout, step)
        if rollout.is_last:
            break
        if rollout.current == 1:
            miggen.release(project, rollout)
        rollout = miggen.following(project)
    wanted = dumps.shape(reference, project.target.bookkeeping)
    dumps.assert_same(wanted, shape(project), "the end differs", ("wanted", "is"))
    reference.drop()
    if renew:
        dump = 'sqlite3 "$DB" .schema' if project.dialect == "sqlite" else "pg_dump -s -O"
        hidden = "".join(f" -T {table}" for table in project.target.bookkeeping)
        dumped = project.run(dump + (hidden if project.dialect != "sqlite" else ""))
        (project.root / "schema.sql").write_text(dumped)
    return rollout


def refused(project: Project, change: str, *words: str) -> None:
    before = miggen.files(project.root)
    done = miggen.call(project, *miggen.arguments(project), change)
    assert done.returncode == 1, describe(done, project.root)
    for word in words:
        assert word in done.stdout + (done.stderr or ""), describe(done, project.root)
    assert miggen.files(project.root) == before


@on("raw-pg15", "raw-sqlite")
def test_hc51_the_index_of_a_constraint(project: Project) -> None:
    given(project, "CREATE TABLE t (id bigint, CONSTRAINT t_id_key UNIQUE (id));")
    refused(project, "DROP INDEX t_id_key", "constraint", "DROP CONSTRAINT")


@on("raw-pg12", "raw-pg18", "alembic-pg15", "django-pg15", "flyway-pg15", "sqlx-pg15")
def test_hc52_an_index_replaced_without_a_moment_without_one(project: Project) -> None:
    """The old one goes last, in whatever order the script says it."""

    def never_without() -> None:
        rows = project.database.rows(
            "SELECT 1 FROM pg_index WHERE indrelid = 'posts'::regclass AND indisvalid "
            "AND indkey[0] = (SELECT attnum FROM pg_attribute "
            "WHERE attrelid = indrelid AND attname = 'created')"
        )
        assert rows, "no index on posts.created"

    walk(
        project,
        "DROP INDEX posts_created_idx;\nCREATE INDEX posts_created_id_idx ON posts (created, id);",
        never_without,
    )


INDEXES = """
CREATE INDEX "Odd ix" ON posts USING btree (
    lower(title) COLLATE "C" text_pattern_ops DESC NULLS LAST, created
) INCLUDE (author_id) WITH (fillfactor = 70) WHERE title <> 'it''s';
CREATE INDEX posts_brin ON posts USING brin (created) WITH (pages_per_range = 4);
CREATE INDEX posts_gin ON posts USING gin (to_tsvector('simple', title));
CREATE INDEX posts_hash ON posts USING hash (title);
CREATE UNIQUE INDEX posts_unique ON posts (id, title);
COMMENT ON INDEX "Odd ix" IS 'What''s odd';
"""
ALL_INDEXES = ('"Odd ix"', "posts_brin", "posts_gin", "posts_hash", "posts_unique")


@on("raw-pg12", "raw-pg15", "raw-pg18", "alembic-pg15", "django-pg15")
def test_hc53_indexes_come_back_as_they_were(project: Project) -> None:
    given(project, INDEXES)
    walk(project, "".join(f"DROP INDEX {name};\n" for name in ALL_INDEXES))


TABLE = """
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.title := btrim(NEW.title);
    RETURN NEW;
END $$;
CREATE TRIGGER posts_stamp BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE POLICY everybody ON posts USING (true);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
ALTER TABLE posts FORCE ROW LEVEL SECURITY;
GRANT SELECT (title) ON posts TO PUBLIC;
COMMENT ON TABLE posts IS 'Written; 100%';
COMMENT ON COLUMN posts.title IS 'a ''title''';
ALTER TABLE posts ADD CONSTRAINT some_title CHECK (title <> '') NO INHERIT;
COMMENT ON CONSTRAINT some_title ON posts IS 'never empty';
"""


@on("raw-pg12", "raw-pg15", "raw-pg18", "alembic-pg15", "django-pg15", "sqlx-pg15", "flyway-pg15")
def test_hc53_a_dropped_table_comes_back_as_it_was(project: Project) -> None:
    given(project, INDEXES + TABLE)
    walk(project, "DROP TABLE posts;")


@on("raw-sqlite", "django-sqlite")
def test_hc53_a_dropped_table_comes_back_with_its_triggers(project: Project) -> None:
    given(
        project,
        "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT COLLATE NOCASE);\n"
        "CREATE TRIGGER posts_log AFTER INSERT ON posts BEGIN\n"
        "    INSERT INTO log (note) VALUES ('it''s; ' || NEW.title);\n"
        "END;\n"
        "CREATE INDEX posts_title ON posts (lower(title) DESC) WHERE title <> 'a;b';",
    )
    walk(project, "DROP TABLE posts;")


@on("raw-pg12", "raw-pg15", "raw-pg18")
def test_hc71_a_table_with_keys_to_a_busy_table(project: Project) -> None:
    """Its keys once gone, the table is dropped beside a transaction that reads the other table."""
    rollout = miggen.plan(project, "DROP TABLE posts;")
    miggen.release(project, rollout)
    *keys, contract = miggen.following(project).deploy.steps
    assert [step.slug for step in keys] == ["foreign_key"]
    for step in keys:
        assert set(step.locks) == {"posts", "users"}
        rollouts.up(project, step)
    assert set(contract.locks) == {"posts"}
    assert isinstance(project.database, PostgresDatabase)
    with project.database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users")
        rollouts.up(project, contract)


NAME = """blog_o'b; d""r%s :x {{z}}"""
CREATE = f"""
CREATE TABLE "{NAME}" (
    id bigint PRIMARY KEY,
    "select" text NOT NULL DEFAULT 'a; %s :x ''q'' \\n',
    "Or""der" integer CHECK ("Or""der" > 0)
);
CREATE INDEX "in'dex; %" ON "{NAME}" ("select", "Or""der");
"""
EVERY = tuple(f"{target}-{server}" for target in TARGETS for server in ("pg15", "sqlite"))


@on(*EVERY)
def test_hc74_names_that_try(project: Project) -> None:
    """A table whose name is reserved, quoted, and tries to be something else: made and dropped."""
    walk(project, CREATE, renew=True)
    rows = project.database.rows("SELECT count(*) FROM users")
    if project.dialect != "sqlite":
        walk(project, f"""ALTER TABLE "{NAME}" RENAME TO "blog_sel""ect; x";""", renew=True)
        walk(project, """COMMENT ON TABLE "blog_sel""ect; x" IS '; %s :x ''';""", renew=True)
        walk(project, """DROP TABLE "blog_sel""ect; x";""")
    else:
        walk(project, f"""DROP TABLE "{NAME}";""")
    assert project.database.rows("SELECT count(*) FROM users") == rows


@on("raw-pg12", "raw-pg15", "raw-pg18", "alembic-pg15")
def test_hc75_the_same_name_in_two_schemas(project: Project) -> None:
    given(
        project,
        "CREATE SCHEMA other;\n"
        "CREATE TABLE other.users (id bigint PRIMARY KEY, email text);\n"
        "CREATE TABLE other.posts (\n"
        "    id bigint PRIMARY KEY, author_id bigint REFERENCES other.users (id)\n"
        ");\n"
        "CREATE INDEX posts_created_idx ON other.posts (author_id);",
    )
    users = project.database.rows("SELECT count(*) FROM users")
    walk(project, "DROP INDEX other.posts_created_idx;", renew=True)
    walk(project, "COMMENT ON TABLE other.users IS 'others';", renew=True)
    walk(project, "CREATE TABLE other.tag (user_id bigint REFERENCES other.users);", renew=True)
    walk(project, "DROP TABLE other.posts;", renew=True)
    walk(project, "ALTER TABLE other.users RENAME TO people;")
    assert project.database.rows("SELECT count(*) FROM users") == users


@on("raw-pg12", "raw-pg15", "raw-pg18")
def test_old_name_has_the_grants_of_the_table(project: Project) -> None:
    """Whoever could write the table can write it under both names; whoever could not, cannot."""
    database = project.database
    assert isinstance(database, PostgresDatabase)
    roles = [f"{database.name}_{kind}" for kind in ("owner", "app", "reader")]
    owner, app, reader = roles
    database.script(
        "".join(f"CREATE ROLE {role};" for role in roles)
        + f"GRANT ALL ON SCHEMA public TO {', '.join(roles)};"
        + f"ALTER TABLE users OWNER TO {owner};"
        + f"GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {app};"
        + f"GRANT SELECT (id, status) ON users TO {reader}"
    )
    (step,) = miggen.plan(project, "ALTER TABLE users RENAME TO people").deploy.steps
    rollouts.up(project, step)
    with database.connect() as connection:
        for table in ("users", "people"):
            connection.execute(f"SET ROLE {app}")
            connection.execute(f"INSERT INTO {table} (email) VALUES ('x') RETURNING id")
            connection.execute(f"SELECT id FROM {table} LIMIT 1 FOR UPDATE")
            connection.execute(f"SET ROLE {reader}")
            connection.execute(f"SELECT id, status FROM {table} LIMIT 1")
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(f"SELECT email FROM {table}")
        connection.execute("RESET ROLE")
    rollouts.down(project, step)
    database.script(f"DROP OWNED BY {', '.join(roles)} CASCADE")
