"""Entries whole: what is pointed at by GUID has become references of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provisor.connectors.activedirectory.domain import INCOMPLETE, Domain, Tally
from provisor.connectors.activedirectory.settings import USER, Kind
from provisor.connectors.activedirectory.shape import MANAGER, MEMBERS, Raw
from provisor.connectors.activedirectory.values import Named
from provisor.errors import Unreachable
from provisor.model.entries import Anchor, Change, Entry, Reference, Seen


async def seen(domain: Domain, kind: Kind, raws: Sequence[Raw], tally: Tally) -> list[Change]:
    """Return the objects that these entries are. Raises Unreachable, Denied."""
    pointed = (one for raw in raws for one in raw.members)
    await domain.classify(anchors_of(domain, pointed), tally)
    return [Seen(await _entry(domain, kind, raw, tally)) for raw in raws]


def anchors_of(domain: Domain, pointed: Iterable[Named]) -> Iterator[Anchor]:
    for one in pointed:
        if one.anchor is None:
            message = f"{domain.where} names '{one.dn}' without its GUID, so nobody knows who it is"
            raise Unreachable(message, code=INCOMPLETE)
        yield one.anchor


async def _entry(domain: Domain, kind: Kind, raw: Raw, tally: Tally) -> Entry:
    attributes = raw.attributes
    if raw.manager is not None:
        (anchor,) = anchors_of(domain, [raw.manager])
        # Who is not known by now is taken for a person: managers are.
        attributes[MANAGER] = Reference(tally.kinds.get(anchor) or USER, anchor)
    if domain.shape(kind).is_group:
        held = {
            Reference(of_kind, anchor)
            for anchor in anchors_of(domain, raw.members)
            if (of_kind := tally.kinds[anchor])
        }
        if domain.settings.primary_groups and raw.rid:
            held |= {*await domain.of_primary_group(raw.rid, tally)}
        if held:
            attributes[MEMBERS] = tuple(sorted(held, key=_in_order))
    return Entry(kind.name, raw.anchor, attributes)


def _in_order(reference: Reference) -> tuple[str, str]:
    return reference.anchor, reference.kind
