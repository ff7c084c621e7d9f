"""Which scenario runs on which target and server, and the fixtures they share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import hard
import projects
import proof
import servers
from scenario import Scenario
from scenarios import ALL, EVERY_MECHANISM

# Every target on these; raw SQL, whose SQL is everybody's, on the oldest and newest too.
EVERY_TARGET = ("pg15", "sqlite")
RAW_TOO = ("pg12", "pg18")


def combinations() -> list[tuple[str, str, str]]:
    found = []
    for scenario in ALL.values():
        for target in scenario.targets or projects.TARGETS:
            for server in (*EVERY_TARGET, *(RAW_TOO if target == "raw" else ())):
                if scenario.change(server):
                    found.append((scenario.name, target, server))
    return found


def by_turns(chosen: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Each change in raw SQL everywhere, and in one framework a server, the next in the next."""
    names = list(ALL)

    def is_its_turn(scenario: str, target: str, server: str) -> bool:
        others = [t for s, t, v in chosen if (s, v) == (scenario, server) and t != "raw"]
        return target == others[(names.index(scenario) + (server == "sqlite")) % len(others)]

    return [
        (s, t, v)
        for s, t, v in chosen
        if t == "raw" or s in EVERY_MECHANISM or is_its_turn(s, t, v)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"scenario", "project"} <= set(metafunc.fixturenames):
        chosen = combinations()
        if only := metafunc.definition.get_closest_marker("only"):
            chosen = [(s, t, v) for s, t, v in chosen if f"{t}-{v}" in only.args]
        if metafunc.definition.get_closest_marker("two_releases"):
            chosen = by_turns([(s, t, v) for s, t, v in chosen if ALL[s].new])
        if names := metafunc.definition.get_closest_marker("scenarios"):
            chosen = [(s, t, v) for s, t, v in chosen if s in names.args]
        metafunc.parametrize(
            ("scenario", "project"),
            [(scenario, (target, server)) for scenario, target, server in chosen],
            ids=["-".join(names) for names in chosen],
            indirect=True,
        )


@pytest.fixture(scope="session")
def running() -> Iterator[servers.Servers]:
    with servers.session() as session:
        yield session


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return ALL[request.param]


@pytest.fixture
def project(
    request: pytest.FixtureRequest, running: servers.Servers, tmp_path: Path
) -> Iterator[projects.Project]:
    """A fresh repository and database for `(target, server)`."""
    projects.programs()
    target, server = request.param
    of_scenario = "scenario" in request.fixturenames
    project = projects.create(
        projects.TARGETS[target],
        running.get(server),
        tmp_path,
        int_ids=of_scenario and request.getfixturevalue("scenario").int_ids,
    )
    yield project
    project.database.drop()


@pytest.fixture
def lay(
    request: pytest.FixtureRequest, running: servers.Servers, tmp_path: Path
) -> Iterator[hard.Lay]:
    """Lays out a schema of the test's own, on the server the test is for: pg15 if it says none."""
    with hard.laying(running.get(getattr(request, "param", "pg15")), tmp_path) as lay:
        yield lay


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, lines in proof.sections(terminalreporter.stats):
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.line(line)
