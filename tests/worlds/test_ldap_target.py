"""An LDAP target against a real OpenLDAP server, read afterwards by another client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisor.connectors.ldap.settings import LdapSettings, parse
from provisor.connectors.ldap.target import LdapTarget
from provisor.connectors.ldap.target_probe import LdapTargetProber
from provisor.connectors.ldapwire.reading import RootDse
from provisor.errors import Denied, Rejected, Stale
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    ReferencesChange,
    Update,
)
from provisor.model.directories import Weight
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, Value
from provisor.model.rules import AttributeDefinition as D
from provisor.model.rules import AttributeType, Mutability
from provisor.testing.world import SteppingClock
from tests.worlds import ldap_proxy as spoiled
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.openldap import ADMIN, PASSWORD, SUFFIX, OpenLdap

BASE = f"ou=here,{SUFFIX}"
AWAY, LEFT = f"ou=away,{BASE}", f"ou=left,{BASE}"
KINDS = {
    "User": (
        *(D(name=n) for n in ("uid", "cn", "sn", "displayName", "mail", "title")),
        D(name="parentDistinguishedName"),
        D(name="distinguishedName"),
        D(name="accountEnabled", type=AttributeType.BOOLEAN),
        D(name="manager", type=AttributeType.REFERENCE),
        D(name="userPassword", mutability=Mutability.WRITE_ONLY),
    ),
    "Group": (
        D(name="cn"),
        D(name="description"),
        D(name="members", type=AttributeType.REFERENCE, is_multivalued=True),
    ),
}


@pytest.fixture
def server(openldap_server: OpenLdap) -> Iterator[OpenLdap]:
    for dn in (BASE, AWAY, LEFT):
        openldap_server.add(dn, {"objectClass": "organizationalUnit"})
    yield openldap_server
    openldap_server.clear(BASE)


def settings(server: OpenLdap, **chosen: object) -> LdapSettings:
    raw: dict[str, Any] = {
        "url": server.url,
        "bindDn": ADMIN,
        "password": PASSWORD,
        "base": BASE,
        "users": {"objectClasses": ["inetOrgPerson", "account2"]},
        "groups": {"objectClasses": "groupOfNames"},
    }
    parsed = parse({**raw, **chosen}, Path("/"))
    assert isinstance(parsed, LdapSettings), parsed
    return parsed


def run(server: OpenLdap, story: Callable[[LdapTarget], Awaitable[None]], **chosen: object) -> None:
    async def told() -> None:
        target = LdapTarget(settings(server, **chosen), KINDS, SteppingClock())
        try:
            await story(target)
        finally:
            await target.close()

    asyncio.run(told())


async def hire(target: LdapTarget, uid: str, **said: Value) -> Anchor:
    attributes: dict[str, Value] = {"uid": uid, "cn": uid, "sn": uid, **said}
    exported = await target.export(Create("User", attributes, ()))
    assert exported.anchor is not None
    return exported.anchor


async def found_group(target: LdapTarget, name: str) -> Anchor:
    exported = await target.export(Create("Group", {"cn": name}, ()))
    assert exported.anchor is not None
    return exported.anchor


async def change(target: LdapTarget, anchor: Anchor, **after: Value | None) -> Exported:
    changes = tuple(AttributeChange(name, None, value) for name, value in after.items())
    return await target.export(Update("User", anchor, changes))


async def refer(
    target: LdapTarget, group: Anchor, add: set[Anchor], remove: set[Anchor]
) -> Exported:
    def point(anchors: set[Anchor]) -> frozenset[Reference]:
        return frozenset(Reference("User", anchor) for anchor in anchors)

    changed = ReferencesChange("members", point(add), point(remove))
    return await target.export(Update("Group", group, (changed,)))


async def now(target: LdapTarget, anchor: Anchor) -> Entry:
    entry = await target.fetch("User", anchor)
    assert entry is not None
    return entry


def test_people_are_made_where_and_as_the_mapping_says(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        boss = await hire(target, "boss")
        await hire(
            target,
            "ada, o'neil",
            parentDistinguishedName=AWAY,
            displayName="Ada",
            title="",
            manager=Reference("User", boss),
        )

    run(server, story)
    made = server.entry(f"uid=ada\\, o'neil,{AWAY}")
    assert made is not None
    assert (made["displayName"], made["manager"]) == (["Ada"], [f"uid=boss,{BASE}"])
    assert set(made["objectClass"]) == {"inetOrgPerson", "account2"}
    assert "title" not in made


def test_a_new_name_renames_and_a_new_container_moves(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", title="x")
        await change(target, ada, uid="countess", title="y")
        assert (await now(target, ada)).attributes["distinguishedName"] == f"uid=countess,{BASE}"
        await change(target, ada, parentDistinguishedName=AWAY)
        assert (await now(target, ada)).attributes["parentDistinguishedName"] == AWAY
        await change(target, ada, uid="lady", parentDistinguishedName=BASE.upper())
        await change(target, ada, uid="Lady")
        await change(target, ada, distinguishedName=f"cn=Ada B,{AWAY}", sn="Byron")

    run(server, story)
    moved = server.entry(f"cn=Ada B,{AWAY}")
    assert moved is not None
    assert (moved["cn"], moved["sn"], moved["title"]) == (["ada", "Ada B"], ["Byron"], ["y"])


def test_a_container_that_is_not_there_is_the_objects_trouble(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada")
        with pytest.raises(Rejected, match="make the container first"):
            await change(target, ada, parentDistinguishedName=f"ou=no,{BASE}")
        with pytest.raises(Rejected, match="no distinguished name"):
            await change(target, ada, parentDistinguishedName="nonsense")

    run(server, story)


def test_who_is_disabled_is_told_so_by_an_attribute(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", accountEnabled=True)
        bob = await hire(target, "bob", accountEnabled=False)
        assert (await now(target, bob)).attributes["accountEnabled"] is False
        await change(target, ada, accountEnabled=False)
        assert (await now(target, ada)).attributes["accountEnabled"] is False
        await change(target, bob, accountEnabled=True)

    by_value = {"attribute": "accountActive", "value": "FALSE", "enabledValue": "TRUE"}
    run(server, story, disabled=by_value)
    ada, bob = server.entry(f"uid=ada,{BASE}"), server.entry(f"uid=bob,{BASE}")
    assert (ada or {})["accountActive"] == ["FALSE"]
    assert (bob or {})["accountActive"] == ["TRUE"]
    server.delete(f"uid=ada,{BASE}")
    server.delete(f"uid=bob,{BASE}")
    run(server, story, disabled={"attribute": "employeeType", "value": "gone"})
    assert (server.entry(f"uid=ada,{BASE}") or {})["employeeType"] == ["gone"]
    assert "employeeType" not in (server.entry(f"uid=bob,{BASE}") or {})


def test_where_nothing_says_how_nobody_is_thought_disabled(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", accountEnabled=True)
        with pytest.raises(Rejected, match="nothing says how an account is disabled"):
            await change(target, ada, accountEnabled=False)
        assert (await now(target, ada)).attributes["accountEnabled"] is True

    run(server, story)


def test_who_is_disabled_is_moved_and_comes_back(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", parentDistinguishedName=AWAY)
        await change(target, ada, accountEnabled=False)
        said = (await now(target, ada)).attributes
        assert (said["accountEnabled"], said["parentDistinguishedName"]) == (False, LEFT)
        await change(target, ada, accountEnabled=True, parentDistinguishedName=AWAY)
        assert (await now(target, ada)).attributes["distinguishedName"] == f"uid=ada,{AWAY}"
        await change(target, ada, accountEnabled=False)
        await change(target, ada, accountEnabled=True)
        assert (await now(target, ada)).attributes["distinguishedName"] == f"uid=ada,{BASE}"

    run(server, story, disabled={"container": LEFT})


OUTSIDE = f"ou=outside,{SUFFIX}"


@pytest.fixture
def outside(server: OpenLdap) -> Iterator[str]:
    server.add(OUTSIDE, {"objectClass": "organizationalUnit"})
    yield OUTSIDE
    server.clear(OUTSIDE)


def test_who_is_disabled_is_found_again_outside_the_base(server: OpenLdap, outside: str) -> None:
    """He is hired again under his old name."""

    async def story(target: LdapTarget) -> None:
        ada, bob = await hire(target, "ada"), await hire(target, "bob")
        await change(target, ada, accountEnabled=False)
        await target.probe()
        (found,) = await target.find(MatchQuery("User", "uid", "ada"))
        assert (found.anchor, found.attributes["accountEnabled"]) == (ada, False)
        listed = [one.anchor async for page in target.list_all("User") for one in page.entries]
        assert sorted(listed) == sorted([ada, bob])
        group = await found_group(target, "ada")
        assert [g.anchor async for page in target.list_all("Group") for g in page.entries] == [
            group
        ]

    run(server, story, disabled={"container": outside})


def test_without_its_container_nobody_could_be_disabled(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        with pytest.raises(Denied, match="correct the container of the disabled"):
            await target.probe()

    run(server, story, disabled={"container": OUTSIDE})


def test_nobody_is_put_where_he_is_not_looked_for(server: OpenLdap, outside: str) -> None:
    """The answer to the create may be lost, and whoever is there is to be found."""

    async def story(target: LdapTarget) -> None:
        with pytest.raises(Rejected, match="nobody is looked for there"):
            await hire(target, "ada", parentDistinguishedName=outside)
        bob = await hire(target, "bob")
        with pytest.raises(Rejected, match="nobody is looked for there"):
            await change(target, bob, distinguishedName=f"uid=bob,{outside}")
        server.rename(f"uid=bob,{BASE}", "uid=bob", outside)
        await change(target, bob, title="moved by others")
        assert (await now(target, bob)).attributes["parentDistinguishedName"] == outside

    run(server, story)


@pytest.mark.parametrize("scope", ["one", "subtree"])
def test_below_a_base_nobody_is_put_deeper_than_he_is_looked_for(
    server: OpenLdap, scope: str
) -> None:
    async def story(target: LdapTarget) -> None:
        await hire(target, "ada", parentDistinguishedName=AWAY)

    users = {"objectClasses": ["inetOrgPerson", "account2"], "scope": scope}
    if scope == "subtree":
        run(server, story, users=users)
    else:
        with pytest.raises(Rejected, match="nobody is looked for there"):
            run(server, story, users=users)


def test_who_leaves_is_disabled_though_he_cannot_be_moved(server: OpenLdap) -> None:
    """Another of his name lies where the disabled lie."""

    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", accountEnabled=True)
        server.add(f"uid=ada,{LEFT}", {"objectClass": "inetOrgPerson", "cn": "ada", "sn": "ada"})
        with pytest.raises(Stale):
            await change(target, ada, accountEnabled=False)
        assert (server.entry(f"uid=ada,{BASE}") or {})["accountActive"] == ["FALSE"]

    how = {"attribute": "accountActive", "value": "FALSE", "enabledValue": "TRUE"}
    run(server, story, disabled={**how, "container": LEFT})


def test_a_password_is_stored_by_the_server_and_shown_by_nobody(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", userPassword="first secret")
        await change(target, ada, userPassword="second secret")
        assert "userPassword" not in (await now(target, ada)).attributes

    run(server, story)
    held = server.entry(f"uid=ada,{BASE}")
    assert held is not None
    assert held["userPassword"][0].startswith("{SSHA}")
    assert server.accepts(f"uid=ada,{BASE}", "second secret")
    assert not server.accepts(f"uid=ada,{BASE}", "first secret")


def test_a_password_is_not_sent_in_the_clear(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        object.__setattr__(target.settings.endpoint, "host", "ldap.example.com")
        with pytest.raises(Rejected, match="not sent where others can read it"):
            await hire(target, "ada", userPassword="secret")

    run(server, story, allowInsecure=True)
    assert server.entry(f"uid=ada,{BASE}") is None


def test_a_value_that_another_has_is_a_conflict(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada", mail="ada@example.com")
        bob = await hire(target, "bob")
        for attempt in (
            hire(target, "eve", mail="ADA@example.com"),
            hire(target, "ada"),
            change(target, bob, mail="ada@example.com"),
            change(target, bob, uid="ada"),
        ):
            with pytest.raises(Stale) as conflict:
                await attempt
            assert conflict.value.code == "EntryConflict"
        assert (await now(target, ada)).attributes["mail"] == "ada@example.com"

    run(server, story)


def test_what_a_class_lacks_or_forbids_is_rejected_with_its_reason(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        with pytest.raises(Rejected, match="objectClassViolation"):
            await target.export(Create("User", {"uid": "ada"}, ()))
        with pytest.raises(Rejected, match="uid has no value") as lacking:
            await target.export(Create("User", {"cn": "ada"}, ()))
        assert lacking.value.code == "MandatoryFieldsMissing"
        ada = await hire(target, "ada")
        with pytest.raises(Rejected) as unknown:
            await change(target, ada, noSuchAttribute="x")
        assert unknown.value.code == "SchemaAttributeNotFound"

    run(server, story)


def test_somebody_else_under_the_same_name_is_not_touched(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada")
        await asyncio.to_thread(server.delete, f"uid=ada,{BASE}")
        said = {"objectClass": "inetOrgPerson", "cn": "another", "sn": "x"}
        await asyncio.to_thread(server.add, f"uid=ada,{BASE}", said)
        with pytest.raises(Stale) as gone:
            await change(target, ada, title="x")
        assert gone.value.code == "InvalidAnchor"
        assert await target.fetch("User", ada) is None
        await target.export(Delete("User", ada))

    run(server, story)
    held = server.entry(f"uid=ada,{BASE}")
    assert held is not None
    assert "title" not in held


def test_between_look_and_write_another_cannot_slip_in(server: OpenLdap) -> None:
    """The name is looked up, and then it means somebody else: the write itself says whom it is
    for."""

    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada")
        seen = await target.found("User", ada)
        assert seen is not None
        await asyncio.to_thread(server.delete, f"uid=ada,{BASE}")
        said = {"objectClass": "inetOrgPerson", "cn": "another", "sn": "x"}
        await asyncio.to_thread(server.add, f"uid=ada,{BASE}", said)
        changes = {"title": "x"}
        with pytest.raises(Stale):
            await target._modified(target.mapped("User"), ada, seen.dn, seen, changes)  # pyright: ignore[reportPrivateUsage]

    run(server, story)
    assert "title" not in (server.entry(f"uid=ada,{BASE}") or {})


@pytest.mark.parametrize("is_lenient", [True, False])
def test_a_group_that_must_have_a_member_has_one_until_the_last_leaves(
    server: OpenLdap, is_lenient: bool
) -> None:
    async def story(target: LdapTarget) -> None:
        if not is_lenient:  # a server without the controls that make this easy
            root = await target.said()
            target.root = RootDse({"namingcontexts": root.attributes["namingcontexts"]})
        group = await found_group(target, "g")
        ada, bob = await hire(target, "ada"), await hire(target, "bob")
        await refer(target, group, {ada, bob}, set())
        await refer(target, group, {ada}, set())
        await refer(target, group, set(), {bob})
        await refer(target, group, set(), {bob, ada})

    run(server, story)
    assert (server.entry(f"cn=g,{BASE}") or {})["member"] == [f"cn=g,{BASE}"]
    theirs = f"cn=theirs,{BASE}"
    ada = f"uid=ada,{BASE}"
    server.add(theirs, {"objectClass": "groupOfNames", "member": [ada]})

    async def empties(target: LdapTarget) -> None:
        group = Anchor(server.uuid(theirs))
        await refer(target, group, set(), {Anchor(server.uuid(ada))})

    run(server, empties, groups={"objectClasses": "groupOfNames", "placeholder": ADMIN})
    assert (server.entry(theirs) or {})["member"] == [ADMIN]


@pytest.mark.parametrize(
    ("attribute", "name", "chosen"),
    [
        ("uniqueMember", "groupOfUniqueNames", f"uid=ada,{BASE}"),
        ("memberUid", "openGroup", "ada"),
    ],
)
def test_members_are_written_in_the_way_of_the_groups(
    server: OpenLdap, attribute: str, name: str, chosen: str
) -> None:
    async def story(target: LdapTarget) -> None:
        group = await found_group(target, "g")
        ada, bob = await hire(target, "ada"), await hire(target, "bob")
        await refer(target, group, {ada, bob}, set())
        await refer(target, group, set(), {bob})

    run(server, story, groups={"objectClasses": name, "members": attribute})
    held = (server.entry(f"cn=g,{BASE}") or {})[attribute]
    assert [one for one in held if one != f"cn=g,{BASE}"] == [chosen]


def test_a_member_who_is_not_there_is_refused_and_the_others_are_in(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        group = await found_group(target, "g")
        ada, gone = await hire(target, "ada"), await hire(target, "gone")
        await target.export(Delete("User", gone))
        with pytest.raises(Rejected) as refusal:
            await refer(target, group, {ada, gone}, set())
        assert refusal.value.refused == {Reference("User", gone)}
        assert refusal.value.code == "UnableToResolveReferenceAttributeValue"

    run(server, story)
    assert f"uid=ada,{BASE}" in (server.entry(f"cn=g,{BASE}") or {})["member"]


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_group_that_calls_somebody_as_before_a_rename_is_rid_of_him(
    server: OpenLdap, is_taken: bool
) -> None:
    """Servers follow up renames in groups a little later. A name that another one has by now is
    his."""

    async def story(target: LdapTarget) -> None:
        ada, ben = await hire(target, "ada"), await hire(target, "ben")
        group = await found_group(target, "crew")
        await refer(target, group, {ada, ben}, set())
        before = target.dns[ada]
        await change(target, ada, uid="countess", cn="countess")
        assert target.dns[ada] != before
        if is_taken:
            await hire(target, "ada")
        crew = next(iter(server.entries(BASE, "(cn=crew)")))
        server.modify(crew, {"member": [before, target.dns[ben]]})

        await refer(target, group, set(), {ada})

        left = {target.dns[ben], before} if is_taken else {target.dns[ben]}
        assert set(server.entries(BASE, "(cn=crew)")[crew]["member"]) == left

    run(server, story)


def test_members_who_change_between_a_look_and_a_write_are_looked_at_again(
    server: OpenLdap,
) -> None:
    """As where a server follows up a rename meanwhile."""
    with LdapProxy.run(server.port) as proxy:

        async def story(target: LdapTarget) -> None:
            ada, ben = await hire(target, "ada"), await hire(target, "ben")
            group = await found_group(target, "all")
            times = 2
            proxy.requests = [spoiled.refuses_once(16, frozenset({spoiled.MODIFY}), times)]
            await refer(target, group, {ada, ben}, set())
            said = server.entry(f"cn=all,{BASE}")
            assert said is not None
            assert len(said["member"]) == 2

        run(server, story, url=proxy.url)


def test_what_has_children_is_not_deleted_with_them(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada")
        said = {"objectClass": "device", "cn": "phone"}
        await asyncio.to_thread(server.add, f"cn=phone,uid=ada,{BASE}", said)
        with pytest.raises(Rejected) as refusal:
            await target.export(Delete("User", ada))
        assert refusal.value.code == "NotPermitted"

    run(server, story)
    assert server.entry(f"uid=ada,{BASE}")


def test_a_deletion_that_did_not_happen_is_no_success(server: OpenLdap) -> None:
    with LdapProxy.run(server.port) as proxy:

        async def story(target: LdapTarget) -> None:
            ada = await hire(target, "ada")
            proxy.requests = [spoiled.refuses(0, frozenset({spoiled.DELETE}))]
            with pytest.raises(Rejected, match="still has it"):
                await target.export(Delete("User", ada))

        run(server, story, url=proxy.url)


def test_who_was_moved_out_of_the_base_by_others_is_still_ours(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        ada = await hire(target, "ada")
        await asyncio.to_thread(server.rename, f"uid=ada,{BASE}", "uid=ada", SUFFIX)
        await change(target, ada, title="x")
        await target.export(Delete("User", ada))

    run(server, story)
    assert server.entry(f"uid=ada,{SUFFIX}") is None


def test_people_are_found_by_name_and_by_reference(server: OpenLdap) -> None:
    async def story(target: LdapTarget) -> None:
        boss = await hire(target, "boss")
        ada = await hire(target, "ada", manager=Reference("User", boss))
        asked: list[tuple[str, Value]] = [
            ("distinguishedName", f"UID=ada,{BASE}"),
            ("manager", Reference("User", boss)),
            ("entryUUID", ada),
        ]
        for attribute, value in asked:
            found = await target.find(MatchQuery("User", attribute, value))
            assert [entry.anchor for entry in found] == [ada], attribute
        for attribute in ("accountEnabled", "parentDistinguishedName"):
            with pytest.raises(Rejected, match="match by"):
                await target.find(MatchQuery("User", attribute, "x"))
        assert list(await target.find(MatchQuery("User", "manager", Reference("User", ada)))) == []

    run(server, story)


def test_a_probe_of_a_target_says_what_it_has_and_lacks(server: OpenLdap) -> None:
    chosen = settings(server, disabled={"container": f"ou=no,{BASE}"})
    kinds = {**KINDS, "User": (*KINDS["User"], D(name="noSuchThing"))}

    async def story() -> None:
        prober = LdapTargetProber(chosen, kinds, SteppingClock())
        report = await prober.probe()
        offered = await prober.discover()
        await prober.close()
        found = {finding.code: finding for finding in report.findings}
        assert "noSuchThing" in found["SchemaAttributeNotFound"].message
        assert found["UnprocessableEntity"].weight is Weight.ERROR
        assert "assertions" in found["Abilities"].message
        users = {one.name: one for one in offered.objects[0].attributes}
        assert users["sn"].is_required
        assert users["userPassword"].mutability is Mutability.WRITE_ONLY
        assert users["manager"].type is AttributeType.REFERENCE

    asyncio.run(story())
