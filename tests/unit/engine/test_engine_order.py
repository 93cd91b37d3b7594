"""In which order people arrive: superiors first, however they are tangled."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from provisor.engine.order import WAVES_MAX, depths_of
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor
from tests.table.rules import USERS


def key(who: str) -> StandingKey:
    return StandingKey(USERS, Anchor(who))


def depths(above: Mapping[str, str]) -> dict[str, int]:
    found = depths_of({key(who): key(boss) for who, boss in above.items()})
    return {k.anchor: depth for k, depth in found.items()}


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ({}, {}),
        ({"a": "boss"}, {"a": 1, "boss": 0}),
        ({"a": "b", "b": "c"}, {"a": 2, "b": 1, "c": 0}),
        ({"b": "c", "a": "b"}, {"a": 2, "b": 1, "c": 0}),
        ({"a": "c", "b": "c"}, {"a": 1, "b": 1, "c": 0}),
    ],
)
def test_everybody_waits_for_as_many_as_are_above(
    above: Mapping[str, str], expected: Mapping[str, int]
) -> None:
    assert depths(above) == expected


def test_who_manages_himself_waits_for_nobody() -> None:
    assert depths({"a": "a"}) == {"a": 0}


def test_a_circle_is_cut_somewhere() -> None:
    found = depths({"a": "b", "b": "c", "c": "a"})

    assert sorted(found.values()) == [0, 1, 2]


def test_a_chain_that_is_too_long_begins_anew() -> None:
    chain = {f"p{n}": f"p{n + 1}" for n in range(3 * WAVES_MAX)}

    assert max(depths(chain).values()) == WAVES_MAX
