"""What the engine may rely on, whatever target it works with (`ports.Target`).

To run it, a test module imports all of it (`from provisor.testing.targets import *`) and offers the
fixture `world`: what opens a target, empty and without troubles (`world.Recipe`).
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from provisor.errors import Denied, Rejected, Stale, Throttled, Unanswered, Unreachable
from provisor.model.decisions import AttributeChange, Create, Delete, ReferencesChange, Update
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, Value
from provisor.testing.world import Cast, Trouble, World, anchor_of

ODD_NAMES = ['o"neil', "back\\slash", "a+b&c=d#e%41", "łukasińska żaneta", "x' or '1'='1", "名前"]


def needs(world: World, trouble: Trouble) -> None:
    if trouble not in world.troubles:
        pytest.skip(f"nobody can make this target {trouble.name.lower().replace('_', ' ')}")


async def now(world: World, anchor: Anchor, kind: str = "") -> Entry:
    entry = await world.target.fetch(kind or world.model.user, anchor)
    assert entry is not None
    return entry


async def change(
    world: World, anchor: Anchor, changed: dict[str, tuple[Value | None, Value | None]]
) -> None:
    changes = tuple(AttributeChange(name, *pair) for name, pair in changed.items())
    await world.target.export(Update(world.model.user, anchor, changes))


async def refer(world: World, group: Anchor, add: set[Anchor], remove: set[Anchor]) -> None:
    def point(anchors: set[Anchor]) -> frozenset[Reference]:
        return frozenset(Reference(world.model.user, anchor) for anchor in anchors)

    member_change = ReferencesChange(world.model.members, point(add), point(remove))
    await world.target.export(Update(world.model.group, group, (member_change,)))


def same(one: Value | None, other: Value | None) -> bool:
    """Compare; of several values the order means nothing."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return one == other


# reading what was written


async def test_what_is_created_says_what_it_was_created_with(world: World) -> None:
    for name, (value, _) in world.model.samples.items():
        anchor = await Cast(world).person({world.model.user_name: f"p {name}", name: value})
        said = (await now(world, anchor)).attributes
        assert same(said.get(name), value), name


async def test_only_mapped_attributes_are_told(world: World) -> None:
    mapped = {definition.name for definition in world.model.definitions[world.model.user]}

    entry = await now(world, await Cast(world).person())

    assert set(entry.attributes) <= mapped
    assert entry.kind == world.model.user


async def test_what_a_write_tells_is_what_a_look_shows(world: World) -> None:
    cast = Cast(world)
    for _ in range(2):
        exported = await cast.user()
        entry = await now(world, anchor_of(exported))
        if exported.attributes is not None:
            assert exported.attributes == entry.attributes
        if exported.version is not None:
            assert exported.version == entry.version


async def test_what_was_never_there_is_none(world: World) -> None:
    anchor = await Cast(world).person()
    await world.target.export(Delete(world.model.user, anchor))

    assert await world.target.fetch(world.model.user, anchor) is None


# finding


async def test_an_object_is_found_by_its_name_and_nobody_else_is(world: World) -> None:
    cast = Cast(world)
    anchor, _ = await cast.person({world.model.user_name: "ada"}), await cast.person()

    found = await world.target.find(MatchQuery(world.model.user, world.model.user_name, "ada"))

    assert [entry.anchor for entry in found] == [anchor]
    assert found[0].attributes == (await now(world, anchor)).attributes


async def test_names_are_compared_without_case(world: World) -> None:
    anchor = await Cast(world).person({world.model.user_name: "Ada"})

    found = await world.target.find(MatchQuery(world.model.user, world.model.user_name, "aDA"))

    assert [entry.anchor for entry in found] == [anchor]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_found_and_do_no_harm(world: World, name: str) -> None:
    cast = Cast(world)
    await cast.person()
    query = MatchQuery(world.model.user, world.model.user_name, name)
    assert list(await world.target.find(query)) == []

    anchor = await cast.person({world.model.user_name: name})

    assert [entry.anchor for entry in await world.target.find(query)] == [anchor]


async def test_an_object_is_found_by_any_attribute_with_a_text(world: World) -> None:
    cast = Cast(world)
    texts = {n: v[0] for n, v in world.model.samples.items() if isinstance(v[0], str)}
    anchor = await cast.person(texts)
    await cast.person()

    for name, value in texts.items():
        found = await world.target.find(MatchQuery(world.model.user, name, value))
        assert [entry.anchor for entry in found] == [anchor], name


async def test_two_that_match_are_both_found(world: World) -> None:
    cast = Cast(world)
    twins = {await cast.person({world.model.title: "Twin"}) for _ in range(2)}

    found = await world.target.find(MatchQuery(world.model.user, world.model.title, "Twin"))

    assert {entry.anchor for entry in found} == twins


async def test_groups_are_found_by_name(world: World) -> None:
    cast = Cast(world)
    anchor, _ = await cast.group("Łódź & co"), await cast.group()

    query = MatchQuery(world.model.group, world.model.group_name, "Łódź & co")

    assert [entry.anchor for entry in await world.target.find(query)] == [anchor]


# listing


@pytest.mark.parametrize("population", [0, 1, 3, 7])
async def test_a_listing_names_everybody_once(world: World, population: int) -> None:
    cast = Cast(world)
    people = [await cast.person() for _ in range(population)]
    await cast.group()

    pages = [page async for page in world.target.list_all(world.model.user)]

    listed = [entry.anchor for page in pages for entry in page.entries]
    assert sorted(listed) == sorted(people)
    if world.tells_totals:
        assert pages[0].total == pages[-1].total == population
    for page in pages:
        for entry in page.entries:
            assert entry.attributes == (await now(world, entry.anchor)).attributes


# creating


async def test_nobody_is_created_twice(world: World) -> None:
    cast = Cast(world)
    await cast.person({world.model.user_name: "ada"})

    with pytest.raises(Stale) as conflict:
        await cast.person({world.model.user_name: "Ada"})

    assert conflict.value.code == "EntryConflict"
    found = await world.target.find(MatchQuery(world.model.user, world.model.user_name, "ada"))
    assert len(found) == 1


async def test_a_reference_already_resolved_travels_in_the_create(world: World) -> None:
    if not world.model.manager:
        pytest.skip("no reference of one")
    cast = Cast(world)
    chief = Reference(world.model.user, await cast.person())

    anchor = await cast.person({world.model.manager: chief})

    assert (await now(world, anchor)).attributes[world.model.manager] == chief


async def test_many_are_created_at_once(world: World) -> None:
    cast = Cast(world)

    people = await asyncio.gather(*(cast.person() for _ in range(40)))

    assert len(set(people)) == 40
    for anchor in people:
        assert await now(world, anchor)


# changing


async def test_an_update_changes_what_it_names_and_nothing_else(world: World) -> None:
    cast = Cast(world)
    everything = {name: before for name, (before, _) in world.model.samples.items()}
    anchor = await cast.person(everything)
    for name, (before, after) in world.model.samples.items():
        expected = {**(await now(world, anchor)).attributes, name: after}

        await change(world, anchor, {name: (before, after)})

        said = (await now(world, anchor)).attributes
        assert set(said) - {name} == set(expected) - {name}, name
        for other, value in expected.items():
            if value != "":  # some targets cannot tell an empty text from none
                assert same(said.get(other), value), (name, other)


async def test_many_changes_travel_together(world: World) -> None:
    anchor = await Cast(world).person({n: v[0] for n, v in world.model.samples.items()})
    before = await world.writes()

    await change(world, anchor, {n: pair for n, pair in world.model.samples.items() if pair[1]})

    said = (await now(world, anchor)).attributes
    for name, (_, after) in world.model.samples.items():
        assert not after or same(said[name], after), name
    assert before is None or ((await world.writes()) or 0) - before <= 3


async def test_a_value_comes_to_an_attribute_that_had_none(world: World) -> None:
    for name, (value, _) in world.model.samples.items():
        anchor = await Cast(world).person({world.model.user_name: f"n {name}"})
        before = (await now(world, anchor)).attributes.get(name)
        await change(world, anchor, {name: (before, value)})
        assert same((await now(world, anchor)).attributes.get(name), value), name


async def test_a_value_is_cleared(world: World) -> None:
    for name, (value, _) in world.model.samples.items():
        anchor = await Cast(world).person({world.model.user_name: f"c {name}", name: value})
        await change(world, anchor, {name: (value, None)})
        assert not (await now(world, anchor)).attributes.get(name), name


async def test_a_value_joins_the_element_that_is_there(world: World) -> None:
    if world.model.siblings is None:
        pytest.skip("no elements")
    one, other = world.model.siblings
    anchor = await Cast(world).person({one: "Łódź"})

    await change(world, anchor, {other: (None, "PL")})

    said = (await now(world, anchor)).attributes
    assert (said[one], said[other]) == ("Łódź", "PL")


async def test_a_change_of_what_is_gone_is_stale(world: World) -> None:
    anchor = await Cast(world).person()
    await world.target.export(Delete(world.model.user, anchor))

    with pytest.raises(Stale) as refusal:
        await change(world, anchor, {world.model.title: ("x", "y")})

    assert refusal.value.code == "InvalidAnchor"


async def test_a_change_of_another_version_is_stale(world: World) -> None:
    if not world.target.capabilities.has_versions:
        pytest.skip("no versions")
    anchor = await Cast(world).person({world.model.title: "one"})
    seen = await now(world, anchor)
    await change(world, anchor, {world.model.title: ("one", "theirs")})
    changes = (AttributeChange(world.model.title, "one", "ours"),)

    with pytest.raises(Stale):
        await world.target.export(Update(world.model.user, anchor, changes, seen.version))

    assert (await now(world, anchor)).attributes[world.model.title] == "theirs"


async def test_a_manager_is_set_changed_and_cleared(world: World) -> None:
    if not world.model.manager:
        pytest.skip("no reference of one")
    cast = Cast(world)
    anchor = await cast.person()
    chiefs = [Reference(world.model.user, await cast.person()) for _ in range(2)]

    for before, after in ((None, chiefs[0]), (chiefs[0], chiefs[1]), (chiefs[1], None)):
        await change(world, anchor, {world.model.manager: (before, after)})
        assert (await now(world, anchor)).attributes.get(world.model.manager) == after


# deleting


async def test_deleting_what_is_gone_succeeds(world: World) -> None:
    anchor = await Cast(world).person()

    for _ in range(2):
        exported = await world.target.export(Delete(world.model.user, anchor))
        assert exported.anchor is None
    assert await world.target.fetch(world.model.user, anchor) is None


# members


async def test_members_come_and_go_and_others_stay(world: World) -> None:
    cast = Cast(world)
    group = await cast.group()
    ada, bob, eve = [await cast.person() for _ in range(3)]

    await refer(world, group, {ada, bob}, set())
    assert await world.members(group) == {ada, bob}
    await refer(world, group, {eve}, {ada})
    assert await world.members(group) == {bob, eve}
    await refer(world, group, set(), {bob, eve})
    assert await world.members(group) == set()


async def test_who_is_in_a_group_is_told_as_it_is_now(world: World) -> None:
    if not world.target.capabilities.tells_references:
        pytest.skip("this target does not tell who is in a group")
    cast, model = Cast(world), world.model
    group = await cast.group()
    people = [await cast.person() for _ in range(230)]
    known = frozenset(Reference(model.user, one) for one in people[2:])

    async def told() -> tuple[set[Anchor], int]:
        said = await world.target.referred(model.group, group, model.members, known)
        return {one.anchor for one in said.known}, len(said.others)

    assert await told() == (set(), 0)
    await refer(world, group, {*people[:-1]}, set())
    assert await told() == ({*people[2:-1]}, 2)
    await refer(world, group, {people[-1]}, {*people[:200]})
    assert await told() == ({*people[200:]}, 0)


async def test_who_is_in_a_group_that_is_gone_is_not_told(world: World) -> None:
    if not world.target.capabilities.tells_references:
        pytest.skip("this target does not tell who is in a group")
    group = await Cast(world).group()
    await world.target.export(Delete(world.model.group, group))

    with pytest.raises((Stale, Rejected)):
        await world.target.referred(world.model.group, group, world.model.members, frozenset())


async def test_adding_who_is_there_and_removing_who_is_not_succeeds(world: World) -> None:
    cast = Cast(world)
    group = await cast.group()
    ada, bob = await cast.person(), await cast.person()
    await refer(world, group, {ada}, set())

    await refer(world, group, {ada}, {bob})
    await refer(world, group, {ada}, {bob})

    assert await world.members(group) == {ada}


async def test_a_large_group_arrives_whole_in_few_requests(world: World) -> None:
    cast = Cast(world)
    group = await cast.group()
    people = set(await asyncio.gather(*(cast.person() for _ in range(230))))
    before = await world.writes()

    await refer(world, group, people, set())

    assert await world.members(group) == people
    few = -(-len(people) // world.target.capabilities.members_max) + 1
    assert before is None or ((await world.writes()) or 0) - before <= few


async def test_members_of_a_group_that_is_gone_are_stale(world: World) -> None:
    cast = Cast(world)
    group, ada = await cast.group(), await cast.person()
    await world.target.export(Delete(world.model.group, group))

    with pytest.raises(Stale) as refusal:
        await refer(world, group, {ada}, set())

    assert refusal.value.code == "InvalidAnchor"


async def test_a_group_keeps_its_members_when_it_is_renamed(world: World) -> None:
    cast = Cast(world)
    group, ada = await cast.group("before"), await cast.person()
    await refer(world, group, {ada}, set())
    changes = (AttributeChange(world.model.group_name, "before", "after"),)

    await world.target.export(Update(world.model.group, group, changes))

    said = (await now(world, group, world.model.group)).attributes
    assert said[world.model.group_name] == "after"
    assert await world.members(group) == {ada}


# failing, by what is to be done about it


@pytest.mark.parametrize("trouble", [Trouble.LOSES_CREATES, Trouble.FAILS_AFTER_CREATES])
async def test_a_create_without_answer_is_sent_once_and_can_be_found(
    world: World, trouble: Trouble
) -> None:
    needs(world, trouble)
    cast = Cast(world)
    await cast.person()
    before = await world.writes()
    await world.befall(trouble)

    with pytest.raises(Unanswered):
        await cast.person({world.model.user_name: "ada"})

    assert before is None or await world.writes() == before + 1
    found = await world.target.find(MatchQuery(world.model.user, world.model.user_name, "ada"))
    assert len(found) == 1


async def test_a_refused_create_is_rejected_with_a_reason(world: World) -> None:
    needs(world, Trouble.REFUSES_CREATES)
    await world.befall(Trouble.REFUSES_CREATES)

    with pytest.raises(Rejected) as refusal:
        await Cast(world).person({world.model.user_name: "ada"})

    assert refusal.value.code == "UnprocessableEntity"
    assert "400" in str(refusal.value)
    query = MatchQuery(world.model.user, world.model.user_name, "ada")
    assert list(await world.target.find(query)) == []


async def test_lack_of_rights_is_about_the_object(world: World) -> None:
    needs(world, Trouble.HAS_NO_RIGHTS)
    anchor = await Cast(world).person({world.model.title: "before"})
    await world.befall(Trouble.HAS_NO_RIGHTS)

    for attempt in (
        Create(world.model.user, Cast(world).attributes(), ()),
        Update(world.model.user, anchor, (AttributeChange(world.model.title, "before", "after"),)),
        Delete(world.model.user, anchor),
    ):
        with pytest.raises(Rejected) as refusal:
            await world.target.export(attempt)
        assert refusal.value.code == "InsufficientRights"
    assert (await now(world, anchor)).attributes[world.model.title] == "before"


async def test_an_update_that_was_not_received_is_sent_again(world: World) -> None:
    needs(world, Trouble.BREAKS_ONE_UPDATE)
    anchor = await Cast(world).person({world.model.title: "before"})
    await world.befall(Trouble.BREAKS_ONE_UPDATE)

    await change(world, anchor, {world.model.title: ("before", "after")})

    assert (await now(world, anchor)).attributes[world.model.title] == "after"


async def test_a_target_that_wants_patience_gets_it(world: World) -> None:
    needs(world, Trouble.WANTS_PATIENCE_ONCE)
    await world.befall(Trouble.WANTS_PATIENCE_ONCE)

    anchor = await Cast(world).person()

    assert await now(world, anchor)


async def test_patience_has_an_end(world: World) -> None:
    needs(world, Trouble.WANTS_PATIENCE_FOR_EVER)
    await world.befall(Trouble.WANTS_PATIENCE_FOR_EVER)

    with pytest.raises(Throttled) as refusal:
        await Cast(world).person()

    assert refusal.value.retry_after_s > 0


async def test_a_target_that_ignores_filters_is_never_believed(world: World) -> None:
    needs(world, Trouble.IGNORES_FILTERS)
    await Cast(world).person()
    await world.befall(Trouble.IGNORES_FILTERS)
    query = MatchQuery(world.model.user, world.model.user_name, "nobody")

    with contextlib.suppress(Rejected):  # to refuse is as good as to look through everything
        assert list(await world.target.find(query)) == []


async def test_a_target_that_is_off_is_unreachable(world: World) -> None:
    needs(world, Trouble.IS_OFF)
    anchor = await Cast(world).person()
    await world.befall(Trouble.IS_OFF)

    with pytest.raises(Unreachable):
        await world.target.fetch(world.model.user, anchor)
    with pytest.raises(Unreachable):
        await Cast(world).person()
    with pytest.raises(Unreachable):
        await world.target.probe()


@pytest.mark.parametrize("trouble", [Trouble.KNOWS_US_NOT, Trouble.SPEAKS_NONSENSE])
async def test_a_probe_denies_what_is_not_our_target(world: World, trouble: Trouble) -> None:
    needs(world, trouble)
    await world.befall(trouble)

    with pytest.raises(Denied) as denial:
        await world.target.probe()

    assert str(denial.value)
    assert denial.value.code


async def test_credentials_that_end_are_no_fault_of_the_object(world: World) -> None:
    needs(world, Trouble.KNOWS_US_NOT)
    anchor = await Cast(world).person()
    await world.befall(Trouble.KNOWS_US_NOT)

    with pytest.raises(Denied):
        await world.target.fetch(world.model.user, anchor)
    with pytest.raises(Denied):
        await Cast(world).person()


async def test_a_probe_of_a_sound_target_changes_nothing(world: World) -> None:
    before = await world.writes()

    await world.target.probe()

    assert await world.writes() == before
    assert world.target.system.identity
