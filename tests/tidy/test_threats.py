"""The threat model names tests, and those tests are there."""

from __future__ import annotations

import ast
import re

from tests.tidy.repository import files, text, tree

MODEL = "docs/threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = NAMED.findall(text(MODEL))
    assert len(named) > 40
    for file, test in named:
        assert file in files(), file
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        there = {node.name for node in ast.walk(tree(file)) if isinstance(node, functions)}
        assert test in there, f"{file} has no {test}"


def test_every_threat_has_a_defence_and_a_test() -> None:
    threats = re.split(r"^### ", text(MODEL), flags=re.MULTILINE)[1:]
    assert len(threats) > 15
    for threat in threats:
        title = threat.partition("\n")[0]
        assert "**Threat.**" in threat, title
        assert "**Defence.**" in threat, title
        assert NAMED.search(threat), f"no test shows that it withstands: {title}"
