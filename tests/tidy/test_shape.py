"""No function longer than a screen, no file longer than a sitting, nothing left for later."""

from __future__ import annotations

import ast
import re

import pytest

from tests.tidy.repository import OTHERS, files, python, text, tree

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600

# file::function → why it may be longer. Empty is the aim.
LONGER_FUNCTIONS: dict[str, str] = {}
LONGER_FILES: dict[str, str] = {
    "provisor/expressions/compile.py": "each form of code stands beside the writer that it needs",
    "provisor/expressions/dotnet_pattern.py": "one grammar, read top to bottom",
}

LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SPEAKS_OF_LATER = {"tests/tidy/test_shape.py"}


@pytest.mark.parametrize("name", python())
def test_functions_fit_on_a_screen(name: str) -> None:
    for function in ast.walk(tree(name)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            assert function.end_lineno is not None
            length = function.end_lineno - function.lineno + 1
            place = f"{name}::{function.name}"
            assert length <= FUNCTION_LINES_MAX or place in LONGER_FUNCTIONS, (
                f"{name}:{function.lineno}: {function.name} has {length} lines; "
                f"{FUNCTION_LINES_MAX} fit on a screen"
            )


@pytest.mark.parametrize("name", python())
def test_files_can_be_read_in_one_sitting(name: str) -> None:
    length = text(name).count("\n")
    assert length <= FILE_LINES_MAX or name in LONGER_FILES, f"{name} has {length} lines"


def test_nothing_is_left_for_later() -> None:
    """What is to be done is done, or stands where work is planned; not in the code."""
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in files()
        if name not in SPEAKS_OF_LATER and not name.startswith(OTHERS)
        for number, line in enumerate(text(name).splitlines(), 1)
        if LATER.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_exception_is_needed() -> None:
    functions = {
        f"{name}::{function.name}"
        for name in python()
        for function in ast.walk(tree(name))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert set(LONGER_FUNCTIONS) <= functions
    assert set(LONGER_FILES) <= set(files())
