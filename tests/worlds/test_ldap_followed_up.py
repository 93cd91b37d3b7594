"""Who is pointed at by name, where names change hands and servers follow that up in silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from provisor.connectors.ldap import marks
from provisor.errors import WatermarkExpired
from provisor.model.entries import (
    Reference,
)
from tests.worlds import ldap_proxy as spoiled
from tests.worlds import openldap
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.ldap_site import WAYS, Site, read
from tests.worlds.openldap import OpenLdap


@pytest.fixture
def site(slapd: OpenLdap, tmp_path: Path) -> Site:
    return Site(slapd, tmp_path)


@pytest.fixture
def plain_site(tmp_path: Path) -> Iterator[Site]:
    """Return a server that keeps no references true, and remembers no sessions."""
    if not openldap.IS_THERE:
        pytest.skip(openldap.NOT_THERE)
    with OpenLdap.run(tmp_path / "plain", overlays=("syncprov",)) as server:
        yield Site(server, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_another_person_under_an_old_name_is_another_member(plain_site: Site, way: str) -> None:
    """The group has not changed: it names a name, and that name means somebody else now."""
    site = plain_site
    ada, bob = site.hire("ada"), site.hire("bob")
    group = site.found_group("g", member=[ada, bob])
    site.server.modify(bob, {"title": "x", "manager": ada})
    before = site.user(ada)
    source = site.source(changes=way)
    first = read(source)
    assert first.members(group) == {before, site.user(bob)}
    site.server.delete(ada)
    site.hire("ada")

    try:
        found = read(source, first.mark)
    except WatermarkExpired:
        found = read(source)

    assert site.user(ada) != before
    assert found.members(group) == {site.user(ada), site.user(bob)}
    assert found.entries[bob].attributes["manager"] == site.user(ada)


@pytest.mark.parametrize("way", WAYS)
def test_who_is_renamed_late_in_a_group_comes_back_although_nobody_tells_it(
    site: Site, way: str
) -> None:
    """A server that renames who is pointed at does so a while later, and tells nobody."""
    ada, bob = site.hire("ada"), site.hire("bob")
    crew = site.found_group("crew", member=[ada, bob])
    with LdapProxy.run(site.server.port) as proxy:
        source = site.source(url=proxy.url, changes=way)
        first = read(source)
        site.server.modify(crew, {"description": "changed meanwhile"})
        proxy.spoil(spoiled.hides("uid=ada"))
        between = read(source, first.mark)
        proxy.well()

        after = read(source, between.mark)

        assert between.members(crew) == {site.user(bob)}
        assert after.members(crew) == {site.user(ada), site.user(bob)}
        assert crew not in read(source, after.mark).entries or way == "timestamps"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_told_later", [False, True])
def test_who_has_the_name_of_another_is_a_member_only_until_the_server_has_followed_up(
    plain_site: Site, way: str, is_told_later: bool
) -> None:
    """OpenLDAP's refint takes the one before out of a group a while after he was deleted, and
    leaves the group's modifyTimestamp, entryCSN and whoever synchronises as they were."""
    site = plain_site
    ada, bob = site.hire("ada"), site.hire("bob")
    crew = site.found_group("crew", member=[bob] if is_told_later else [ada, bob])
    source = site.source(changes=way)
    mark = read(source).mark
    site.server.delete(ada)
    site.hire("ada")
    if is_told_later:
        mark = read(source, mark).mark
        site.server.modify(crew, {"member": [ada, bob]})
    try:
        meanwhile = read(source, mark)
    except WatermarkExpired:
        pytest.skip("everything was read")
    assert meanwhile.members(crew) == {site.user(ada), site.user(bob)}
    site.server.follow_up(crew, ada)

    followed: list[set[Reference]] = []
    mark = meanwhile.mark
    for _ in range(12):
        site.clock._now += timedelta(seconds=31)  # pyright: ignore[reportPrivateUsage]
        found = read(source, mark)
        mark = found.mark
        followed += [found.members(crew)] if crew in found.entries else []

    assert followed[0] == {site.user(bob)}
    assert len(followed) == 10 or way == "timestamps", "after five minutes it is not read any more"
    assert marks.read(mark).followed is None
