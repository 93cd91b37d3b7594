"""That nobody is staged, claimed, absent or gone is asked once: whoever is, from then on, is
seen."""

from __future__ import annotations

from provisor.model.decisions import LinkState
from provisor.model.entries import Absence
from provisor.model.jobs import ResetScope
from provisor.ports import Journal
from tests.contracts.store.building import (
    MINUTE,
    START,
    deletes,
    gone,
    governed,
    key,
    link,
    recalled,
    settle,
    show,
)

ADA, BEN = key("ada"), key("ben")
LATER = START + 60 * MINUTE


async def nobody(journal: Journal) -> None:
    """Govern two people, and find that there is nothing unusual about them."""
    for one in (ADA, BEN):
        await governed(journal, one, f"t-{one.anchor}")
    assert await journal.staged_since() is None
    assert await journal.departed(START) == frozenset()
    assert await journal.expire(LATER) == 0
    await journal.stage({}, START)
    await journal.stage_references({}, START)
    await journal.drop_claims()


async def test_who_is_staged_waits_and_is_let_go(journal: Journal) -> None:
    await nobody(journal)
    await journal.stage({ADA: 1}, START)
    assert await journal.staged_since() == START

    await journal.stage({}, LATER)
    assert (await recalled(journal, ADA)).staged is None
    assert await journal.staged_since() is None


async def test_whose_references_are_staged_waits_and_is_let_go(journal: Journal) -> None:
    await nobody(journal)
    await journal.stage_references({ADA: 1}, START)
    assert await journal.staged_since() == START

    await journal.stage_references({}, LATER)
    assert (await recalled(journal, ADA)).references_staged is None


async def test_who_is_absent_expires(journal: Journal) -> None:
    await nobody(journal)
    await show(journal, gone(ADA, Absence.ABSENT))
    assert await journal.expire(LATER) == 1


async def test_who_has_left_is_counted(journal: Journal) -> None:
    await nobody(journal)
    await show(journal, gone(ADA))
    standing = await recalled(journal, ADA)
    assert await journal.attempt(standing, deletes(ADA, "t-ada"), START)
    assert await journal.departed(START) == {ADA}


async def test_claims_that_a_restart_leaves_are_dropped(journal: Journal) -> None:
    await nobody(journal)
    await journal.reset(ResetScope.FULL)
    await settle(journal, ADA, link("t-ada", LinkState.CLAIMED))

    await journal.drop_claims()

    assert (await recalled(journal, ADA)).link is None
