"""An LDAP source against a real 389 Directory Server, which synchronises in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Anchor, Reference
from tests.worlds import ds389
from tests.worlds.ds389 import Ds389
from tests.worlds.ldap_site import Shown, Site, read

LEFT = {"users": {"filter": "(!(title=left))"}}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if not ds389.IS_THERE:
        pytest.skip(ds389.NOT_THERE)
    with Ds389.run(tmp_path) as server:
        yield Site(server, tmp_path)


def read_on(site: Site, before: Shown, **chosen: object) -> Shown:
    """Read what changed, or everything where the server cannot tell."""
    source = site.source(**chosen)
    try:
        return read(source, before.mark)
    except WatermarkExpired:
        return read(source)


def test_whoever_leaves_shows_at_once_in_whatever_way(site: Site) -> None:
    """It tells who was deleted by another id than the anchor, and of who leaves the filter nothing:
    after a change everything is read."""
    ada, bob, cleo = map(site.hire, ("ada", "bob", "cleo"))
    first = read(site.source(**LEFT))
    assert set(first.entries) == {ada, bob, cleo}

    site.server.modify(ada, {"title": "left"})
    left = read_on(site, first, **LEFT)
    site.server.delete(bob)
    deleted = read_on(site, left, **LEFT)

    assert left.receipt is not None
    assert left.receipt.is_snapshot
    assert set(left.entries) == {bob, cleo}
    assert set(deleted.entries) == {cleo}


def test_where_nothing_changes_nothing_is_read(site: Site) -> None:
    ada, bob = site.hire("ada"), site.hire("bob")
    site.found_group("crew", member=[ada, bob])
    first = read(site.source())

    quiet = read(site.source(), first.mark)

    assert not quiet.entries
    assert not quiet.gone
    site.server.modify(ada, {"title": "x"})
    with pytest.raises(WatermarkExpired):
        read(site.source(), quiet.mark)


def test_a_base_that_is_not_there_is_no_empty_directory(site: Site) -> None:
    """It answers a search in pages with success, and nobody."""
    site.hire("ada")
    with pytest.raises(Unreachable, match=r"users\.base"):
        read(site.source(changes="timestamps", users={"base": "ou=nowhere,dc=example,dc=com"}))


@pytest.mark.parametrize("anchor", ["nsUniqueId", "entryUUID"])
def test_a_person_keeps_the_anchor_through_rename_and_move(site: Site, anchor: str) -> None:
    by = {"users": {"anchor": anchor}, "groups": {"objectClasses": "openGroup", "anchor": anchor}}
    ada = site.hire("ada")
    crew = site.found_group("crew", member=[ada])
    first = read(site.source(**by))
    site.server.rename(ada, "uid=ada.byron", "dc=example,dc=com")

    after = read_on(site, first, **by)

    known = first.entries[ada].anchor
    assert after.entries["uid=ada.byron,dc=example,dc=com"].anchor == known
    assert after.members(crew) == {Reference("User", Anchor(known))}
