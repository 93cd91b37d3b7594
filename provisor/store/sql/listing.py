"""What the target lists: images of linked objects, and an index to match by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, Entry, MatchQuery
from provisor.model.rules import MappingName
from provisor.ports import Drift, Listed
from provisor.store import transitions
from provisor.store.frame import spell
from provisor.store.sql.database import NUMBERS
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json

PICTURED = "mapping = ? AND state IN ('managed', 'disabled', 'leaving')"
LEFT_OUT = f"""
{PICTURED}
AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.job = ? AND l.kind = ? AND l.anchor = target)
"""  # noqa: S608
LISTED = ("job", "kind", "anchor", "shape", "content", "version")
ANSWER = ("job", "query", "listed")
LISTED_NUMBERS = """
SELECT l.number, l.anchor FROM json_each(?) asked
CROSS JOIN listed l ON l.job = ? AND l.kind = ? AND l.anchor = asked.value
"""
GOVERNED = """
SELECT s.target, s.anchor, s.number, i.shape, i.content, i.version, i.print
FROM json_each(?) asked
CROSS JOIN standing s ON s.mapping = ? AND s.target = asked.value
LEFT JOIN image i ON i.standing = s.number
"""
PRINTS = """
SELECT s.target, i.print FROM json_each(?) asked
CROSS JOIN standing s ON s.mapping = ? AND s.target = asked.value
LEFT JOIN image i ON i.standing = s.number
"""
SAVE_PRINT = "UPDATE image SET print = ? WHERE standing = ?"


class Governed(NamedTuple):
    """Who governs a listed object, and what it said when we last looked."""

    anchor: Anchor
    number: int
    shape: int | None
    content: bytes | None
    version: str | None
    print: int | None


def begin(desk: Desk, *, is_indexed: bool = True) -> None:
    desk.run("DELETE FROM listed_answer WHERE job = ?", (desk.job,))
    desk.run("DELETE FROM listed WHERE job = ?", (desk.job,))
    desk.run("UPDATE job SET listed_kinds = '[]' WHERE number = ?", (desk.job,))
    desk.listed_kinds = None
    desk.shown = None if is_indexed else {}
    desk.has_listed = True


def forget(desk: Desk) -> None:
    """Forget what was listed, where anything was."""
    if desk.frame.had_listed if desk.has_listed is None else desk.has_listed:
        begin(desk)
        desk.has_listed = False


def recognise(desk: Desk, kind: str, prints: Mapping[Anchor, int]) -> list[Anchor]:
    """Return those of a page that say what their image does, by how they were sent."""
    assert desk.shown is not None, "an index holds everybody"
    first: dict[Anchor, int | None] = {}
    anchors = to_json(list(prints))
    for mapped in desk.mappings().values():
        if mapped.note.target_kind == kind:
            for target, print in desk.run(PRINTS, (anchors, mapped.number)):
                first.setdefault(target, print)
    known = [anchor for anchor, print in prints.items() if first.get(anchor) == print]
    desk.shown.setdefault(kind, set()).update(known)
    return known


def record(desk: Desk, listed: Sequence[Listed], *, repairs: bool) -> list[Drift]:
    """Remember a page. What is linked and says what it was told is not written once more."""
    desk.has_listed = True
    drifts: list[Drift] = []
    learnt: list[tuple[int, int]] = []
    by_kind: dict[str, dict[Anchor, Listed]] = {}
    for one in listed:
        by_kind.setdefault(one.entry.kind, {})[one.entry.anchor] = one
    for kind, page in by_kind.items():
        if desk.shown is None:
            _index(desk, kind, page)
        else:
            desk.shown.setdefault(kind, set()).update(page)
        for anchor, (name, known) in _governed(desk, kind, page).items():
            one, entry = page[anchor], page[anchor].entry
            said = (*desk.shapes.encode("", transitions.depicted(entry.attributes)), entry.version)
            if said != (known.shape, known.content, known.version):
                drifts += _picture(desk, StandingKey(name, known.anchor), entry, repairs=repairs)
            elif one.print is not None and one.print != known.print:
                learnt.append((one.print, known.number))
    if learnt:
        desk.connection.executemany(SAVE_PRINT, learnt)
    return drifts


def _index(desk: Desk, kind: str, page: Mapping[Anchor, Listed]) -> None:
    """Remember what each object of a page says, and which queries it answers to."""
    anchors = to_json(list(page))
    before = to_json([number for number, _ in _numbers(desk, kind, anchors)])
    if before != "[]":  # an earlier page showed it already
        condition = f"IN {NUMBERS} AND job = ?"
        desk.run(f"DELETE FROM listed_answer WHERE listed {condition}", (before, desk.job))  # noqa: S608
        desk.run(f"DELETE FROM listed WHERE number {condition}", (before, desk.job))  # noqa: S608
    rows: list[tuple[object, ...]] = []
    for anchor, one in page.items():
        shape, content = desk.shapes.encode(kind, one.entry.attributes)
        rows.append((desk.job, kind, anchor, shape, content, one.entry.version))
    desk.database.bring("listed", LISTED, rows)
    answers: list[tuple[object, ...]] = []
    for number, anchor in _numbers(desk, kind, anchors):
        queries = {spell(query) for query in page[anchor].answers_to}
        answers += [(desk.job, query, number) for query in queries]
    desk.database.bring("listed_answer", ANSWER, answers)


def _numbers(desk: Desk, kind: str, anchors: str) -> list[tuple[int, Anchor]]:
    return desk.run(LISTED_NUMBERS, (anchors, desk.job, kind)).fetchall()


def _governed(
    desk: Desk, kind: str, page: Mapping[Anchor, Listed]
) -> dict[Anchor, tuple[MappingName, Governed]]:
    """Return by whom objects of a page are governed, and what they said when we last looked."""
    found: dict[Anchor, tuple[MappingName, Governed]] = {}
    anchors = to_json(list(page))
    for name, mapped in desk.mappings().items():
        if mapped.note.target_kind == kind:
            for target, *known in desk.run(GOVERNED, (anchors, mapped.number)):
                found.setdefault(target, (name, Governed(*known)))
    return found


def _picture(desk: Desk, key: StandingKey, entry: Entry, *, repairs: bool) -> list[Drift]:
    number, standing = desk.known(key)
    link = standing.link
    if link is None or link.state in transitions.UNPICTURED:
        return []
    shown = desk.note(standing.key.mapping).shown
    pictured, is_drift = transitions.pictured(standing, entry, shown, repairs=repairs)
    desk.put(number, standing, pictured)
    return [Drift(key, link, entry)] if is_drift else []


def end(desk: Desk, kinds: Collection[str], *, is_complete: bool) -> None:
    desk.has_listed = True
    for mapped in desk.mappings().values():
        kind = mapped.note.target_kind
        if kind in kinds:
            left_out = to_json(_left_out(desk, mapped.number, kind))
            if left_out != "[]":
                desk.run(f"DELETE FROM image WHERE standing IN {NUMBERS}", (left_out,))  # noqa: S608
                desk.run(
                    f"UPDATE standing SET seen = seen + 1, due_at = 0 WHERE number IN {NUMBERS}",  # noqa: S608
                    (left_out,),
                )
    if is_complete and desk.shown is None:
        complete = sorted(_complete(desk) | set(kinds))
        desk.run("UPDATE job SET listed_kinds = ? WHERE number = ?", (to_json(complete), desk.job))
        desk.listed_kinds = None


def _left_out(desk: Desk, mapping: int, kind: str) -> list[int]:
    """Return whose target objects were not shown, though they are linked."""
    if desk.shown is None:
        found = desk.run(
            f"SELECT number FROM standing WHERE {LEFT_OUT}",  # noqa: S608
            (mapping, desk.job, kind),
        )
        return [number for (number,) in found]
    shown = desk.shown.get(kind, set[Anchor]())
    found = desk.run(f"SELECT number, target FROM standing WHERE {PICTURED}", (mapping,))  # noqa: S608
    return [number for number, target in found if target not in shown]


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
