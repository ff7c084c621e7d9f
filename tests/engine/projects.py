"""A small but real repository of each target, its database filled, as miggen's users have it.

A target says how its repository is laid out and which command applies the first migration. Nothing
here knows miggen's files: those run by the commands that miggen prints.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from servers import Database, PostgresDatabase, Server, SqliteDatabase
from shell import ENGINES, environment, run

REPOS = Path(__file__).parent / "repos"
ROWS = 5000

FILL = {
    "postgres": """
        INSERT INTO users (email, status)
        SELECT 'User' || n || '@Example.org', CASE n % 3 WHEN 1 THEN 'active' WHEN 2 THEN 'left' END
        FROM generate_series(1, {rows}) AS n;
        INSERT INTO posts (author_id, title, created)
        SELECT id, 'title ' || id, timestamptz '2020-01-01 00:00:00+00' + id * interval '1 hour'
        FROM users;
        ANALYZE;
    """,
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}
        )
        INSERT INTO users (email, status)
        SELECT 'User' || n || '@Example.org', CASE n % 3 WHEN 1 THEN 'active' WHEN 2 THEN 'left' END
        FROM numbers;
        INSERT INTO posts (author_id, title, created)
        SELECT id, 'title ' || id, datetime('2020-01-01 00:00:00', id || ' hours')
        FROM users;
    """,
}


class Target:
    """What the tests must know of a framework."""

    name: str
    drift: str | None = None  # the framework's own question whether models and database agree
    bookkeeping: tuple[str, ...] = ()  # its own tables: in no dump

    def lay_out(self, root: Path, dialect: str) -> None:
        """Copy the repository as it is before the rollout."""
        shutil.copytree(REPOS / self.name, root, dirs_exist_ok=True)

    def initial(self, dialect: str) -> str:
        """The command that applies the first migration."""
        raise NotImplementedError

    def env(self, database: Database) -> dict[str, str]:
        """How this framework finds the database, beside what the server's own programs read."""
        return {}

    def dumps_schema(self) -> bool:
        """Whether schema.sql is a dump of the database, for nobody wrote the SQL by hand."""
        return False


def schema(dialect: str) -> str:
    return (REPOS / "schema" / f"{dialect}.sql").read_text()


def down() -> str:
    return (REPOS / "schema" / "down.sql").read_text()


class Raw(Target):
    name = "raw"

    def lay_out(self, root: Path, dialect: str) -> None:
        folder = root / "migrations"
        folder.mkdir()
        (folder / "001_initial.up.sql").write_text(schema(dialect))
        (folder / "001_initial.down.sql").write_text(down())

    def initial(self, dialect: str) -> str:
        if dialect == "sqlite":
            return 'sqlite3 -bail "$DB" < migrations/001_initial.up.sql'
        return "psql -X -q -v ON_ERROR_STOP=1 -1 -f migrations/001_initial.up.sql"


class Sqlx(Target):
    name = "sqlx"
    drift = "sqlx migrate info"
    bookkeeping = ("_sqlx_migrations",)

    def lay_out(self, root: Path, dialect: str) -> None:
        folder = root / "migrations"
        folder.mkdir()
        (folder / "20240105090000_initial.up.sql").write_text(schema(dialect))
        (folder / "20240105090000_initial.down.sql").write_text(down())

    def initial(self, dialect: str) -> str:
        return "sqlx migrate run"

    def env(self, database: Database) -> dict[str, str]:
        if isinstance(database, SqliteDatabase):
            return {"DATABASE_URL": f"sqlite://{database.path}"}
        return {"DATABASE_URL": f"postgres://{database.address}"}


class Flyway(Target):
    name = "flyway"
    drift = "flyway validate"
    bookkeeping = ("flyway_schema_history",)

    def lay_out(self, root: Path, dialect: str) -> None:
        super().lay_out(root, dialect)
        (root / "sql").mkdir(exist_ok=True)
        (root / "sql/V1__initial.sql").write_text(schema(dialect))

    def initial(self, dialect: str) -> str:
        return "flyway migrate"

    def env(self, database: Database) -> dict[str, str]:
        if isinstance(database, SqliteDatabase):
            # Without these a writer beside it makes Flyway fail: it does not wait on its own.
            options = "transaction_mode=IMMEDIATE&busy_timeout=30000"
            return {"FLYWAY_URL": f"jdbc:sqlite:{database.path}?{options}"}
        host_and_name = database.address.split("@")[1]
        return {"FLYWAY_URL": f"jdbc:postgresql://{host_and_name}", "FLYWAY_USER": "postgres"}


class Alembic(Target):
    name = "alembic"
    drift = "alembic check"
    bookkeeping = ("alembic_version",)

    def initial(self, dialect: str) -> str:
        return "alembic upgrade head"

    def env(self, database: Database) -> dict[str, str]:
        if isinstance(database, SqliteDatabase):
            return {"DATABASE_URL": f"sqlite:///{database.path}?timeout=30"}
        return {"DATABASE_URL": f"postgresql+psycopg://{database.address}"}

    def dumps_schema(self) -> bool:
        return True


class Django(Target):
    name = "django"
    drift = "python manage.py makemigrations --check --dry-run"
    bookkeeping = ("django_migrations", "django_content_type")

    def initial(self, dialect: str) -> str:
        return "python manage.py migrate"

    def env(self, database: Database) -> dict[str, str]:
        if isinstance(database, SqliteDatabase):
            return {"DATABASE_URL": f"sqlite://{database.path}"}
        return {"DATABASE_URL": f"postgres://{database.address}"}

    def dumps_schema(self) -> bool:
        return True


TARGETS = {target.name: target for target in (Raw(), Sqlx(), Flyway(), Alembic(), Django())}


@dataclass
class Project:
    """One repository with its database, the first migration applied and the tables filled."""

    target: Target
    server: Server
    root: Path
    database: Database

    @property
    def dialect(self) -> str:
        return self.server.dialect

    @property
    def env(self) -> dict[str, str]:
        home = self.root.parent
        return environment(home, **self.database.env(), **self.target.env(self.database))

    def run(self, command: str, files: tuple[str, ...] = ()) -> str:
        """Run a command as the runbook says: in a shell, from the root of the repository."""
        paths = [self.root / file for file in files]
        return run(command, self.root, self.env, paths).stdout

    def edit(self, file: str, old: str, new: str) -> None:
        """Change the application, as a person does between two deploys."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has not exactly one {old!r}:\n{text}"
        path.write_text(text.replace(old, new))


# What says that an id is a bigint, by file.
BIG_IDS = {
    "*.sql": ("bigint", "int"),
    "models.py": ("sa.BigInteger", "sa.Integer"),
    "versions/*.py": ("sa.BigInteger", "sa.Integer"),
    "0001_initial.py": ("BigAutoField", "AutoField"),
    "settings.py": ("BigAutoField", "AutoField"),
}


def with_int_ids(root: Path) -> None:
    for pattern, (big, small) in BIG_IDS.items():
        for path in root.rglob(pattern):
            path.write_text(path.read_text().replace(big, small))


def create(
    target: Target, server: Server, folder: Path, rows: int = ROWS, *, int_ids: bool = False
) -> Project:
    """Lay out the repository in `folder` and bring a fresh database to its state."""
    root = folder / "repo"
    root.mkdir()
    target.lay_out(root, server.dialect)
    if int_ids:
        with_int_ids(root)
    project = Project(target, server, root, server.create(folder))
    project.run(target.initial(server.dialect))
    project.database.script(FILL[server.dialect].format(rows=rows))
    (root / "schema.sql").write_text(schema_file(project))
    if int_ids and not target.dumps_schema():
        with_int_ids(root)
    return project


def schema_file(project: Project) -> str:
    """The current schema as a user keeps it: by hand, or as the server's own dump."""
    if not project.target.dumps_schema():
        return schema(project.dialect)
    if isinstance(project.database, PostgresDatabase):
        hidden = " ".join(f"-T {table}" for table in project.target.bookkeeping)
        return project.run(f"pg_dump -s -O -x {hidden}")
    return project.run('sqlite3 "$DB" .schema')


def programs() -> Path:
    """Where the fetched programs are; an error if nobody fetched them."""
    if not (ENGINES / "bin").is_dir():
        raise FileNotFoundError("no engines there: run tests/engines")
    return ENGINES / "bin"
