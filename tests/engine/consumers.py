"""Whoever reads what miggen wrote, beside the frameworks: parsers, linters and formatters."""

import json

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
    if python:
        project.run(f"ruff format --no-cache --isolated --diff {' '.join(python)}")
        # RUF012 is about Django's own way to write a migration: attributes of a class.
        ruff = "ruff check --no-cache --isolated --ignore=RUF012"
        project.run(f"{ruff} {' '.join(python)}", tuple(python))


def check_sql(project: Project, files: list[str]) -> None:
    """squawk parses every file. Its opinions about locks are not asked: miggen has its own."""
    command = ["squawk", "--reporter=json", *files]
    done = attempt(command, project.root, project.env)
    try:
        found = [hit for hit in json.loads(done.stdout) if hit["rule_name"] == "syntax-error"]
    except ValueError:
        raise AssertionError(describe(done, project.root)) from None
    assert not found, describe(done, project.root, [project.root / hit["file"] for hit in found])
