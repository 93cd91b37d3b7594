"""What waits for an administrator, and what an approval is worth."""

from __future__ import annotations

from provisor.model.audit import Act, Altered
from provisor.model.decisions import LinkState, Staged
from provisor.model.entries import Absence
from provisor.ports import Journal, StagedView
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    MINUTE,
    START,
    fail,
    gone,
    governed,
    key,
    link,
    recalled,
    seen,
    settle,
    show,
    user,
)
from tests.contracts.store.conftest import Store

ADA, BEN, TEAM = key("ada"), key("ben"), key("team", GROUPS)
LATER = START + 60 * MINUTE


async def leaves(journal: Journal, *keys: str) -> dict[str, int]:
    """Make objects governed and then gone; return what was seen of each."""
    for anchor in keys:
        await governed(journal, key(anchor), f"t-{anchor}")
        await show(journal, gone(key(anchor), Absence.ABSENT))
    return {a: (await recalled(journal, key(a))).seen for a in keys}


async def approve(store: Store) -> bool:
    view = await store.staged(JOB)
    return await store.approve(JOB, view.hash, "eve", LATER)


async def test_what_is_held_is_staged_with_what_was_seen_of_it(
    store: Store, journal: Journal
) -> None:
    saw = await leaves(journal, "ada", "ben")

    await journal.stage({ADA: saw["ada"]}, START)

    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"])
    assert (await recalled(journal, BEN)).staged is None
    assert (await store.staged(JOB)).departures == (ADA,)
    assert (await journal.recount()).staged == 1


async def test_a_staged_departure_stays_due(journal: Journal) -> None:
    saw = await leaves(journal, "ada")

    await journal.stage({ADA: saw["ada"]}, START)

    assert await journal.due_departures(START) == [ADA]


async def test_it_waits_since_it_was_first_held(journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await journal.doubt([ADA])

    await journal.stage({ADA: saw["ada"] + 1}, LATER)

    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"] + 1)
    assert await journal.staged_since() == START


async def test_what_is_not_held_any_more_is_not_staged(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada", "ben")
    await journal.stage({ADA: saw["ada"], BEN: saw["ben"]}, START)

    await journal.stage({BEN: saw["ben"]}, LATER)

    assert (await recalled(journal, ADA)).staged is None
    assert (await store.staged(JOB)).departures == (BEN,)


async def test_what_is_staged_stays_pointed_at_though_it_was_let_go(journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await show(journal, seen(TEAM, members=(user("ada"),)))
    await settle(journal, TEAM, link("g1"))
    await journal.let_go([ADA])
    before = (await recalled(journal, TEAM)).references_seen

    await journal.stage({ADA: saw["ada"]}, START)

    assert await journal.anchors([ADA]) == {ADA: "t-ada"}
    assert (await recalled(journal, TEAM)).references_seen > before


async def test_who_is_disabled_stays_disabled_while_staged(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    standing = await settle(journal, ADA, link("t1", LinkState.DISABLED))

    await journal.stage({ADA: standing.seen}, START)

    kept = (await recalled(journal, ADA)).link
    assert kept is not None
    assert kept.state is LinkState.DISABLED


async def test_an_approval_is_of_exactly_what_was_shown(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada", "ben")
    await journal.stage({ADA: saw["ada"]}, START)
    shown = await store.staged(JOB)

    await journal.stage({ADA: saw["ada"], BEN: saw["ben"]}, START)

    assert not await store.approve(JOB, shown.hash, "eve", LATER)
    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"])


async def test_the_hash_names_the_observations_too(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    shown = await store.staged(JOB)

    await journal.stage({ADA: saw["ada"] + 1}, START)

    assert (await store.staged(JOB)).hash != shown.hash


async def test_an_approval_is_given_once_and_audited(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    shown = await store.staged(JOB)

    assert await store.approve(JOB, shown.hash, "eve", LATER)

    assert not await store.approve(JOB, shown.hash, "eve", LATER)
    assert await store.staged(JOB) == StagedView(hash="", departures=(), members=())
    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"], is_approved=True)
    about = f"{JOB} {shown.hash}"
    let = (Altered("staged departures", "1", "0"),)
    act = Act(at=LATER, by="eve", activity="approve", about=about, altered=let)
    assert await store.audited(5) == [act]


async def test_nothing_cannot_be_approved(store: Store, journal: Journal) -> None:
    assert (await journal.recount()).staged == 0
    assert (await store.staged(JOB)).hash == ""
    assert not await store.approve(JOB, "", "eve", START)


async def test_an_approved_departure_waits_no_more(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await approve(store)

    assert await journal.staged_since() is None
    assert (await journal.recount()).staged == 0


async def test_an_approval_lasts_until_it_is_used(store: Store, journal: Journal) -> None:
    """The cycle that stages the others may end before it comes to the approved ones."""
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await approve(store)

    await journal.stage({}, LATER)
    staged = (await recalled(journal, ADA)).staged
    assert staged is not None
    assert staged.is_approved

    await settle(journal, ADA, None)
    assert (await recalled(journal, ADA)).staged is None


async def test_an_approval_given_while_it_was_held_again_is_not_lost(
    store: Store, journal: Journal
) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await approve(store)

    await journal.stage({ADA: saw["ada"]}, LATER)

    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"], is_approved=True)


async def test_an_approval_is_void_once_something_else_is_seen(
    store: Store, journal: Journal
) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await approve(store)
    await show(journal, seen(ADA, name="ada"), gone(ADA, Absence.LEFT))

    # Time alone releases nothing: it still waits since the beginning.
    assert await journal.staged_since() == START
    await journal.stage({ADA: saw["ada"] + 2}, LATER)

    assert (await recalled(journal, ADA)).staged == Staged(START, saw["ada"] + 2)


async def test_a_failed_departure_keeps_its_approval(store: Store, journal: Journal) -> None:
    saw = await leaves(journal, "ada")
    await journal.stage({ADA: saw["ada"]}, START)
    await approve(store)

    await fail(journal, ADA, LATER)

    staged = (await recalled(journal, ADA)).staged
    assert staged is not None
    assert staged.is_approved
