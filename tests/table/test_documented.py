"""The page for administrators says what the tests show: every row, its log line, its link."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/decision-table.md"
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
TOLD = re.compile(r"`(\w+)` (\w+)(?: \[?(\w+))?")
ROWS = range(1, 37)
AS_ROW_27 = {36: 27}
"""Rows that the ledger knows by the number of another."""


@cache
def documented() -> dict[int, tuple[set[tuple[str, str, str]], str]]:
    """Return by row what the page says of the log, and how the link stands afterwards."""
    rows: dict[int, tuple[set[tuple[str, str, str]], str]] = {}
    for number, _, _, log, link in ROW.findall(PAGE.read_text(encoding="utf-8")):
        told = {(action, verdict, code) for action, verdict, code in TOLD.findall(log)}
        assert int(number) not in rows, f"row {number} stands twice"
        rows[int(number)] = (told, link)
    return rows


@cache
def shown() -> dict[int, set[tuple[str, str, str]]]:
    """Return by row the lines of the ledger that tests named after rows expect."""
    lines: dict[int, set[tuple[str, str, str]]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("Line"), [ast.Constant(int(row)), *said]):
                    words = [str(w.value) if isinstance(w, ast.Constant) else "*" for w in said]
                    action, verdict, code = [*words, ""][:3]
                    lines.setdefault(row, set()).add((action, verdict, code))
                case _:
                    continue
    return lines


@cache
def rows_with_a_test() -> set[int]:
    """Return the rows that some test is named after."""
    found: set[int] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        found |= {int(n) for n in re.findall(r"def test_row_(\d\d)_", path.read_text("utf-8"))}
    return found


def test_the_page_has_every_row() -> None:
    assert sorted(documented()) == list(ROWS)


def test_every_row_has_a_test_named_after_it() -> None:
    assert rows_with_a_test() == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_page_says_of_the_log_what_the_tests_show(row: int) -> None:
    told, _ = documented()[row]
    lines = shown().get(AS_ROW_27.get(row, row), set())

    for action, verdict, code in told:
        assert {(action, verdict, code), (action, verdict, "*")} & lines, (row, lines)
    assert bool(told) is bool(lines)


@pytest.mark.parametrize("row", ROWS)
def test_every_line_that_ends_well_is_on_the_page(row: int) -> None:
    """Of rows that write, a test may show besides that nothing was left to write."""
    told, _ = documented()[row]
    lines = shown().get(AS_ROW_27.get(row, row), set())

    besides = {line for line in lines if line[2] in ("RedundantExport", "*")}
    assert lines - besides <= told


@pytest.mark.parametrize("row", ROWS)
def test_the_page_knows_no_other_states_of_a_link(row: int) -> None:
    assert documented()[row][1] in {"none", "managed", "disabled", "released", "as before"}
