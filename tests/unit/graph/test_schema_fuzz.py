"""Whatever is in a schema, the gate answers with rules or with problems, and nothing else."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from provisor.graph.problems import errors
from provisor.graph.schema.document import canonical, read_schema, schema_of, write_schema
from provisor.graph.schema.rules import to_rules
from tests.unit.graph.schemas import Json, with_clause

Place: TypeAlias = tuple[str | int, ...]

TEXTS = [
    "[mail]",
    "Not([IsSoftDeleted])",
    'Switch([level], , "1", "a")',
    "IIF([a]=[b], , )",
    "SelectUniqueValue([department], [userPrincipalName])",
    '"\\',
    "[",
    "User",
    "HR",
    "App",
    "EQUALS",
    "REGEX MATCH",
    "GREATER_THAN",
    "Reference",
    "Function",
    "Constant",
    "Append",
    "objectFilter",
    "&",
    "=",
]
ODD: list[Any] = [[{}], [{"key": "source", "value": {"name": "x"}}], {"values": ["("]}, {}]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.text(max_size=8),
    st.sampled_from(TEXTS),
    st.sampled_from(ODD),
)


def full() -> Json:
    """Return a schema with every property written out."""
    clause = {"sourceOperandName": "level", "operatorName": "IS NULL"}
    read, _ = schema_of(with_clause(**clause))
    assert read is not None
    return msgspec.json.decode(write_schema(canonical(read)))


FULL = full()


def places(node: object, path: Place = ()) -> list[Place]:
    """Return the path to everything in a document."""
    children: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        children = list(cast(dict[str | int, object], node).items())
    elif isinstance(node, list):
        children = list(enumerate(cast(list[object], node)))
    below = [place for key, child in children for place in places(child, (*path, key))]
    return [path, *below] if path else below


def put(document: Any, place: Place, value: object) -> None:
    """Change one thing in a document, where it is still there."""
    *way, end = place
    for step in way:
        if not isinstance(document, dict | list):
            return
        try:
            document = cast(Any, document)[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(document, dict) or (isinstance(document, list) and isinstance(end, int)):
        held = cast(Any, document)
        if isinstance(document, dict) or cast(int, end) < len(held):
            held[end] = value


@given(st.lists(st.tuples(st.sampled_from(places(FULL)), VALUES), min_size=1, max_size=4))
def test_a_damaged_schema_gives_rules_or_problems(damage: list[tuple[Place, object]]) -> None:
    document = copy.deepcopy(FULL)
    for place, value in damage:
        put(document, place, copy.deepcopy(value))

    read, problems = schema_of(document)
    if read is None:
        assert errors(problems)
        return
    rules, problems = to_rules(read)

    assert not (rules and errors(problems))
    assert all(problem.code and problem.message for problem in problems)
    stored = canonical(read)
    again, _ = read_schema(write_schema(stored))
    assert again is not None
    assert canonical(again) == stored
    if rules:
        assert to_rules(again)[0] == rules
