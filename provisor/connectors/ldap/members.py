"""Who is in a group of a directory, and what stands for him there. Holds no way to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from provisor.connectors.ldap.looks import LdapLooks
from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldapwire import names, ranges
from provisor.connectors.ldapwire.messages import Scope, Search
from provisor.connectors.ldapwire.results import Code, read_failure
from provisor.connectors.ldapwire.schema import Schema
from provisor.errors import Stale
from provisor.model.entries import Anchor, Reference
from provisor.ports import Referred

MEMBER_UID: Final = "memberuid"


def attribute_of(schema: Schema, mapped: Mapped, name: str) -> str:
    """Return the attribute that is meant: of members the first that the group's classes have."""
    if name.lower() not in ("members", *map(str.lower, mapped.kind.members)):
        return name
    offered: set[str] = set()
    for one in mapped.kind.classes:
        must, may = schema.takes(one)
        offered |= {attribute.lower() for attribute in must | may}
    wanted = [m for m in mapped.kind.members if m.lower() in offered]
    return (wanted or [*mapped.kind.members, "member"])[0]


def placeholder(mapped: Mapped, dn: str) -> bytes:
    """Return what stands in a group whose class wants a member while it has none."""
    return (mapped.kind.placeholder or dn).encode()


async def values_of(
    looks: LdapLooks, attribute: str, references: Iterable[Reference]
) -> dict[Reference, bytes]:
    """Return what stands for objects in a group: names, or login names."""
    known = await looks.names_of(references)
    if attribute.lower() != MEMBER_UID:
        return {reference: dn.encode() for reference, dn in known.items()}
    found: dict[Reference, bytes] = {}
    for reference, dn in known.items():
        shown, _ = await looks.look(Search(base=dn, scope=Scope.BASE, attributes=("uid",)))
        if shown and (uids := shown[0].values("uid")):
            found[reference] = uids[0]
    return found


async def held(looks: LdapLooks, dn: str, attribute: str) -> set[bytes]:
    """Return all values of an attribute of an entry. Raises Stale where there is no such entry."""
    found, result = await looks.look(Search(base=dn, scope=Scope.BASE, attributes=(attribute,)))
    if result.code == Code.NO_SUCH_OBJECT:
        raise Stale(f"there is no '{dn}' any more", code="InvalidAnchor")
    if not result.is_success:
        raise read_failure(result, f"looking at '{dn}'")
    connection = await looks.session.connection()
    whole = [await ranges.complete(connection, one) for one in found]
    return {value for one in whole for value in one.values(attribute)}


def normal(value: bytes) -> str:
    return names.normal(value.decode(errors="replace"))


async def referred(
    looks: LdapLooks, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
) -> Referred:
    """Return who is in a group. Others are told by what stands for them there.

    What objects were called when they were last seen is tried first: most are still called so.
    """
    mapped = looks.mapped(kind)
    found = await looks.found(kind, anchor)
    if found is None:
        raise Stale(f"there is no {kind} {anchor}", code="InvalidAnchor")
    attribute = attribute_of(await looks.schema(), mapped, name)
    there = {normal(one): one for one in await held(looks, found.dn, attribute)}
    there.pop(normal(placeholder(mapped, found.dn)), None)
    called: Mapping[Reference, bytes] = {}
    if attribute.lower() != MEMBER_UID:
        called = {r: looks.dns[r.anchor].encode() for r in known if r.anchor in looks.dns}
    shown = _shown(called, there)
    shown |= _shown(await values_of(looks, attribute, known - shown.keys()), there)
    others = there.keys() - shown.values()
    return Referred(
        frozenset(shown),
        frozenset(Reference("", Anchor(there[one].decode(errors="replace"))) for one in others),
    )


def _shown(called: Mapping[Reference, bytes], there: Mapping[str, bytes]) -> dict[Reference, str]:
    """Return who is there, by what is there for him."""
    spelled = {reference: normal(value) for reference, value in called.items()}
    return {reference: one for reference, one in spelled.items() if one in there}
