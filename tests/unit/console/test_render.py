"""How values are written on pages."""

from __future__ import annotations

import pytest

from provisor.console.render import ended


@pytest.mark.parametrize(
    ("message", "told"),
    [("mend the source", "mend the source."), ("Try again.", "Try again."), ("", "")],
)
def test_a_message_is_a_sentence_beside_others(message: str, told: str) -> None:
    assert ended(message) == told
