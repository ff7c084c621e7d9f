"""Real servers: each PostgreSQL is started when a test first asks for it, and stopped at the end.

A database knows how a program reaches it (`env`), how the tests do (`connect`), and how to copy
itself, so that a test can compare what a rollout built with what the naive change would have.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from shell import ENGINES

NOBODY = 65534

# A database is several hundred small files: on disk, to make and to drop them is most of its cost.
MEMORY = Path("/dev/shm")
ROOM = 4 << 30

INIT = ("-E", "UTF8", "--locale=C", "--no-sync")

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket}'
max_connections = 60
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'UTC'
"""


class Postgres:
    """One PostgreSQL server of one major version, in a temporary folder."""

    dialect = "postgres"

    def __init__(self, major: int, *, on_disk: bool = False) -> None:
        self.major = major
        self.id = f"pg{major}"
        self.version = f"postgres@{major}"
        self.count = 0
        # Not below the checkout: a socket's path may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir=open_to_all()))
        room = None if on_disk else roomy()
        self.data = Path(tempfile.mkdtemp(prefix="pg", dir=room or open_to_all()))
        self.programs = ENGINES / f"postgres-{major}" / "bin"
        if not (self.programs / "postgres").exists():
            raise FileNotFoundError(f"{self.id} is not there: run tests/engines")
        self.user: list[str] = []
        if os.getuid() == 0:
            self._become_nobody()
        self._start()

    def _become_nobody(self) -> None:
        """PostgreSQL refuses root. The other user must be able to reach its programs too."""
        self.user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if not is_open(self.programs):
            copy = self.folder / "server"
            shutil.copytree(self.programs.parent, copy, symlinks=True)
            self.programs = copy / "bin"
        self.folder.chmod(0o755)
        os.chown(self.folder, NOBODY, NOBODY)
        os.chown(self.data, NOBODY, NOBODY)

    def _run(self, program: str, *arguments: str) -> None:
        # To a file: the server inherits what pg_ctl writes to, and would keep a pipe open.
        with (self.folder / "log").open("a") as log:
            subprocess.run(
                [*self.user, str(self.programs / program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )

    def _start(self) -> None:
        data = str(self.data)
        try:
            self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", *INIT)
            self.port = free_port()
            with (self.data / "postgresql.conf").open("a") as conf:
                conf.write(SETTINGS.format(port=self.port, socket=self.folder))
            self._run("pg_ctl", "-D", data, "-w", "-t", "60", "start")
        except subprocess.CalledProcessError as error:
            log = (self.folder / "log").read_text()
            raise RuntimeError(f"{self.id} does not start: {error}\n{log}") from None

    def stop(self) -> None:
        """Stop this server and take its folder away."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.data)
        shutil.rmtree(self.folder)

    def create(self, folder: Path, template: str = "template0") -> "PostgresDatabase":
        """A new database, empty or a copy of `template`."""
        self.count += 1
        database = PostgresDatabase(self, f"app{self.count}")
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {database.name} TEMPLATE {template}")
        return database

    def conninfo(self, name: str) -> str:
        return f"host={self.folder} port={self.port} user=postgres dbname={name}"


class PostgresDatabase:
    """One database on a `Postgres`."""

    def __init__(self, server: Postgres, name: str) -> None:
        self.server = server
        self.name = name
        self.address = f"postgres@127.0.0.1:{server.port}/{name}"

    def env(self) -> dict[str, str]:
        """How psql, and whatever else is built on libpq, finds this database."""
        return {
            "PGHOST": str(self.server.folder),
            "PGPORT": str(self.server.port),
            "PGUSER": "postgres",
            "PGDATABASE": self.name,
        }

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as an application holds it: every statement is its own transaction."""
        return psycopg.connect(self.server.conninfo(self.name), autocommit=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def script(self, sql: str) -> None:
        """Run several statements, in one transaction as psql -1 would."""
        with self.connect() as connection:
            connection.execute(sql)

    def copy(self) -> "PostgresDatabase":
        return self.server.create(Path(), template=self.name)

    def drop(self) -> None:
        with psycopg.connect(self.server.conninfo("postgres"), autocommit=True) as admin:
            if self.server.major >= 13:
                admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
            else:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [self.name],
                )
                admin.execute(f"DROP DATABASE {self.name}")


class Sqlite:
    """SQLite as an application has it: one file in WAL mode."""

    dialect = "sqlite"
    id = "sqlite"

    def __init__(self) -> None:
        # The oldest of the libraries that will run the files: what that one can do, all can.
        major, minor, *_ = sqlite3.sqlite_version_info
        self.version = f"sqlite@{major}.{minor}"

    def create(self, folder: Path) -> "SqliteDatabase":
        database = SqliteDatabase(folder / "app.db")
        database.rows("PRAGMA journal_mode = WAL")
        return database

    def stop(self) -> None:
        """Nothing runs."""


class SqliteDatabase:
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = Sqlite()
        self.copies = 0

    def env(self) -> dict[str, str]:
        return {"DB": str(self.path)}

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as connection:
            return connection.execute(sql).fetchall()

    def script(self, sql: str) -> None:
        with contextlib.closing(self.connect()) as connection:
            connection.executescript(sql)

    def copy(self) -> "SqliteDatabase":
        self.copies += 1
        copy = SqliteDatabase(self.path.with_name(f"copy{self.copies}.db"))
        with (
            contextlib.closing(self.connect()) as source,
            contextlib.closing(copy.connect()) as target,
        ):
            source.backup(target)
        return copy

    def drop(self) -> None:
        """The file goes with the test's folder."""


Server = Postgres | Sqlite
Database = PostgresDatabase | SqliteDatabase


def roomy() -> Path | None:
    """Where data lies in memory; `None`, the usual place, where there is too little of it."""
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if there and shutil.disk_usage(MEMORY).free > ROOM else None


def open_to_all() -> Path:
    """The usual place for temporary files, if its path is short and another user can reach it."""
    places = [Path(place).resolve() for place in (tempfile.gettempdir(), "/tmp", "/var/tmp")]
    return next(place for place in places if len(str(place)) < 60 and is_open(place / "pg"))


def is_open(path: Path) -> bool:
    """Whether other users reach what lies there."""
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Servers:
    """The servers of one test session, by the names the tests use: pg12, pg15, pg18, sqlite."""

    def __init__(self) -> None:
        self.running: dict[str, Server] = {}

    def get(self, name: str) -> Server:
        if name not in self.running:
            self.running[name] = (
                Sqlite() if name == "sqlite" else Postgres(int(name.removeprefix("pg")))
            )
        return self.running[name]

    def stop(self) -> None:
        for server in self.running.values():
            server.stop()


@contextlib.contextmanager
def session() -> Iterator[Servers]:
    servers = Servers()
    try:
        yield servers
    finally:
        servers.stop()


def column_names(database: Database, table: str) -> Sequence[str]:
    """The columns of `table`, in their order."""
    if isinstance(database, PostgresDatabase):
        sql = (
            "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
            f"AND attrelid = '{table}'::regclass ORDER BY attnum"
        )
    else:
        sql = f"SELECT name FROM pragma_table_info('{table}')"
    return [name for (name,) in database.rows(sql)]
