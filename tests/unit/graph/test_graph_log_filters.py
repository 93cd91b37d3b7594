"""Who looks for one person in a long log does not wait for the entries of all others."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from provisor.graph.http.filters import parse_filter
from provisor.graph.http.handlers import logwalk
from provisor.graph.http.handlers.logwalk import Walk, may_hold, narrowed
from provisor.model.decisions import Action, Facts, Record, Situation, StandingKey, Verdict
from provisor.model.entries import Anchor
from provisor.model.frozen import replace
from provisor.model.rules import MappingName
from provisor.ports import RecordQuery
from provisor.store.memory.ledger import MemoryLedger
from provisor.store.memory.state import MemoryState

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


@pytest.mark.parametrize(
    ("text", "id", "naming"),
    [
        ("sourceIdentity/id eq 'e1'", "e1", ""),
        ("sourceIdentity/id eq 'e1' or targetIdentity/id eq 'e1'", "e1", ""),
        ("sourceIdentity/id eq 'e1' or contains(sourceIdentity/displayName, 'e1')", "", "e1"),
        ("jobId eq 'j' and (contains(targetIdentity/displayName, 'Ada'))", "", "Ada"),
        ("targetIdentity/displayName eq 'Ada'", "", "Ada"),
        ("sourceIdentity/id eq 'e1' or sourceIdentity/id eq 'e2'", "", ""),
        ("sourceIdentity/id eq 'e1' or jobId eq 'e1'", "", ""),
        ("not (sourceIdentity/id eq 'e1')", "", ""),
        ("contains(tolower(sourceIdentity/displayName), 'ada')", "", ""),
    ],
)
def test_the_store_is_asked_for_whoever_is_meant_in_one_way_or_another(
    text: str, id: str, naming: str
) -> None:
    asked = narrowed(RecordQuery(), parse_filter(text))
    assert (asked.id, asked.naming) == (id, naming)


def log_of(count: int, *, named: set[int]) -> MemoryLedger:
    state = MemoryState()
    for position in range(1, count + 1):
        name = "Lovelace, Ada" if position in named else "Somebody Else"
        state.records.append((position, "job", replace(RECORD, source_name=name)))
    return MemoryLedger(state)


async def gone_through(ledger: MemoryLedger, query: RecordQuery, size: int) -> list[list[int]]:
    """Return the positions of each request's page, until nothing is left to go on with."""
    pages: list[list[int]] = []
    while True:
        walk, page = Walk(ledger, query, size), list[int]()
        async with aclosing(walk.records()) as records:
            async for position, _, _ in records:
                if len(page) == size:
                    break
                page.append(position)
            else:
                if not walk.is_cut_short:
                    return [*pages, page]
        pages.append(page)
        query = RecordQuery(naming=query.naming, is_descending=query.is_descending, after=walk.at)


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("size", [1, 2, 50])
@pytest.mark.parametrize("naming", ["", "Ada"])
def test_page_after_page_everybody_who_is_meant_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, naming: str, size: int, is_descending: bool
) -> None:
    for name, value in (
        ("READ_AT_ONCE", 3), ("LOOKED_AT_MAX", 4), ("NAMES_AT_ONCE", 5), ("NAMES_MAX", 10)
    ):  # fmt: skip
        monkeypatch.setattr(logwalk, name, value)
    named = {2, 7, 8, 9, 10, 11, 30}
    ledger = log_of(33, named=named)

    query = RecordQuery(naming=naming, is_descending=is_descending)
    pages = asyncio.run(gone_through(ledger, query, size))

    shown = [position for page in pages for position in page]
    assert shown == sorted(named if naming else range(1, 34), reverse=is_descending)
    assert all(len(page) <= size for page in pages)


def test_who_is_looked_for_by_a_name_waits_for_a_part_of_the_log_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logwalk, "NAMES_AT_ONCE", 5)
    monkeypatch.setattr(logwalk, "NAMES_MAX", 10)
    ledger = log_of(100, named={1})

    walk = Walk(ledger, RecordQuery(naming="Ada"), 50)

    async def shown() -> list[int]:
        return [position async for position, _, _ in walk.records()]

    assert asyncio.run(shown()) == []
    assert walk.is_cut_short
    assert walk.at == 91, "the ten newest were looked at"
