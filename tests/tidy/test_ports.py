"""Strangers build at the ports: what they need to know stands there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.repository import files, tree

PORTS = [
    name
    for name in files()
    if name in ("provisor/ports.py", "provisor/errors.py")
    or (name.startswith("provisor/ports/") and name.endswith(".py"))
]

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, Documented]]:
    """Yield every public class and function, and the methods of the classes."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield within + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@pytest.mark.parametrize("name", PORTS)
def test_everything_public_at_a_port_is_explained(name: str) -> None:
    assert ast.get_docstring(tree(name)), f"{name} does not say what it is"
    silent = [f"{n} (line {node.lineno})" for n, node in public(tree(name).body) if not said(node)]
    assert not silent, f"{name}: {', '.join(silent)}"


def said(node: Documented) -> bool:
    """Tell whether the docstring of a definition is a sentence."""
    return (ast.get_docstring(node) or "").split("\n\n")[0].rstrip().endswith((".", ":", "?"))
