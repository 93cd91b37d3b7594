"""The frame of a job: its rules, its cycles, its counts, what a restart forgets."""

from __future__ import annotations

from provisor.model.cycles import CycleKind, CycleResult, Side
from provisor.model.decisions import Facts, Image, LinkState, Verdict
from provisor.model.entries import Absence, Anchor, Entry, ReadFault, System, Watermark
from provisor.model.frozen import replace
from provisor.model.jobs import Asked, Progress, ResetScope, ScheduleState
from provisor.model.rules import MappingName, ObjectMapping
from provisor.planner.status import Configured, Started
from provisor.ports import Journal
from tests.contracts.store.building import (
    FAILED,
    GROUPS,
    JOB,
    MINUTE,
    RULES,
    SHOWN,
    START,
    USERS,
    creates,
    ended,
    escrow,
    fail,
    gone,
    governed,
    joins,
    key,
    link,
    mapping,
    query,
    recalled,
    record,
    seen,
    settle,
    show,
    user,
)
from tests.contracts.store.conftest import Store

ADA, BEN, TEAM = key("ada"), key("ben"), key("team", GROUPS)
LATER = START + 60 * MINUTE
NOBODY = Facts(is_assigned=False, is_active=True, passes_filter=True)
INACTIVE = Facts(is_assigned=True, is_active=False, passes_filter=True)


async def test_the_systems_of_a_job_are_remembered(journal: Journal) -> None:
    assert await journal.systems() == {}
    systems = {"source": System("people.csv"), "target": System("https://app/scim", "token 1")}

    await journal.remember_systems(systems)

    assert await journal.systems() == systems


# rules and assignments


async def test_the_same_rules_change_nothing(journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    assert not await journal.adopt(RULES, "policy")

    assert await journal.due(START) == []


async def image_under(journal: Journal, *edits: ObjectMapping) -> Image | None:
    """Return what is remembered of a target object once these rules were in force in turn."""
    await governed(journal, ADA, "t1")
    await governed(journal, TEAM, "g1")
    for edit in edits:
        assert await journal.adopt({**RULES, USERS: edit}, "policy")
    assert await journal.due(START) == [ADA]
    link = (await recalled(journal, ADA)).link
    assert link is not None
    assert await journal.due_unseen(START) == ([] if link.image else [ADA])
    return link.image


async def test_what_was_settled_under_other_rules_is_due(journal: Journal) -> None:
    assert await image_under(journal, mapping(USERS, "2")) is not None


async def test_what_asks_for_less_doubts_nothing(journal: Journal) -> None:
    assert await image_under(journal, mapping(USERS, "2", shown=SHOWN[:1])) is not None


async def test_what_asks_for_what_was_not_mapped_is_in_doubt(journal: Journal) -> None:
    assert await image_under(journal, mapping(USERS, "2", shown=(*SHOWN, "mail"))) is None


async def test_what_was_not_mapped_for_a_while_is_in_doubt(journal: Journal) -> None:
    less, again = mapping(USERS, "2", shown=SHOWN[:1]), mapping(USERS, "3")

    assert await image_under(journal, less, again) is None


async def test_what_was_not_looked_after_for_a_while_is_in_doubt(journal: Journal) -> None:
    off, again = mapping(USERS, "2", is_enabled=False), mapping(USERS, "3")

    assert await image_under(journal, off, again) is None


async def test_another_order_of_mappings_is_news_but_unsettles_nobody(journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    assert await journal.adopt({GROUPS: RULES[GROUPS], USERS: RULES[USERS]}, "policy")

    assert await journal.due(START) == []


async def test_a_changed_policy_unsettles_everything_and_doubts_nothing(journal: Journal) -> None:
    before = await governed(journal, ADA, "t1")
    await governed(journal, TEAM, "g1")

    assert await journal.adopt(RULES, "another policy")

    assert await journal.due(START) == [TEAM, ADA]
    assert (await recalled(journal, ADA)).link == before.link


async def test_a_mapping_that_comes_back_is_looked_at_anew(journal: Journal) -> None:
    """Whatever changed in between was not read for it."""
    await governed(journal, TEAM, "g1")
    await journal.adopt({USERS: RULES[USERS]}, "policy")
    assert await journal.due(START) == []

    await journal.adopt(RULES, "policy")

    assert await journal.due(START) == [TEAM]


async def test_only_what_is_assigned_is_assigned(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    await governed(journal, TEAM, "g1")

    assert await journal.assign({USERS: frozenset({ADA.anchor})}) == 2
    assert await journal.due(START) == [TEAM, BEN]
    assert not (await recalled(journal, BEN)).is_assigned

    assert await journal.assign({USERS: frozenset({ADA.anchor}), GROUPS: frozenset()}) == 0
    assert await journal.assign({USERS: frozenset({ADA.anchor, BEN.anchor})}) == 1


# cycles


async def test_a_cycle_and_the_status_it_makes_are_recorded_together(
    store: Store, journal: Journal
) -> None:
    await journal.begin_cycle("c1", CycleKind.INCREMENTAL, START)
    cycle = ended("c1", START, await journal.recount())

    status = await journal.end_cycle(cycle)

    assert status.last == cycle
    assert await store.ledger.cycles(JOB, 5) == [cycle]
    assert await journal.status() == status
    stored = await store.job(JOB)
    assert stored is not None
    assert stored.status == status


async def test_what_an_administrator_did_meanwhile_outlives_the_cycle(
    store: Store, journal: Journal
) -> None:
    await journal.begin_cycle("c1", CycleKind.INCREMENTAL, START)
    cycle = ended("c1", START, await journal.recount())

    started = await store.note(JOB, Configured(is_usable=True), Started())
    assert started.schedule_state is ScheduleState.ACTIVE

    assert (await journal.end_cycle(cycle)).schedule_state is ScheduleState.ACTIVE


async def test_other_rules_reset_the_watermark_in_the_same_step(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await journal.advance(Watermark("7"))

    assert await journal.adopt({**RULES, USERS: mapping(USERS, "2")}, "policy", rereads=True)

    assert await journal.watermark() is None
    assert await journal.is_initial()
    known = (await recalled(journal, ADA)).link
    assert known is not None
    assert known.image is not None, "the target has not changed"


async def test_how_far_a_cycle_has_come_can_be_seen(store: Store, journal: Journal) -> None:
    assert await store.running(JOB) is None
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    begun = await store.running(JOB)
    assert begun is not None
    assert (begun.completed_units, begun.observed_at) == (0, START)

    progress = Progress(completed_units=5, total_units=9, units="objects", observed_at=LATER)
    await journal.progress(progress)
    assert await store.running(JOB) == progress

    await journal.end_cycle(ended("c1", START, await journal.recount()))
    assert await store.running(JOB) is None


async def test_a_cycle_that_never_ended_is_closed_as_failed(store: Store, journal: Journal) -> None:
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"))
    await journal.settle(
        await recalled(journal, ADA),
        FAILED,
        escrow(LATER),
        record(ADA, verdict=Verdict.FAILURE, at=START + MINUTE, is_export_due=True),
        keeps_attempt=False,
    )
    journal = await store.open_journal(JOB, "successor")

    await journal.begin_cycle("c2", CycleKind.INCREMENTAL, LATER)

    (cycle,) = await store.ledger.cycles(JOB, 5)
    assert (cycle.id, cycle.kind, cycle.result) == ("c1", CycleKind.INITIAL, CycleResult.FAILED)
    assert (cycle.began, cycle.ended) == (START, START + MINUTE)
    assert cycle.error is not None
    assert (cycle.error.code, cycle.error.side) == ("CycleInterrupted", Side.ENGINE)
    assert (cycle.counts.imported, cycle.counts.exports, cycle.counts.failed) == (1, 1, 1)
    status = await journal.status()
    assert (status.last, status.successive_failures) == (cycle, 1)


async def test_a_cycle_begins_with_nothing_counted(journal: Journal) -> None:
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await journal.begin_snapshot()
    await show(journal, seen(ADA, name="Ada"))
    await journal.record(record(ADA, verdict=Verdict.FAILURE))
    await journal.end_cycle(ended("c1", START, await journal.recount()))

    await journal.begin_cycle("c2", CycleKind.INITIAL, LATER)

    counts = await journal.recount()
    assert (counts.imported, counts.failed) == (0, 0)


async def test_each_object_counts_once_in_a_cycle(journal: Journal) -> None:
    await journal.begin_cycle("c1", CycleKind.INCREMENTAL, START)
    for told in (
        record(ADA, is_export_due=True, verdict=Verdict.FAILURE, facts=INACTIVE),
        record(ADA, is_export_due=True, is_exported=True),
        record(ADA, is_export_due=True, is_exported=True),
        record(BEN, is_export_due=True, facts=INACTIVE),
        record(TEAM, verdict=Verdict.WARNING, facts=NOBODY),
        record(TEAM, verdict=Verdict.SKIPPED, facts=NOBODY),
        record(key("other"), cycle="on demand", is_exported=True),
    ):
        await journal.record(told)

    counts = await journal.recount()

    assert (counts.entitled, counts.entitled_for_provisioning) == (2, 1)
    assert (counts.exports, counts.exported, counts.failed) == (2, 1, 1)


async def test_what_is_open_is_counted_as_it_stands(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"), seen(key("cyd"), name="C"))
    await fail(journal, ADA, LATER)
    await show(journal, seen(TEAM, members=(user("ada"),)))
    standing = await settle(journal, TEAM, link("g1"))
    await journal.settle_references(standing, (), FAILED, escrow(LATER), record(TEAM))
    await journal.stage({BEN: 1}, START)
    await journal.note_faults([ReadFault(kind="user", where="line 3", message="no id")], START)

    counts = await journal.recount()

    assert (counts.escrowed, counts.escrowed_raw, counts.escrowed_references) == (3, 3, 1)
    assert (counts.staged, counts.unsettled) == (1, 1)


async def test_what_no_rule_looks_at_does_not_keep_a_job_from_being_settled(
    journal: Journal,
) -> None:
    await show(journal, seen(TEAM, name="Team"), seen(ADA, name="Ada"))
    await journal.adopt({**RULES, GROUPS: mapping(GROUPS, is_enabled=False)}, "policy")
    assert (await journal.recount()).unsettled == 1

    await journal.adopt({USERS: RULES[USERS]}, "policy")
    assert (await journal.recount()).unsettled == 1


async def test_references_that_were_not_carried_through_are_unsettled(journal: Journal) -> None:
    await show(journal, seen(TEAM, members=(user("ada"),)))
    await settle(journal, TEAM, link("g1"))

    assert (await journal.recount()).unsettled == 1


async def test_a_job_is_wanted_until_something_else_is_asked(
    store: Store, journal: Journal
) -> None:
    assert await journal.is_wanted()

    await store.ask(JOB, Asked.PAUSE)
    assert not await journal.is_wanted()

    await store.ask(JOB, None)
    assert await journal.is_wanted()


async def test_a_deleted_job_is_not_wanted(store: Store, journal: Journal) -> None:
    await store.delete_job(JOB)

    assert not await journal.is_wanted()


# restarts


async def governed_and_read(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, seen(TEAM, members=(user("ada"),)))
    await settle(journal, TEAM, link("g1"))
    await journal.settle_references(await recalled(journal, TEAM), (), FAILED, None, None)
    await journal.advance(Watermark("w"))


async def test_a_restart_without_scope_forgets_nothing(journal: Journal) -> None:
    await governed_and_read(journal)
    before = await journal.recall([ADA, TEAM])

    for scope in (ResetScope.NONE, ResetScope.QUARANTINE_STATE, ResetScope.FORCE_DELETES):
        await journal.reset(scope)

    assert await journal.recall([ADA, TEAM]) == before
    assert await journal.watermark() == "w"


async def test_a_restart_of_the_watermark_looks_at_everything_anew(journal: Journal) -> None:
    await governed_and_read(journal)

    await journal.reset(ResetScope.WATERMARK)

    assert await journal.watermark() is None
    assert await journal.is_initial()
    assert await journal.due(START) == [TEAM, ADA]
    assert await journal.due_references(START) == [TEAM]
    kept = (await recalled(journal, ADA)).link
    assert kept == replace(link("t1"), image=None)


async def test_a_restart_of_escrows_retries_nothing_by_itself(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"), gone(BEN))
    await fail(journal, ADA, LATER)
    await fail(journal, BEN, LATER)
    await journal.note_faults([ReadFault(kind="user", where="line 3", message="no id")], START)

    await journal.reset(ResetScope.ESCROWS)

    assert await journal.due(LATER) == []
    assert (await journal.recount()).escrowed == 0
    assert await journal.recall([BEN]) == []


async def test_a_restart_of_links_keeps_claims(journal: Journal) -> None:
    await governed_and_read(journal)
    await show(journal, seen(BEN, name="Ben"))
    await settle(journal, BEN, link("t2", LinkState.RELEASED))

    await journal.reset(ResetScope.CONNECTOR_DATA_STORE)

    ada, ben = await journal.recall([ADA, BEN])
    assert ada.link == replace(link("t1"), image=None, state=LinkState.CLAIMED)
    assert ben.link is None
    assert await journal.links() == {}
    assert await journal.governed() == {ADA.mapping: 1, TEAM.mapping: 1}
    assert await journal.due(START) == [TEAM, ADA, BEN]
    assert await journal.due_departures(START) == [TEAM, ADA]
    assert await journal.watermark() == "w"


async def test_a_claim_keeps_others_off_its_target_object(journal: Journal) -> None:
    await governed_and_read(journal)
    await journal.reset(ResetScope.FULL)
    await show(journal, seen(BEN, name="Ben"))

    assert not await journal.attempt(await recalled(journal, BEN), joins(BEN, "t1"), START)
    assert await journal.attempt(await recalled(journal, ADA), joins(ADA, "t1"), START)


async def test_claims_that_nobody_took_up_are_dropped(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    await governed(journal, TEAM, "g1")
    await journal.reset(ResetScope.FULL)
    await settle(journal, ADA, link("t1"))
    await settle(journal, BEN, link("t2", LinkState.CLAIMED))
    await journal.stage({TEAM: (await recalled(journal, TEAM)).seen}, START)

    await journal.drop_claims()

    ada, ben, team = await journal.recall([ADA, BEN, TEAM])
    assert ada.link == link("t1")
    assert ben.link is None
    assert team.link is not None


async def test_a_claim_is_kept_while_its_object_is_still_to_be_tried(journal: Journal) -> None:
    """Or whoever failed in this cycle would be made a second time in the next."""
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    await journal.reset(ResetScope.FULL)
    await fail(journal, ADA, LATER)

    await journal.drop_claims()

    assert await journal.owner(Entry("User", Anchor("t1"), {}), ()) == ADA
    assert await journal.owner(Entry("User", Anchor("t2"), {}), ()) == BEN


async def test_an_unanswered_create_survives_every_restart(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await journal.attempt(await recalled(journal, ADA), creates(ADA, query("ada")), START)

    await journal.reset(ResetScope.FULL)

    assert (await recalled(journal, ADA)).attempt == (query("ada"),)


async def test_what_is_staged_survives_every_restart_approved_or_not(
    store: Store, journal: Journal
) -> None:
    """Nothing new was observed: an approval still says what it said."""
    await governed(journal, ADA, "t1")
    await show(journal, gone(ADA, Absence.ABSENT))
    await journal.stage({ADA: (await recalled(journal, ADA)).seen}, START)

    await journal.reset(ResetScope.FULL)
    view = await store.staged(JOB)
    assert view.departures == (ADA,)
    assert await store.approve(JOB, view.hash, "eve", START)
    await journal.reset(ResetScope.FULL)

    standing = await recalled(journal, ADA)
    assert standing.staged is not None
    assert standing.staged.is_approved
    assert standing.staged.seen == standing.seen


async def test_a_mapping_that_is_not_known_is_no_trouble(journal: Journal) -> None:
    stranger = key("x", MappingName("nobody's"))

    assert await journal.recall([stranger]) == []
    assert await journal.anchors([stranger]) == {}
    await journal.doubt([stranger])
    await journal.let_go([stranger])
