"""Whoever reads what miggen wrote, beside the frameworks: parsers, linters and formatters."""

import json
import re
from pathlib import Path

from miggen import Rollout
from projects import Project
from shell import attempt, describe


def check(project: Project, rollout: Rollout) -> None:
    """Every file of one answer is good in the eyes of its reader."""
    for file in rollout.written:
        assert (project.root / file).is_file(), f"{file} is said to be written and is not there"
    sql = [file for file in rollout.written if file.endswith(".sql")]
    python = [file for file in rollout.written if file.endswith(".py")]
    if sql and project.dialect == "postgres":
        check_sql(project, sql)
    check_queries(rollout)
    check_runbook(project, rollout)
    check_questions(project, rollout)
    if python:
        project.run(f"ruff format --no-cache --isolated --diff {' '.join(python)}")
        # RUF012 is about Django's own way to write a migration: attributes of a class.
        ruff = "ruff check --no-cache --isolated --ignore=RUF012"
        project.run(f"{ruff} {' '.join(python)}", tuple(python))


def check_runbook(project: Project, rollout: Rollout) -> None:
    """What is read first prints the deploy's commands, forth and back, each in its order."""
    page = "RUNBOOK.md" if rollout.current == 1 else f"DEPLOY-{rollout.current}.md"
    text = (project.root / rollout.folder / page).read_text()
    steps = rollout.deploy.steps
    ways = [
        [command for step in steps for command in step.up],
        [command for step in reversed(steps) for command in step.down],
    ]
    for commands in ways:
        at = 0
        for command in commands:
            found = re.search(rf"(?m)^{re.escape(command)}(?=\s)", text[at:])
            assert found, f"{page} does not print, or not in this place:\n{command}\n\n{text}"
            at += found.end()


def check_queries(rollout: Rollout) -> None:
    """Every verification query asks about a step, so that it is known when to ask."""
    slugs = {step.slug for deploy in rollout.deploys for step in deploy.steps}
    strays = [file for file in rollout.verify if Path(file).stem.split("_", 1)[1] not in slugs]
    assert not strays, f"no step of {sorted(slugs)} for {strays}"


def check_questions(project: Project, rollout: Rollout) -> None:
    """What the runbook asks before a deploy, and has one watch, can be asked."""
    page = "RUNBOOK.md" if rollout.current == 1 else f"DEPLOY-{rollout.current}.md"
    text = (project.root / rollout.folder / page).read_text()
    if rollout.current == 1:
        text = re.split(r"^## Deploy ", text, flags=re.M)[1]
    blocks = re.findall(r"^\*\*(?:Before|Watch)\*\*[^\n]*\n\n```sql\n(.*?)^```", text, re.M | re.S)
    asked = project.root.parent / "asked.sql"
    asked.write_text("\n".join(blocks))
    if project.dialect == "sqlite":
        project.run(f'sqlite3 -bail "$DB" < {asked}')
    else:
        project.run(f"psql -X -q -v ON_ERROR_STOP=1 -f {asked}")


def check_sql(project: Project, files: list[str]) -> None:
    """squawk parses every file. Its opinions about locks are not asked: miggen has its own."""
    command = ["squawk", "--reporter=json", *files]
    done = attempt(command, project.root, project.env)
    try:
        found = [hit for hit in json.loads(done.stdout) if hit["rule_name"] == "syntax-error"]
    except ValueError:
        raise AssertionError(describe(done, project.root)) from None
    assert not found, describe(done, project.root, [project.root / hit["file"] for hit in found])
