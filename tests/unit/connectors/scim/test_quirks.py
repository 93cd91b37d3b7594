"""Real servers depart from the standard; what they mean is still understood (scim-target 8)."""

from __future__ import annotations

import pytest

from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.errors import Rejected, Stale, Unanswered
from provisor.model.decisions import AttributeChange, Update
from provisor.model.entries import Anchor, Reference
from tests.fakes.scim.switches import Fault
from tests.unit.connectors.scim.stage import DEPARTMENT, MANAGER, WORK, anchor_of, opened

BOB = Reference("User", Anchor("7"))


# what was really stored


async def test_the_first_write_of_each_kind_is_read_back() -> None:
    async with opened(readBack=True) as stage:
        ada = await stage.create(userName="ada")
        await stage.create(userName="bob")
        await stage.create("Group", displayName="g")
        await stage.change(ada, {"displayName": (None, "A")})
        await stage.change(ada, {"displayName": ("A", "B")})

        assert [logged.split(" {")[0] for logged in stage.asked()] == [
            "POST /Users",
            "GET /Users/1",
            "POST /Users",
            "POST /Groups",
            "GET /Groups/3?excludedAttributes=members",
            "PATCH /Users/1",
            "GET /Users/1",
            "PATCH /Users/1",
        ]


async def test_what_was_dropped_silently_is_told() -> None:
    async with opened({"drops": ["nickName"], "patch_status": 204}, readBack=True) as stage:
        hired = await stage.hire({"userName": "ada", "nickName": "Lady", "displayName": "A"})
        assert hired.attributes == {"userName": "ada", "displayName": "A"}

        assert hired.anchor is not None
        changed = await stage.change(hired.anchor, {"nickName": (None, "Lady")})
        assert changed.attributes == {"userName": "ada", "displayName": "A"}


async def test_what_was_reshaped_is_told() -> None:
    async with opened({"lowers_names": True}) as stage:
        hired = await stage.hire({"userName": "ADA"})
        assert hired.attributes == {"userName": "ada"}


async def test_an_answer_in_part_is_not_taken_for_the_whole() -> None:
    async with opened({"answers_in_part": True}, readBack=True) as stage:
        hired = await stage.hire({"userName": "ada", "displayName": "A"})
        assert hired.anchor is not None

        first = await stage.change(hired.anchor, {"nickName": (None, "Lady")})
        second = await stage.change(hired.anchor, {"nickName": ("Lady", "L")})

        assert first.attributes == {"userName": "ada", "displayName": "A", "nickName": "Lady"}
        assert second.attributes is None


async def test_a_read_back_that_fails_takes_nothing_back() -> None:
    async with opened(readBack=True) as stage:
        stage.fake.misbehave(Fault(what="refuse", method="GET", status=403))
        assert await stage.create(userName="ada")


async def test_what_nobody_can_read_is_told_as_it_was_written() -> None:
    async with opened(readBack=True) as stage:
        hired = await stage.hire({"userName": "ada", "password": "s3cret"})
        assert hired.attributes == {"userName": "ada", "password": "s3cret"}


# who was created


async def test_who_was_created_is_told_by_id_or_by_address() -> None:
    for switches in ({"post_without_body": True}, {"post_without_id": True}):
        async with opened(switches) as stage:
            assert await stage.create(userName="ada") == "1"


async def test_nobody_knows_who_was_created() -> None:
    async with opened({"post_without_body": True, "post_without_location": True}) as stage:
        with pytest.raises(Unanswered):
            await stage.create(userName="ada")
        assert len(await stage.find("userName", "ada")) == 1


async def test_a_new_object_may_be_invisible_for_a_while() -> None:
    async with opened({"invisible_reads": 3}) as stage:
        ada = await stage.create(userName="ada")
        assert await stage.target.fetch("User", ada) is not None
        assert stage.clock.slept == [1.0, 2.0, 4.0]

        bob = await stage.create(userName="bob")
        await stage.change(bob, {"displayName": (None, "B")})
        assert stage.fake.says("Users")[1]["displayName"] == "B"


async def test_whom_we_did_not_create_is_not_waited_for() -> None:
    async with opened() as stage:
        assert await stage.target.fetch("User", Anchor("7")) is None
        assert stage.clock.slept == []


async def test_a_conflict_with_somebody_invisible() -> None:
    async with opened({"conflict_on_post": True}) as stage:
        with pytest.raises(Stale) as stale:
            await stage.create(userName="ada")
        assert stale.value.code == "EntryConflict"


# forms that are not understood


async def test_a_server_without_filter_paths_gets_whole_lists() -> None:
    async with opened({"refuses_filter_paths": True}) as stage:
        ada = await stage.hire({"userName": "ada", WORK: "a@x"})
        assert ada.anchor is not None
        held = stage.fake.store.resources["Users"]["1"]
        held["emails"].append({"type": "home", "value": "h@x"})

        await stage.change(ada.anchor, {WORK: ("a@x", "b@x"), "displayName": (None, "A")})

        (said,) = stage.fake.says("Users")
        assert {(e["type"], e["value"]) for e in said["emails"]} == {
            ("work", "b@x"),
            ("home", "h@x"),
        }
        assert said["displayName"] == "A"


@pytest.mark.parametrize("shape", ["object", "string", "valuePath"])
async def test_the_shape_of_a_manager_is_found_out_and_kept(shape: str) -> None:
    async with opened({"takes_manager_as": shape}) as stage:
        ada, eve = await stage.create(userName="ada"), await stage.create(userName="eve")
        await stage.change(ada, {MANAGER: (None, BOB)})
        stage.asked()

        await stage.change(eve, {MANAGER: (None, BOB)})

        assert len(stage.asked()) == 1
        for user in stage.fake.says("Users"):
            assert user[ENTERPRISE_USER]["manager"] == {"value": "7"}


@pytest.mark.parametrize("shape", ["object", "string", "list"])
async def test_a_manager_is_read_in_every_shape(shape: str) -> None:
    async with opened({"manager_as": shape}) as stage:
        ada = await stage.hire({"userName": "ada", MANAGER: BOB})
        assert ada.attributes is not None
        assert ada.attributes[MANAGER] == BOB


@pytest.mark.parametrize("format", ["object", "string", "list", "valuePath"])
async def test_a_manager_is_written_in_the_shape_that_is_set(format: str) -> None:
    async with opened(managerFormat=format) as stage:
        ada = anchor_of(await stage.hire({"userName": "ada", MANAGER: BOB}))
        await stage.change(ada, {MANAGER: (BOB, None)})
        await stage.change(ada, {MANAGER: (None, BOB)})

        entry = await stage.target.fetch("User", ada)
        assert entry is not None
        assert entry.attributes[MANAGER] == BOB
        assert len(stage.asked("PATCH", "POST")) == 3


async def test_a_refused_value_is_refused_in_few_words() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada")
        stage.fake.misbehave(
            Fault(what="refuse", method="PATCH", status=400, scim_type="invalidValue")
        )
        with pytest.raises(Rejected):
            await stage.change(ada, {"displayName": (None, "A")})
        assert len(stage.asked("PATCH")) == 1


async def test_booleans_as_text_only_where_they_are_wanted() -> None:
    async with opened({"wants_text_booleans": True}, activeAsString=True) as stage:
        ada = await stage.create(userName="ada", active=True)
        await stage.change(ada, {"active": (True, False)})
        assert '"active":"True"' in stage.asked()[0]
        assert stage.fake.says("Users")[0]["active"] is False


async def test_extensions_without_path() -> None:
    async with opened({"extensions_nested_only": True}, nestedExtensions=True) as stage:
        ada = await stage.create(userName="ada")
        await stage.change(ada, {DEPARTMENT: (None, "X"), MANAGER: (None, BOB)})
        assert stage.fake.says("Users")[0][ENTERPRISE_USER] == {
            "department": "X",
            "manager": {"value": "7"},
        }


async def test_an_element_without_type_is_the_one_that_was_meant() -> None:
    async with opened({"no_type": True}, assumeType="work") as stage:
        ada = await stage.hire({"userName": "ada", WORK: "a@x"})
        assert ada.attributes is not None
        assert ada.attributes[WORK] == "a@x"


async def test_the_disabled_who_answer_404_are_still_there() -> None:
    async with opened({"inactive_is_gone": True}, inactiveIsGone=True) as stage:
        ada = await stage.create(userName="ada", active=True)
        await stage.change(ada, {"active": (True, False)})

        entry = await stage.target.fetch("User", ada)

        assert entry is not None
        assert entry.attributes == {"active": False}


async def test_clearing_may_remove_the_element() -> None:
    async with opened(removeWholeElement=True) as stage:
        ada = await stage.hire({"userName": "ada", WORK: "a@x"})
        assert ada.anchor is not None
        await stage.change(ada.anchor, {WORK: ("a@x", None)})
        assert '"path":"emails[type eq \\"work\\"]"' in stage.asked("PATCH")[0]
        assert stage.fake.says("Users")[0].get("emails", []) == []


# versions


async def test_a_version_is_sent_when_there_is_one_and_named_when_it_must_be() -> None:
    async with opened({"has_versions": True, "needs_version": True}) as stage:
        ada = await stage.create(userName="ada")
        await stage.change(ada, {"displayName": (None, "A")})
        await stage.change(ada, {"displayName": ("A", "B")})

        statuses = [logged.status for logged in stage.fake.log if logged.method == "PATCH"]
        assert statuses == [428, 200, 200], "the second time it is looked up before"


async def test_another_version_is_stale() -> None:
    async with opened({"has_versions": True}) as stage:
        ada = await stage.create(userName="ada")
        changes = (AttributeChange("displayName", None, "A"),)
        with pytest.raises(Stale) as stale:
            await stage.target.export(Update("User", ada, changes, 'W/"old"'))
        assert stale.value.code == "Conflict"


async def test_the_hash_of_an_answer_is_no_version() -> None:
    async with opened({"hashes_answers": True}) as stage:
        hired = await stage.hire({"userName": "ada"})
        assert hired.anchor is not None
        entry = await stage.target.fetch("User", hired.anchor)
        assert entry is not None
        assert hired.version is entry.version is None


async def test_one_412_that_nobody_asked_for_is_looked_into_and_sent_again() -> None:
    async with opened({"has_versions": True, "precondition_fails": 1}) as stage:
        ada = await stage.create(userName="ada")
        await stage.change(ada, {"displayName": (None, "A")})
        assert stage.fake.says("Users")[0]["displayName"] == "A"


# without PATCH


@pytest.mark.parametrize("announced", [True, False])
async def test_without_patch_all_else_stays(announced: bool) -> None:
    async with opened({"has_patch": False, "announces_patch": announced}) as stage:
        await stage.target.probe()
        ada = await stage.hire({"userName": "ada", WORK: "a@x", DEPARTMENT: "X"})
        assert ada.anchor is not None
        held = stage.fake.store.resources["Users"]["1"]
        held["title"] = "by others"
        held["emails"].append({"type": "home", "value": "h@x"})
        stage.asked()

        await stage.change(ada.anchor, {WORK: ("a@x", "b@x"), DEPARTMENT: ("X", None)})

        (said,) = stage.fake.says("Users")
        assert said["title"] == "by others"
        assert [email["value"] for email in said["emails"]] == ["b@x", "h@x"]
        assert "department" not in said.get(ENTERPRISE_USER, {})
        assert len(stage.asked("PATCH")) == announced


# searching


async def test_what_a_filter_finds_is_verified() -> None:
    async with opened({"ignores_filter": True}) as stage:
        await stage.create(userName="administrator")
        with pytest.raises(Rejected) as rejected:
            await stage.find("userName", "ada")
        assert "ServiceIncompatible" in rejected.value.code

        await stage.create(userName="ada")
        assert [entry.anchor for entry in await stage.find("userName", "ada")] == ["2"]


async def test_a_bare_resource_is_an_answer() -> None:
    async with opened({"bare_resource": True}) as stage:
        await stage.create(userName="ada")
        assert len(await stage.find("userName", "ada")) == 1


async def test_a_form_of_filter_that_is_refused_is_not_tried_again() -> None:
    async with opened({"filters_rfc_only": True}, patchStyle="entra-compliant") as stage:
        await stage.hire({"userName": "ada", WORK: "a@x"})
        stage.asked()
        for _ in range(2):
            assert len(await stage.find(WORK, "a@x")) == 1
        assert len(stage.asked()) == 3


async def test_without_filters_everybody_is_looked_through() -> None:
    async with opened({"has_filter": False, "page_max": 2}) as stage:
        await stage.target.probe()
        for number in range(5):
            await stage.create(userName=f"p{number}")
        assert [entry.anchor for entry in await stage.find("userName", "P4")] == ["5"]
