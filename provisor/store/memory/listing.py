"""What the target has shown of itself in this cycle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from provisor.model.decisions import Image
from provisor.model.entries import Anchor, Entry, MatchQuery
from provisor.ports import Drift, Listed
from provisor.store import transitions
from provisor.store.frame import spell
from provisor.store.memory.desk import Desk


def recognise(desk: Desk, kind: str, prints: Mapping[Anchor, int]) -> Collection[Anchor]:
    known: list[Anchor] = []
    for anchor, print in prints.items():
        image = _image(desk, kind, anchor)
        if image is not None and desk.job.prints.get((kind, anchor)) == (image, print):
            desk.job.listing.recognised.add((kind, anchor))
            known.append(anchor)
    return known


def record(desk: Desk, listed: Sequence[Listed], *, repairs: bool) -> Sequence[Drift]:
    drifts: list[Drift] = []
    for one in listed:
        entry = one.entry
        desk.job.listing.entries[entry.kind, entry.anchor] = (entry, one.answers_to)
        drift = _picture(desk, entry, repairs=repairs)
        drifts += [drift] if drift else []
        _learn(desk, one)
    return drifts


def end(desk: Desk, kinds: Collection[str], *, is_complete: bool) -> None:
    for standing in desk.all():
        link, kind = standing.link, desk.target_kind(standing.key)
        if link is None or link.state in transitions.UNPICTURED or kind not in kinds:
            continue
        if not desk.job.listing.has_shown(kind, link.target):
            desk.put(transitions.unsettle(transitions.in_doubt(standing)))
    if is_complete and desk.job.listing.is_indexed:
        desk.job.listing.complete |= frozenset(kinds)


def find(desk: Desk, query: MatchQuery) -> Sequence[Entry] | None:
    listing = desk.job.listing
    if query.kind not in listing.complete:
        return None
    asked = spell(query)
    found = [e for e, answers in listing.entries.values() if asked in map(spell, answers)]
    return sorted(found, key=lambda entry: entry.anchor)


def _image(desk: Desk, kind: str, anchor: Anchor) -> Image | None:
    standing = desk.governor(kind, anchor)
    return standing.link.image if standing and standing.link else None


def _learn(desk: Desk, one: Listed) -> None:
    """Remember how an object was sent that says what its image does."""
    kind, anchor = one.entry.kind, one.entry.anchor
    image = _image(desk, kind, anchor)
    said = Image(transitions.depicted(one.entry.attributes), one.entry.version)
    if one.print is not None and image is not None and image == said:
        desk.job.prints[kind, anchor] = (image, one.print)


def _picture(desk: Desk, entry: Entry, *, repairs: bool) -> Drift | None:
    standing = desk.governor(entry.kind, entry.anchor)
    if standing is None or standing.link is None:
        return None
    link = standing.link
    if link.state in transitions.UNPICTURED:
        return None
    shown = desk.note(standing.key).shown
    pictured, is_drift = transitions.pictured(standing, entry, shown, repairs=repairs)
    desk.put(pictured)
    return Drift(standing.key, link, entry) if is_drift else None
