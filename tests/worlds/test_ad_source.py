"""An Active Directory source against a real domain controller, through all that happens to one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisor.connectors.activedirectory import marks, values
from provisor.connectors.activedirectory.probe import AdProber
from provisor.connectors.activedirectory.settings import AdSettings, parse
from provisor.connectors.activedirectory.source import AdSource
from provisor.errors import AdapterError, Denied, Unreachable, WatermarkExpired
from provisor.model.directories import ProbeReport
from provisor.model.entries import (
    Absence,
    Anchor,
    Entry,
    EntryKey,
    Gone,
    Page,
    Receipt,
    Reference,
    Seen,
    Watermark,
)
from provisor.testing.world import SteppingClock
from tests.worlds import ldap_proxy as spoiled
from tests.worlds.ad_limits import InTwoRounds, Limits
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.samba import ADMIN, PASSWORD, READER, READER_PASSWORD, SUFFIX, Samba

WANTED = {
    "User": frozenset({"userPrincipalName", "displayName", "manager", "accountEnabled", "mail"}),
    "Group": frozenset({"displayName", "members"}),
}
WAYS = ("dirsync", "usn")


class Site:
    """A part of a domain, with a container outside of it, and a source that reads it."""

    count = 0

    def __init__(self, server: Samba, folder: Path, *, url: str = "") -> None:
        Site.count += 1
        self.server, self.folder, self.url = server, folder, url or server.url
        self.clock = SteppingClock()
        self.clock._now = datetime.now(UTC)  # pyright: ignore[reportPrivateUsage]
        self.name = f"site{Site.count}"
        self.base = f"OU={self.name},{SUFFIX}"
        self.outside = f"OU=outside{Site.count},{SUFFIX}"
        self.staff = f"OU=Staff,{self.base}"
        for dn in (self.base, self.outside, self.staff):
            server.container(dn)

    def clear(self) -> None:
        for dn in (self.base, self.outside):
            self.server.clear(dn)

    def settings(self, **chosen: object) -> AdSettings:
        raw: dict[str, Any] = {
            "url": self.url,
            "bindDn": ADMIN,
            "password": PASSWORD,
            "base": self.base,
            "pageSize": 3,
            "timeouts": {"answer": 30},
        }
        parsed = parse({**raw, **chosen}, self.folder)
        assert isinstance(parsed, AdSettings), parsed
        return parsed

    def source(self, **chosen: object) -> AdSource:
        return AdSource(self.settings(**chosen), self.clock, WANTED)

    def probe(self, **chosen: object) -> ProbeReport:
        return asyncio.run(AdProber(self.settings(**chosen), self.clock, WANTED).probe())

    def hire(self, name: str, where: str = "", **said: Any) -> str:
        dn = f"CN={name},{where or self.staff}"
        self.server.person(dn, f"{self.name}-{name}"[:20], **{"userAccountControl": 544, **said})
        return dn

    def found_group(self, name: str, *members: str) -> str:
        dn = f"CN={name},{self.base}"
        held: dict[str, Any] = {"member": [*members]} if members else {}
        self.server.group(dn, f"{self.name}-{name}"[:20], **held)
        return dn

    def user(self, dn: str) -> Reference:
        return Reference("User", Anchor(self.server.guid(dn)))

    def group(self, dn: str) -> Reference:
        return Reference("Group", Anchor(self.server.guid(dn)))


class Shown:
    """What one read showed."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.gone: dict[str, Absence] = {}
        self.receipt: Receipt | None = None
        self.error: AdapterError | None = None
        self.faults: list[str] = []

    @property
    def mark(self) -> Watermark:
        assert self.error is None, self.error
        assert self.receipt is not None
        assert self.receipt.watermark is not None
        return self.receipt.watermark

    def of(self, reference: Reference) -> Entry:
        return self.entries[reference.anchor]

    def members(self, group: Reference) -> set[Reference]:
        held = self.of(group).attributes.get("members", ())
        assert isinstance(held, tuple)
        return {one for one in held if isinstance(one, Reference)}

    def enabled(self, reference: Reference) -> object:
        return self.of(reference).attributes.get("accountEnabled")


async def reading(source: AdSource, since: Watermark | None = None) -> Shown:
    found = Shown()
    try:
        async for part in source.pull(since):
            if isinstance(part, Receipt):
                found.receipt = part
                continue
            assert isinstance(part, Page)
            found.faults += [fault.message for fault in part.faults]
            for change in part.changes:
                if isinstance(change, Seen):
                    found.entries[change.entry.anchor] = change.entry
                elif isinstance(change, Gone):
                    found.gone[change.key.anchor] = change.absence
    except AdapterError as error:
        found.error = error
    return found


def read(source: AdSource, since: Watermark | None = None) -> Shown:
    return asyncio.run(reading(source, since))


def look(source: AdSource, reference: Reference) -> Entry | None:
    async def story() -> Entry | None:
        found = await source.fetch(EntryKey(reference.kind, reference.anchor))
        await source.close()
        return found

    return asyncio.run(story())


@pytest.fixture
def site(samba_server: Samba, tmp_path: Path) -> Iterator[Site]:
    made = Site(samba_server, tmp_path)
    yield made
    made.clear()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# what objects say


def test_people_are_told_by_the_names_that_everybody_maps(site: Site) -> None:
    boss = site.user(site.hire("Bo"))
    ada = site.user(_ada(site))

    said = read(site.source()).of(ada).attributes

    assert said["objectId"] == ada.anchor
    assert said["givenName"] == "Ada"
    assert said["surname"] == "Łukasińska"
    assert said["jobTitle"] == "Countess"
    assert said["employeeId"] == "7"
    assert said["accountEnabled"] is True
    assert said["manager"] == boss
    assert said["proxyAddresses"] == ("SMTP:ada@example.com",)
    assert said["onPremisesDistinguishedName"] == f"CN=Ada\\, Ł,{site.staff}"
    assert str(said["onPremisesSecurityIdentifier"]).startswith("S-1-5-21-")
    assert isinstance(said["whenCreated"], datetime)
    assert "unicodePwd" not in said


def _ada(site: Site) -> str:
    dn = f"CN=Ada\\, Ł,{site.staff}"
    site.server.person(
        dn,
        f"{site.name}-ada",
        userAccountControl=544,
        givenName="Ada",
        sn="Łukasińska",
        title="Countess",
        employeeID="7",
        manager=f"CN=Bo,{site.staff}",
        proxyAddresses=["SMTP:ada@example.com"],
    )
    return dn


@pytest.mark.parametrize("never", [0, 2**63 - 1])
def test_an_account_that_never_expires_is_enabled(site: Site, never: int) -> None:
    ada = site.user(site.hire("Ada", accountExpires=never))
    assert read(site.source()).enabled(ada) is True


def test_an_account_is_disabled_by_its_control_and_by_time(site: Site, way: str) -> None:
    past = values.filetime(site.clock.now() - timedelta(days=1))
    soon = values.filetime(site.clock.now() + timedelta(days=1))
    off = site.user(site.hire("Off", userAccountControl=546))
    late = site.user(site.hire("Late", accountExpires=past))
    ada = site.user(site.hire("Ada", accountExpires=soon))
    source = site.source(changes=way, fullReadEvery="P30D")
    first = read(source)
    assert first.enabled(off) is False
    assert first.enabled(late) is False
    assert first.enabled(ada) is True

    site.clock._now += timedelta(days=2)  # pyright: ignore[reportPrivateUsage]
    later = read(source, first.mark)

    assert later.enabled(ada) is False, "nothing changed but the day"
    assert late.anchor not in later.entries
    assert read(site.source(expiredIsDisabled=False)).enabled(late) is True


# what changed


def test_every_kind_of_change_is_told(site: Site, way: str) -> None:
    ada, bob = site.hire("Ada", title="Countess"), site.hire("Bob")
    eve, joe = site.hire("Eve"), site.hire("Joe")
    people = {dn: site.user(dn) for dn in (ada, bob, eve, joe)}
    source = site.source(changes=way)
    since = read(source).mark

    site.server.modify(ada, {"title": None, "userAccountControl": 546})
    site.server.rename(bob, "CN=Robert")
    site.server.delete(eve)
    fay = site.user(site.hire("Fay"))
    found = read(source, since)

    assert found.error is None
    assert "jobTitle" not in found.of(people[ada]).attributes
    assert found.enabled(people[ada]) is False
    name = found.of(people[bob]).attributes["onPremisesDistinguishedName"]
    assert name == f"CN=Robert,{site.staff}"
    assert found.gone[people[eve].anchor] is Absence.DELETED
    assert found.enabled(fay) is True
    assert people[joe].anchor not in found.entries
    assert people[joe].anchor not in found.gone
    quiet = read(source, found.mark)
    assert (quiet.entries, quiet.gone) == ({}, {})


def test_who_is_brought_back_is_the_same(site: Site, way: str) -> None:
    dn = site.hire("Ada")
    ada = site.user(dn)
    source = site.source(changes=way)
    since = read(source).mark
    site.server.delete(dn)
    gone = read(source, since)
    assert gone.gone[ada.anchor] is Absence.DELETED

    site.server.undelete(ada.anchor, dn)
    back = read(source, gone.mark)

    assert back.of(ada).attributes["onPremisesDistinguishedName"] == dn
    assert look(source, ada) is not None


def test_another_of_the_same_name_is_another(site: Site, way: str) -> None:
    dn = site.hire("Ada")
    old = site.user(dn)
    source = site.source(changes=way)
    since = read(source).mark

    site.server.delete(dn)
    new = site.user(site.hire("Ada"))
    found = read(source, since)

    assert found.gone[old.anchor] is Absence.DELETED
    assert new.anchor in found.entries
    assert new != old


def test_who_moves_out_has_left_and_who_moves_in_is_there(site: Site, way: str) -> None:
    ada, bob = site.hire("Ada"), site.hire("Bob", site.outside)
    goes, comes = site.user(ada), site.user(bob)
    source = site.source(changes=way)
    first = read(source)
    assert comes.anchor not in first.entries

    site.server.rename(ada, "CN=Ada", site.outside)
    site.server.rename(bob, "CN=Bob", site.staff)
    found = read(source, first.mark)

    assert found.gone[goes.anchor] is Absence.LEFT
    assert comes.anchor in found.entries
    assert look(source, goes) is None


def test_a_container_takes_along_all_that_it_holds(site: Site, way: str) -> None:
    ada = site.user(site.hire("Ada"))
    source = site.source(changes=way)
    since = read(source).mark

    site.server.rename(site.staff, "OU=People")
    renamed = read(source, since)
    name = renamed.of(ada).attributes["onPremisesDistinguishedName"]
    assert name == f"CN=Ada,OU=People,{site.base}"
    site.server.rename(f"OU=People,{site.base}", "OU=People", site.outside)
    moved = read(source, renamed.mark)

    assert moved.gone[ada.anchor] is Absence.LEFT


def test_who_no_longer_passes_the_filter_has_left(site: Site, way: str) -> None:
    dn = site.hire("Ada", employeeType="staff")
    ada = site.user(dn)
    source = site.source(changes=way, users={"filter": "(employeeType=staff)"})
    first = read(source)
    assert ada.anchor in first.entries

    site.server.modify(dn, {"employeeType": "guest"})

    assert read(source, first.mark).gone[ada.anchor] is Absence.LEFT


# groups


def test_members_come_and_go(site: Site, way: str) -> None:
    ada, bob, far = site.hire("Ada"), site.hire("Bob"), site.hire("Far", site.outside)
    inner = site.found_group("Inner", bob)
    all_ = site.found_group("All", ada, inner, far)
    source = site.source(changes=way)
    first = read(source)
    assert first.members(site.group(all_)) == {site.user(ada), site.group(inner), site.user(far)}

    site.server.members(all_, add=[bob], remove=[ada])
    found = read(source, first.mark)

    assert set(found.entries) == {site.group(all_).anchor}
    assert found.members(site.group(all_)) == {site.user(bob), site.group(inner), site.user(far)}


def test_a_primary_group_has_its_members_too(site: Site, way: str) -> None:
    first_dn, other = site.found_group("First"), site.found_group("Other")
    ada = site.hire("Ada")
    told = site.server.entry(first_dn, "primaryGroupToken")
    assert told is not None
    rid = int(told["primaryGroupToken"][0])
    source = site.source(changes=way)
    since = read(source).mark

    site.server.members(first_dn, add=[ada])
    site.server.modify(ada, {"primaryGroupID": rid})
    found = read(source, since)

    assert found.members(site.group(first_dn)) == {site.user(ada)}
    entry = look(source, site.group(first_dn))
    assert entry is not None
    assert entry.attributes["members"] == (site.user(ada),)
    entry = look(site.source(primaryGroups=False), site.group(first_dn))
    assert entry is not None
    assert "members" not in entry.attributes
    assert site.group(other).anchor not in found.entries


# where the watermark ends


def test_another_domain_controller_counts_otherwise(site: Site) -> None:
    ada = site.user(site.hire("Ada"))
    for way, ends in (("usn", True), ("dirsync", False)):
        source = site.source(changes=way)
        mark = marks.read(read(source).mark)
        elsewhere = replace(mark, invocation="00000000-0000-0000-0000-000000000001")
        found = read(source, marks.write(elsewhere))
        assert isinstance(found.error, WatermarkExpired) == ends, way
        assert ada.anchor not in found.gone


def test_a_watermark_does_not_outlive_tombstones(site: Site, way: str) -> None:
    source = site.source(changes=way, fullReadEvery="P30D")
    mark = marks.read(read(source).mark)
    old = replace(mark, read_at=mark.read_at - timedelta(days=180))
    assert isinstance(read(source, marks.write(old)).error, WatermarkExpired)


def test_everything_is_read_once_in_a_while(site: Site, way: str) -> None:
    source = site.source(changes=way, fullReadEvery="P1D")
    since = read(source).mark
    site.clock._now += timedelta(hours=25)  # pyright: ignore[reportPrivateUsage]
    assert isinstance(read(source, since).error, WatermarkExpired)


def test_another_view_is_read_anew(site: Site, way: str) -> None:
    since = read(site.source(changes=way)).mark
    other = site.source(changes=way, users={"filter": "(mail=*)"})
    assert isinstance(read(other, since).error, WatermarkExpired)
    assert other.system.view != site.source(changes=way).system.view
    assert other.system.identity == "ad:dc=corp,dc=example,dc=com"


def test_a_restored_database_is_noticed(domain_controller: Samba, tmp_path: Path) -> None:
    site = Site(domain_controller, tmp_path)
    site.hire("Ada")
    kept = domain_controller.back_up()
    bob = site.hire("Bob")
    for way in WAYS:
        source = site.source(changes=way)
        since = read(source).mark
        domain_controller.restore(kept)
        assert isinstance(read(source, since).error, WatermarkExpired), "it has counted less"

        for number in range(8):  # until it has counted as far again
            site.hire(f"New {number}")
        again = read(source, since)

        assert isinstance(again.error, WatermarkExpired), "the last change is not there"
        assert bob not in again.gone


# rights


def test_who_may_not_replicate_and_sees_nobody_deleted_reads_everything(site: Site) -> None:
    site.hire("Ada")
    site.server.delete(site.hire("Eve"))
    for way in ("auto", *WAYS):
        source = site.source(changes=way, bindDn=READER, password=READER_PASSWORD)
        found = read(source)
        assert found.error is None
        assert found.receipt is not None
        assert found.receipt.is_snapshot
        assert found.receipt.watermark is None, "deletions would be missed"
    told = site.probe(bindDn=READER, password=READER_PASSWORD)
    assert told.is_usable
    assert "DeletionsHidden" in {one.code for one in told.findings}


def test_the_best_way_is_found(site: Site) -> None:
    site.hire("Ada")
    told = site.probe()
    assert told.is_usable, told
    assert "Replicates" in {one.code for one in told.findings}
    assert marks.read(read(site.source()).mark).how == "dirsync"


def test_wrong_credentials_are_denied(site: Site) -> None:
    assert isinstance(read(site.source(password="wrong")).error, Denied)


def test_certificates_are_verified(site: Site) -> None:
    ada = site.user(site.hire("Ada"))
    unknown = read(site.source(url=site.server.tls_url))
    assert isinstance(unknown.error, Unreachable)
    assert "certificate" in str(unknown.error)
    for chosen in ({"url": site.server.tls_url}, {"startTls": True}):
        found = read(site.source(caFile=site.server.ca_file, **chosen))
        assert ada.anchor in found.entries, found.error


# faults


def test_no_read_that_is_cut_anywhere_proves_anything(site: Site, way: str) -> None:
    people = [site.hire(f"P{number}") for number in range(4)]
    group = site.found_group("All", *people)
    with LdapProxy.run(389, site.server.host) as proxy:
        source = site.source(changes=way, url=proxy.url)
        whole = read(source)
        since, length = whole.mark, proxy.count
        site.server.members(group, remove=[people[0]])
        for at in range(length):
            proxy.spoil(spoiled.cut_at(at))
            found = read(source)
            assert found.receipt is None
            assert found.error is not None
            for anchor, entry in found.entries.items():
                assert anchor in whole.entries
                assert entry.kind == whole.entries[anchor].kind
        proxy.well()
        read(source, since)
        for at in range(proxy.count):
            proxy.spoil(spoiled.cut_at(at))
            found = read(source, since)
            assert (found.receipt, found.gone) == (None, {})
            assert found.error is not None
        proxy.well()
        assert read(source, since).members(site.group(group)) == {
            site.user(dn) for dn in people[1:]
        }


@pytest.mark.parametrize("code", [3, 4, 10, 11, 51, 52, 80])
def test_a_search_that_ends_otherwise_proves_nothing(site: Site, code: int) -> None:
    site.hire("Ada")
    with LdapProxy.run(389, site.server.host) as proxy:
        source = site.source(url=proxy.url)
        since = read(source).mark
        proxy.spoil(spoiled.results_are(code, keeps_controls=True))
        for mark in (None, since):
            found = read(source, mark)
            assert found.receipt is None
            assert isinstance(found.error, Unreachable | Denied)


def test_a_directory_that_loses_cookies_proves_nothing(site: Site, way: str) -> None:
    site.hire("Ada")
    with LdapProxy.run(389, site.server.host) as proxy:
        source = site.source(url=proxy.url, changes=way)
        since = read(source).mark
        proxy.spoil(spoiled.without_controls())
        for mark in (None, since):
            site.hire(f"Another {mark is None}")
            found = read(source, mark)
            assert found.receipt is None
            assert isinstance(found.error, Unreachable)


@pytest.mark.parametrize("count", [4, 5, 6, 9, 10, 11])
def test_limits_of_a_real_server_hide_nobody(site: Site, way: str, count: int) -> None:
    """A group is whole at, below and above the number of values that are shown at once."""
    people = [site.hire(f"P{number}") for number in range(count)]
    group = site.found_group("All", *people[1:])
    limits = Limits(page_max=5, values_max=5)
    with LdapProxy.run(389, site.server.host) as proxy:
        limits.enforce(proxy)
        source = site.source(changes=way, url=proxy.url)
        first = read(source)
        everybody = {site.user(dn) for dn in people}
        assert {anchor for anchor, e in first.entries.items() if e.kind == "User"} == {
            one.anchor for one in everybody
        }
        assert first.members(site.group(group)) == everybody - {site.user(people[0])}
        site.server.members(group, add=[people[0]])
        assert read(source, first.mark).members(site.group(group)) == everybody
        entry = look(source, site.group(group))
    assert entry is not None
    held = entry.attributes["members"]
    assert isinstance(held, tuple)
    assert set(held) == everybody
    assert bool(limits.cut) == (count > 5)
    assert not limits.refused, "nothing is asked for that may be too much at once"


def test_changes_that_come_in_several_rounds_are_all_read(site: Site) -> None:
    ada, bob = site.hire("Ada"), site.hire("Bob")
    rounds = InTwoRounds()
    with LdapProxy.run(389, site.server.host) as proxy:
        source = site.source(url=proxy.url, changes="dirsync")
        since = read(source).mark
        site.server.modify(ada, {"displayName": "Ada B"})
        gone = site.user(bob)
        site.server.delete(bob)
        proxy.requests, proxy.answers = [rounds.request], [rounds.answer]
        found = read(source, since)
        assert len(rounds.rounds) == 2
        assert found.of(site.user(ada)).attributes["displayName"] == "Ada B"
        assert found.gone == {gone.anchor: Absence.DELETED}
        proxy.well()
        assert not read(source, found.mark).entries
