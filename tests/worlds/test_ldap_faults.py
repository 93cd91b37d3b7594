"""Whatever happens between a directory and us, nobody who is there is taken for gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from provisor.connectors.ldap.settings import LdapSettings, parse
from provisor.connectors.ldap.source import LdapSource
from provisor.connectors.ldapwire import ber, controls
from provisor.errors import AdapterError, WatermarkExpired
from provisor.model.entries import Gone, Page, Seen, Watermark
from provisor.testing.reading import (
    LateClock,
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    read,
)
from tests.worlds import ldap_proxy as spoiled
from tests.worlds.ldap_proxy import LdapProxy, Rule
from tests.worlds.openldap import READER, SUFFIX, OpenLdap

WANTED = {
    "User": frozenset({"userPrincipalName", "displayName", "manager"}),
    "Group": frozenset({"displayName", "members"}),
}
WAYS = ("sync", "timestamps", "snapshot")
BASE = f"ou=faults,{SUFFIX}"


@pytest.fixture(scope="module")
def proxy(openldap_server: OpenLdap) -> Iterator[LdapProxy]:
    """Return a proxy before a server with six people and two groups."""
    openldap_server.add(BASE, {"objectClass": "organizationalUnit"})
    people = [f"uid=p{number},{BASE}" for number in range(6)]
    for number, dn in enumerate(people):
        manager = {"manager": people[0]} if number else {}
        said = {"objectClass": "inetOrgPerson", "cn": "x", "sn": "x", **manager}
        openldap_server.add(dn, said)
    for number in range(2):
        said = {"objectClass": "openGroup", "member": people[number : number + 4]}
        openldap_server.add(f"cn=g{number},{BASE}", said)
    with LdapProxy.run(openldap_server.port) as running:
        yield running
    openldap_server.clear(BASE)


@pytest.fixture(autouse=True)
def well(proxy: LdapProxy) -> Iterator[None]:
    proxy.well()
    yield
    proxy.well()


def source(proxy: LdapProxy, way: str) -> LdapSource:
    """Return a source that waits long for answers, but not for those that are kept back."""
    raw: dict[str, Any] = {
        "url": proxy.url,
        "bindDn": READER,
        "password": "reader",
        "base": BASE,
        "pageSize": 3,
        "groups": {"objectClasses": "openGroup"},
        "changes": way,
        "timeouts": {"answer": 0.2 if proxy.answers else 30},
    }
    parsed = parse(raw, Path("/"))
    assert isinstance(parsed, LdapSettings), parsed
    return LdapSource(parsed, LateClock(), WANTED)


async def whole(proxy: LdapProxy, way: str) -> tuple[Read, int]:
    """Return what there is, and how many answers it took to say so."""
    proxy.well()
    found = await read(source(proxy, way))
    assert found.receipt is not None
    assert found.receipt.rows == {"User": 6, "Group": 2}
    return found, proxy.count


async def check(proxy: LdapProxy, way: str, rules: Sequence[Rule], truth: Read) -> Read:
    """Read once more while this happens, and see that nobody seems gone."""
    proxy.spoil(*rules)
    found = await read(source(proxy, way))
    if found.receipt is not None:
        shown = {kind: len(found.kind(kind)) for kind in ("User", "Group")}
        if found.receipt.rows != shown:  # then the engine believes nothing of it
            return found
    check_no_false_absence(truth.entries, found)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_cut_at_any_message_leaves_no_receipt(proxy: LdapProxy, way: str) -> None:
    async def story() -> None:
        truth, count = await whole(proxy, way)
        for position in range(count):
            found = await check(proxy, way, [spoiled.cut_at(position)], truth)
            assert found.receipt is None, f"cut at message {position}"
            assert isinstance(found.error, AdapterError)

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
def test_a_message_that_comes_twice_makes_nobody_seem_gone(proxy: LdapProxy, way: str) -> None:
    async def story() -> None:
        truth, count = await whole(proxy, way)
        for position in range(count):
            await check(proxy, way, [spoiled.twice_at(position)], truth)

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ends", [0, 3, 5])
def test_an_end_that_never_comes_leaves_no_receipt(proxy: LdapProxy, way: str, ends: int) -> None:
    async def story() -> None:
        truth, _ = await whole(proxy, way)
        found = await check(proxy, way, [spoiled.without(spoiled.DONE, first=ends)], truth)
        assert found.receipt is None
        assert "no answer for" in str(found.error)

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", [1, 3, 4, 10, 11, 32, 50, 51, 52, 53, 80, 4096])
def test_a_result_other_than_success_leaves_no_receipt(
    proxy: LdapProxy, way: str, code: int
) -> None:
    async def story() -> None:
        truth, _ = await whole(proxy, way)
        found = await check(proxy, way, [spoiled.results_are(code)], truth)
        assert found.receipt is None
        found = await check(proxy, way, [after(6, spoiled.results_are(code))], truth)
        assert found.receipt is None

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
def test_a_cookie_that_is_lost_leaves_no_receipt(proxy: LdapProxy, way: str) -> None:
    async def story() -> None:
        truth, _ = await whole(proxy, way)
        found = await check(proxy, way, [spoiled.without_controls()], truth)
        assert found.receipt is None

    asyncio.run(story())


@pytest.mark.parametrize("way", ["sync", "timestamps"])
def test_changes_read_through_any_fault_end_where_a_whole_read_ends(
    proxy: LdapProxy, openldap_server: OpenLdap, way: str
) -> None:
    """What broke off is read again from the watermark before: nothing is skipped."""

    async def story() -> None:
        mark = await watermark(proxy, way)
        await asyncio.to_thread(edit, openldap_server)
        expected, _ = await whole(proxy, way)
        proxy.well()
        sound = await read(source(proxy, way), mark)
        for position in range(0, proxy.count, 1 if way == "sync" else 5):
            proxy.spoil(spoiled.cut_at(position))
            broken = await read(source(proxy, way), mark)
            assert broken.receipt is None
            assert not isinstance(broken.error, WatermarkExpired)
            proxy.well()
            reached = broken.pages[-1].watermark if broken.pages else mark
            again = await read(source(proxy, way), reached)
            assert again.entries == sound.entries
            assert again.entries.items() <= expected.entries.items()

    asyncio.run(story())


@pytest.mark.parametrize("code", [1, 3, 4, 11, 51, 52, 80])
@pytest.mark.parametrize("way", ["sync", "timestamps"])
def test_changes_that_end_otherwise_move_no_watermark(
    proxy: LdapProxy, way: str, code: int
) -> None:
    async def story() -> None:
        mark = await watermark(proxy, way)
        proxy.spoil(after(4, spoiled.results_are(code)))
        found = await read(source(proxy, way), mark)
        assert found.receipt is None
        assert all(not isinstance(c, Gone) for page in found.pages for c in page.changes)

    asyncio.run(story())


@pytest.mark.parametrize("code", [53, 4096])
def test_a_server_that_is_older_than_its_cookie_is_read_anew(proxy: LdapProxy, code: int) -> None:
    async def story() -> None:
        mark = await watermark(proxy, "sync")
        seen: list[int] = []

        def rule(pdu: spoiled.Pdu) -> Sequence[bytes] | None:
            seen.append(pdu.tag)
            is_sync = pdu.tag == spoiled.DONE and b"1.3.6.1.4.1.4203.1.9.1.3" in pdu.controls
            return (pdu.with_body(spoiled.result(code), controls=False),) if is_sync else None

        proxy.spoil(rule)
        found = await read(source(proxy, "sync"), mark)
        assert isinstance(found.error, WatermarkExpired)

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
def test_a_look_is_never_answered_by_a_fault(proxy: LdapProxy, way: str) -> None:
    async def story() -> None:
        truth, _ = await whole(proxy, way)
        some = dict([*truth.entries.items()][:1] + [*truth.entries.items()][-1:])
        harms: list[Callable[[int], Rule]] = [spoiled.cut_at, spoiled.silent_from]
        for harm in harms:
            for position in (0, 2, 3, 4):
                proxy.spoil(harm(position))
                looking = source(proxy, way)
                await check_fetch_never_denies(some, looking)
                await looking.close()
        for code in (1, 3, 4, 10, 11, 32, 51, 52, 53, 80):
            proxy.spoil(after(3, spoiled.results_are(code)))
            looking = source(proxy, way)
            await check_fetch_never_denies(some, looking)
            await looking.close()

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
def test_who_is_hidden_from_the_read_is_found_when_asked_for(proxy: LdapProxy, way: str) -> None:
    """A deletion and a creation between two pages look like this: all counts agree, and one who
    is there was not shown. The engine asks for everybody before it lets him go."""

    async def story() -> None:
        truth, _ = await whole(proxy, way)
        proxy.spoil(spoiled.hides("uid=p3"))
        found = await read(source(proxy, way))
        (hidden,) = set(truth.entries) - set(found.entries)
        proxy.well()
        looking = source(proxy, way)
        assert await looking.fetch(hidden) == truth.entries[hidden]
        await looking.close()

    asyncio.run(story())


@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_one_and_the_coming_of_another_between_two_pages(
    proxy: LdapProxy, openldap_server: OpenLdap, way: str
) -> None:
    async def story() -> None:
        dn = f"uid=old,{BASE}"
        said = {"objectClass": "inetOrgPerson", "cn": "x", "sn": "x"}
        await asyncio.to_thread(openldap_server.add, dn, said)
        found = Read()
        is_done = False
        async for part in source(proxy, way).pull(None):
            if isinstance(part, Page) and not is_done:
                is_done = True
                await asyncio.to_thread(openldap_server.delete, dn)
                await asyncio.to_thread(openldap_server.add, f"uid=new,{BASE}", said)
            found.pages += [part] if isinstance(part, Page) else []
        after_all = await read(source(proxy, way))
        looking = source(proxy, way)
        changes = [change for page in found.pages for change in page.changes]
        shown = {change.entry.anchor for change in changes if isinstance(change, Seen)}
        for key in after_all.entries:
            assert key.anchor in shown or await looking.fetch(key) is not None
        await looking.close()
        await asyncio.to_thread(openldap_server.delete, f"uid=new,{BASE}")

    asyncio.run(story())


def after(ends: int, rule: Rule) -> Rule:
    """Let something happen from the end of so many operations on."""
    seen = 0

    def later(pdu: spoiled.Pdu) -> Sequence[bytes] | None:
        nonlocal seen
        if pdu.tag == spoiled.DONE:
            seen += 1
        return rule(pdu) if seen >= ends else None

    return later


async def watermark(proxy: LdapProxy, way: str) -> Watermark:
    found, _ = await whole(proxy, way)
    assert found.receipt is not None
    assert found.receipt.watermark is not None
    return found.receipt.watermark


def edit(server: OpenLdap) -> None:
    server.modify(f"uid=p1,{BASE}", {"displayName": "Edited"})
    server.rename(f"uid=p2,{BASE}", "uid=renamed")
    server.rename(f"uid=renamed,{BASE}", "uid=p2")


# what other servers say where OpenLDAP says who has gone


def info(pdu: spoiled.Pdu, value: bytes) -> bytes:
    """Return an intermediate message of the same synchronisation."""
    said = ber.octets(controls.SYNC_INFO, 0x80) + ber.octets(value, 0x81)
    return ber.sequence(ber.integer(pdu.number), ber.tlv(spoiled.INTERMEDIATE, said))


def id_set(*uuids: str, are_deleted: bool) -> bytes:
    named = ber.sequence(*(ber.octets(UUID(one).bytes) for one in uuids), tag=ber.SET)
    return ber.tlv(0xA3, ber.boolean(are_deleted) + named)


def present(pdu: spoiled.Pdu, uuid: str) -> bytes:
    """Return an entry that says no more than that it is there."""
    state = ber.sequence(ber.integer(0, ber.ENUMERATED), ber.octets(UUID(uuid).bytes))
    told = ber.sequence(ber.octets(controls.SYNC_STATE), ber.octets(state))
    body = ber.octets(f"uid=p0,{BASE}") + ber.sequence()
    parts = (ber.integer(pdu.number), ber.tlv(spoiled.ENTRY, body), ber.tlv(0xA0, told))
    return ber.sequence(*parts)


def ends_a_synchronisation(pdu: spoiled.Pdu) -> bool:
    return pdu.tag == spoiled.DONE and controls.SYNC_DONE.encode() in pdu.controls


def before_the_end(*values: bytes) -> Rule:
    """Let this be told besides."""

    def rule(pdu: spoiled.Pdu) -> Sequence[bytes] | None:
        if not ends_a_synchronisation(pdu):
            return None
        return (*(info(pdu, value) for value in values), pdu.raw)

    return rule


def ends_a_present_phase(pdu: spoiled.Pdu) -> Sequence[bytes] | None:
    """Say that whoever was not named has gone (`refreshDeletes` FALSE)."""
    if not ends_a_synchronisation(pdu):
        return None
    value = ber.sequence(ber.octets("another cookie"))
    said = ber.sequence(ber.octets(controls.SYNC_DONE), ber.octets(value))
    parts = (ber.integer(pdu.number), ber.tlv(pdu.tag, pdu.body), ber.tlv(0xA0, said))
    return (ber.sequence(*parts),)


@pytest.mark.parametrize("how", ["a set", "an entry", "the end of a phase", "the end"])
def test_who_is_still_there_may_be_told_instead_of_who_has_gone(
    proxy: LdapProxy, openldap_server: OpenLdap, how: str
) -> None:
    """Then everything is read, in the same cycle: nobody waits for that to be disabled."""

    async def story() -> None:
        gone = f"uid=gone,{BASE}"
        said = {"objectClass": "inetOrgPerson", "cn": "x", "sn": "x"}
        await asyncio.to_thread(openldap_server.add, gone, said)
        await asyncio.to_thread(edit, openldap_server)  # else the last change would be missing
        proxy.well()
        before = await read(source(proxy, "sync"))
        assert before.receipt is not None
        await asyncio.to_thread(openldap_server.delete, gone)
        after_that, _ = await whole(proxy, "sync")
        there = next(key.anchor for key in after_that.entries if key.kind == "User")
        rules: dict[str, Rule] = {
            "a set": before_the_end(id_set(there, are_deleted=False)),
            "an entry": lambda pdu: (
                (present(pdu, there), pdu.raw) if ends_a_synchronisation(pdu) else None
            ),
            "the end of a phase": before_the_end(ber.tlv(0xA2, b"")),
            "the end": ends_a_present_phase,
        }
        proxy.spoil(tells_no_deletion, rules[how])
        found = await read(source(proxy, "sync"), before.receipt.watermark)
        assert isinstance(found.error, WatermarkExpired)

    asyncio.run(story())


def tells_no_deletion(pdu: spoiled.Pdu) -> Sequence[bytes] | None:
    is_deletion = pdu.tag == spoiled.ENTRY and b"uid=gone" in pdu.body
    return () if is_deletion or pdu.tag == spoiled.INTERMEDIATE else None


def test_deletions_of_whoever_is_there_or_was_never_heard_of_remove_nobody(
    proxy: LdapProxy,
) -> None:
    async def story() -> None:
        truth, _ = await whole(proxy, "sync")
        assert truth.receipt is not None
        there = next(key for key in truth.entries if key.kind == "User")
        never = "7b5d1a4e-0000-4000-8000-00000000dead"
        proxy.spoil(before_the_end(id_set(there.anchor, never, are_deleted=True)))
        found = await read(source(proxy, "sync"), truth.receipt.watermark)
        assert found.receipt is not None
        changes = [change for page in found.pages for change in page.changes]
        assert there not in {change.key for change in changes if isinstance(change, Gone)}

    asyncio.run(story())


def test_a_refresh_without_a_delete_phase_removes_nobody(proxy: LdapProxy) -> None:
    """Some servers end at once where nothing has changed, and some where something has."""

    async def story() -> None:
        mark = await watermark(proxy, "sync")
        proxy.spoil(spoiled.without(spoiled.INTERMEDIATE))
        found = await read(source(proxy, "sync"), mark)
        assert found.receipt is not None
        assert not [c for page in found.pages for c in page.changes if isinstance(c, Gone)]

    asyncio.run(story())
