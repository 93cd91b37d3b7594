"""What is asked of a job's standings. Nothing here writes."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import repeat
from types import MappingProxyType
from typing import Any

from provisor.model.decisions import LinkState, Standing, StandingKey
from provisor.model.entries import Anchor, Entry, EntryKey, MatchQuery, Reference
from provisor.model.rules import MappingName
from provisor.store import transitions
from provisor.store.frame import HeldSnapshot
from provisor.store.sql import rows
from provisor.store.sql.codec import encode_name, from_micros, to_micros
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json
from provisor.store.sql.rare import Rare

MAY_GOVERN = """
(attempt IS NOT NULL OR target IS NOT NULL AND (state <> 'released' OR absence = 'deleted'))
"""
WAITING = """
staged_at IS NOT NULL AND NOT (staged_approved AND staged_seen = seen)
"""
REFERENCES_WAITING = """
references_staged_at IS NOT NULL
AND NOT (references_staged_approved AND references_staged_seen = references_seen)
"""
SHOWN = """
EXISTS (SELECT 1 FROM mark m WHERE m.standing = s.number AND m.generation = ?)
"""
LINKED_TO = "SELECT state, target FROM standing WHERE mapping = ? AND anchor = ?"
FEW = 4
RECALLED_FEW = 100
NOTHING: Mapping[StandingKey, Standing] = MappingProxyType({})


def keys_where(desk: Desk, condition: str, *bound: object) -> list[StandingKey]:
    """Return the objects of which a condition holds, ordered by key, and nothing else of them."""
    return [StandingKey(name, anchor) for name, (anchor,) in _where(desk, "", condition, *bound)]


def _where(
    desk: Desk, more: str, condition: str, *bound: object
) -> Iterator[tuple[MappingName, tuple[Any, ...]]]:
    """Yield the anchors of objects, and what `more` says of each, ordered by key: all mappings in
    one question, each from its own index."""
    of_mapping = [(name, mapped.number) for name, mapped in desk.mappings().items()]
    if not of_mapping:
        return
    statement = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {place} AS place, anchor{more} FROM standing s"  # noqa: S608
        f" WHERE mapping = ? AND {condition} ORDER BY anchor) m{place}"
        for place in range(len(of_mapping))
    )
    asked = [one for _, number in of_mapping for one in (number, *bound)]
    for place, *row in desk.run(statement, asked):
        yield of_mapping[place][0], tuple(row)


def counts_where(desk: Desk, condition: str, *bound: object) -> dict[MappingName, int]:
    of_mapping = [(name, mapped.number) for name, mapped in desk.mappings().items()]
    if not of_mapping:
        return {}
    counted = ", ".join(
        f"(SELECT count(*) FROM standing s WHERE mapping = ? AND {condition})"  # noqa: S608
        for _ in of_mapping
    )
    asked = [one for _, number in of_mapping for one in (number, *bound)]
    counts = desk.run(f"SELECT {counted}", asked).fetchone()
    return {name: n for (name, _), n in zip(of_mapping, counts, strict=True) if n}


UNSEEN = "NOT EXISTS (SELECT 1 FROM image i WHERE i.standing = s.number)"
"""No image is remembered of it."""


@dataclass(frozen=True, slots=True)
class Due:
    """Who is due up to some moment. There may be a million of them: nothing is held twice."""

    until: int
    has_looked: bool
    """It was asked of whom an image is remembered."""
    keys: list[StandingKey] = field(default_factory=list[StandingKey])
    due_at: array[int] = field(default_factory=lambda: array("q"))
    may_govern: bytearray = field(default_factory=bytearray)
    """Of each key, whether it may govern a target object."""
    is_unseen: bytearray = field(default_factory=bytearray)
    """Of each key, whether no image is remembered."""
    are_all_linked: bool = False

    def by(self, now: datetime, only: Iterable[int] | None = None) -> list[StandingKey]:
        """Return who is due by then, and of those only who is told to be chosen."""
        until = to_micros(now)
        chosen = repeat(1) if only is None else only
        told = zip(self.keys, self.due_at, chosen, strict=False)
        return [key for key, at, is_chosen in told if is_chosen and at <= until]


def due(desk: Desk, now: datetime) -> list[StandingKey]:
    return _due(desk, now).by(now)


def due_departures(desk: Desk, now: datetime) -> list[StandingKey]:
    found = _due(desk, now)
    return found.by(now, found.may_govern)


def due_unseen(desk: Desk, now: datetime) -> list[StandingKey]:
    found = _due(desk, now, looks_for_images=True)
    return found.by(now, found.is_unseen)


def _due(desk: Desk, now: datetime, *, looks_for_images: bool = False) -> Due:
    """Return who is due by now, and maybe a little later. A cycle asks this in three ways before
    it writes anything: the first answer is good for all of them."""
    known, until = desk.answers.get(Due), to_micros(now)
    is_known = isinstance(known, Due) and until <= known.until
    if isinstance(known, Due) and is_known and (known.has_looked or not looks_for_images):
        return known
    found, unlinked = Due(until, looks_for_images), 0
    more = f", due_at, {MAY_GOVERN}, {UNSEEN if looks_for_images else 0}, target IS NULL"
    for name, row in _where(desk, more, "due_at <= ?", until):
        anchor, at, may_govern, is_unseen, is_unlinked = row
        found.keys.append(StandingKey(name, anchor))
        found.due_at.append(at)
        found.may_govern.append(bool(may_govern))
        found.is_unseen.append(bool(is_unseen))
        unlinked += bool(is_unlinked)
    found = replace(found, are_all_linked=not unlinked)
    if desk.is_alone:
        desk.answers[Due] = found
    return found


def due_references(desk: Desk, now: datetime) -> list[StandingKey]:
    return keys_where(desk, "references_due_at <= ?", to_micros(now))


NOBODY: frozenset[EntryKey] = frozenset()


def superiors(desk: Desk, now: datetime) -> dict[StandingKey, frozenset[EntryKey]]:
    known = desk.answers.get(Due)
    if isinstance(known, Due) and known.are_all_linked and to_micros(now) <= known.until:
        return {}
    names = {mapped.number: name for name, mapped in desk.mappings().items()}
    found = desk.run(
        f"""
        SELECT s.mapping, s.anchor, r.kind, r.anchor
        FROM standing s JOIN reference r ON r.standing = s.number AND r.is_single
        WHERE s.mapping IN ({desk.numbers()}) AND s.due_at <= ? AND s.target IS NULL
          AND EXISTS (
            SELECT 1 FROM standing above
            WHERE above.mapping IN ({desk.numbers()}) AND above.anchor = r.anchor
              AND above.kind = r.kind AND above.due_at <= ? AND above.target IS NULL)
        """,  # noqa: S608
        (to_micros(now), to_micros(now)),
    )
    # Many have the same superior: each set of them is held once.
    above: dict[StandingKey, frozenset[EntryKey]] = {}
    alike: dict[frozenset[EntryKey], frozenset[EntryKey]] = {}
    for mapping, anchor, kind, referred in found:
        key = StandingKey(names[mapping], anchor)
        keys = above.get(key, NOBODY) | {EntryKey(kind, Anchor(referred))}
        above[key] = alike.setdefault(keys, keys)
    return above


def missing(desk: Desk) -> list[StandingKey]:
    return keys_where(desk, f"absence IS NULL AND NOT {SHOWN}", desk.frame.generation)


def shown(desk: Desk) -> dict[MappingName, int]:
    return counts_where(desk, f"absence IS NULL AND {SHOWN}", desk.frame.generation)


def recall(desk: Desk, keys: Collection[StandingKey]) -> list[Standing]:
    """Return those that are remembered. A cycle weighs few objects, and goes on to carry the same
    ones through: they are read once."""
    known: Mapping[StandingKey, Standing] = desk.answers.get(recall, NOTHING)
    if all(key in known for key in keys):
        return [known[key] for key in keys]
    recalled = _recall(desk, keys)
    if desk.is_alone and len(keys) <= RECALLED_FEW:
        desk.answers[recall] = {
            standing.key: standing for standing in recalled if not _waits(standing)
        }
    return recalled


def _waits(standing: Standing) -> bool:
    """Tell whether an administrator may approve something of it at any moment."""
    return standing.staged is not None or standing.references_staged is not None


def _recall(desk: Desk, keys: Collection[StandingKey]) -> list[Standing]:
    found: dict[StandingKey, tuple[int, Standing]] = {}
    for name, mapping, anchors in desk.by_mapping(keys):
        found |= rows.load_all(desk.connection, desk.shapes, name, mapping, to_json(anchors))
    recalled = [found[key] for key in keys if key in found]
    for number, standing in recalled:
        desk.held.keep(number, standing)
    return [standing for _, standing in recalled]


def held_snapshot(desk: Desk) -> HeldSnapshot | None:
    """Return the snapshot that waits for an administrator, who may approve it meanwhile."""
    (held,) = desk.run("SELECT held FROM job WHERE number = ?", (desk.job,)).fetchone()
    return from_json(held, HeldSnapshot) if held else None


def lookup(desk: Desk, text: str, limit: int) -> list[Standing]:
    """Any object whose source holds the text somewhere is looked at: this is for people."""
    found: list[Standing] = []
    for name, mapped in desk.mappings().items():
        cursor = desk.run(
            rows.STANDING + "WHERE s.mapping = ? AND"
            " (s.anchor = ? OR s.target = ? OR instr(o.content, CAST(? AS BLOB)))"
            " ORDER BY s.anchor",
            (mapped.number, text, text, text),
        )
        for row in cursor:
            key = StandingKey(name, row[1])
            standing = rows.compose(desk.connection, desk.shapes, key, row)
            if transitions.answers_to(standing, text):
                found.append(standing)
            if len(found) == limit:
                return found
    return found


def entries(desk: Desk, kind: str, after: Anchor | None, limit: int) -> list[Entry]:
    """Several mappings may take the same object: it is the same in all of them."""
    numbers = desk.numbers()
    found = desk.run(
        "SELECT s.anchor, o.shape, o.content, o.version FROM standing s"  # noqa: S608
        f" JOIN source o ON o.standing = s.number WHERE s.mapping IN ({numbers})"
        " AND s.kind = ? AND s.absence IS NULL AND s.anchor > ?"
        " AND NOT EXISTS (SELECT 1 FROM standing t WHERE t.anchor = s.anchor AND t.kind = s.kind"
        f" AND t.mapping IN ({numbers}) AND t.absence IS NULL AND t.mapping < s.mapping)"
        " ORDER BY s.anchor LIMIT ?",
        (kind, after or "", limit),
    )
    made: list[Entry] = []
    for anchor, shape, content, version in found:
        kind, attributes = desk.shapes.decode(shape, content)
        made.append(Entry(kind, Anchor(anchor), attributes, version))
    return made


def linked(desk: Desk, after: StandingKey | None, limit: int) -> list[Standing]:
    found: list[StandingKey] = []
    for name, mapped in desk.mappings().items():
        if after is not None and name < after.mapping:
            continue
        rows_ = desk.run(
            "SELECT anchor FROM standing WHERE mapping = ? AND target IS NOT NULL"
            " AND state <> 'claimed' AND anchor > ? ORDER BY anchor LIMIT ?",
            (
                mapped.number,
                after.anchor if after is not None and name == after.mapping else "",
                limit - len(found),
            ),
        )
        found += [StandingKey(name, anchor) for (anchor,) in rows_]
        if len(found) >= limit:
            break
    return recall(desk, found)


def owner(
    desk: Desk, kind: str, target: Anchor, queries: Sequence[MatchQuery]
) -> StandingKey | None:
    governor = desk.governor(kind, target)
    if governor is not None:
        return governor[1]
    return min(map(desk.key_of, desk.awaiting(queries)), default=None)


def anchors(
    desk: Desk, keys: Collection[StandingKey], states: Collection[LinkState]
) -> dict[StandingKey, Anchor]:
    """An object points at one or two others, a group at thousands: few are asked for one by one."""
    if len(keys) <= FEW:
        return _few_anchors(desk, keys, states)
    found: dict[StandingKey, Anchor] = {}
    wanted = to_json(sorted(states))
    for name, mapping, asked in desk.by_mapping(keys):
        for anchor, target in desk.run(
            "SELECT s.anchor, s.target FROM json_each(?) asked"
            " CROSS JOIN standing s ON s.mapping = ? AND s.anchor = asked.value"
            " WHERE s.state IN (SELECT value FROM json_each(?))",
            (to_json(asked), mapping, wanted),
        ):
            found[StandingKey(name, anchor)] = target
    return found


def _few_anchors(
    desk: Desk, keys: Iterable[StandingKey], states: Collection[LinkState]
) -> dict[StandingKey, Anchor]:
    found: dict[StandingKey, Anchor] = {}
    for key in keys:
        held = desk.held.find(key) if desk.is_alone else None
        if held is not None:
            link = held[1].link
            if link is not None and link.state in states:
                found[key] = link.target
            continue
        mapped = desk.mappings().get(key.mapping)
        if mapped is not None:
            row = desk.run(LINKED_TO, (mapped.number, key.anchor)).fetchone()
            if row is not None and row[0] in states:
                found[key] = row[1]
    return found


def departed(desk: Desk, since: datetime) -> frozenset[StandingKey]:
    if desk.is_none(Rare.DEPARTED):
        return frozenset()
    found = desk.run(
        "SELECT mapping, anchor FROM departure WHERE job = ? AND at >= ?",
        (desk.job, to_micros(since)),
    )
    return frozenset(StandingKey(MappingName(mapping), anchor) for mapping, anchor in found)


def members_removed(desk: Desk, since: datetime) -> dict[StandingKey, frozenset[Reference]]:
    found: dict[StandingKey, frozenset[Reference]] = {}
    for mapping, anchor, kind, target in desk.run(
        "SELECT mapping, anchor, kind, target FROM removal WHERE job = ? AND at >= ?",
        (desk.job, to_micros(since)),
    ):
        key = StandingKey(MappingName(mapping), Anchor(anchor))
        found[key] = found.get(key, frozenset()) | {Reference(kind, Anchor(target))}
    return found


def staged_since(desk: Desk) -> datetime | None:
    found = [
        at
        for what, at, waits in (
            (Rare.STAGED, "staged_at", WAITING),
            (Rare.REFERENCES_STAGED, "references_staged_at", REFERENCES_WAITING),
        )
        if not desk.is_none(what)
        for _, (_, at) in _where(desk, f", {at}", waits)
    ]
    return from_micros(min(found)) if found else None


def pointing_at_many(desk: Desk) -> list[StandingKey]:
    keys: list[StandingKey] = []
    for name, mapped in desk.mappings().items():
        attributes = [encode_name(desk.shapes, one) for one in mapped.note.pointing_at_many]
        if not attributes:
            continue
        places = ", ".join("?" for _ in attributes)
        found = desk.run(
            "SELECT anchor FROM standing s"  # noqa: S608
            " WHERE mapping = ? AND state = 'managed' AND spans > 0"
            " AND EXISTS (SELECT 1 FROM span p WHERE p.standing = s.number"
            f" AND p.attribute IN ({places})) ORDER BY anchor",
            (mapped.number, *attributes),
        )
        keys += [StandingKey(name, anchor) for (anchor,) in found]
    return sorted(keys)


def members(desk: Desk) -> int:
    return sum(
        _members_of(desk, mapped.number, name)
        for mapped in desk.mappings().values()
        for name in mapped.note.pointing_at_many
    )


def _members_of(desk: Desk, mapping: int, attribute: str) -> int:
    (count,) = desk.run(
        "SELECT coalesce(sum(p.possible), 0) FROM standing s"
        " JOIN span p ON p.standing = s.number AND p.attribute = ?"
        " WHERE s.mapping = ? AND s.spans > 0",
        (encode_name(desk.shapes, attribute), mapping),
    ).fetchone()
    return int(count)


def staged(desk: Desk) -> tuple[Mapping[StandingKey, int], Mapping[StandingKey, int]]:
    """Return the departures and the removals of members that nobody has approved yet."""
    departures: dict[StandingKey, int] = {}
    removals: dict[StandingKey, int] = {}
    for name, mapped in desk.mappings().items():
        for prefix, found in (("staged", departures), ("references_staged", removals)):
            rows_found = desk.run(
                f"SELECT anchor, {prefix}_seen FROM standing"  # noqa: S608
                f" WHERE mapping = ? AND {prefix}_at IS NOT NULL AND NOT {prefix}_approved",
                (mapped.number,),
            )
            found |= {StandingKey(name, anchor): seen for anchor, seen in rows_found}
    return departures, removals
