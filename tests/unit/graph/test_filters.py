"""A filter that can be read has an answer for every document."""

from __future__ import annotations

import pytest

from provisor.graph.http.faults import Fault
from provisor.graph.http.filters import holds, parse_filter

DOCUMENT = {"displayName": "Ada", "count": 7, "began": "2026-01-31T12:00:00Z"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("began ge 2026-01-31T12:00:00Z", True),
        ("displayName eq 2026-01-31T12:00:00Z", False),
        ("displayName ne 2026-01-31T12:00:00Z", True),
        ("displayName lt 2026-01-31T12:00:00Z", False),
        (f"count lt {'9' * 400}", True),
        (f"count lt -{'9' * 400}", False),
    ],
)
def test_whatever_is_compared_there_is_an_answer(text: str, answer: bool) -> None:
    assert holds(parse_filter(text), DOCUMENT) is answer


def test_a_date_beyond_the_calendar_is_none() -> None:
    with pytest.raises(Fault):
        parse_filter("began ge 0001-01-01T00:00:00+14:00")
