"""What a journal remembers of who points at whom."""

from __future__ import annotations

from provisor.model.decisions import (
    AttributeChange,
    Echo,
    Link,
    LinkState,
    ReferencesChange,
    Settled,
    Span,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import Reference
from provisor.model.frozen import replace
from provisor.ports import Journal
from tests.contracts.store.building import (
    FAILED,
    GROUPS,
    MINUTE,
    START,
    creates,
    deletes,
    disables,
    escrow,
    gone,
    governed,
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

ADA, BEN, TEAM = key("ada"), key("ben"), key("team", GROUPS)
ONE, TWO, THREE = target_user("t1"), target_user("t2"), target_user("t3")
LATER = START + 60 * MINUTE


def adds(*added: Reference) -> ReferencesChange:
    return ReferencesChange("members", frozenset(added), frozenset())


def removes(*removed: Reference) -> ReferencesChange:
    return ReferencesChange("members", frozenset(), frozenset(removed))


def span(*certain: Reference, possible: tuple[Reference, ...] = ()) -> Span:
    return Span(frozenset(certain), frozenset((*certain, *possible)))


async def test_whom_a_target_does_not_show_is_certain_no_longer_and_ours_all_the_same(
    journal: Journal,
) -> None:
    await team_of(journal, "ada", "ben")
    await refer(journal, TEAM, adds(ONE, TWO))
    assert await journal.pointing_at_many() == [TEAM]
    assert await journal.due_references(START) == []
    echo = Echo("0123456789abcdef", 1)

    await journal.miss_references(TEAM, "members", frozenset({ONE}), echo, repairs=False)
    assert await journal.due_references(START) == []
    standing = await recalled(journal, TEAM)
    assert standing.referred == {"members": span(TWO, possible=(ONE,))}
    assert standing.link is not None
    assert standing.link.echoes == {"members": echo}

    await journal.miss_references(TEAM, "members", frozenset({TWO}), None, repairs=True)
    assert await journal.due_references(START) == [TEAM]
    standing = await recalled(journal, TEAM)
    assert standing.referred == {"members": span(possible=(ONE, TWO))}
    assert standing.link is not None
    assert standing.link.echoes == {}


async def team_of(journal: Journal, *members: str) -> None:
    """Make a group with these members known, linked and settled but for its references."""
    await show(journal, seen(TEAM, members=tuple(user(m) for m in members)))
    await settle(journal, TEAM, link("g1"))


async def refer(journal: Journal, of: StandingKey, *changes: TargetChange) -> None:
    """Carry references through, answered."""
    await journal.attempt_references(await recalled(journal, of), changes, START)
    standing = await recalled(journal, of)
    await journal.settle_references(standing, changes, Settled(None), None, None)


async def test_references_are_due_once_their_owner_is_managed(journal: Journal) -> None:
    await show(journal, seen(TEAM, members=(user("ada"),)))
    assert await journal.due_references(START) == []

    await settle(journal, TEAM, link("g1"))

    assert await journal.due_references(START) == [TEAM]


async def test_who_points_at_nobody_is_not_due(journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    assert await journal.due_references(START) == []


async def test_settled_references_are_not_due(journal: Journal) -> None:
    await team_of(journal, "ada")

    await refer(journal, TEAM, adds(ONE))

    assert await journal.due_references(START) == []
    assert (await recalled(journal, TEAM)).referred == {"members": span(ONE)}


async def test_who_pointed_at_somebody_is_due_when_nobody_is_left(journal: Journal) -> None:
    await team_of(journal, "ada")
    await refer(journal, TEAM, adds(ONE))

    await show(journal, seen(TEAM, members=()))

    assert await journal.due_references(START) == [TEAM]


async def test_references_in_escrow_are_due_at_their_time(journal: Journal) -> None:
    await team_of(journal, "ada")
    standing = await recalled(journal, TEAM)

    await journal.settle_references(standing, (), FAILED, escrow(LATER), record(TEAM))

    assert await journal.due_references(START) == []
    assert await journal.due_references(LATER) == [TEAM]


async def created_with(journal: Journal, *, meanwhile: str = "") -> None:
    """Have Ada, who points at Ben, settled with all that she points at."""
    await show(journal, seen(ADA, manager=user("ben")), seen(BEN))
    if meanwhile:
        await settle(journal, BEN, link("t3"))
    standing = await recalled(journal, ADA)
    if meanwhile:
        await settle(journal, BEN, link(meanwhile))
    await journal.settle(
        standing,
        Settled(link("t1")),
        None,
        record(ADA),
        keeps_attempt=False,
        settles_references=True,
    )


async def test_references_may_be_settled_with_their_owner(journal: Journal) -> None:
    await created_with(journal)
    assert await journal.due_references(START) == []

    await settle(journal, BEN, link("t2"))
    assert await journal.due_references(START) == [ADA]


async def test_references_that_were_stirred_meanwhile_are_not_settled_with_their_owner(
    journal: Journal,
) -> None:
    await created_with(journal, meanwhile="t2")

    assert await journal.due_references(START) == [ADA]


async def test_who_points_at_himself_is_due_although_all_was_settled(journal: Journal) -> None:
    await show(journal, seen(ADA, manager=user("ada")))
    await journal.settle(
        await recalled(journal, ADA),
        Settled(link("t1")),
        None,
        record(ADA),
        keeps_attempt=False,
        settles_references=True,
    )

    assert await journal.due_references(START) == [ADA]


async def test_only_managed_owners_are_due(journal: Journal) -> None:
    await show(journal, seen(TEAM, members=(user("ada"),)))
    for state in (LinkState.DISABLED, LinkState.LEAVING, LinkState.RELEASED, LinkState.CLAIMED):
        await settle(journal, TEAM, link("g1", state))
        assert await journal.due_references(START) == []


# who may be pointed at


async def test_managed_and_disabled_objects_may_be_pointed_at(journal: Journal) -> None:
    keys = {state: key(state) for state in LinkState}
    for state, of in keys.items():
        await show(journal, seen(of, name=state))
        await settle(journal, of, link(state, state))

    assert await journal.anchors([*keys.values(), key("nobody")]) == {
        keys[LinkState.MANAGED]: "managed",
        keys[LinkState.DISABLED]: "disabled",
    }


async def stirs(journal: Journal, of: StandingKey, to: Link | None) -> bool:
    before = (await recalled(journal, TEAM)).references_seen
    await settle(journal, of, to)
    return (await recalled(journal, TEAM)).references_seen > before


async def test_a_link_that_appears_changes_or_goes_stirs_who_refers_to_it(
    journal: Journal,
) -> None:
    await team_of(journal, "ada")
    await show(journal, seen(ADA, name="Ada"))

    assert await stirs(journal, ADA, link("t1"))
    assert not await stirs(journal, ADA, link("t1", image={"title": "new"}))
    assert not await stirs(journal, ADA, link("t1", LinkState.DISABLED))
    assert await stirs(journal, ADA, link("t2"))
    assert await stirs(journal, ADA, link("t2", LinkState.RELEASED))
    assert await stirs(journal, ADA, link("t2"))
    assert await stirs(journal, ADA, None)


async def test_who_has_no_link_is_not_stirred_by_one_that_appears_but_by_his_own(
    journal: Journal,
) -> None:
    await show(journal, seen(TEAM, members=(user("ada"),)), seen(ADA, name="Ada"))

    assert not await stirs(journal, ADA, link("t1"))
    assert await stirs(journal, ADA, None)
    assert await stirs(journal, TEAM, link("g1"))


async def test_a_stirred_owner_is_due_in_the_same_cycle(journal: Journal) -> None:
    await team_of(journal, "ada")
    await refer(journal, TEAM)

    await governed(journal, ADA, "t1")

    assert await journal.due_references(START) == [TEAM]


async def test_a_claim_stirs_before_anything_is_answered(journal: Journal) -> None:
    """A crash after it must not lose the news."""
    await team_of(journal, "ada")
    await show(journal, seen(ADA, name="Ada"))
    await settle(journal, ADA, link("t1", LinkState.RELEASED))
    await refer(journal, TEAM)

    standing = await recalled(journal, ADA)
    await journal.attempt(standing, creates(ADA, query("ada")), START)
    assert await journal.due_references(START) == []

    await journal.attempt(standing, updates(ADA, "t1"), START)
    assert await journal.due_references(START) == [TEAM]


async def test_an_object_of_another_kind_with_that_anchor_is_not_meant(journal: Journal) -> None:
    namesake = key("ada", GROUPS)
    await team_of(journal, "ada")
    await refer(journal, TEAM)

    await show(journal, seen(namesake, name="Ada's group"))
    await settle(journal, namesake, link("g2"))

    assert await journal.due_references(START) == []


async def test_nothing_points_at_what_is_let_go(journal: Journal) -> None:
    await team_of(journal, "ada")
    await governed(journal, ADA, "t1")
    await refer(journal, TEAM, adds(ONE))

    await journal.let_go([ADA, key("nobody")])

    assert await journal.anchors([ADA]) == {}
    assert await journal.due_references(START) == [TEAM]


async def test_what_is_forgotten_stirs_too(journal: Journal) -> None:
    await team_of(journal, "ada")
    await governed(journal, ADA, "t1")
    await refer(journal, TEAM, adds(ONE))
    await show(journal, gone(ADA))
    await journal.attempt(await recalled(journal, ADA), deletes(ADA, "t1"), START)

    await settle(journal, ADA, None)

    assert await journal.recall([ADA]) == []
    assert await journal.due_references(START) == [TEAM]


async def test_a_departure_does_not_stir_before_it_is_let_go(journal: Journal) -> None:
    await team_of(journal, "ada")
    standing = await governed(journal, ADA, "t1")
    await refer(journal, TEAM, adds(ONE))

    await journal.attempt(standing, disables(ADA, "t1"), START)

    assert await journal.due_references(START) == []


# what is pointed at, as far as our own writes tell


async def test_an_attempt_makes_possible_what_an_answer_makes_certain(journal: Journal) -> None:
    await team_of(journal, "ada")
    await refer(journal, TEAM, adds(ONE, TWO))

    change = ReferencesChange("members", frozenset({THREE}), frozenset({ONE}))
    await journal.attempt_references(await recalled(journal, TEAM), [change], START)
    assert (await recalled(journal, TEAM)).referred == {"members": span(TWO, possible=(ONE, THREE))}

    standing = await recalled(journal, TEAM)
    await journal.settle_references(standing, [change], Settled(None), None, None)
    assert (await recalled(journal, TEAM)).referred == {"members": span(TWO, THREE)}


async def test_an_unanswered_change_stays_possible(journal: Journal) -> None:
    await team_of(journal, "ada")
    await refer(journal, TEAM, adds(ONE))
    await journal.attempt_references(await recalled(journal, TEAM), [removes(ONE)], START)

    standing = await recalled(journal, TEAM)
    await journal.settle_references(standing, [], FAILED, escrow(LATER), record(TEAM))

    assert (await recalled(journal, TEAM)).referred == {"members": span(possible=(ONE,))}


async def test_what_was_done_is_certain_though_some_of_it_was_refused(journal: Journal) -> None:
    await team_of(journal, "ada")
    standing = await recalled(journal, TEAM)
    await journal.attempt_references(standing, [adds(ONE, TWO)], START)

    await journal.settle_references(standing, [adds(ONE)], FAILED, escrow(LATER), record(TEAM))

    assert (await recalled(journal, TEAM)).referred == {"members": span(ONE, possible=(TWO,))}


async def test_a_single_reference_has_one_value(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await refer(journal, ADA, AttributeChange("manager", None, TWO))

    change = AttributeChange("manager", TWO, THREE)
    await journal.attempt_references(await recalled(journal, ADA), [change], START)
    assert (await recalled(journal, ADA)).referred == {"manager": span(possible=(TWO, THREE))}

    await refer(journal, ADA, AttributeChange("manager", THREE, None))
    assert (await recalled(journal, ADA)).referred == {"manager": span()}


async def test_a_write_of_references_outdates_an_image_with_a_version(journal: Journal) -> None:
    await team_of(journal, "ada")
    standing = await recalled(journal, TEAM)
    assert standing.link is not None
    assert standing.link.image is not None
    await journal.attempt_references(standing, [adds(ONE)], START)
    kept = (await recalled(journal, TEAM)).link
    assert kept == standing.link

    with_version = replace(standing.link, image=replace(standing.link.image, version="v1"))
    await settle(journal, TEAM, with_version)
    await journal.attempt_references(standing, [adds(TWO)], START)
    doubted = (await recalled(journal, TEAM)).link
    assert doubted is not None
    assert doubted.image is None


async def test_members_are_counted_where_any_number_may_be(journal: Journal) -> None:
    await team_of(journal, "ada")
    await refer(journal, TEAM, adds(ONE, TWO))
    await governed(journal, BEN, "t2")
    await refer(journal, BEN, AttributeChange("manager", None, ONE))

    assert await journal.members() == 2


# removals of members that wait


async def test_staged_removals_stay_due_whatever_else_is_settled(
    store: Store, journal: Journal
) -> None:
    await team_of(journal, "ada")
    seen_then = (await recalled(journal, TEAM)).references_seen
    await journal.stage_references({TEAM: seen_then}, START)

    await refer(journal, TEAM, adds(TWO))

    assert await journal.due_references(START) == [TEAM]
    assert (await store.staged("people")).members == (TEAM,)


async def test_an_approval_of_removals_is_used_up(store: Store, journal: Journal) -> None:
    await team_of(journal, "ada")
    seen_then = (await recalled(journal, TEAM)).references_seen
    await journal.stage_references({TEAM: seen_then}, START)
    view = await store.staged("people")
    assert await store.approve("people", view.hash, "eve", START)
    staged = (await recalled(journal, TEAM)).references_staged
    assert staged is not None
    assert staged.is_approved

    await refer(journal, TEAM, removes(ONE))

    assert (await recalled(journal, TEAM)).references_staged is None
    assert await journal.due_references(START) == []


async def test_removals_that_are_not_held_any_more_are_not_staged(journal: Journal) -> None:
    await team_of(journal, "ada")
    seen_then = (await recalled(journal, TEAM)).references_seen
    await journal.stage_references({TEAM: seen_then}, START)

    await journal.stage_references({}, LATER)

    assert (await recalled(journal, TEAM)).references_staged is None
