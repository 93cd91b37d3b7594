"""Time and chance come in through ports and parameters, or a history cannot be replayed."""

from __future__ import annotations

import ast

import pytest

from tests.tidy.repository import python, tree

# Where the world is touched: the composition root and the adapters.
EDGES = (
    "provisor/app/",
    "provisor/connectors/",
    "provisor/store/",
    "provisor/runtime/",
)
# A generator that was given is chance handed in as a parameter; its type may be named anywhere.
ALLOWED = {"random.Random", "random.SystemRandom"}
CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
CHANCE = {"uuid.uuid1", "uuid.uuid4", "os.urandom"}
CHANCE_MODULES = {"random", "secrets"}


def imported(module: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for, dotted."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    names[alias.asname] = alias.name
                else:
                    root = alias.name.split(".")[0]
                    names[root] = root
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Return what an expression names, or nothing if it is not a name."""
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            before = dotted(value, names)
            return f"{before}.{attribute}" if before else ""
        case _:
            return ""


def impurities(module: ast.Module) -> list[str]:
    """Return where a module asks the clock or throws dice by itself."""
    names = imported(module)
    found: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node, names)
            is_chance = name.split(".")[0] in CHANCE_MODULES and "." in name
            if name in CLOCKS | CHANCE or (is_chance and name not in ALLOWED):
                found.append(f"line {node.lineno}: {name}")
    return found


@pytest.mark.parametrize("name", [n for n in python("provisor") if not n.startswith(EDGES)])
def test_clock_and_chance_stay_at_the_edges(name: str) -> None:
    assert not impurities(tree(name)), f"{name}: take a Clock, or a value, as a parameter"


@pytest.mark.parametrize("name", [n for n in python("provisor") if "/cli/" not in n])
def test_only_the_command_line_prints(name: str) -> None:
    prints = [
        node.lineno
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not prints, f"{name}: lines {prints}"


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from time import time\ntime()",
        "import random\nrandom.choice([1])",
        "import random\nrandom.Random().random\nrandom.shuffle([])",
        "from uuid import uuid4 as new\nnew()",
        "import secrets\nsecrets.token_hex()",
    ],
)
def test_the_test_sees_what_it_looks_for(code: str) -> None:
    assert impurities(ast.parse(code))


def test_the_test_lets_through_what_is_handed_in() -> None:
    code = (
        "from random import Random\ndef f(chance: Random) -> int:\n    return chance.randint(1, 6)"
    )
    assert not impurities(ast.parse(code))
