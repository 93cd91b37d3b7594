"""What a read of the source shows, page by page: the hottest path of the store.

An object that is as it was costs a look-up, a hash and a mark, but no row is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from provisor.model.entries import Absence, Anchor, Entry, Gone, Seen, Touched
from provisor.model.rules import MappingName
from provisor.ports import Observation
from provisor.store import transitions
from provisor.store.sql import rows
from provisor.store.sql.codec import fingerprint
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import to_json

BRIEFLY_KNOWN = """
SELECT s.anchor, s.number, s.print, s.absence, m.generation
FROM json_each(?) asked
CROSS JOIN standing s ON s.mapping = ? AND s.anchor = asked.value
CROSS JOIN mark m ON m.standing = s.number
"""


@dataclass(slots=True)
class Brief:
    """As much of a standing as tells whether an observation is news."""

    number: int
    print: bytes
    absence: str | None
    generation: int


@dataclass(slots=True)
class Counted:
    """What the open cycle has read of a page."""

    read: int = 0
    deltas: int = 0
    reference_deltas: int = 0


@dataclass(slots=True)
class Known:
    """What is known of the objects of a page within one mapping."""

    number: int
    """The mapping's."""
    briefs: dict[Anchor, Brief] = field(default_factory=dict[Anchor, Brief])


@dataclass(slots=True)
class Page:
    """The work on one page: what is known of its objects, and the rows that go together."""

    desk: Desk
    now: datetime
    generation: int
    known: dict[MappingName, Known]
    numbers: Iterator[int]
    counted: Counted = field(default_factory=Counted)
    shown: list[int] = field(default_factory=list[int])
    standings: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    sources: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    references: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])


def absorb(desk: Desk, observations: Sequence[Observation], now: datetime) -> Counted:
    generation = desk.frame.generation
    known = _known(desk, observations)
    new = len(observations) - sum(len(of.briefs) for of in known.values())
    page = Page(desk, now, generation, known, desk.database.new_standings(new))
    for observation in observations:
        change, key = observation.change, observation.key
        of = known[key.mapping]
        brief = of.briefs.get(key.anchor)
        if isinstance(change, Seen):
            _see(page, observation, of, brief, change.entry)
        elif brief is not None:
            _hear(page, observation, brief, change)
    _write(page)
    return page.counted


def _known(desk: Desk, observations: Iterable[Observation]) -> dict[MappingName, Known]:
    """Return what is known of those objects, for each mapping that they are of."""
    asked: dict[MappingName, list[Anchor]] = {}
    for observation in observations:
        key = observation.key
        if key.mapping in asked:
            asked[key.mapping].append(key.anchor)
        else:
            asked[key.mapping] = [key.anchor]
    known: dict[MappingName, Known] = {}
    for name, anchors in asked.items():
        of = known[name] = Known(desk.number_of(name))
        for anchor, *columns in desk.run(BRIEFLY_KNOWN, (to_json(anchors), of.number)):
            of.briefs[anchor] = Brief(*columns)
    return known


def _hear(page: Page, observation: Observation, brief: Brief, change: Touched | Gone) -> None:
    match change:
        case Touched():
            if brief.absence is None:
                _mark(page, observation, brief)
            else:
                _change(page, observation, brief, None)
        case Gone(_, absence):
            if brief.absence != absence:
                _lose(page, observation, brief, absence)
        case _:
            assert_never(change)


def _see(
    page: Page, observation: Observation, of: Known, brief: Brief | None, entry: Entry
) -> None:
    shape, content = page.desk.shapes.encode(entry.kind, entry.attributes)
    mark = fingerprint(shape, content)
    if brief is None:
        _remember(page, observation, of, entry, (shape, content, mark))
    elif brief.absence is None and brief.print == mark:
        _mark(page, observation, brief)
    else:
        _change(page, observation, brief, entry)
        brief.print = mark


def _mark(page: Page, observation: Observation, brief: Brief) -> None:
    """The object is as it was: this snapshot showed it."""
    if brief.generation != page.generation:
        page.shown.append(brief.number)
        page.counted.read += observation.is_counted
        brief.generation = page.generation


def _remember(
    page: Page,
    observation: Observation,
    of: Known,
    entry: Entry,
    stored: tuple[int, bytes, bytes],
) -> None:
    """An object that was never seen: its rows are written with those of the whole page."""
    anchor, number = observation.key.anchor, next(page.numbers)
    shape, content, mark = stored
    references = rows.reference_rows(entry)
    page.standings.append((number, of.number, anchor, entry.kind, mark, 1, 0, bool(references)))
    page.sources.append((number, shape, content, entry.version))
    if references:
        page.references += [(number, *row, page.desk.job) for row in references]
    of.briefs[anchor] = Brief(number, mark, None, page.generation)
    if observation.is_counted:
        page.counted.read += 1
        page.counted.deltas += 1
        page.counted.reference_deltas += len(references)


def _change(page: Page, observation: Observation, brief: Brief, entry: Entry | None) -> None:
    """The object says something new, or is back as it was."""
    _write(page)
    desk = page.desk
    number, before = desk.known(observation.key)
    source = before.source if entry is None else entry
    assert source is not None
    after = transitions.appear(before, before.key, source, page.generation)
    desk.put(number, before, after)
    if entry is not None:
        rows.save_source(desk.database, desk.writes, desk.shapes, desk.job, number, before, after)
    if observation.is_counted:
        page.counted.read += brief.generation != page.generation
        page.counted.deltas += 1
        old, new = transitions.pairs(before.source), transitions.pairs(source)
        page.counted.reference_deltas += len(old ^ new)
    page.shown.append(number)
    brief.absence, brief.generation = None, page.generation


def _lose(page: Page, observation: Observation, brief: Brief, absence: Absence) -> None:
    _write(page)
    number, before = page.desk.known(observation.key)
    page.desk.put(number, before, transitions.disappear(before, absence, page.now))
    page.counted.deltas += observation.is_counted
    brief.absence = absence


def _write(page: Page) -> None:
    """Write the rows that have come together."""
    if page.standings:
        bring = page.desk.database.bring
        bring("standing", rows.NEW_STANDING, page.standings)
        bring("mark", rows.MARK, [(row[0], page.generation) for row in page.standings])
        bring("source", rows.SOURCE, page.sources)
        bring("reference", rows.REFERENCE, page.references)
    if page.shown:
        page.desk.writes.marks(page.shown, page.generation)
    for rows_written in (page.standings, page.sources, page.references, page.shown):
        rows_written.clear()


def count(desk: Desk, counted: Counted) -> None:
    """Count a page for the open cycle, if there is one."""
    desk.writes.then(
        "UPDATE job SET cycle_read = cycle_read + ?, cycle_deltas = cycle_deltas + ?,"
        " cycle_reference_deltas = cycle_reference_deltas + ?"
        " WHERE number = ? AND cycle IS NOT NULL",
        (counted.read, counted.deltas, counted.reference_deltas, desk.job),
    )
