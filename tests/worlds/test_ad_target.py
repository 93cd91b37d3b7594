"""Active Directory as a target against a real domain controller, read afterwards by another
client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import ldap3
import pytest

from provisor.connectors.activedirectory.target import AdTarget
from provisor.errors import Rejected, Stale, Unanswered
from provisor.model.decisions import AttributeChange, Create, Exported, Update
from provisor.model.entries import Anchor, MatchQuery, Value
from provisor.model.rules import AttributeDefinition as D
from provisor.model.rules import AttributeType, Mutability
from provisor.testing.world import Dice, SteppingClock
from tests.contracts.targets.activedirectory import settings
from tests.worlds import ldap_proxy as spoiled
from tests.worlds.ldap_proxy import LdapProxy, Pdu
from tests.worlds.samba import SUFFIX, Samba

BASE = f"OU=written,{SUFFIX}"
AWAY, LEFT = f"OU=away,{BASE}", f"OU=left,{BASE}"
DISABLED, NEVER_EXPIRES = 0x2, 0x10000
FIRST = "First.2026!"
KINDS = {
    "User": (
        *(D(name=n) for n in ("cn", "sAMAccountName", "userPrincipalName", "displayName")),
        D(name="parentDistinguishedName"),
        D(name="accountEnabled", type=AttributeType.BOOLEAN),
        D(name="unicodePwd", mutability=Mutability.WRITE_ONLY),
    ),
}


@pytest.fixture
def server(samba_server: Samba) -> Iterator[Samba]:
    for dn in (BASE, AWAY, LEFT):
        samba_server.container(dn)
    yield samba_server
    samba_server.clear(BASE)


def run(
    server: Samba,
    story: Callable[[AdTarget], Awaitable[None]],
    *,
    url: str = "",
    **chosen: object,
) -> None:
    async def told() -> None:
        given = {"initialPassword": FIRST, "mustChangePassword": False, **chosen}
        made = settings(server, url or server.tls_url, BASE, **given)
        target = AdTarget(made, KINDS, SteppingClock(), Dice())
        try:
            await story(target)
        finally:
            await target.close()

    asyncio.run(told())


async def hire(target: AdTarget, name: str, **said: Value) -> Anchor:
    attributes: dict[str, Value] = {"cn": name, "accountEnabled": True, **said}
    exported = await target.export(Create("User", attributes, ()))
    assert exported.anchor is not None
    return exported.anchor


async def change(target: AdTarget, anchor: Anchor, **after: Value | None) -> Exported:
    changes = tuple(AttributeChange(name, None, value) for name, value in after.items())
    return await target.export(Update("User", anchor, changes))


def held(server: Samba, anchor: Anchor) -> Mapping[str, list[bytes]]:
    found = server.by_guid(anchor)
    assert found is not None
    return found


def control(server: Samba, anchor: Anchor) -> int:
    return int(held(server, anchor)["userAccountControl"][0])


def lets_in(server: Samba, name: str, password: str) -> bool:
    asked = ldap3.Server(server.host, port=389, get_info=ldap3.NONE)
    connection: Any = ldap3.Connection(asked, name, password)
    bound = bool(connection.bind())
    connection.unbind()
    return bound


@pytest.mark.parametrize("password", ["", "Of.my.own.26!"])
def test_a_new_account_can_sign_in_with_its_first_password(server: Samba, password: str) -> None:
    async def story(target: AdTarget) -> None:
        own: dict[str, Value] = {"unicodePwd": password} if password else {}
        await hire(target, "ada", userPrincipalName="ada@corp.example.com", **own)

    run(server, story)

    assert lets_in(server, "ada@corp.example.com", password or FIRST)


def test_without_a_setting_nobody_knows_the_first_password(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        ada = await hire(target, "ada", userPrincipalName="ada@corp.example.com")
        assert held(server, ada)["pwdLastSet"] == [b"0"]
        assert not control(server, ada) & DISABLED

    run(server, story, initialPassword="", mustChangePassword=True)

    assert not lets_in(server, "ada@corp.example.com", FIRST)


def test_a_password_that_is_refused_leaves_no_account_behind(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        with pytest.raises(Rejected) as refusal:
            await hire(target, "ada", unicodePwd="abc")
        assert "abc" not in str(refusal.value)

    run(server, story)

    assert server.entry(f"CN=ada,{BASE}") is None


def test_no_password_goes_where_others_can_read_it(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        with pytest.raises(Rejected) as refusal:
            await hire(target, "ada")
        assert refusal.value.code == "NotPermitted"
        assert server.entry(f"CN=ada,{BASE}") is None
        asleep = await hire(target, "bob", accountEnabled=False)
        with pytest.raises(Rejected):
            await change(target, asleep, accountEnabled=True)
        assert control(server, asleep) & DISABLED

    run(server, story, url=server.url)


def test_an_account_whose_making_broke_off_gets_its_password_when_it_is_enabled(
    server: Samba,
) -> None:
    def breaks(pdu: Pdu) -> None:
        if pdu.tag == spoiled.MODIFY:
            raise spoiled.Cut

    with LdapProxy.run(636, server.host, certificates=server.folder) as proxy:

        async def story(target: AdTarget) -> None:
            proxy.requests = [breaks]
            with pytest.raises(Unanswered):
                await hire(target, "ada", userPrincipalName="ada@corp.example.com")
            proxy.well()
            (found,) = await target.find(MatchQuery("User", "cn", "ada"))
            assert found.attributes["accountEnabled"] is False
            await change(target, found.anchor, accountEnabled=True)
            assert not control(server, found.anchor) & DISABLED

        run(server, story, url=proxy.url)

    assert lets_in(server, "ada@corp.example.com", FIRST)


def test_other_bits_are_kept_whoever_sets_them_and_when(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        ada = await hire(target, "ada")
        server.modify(f"CN=ada,{BASE}", {"userAccountControl": 0x200 | NEVER_EXPIRES})
        await change(target, ada, accountEnabled=False)
        assert control(server, ada) == 0x200 | NEVER_EXPIRES | DISABLED

        looked = target.found

        async def and_then(kind: str, anchor: Anchor) -> object:
            found = await looked(kind, anchor)
            target.found = looked
            server.modify(f"CN=ada,{BASE}", {"userAccountControl": 0x202})
            return found

        target.found = and_then  # type: ignore[method-assign,assignment]
        await change(target, ada, accountEnabled=True, displayName="Ada")
        assert control(server, ada) == 0x200
        assert held(server, ada)["displayName"] == [b"Ada"]

    run(server, story)


def test_the_disabled_lie_apart_until_they_are_enabled_again(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        ada = await hire(target, "ada", parentDistinguishedName=AWAY)
        await change(target, ada, accountEnabled=False)
        assert held(server, ada)["distinguishedName"] == [f"CN=ada,{LEFT}".encode()]
        await change(target, ada, parentDistinguishedName=AWAY, cn="ada b")
        assert held(server, ada)["distinguishedName"] == [f"CN=ada b,{LEFT}".encode()]
        await change(target, ada, accountEnabled=True, parentDistinguishedName=AWAY)
        assert held(server, ada)["distinguishedName"] == [f"CN=ada b,{AWAY}".encode()]
        assert not control(server, ada) & DISABLED

    run(server, story, disabled={"container": LEFT})


def test_who_leaves_is_disabled_though_he_cannot_be_moved(server: Samba) -> None:
    """Another of his name lies where the disabled lie."""

    async def story(target: AdTarget) -> None:
        ada = await hire(target, "ada")
        server.person(f"CN=ada,{LEFT}", "other ada")
        with pytest.raises(Stale):
            await change(target, ada, accountEnabled=False)
        assert control(server, ada) & DISABLED

    run(server, story, disabled={"container": LEFT})


def test_a_name_that_is_taken_is_a_conflict_wherever_its_owner_lies(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        await hire(target, "ada", sAMAccountName="ada", parentDistinguishedName=AWAY)
        with pytest.raises(Stale) as refusal:
            await hire(target, "other ada", sAMAccountName="ADA")
        assert refusal.value.code == "EntryConflict"
        bob = await hire(target, "bob", sAMAccountName="bob")
        with pytest.raises(Stale) as refusal:
            await change(target, bob, sAMAccountName="ada")
        assert refusal.value.code == "EntryConflict"

    run(server, story)


def test_people_are_found_by_what_is_theirs_and_not_by_what_is_nearly(server: Samba) -> None:
    async def story(target: AdTarget) -> None:
        ada = await hire(target, "ada", displayName="José")
        for attribute, value, found in (
            ("displayName", "JOSÉ", 1),
            ("displayName", "Jose", 0),
            ("objectGUID", str(ada), 1),
            ("distinguishedName", f"cn=ADA, {BASE}", 1),
            ("name", "ada", 1),  # which is not mapped
        ):
            entries = await target.find(MatchQuery("User", attribute, value))
            assert len(entries) == found, attribute

    run(server, story)


@pytest.mark.parametrize(
    "said",
    [
        {"sAMAccountName": "a" * 21},
        {"sAMAccountName": "a/b"},
        {"sAMAccountName": "a."},
        {"userPrincipalName": "ada"},
        {"cn": "a" * 65},
    ],
)
def test_a_name_against_the_rules_is_refused_with_the_rule(
    server: Samba, said: dict[str, Value]
) -> None:
    async def story(target: AdTarget) -> None:
        with pytest.raises(Rejected) as refusal:
            await target.export(Create("User", {"cn": "ada", **said}, ()))
        assert refusal.value.code == "UnprocessableEntity"
        assert next(iter(said)) in str(refusal.value)

    run(server, story)
