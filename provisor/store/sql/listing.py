"""What the target lists: images of linked objects, and an index to match by."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from provisor.model.entries import Anchor, Entry, MatchQuery
from provisor.ports import Drift, Listed
from provisor.store import transitions
from provisor.store.frame import spell
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json

LEFT_OUT = """
mapping = ? AND state IN ('managed', 'disabled', 'leaving')
AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.job = ? AND l.kind = ? AND l.anchor = target)
"""


def begin(desk: Desk) -> None:
    desk.run("DELETE FROM listed_answer WHERE job = ?", (desk.job,))
    desk.run("DELETE FROM listed WHERE job = ?", (desk.job,))
    desk.run("UPDATE job SET listed_kinds = '[]' WHERE number = ?", (desk.job,))
    desk.listed_kinds = None


def record(desk: Desk, listed: Sequence[Listed], *, repairs: bool) -> list[Drift]:
    drifts = [_record(desk, one, repairs=repairs) for one in listed]
    return [drift for drift in drifts if drift is not None]


def _record(desk: Desk, one: Listed, *, repairs: bool) -> Drift | None:
    entry = one.entry
    shape, content = desk.shapes.encode(entry.kind, entry.attributes)
    (number,) = desk.run(
        "INSERT INTO listed (job, kind, anchor, shape, content, version) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (job, kind, anchor) DO UPDATE SET shape = excluded.shape,"
        " content = excluded.content, version = excluded.version RETURNING number",
        (desk.job, entry.kind, entry.anchor, shape, content, entry.version),
    ).fetchone()
    desk.run("DELETE FROM listed_answer WHERE listed = ? AND job = ?", (number, desk.job))
    desk.connection.executemany(
        "INSERT INTO listed_answer (job, query, listed) VALUES (?, ?, ?)",
        [(desk.job, query, number) for query in {spell(q) for q in one.answers_to}],
    )
    return _picture(desk, entry, repairs=repairs)


def _picture(desk: Desk, entry: Entry, *, repairs: bool) -> Drift | None:
    governor = desk.governor(entry.kind, entry.anchor)
    if governor is None:
        return None
    number, standing = desk.known(governor[1])
    link = standing.link
    if link is None or link.state in transitions.UNPICTURED:
        return None
    shown = desk.note(standing.key.mapping).shown
    pictured, is_drift = transitions.pictured(standing, entry, shown, repairs=repairs)
    desk.put(number, standing, pictured)
    return Drift(standing.key, link, entry) if is_drift else None


def end(desk: Desk, kinds: Collection[str], *, is_complete: bool) -> None:
    for mapped in desk.mappings().values():
        kind = mapped.note.target_kind
        if kind in kinds:
            bound = (mapped.number, desk.job, kind)
            desk.run(
                "DELETE FROM image WHERE standing IN"  # noqa: S608
                f" (SELECT number FROM standing WHERE {LEFT_OUT})",
                bound,
            )
            desk.run(
                f"UPDATE standing SET seen = seen + 1, due_at = 0 WHERE {LEFT_OUT}",  # noqa: S608
                bound,
            )
    if is_complete:
        complete = sorted(_complete(desk) | set(kinds))
        desk.run("UPDATE job SET listed_kinds = ? WHERE number = ?", (to_json(complete), desk.job))
        desk.listed_kinds = None


def _complete(desk: Desk) -> frozenset[str]:
    """Return the kinds of which everything was listed. Nobody else lists while we have the job."""
    if desk.listed_kinds is None or desk.is_view:
        (kinds,) = desk.run("SELECT listed_kinds FROM job WHERE number = ?", (desk.job,)).fetchone()
        desk.listed_kinds = from_json(kinds, frozenset[str])
    return desk.listed_kinds


def find(desk: Desk, query: MatchQuery) -> list[Entry] | None:
    if query.kind not in _complete(desk):
        return None
    rows = desk.run(
        "SELECT l.anchor, l.shape, l.content, l.version FROM listed_answer a"
        " JOIN listed l ON l.number = a.listed WHERE a.job = ? AND a.query = ? ORDER BY l.anchor",
        (desk.job, spell(query)),
    )
    found: list[Entry] = []
    for anchor, shape, content, version in rows:
        kind, attributes = desk.shapes.decode(shape, content)
        found.append(Entry(kind, Anchor(anchor), attributes, version))
    return found
