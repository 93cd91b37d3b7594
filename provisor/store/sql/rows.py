"""A standing as it lies in the tables: read whole, written where it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from provisor.model.decisions import (
    Image,
    Link,
    LinkState,
    Span,
    Staged,
    Standing,
    StandingKey,
)
from provisor.model.entries import NO_ATTRIBUTES, Absence, Anchor, Entry, Reference
from provisor.model.rules import MappingName
from provisor.store import transitions
from provisor.store.sql.codec import (
    Shapes,
    decode_echoes,
    decode_escrow,
    decode_name,
    decode_queries,
    decode_span,
    encode_echoes,
    encode_escrow,
    encode_name,
    encode_queries,
    encode_span,
    fingerprint,
    from_micros,
    to_micros,
)
from provisor.store.sql.database import NUMBERS, Connection, Database
from provisor.store.sql.documents import to_json
from provisor.store.sql.writes import Writes

HEAD = """
s.number, s.anchor, s.is_assigned, s.seen, s.settled, s.target, s.state, s.is_created_by_us,
s.attempt, s.references_seen, s.references_settled, s.spans,
s.absence IS NOT NULL OR s.escrow IS NOT NULL OR s.references_escrow IS NOT NULL
OR s.staged_at IS NOT NULL OR s.references_staged_at IS NOT NULL OR s.echoes IS NOT NULL
"""
"""Fetching a column costs as much as finding its row: what is rare is fetched when it is there."""
WIDTH, SPAN_COUNT = 13, 11
NO_SPANS: Mapping[str, Span] = MappingProxyType({})
RARE = """
SELECT absence, absent_since, escrow, staged_at, staged_seen, staged_approved, references_escrow,
       references_staged_at, references_staged_seen, references_staged_approved, echoes
FROM standing WHERE number = ?
"""
NOTHING_RARE = (None,) * 11
WHOLE = f"{HEAD}, m.generation, i.shape, i.content, i.version, o.shape, o.content, o.version"
BESIDE_IT = """
JOIN mark m ON m.standing = s.number
JOIN source o ON o.standing = s.number
LEFT JOIN image i ON i.standing = s.number
"""
STANDING = f"SELECT {WHOLE} FROM standing s {BESIDE_IT}"  # noqa: S608
STANDINGS = f"""
SELECT {WHOLE}
FROM json_each(?) asked
CROSS JOIN standing s ON s.mapping = ? AND s.anchor = asked.value
{BESIDE_IT}
"""  # noqa: S608
SPANS = f"SELECT standing, attribute, content FROM span WHERE standing IN {NUMBERS}"  # noqa: S608
BRIEFLY = f"""
SELECT {HEAD}, i.standing, i.version
FROM standing s LEFT JOIN image i ON i.standing = s.number
WHERE s.mapping = ? AND s.anchor = ?
"""  # noqa: S608
NEW_STANDING = ("number", "mapping", "anchor", "kind", "print", "seen", "due_at", "has_references")
MARK = ("standing", "generation")
SOURCE = ("standing", "shape", "content", "version")
REFERENCE = ("standing", "attribute", "is_single", "kind", "anchor", "job")
PLAIN = ("absence", "is_assigned", "seen", "settled", "references_seen", "references_settled")
BESIDE = ("mark", "source", "image", "span", "reference")
"""Tables that hold what belongs to a standing, by its number."""


def load(
    connection: Connection, shapes: Shapes, mapping: int, key: StandingKey
) -> tuple[int, Standing] | None:
    """Return a standing with its number."""
    row = connection.execute(
        STANDING + "WHERE s.mapping = ? AND s.anchor = ?", (mapping, key.anchor)
    ).fetchone()
    return (row[0], compose(connection, shapes, key, row)) if row else None


def load_all(
    connection: Connection, shapes: Shapes, name: MappingName, mapping: int, anchors: str
) -> dict[StandingKey, tuple[int, Standing]]:
    """Return those standings of a mapping whose anchors a JSON array holds, with their numbers."""
    found = connection.execute(STANDINGS, (anchors, mapping)).fetchall()
    spans = _spans_of(connection, shapes, [row[0] for row in found if row[SPAN_COUNT]])
    loaded: dict[StandingKey, tuple[int, Standing]] = {}
    for row in found:
        key = StandingKey(name, Anchor(row[1]))
        loaded[key] = row[0], compose(connection, shapes, key, row, spans)
    return loaded


def _spans_of(
    connection: Connection, shapes: Shapes, numbers: list[int]
) -> dict[int, dict[str, Span]]:
    found: dict[int, dict[str, Span]] = {}
    if numbers:
        for number, attribute, content in connection.execute(SPANS, (to_json(numbers),)).fetchall():
            found.setdefault(number, {})[decode_name(shapes, attribute)] = decode_span(content)
    return found


def compose(
    connection: Connection,
    shapes: Shapes,
    key: StandingKey,
    row: tuple[Any, ...],
    spans: Mapping[int, Mapping[str, Span]] | None = None,
) -> Standing:
    """Return the standing that a row of STANDING holds; its spans are read unless given."""
    generation, *image, shape, content, version = row[WIDTH:]
    kind, attributes = shapes.decode(shape, content)
    source = Entry(kind, key.anchor, attributes, version)
    known = None if spans is None else spans.get(row[0], NO_SPANS)
    return _compose(connection, shapes, row, key, source, _image(shapes, *image), generation, known)


def _image(shapes: Shapes, shape: int, content: bytes | None, version: str | None) -> Image | None:
    return None if content is None else Image(shapes.decode(shape, content)[1], version)


def load_again(
    connection: Connection, shapes: Shapes, mapping: int, known: Standing
) -> tuple[int, Standing] | None:
    """Return what a standing that was read before is by now, but for what its image says; None
    if its source has changed, and it must be read anew."""
    row = connection.execute(BRIEFLY, (mapping, known.key.anchor)).fetchone()
    if row is None or row[3] != known.seen:  # a source that says something else was seen anew
        return None
    has_image, version = row[WIDTH:]
    image = None if has_image is None else Image(NO_ATTRIBUTES, version)
    again = _compose(connection, shapes, row, known.key, known.source, image, known.generation)
    return row[0], again


def _compose(
    connection: Connection,
    shapes: Shapes,
    row: tuple[Any, ...],
    key: StandingKey,
    source: Entry | None,
    image: Image | None,
    generation: int,
    referred: Mapping[str, Span] | None = None,
) -> Standing:
    (number, _, is_assigned, seen, settled, target, state, is_ours, attempt) = row[:9]
    (references_seen, references_settled, spans, is_rare) = row[9:WIDTH]
    rare = NOTHING_RARE
    if is_rare:
        rare = connection.execute(RARE, (number,)).fetchone()
    absence, absent_since, escrow = rare[:3]
    if referred is None:
        referred = load_spans(connection, shapes, number) if spans else NO_SPANS
    link = None
    if target is not None:
        echoes = decode_echoes(rare[10])
        link = Link(Anchor(target), image, LinkState(state), bool(is_ours), echoes)
    return Standing(
        key=key,
        source=source,
        absence=Absence(absence) if absence else None,
        absent_since=None if absent_since is None else from_micros(absent_since),
        is_assigned=bool(is_assigned),
        seen=seen,
        settled=settled,
        link=link,
        attempt=decode_queries(attempt),
        escrow=decode_escrow(escrow),
        generation=generation,
        staged=_staged(rare[3:6]),
        references_seen=references_seen,
        references_settled=references_settled,
        references_escrow=decode_escrow(rare[6]),
        references_staged=_staged(rare[7:10]),
        referred=referred,
    )


def _staged(columns: tuple[Any, ...]) -> Staged | None:
    at, seen, is_approved = columns
    return None if at is None else Staged(from_micros(at), seen, bool(is_approved))


def load_spans(connection: Connection, shapes: Shapes, number: int) -> dict[str, Span]:
    rows = connection.execute("SELECT attribute, content FROM span WHERE standing = ?", (number,))
    return {
        decode_name(shapes, attribute): decode_span(content)
        for attribute, content in rows.fetchall()
    }


# writing


def due_at(standing: Standing) -> int | None:
    """Return from when an object is due: 0 for always, None for never."""
    if transitions.is_unsettled(standing):
        return 0
    return to_micros(standing.escrow.retry_at) if standing.escrow else None


def references_due_at(standing: Standing, *, has_references: bool) -> int | None:
    if standing.link is None or standing.link.state is not LinkState.MANAGED:
        return None
    is_open = standing.references_settled != standing.references_seen
    if standing.references_staged is not None or (is_open and has_references):
        return 0
    escrow = standing.references_escrow
    return to_micros(escrow.retry_at) if escrow else None


def save(writes: Writes, shapes: Shapes, number: int, before: Standing, after: Standing) -> None:
    """Write what has changed of a standing, but for its source.

    A column that is not named is not written, nor are the indexes that it is part of.
    """
    changed = _changes(before, after)
    if changed:
        writes.standing(number, changed)
    old = before.link.image if before.link else None
    new = after.link.image if after.link else None
    if old is not new:
        _save_image(writes, shapes, number, new)
    if before.referred is not after.referred:
        _save_spans(writes, shapes, number, before.referred, after.referred)


def _changes(before: Standing, after: Standing) -> dict[str, object]:
    """Return the columns that differ, in an order that is always the same."""
    changed: dict[str, object] = {}
    if _plain(before) != _plain(after):
        pairs = zip(PLAIN, _plain(before), _plain(after), strict=True)
        changed = {name: new for name, old, new in pairs if old != new}
    if before.absent_since != after.absent_since:
        changed["absent_since"] = _micros(after.absent_since)
    if before.link is not after.link:
        old, new = _link_columns(before.link), _link_columns(after.link)
        changed |= {name: value for name, value in new.items() if old[name] != value}
    if before.attempt != after.attempt:
        changed["attempt"] = encode_queries(after.attempt)
    if before.escrow is not after.escrow:
        changed["escrow"] = encode_escrow(after.escrow)
    if before.references_escrow is not after.references_escrow:
        changed["references_escrow"] = encode_escrow(after.references_escrow)
    if before.staged is not after.staged:
        changed |= _staged_columns("staged", after.staged)
    if before.references_staged is not after.references_staged:
        changed |= _staged_columns("references_staged", after.references_staged)
    return changed | _derived(before, after)


_plain: Callable[[Standing], tuple[object, ...]] = attrgetter(*PLAIN)


def _derived(before: Standing, after: Standing) -> dict[str, object]:
    """Return those columns that differ which follow from others, so that they can be asked for."""
    changed: dict[str, object] = {}
    old, new = due_at(before), due_at(after)
    if old != new:
        changed["due_at"] = new
    if len(before.referred) != len(after.referred):
        changed["spans"] = len(after.referred)
    are_spans_same = before.referred is after.referred or not (before.referred or after.referred)
    is_same = before.source is after.source and are_spans_same
    if before.link is None and after.link is None and is_same:
        return changed  # nothing of its references has changed, and none is due
    had = has = transitions.has_references(after)
    if not is_same:
        had = transitions.has_references(before)
    if had != has:
        changed["has_references"] = has
    old = references_due_at(before, has_references=had)
    new = references_due_at(after, has_references=has)
    if old != new:
        changed["references_due_at"] = new
    return changed


def _link_columns(link: Link | None) -> dict[str, object]:
    if link is None:
        return {"target": None, "state": None, "is_created_by_us": False, "echoes": None}
    return {
        "target": link.target,
        "state": link.state,
        "is_created_by_us": link.is_created_by_us,
        "echoes": encode_echoes(link.echoes),
    }


def _micros(time: datetime | None) -> int | None:
    return None if time is None else to_micros(time)


def _staged_columns(prefix: str, staged: Staged | None) -> dict[str, object]:
    at, seen, is_approved = None, None, None
    if staged is not None:
        at, seen, is_approved = to_micros(staged.at), staged.seen, staged.is_approved
    return {f"{prefix}_at": at, f"{prefix}_seen": seen, f"{prefix}_approved": is_approved}


def _save_image(writes: Writes, shapes: Shapes, number: int, image: Image | None) -> None:
    if image is None:
        writes.no_image(number)
    else:
        shape, content = shapes.encode("", image.attributes)
        writes.image(number, shape, content, image.version)


def _save_spans(
    writes: Writes,
    shapes: Shapes,
    number: int,
    before: Mapping[str, Span],
    after: Mapping[str, Span],
) -> None:
    for attribute in before.keys() - after.keys() if before else ():
        writes.no_span(number, encode_name(shapes, attribute))
    for attribute, span in after.items():
        if before.get(attribute) != span:
            name = encode_name(shapes, attribute)
            writes.span(number, name, encode_span(span), len(span.possible))


def save_source(
    database: Database,
    writes: Writes,
    shapes: Shapes,
    job: int,
    number: int,
    before: Standing,
    after: Standing,
) -> None:
    """Write a source entry that says something new, and whom it points at."""
    assert after.source is not None
    entry = after.source
    shape, content = shapes.encode(entry.kind, entry.attributes)
    writes.source(number, shape, content, entry.version)
    writes.standing(number, {"kind": entry.kind, "print": fingerprint(shape, content)})
    old, new = reference_rows(before.source), reference_rows(entry)
    database.connection.executemany(
        "DELETE FROM reference WHERE standing = ? AND attribute = ? AND is_single = ?"
        " AND kind = ? AND anchor = ?",
        [(number, *row) for row in old - new],
    )
    database.bring("reference", REFERENCE, [(number, *row, job) for row in new - old])


def reference_rows(entry: Entry | None) -> set[tuple[str, bool, str, str]]:
    """Return attribute, whether it holds one, kind and anchor of each reference."""
    rows: set[tuple[str, bool, str, str]] = set()
    for name, value in entry.attributes.items() if entry else ():
        if value.__class__ is str:  # as most are: nothing more is to be asked of them
            continue
        if isinstance(value, Reference):
            rows.add((name, True, value.kind, value.anchor))
        elif isinstance(value, tuple):
            for one in value:
                if isinstance(one, Reference):
                    rows.add((name, False, one.kind, one.anchor))
    return rows


def forget(connection: Connection, number: int) -> None:
    for table in BESIDE:
        connection.execute(f"DELETE FROM {table} WHERE standing = ?", (number,))  # noqa: S608
    connection.execute("DELETE FROM standing WHERE number = ?", (number,))
