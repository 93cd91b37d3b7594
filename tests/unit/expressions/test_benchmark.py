"""What the benchmark compares is the same work."""

from __future__ import annotations

from benchmarks.mapping import CONTEXT, by_hand, load_mappings, people
from provisor.expressions import compile_mappings, evaluate


def test_compiled_walked_and_hand_written_mappings_agree() -> None:
    mappings = load_mappings()
    compiled = compile_mappings(mappings)

    for person in people(200):
        walked = {target: evaluate(e, person, CONTEXT) for target, e in mappings}
        assert compiled(person, CONTEXT) == walked == by_hand(person)
