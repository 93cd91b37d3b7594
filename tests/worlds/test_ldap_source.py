"""An LDAP source against a real OpenLDAP server, through all that happens to directories."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from provisor.connectors.ldap import marks
from provisor.connectors.ldap.probe import LdapProber
from provisor.errors import Denied, Unreachable, WatermarkExpired
from provisor.model.directories import Weight
from provisor.model.entries import (
    Absence,
    Anchor,
    Reference,
    Watermark,
)
from provisor.model.rules import AttributeType
from tests.worlds.ldap_site import GROUPS, PEOPLE, WANTED, WAYS, Site, look, read
from tests.worlds.openldap import LIMITED, READER, SUFFIX, OpenLdap


@pytest.fixture
def site(slapd: OpenLdap, tmp_path: Path) -> Site:
    return Site(slapd, tmp_path)


# what an entry means


def test_people_have_canonical_names_and_types(site: Site) -> None:
    boss = site.hire("boss")
    ada = site.hire(
        "ada",
        givenName="Ada",
        mail=["ada@example.com", "a@example.com"],
        title="Countess",
        departmentNumber="Engines",
        manager=boss,
        rank=7,
        hiredAt="20260102030405Z",
        badge=b"\x00\xff",
        jpegPhoto=b"\xff\xd8",
        l="Zürich",
    )
    names = {"rank": "rank", "hiredAt": "employeeHireDate", "badge": "badge"}
    found = read(site.source(attributes=names)).entries[ada].attributes

    assert found["userPrincipalName"] == "ada"
    assert (found["givenName"], found["surname"]) == ("Ada", "ada")
    assert (found["mail"], found["otherMails"]) == ("ada@example.com", ("a@example.com",))
    assert (found["jobTitle"], found["department"], found["city"]) == (
        *("Countess", "Engines", "Zürich"),
    )
    assert found["manager"] == site.user(boss)
    assert found["rank"] == 7
    assert found["employeeHireDate"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found["badge"] == b"\x00\xff"
    assert found["objectId"] == site.user(ada).anchor
    assert "jpegPhoto" not in found
    assert "userPassword" not in found


@pytest.mark.parametrize(
    ("disabled", "expected"),
    [
        ({"attribute": "accountActive", "value": "FALSE"}, [False, True, True]),
        ({"attribute": "accountActive", "enabledValue": "TRUE"}, [False, True, True]),
        ({"attribute": "rank"}, [True, False, True]),
        ({"container": f"ou=left,{SUFFIX}"}, [True, True, False]),
    ],
)
def test_who_is_disabled_is_told_by_an_attribute_or_a_container(
    site: Site, disabled: dict[str, str], expected: list[bool]
) -> None:
    site.server.add(f"ou=left,{SUFFIX}", {"objectClass": "organizationalUnit"})
    people = [
        site.hire("a", accountActive="FALSE"),
        site.hire("b", rank=1),
        site.hire("c", base=f"ou=left,{SUFFIX}"),
    ]
    found = read(site.source(disabled=disabled)).entries
    assert [found[dn].attributes["accountEnabled"] for dn in people] == expected


@pytest.mark.parametrize("way", ["member", "uniqueMember", "memberUid", "memberOf"])
def test_members_are_told_in_every_way_that_directories_have(site: Site, way: str) -> None:
    ada, bob = site.hire("ada"), site.hire("bob")
    value = {"memberUid": ["ada", "nobody"], "uniqueMember": [ada, f"uid=gone,{PEOPLE}"]}
    stored = "member" if way == "memberOf" else way
    if way == "memberOf":
        site.server.add(f"cn=x,{GROUPS}", {"objectClass": "groupOfNames", "member": ada})
        group = f"cn=x,{GROUPS}"
    else:
        group = site.found_group("g", **{stored: value.get(way, [ada])})
    classes = "groupOfNames" if way == "memberOf" else "openGroup"
    source = site.source(groups={"members": way, "objectClasses": classes})

    found = read(source)

    assert found.members(group) == {site.user(ada)}
    assert look(source, site.group(group)) == found.entries[group]
    assert found.receipt is not None
    assert (found.receipt.watermark is None) == (way == "memberOf")
    assert site.user(bob) not in found.members(group)


def test_nested_groups_are_pointed_at_or_expanded_as_is_asked(site: Site) -> None:
    ada, bob = site.hire("ada"), site.hire("bob")
    inner = site.found_group("inner", member=[bob])
    middle = site.found_group("middle", member=[inner])
    outer = site.found_group("outer", member=[ada, middle])
    site.server.members(inner, add=[outer])  # round in circles

    assert read(site.source()).members(outer) == {site.user(ada), site.group(middle)}

    expanding = site.source(groups={"objectClasses": "openGroup", "expandNested": True})
    found = read(expanding)
    assert found.members(outer) == {site.user(ada), site.user(bob)}
    assert look(expanding, site.group(outer)) == found.entries[outer]
    carl = site.hire("carl")
    site.server.members(inner, add=[carl])
    after = read(expanding, found.mark)
    assert after.members(outer) == {site.user(ada), site.user(bob), site.user(carl)}


def test_who_is_member_of_a_group_and_passes_no_filter_is_pointed_at_all_the_same(
    site: Site,
) -> None:
    """He may come to pass it, without a change of the group."""
    ada = site.hire("ada")
    group = site.found_group("g", member=[ada, f"uid=dangling,{PEOPLE}"])
    found = read(site.source(users={"filter": "(title=never)"}))

    assert ada not in found.entries
    assert found.members(group) == {site.user(ada)}


# what changed


@pytest.mark.parametrize("way", WAYS)
def test_a_rename_and_a_move_keep_the_anchor(site: Site, way: str) -> None:
    site.server.add(f"ou=away,{SUFFIX}", {"objectClass": "organizationalUnit"})
    ada, bob = site.hire("ada"), site.hire("bob")
    anchors = {site.user(ada).anchor, site.user(bob).anchor}
    mark = read(site.source(changes=way)).mark
    site.server.rename(ada, "uid=countess")
    site.server.rename(bob, "uid=bob", f"ou=away,{SUFFIX}")

    found = read(site.source(changes=way), mark)

    changed = {dn: e.anchor for dn, e in found.entries.items() if e.anchor in anchors}
    assert set(changed) == {f"uid=countess,{PEOPLE}", f"uid=bob,ou=away,{SUFFIX}"}
    assert set(changed.values()) == anchors
    assert anchors.isdisjoint(found.gone)


@pytest.mark.parametrize("way", WAYS)
def test_who_leaves_base_or_filter_is_not_deleted(site: Site, way: str) -> None:
    ada, bob, eve = site.hire("ada", title="x"), site.hire("bob", title="x"), site.hire("eve")
    users = {"base": PEOPLE, "filter": "(title=x)"}
    source = site.source(changes=way, users=users)
    mark = read(source).mark
    site.server.modify(ada, {"title": "y"})
    site.server.rename(bob, "uid=bob", SUFFIX)
    site.server.modify(eve, {"title": "x"})

    found = read(source, mark)

    left = {site.user(ada).anchor, site.user(f"uid=bob,{SUFFIX}").anchor}
    assert {a for a, absence in found.gone.items() if absence is Absence.LEFT} >= left
    assert left.isdisjoint(a for a, absence in found.gone.items() if absence is Absence.DELETED)
    assert eve in found.entries


def test_who_was_deleted_is_told_at_once_by_synchronisation(site: Site) -> None:
    ada = site.hire("ada")
    gone = site.user(ada).anchor
    mark = read(site.source()).mark
    site.server.delete(ada)

    found = read(site.source(), mark)

    assert found.gone == {gone: Absence.DELETED}


def test_by_time_who_was_deleted_shows_when_everything_is_read(site: Site) -> None:
    ada = site.hire("ada")
    source = site.source(changes="timestamps", fullReadEvery="PT1H")
    site.hire("bob")
    mark = read(source).mark
    site.server.delete(ada)
    assert Absence.DELETED not in read(source, mark).gone.values()

    site.clock._now += timedelta(hours=2)  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(WatermarkExpired):
        read(source, mark)
    assert ada not in read(source).entries
    assert look(source, Reference("User", Anchor("00000000-0000-0000-0000-000000000000"))) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_container_that_moves_takes_its_content_along(site: Site, way: str) -> None:
    """Nobody below it is told to have changed, so everything is read."""
    site.server.add(f"ou=a,{PEOPLE}", {"objectClass": "organizationalUnit"})
    site.hire("ada", base=f"ou=a,{PEOPLE}")
    source = site.source(changes=way)
    mark = read(source).mark
    site.server.rename(f"ou=a,{PEOPLE}", "ou=b")

    with pytest.raises(WatermarkExpired, match="container"):
        read(source, mark)
    assert f"uid=ada,ou=b,{PEOPLE}" in read(source).entries


@pytest.mark.parametrize("way", WAYS)
def test_a_watermark_is_good_for_its_own_base_filter_and_attributes(site: Site, way: str) -> None:
    site.hire("ada")
    mark = read(site.source(changes=way)).mark
    others = [
        {"users": {"base": PEOPLE}},
        {"users": {"filter": "(uid=*)"}},
        {"attributes": {"title": "role"}},
    ]
    for other in others:
        with pytest.raises(WatermarkExpired):
            read(site.source(changes=way, **other), mark)
    for odd in ("", "nonsense", "{}", '{"version": 99}'):
        with pytest.raises(WatermarkExpired):
            read(site.source(changes=way), Watermark(odd))


@pytest.mark.parametrize("way", WAYS)
def test_a_server_restored_from_a_backup_is_read_anew(site: Site, way: str) -> None:
    ada = site.hire("ada")
    kept = site.server.back_up()
    site.server.modify(ada, {"title": "after the backup"})
    site.hire("bob")
    source = site.source(changes=way)
    mark = read(source).mark
    site.server.restore(kept)

    with pytest.raises(WatermarkExpired):
        read(source, mark)
    assert read(source).entries[ada].attributes.get("jobTitle") is None


def test_a_restored_server_is_seen_through_although_it_went_on_since(site: Site) -> None:
    """Its state is newer than our cookie again, so that it notices nothing itself."""
    ada = site.hire("ada")
    kept = site.server.back_up()
    site.server.modify(ada, {"title": "after the backup"})
    site.hire("bob")
    mark = read(site.source()).mark
    site.server.restore(kept)
    site.hire("carl")

    with pytest.raises(WatermarkExpired):
        read(site.source(), mark)


@pytest.mark.parametrize("way", ["sync", "timestamps"])
def test_changes_of_one_second_are_told_apart(site: Site, way: str) -> None:
    """The last change that was read came later in the very second in which the server is now."""
    site.hire("ada")
    source = site.source(changes=way)
    told = marks.read(read(source).mark)
    assert told.newest is not None
    second, _, rest = told.newest.stamp.partition(".")
    later = msgspec.structs.replace(told.newest, stamp=f"{second}.999999{rest[6:]}")

    with pytest.raises(WatermarkExpired):
        read(source, marks.write(replace(told, newest=later)))


def test_after_a_restart_of_the_server_nothing_is_lost(site: Site) -> None:
    ada, bob = site.hire("ada"), site.hire("bob")
    gone = site.user(bob).anchor
    source = site.source()
    mark = read(source).mark
    site.server.restart()
    site.server.modify(ada, {"title": "x"})
    site.server.delete(bob)

    try:
        found = read(source, mark)
        assert found.gone[gone] is Absence.DELETED
    except WatermarkExpired:
        found = read(source)
        assert bob not in found.entries
    assert found.entries[ada].attributes["jobTitle"] == "x"


def test_a_quiet_directory_shows_nothing_and_stays_quiet(site: Site) -> None:
    site.hire("ada")
    mark = read(site.source()).mark
    for _ in range(2):
        found = read(site.source(), mark)
        assert (found.entries, found.gone) == ({}, {})
        mark = found.mark


# what proves nothing


def test_a_limit_of_the_server_leaves_no_receipt(site: Site) -> None:
    for number in range(510):
        site.hire(f"p{number}")
    limited = {"bindDn": LIMITED, "password": "limited", "pageSize": 100}
    for way in ("auto", "sync", "timestamps", "snapshot"):
        with pytest.raises(Unreachable, match="LimitExceeded") as failure:
            read(site.source(changes=way, **limited))
        assert failure.value.code == "SourceReadIncomplete"
    for way in ("auto", "snapshot"):
        found = read(site.source(changes=way))
        assert found.receipt is not None
        assert found.receipt.rows == {"User": 510, "Group": 0}


def test_a_part_that_is_held_elsewhere_leaves_no_receipt_unless_it_is_ignored(site: Site) -> None:
    site.hire("ada")
    site.server.add(
        f"ou=there,{SUFFIX}",
        {"objectClass": ["referral", "extensibleObject"], "ref": "ldap://127.0.0.1:1/ou=there"},
    )
    for way in ("auto", "snapshot"):
        with pytest.raises(Unreachable, match="held elsewhere") as failure:
            read(site.source(changes=way))
        assert failure.value.code == "SourceReadIncomplete"
    assert read(site.source(referrals="ignore")).receipt is not None
    with pytest.raises(Unreachable, match="not among referralServers"):
        read(site.source(referrals="follow", referralServers="other.example.com"))
    with pytest.raises(Unreachable, match="cannot be reached"):
        read(site.source(referrals="follow", referralServers="127.0.0.1"))


def test_a_referral_is_followed_to_the_server_that_is_named(site: Site, tmp_path: Path) -> None:
    with OpenLdap.run(tmp_path / "other") as other:
        other.add(f"uid=far,{SUFFIX}", {"objectClass": "inetOrgPerson", "cn": "far", "sn": "far"})
        site.server.add(
            f"ou=there,{SUFFIX}",
            {"objectClass": ["referral", "extensibleObject"], "ref": f"{other.url}/{SUFFIX}"},
        )
        found = read(site.source(referrals="follow", referralServers="127.0.0.1"))
        assert f"uid=far,{SUFFIX}" in found.entries
        assert found.receipt is not None
        assert found.receipt.watermark is None


def test_an_anchor_that_two_have_or_one_lacks_voids_its_kind(site: Site) -> None:
    site.hire("ada", employeeNumber="1")
    site.hire("bob", employeeNumber="1")
    site.hire("eve")
    source = site.source(users={"anchor": "employeeNumber"}, changes="snapshot")

    found = read(source)

    assert found.receipt is not None
    assert set(found.receipt.void) == {"User"}
    assert len(found.faults) == 2
    assert "has the same employeeNumber" in found.faults[0]


def test_a_base_that_is_not_there_and_an_account_that_is_not_known(site: Site) -> None:
    with pytest.raises(Unreachable, match="has no 'ou=nowhere"):
        read(site.source(base=f"ou=nowhere,{SUFFIX}"))
    with pytest.raises(Denied, match="invalidCredentials"):
        read(site.source(password="wrong"))


# setting it up


def test_a_probe_says_what_there_is_and_what_will_be_done(site: Site) -> None:
    site.hire("ada")

    report = asyncio.run(LdapProber(site.settings(), WANTED).probe())

    assert report.is_usable
    said = {finding.code: finding.message for finding in report.findings}
    assert "All 1 User objects" in " ".join(f.message for f in report.findings)
    assert "synchronisation" in said["Abilities"]
    assert said["Synchronises"]
    assert f"dn:{READER}" in said["CredentialsAccepted"]
    assert all(f.remedy for f in report.findings if f.weight is not Weight.OK)


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"password": "wrong"}, "InvalidCredentials"),
        ({"base": f"ou=nowhere,{SUFFIX}"}, "SourceReadIncomplete"),
        ({"users": {"anchor": "title"}}, "SourceRowInvalid"),
        ({"url": "ldap://127.0.0.1:1"}, "TargetUnreachable"),
    ],
)
def test_a_probe_names_what_is_wrong_and_the_way_out(
    site: Site, chosen: dict[str, object], code: str
) -> None:
    site.hire("ada")
    report = asyncio.run(LdapProber(site.settings(**chosen), WANTED).probe())

    assert not report.is_usable
    errors = [finding for finding in report.findings if finding.weight is Weight.ERROR]
    assert [finding.code for finding in errors] == [code]
    assert errors[0].remedy


def test_what_a_directory_has_is_read_from_its_schema(site: Site) -> None:
    found = asyncio.run(LdapProber(site.settings(), WANTED).discover())

    users, groups = ({a.name: a for a in one.attributes} for one in found.objects)
    assert users["objectId"].is_anchor
    assert users["manager"].type is AttributeType.REFERENCE
    assert users["userPrincipalName"].type is AttributeType.STRING
    assert users["carLicense"].is_multivalued
    assert not users["mail"].is_multivalued
    assert users["jpegPhoto"].type is AttributeType.BINARY
    assert groups["members"].type is AttributeType.REFERENCE
    assert "displayName" in groups
