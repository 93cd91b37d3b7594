"""What a read of the source shows, page by page: the hottest path of the store.

An object that is as it was costs a look-up, a hash and a mark, but no row is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from provisor.model.decisions import StandingKey
from provisor.model.entries import Absence, Entry, Gone, Seen, Touched
from provisor.ports import Observation
from provisor.store import transitions
from provisor.store.sql import rows
from provisor.store.sql.codec import fingerprint
from provisor.store.sql.database import NUMBERS
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
class Page:
    """The work on one page: what is known of its objects, and the rows that go together."""

    desk: Desk
    now: datetime
    generation: int
    known: dict[StandingKey, Brief]
    numbers: Iterator[int]
    counted: Counted = field(default_factory=Counted)
    shown: list[int] = field(default_factory=list[int])
    standings: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    sources: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    references: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])


def absorb(desk: Desk, observations: Sequence[Observation], now: datetime) -> Counted:
    (generation,) = desk.run("SELECT generation FROM job WHERE number = ?", (desk.job,)).fetchone()
    known = _briefs(desk, observations)
    new = sum(1 for observation in observations if observation.key not in known)
    page = Page(desk, now, generation, known, desk.database.new_standings(new))
    for observation in observations:
        _observe(page, observation)
    _write(page)
    return page.counted


def _briefs(desk: Desk, observations: Iterable[Observation]) -> dict[StandingKey, Brief]:
    known: dict[StandingKey, Brief] = {}
    for name, mapping, anchors in desk.by_mapping([o.key for o in observations]):
        by_anchor = {key.anchor: key for key in (StandingKey(name, a) for a in anchors)}
        for anchor, *columns in desk.run(BRIEFLY_KNOWN, (to_json(anchors), mapping)):
            known[by_anchor[anchor]] = Brief(*columns)
    return known


def _observe(page: Page, observation: Observation) -> None:
    brief = page.known.get(observation.key)
    match observation.change:
        case Seen(entry):
            _see(page, observation, brief, entry)
        case Touched():
            if brief is None:
                return
            if brief.absence is None:
                _mark(page, observation, brief)
            else:
                _change(page, observation, brief, None)
        case Gone(_, absence):
            if brief is not None and brief.absence != absence:
                _lose(page, observation, brief, absence)
        case _:
            assert_never(observation.change)


def _see(page: Page, observation: Observation, brief: Brief | None, entry: Entry) -> None:
    shape, content = page.desk.shapes.encode(entry.kind, entry.attributes)
    mark = fingerprint(shape, content)
    if brief is None:
        _remember(page, observation, entry, (shape, content, mark))
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
    page: Page, observation: Observation, entry: Entry, stored: tuple[int, bytes, bytes]
) -> None:
    """An object that was never seen: its rows are written with those of the whole page."""
    key, number = observation.key, next(page.numbers)
    shape, content, mark = stored
    references = rows.reference_rows(entry)
    mapping = page.desk.number_of(key.mapping)
    page.standings.append((number, mapping, key.anchor, entry.kind, mark, 1, 0, bool(references)))
    page.sources.append((number, shape, content, entry.version))
    page.references += [(number, *row, page.desk.job) for row in references]
    page.known[key] = Brief(number, mark, None, page.generation)
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
        rows.save_source(desk.database, desk.shapes, desk.job, number, before, after)
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
        page.desk.run(
            f"UPDATE mark SET generation = ? WHERE standing IN {NUMBERS}",  # noqa: S608
            (page.generation, to_json(page.shown)),
        )
    for rows_written in (page.standings, page.sources, page.references, page.shown):
        rows_written.clear()


def count(desk: Desk, counted: Counted) -> None:
    """Count a page for the open cycle, if there is one."""
    desk.run(
        "UPDATE job SET cycle_read = cycle_read + ?, cycle_deltas = cycle_deltas + ?,"
        " cycle_reference_deltas = cycle_reference_deltas + ?"
        " WHERE number = ? AND cycle IS NOT NULL",
        (counted.read, counted.deltas, counted.reference_deltas, desk.job),
    )
