"""What a journal makes of a listing of the target."""

from __future__ import annotations

from provisor.model.cycles import CycleKind
from provisor.model.decisions import Echo, Image, LinkState, StandingKey
from provisor.model.entries import Anchor, Attributes, Entry, MatchQuery, Reference
from provisor.model.frozen import replace
from provisor.ports import Drift, Journal, Listed
from tests.contracts.store.building import (
    GROUPS,
    RULES,
    START,
    USERS,
    deletes,
    ended,
    governed,
    key,
    link,
    mapping,
    query,
    recalled,
    seen,
    settle,
    show,
    updates,
)

ADA, BEN, TEAM = key("ada"), key("ben"), key("team", GROUPS)


def listed(target: str, attributes: Attributes | None = None, *answers: MatchQuery) -> Listed:
    return Listed(Entry("User", Anchor(target), attributes or {}, "v2"), answers)


async def test_a_listing_renews_the_images_of_linked_objects(journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    await journal.attempt(standing, updates(ADA, "t1"), START)

    assert await journal.list_target([listed("t1", {"title": "Countess"})]) == []

    renewed = (await recalled(journal, ADA)).link
    assert renewed is not None
    assert renewed.image == Image({"title": "Countess"}, "v2")


async def test_a_trusted_image_that_others_outdated_is_drift(journal: Journal) -> None:
    before = await governed(journal, ADA, "t1")
    one = listed("t1", {"userName": "changed"})

    assert await journal.list_target([one]) == [Drift(ADA, before.link or link(""), one.entry)]

    assert await journal.due(START) == [ADA]
    assert await journal.list_target([one]) == []


async def test_whom_an_object_points_at_is_no_part_of_its_image(journal: Journal) -> None:
    """References are remembered as spans: what a listing shows of them is no drift."""
    await governed(journal, ADA, "t1")
    image = ((await recalled(journal, ADA)).link or link("")).image
    assert image is not None
    boss, team = Reference("User", Anchor("t2")), (Reference("User", Anchor("t3")),)

    shown = listed("t1", {**image.attributes, "manager": boss, "reports": team})

    assert await journal.list_target([shown]) == []
    renewed = (await recalled(journal, ADA)).link
    assert renewed is not None
    assert renewed.image == Image(image.attributes, "v2")
    assert await journal.due(START) == []


async def test_drift_that_is_not_repaired_is_only_reported(journal: Journal) -> None:
    await governed(journal, ADA, "t1")

    drifts = await journal.list_target([listed("t1", {"userName": "changed"})], repairs=False)

    assert len(drifts) == 1
    assert await journal.due(START) == []


async def test_what_the_mapping_does_not_ask_for_is_no_drift(journal: Journal) -> None:
    """An image may hold what was mapped before, and a listing what another mapping asks for."""
    await governed(journal, ADA, "t1")
    await journal.adopt({**RULES, USERS: mapping(USERS, "2", shown=("title",))}, "policy")

    assert await journal.list_target([listed("t1", {"mail": "ada@x.org"})]) == []
    assert len(await journal.list_target([listed("t1", {"title": "Countess"})])) == 1


async def test_what_was_released_or_claimed_keeps_no_image(journal: Journal) -> None:
    await show(journal, seen(ADA, name="Ada"), seen(BEN, name="Ben"))
    for key_, target, state in (
        (ADA, "t1", LinkState.RELEASED),
        (BEN, "t2", LinkState.CLAIMED),
    ):
        standing = await settle(journal, key_, link(target, state))
        await journal.attempt(standing, deletes(key_, target), START)
        await settle(journal, key_, link(target, state, image={"a": "b"}))

    assert await journal.list_target([listed("t1"), listed("t2")]) == []
    assert await journal.due(START) == []


async def test_what_a_listing_left_out_is_in_doubt(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    await governed(journal, TEAM, "g1")
    await journal.begin_listing()
    await journal.list_target([listed("t1", {"userName": "t1"})])

    await journal.end_listing({"User"}, is_complete=False)

    assert await journal.due(START) == [BEN]
    doubted = (await recalled(journal, BEN)).link
    assert doubted is not None
    assert doubted.image is None


async def test_a_listing_without_an_index_is_compared_and_answers_nothing(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    before = await recalled(journal, ADA)
    await journal.begin_listing(is_indexed=False)

    one = listed("t1", {"userName": "changed"}, query("ada"))
    assert await journal.list_target([one]) == [Drift(ADA, before.link or link(""), one.entry)]
    await journal.end_listing({"User"}, is_complete=True)

    assert await journal.due(START) == [ADA, BEN], "one says something else, one was left out"
    doubted = (await recalled(journal, BEN)).link
    assert doubted is not None
    assert doubted.image is None
    assert await journal.listed(query("ada")) is None, "the target itself is asked"


async def test_what_only_an_earlier_listing_showed_is_left_out(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await journal.begin_listing()
    await journal.list_target([listed("t1", {"userName": "t1"})])

    await journal.begin_listing()
    await journal.end_listing({"User"}, is_complete=True)

    assert await journal.due(START) == [ADA]


async def test_only_a_complete_listing_answers(journal: Journal) -> None:
    ada = listed("t1", {"userName": "Ada"}, query("ada"))
    await journal.begin_listing()
    await journal.list_target([ada])
    assert await journal.listed(query("ada")) is None

    await journal.end_listing({"User"}, is_complete=False)
    assert await journal.listed(query("ada")) is None

    await journal.end_listing({"User"}, is_complete=True)
    assert await journal.listed(query("ada")) == [ada.entry]
    assert await journal.listed(query("ben")) == []
    assert await journal.listed(query("ada", kind="Group")) is None


async def test_linked_objects_are_listed_too(journal: Journal) -> None:
    """Or who matches the target object of another would be created beside it."""
    await governed(journal, ADA, "t1")
    await journal.begin_listing()
    await journal.list_target([listed("t1", {"userName": "Ada"}, query("ada"))])

    await journal.end_listing({"User"}, is_complete=True)

    assert await journal.listed(query("ada")) == [Entry("User", Anchor("t1"), {"userName": "Ada"})]


async def test_values_of_other_types_are_other_values(journal: Journal) -> None:
    await journal.begin_listing()
    await journal.list_target([listed("t1", {}, query(1))])
    await journal.end_listing({"User"}, is_complete=True)

    assert await journal.listed(query(True)) == []
    assert await journal.listed(query("1")) == []
    assert await journal.listed(query(1)) != []


async def test_an_object_listed_twice_is_one_as_it_was_last(journal: Journal) -> None:
    await journal.begin_listing()
    await journal.list_target([listed("t1", {"a": "old"}, query("old"), query("ada"))])
    await journal.list_target([listed("t1", {"a": "new"}, query("ada"))])
    await journal.end_listing({"User"}, is_complete=True)

    assert await journal.listed(query("old")) == []
    assert await journal.listed(query("ada")) == [Entry("User", Anchor("t1"), {"a": "new"})]


async def test_a_listing_is_of_one_cycle(journal: Journal) -> None:
    async def list_it() -> None:
        await journal.begin_listing()
        await journal.list_target([listed("t1", {}, query("ada"))])
        await journal.end_listing({"User"}, is_complete=True)

    await list_it()
    await journal.begin_cycle("c1", CycleKind.RECONCILE, START)
    assert await journal.listed(query("ada")) is None

    await list_it()
    await journal.end_cycle(ended("c1", START, await journal.recount()))
    assert await journal.listed(query("ada")) is None

    await list_it()
    await journal.begin_listing()
    assert await journal.listed(query("ada")) is None


async def test_what_is_let_be_is_remembered_until_it_is_taken_back(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    await journal.list_target([listed("t1", {"userName": "changed"})], repairs=False)
    held = {"userName": Echo("0123456789abcdef", 3, is_accepted=True), "title": Echo("fedc", 1)}

    await journal.let_be({ADA: held}, unsettles=False)

    assert ((await recalled(journal, ADA)).link or link("")).echoes == held
    assert await journal.due(START) == []

    await journal.let_be({ADA: {}, BEN: held}, unsettles=True)

    assert ((await recalled(journal, ADA)).link or link("")).echoes == {}
    assert await journal.due(START) == [ADA]


# what is known by how it was sent


def printed(target: str, attributes: Attributes, print: int) -> Listed:
    return replace(listed(target, attributes), print=print)


async def test_who_says_what_the_image_does_is_known_by_the_print_from_then_on(
    journal: Journal,
) -> None:
    await governed(journal, ADA, "t1")
    said = await now_said(journal, ADA)
    await journal.begin_listing(is_indexed=False)
    assert await journal.recognise("User", {Anchor("t1"): 7}) == []
    await journal.list_target([printed("t1", said, 7)])
    await journal.list_target([printed("t1", said, 7)])

    assert list(await journal.recognise("User", {Anchor("t1"): 7})) == ["t1"]
    assert list(await journal.recognise("User", {Anchor("t1"): 8})) == []
    assert list(await journal.recognise("Group", {Anchor("t1"): 7})) == []


async def test_who_is_recognised_is_not_left_out(journal: Journal) -> None:
    await governed(journal, ADA, "t1")
    said = await now_said(journal, ADA)
    await journal.begin_listing(is_indexed=False)
    await journal.list_target([printed("t1", said, 7)])
    await journal.list_target([printed("t1", said, 7)])
    await journal.begin_listing(is_indexed=False)
    await journal.recognise("User", {Anchor("t1"): 7})

    await journal.end_listing(["User"], is_complete=True)

    assert await journal.due(START) == []


async def test_drift_is_not_known_by_its_print(journal: Journal) -> None:
    """What a target says that nobody told it is seen at each listing, until it is repaired."""
    await governed(journal, ADA, "t1")
    await journal.begin_listing(is_indexed=False)

    await journal.list_target([printed("t1", {"userName": "changed"}, 7)])
    await journal.attempt((await recalled(journal, ADA)), updates(ADA, "t1"), START)
    await settle(journal, ADA, link("t1", image={"userName": "as told"}))

    assert list(await journal.recognise("User", {Anchor("t1"): 7})) == []


async def test_who_said_something_else_since_is_not_known_by_the_print(
    journal: Journal,
) -> None:
    await governed(journal, ADA, "t1")
    said = await now_said(journal, ADA)
    await journal.begin_listing(is_indexed=False)
    await journal.list_target([printed("t1", said, 7)])
    await journal.list_target([printed("t1", said, 7)])

    await journal.list_target([printed("t1", {"userName": "changed"}, 8)])

    assert list(await journal.recognise("User", {Anchor("t1"): 7})) == []


async def now_said(journal: Journal, key_: StandingKey) -> Attributes:
    known = (await recalled(journal, key_)).link
    assert known is not None
    assert known.image is not None
    return known.image.attributes
