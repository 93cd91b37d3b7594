"""What a journal tells of who is known, and forgets of who is linked."""

from __future__ import annotations

from datetime import timedelta

from provisor.model.decisions import LinkState
from provisor.model.entries import Absence, Anchor
from provisor.ports import Journal
from tests.contracts.store.building import (
    GROUPS,
    START,
    fail,
    gone,
    governed,
    key,
    recalled,
    seen,
    show,
)

ADA, BEN, CYD, TEAM = key("ada"), key("ben"), key("cyd"), key("team", GROUPS)


async def test_who_is_present_is_told_in_order_and_page_by_page(journal: Journal) -> None:
    await show(journal, seen(CYD, displayName="Cyd"), seen(ADA, displayName="Ada"), seen(BEN),
               seen(TEAM))  # fmt: skip
    await show(journal, gone(BEN, Absence.ABSENT))
    (first,) = await journal.entries("user", None, 1)
    assert (first.anchor, first.attributes["displayName"]) == ("ada", "Ada")
    rest = await journal.entries("user", Anchor("ada"), 10)
    assert [entry.anchor for entry in rest] == ["cyd"]
    assert [entry.anchor for entry in await journal.entries("group", None, 10)] == ["team"]


async def test_who_is_linked_is_told_in_order_and_page_by_page(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, CYD, "t3")
    await governed(journal, TEAM, "g1")
    await show(journal, seen(BEN))
    first = await journal.linked(None, 2)
    rest = await journal.linked(first[-1].key, 2)
    assert [one.key for one in (*first, *rest)] == sorted([ADA, CYD, TEAM])
    assert await journal.linked(max(ADA, CYD, TEAM), 2) == []


async def test_a_forgotten_link_leaves_no_claim_and_the_object_is_due(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    assert await journal.due(START) == []
    await journal.disconnect(ADA)
    ada = await recalled(journal, ADA)
    assert ada.link is None
    assert await journal.due(START) == [ADA]
    assert await journal.linked(None, 10) == []
    await journal.disconnect(key("nobody"))  # is no error
    await governed(journal, BEN, "t1")  # who may have it now
    assert (await recalled(journal, BEN)).link is not None
    assert LinkState.CLAIMED not in {one.link.state for one in await journal.linked(None, 9)
                                     if one.link}  # fmt: skip


async def test_what_failed_is_due_at_once_when_somebody_asks(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, seen(BEN))
    await fail(journal, BEN, START + timedelta(hours=6))
    before = (await recalled(journal, BEN)).escrow
    assert before is not None
    assert await journal.due(START) == []
    assert await journal.hasten([ADA, BEN, key("nobody")], START) == 1
    assert await journal.due(START) == [BEN]
    after = (await recalled(journal, BEN)).escrow
    assert after is not None
    assert (after.code, after.attempts) == (before.code, before.attempts)
    assert after.first_failed_at == before.first_failed_at
