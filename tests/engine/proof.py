"""What a run has shown, as tables: every change with what was tried on it, and the hard cases.

How long writers had to wait is told, never judged, for it is the machine's speed as well.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

Stats = Mapping[str, Sequence[Any]]
# A test of test_rollouts.py and the like, and the column it stands in.
COLUMNS = {
    "test_steps": "up, down, up",
    "test_writers": "beside writers",
    "test_locks": "locks as planned",
    "test_backfill_is_killed": "killed, run again",
    "test_index_build_is_killed": "killed, run again",
    "test_killed_in_the_middle": "killed, run again",
    "test_cut_off_on_sqlite": "killed, run again",
}
NUMBERS = re.compile(r"hc((?:\d+(?:_to_|_|(?=\D|$)))+)")


def sections(stats: Stats) -> Iterator[tuple[str, list[str]]]:
    reports = [
        report
        for outcome in ("passed", "failed", "error")
        for report in stats.get(outcome, [])
        if isinstance(report, pytest.TestReport) and (report.when == "call" or report.failed)
    ]
    if changes := table(reports):
        yield "every change, on every target and server it is for", changes
    if numbers := hard_cases(reports):
        shown = ", ".join(str(number) for number in numbers)
        yield f"hard cases that a test walks or sees refused: {len(numbers)}", wrapped(shown)


def table(reports: Sequence[pytest.TestReport]) -> list[str]:
    cells: dict[tuple[str, str], list[pytest.TestReport]] = defaultdict(list)
    for report in reports:
        test, _, names = report.nodeid.split("::")[-1].partition("[")
        if column := COLUMNS.get(test):
            cells[names.split("-")[0].rstrip("]"), column].append(report)
    changes = sorted({change for change, _ in cells})
    columns = list(dict.fromkeys(COLUMNS.values()))
    rows = [["change", *columns, "writes", "failed", "lost", "longest wait"]]
    for change in changes:
        writers = cells[change, "beside writers"]
        rows.append(
            [
                change,
                *(told(cells[change, column]) for column in columns),
                *traffic(writers),
            ]
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    if not changes:
        return []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def told(reports: Sequence[pytest.TestReport]) -> str:
    """`14 ok`, `1 of 14 FAILED`; nothing where it was not tried."""
    if not reports:
        return ""
    failed = sum(report.failed for report in reports)
    return f"{failed} of {len(reports)} FAILED" if failed else f"{len(reports)} ok"


def traffic(reports: Sequence[pytest.TestReport]) -> list[str]:
    """Of the runs that passed: a failed statement or a lost value fails its test."""
    passed = [dict(report.user_properties) for report in reports if report.passed]
    if not passed:
        return ["", "", "", ""]
    writes = sum(one["writes"] for one in passed)
    longest = max(one["longest"] for one in passed)
    return [f"{writes:,}", "0", "0", f"{longest} ms"]


def hard_cases(reports: Sequence[pytest.TestReport]) -> list[int]:
    """`test_hc35_36_keys`, `test_hc01_to_04_24_in_the_way`; those of tests that passed."""
    found: set[int] = set()
    for report in reports:
        name = report.nodeid.split("::")[-1].partition("[")[0]
        if report.failed or not (match := NUMBERS.search(name)):
            continue
        for part in re.findall(r"\d+(?:_to_\d+)?", match[1]):
            first, _, last = part.partition("_to_")
            found.update(range(int(first), int(last or first) + 1))
    return sorted(found)


def wrapped(text: str, width: int = 100) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
