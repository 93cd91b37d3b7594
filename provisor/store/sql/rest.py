"""What needs nothing, many at a time: for whoever asks what other rules would change."""

from __future__ import annotations

from collections.abc import Collection

from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, EntryKey
from provisor.model.rules import MappingName
from provisor.ports import Resting, Wanted
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import to_json

BESIDE = "JOIN source o ON o.standing = s.number LEFT JOIN image i ON i.standing = s.number"
IS_AT_REST = """
s.seen = s.settled AND s.attempt IS NULL AND s.absence IS NULL
AND s.escrow IS NULL AND s.references_escrow IS NULL
AND s.staged_at IS NULL AND s.references_staged_at IS NULL
AND (s.target IS NULL OR s.state = 'managed' AND s.echoes IS NULL AND i.standing IS NOT NULL)
"""
"""As `store.resting.is_at_rest` has it."""
AT_REST = f"""
SELECT s.anchor, s.is_assigned, o.shape, o.content, i.shape, i.content
FROM standing s {BESIDE} WHERE s.mapping = ? AND s.anchor > ? AND {IS_AT_REST}
ORDER BY s.anchor LIMIT ?
"""  # noqa: S608
ASTIR = f"""
SELECT s.anchor FROM standing s {BESIDE}
WHERE s.mapping = ? AND ({IS_AT_REST}) IS NOT TRUE ORDER BY s.anchor
"""  # noqa: S608
REFERRERS = """
SELECT DISTINCT s.mapping, s.anchor
FROM json_each(?) asked JOIN reference r ON r.job = ? AND r.kind = ? AND r.anchor = asked.value
JOIN standing s ON s.number = r.standing
"""


def at_rest(
    desk: Desk, mapping: MappingName, asked: Wanted, after: Anchor | None, limit: int
) -> list[Resting]:
    mapped = desk.mappings().get(mapping)
    if mapped is None:
        return []
    source_of, image_of = desk.shapes.reader(asked.source), desk.shapes.reader(asked.image)
    found = desk.run(AT_REST, (mapped.number, after or "", limit)).fetchall()
    return [
        Resting(
            anchor,
            bool(is_assigned),
            source_of(shape, content),
            None if image is None else image_of(image_shape, image),
        )
        for anchor, is_assigned, shape, content, image_shape, image in found
    ]


def astir(desk: Desk, mapping: MappingName) -> list[StandingKey]:
    mapped = desk.mappings().get(mapping)
    if mapped is None:
        return []
    return [StandingKey(mapping, anchor) for (anchor,) in desk.run(ASTIR, (mapped.number,))]


def referrers(desk: Desk, keys: Collection[EntryKey]) -> list[StandingKey]:
    names = {mapped.number: name for name, mapped in desk.mappings().items()}
    found: set[StandingKey] = set()
    for kind in {key.kind for key in keys}:
        asked = to_json([key.anchor for key in keys if key.kind == kind])
        for mapping, anchor in desk.run(REFERRERS, (asked, desk.job, kind)):
            found.add(StandingKey(names[mapping], anchor))
    return sorted(found)
