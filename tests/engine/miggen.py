"""miggen as a person runs it, and its answers as values."""

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from projects import Project
from shell import REPOSITORY, CommandFailed, attempt, describe

PROGRAM = Path(os.environ.get("MIGGEN", REPOSITORY / "target/debug/miggen")).resolve()

# All in the past: a guard inside a migration asks the server's own clock.
WRITTEN = date(2025, 1, 10)
RELEASED = date(2025, 1, 12)
LATER = date(2025, 6, 1)


@dataclass(frozen=True)
class Step:
    """One unit of a deploy: what the runbook says to run, and what to run to undo it."""

    slug: str
    title: str
    transaction: bool
    locks: dict[str, str]
    files: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...]


@dataclass(frozen=True)
class Deploy:
    """The steps between two releases of the application."""

    number: int
    # The downs of its steps lead back together, not one by one.
    as_a_whole: bool
    keep: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Rollout:
    """One answer of `miggen` or `miggen next`."""

    folder: str
    current: int
    deploys: tuple[Deploy, ...]
    verify: tuple[str, ...]
    written: tuple[str, ...]
    answer: dict[str, Any] = field(repr=False)

    @property
    def deploy(self) -> Deploy:
        """The deploy whose files have just been written."""
        return next(deploy for deploy in self.deploys if deploy.number == self.current)

    @property
    def is_last(self) -> bool:
        return self.current == max(deploy.number for deploy in self.deploys)


def read(answer: dict[str, Any]) -> Rollout:
    deploys = tuple(
        Deploy(
            deploy["number"],
            deploy["back_as_a_whole"],
            deploy.get("keep"),
            tuple(read_step(step) for step in deploy["steps"]),
        )
        for deploy in answer["deploys"]
    )
    return Rollout(
        answer["rollout"],
        answer["deploy"],
        deploys,
        tuple(answer.get("verify", ())),
        tuple(answer.get("written", ())),
        answer,
    )


def read_step(step: dict[str, Any]) -> Step:
    return Step(
        step["slug"],
        step["title"],
        step["transaction"],
        {lock["table"]: lock["mode"] for lock in step.get("locks", ())},
        tuple(step.get("files") or ()),
        tuple(step.get("up") or ()),
        tuple(step.get("down") or ()),
    )


def run(project: Project, *arguments: str, day: date = WRITTEN) -> str:
    """What `miggen` prints with `arguments`; the clock stands at noon of `day`."""
    done = call(project, *arguments, day=day)
    if done.returncode != 0:
        raise CommandFailed(describe(done, project.root))
    return done.stdout


def call(project: Project, *arguments: str, day: date = WRITTEN):
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM} is not built: cargo build")
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=timezone.utc)
    env = {**project.env, "SOURCE_DATE_EPOCH": str(int(noon.timestamp()))}
    return attempt([str(PROGRAM), *arguments], project.root, env)


def parse(output: str) -> Rollout:
    # Warnings stand in the answer too.
    answer = re.sub(r"^warning: .*\n", "", output, flags=re.MULTILINE)
    try:
        return read(json.loads(answer))
    except (ValueError, KeyError) as error:
        raise AssertionError(f"not the answer of --format json ({error!r}):\n{output}") from None


def plan(project: Project, change: str, *options: str) -> Rollout:
    """Ask for the rollout of `change` as of the day `WRITTEN`: writes deploy 1."""
    return parse(run(project, *arguments(project, *options), change))


def arguments(project: Project, *options: str) -> list[str]:
    """`options`, and what a test says where they do not."""
    schema = (project.root / "schema.sql").read_text()
    known = [name for name in ("users", "posts") if re.search(rf"TABLE \S*\b{name}\b", schema)]
    downtime = [] if any("--downtime" in option for option in options) else ["--downtime=none"]
    return [
        f"--target={project.target.name}",
        f"--server={project.server.version}",
        "--schema=schema.sql",
        *(f"--rows={name}=40M" for name in known),
        *downtime,
        "--format=json",
        *options,
    ]


def release(project: Project, rollout: Rollout) -> None:
    """Write the day on which a deploy reached production, as the runbook asks a person to."""
    day = RELEASED if rollout.current == 1 else LATER
    state = project.root / rollout.folder / "rollout.toml"
    text, count = re.subn(
        rf"(?m)^(\[\[deploys\]\]\nnumber = {rollout.current}\n)",
        rf"\g<1>released = {day.isoformat()}\n",
        state.read_text(),
    )
    assert count == 1, (
        f"no [[deploys]] with number = {rollout.current} in {state.name}:\n{state.read_text()}"
    )
    state.write_text(text)


def following(project: Project) -> Rollout:
    """`miggen next`, long after the release: writes the next deploy."""
    return parse(run(project, "next", "--format=json", day=LATER))


def fresh_copy(project: Project, folder: Path) -> Project:
    """The same repository elsewhere, without what a run left behind; the database is shared."""
    root = folder / "copy"
    shutil.copytree(project.root, root)
    return Project(project.target, project.server, root, project.database)


def files(root: Path) -> dict[str, bytes]:
    """Every file of a repository, by its path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def assert_same_files(one: Path, other: Path) -> None:
    """The same input gives the same bytes, wherever the repository lies."""
    first, second = files(one), files(other)
    differing = [name for name in first | second if first.get(name) != second.get(name)]
    assert not differing, f"the same input gave other bytes in {', '.join(differing)}"
