"""Members go in few requests, and one whom the target refuses holds nobody up (scim-target 7)."""

from __future__ import annotations

import pytest

from provisor.errors import Rejected, Stale, Unanswered
from provisor.model.entries import Anchor, Reference
from tests.fakes.scim.switches import Fault
from tests.unit.connectors.scim.stage import Stage, opened


async def group_of(stage: Stage, *members: str) -> Anchor:
    group = await stage.create("Group", displayName="g")
    if members:
        await stage.refer(group, add=members)
    stage.asked()
    return group


def names(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"m{number:04}" for number in range(first, last + 1))


async def test_two_hundred_and_fifty_are_three_requests() -> None:
    async with opened({"members_max": 100}) as stage:
        group = await group_of(stage)
        await stage.refer(group, add=names(1, 250))
        assert len(stage.asked()) == 3
        assert stage.members(group) == set(names(1, 250))

        await stage.refer(group, remove=names(1, 250))
        assert len(stage.asked()) == 3
        assert stage.members(group) == set()


async def test_adds_go_before_removals_unless_told_otherwise() -> None:
    for first, chosen in (("add", False), ("remove", True)):
        async with opened(removesFirst=chosen) as stage:
            group = await group_of(stage, "m1")
            await stage.refer(group, add=("m2",), remove=("m1",))
            assert f'"op":"{first}"' in stage.asked()[0]
            assert stage.members(group) == {"m2"}


async def test_who_is_refused_is_named_and_all_others_are_done() -> None:
    async with opened({"checks_members": True}) as stage:
        people = [await stage.create(userName=f"p{number}") for number in range(60)]
        group = await group_of(stage)

        with pytest.raises(Rejected) as rejected:
            await stage.refer(group, add=(*people, "nobody", "no one"))

        assert rejected.value.code == "UnableToResolveReferenceAttributeValue"
        assert rejected.value.refused == {
            Reference("User", Anchor("nobody")),
            Reference("User", Anchor("no one")),
        }
        assert "unable to assign no one, nobody as the members of" in str(rejected.value)
        assert stage.members(group) == set(people)
        assert len(stage.asked("PATCH")) < 30


async def test_removals_are_done_although_an_addition_is_refused() -> None:
    async with opened({"checks_members": True}) as stage:
        ada = await stage.create(userName="ada")
        group = await group_of(stage, ada)

        with pytest.raises(Rejected):
            await stage.refer(group, add=("nobody",), remove=(ada,))

        assert stage.members(group) == set()


async def test_a_body_too_large_is_halved_and_the_size_remembered() -> None:
    async with opened({"body_max": 700}) as stage:
        group = await group_of(stage)
        await stage.refer(group, add=names(1, 90))
        assert stage.members(group) == set(names(1, 90))
        stage.asked()

        await stage.refer(group, remove=names(1, 10))
        await stage.refer(group, add=names(101, 130))

        assert all(logged.status != 413 for logged in stage.fake.log)


async def test_too_many_members_for_a_server_are_halved() -> None:
    async with opened({"members_max": 20}) as stage:
        group = await group_of(stage)
        await stage.refer(group, add=names(1, 90))
        assert stage.members(group) == set(names(1, 90))


@pytest.mark.parametrize("status", [404, 409, 400])
async def test_what_is_as_it_should_be_is_done(status: int) -> None:
    async with opened() as stage:
        group = await group_of(stage, "m1")
        scim_type = {404: "", 409: "", 400: "noTarget"}[status]
        adds = status == 409
        stage.fake.misbehave(
            Fault(what="refuse", method="PATCH", status=status, scim_type=scim_type)
        )

        await stage.refer(group, **({"add": ("m1",)} if adds else {"remove": ("m2",)}))

        assert stage.members(group) == {"m1"}


@pytest.mark.parametrize("status", [403, 501, 500])
async def test_what_concerns_the_group_is_not_tried_one_by_one(status: int) -> None:
    async with opened(putFallback=False) as stage:
        group = await group_of(stage)
        stage.fake.misbehave(Fault(what="refuse", method="PATCH", status=status))

        with pytest.raises((Rejected, Unanswered)) as failure:
            await stage.refer(group, add=names(1, 90))

        assert len(stage.asked("PATCH")) <= 2
        assert failure.value.code in ("InsufficientRights", "NotImplemented", "InternalServerError")


async def test_members_of_a_group_that_is_gone() -> None:
    async with opened() as stage:
        with pytest.raises(Stale):
            await stage.refer(Anchor("77"), add=names(1, 5))
        assert len(stage.asked("PATCH")) == 1


async def test_a_list_form_of_removal_is_only_sent_where_it_is_safe() -> None:
    """A strict server reads it as: remove everybody."""
    async with opened({"array_removes_all": True}) as stage:
        group = await group_of(stage, "m1", "m2", "m3")
        await stage.refer(group, remove=("m2",))
        assert stage.members(group) == {"m1", "m3"}
    async with opened(memberRemoval="array") as stage:
        group = await group_of(stage, "m1", "m2", "m3")
        await stage.refer(group, remove=("m2",))
        assert '"path":"members","value":[{"value":"m2"}]' in stage.asked()[0]
        assert stage.members(group) == {"m1", "m3"}


async def test_without_patch_a_group_is_put_back_whole() -> None:
    async with opened({"has_patch": False}) as stage:
        await stage.target.probe()
        group = await stage.create("Group", displayName="g", externalId="G1")
        await stage.refer(group, add=("m1", "m2"))
        await stage.refer(group, add=("m3",), remove=("m1",))

        (held,) = stage.fake.says("Groups")
        assert stage.members(group) == {"m2", "m3"}
        assert held["externalId"] == "G1"
        assert stage.asked("PATCH") == []


async def test_without_patch_nobody_is_put_back_whose_members_are_not_shown() -> None:
    async with opened({"has_patch": False, "has_discovery": False}) as stage:
        group = await group_of(stage)

        with pytest.raises(Rejected) as rejected:
            await stage.refer(group, add=("m1",))

        assert rejected.value.code == "NotImplemented"
        assert stage.asked("PUT") == []


async def test_a_group_that_is_put_and_not_changed_is_no_success() -> None:
    """django-scim2 answers 200 to a PUT and leaves the members as they were."""
    async with opened({"has_patch": False, "keeps_members": True}) as stage:
        await stage.target.probe()
        group = await group_of(stage)

        with pytest.raises(Rejected) as rejected:
            await stage.refer(group, add=("m1",))

        assert rejected.value.refused == {Reference("User", Anchor("m1"))}
        assert "did nothing about them" in str(rejected.value)


async def test_who_has_patch_and_lacks_one_form_of_it_keeps_its_patch() -> None:
    async with opened() as stage:
        group = await group_of(stage, "m1", "m2")
        stage.fake.misbehave(
            Fault(what="refuse", method="PATCH", body="remove", status=501, times=1)
        )
        await stage.refer(group, remove=("m1",))
        assert len(stage.asked("PUT")) == 1
        await stage.refer(group, add=("m3",))
        assert stage.asked("PUT") == []
        assert stage.members(group) == {"m2", "m3"}
