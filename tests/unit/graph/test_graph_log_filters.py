"""Who looks for one person in a long log does not wait for the entries of all others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provisor.graph.http.filters import parse_filter
from provisor.graph.http.handlers.logs import may_hold
from provisor.model.decisions import Action, Facts, Record, Situation, StandingKey, Verdict
from provisor.model.entries import Anchor
from provisor.model.rules import MappingName

RECORD = Record(
    cycle="c",
    change="1",
    at=datetime(2026, 1, 31, tzinfo=UTC),
    duration_ms=1,
    key=StandingKey(MappingName("User to User"), Anchor("e1")),
    row=1,
    situation=Situation.ABSENT,
    action=Action.CREATE,
    verdict=Verdict.SUCCESS,
    code="",
    reason="",
    is_exported=True,
    is_export_due=True,
    facts=Facts(is_assigned=True, is_active=True, passes_filter=True),
    source_name="Lovelace, Ada",
    target=Anchor("t1"),
    target_name="ada@example.com",
)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("sourceIdentity/id eq 'e1'", True),
        ("sourceIdentity/id eq 'e2'", False),
        ("targetIdentity/id eq 't1' or contains(sourceIdentity/displayName, 'nobody')", True),
        ("contains(sourceIdentity/displayName, 'Ada') or targetIdentity/id eq 'x'", True),
        ("contains(sourceIdentity/displayName, 'Bob') or targetIdentity/id eq 'x'", False),
        ("contains(targetIdentity/displayName, 'ada@') and jobId eq 'any'", True),
        ("contains(targetIdentity/displayName, 'bob@') and jobId eq 'any'", False),
        ("not (sourceIdentity/id eq 'e2')", True),
        ("contains(tolower(sourceIdentity/displayName), 'bob')", True),
        ("jobId eq 'any'", True),
    ],
)
def test_what_a_record_shows_by_itself_is_refused_before_its_entry_is_made(
    text: str, is_open: bool
) -> None:
    assert may_hold(parse_filter(text), RECORD) is is_open
