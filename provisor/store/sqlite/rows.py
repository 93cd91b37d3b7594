"""A standing as it lies in the tables: read whole, written where it changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
from provisor.model.entries import Absence, Anchor, Entry, Reference
from provisor.store import transitions
from provisor.store.sqlite.codec import (
    Shapes,
    decode_escrow,
    decode_queries,
    decode_span,
    encode_escrow,
    encode_queries,
    encode_span,
    fingerprint,
    from_micros,
    to_micros,
)
from provisor.store.sqlite.connect import Connection

STANDING = """
SELECT s.number, s.anchor, s.kind, s.absence, s.absent_since, s.is_assigned, s.seen, s.settled,
       s.target, s.state, s.is_created_by_us, s.attempt, s.escrow,
       s.staged_at, s.staged_seen, s.staged_approved,
       s.references_seen, s.references_settled, s.references_escrow,
       s.references_staged_at, s.references_staged_seen, s.references_staged_approved,
       s.spans, m.generation, o.shape, o.content, o.version, i.shape, i.content, i.version
FROM standing s
JOIN mark m ON m.standing = s.number
JOIN source o ON o.standing = s.number
LEFT JOIN image i ON i.standing = s.number
"""
INSERT_STANDING = """
INSERT INTO standing (number, mapping, anchor, kind, print, seen, due_at, has_references)
VALUES (?, ?, ?, ?, ?, 1, 0, ?)
"""
INSERT_MARK = "INSERT INTO mark (standing, generation) VALUES (?, ?)"
INSERT_SOURCE = "INSERT INTO source (standing, shape, content, version) VALUES (?, ?, ?, ?)"
INSERT_REFERENCE = """
INSERT INTO reference (standing, attribute, is_single, kind, anchor, job) VALUES (?, ?, ?, ?, ?, ?)
"""
UPDATE_STANDING = """
UPDATE standing
SET absence = ?, absent_since = ?, is_assigned = ?, seen = ?, settled = ?, due_at = ?,
    target = ?, state = ?, is_created_by_us = ?, attempt = ?, escrow = ?,
    staged_at = ?, staged_seen = ?, staged_approved = ?,
    references_seen = ?, references_settled = ?, references_due_at = ?, has_references = ?,
    spans = ?, references_escrow = ?,
    references_staged_at = ?, references_staged_seen = ?, references_staged_approved = ?
WHERE number = ?
"""
BESIDE = ("mark", "source", "image", "span", "reference", "claim")
"""Tables that hold what belongs to a standing, by its number."""


def load(
    connection: Connection, shapes: Shapes, mapping: int, key: StandingKey
) -> tuple[int, Standing] | None:
    """Return a standing with its number."""
    row = connection.execute(
        STANDING + "WHERE s.mapping = ? AND s.anchor = ?", (mapping, key.anchor)
    ).fetchone()
    return (row[0], compose(connection, shapes, key, row)) if row else None


def compose(
    connection: Connection, shapes: Shapes, key: StandingKey, row: tuple[Any, ...]
) -> Standing:
    """Return the standing that a row of STANDING holds."""
    (number, _, _, absence, absent_since, is_assigned, seen, settled) = row[:8]
    (target, state, is_ours, attempt, escrow) = row[8:13]
    (references_seen, references_settled, references_escrow) = row[16:19]
    (spans, generation, shape, content, version) = row[22:27]
    kind, attributes = shapes.decode(shape, content)
    return Standing(
        key=key,
        source=Entry(kind, key.anchor, attributes, version),
        absence=Absence(absence) if absence else None,
        absent_since=None if absent_since is None else from_micros(absent_since),
        is_assigned=bool(is_assigned),
        seen=seen,
        settled=settled,
        link=_link(shapes, target, state, is_ours, row[27:30]) if target is not None else None,
        attempt=decode_queries(attempt),
        escrow=decode_escrow(escrow),
        generation=generation,
        staged=_staged(row[13:16]),
        references_seen=references_seen,
        references_settled=references_settled,
        references_escrow=decode_escrow(references_escrow),
        references_staged=_staged(row[19:22]),
        referred=load_spans(connection, number) if spans else dict[str, Span](),
    )


def _link(shapes: Shapes, target: str, state: str, is_ours: int, image: tuple[Any, ...]) -> Link:
    shape, content, version = image
    known = None
    if content is not None:
        _, attributes = shapes.decode(shape, content)
        known = Image(attributes, version)
    return Link(Anchor(target), known, LinkState(state), bool(is_ours))


def _staged(columns: tuple[Any, ...]) -> Staged | None:
    at, seen, is_approved = columns
    return None if at is None else Staged(from_micros(at), seen, bool(is_approved))


def load_spans(connection: Connection, number: int) -> dict[str, Span]:
    rows = connection.execute("SELECT attribute, content FROM span WHERE standing = ?", (number,))
    return {attribute: decode_span(content) for attribute, content in rows}


# writing


def due_at(standing: Standing) -> int | None:
    """Return from when an object is due: 0 for always, None for never."""
    if transitions.is_unsettled(standing):
        return 0
    return to_micros(standing.escrow.retry_at) if standing.escrow else None


def references_due_at(standing: Standing) -> int | None:
    if standing.link is None or standing.link.state is not LinkState.MANAGED:
        return None
    if standing.references_staged or transitions.are_references_unsettled(standing):
        return 0
    escrow = standing.references_escrow
    return to_micros(escrow.retry_at) if escrow else None


def save(
    connection: Connection, shapes: Shapes, number: int, before: Standing, after: Standing
) -> None:
    """Write what has changed of a standing, but for its source and its claims."""
    connection.execute(UPDATE_STANDING, (*_columns(after), number))
    old = before.link.image if before.link else None
    new = after.link.image if after.link else None
    if old is not new:
        save_image(connection, shapes, number, new)
    if before.referred is not after.referred:
        _save_spans(connection, number, before.referred, after.referred)


def _columns(standing: Standing) -> tuple[object, ...]:
    link = standing.link
    return (
        standing.absence,
        _micros(standing.absent_since),
        standing.is_assigned,
        standing.seen,
        standing.settled,
        due_at(standing),
        link.target if link else None,
        link.state if link else None,
        bool(link and link.is_created_by_us),
        encode_queries(standing.attempt),
        encode_escrow(standing.escrow),
        *_staged_columns(standing.staged),
        standing.references_seen,
        standing.references_settled,
        references_due_at(standing),
        transitions.has_references(standing),
        len(standing.referred),
        encode_escrow(standing.references_escrow),
        *_staged_columns(standing.references_staged),
    )


def _micros(time: datetime | None) -> int | None:
    return None if time is None else to_micros(time)


def _staged_columns(staged: Staged | None) -> tuple[object, object, object]:
    if staged is None:
        return None, None, None
    return to_micros(staged.at), staged.seen, staged.is_approved


def save_image(connection: Connection, shapes: Shapes, number: int, image: Image | None) -> None:
    if image is None:
        connection.execute("DELETE FROM image WHERE standing = ?", (number,))
        return
    shape, content = shapes.encode("", image.attributes)
    connection.execute(
        "INSERT OR REPLACE INTO image (standing, shape, content, version) VALUES (?, ?, ?, ?)",
        (number, shape, content, image.version),
    )


def _save_spans(
    connection: Connection, number: int, before: Mapping[str, Span], after: Mapping[str, Span]
) -> None:
    for attribute in before.keys() - after.keys():
        connection.execute(
            "DELETE FROM span WHERE standing = ? AND attribute = ?", (number, attribute)
        )
    for attribute, span in after.items():
        if before.get(attribute) != span:
            connection.execute(
                "INSERT OR REPLACE INTO span (standing, attribute, content, possible)"
                " VALUES (?, ?, ?, ?)",
                (number, attribute, encode_span(span), len(span.possible)),
            )


def save_source(
    connection: Connection, shapes: Shapes, job: int, number: int, before: Standing, after: Standing
) -> None:
    """Write a source entry that says something new, and whom it points at."""
    assert after.source is not None
    entry = after.source
    shape, content = shapes.encode(entry.kind, entry.attributes)
    connection.execute(
        "UPDATE source SET shape = ?, content = ?, version = ? WHERE standing = ?",
        (shape, content, entry.version, number),
    )
    connection.execute(
        "UPDATE standing SET kind = ?, print = ? WHERE number = ?",
        (entry.kind, fingerprint(shape, content), number),
    )
    old, new = reference_rows(before.source), reference_rows(entry)
    connection.executemany(
        "DELETE FROM reference WHERE standing = ? AND attribute = ? AND is_single = ?"
        " AND kind = ? AND anchor = ?",
        [(number, *row) for row in old - new],
    )
    connection.executemany(INSERT_REFERENCE, [(number, *row, job) for row in new - old])


def reference_rows(entry: Entry | None) -> set[tuple[str, bool, str, str]]:
    """Return attribute, whether it holds one, kind and anchor of each reference."""
    rows = set[tuple[str, bool, str, str]]()
    for name, value in entry.attributes.items() if entry else ():
        if isinstance(value, Reference):
            rows.add((name, True, value.kind, value.anchor))
        elif isinstance(value, tuple):
            refs = (v for v in value if isinstance(v, Reference))
            rows.update((name, False, r.kind, r.anchor) for r in refs)
    return rows


def forget(connection: Connection, number: int) -> None:
    for table in BESIDE:
        connection.execute(f"DELETE FROM {table} WHERE standing = ?", (number,))  # noqa: S608
    connection.execute("DELETE FROM standing WHERE number = ?", (number,))
