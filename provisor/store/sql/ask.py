"""What is asked of a job's standings. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from provisor.model.decisions import LinkState, Standing, StandingKey
from provisor.model.entries import Anchor, Entry, EntryKey, MatchQuery, Reference
from provisor.model.rules import MappingName
from provisor.store import transitions
from provisor.store.sql import rows
from provisor.store.sql.codec import encode_name, from_micros, to_micros
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import to_json

MAY_GOVERN = """
AND (attempt IS NOT NULL OR target IS NOT NULL AND (state <> 'released' OR absence = 'deleted'))
"""
WAITING = """
staged_at IS NOT NULL AND NOT (staged_approved AND staged_seen = seen)
"""
REFERENCES_WAITING = """
references_staged_at IS NOT NULL
AND NOT (references_staged_approved AND references_staged_seen = references_seen)
"""
LINKED_TO = "SELECT state, target FROM standing WHERE mapping = ? AND anchor = ?"
FEW = 4


def keys_where(desk: Desk, condition: str, *bound: object) -> list[StandingKey]:
    """Return the objects of which a condition holds, ordered by key, and nothing else of them."""
    keys: list[StandingKey] = []
    for name, mapped in desk.mappings().items():
        found = desk.run(
            f"SELECT anchor FROM standing s WHERE mapping = ? AND {condition}"  # noqa: S608
            " ORDER BY anchor",
            (mapped.number, *bound),
        )
        keys += [StandingKey(name, anchor) for (anchor,) in found]
    return keys


def counts_where(desk: Desk, condition: str, *bound: object) -> dict[MappingName, int]:
    counts: dict[MappingName, int] = {}
    for name, mapped in desk.mappings().items():
        (count,) = desk.run(
            f"SELECT count(*) FROM standing s WHERE mapping = ? AND {condition}",  # noqa: S608
            (mapped.number, *bound),
        ).fetchone()
        if count:
            counts[name] = count
    return counts


def due(desk: Desk, now: datetime) -> list[StandingKey]:
    return keys_where(desk, "due_at <= ?", to_micros(now))


def due_departures(desk: Desk, now: datetime) -> list[StandingKey]:
    return keys_where(desk, f"due_at <= ? {MAY_GOVERN}", to_micros(now))


def due_unseen(desk: Desk, now: datetime) -> list[StandingKey]:
    unseen = "NOT EXISTS (SELECT 1 FROM image i WHERE i.standing = s.number)"
    return keys_where(desk, f"due_at <= ? AND {unseen}", to_micros(now))


def due_references(desk: Desk, now: datetime) -> list[StandingKey]:
    return keys_where(desk, "references_due_at <= ?", to_micros(now))


NOBODY: frozenset[EntryKey] = frozenset()


def superiors(desk: Desk, now: datetime) -> dict[StandingKey, frozenset[EntryKey]]:
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
    return keys_where(desk, f"absence IS NULL AND NOT {_is_shown(desk)}")


def shown(desk: Desk) -> dict[MappingName, int]:
    return counts_where(desk, f"absence IS NULL AND {_is_shown(desk)}")


def _is_shown(desk: Desk) -> str:
    (generation,) = desk.run("SELECT generation FROM job WHERE number = ?", (desk.job,)).fetchone()
    return (
        "EXISTS (SELECT 1 FROM mark m"  # noqa: S608
        f" WHERE m.standing = s.number AND m.generation = {generation:d})"
    )


def recall(desk: Desk, keys: Collection[StandingKey]) -> list[Standing]:
    found: dict[StandingKey, tuple[int, Standing]] = {}
    for name, mapping, anchors in desk.by_mapping(keys):
        found |= rows.load_all(desk.connection, desk.shapes, name, mapping, to_json(anchors))
    recalled = [found[key] for key in keys if key in found]
    for number, standing in recalled:
        desk.held.keep(number, standing)
    return [standing for _, standing in recalled]


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
    numbers = desk.numbers()
    found = [
        desk.run(f"SELECT min({at}) FROM standing WHERE mapping IN ({numbers}) AND {waits}")  # noqa: S608
        for at, waits in (("staged_at", WAITING), ("references_staged_at", REFERENCES_WAITING))
    ]
    times = [at for cursor in found for (at,) in cursor if at is not None]
    return from_micros(min(times)) if times else None


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
