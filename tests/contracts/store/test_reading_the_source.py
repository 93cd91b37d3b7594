"""What a journal remembers of reads: observations, absences, watermarks, snapshots."""

from __future__ import annotations

from provisor.model.cycles import CycleKind
from provisor.model.decisions import LinkState
from provisor.model.entries import Absence, ReadFault, Seen, Watermark
from provisor.model.frozen import replace
from provisor.ports import Journal, Observation
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    MINUTE,
    START,
    USERS,
    entry,
    fail,
    gone,
    governed,
    key,
    link,
    recalled,
    seen,
    settle,
    show,
    touched,
    user,
)
from tests.contracts.store.conftest import Store

ADA, BEN, TEAM = key("ada"), key("ben"), key("team", GROUPS)


async def test_what_was_seen_is_remembered_as_it_was(journal: Journal) -> None:
    shown = entry(
        ADA,
        name="Ada",
        age=36,
        atoms=10**80,
        isActive=True,
        born=START,
        photo=b"\0",
        mails=("a@x", "a@y"),
        manager=user("ben"),
        odd="half \ud800 a character",
    )

    await show(journal, Observation(ADA, Seen(shown)))

    remembered = (await recalled(journal, ADA)).source
    assert remembered == shown
    assert remembered is not None
    assert isinstance(remembered.attributes["isActive"], bool)


async def test_an_object_seen_for_the_first_time_is_due(journal: Journal) -> None:
    await show(journal, seen(BEN, name="Ben"), seen(ADA, name="Ada"), seen(TEAM, name="Team"))

    assert await journal.due(START) == [TEAM, ADA, BEN]


async def test_an_object_that_is_as_it_was_is_not_due(journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    await show(journal, seen(ADA, name="ada"))

    assert await journal.due(START) == []


async def test_a_value_of_another_type_is_another_value(journal: Journal) -> None:
    await show(journal, seen(ADA, active=1))
    await settle(journal, ADA, link("t1"))

    await show(journal, seen(ADA, active=True))

    assert await journal.due(START) == [ADA]


async def test_an_observation_that_differs_clears_the_escrow(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await fail(journal, ADA, START + 60 * MINUTE)
    assert await journal.due(START) == []

    await show(journal, seen(ADA, name="Ada Lovelace"))

    assert await journal.due(START) == [ADA]
    assert (await recalled(journal, ADA)).escrow is None


async def test_references_are_unsettled_only_where_they_differ(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada", manager=user("ben")))
    before = await recalled(journal, ADA)

    await show(journal, seen(ADA, name="Ada Lovelace", manager=user("ben")))
    assert (await recalled(journal, ADA)).references_seen == before.references_seen

    await show(journal, seen(ADA, name="Ada Lovelace", manager=user("cyd")))
    assert (await recalled(journal, ADA)).references_seen > before.references_seen


async def test_gone_keeps_the_last_known_entry(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await show(journal, gone(ADA, Absence.ABSENT), now=START + MINUTE)

    standing = await recalled(journal, ADA)

    assert standing.source is not None
    assert standing.source.attributes["name"] == "Ada"
    assert (standing.absence, standing.absent_since) == (Absence.ABSENT, START + MINUTE)


async def test_an_object_never_seen_is_not_remembered_for_being_gone(journal: Journal) -> None:
    await show(journal, gone(ADA), touched(BEN))

    assert await journal.recall([ADA, BEN]) == []


async def test_who_is_gone_for_another_reason_is_due_again(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, gone(ADA, Absence.ABSENT))
    await settle(journal, ADA, link("t1", LinkState.DISABLED))
    await show(journal, gone(ADA, Absence.ABSENT))
    assert await journal.due(START) == []

    await show(journal, gone(ADA, Absence.DELETED))

    assert await journal.due(START) == [ADA]


async def test_who_is_back_as_before_is_due_again(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, gone(ADA, Absence.LEFT))
    await settle(journal, ADA, link("t1", LinkState.RELEASED))

    await show(journal, touched(ADA))

    standing = await recalled(journal, ADA)
    assert (standing.absence, standing.absent_since) == (None, None)
    assert await journal.due(START) == [ADA]


async def test_a_page_and_its_watermark_are_kept_together(journal: Journal) -> None:
    await journal.absorb([seen(ADA, name="Ada")], Watermark("page 1"), START)
    assert await journal.watermark() == "page 1"

    await journal.absorb([seen(BEN, name="Ben")], None, START)
    assert await journal.watermark() == "page 1"


async def test_a_job_is_initial_until_a_read_came_to_its_end(journal: Journal) -> None:
    await journal.absorb([seen(ADA, name="Ada")], Watermark("page 1"), START)
    assert await journal.is_initial()

    await journal.advance(Watermark("end"))

    assert not await journal.is_initial()
    assert await journal.watermark() == "end"


async def test_a_snapshot_tells_what_it_did_not_show(journal: Journal) -> None:
    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"), seen(TEAM, name="Team"))
    assert await journal.missing() == []

    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"), touched(TEAM))

    assert await journal.missing() == [BEN]
    assert await journal.shown() == {USERS: 1, GROUPS: 1}
    assert await journal.population() == {USERS: 2, GROUPS: 1}


async def test_the_marks_of_a_broken_snapshot_do_not_count_for_the_next(journal: Journal) -> None:
    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"))
    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"))

    await journal.begin_snapshot()
    await show(journal, seen(BEN, name="Ben"))

    assert await journal.missing() == [ADA]


async def test_who_is_gone_is_not_missing(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), gone(ADA, Absence.LEFT))
    await journal.begin_snapshot()

    assert await journal.missing() == []
    assert await journal.population() == {}


async def test_an_object_shown_twice_is_one(journal: Journal) -> None:
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await journal.begin_snapshot()

    await show(journal, seen(ADA, name="Ada"), seen(ADA, name="Ada"))
    await show(journal, seen(ADA, name="Ada"))

    assert await journal.shown() == {USERS: 1}
    assert (await journal.recount()).imported == 1


async def test_what_was_read_counts_once_for_all_mappings_of_a_kind(journal: Journal) -> None:
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await journal.begin_snapshot()
    other = replace(seen(TEAM, name="Ada"), is_counted=False)

    await show(journal, seen(ADA, name="Ada"), other)

    assert (await journal.recount()).imported == 1


async def test_later_cycles_count_what_differs(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben", manager=user("ada")))
    await journal.begin_cycle("c1", CycleKind.INCREMENTAL, START)
    await journal.begin_snapshot()

    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben", manager=user("cyd")))

    counts = await journal.recount()
    assert (counts.imported, counts.imported_deltas) == (1, 1)
    assert counts.imported_reference_deltas == 2


async def test_the_rows_of_the_latest_read_that_could_not_be_read_count(journal: Journal) -> None:
    fault = ReadFault(kind="user", where="people.csv, line 3", message="no anchor")
    await journal.note_faults([fault, fault], START)
    assert (await journal.recount()).escrowed == 2

    await journal.note_faults([fault], START)

    assert (await journal.recount()).escrowed == 1


async def test_an_approved_snapshot_is_let_through_once(store: Store, journal: Journal) -> None:
    assert not await journal.hold_snapshot("digest", "it shrank", START)
    view = await store.staged(JOB)
    assert view.snapshot == "it shrank"
    assert await store.approve(JOB, view.hash, "eve", START)

    assert await journal.hold_snapshot("digest", "it shrank", START)
    assert not await journal.hold_snapshot("digest", "it shrank", START)


async def test_the_approval_of_one_snapshot_is_none_of_another(
    store: Store, journal: Journal
) -> None:
    await journal.hold_snapshot("digest", "it shrank", START)
    await store.approve(JOB, (await store.staged(JOB)).hash, "eve", START)

    assert not await journal.hold_snapshot("another", "it shrank more", START)
    assert not await journal.hold_snapshot("digest", "it shrank", START)


async def test_a_snapshot_without_a_name_is_never_let_through(
    store: Store, journal: Journal
) -> None:
    """An approval would let through whatever comes next."""
    await journal.hold_snapshot("", "it shrank", START)
    await store.approve(JOB, (await store.staged(JOB)).hash, "eve", START)

    assert not await journal.hold_snapshot("", "it is empty", START)


async def test_a_whole_read_releases_the_held_snapshot(store: Store, journal: Journal) -> None:
    await journal.hold_snapshot("digest", "it shrank", START)

    await journal.release_snapshot()

    assert (await store.staged(JOB)).hash == ""


async def test_who_was_absent_for_long_is_taken_for_deleted(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"), seen(TEAM, name="Team"))
    await show(journal, gone(ADA, Absence.ABSENT), gone(TEAM, Absence.LEFT))
    await show(journal, gone(BEN, Absence.ABSENT), now=START + 2 * MINUTE)

    assert await journal.expire(START + MINUTE) == 1

    assert (await recalled(journal, ADA)).absence is Absence.DELETED
    assert (await recalled(journal, BEN)).absence is Absence.ABSENT
    assert (await recalled(journal, TEAM)).absence is Absence.LEFT
    assert await journal.expire(START + MINUTE) == 0
