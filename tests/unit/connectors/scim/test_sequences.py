"""What goes over the wire, byte for byte (spec: scim-target 5, 7 and 11)."""

from __future__ import annotations

from provisor.model.entries import Anchor, Reference
from tests.unit.connectors.scim.stage import DEPARTMENT, MANAGER, WORK, opened

PATCH = '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":'
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTRA_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
LEGACY = {"dialect": "legacy"}
COMPLIANT = {"dialect": "lenient"}


def patch(operations: str) -> str:
    return f"{PATCH}{operations}}}"


# rfc


async def test_a_new_user_whose_manager_comes_later() -> None:
    async with opened() as stage:
        assert await stage.find("userName", "a@x") == []
        ada = await stage.create(userName="a@x")
        bob = await stage.create(userName="b@x")
        await stage.change(ada, {MANAGER: (None, Reference("User", bob))})

        assert stage.asked() == [
            "GET /Users?filter=userName%20eq%20%22a%40x%22",
            f'POST /Users {{"schemas":["{USER}"],"userName":"a@x"}}',
            f'POST /Users {{"schemas":["{USER}"],"userName":"b@x"}}',
            "PATCH /Users/1 "
            + patch(f'[{{"op":"replace","path":"{MANAGER}","value":{{"value":"2"}}}}]'),
        ]


async def test_a_user_with_everything() -> None:
    async with opened() as stage:
        await stage.hire(
            {
                "userName": "ada",
                "active": True,
                "name.givenName": "Ada",
                WORK: "ada@x",
                'addresses[type eq "work"].locality': "Łódź",
                'addresses[type eq "work"].country': "PL",
                DEPARTMENT: "Engines",
                MANAGER: Reference("User", Anchor("7")),
            }
        )

        assert stage.asked() == [
            (
                f'POST /Users {{"schemas":["{USER}","{ENTERPRISE}"],"userName":"ada","active":true,'
                '"name":{"givenName":"Ada"},"emails":[{"type":"work","value":"ada@x","primary":true}],'
                '"addresses":[{"type":"work","locality":"Łódź","country":"PL"}],'
                f'"{ENTERPRISE}":{{"department":"Engines","manager":{{"value":"7"}}}}}}'
            )
        ]


async def test_a_rename_a_disable_and_a_delete() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada", active=True)
        stage.asked()

        await stage.change(ada, {"userName": ("ada", "ada2")})
        await stage.change(ada, {"active": (True, False)})
        await stage.delete(ada)

        assert stage.asked() == [
            "PATCH /Users/1 " + patch('[{"op":"replace","path":"userName","value":"ada2"}]'),
            "PATCH /Users/1 " + patch('[{"op":"replace","path":"active","value":false}]'),
            "DELETE /Users/1",
        ]


async def test_a_new_group_with_three_members_and_one_who_leaves() -> None:
    async with opened() as stage:
        assert await stage.find("displayName", "g", "Group") == []
        group = await stage.create("Group", displayName="g", externalId="G-1")
        await stage.refer(group, add=("7", "8", "9"))
        await stage.refer(group, remove=("8",))

        assert stage.asked() == [
            "GET /Groups?excludedAttributes=members&filter=displayName%20eq%20%22g%22",
            f'POST /Groups {{"schemas":["{GROUP}"],"displayName":"g","externalId":"G-1"}}',
            "PATCH /Groups/1 "
            + patch(
                '[{"op":"add","path":"members","value":'
                '[{"value":"7"},{"value":"8"},{"value":"9"}]}]'
            ),
            "PATCH /Groups/1 " + patch('[{"op":"remove","path":"members[value eq \\"8\\"]"}]'),
        ]


async def test_many_changes_are_one_request_with_references_last() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada", displayName="Ada")
        stage.asked()

        await stage.change(
            ada,
            {
                MANAGER: (None, Reference("User", Anchor("7"))),
                "displayName": ("Ada", "Ada L"),
                "nickName": (None, "Lady"),
                WORK: (None, "ada@x"),
                DEPARTMENT: (None, "Engines"),
                "name.givenName": ("Ada", None),
            },
        )

        assert stage.asked() == [
            "PATCH /Users/1 "
            + patch(
                '[{"op":"replace","path":"displayName","value":"Ada L"},'
                '{"op":"add","path":"nickName","value":"Lady"},'
                '{"op":"add","path":"emails","value":[{"type":"work","value":"ada@x"}]},'
                f'{{"op":"add","path":"{DEPARTMENT}","value":"Engines"}},'
                '{"op":"remove","path":"name.givenName"},'
                f'{{"op":"replace","path":"{MANAGER}","value":{{"value":"7"}}}}]'
            )
        ]


async def test_a_new_element_is_added_whole() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada")
        stage.asked()

        await stage.change(
            ada,
            {
                'addresses[type eq "work"].locality': (None, "Łódź"),
                'addresses[type eq "work"].country': (None, "PL"),
            },
        )

        value = '[{"type":"work","locality":"Łódź","country":"PL"}]'
        assert stage.asked() == [
            "PATCH /Users/1 " + patch(f'[{{"op":"add","path":"addresses","value":{value}}}]')
        ]


async def test_an_element_that_may_be_there_is_looked_for_first() -> None:
    country = 'addresses[type eq "work"].country'
    async with opened() as stage:
        ada = await stage.hire({"userName": "ada", 'addresses[type eq "work"].locality': "Łódź"})
        bob = await stage.create(userName="bob")
        stage.asked()

        assert ada.anchor is not None
        for anchor in (ada.anchor, bob):
            await stage.change(anchor, {country: (None, "PL")})

        path = country.replace('"', '\\"')
        assert stage.asked() == [
            "GET /Users/1",
            "PATCH /Users/1 " + patch(f'[{{"op":"add","path":"{path}","value":"PL"}}]'),
            "GET /Users/2",
            "PATCH /Users/2 "
            + patch('[{"op":"add","path":"addresses","value":[{"type":"work","country":"PL"}]}]'),
        ]


async def test_a_list_that_only_grows_is_added_to() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada", roles=("reader",))
        stage.asked()

        await stage.change(ada, {"roles": (("reader",), ("reader", "writer"))})
        await stage.change(ada, {"roles": (("reader", "writer"), ("writer",))})

        assert stage.asked() == [
            "PATCH /Users/1 " + patch('[{"op":"add","path":"roles","value":[{"value":"writer"}]}]'),
            "PATCH /Users/1 "
            + patch('[{"op":"replace","path":"roles","value":[{"value":"writer"}]}]'),
        ]


async def test_a_role_given_as_an_object_is_sent_as_one() -> None:
    async with opened() as stage:
        role = '{"id":"1","value":"Admin","displayName":"Administrator"}'
        await stage.create(userName="ada", roles=(role,))

        assert stage.asked() == [
            f'POST /Users {{"schemas":["{USER}"],"userName":"ada","roles":[{role}]}}'
        ]


async def test_nothing_is_sent_that_the_target_does_not_take() -> None:
    async with opened(profile="aws-iic") as stage:
        ada = await stage.create(userName="ada", password="secret")
        await stage.change(ada, {"password": ("secret", "secret2")})

        assert stage.asked() == [f'POST /Users {{"schemas":["{USER}"],"userName":"ada"}}']


async def test_many_operations_are_cut_where_the_target_wants_few() -> None:
    async with opened({"operations_max": 1}, maxOpsPerPatch=1) as stage:
        ada = await stage.create(userName="ada", displayName="Ada")
        group = await stage.create("Group", displayName="g")
        stage.asked()

        await stage.change(ada, {"displayName": ("Ada", "A"), "nickName": (None, "L")})
        await stage.refer(group, add=("7", "8"))
        await stage.refer(group, remove=("7", "8"))

        assert len(stage.asked("PATCH")) == 5
        assert stage.members(group) == set()


# entra-legacy


async def test_legacy_users() -> None:
    async with opened(LEGACY, patchStyle="entra-legacy") as stage:
        ada = await stage.create(userName="ada", active=True)
        await stage.change(
            ada, {"active": (True, False), "displayName": (None, "Ada"), WORK: (None, "a@x")}
        )
        await stage.change(ada, {"displayName": ("Ada", "A"), WORK: ("a@x", "b@x")})
        await stage.change(ada, {"displayName": ("A", None)})
        await stage.change(ada, {MANAGER: (None, Reference("User", Anchor("7")))})
        await stage.change(ada, {MANAGER: (Reference("User", Anchor("7")), None)})

        work = WORK.replace('"', '\\"')
        assert stage.asked() == [
            (
                f'POST /Users {{"schemas":["{USER}","{ENTERPRISE}"],"userName":"ada","active":true,'
                '"meta":{"resourceType":"User"},"roles":[]}'
            ),
            "PATCH /Users/1 "
            + patch(
                '[{"op":"Replace","path":"active","value":"False"},'
                '{"op":"Add","path":"displayName","value":"Ada"},'
                f'{{"op":"Add","path":"{work}","value":"a@x"}}]'
            ),
            "PATCH /Users/1 "
            + patch(
                '[{"op":"Replace","path":"displayName","value":"A"},'
                f'{{"op":"Replace","path":"{work}","value":"b@x"}}]'
            ),
            "PATCH /Users/1 " + patch('[{"op":"Replace","path":"displayName","value":""}]'),
            "PATCH /Users/1 " + patch(f'[{{"op":"Add","path":"{MANAGER}","value":"7"}}]'),
            "PATCH /Users/1 " + patch(f'[{{"op":"Replace","path":"{MANAGER}","value":""}}]'),
        ]


async def test_legacy_groups() -> None:
    async with opened(LEGACY, patchStyle="entra-legacy") as stage:
        group = await stage.create("Group", displayName="g")
        await stage.refer(group, add=("7", "8"))
        await stage.refer(group, remove=("7",))

        assert stage.asked() == [
            (
                f'POST /Groups {{"schemas":["{GROUP}","{ENTRA_GROUP}"],"displayName":"g",'
                '"meta":{"resourceType":"Group"}}'
            ),
            "PATCH /Groups/1 "
            + patch(
                '[{"op":"Add","path":"members","value":'
                '[{"$ref":null,"value":"7"},{"$ref":null,"value":"8"}]}]'
            ),
            "PATCH /Groups/1 "
            + patch('[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"7"}]}]'),
        ]


async def test_legacy_looks_for_an_address_as_entra_does() -> None:
    async with opened(LEGACY, patchStyle="entra-legacy") as stage:
        await stage.find(WORK, "a@x")

        assert stage.asked() == [
            "GET /Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22a%40x%22"
        ]


# entra-compliant


async def test_compliant_users() -> None:
    async with opened(COMPLIANT, patchStyle="entra-compliant") as stage:
        ada = await stage.hire(
            {"userName": "ada", "active": True, "displayName": "A", DEPARTMENT: "X", WORK: "a@x"}
        )
        stage.asked()
        assert ada.anchor is not None

        await stage.change(ada.anchor, {"nickName": (None, "Babs")})
        await stage.change(ada.anchor, {"active": (True, False)})
        await stage.change(
            ada.anchor,
            {
                "displayName": ("A", "B"),
                "name.givenName": ("A", "B"),
                DEPARTMENT: ("X", "Y"),
                WORK: ("a@x", "b@x"),
            },
        )

        work = WORK.replace('"', '\\"')
        assert stage.asked() == [
            "PATCH /Users/1 " + patch('[{"op":"add","path":"nickName","value":"Babs"}]'),
            "PATCH /Users/1 " + patch('[{"op":"replace","path":"active","value":false}]'),
            "PATCH /Users/1 "
            + patch(
                f'[{{"op":"replace","path":"{work}","value":"b@x"}},'
                '{"op":"replace","value":{"displayName":"B","name.givenName":"B",'
                f'"{DEPARTMENT}":"Y"}}}}]'
            ),
        ]


async def test_compliant_members_leave_one_by_one() -> None:
    async with opened(COMPLIANT, patchStyle="entra-compliant") as stage:
        group = await stage.create("Group", displayName="g")
        await stage.refer(group, add=("7", "8"))
        stage.asked()

        await stage.refer(group, remove=("7", "8"))

        assert stage.asked() == [
            "PATCH /Groups/1 "
            + patch(
                '[{"op":"remove","path":"members[value eq \\"7\\"]"},'
                '{"op":"remove","path":"members[value eq \\"8\\"]"}]'
            )
        ]


# whatever the style


async def test_no_group_is_ever_asked_for_its_members() -> None:
    async with opened() as stage:
        await stage.target.probe()
        group = await stage.create("Group", displayName="g")
        await stage.refer(group, add=("7",))
        await stage.target.fetch("Group", group)
        await stage.find("displayName", "g", "Group")
        await stage.listed("Group")

        gets = [logged for logged in stage.fake.log if logged.path.startswith("/Groups")]
        assert all(
            "excludedAttributes=members" in logged.query
            for logged in gets
            if logged.method == "GET"
        )


async def test_the_first_request_is_a_probe_for_somebody_who_cannot_be() -> None:
    async with opened() as stage:
        await stage.target.probe()

        first, second, *rest = stage.fake.log
        assert first.path == "/Users"
        assert first.query.startswith("filter=userName%20eq%20%22")
        assert second.path == "/Groups"
        assert second.query.startswith("excludedAttributes=members&filter=displayName%20eq%20%22")
        assert [logged.path for logged in rest] == [
            "/ServiceProviderConfig",
            "/Schemas",
            "/ResourceTypes",
        ]


async def test_what_a_request_carries() -> None:
    async with opened({"token": "t" * 20}, token="t" * 20, headers={"X-Tenant": "north"}) as stage:
        await stage.create(userName="ada")

        (logged,) = stage.fake.log
        headers = dict(logged.headers or {})
        assert headers["accept"] == "application/scim+json, application/json"
        assert headers["content-type"] == "application/scim+json"
        assert headers["authorization"] == "Bearer " + "t" * 20
        assert headers["user-agent"].startswith("Provisor")
        assert headers["x-tenant"] == "north"
        assert "cookie" not in headers


async def test_ids_are_encoded_in_addresses() -> None:
    async with opened() as stage:
        for odd in ("a/b", "a@b c?d#e", "żółć", ".."):
            assert await stage.target.fetch("User", Anchor(odd)) is None

        assert stage.asked() == [
            "GET /Users/a%2Fb",
            "GET /Users/a%40b%20c%3Fd%23e",
            "GET /Users/%C5%BC%C3%B3%C5%82%C4%87",
            "GET /Users/%2E%2E",
        ]
