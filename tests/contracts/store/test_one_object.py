"""What a journal remembers of one object: its link, its attempt, what came of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisor.errors import Rejected
from provisor.model.decisions import (
    Action,
    Export,
    Keep,
    LinkState,
    Refuse,
    Settled,
    Situation,
    Span,
    Update,
)
from provisor.model.entries import Absence, Anchor, Entry, EntryKey
from provisor.model.frozen import replace
from provisor.ports import Journal, RecordQuery
from tests.contracts.store.building import (
    GROUPS,
    MINUTE,
    START,
    USERS,
    creates,
    decision,
    deletes,
    disables,
    fail,
    gone,
    governed,
    joins,
    key,
    link,
    query,
    recalled,
    record,
    seen,
    settle,
    show,
    target_user,
    updates,
    user,
)
from tests.contracts.store.conftest import Store

ADA, BEN, CYD, TEAM = key("ada"), key("ben"), key("cyd"), key("team", GROUPS)
LATER = START + 60 * MINUTE


def found(target: str, kind: str = "User") -> Entry:
    return Entry(kind, Anchor(target), {})


# attempt


async def test_an_attempt_puts_the_image_in_doubt_until_it_is_settled(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    assert standing.link is not None
    assert standing.link.image is not None

    await journal.attempt(standing, updates(ADA, "t1"), START)
    doubted = (await recalled(journal, ADA)).link
    assert doubted is not None
    assert doubted.image is None

    assert (await settle(journal, ADA, link("t1"))).link == link("t1")


async def test_nobody_else_may_claim_a_governed_target_object(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, seen(BEN, name="Ben"))
    ben = await recalled(journal, BEN)

    assert not await journal.attempt(ben, joins(BEN, "t1"), START)
    assert not await journal.attempt(ben, updates(BEN, "t1"), START)

    assert (await recalled(journal, BEN)).link is None


async def test_an_object_of_another_kind_may_have_the_same_anchor(journal: Journal) -> None:
    await governed(journal, ADA, "1")
    await show(journal, seen(TEAM, name="Team"))

    assert await journal.attempt(await recalled(journal, TEAM), joins(TEAM, "1"), START)
    assert await journal.owner(found("1", "Group"), ()) == TEAM
    assert await journal.owner(found("1", "User"), ()) == ADA


async def test_nobody_else_may_create_what_an_unanswered_create_would_find(
    journal: Journal,
) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"))
    ada, ben = await journal.recall([ADA, BEN])
    await journal.attempt(ada, creates(ADA, query("x@y"), query(1, attribute="n")), START)

    assert not await journal.attempt(ben, creates(BEN, query("X@Y")), START)
    assert not await journal.attempt(ben, creates(BEN, query(1, attribute="n")), START)
    assert await journal.attempt(ben, creates(BEN, query("z@y")), START)
    assert await journal.attempt(ada, creates(ADA, query("x@y")), START)


async def test_a_refused_claim_leaves_everything_as_it_was(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    before = await governed(journal, BEN, "t2")

    assert not await journal.attempt(before, deletes(BEN, "t1"), START)

    assert await recalled(journal, BEN) == before
    assert await journal.departed(START) == frozenset()


async def test_an_unanswered_create_owns_what_it_would_find(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await journal.attempt(await recalled(journal, ADA), creates(ADA, query("ada@x")), START)

    assert await journal.owner(found("t9"), [query("other"), query("Ada@X")]) == ADA
    assert await journal.owner(found("t9"), [query("other")]) is None


async def test_an_attempt_is_remembered_until_it_is_answered(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await journal.attempt(await recalled(journal, ADA), creates(ADA, query("ada@x")), START)

    await fail(journal, ADA, LATER, keeps_attempt=True)
    assert (await recalled(journal, ADA)).attempt == (query("ada@x"),)

    await fail(journal, ADA, LATER, keeps_attempt=False)
    assert (await recalled(journal, ADA)).attempt == ()
    assert await journal.owner(found("t9"), [query("ada@x")]) is None


async def test_what_an_unanswered_create_made_is_linked_by_its_anchor(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    create = creates(ADA, query("ada@x"), manager=target_user("t5"))
    await journal.attempt(await recalled(journal, ADA), create, START)

    await journal.attempt(await recalled(journal, ADA), joins(ADA, "t1"), START)

    standing = await recalled(journal, ADA)
    assert standing.attempt == ()
    assert standing.link is not None
    assert standing.link.target == "t1"
    # What travelled in the create may be in the target, though nobody answered.
    travelled = frozenset({target_user("t5")})
    assert standing.referred == {"manager": Span(frozenset(), travelled)}


async def test_a_return_is_remembered_before_it_is_answered(journal: Journal) -> None:
    """Or an object that was released, called back and lost again would stay at work."""
    await show(journal, seen(ADA, name="Ada"))
    await settle(journal, ADA, link("t1", LinkState.RELEASED))

    await journal.attempt(await recalled(journal, ADA), updates(ADA, "t1"), START)

    back = (await recalled(journal, ADA)).link
    assert back is not None
    assert back.state is LinkState.MANAGED


async def test_a_departure_changes_no_state_before_it_is_answered(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")

    await journal.attempt(standing, disables(ADA, "t1"), START)

    leaving = (await recalled(journal, ADA)).link
    assert leaving is not None
    assert leaving.state is LinkState.MANAGED


@pytest.mark.parametrize("before", [None, LinkState.CLAIMED])
async def test_a_departure_that_was_only_found_or_claimed_is_not_pointed_at(
    journal: Journal, before: LinkState | None
) -> None:
    await show(journal, seen(ADA, name="Ada"))
    if before is not None:
        await settle(journal, ADA, link("t1", before))

    await journal.attempt(await recalled(journal, ADA), deletes(ADA, "t1"), START)
    await journal.drop_claims()

    leaving = (await recalled(journal, ADA)).link
    assert leaving is not None
    assert leaving.state is LinkState.LEAVING
    assert await journal.anchors([ADA]) == {}


async def test_where_nothing_is_sent_nothing_is_in_doubt(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")

    assert await journal.attempt(standing, decision(ADA, Keep(standing.link)), START)
    assert await journal.attempt(standing, decision(ADA, Keep(None)), START)
    assert await journal.attempt(standing, decision(ADA, Refuse("x", "y")), START)

    assert await recalled(journal, ADA) == standing


# departures


async def test_a_departure_counts_from_its_attempt(journal: Journal) -> None:
    ada, ben = await governed(journal, ADA, "t1"), await governed(journal, BEN, "t2")

    await journal.attempt(ada, disables(ADA, "t1"), START)
    await journal.attempt(ben, deletes(BEN, "t2"), START + MINUTE)

    assert await journal.departed(START) == {ADA, BEN}
    assert await journal.departed(START + MINUTE) == {BEN}


async def test_an_update_is_no_departure(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")

    await journal.attempt(standing, updates(ADA, "t1"), START)

    assert await journal.departed(START) == frozenset()


async def test_a_departure_is_counted_though_the_object_is_forgotten(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, gone(ADA))
    await journal.attempt(await recalled(journal, ADA), deletes(ADA, "t1"), START)

    await settle(journal, ADA, None)

    assert await journal.recall([ADA]) == []
    assert await journal.departed(START) == {ADA}


async def test_an_approved_departure_is_not_counted(store: Store, journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    await journal.attempt(standing, disables(ADA, "t1"), START)
    await journal.stage({ADA: standing.seen}, START)
    view = await store.staged("people")
    await store.approve("people", view.hash, "eve", START)

    await journal.attempt(await recalled(journal, ADA), disables(ADA, "t1"), START)

    assert await journal.departed(START) == frozenset()


async def test_an_edit_to_somebody_disabled_is_no_departure(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    standing = await settle(journal, ADA, link("t1", LinkState.DISABLED))
    kept = decision(ADA, Keep(link("t2")), Situation.UNQUALIFIED, Action.OTHER)

    await journal.attempt(standing, kept, START)

    assert await journal.departed(START) == frozenset()


# settle


async def test_a_settled_object_is_not_due(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    assert await journal.due(START) == [ADA]

    await settle(journal, ADA, link("t1"))

    assert await journal.due(START) == []


async def test_what_was_observed_meanwhile_stays_due(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    standing = await recalled(journal, ADA)
    await journal.doubt([ADA])

    await journal.settle(standing, Settled(link("t1")), None, record(ADA), keeps_attempt=False)

    assert await journal.due(START) == [ADA]


async def test_whom_an_object_points_at_by_now_is_not_forgotten(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    standing = await recalled(journal, ADA)
    await show(journal, seen(ADA, name="Ada", manager=user("ben")))

    await journal.settle(standing, Settled(link("t1")), None, record(ADA), keeps_attempt=False)

    assert await journal.due(START) == [ADA]
    assert await journal.due_references(START) == [ADA]


async def test_an_escrow_is_due_at_its_time(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))

    await fail(journal, ADA, LATER)

    assert await journal.due(LATER - timedelta(microseconds=1)) == []
    assert await journal.due(LATER) == [ADA]


async def test_a_failure_leaves_the_link_in_doubt(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    await journal.attempt(standing, updates(ADA, "t1"), START)

    await fail(journal, ADA, LATER)

    failed = (await recalled(journal, ADA)).link
    assert failed is not None
    assert (failed.target, failed.image) == ("t1", None)


async def test_a_log_record_is_kept_with_what_it_logs(store: Store, journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    ((_, job, logged),) = await store.ledger.records(RecordQuery())

    assert (job, logged) == ("people", record(ADA))


async def test_another_target_object_points_at_nothing_yet(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    standing = await recalled(journal, ADA)
    spans = {"manager": Span(frozenset({target_user("t5")}), frozenset({target_user("t5")}))}
    await journal.settle(
        standing,
        Settled(link("t1")),
        None,
        record(ADA),
        keeps_attempt=False,
        referred=spans,
    )
    assert (await recalled(journal, ADA)).referred == spans

    await settle(journal, ADA, link("t1", image={"title": "new"}))
    assert (await recalled(journal, ADA)).referred == spans

    await settle(journal, ADA, link("t2"))
    assert (await recalled(journal, ADA)).referred == {}


async def test_who_is_deleted_and_has_neither_link_nor_escrow_is_forgotten(
    journal: Journal,
) -> None:
    await show(journal, seen(ADA, name="Ada"), gone(ADA))
    await settle(journal, ADA, None)

    assert await journal.recall([ADA]) == []
    assert await journal.population() == {}


async def test_who_is_deleted_and_failed_is_remembered(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), gone(ADA))

    await fail(journal, ADA, LATER)

    assert await journal.due(LATER) == [ADA]


async def test_who_is_deleted_while_a_create_is_unanswered_is_remembered(
    journal: Journal,
) -> None:
    await show(journal, seen(ADA, name="Ada"))
    await journal.attempt(await recalled(journal, ADA), creates(ADA, query("ada@x")), START)
    await show(journal, gone(ADA))
    standing = await recalled(journal, ADA)

    await journal.settle(standing, Settled(None), None, record(ADA), keeps_attempt=True)

    assert (await recalled(journal, ADA)).attempt == (query("ada@x"),)


async def test_a_forgotten_object_comes_back_as_a_new_one(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada", manager=user("ben")), gone(ADA))
    await settle(journal, ADA, None)

    await show(journal, seen(ADA, name="Ada", manager=user("ben")))

    assert (await recalled(journal, ADA)).seen == 1
    assert await journal.due(START) == [ADA]


async def test_two_source_objects_never_govern_one_target_object(journal: Journal) -> None:
    """A target that answers a create with an object it had already does not get its way."""
    await governed(journal, ADA, "t1")
    await show(journal, seen(BEN, name="Ben"))
    ben = await recalled(journal, BEN)

    with pytest.raises(Rejected) as refused:
        await journal.settle(ben, Settled(link("t1")), None, record(BEN), keeps_attempt=False)

    assert refused.value.code == "DuplicateSourceEntries"
    assert await recalled(journal, BEN) == ben


async def test_a_successor_takes_over_what_a_source_object_that_is_gone_has(
    journal: Journal,
) -> None:
    await governed(journal, ADA, "t1")
    await show(journal, seen(BEN, name="Ben"))
    ben = await recalled(journal, BEN)
    assert not await journal.attempt(ben, joins(BEN, "t1"), START)

    await show(journal, gone(ADA, Absence.ABSENT))

    assert await journal.attempt(ben, joins(BEN, "t1"), START)
    assert (await recalled(journal, ADA)).link is None
    assert await journal.owner(found("t1"), ()) == BEN


# what is asked about objects


async def test_objects_are_recalled_in_the_order_asked(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"))

    assert [s.key for s in await journal.recall([BEN, CYD, ADA])] == [BEN, ADA]


async def test_an_object_is_found_by_anchor_target_or_name(journal: Journal) -> None:
    await show(journal, seen(ADA, displayName="Ada Lovelace", mail="ada@x", title="Countess"))
    await settle(journal, ADA, link("t1"))

    for text in ("ada", "t1", "Ada Lovelace", "ada@x"):
        assert [s.key for s in await journal.lookup(text, 5)] == [ADA]
    for text in ("Ada", "Countess", "", "ad%"):
        assert await journal.lookup(text, 5) == []


async def test_no_more_objects_are_found_than_asked_for(journal: Journal) -> None:
    await show(journal, *(seen(key(f"u{n}"), displayName="Ada") for n in range(5)))

    assert [s.key for s in await journal.lookup("Ada", 2)] == [key("u0"), key("u1")]


async def test_a_doubted_object_is_due(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")

    await journal.doubt([ADA, CYD])

    assert await journal.due(START) == [ADA]
    doubted = (await recalled(journal, ADA)).link
    assert doubted is not None
    assert doubted.image is None


async def test_live_links_are_counted_by_mapping(journal: Journal) -> None:
    states = {"a": LinkState.MANAGED, "b": LinkState.DISABLED, "c": LinkState.LEAVING}
    states |= {"d": LinkState.RELEASED, "e": LinkState.CLAIMED}
    for anchor, state in states.items():
        await show(journal, seen(key(anchor), name=anchor))
        await settle(journal, key(anchor), link(anchor, state))
    await governed(journal, TEAM, "g1")

    assert await journal.links() == {USERS: 3, GROUPS: 1}
    assert await journal.governed() == {USERS: 4, GROUPS: 1}


async def test_departures_are_sought_among_what_may_be_at_work(journal: Journal) -> None:
    await show(journal, *(seen(key(a), name=a) for a in "abcde"))
    await settle(journal, key("b"), link("b"))
    await settle(journal, key("c"), link("c", LinkState.RELEASED))
    await settle(journal, key("d"), link("d", LinkState.RELEASED))
    await journal.attempt(await recalled(journal, key("e")), creates(key("e"), query("e")), START)
    await journal.doubt([key(a) for a in "abcde"])
    await show(journal, gone(key("d")))

    assert await journal.due_departures(START) == [key("b"), key("d"), key("e")]


async def test_superiors_are_named_while_both_wait_for_their_target_object(
    journal: Journal,
) -> None:
    await governed(journal, CYD, "t3")
    await show(
        journal,
        seen(ADA, name="Ada", manager=user("ben"), deputy=user("cyd"), peers=(user("ben"),)),
        seen(BEN, name="Ben", manager=user("nobody")),
        seen(TEAM, name="Team", members=(user("ada"),)),
    )

    assert await journal.superiors(START) == {ADA: {EntryKey("user", Anchor("ben"))}}

    await fail(journal, BEN, LATER)
    assert await journal.superiors(START) == {}
    assert ADA in await journal.superiors(LATER)

    await settle(journal, BEN, link("t2"))
    assert await journal.superiors(LATER) == {}


async def test_it_is_remembered_who_made_an_object_that_is_written_again(
    journal: Journal,
) -> None:
    await show(journal, seen(ADA, name="Ada"))
    made = replace(link("t1"), is_created_by_us=True)
    standing = await settle(journal, ADA, made)

    await journal.attempt(standing, updates(ADA, "t1"), START)

    still = (await recalled(journal, ADA)).link
    assert still is not None
    assert still.is_created_by_us


async def test_an_update_of_an_object_that_was_found_links_it(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"))
    update = decision(ADA, Export(Update("User", Anchor("t1"), ()), {}), Situation.FOUND)

    await journal.attempt(await recalled(journal, ADA), update, START)

    assert await journal.owner(found("t1"), ()) == ADA
