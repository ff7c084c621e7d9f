"""Run a command the way a person at the terminal would, and say everything when it fails."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import warm

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINES = Path(os.environ.get("MIGGEN_ENGINES", REPOSITORY / "target/engines")).resolve()

# Long enough for a slow machine. A command that needs more hangs, as CREATE INDEX CONCURRENTLY
# does under a lock that waits for it.
TIMEOUT = 300


WARM = warm.Warm()


class CommandFailed(AssertionError):
    """A command that had to succeed did not."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a command sees: the fetched programs first, and nothing of the caller's settings."""
    return {
        "PATH": f"{ENGINES / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        **more,
    }


def run(
    command: str | list[str],
    cwd: Path,
    env: dict[str, str],
    files: Iterable[Path] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `command`; on failure show it, its output and the `files` it was about."""
    done = attempt(command, cwd, env)
    if done.returncode != 0:
        raise CommandFailed(describe(done, cwd, files))
    return done


def attempt(
    command: str | list[str], cwd: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `command` and leave the judgement of its exit code to the caller."""
    try:
        if python := warm.python_command(command):
            more, words = python
            code, output = WARM.run(words, cwd, env | more, TIMEOUT)
            return subprocess.CompletedProcess(command, code, output)
        return subprocess.run(
            command,
            cwd=cwd,
            env=env,
            shell=isinstance(command, str),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
    except (subprocess.TimeoutExpired, TimeoutError) as error:
        output = getattr(error, "output", None) or b""
        text = output.decode(errors="replace") if isinstance(output, bytes) else output
        raise CommandFailed(f"no end within {TIMEOUT} s: {command}\n{text}") from None


def describe(done: subprocess.CompletedProcess[str], cwd: Path, files: Iterable[Path] = ()) -> str:
    """The command, its exit code, its output, and the text of the files it ran."""
    command = done.args if isinstance(done.args, str) else " ".join(map(str, done.args))
    parts = [f"exit code {done.returncode}: {command}", f"in {cwd}", done.stdout.rstrip()]
    for file in files:
        if file.is_file():
            parts += [f"---- {file.relative_to(cwd)}", file.read_text()]
    return "\n".join(parts)
