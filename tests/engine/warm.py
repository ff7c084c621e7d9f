"""Commands of Python's frameworks without the half second that each start of an interpreter takes.

A process that has imported Alembic and Django, and nothing of a test, waits; for each command it
forks one that runs the framework's own entry point in the command's folder and environment. So the
frameworks run as they do for a user; only their import is shared.
"""

import array
import atexit
import gc
import importlib
import json
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

IMPORTED = (
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "django.contrib.postgres.operations",
    "django.core.mail",
    "django.core.management.commands.makemigrations",
    "django.core.management.commands.migrate",
    "django.core.management.commands.sqlmigrate",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.operations",
    "django.views.debug",
    "logging.config",
    "mako.template",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.orm",
)

SHELL = set("|&;<>()$`\n*?[")  # a command with one of these is for a shell


def python_command(command: str | list[str]) -> tuple[dict[str, str], list[str]] | None:
    """The variables before it and the words of a command of Alembic or Django, if it is one."""
    if not isinstance(command, str) or SHELL & set(command):
        return None
    words = shlex.split(command)
    env = {}
    while words and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    known = words[:1] == ["alembic"] or words[:2] == ["python", "manage.py"]
    return (env, words) if known else None


class Warm:
    """The waiting process, started when first asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def run(
        self, words: list[str], cwd: Path, env: dict[str, str], timeout: float
    ) -> tuple[int, str]:
        """Exit code and output; `TimeoutError` where the command does not end."""
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as output:
            request = json.dumps({"words": words, "cwd": str(cwd), "env": env}).encode()
            fds = array.array("i", [output.fileno(), theirs.fileno()])
            with theirs, self._lock:
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
                self._process().sendmsg([request], rights)
            ours.settimeout(timeout)
            answer = b""
            try:
                while more := ours.recv(64):
                    answer += more
            except TimeoutError:
                os.kill(int(answer.split()[0]), signal.SIGKILL)
                raise
            _, code = answer.split()
            output.seek(0)
            return int(code), output.read().decode(errors="replace")

    def _process(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                subprocess.Popen(
                    [sys.executable, "-I", __file__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env=os.environ | {"LANG": "C.UTF-8"},
                )
        return self._socket


def wait(requests: socket.socket) -> None:
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()  # a collection in a fork would copy all pages of what was imported
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        request, fds, _, _ = socket.recv_fds(requests, 1 << 20, 2)
        if not request:
            return
        output, answer = fds
        # Twice: one to run it, and one to wait for that, while this process takes the next request.
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            worker = os.fork()
            if worker == 0:
                requests.close()
                os.close(answer)
                os._exit(work(json.loads(request), output))
            os.write(answer, f"{worker} ".encode())
            _, status = os.waitpid(worker, 0)
            os.write(answer, str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        os.close(output)
        os.close(answer)


def work(request: dict, output: int) -> int:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.dont_write_bytecode = True
    code = 0
    try:
        if request["words"][0] == "alembic":
            sys.argv = request["words"]
            sys.modules["alembic.config"].main()
        else:
            sys.argv = request["words"][1:]
            sys.path.insert(0, request["cwd"])
            runpy.run_path("manage.py", run_name="__main__")
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # as the interpreter does with what nobody has caught
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    wait(socket.socket(fileno=int(sys.argv[1])))
