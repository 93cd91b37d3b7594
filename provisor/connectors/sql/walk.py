"""Through the tables from end to end, or along what changed; the order is the argument.

Everything happens in one transaction that sees one state: rows stream by through a cursor of the
server, with nothing skipped and nothing counted off. Child tables are read before their parents, so
that no group is ever shown with fewer members than it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from provisor.connectors.sql.catalogue import Catalogue, Column, Table
from provisor.connectors.sql.marks import (
    Mark,
    Marks,
    Window,
    bound_of,
    era_of,
    since,
    take_mark,
    write_marks,
)
from provisor.connectors.sql.reading import Reading, incomplete
from provisor.connectors.sql.rows import (
    Children,
    Fault,
    Found,
    Plan,
    Reader,
    all_children,
    children_of,
    chunks,
    is_system,
    joined,
    rows_of,
    streamed,
)
from provisor.connectors.sql.settings import ChangeTable
from provisor.connectors.sql.values import Unusable, anchor_of
from provisor.errors import WatermarkExpired
from provisor.model.entries import (
    Absence,
    Anchor,
    Change,
    Entry,
    EntryKey,
    Gone,
    Page,
    ReadFault,
    Receipt,
    Seen,
    Watermark,
)

DUPLICATE = "the id is that of an earlier row, too"


def snapshot(reading: Reading) -> Generator[Page | Receipt, None, None]:
    """Yield everything there is, and the receipt."""
    marks = _marks(reading, {})
    for plan in reading.plans:
        yield from _whole(reading, plan, None, marks.get(plan.kind))
    rows = dict(reading.rows)
    yield Receipt(
        is_snapshot=True,
        rows=rows,
        total=None if reading.void else sum(rows.values()),
        watermark=_written(reading, marks, reading.now),
        void=dict(reading.void),
    )


def _whole(
    reading: Reading, plan: Plan, watermark: Watermark | None, mark: _Open | None
) -> Iterator[Page]:
    """Yield all living objects of a kind. Raises Unreachable where rows are missing."""
    connection, reader = reading.connection, Reader(plan)
    children = all_children(reader, connection)
    faults = [reading.fault(plan, fault) for one in children for fault in one.faults]
    if faults:
        yield Page((), watermark, tuple(faults))
    counted = connection.execute(select(func.count()).select_from(plan.table.clause)).scalar_one()
    walker = _Walker(reading, plan, reader, children, mark)
    read = 0
    reading.rows[plan.kind] += 0
    with streamed(connection, plan.statement, reading.settings.page_rows) as parts:
        for part in parts:
            read += len(part)
            yield Page(*walker.page(map(reader.found, part), watermark))
    if read != counted:
        raise incomplete(f"{plan.table.label} has {counted} rows, and {read} of them were read")


@dataclass(slots=True)
class _Open:
    """The mark that a read comes to, while it goes on."""

    mark: Mark
    window: Window


class _Walker:
    """Turns rows that stream by into changes, each object once."""

    def __init__(
        self,
        reading: Reading,
        plan: Plan,
        reader: Reader,
        children: Sequence[Children],
        mark: _Open | None,
    ) -> None:
        self._reading, self._plan, self._reader, self._children = reading, plan, reader, children
        self._mark = mark
        # SQLite holds 1 and '1' apart, and lets keys be missing.
        is_sqlite = reading.connection.dialect.name == "sqlite"
        self._seen: set[Anchor] | None = (
            None if plan.table.is_key(plan.anchor.name) and not is_sqlite else set()
        )

    def page(
        self, rows: Iterator[Found | Fault], watermark: Watermark | None
    ) -> tuple[tuple[Change, ...], Watermark | None, tuple[ReadFault, ...]]:
        changes: list[Change] = []
        faults: list[ReadFault] = []
        for found in rows:
            entry = self._entry(found)
            if isinstance(entry, Fault):
                faults.append(self._reading.fault(self._plan, entry))
            elif entry is not None:
                changes.append(Seen(entry))
        self._reading.rows[self._plan.kind] += len(changes)
        return tuple(changes), watermark, tuple(faults)

    def _entry(self, found: Found | Fault) -> Entry | Fault | None:
        if isinstance(found, Fault):
            return found
        if found.is_deleted:
            if self._mark is not None:
                self._mark.window.is_news(found.anchor, self._reader.mark_of(found), shown_of(None))
            return None
        if self._seen is not None:
            if found.anchor in self._seen:
                return Fault(DUPLICATE, found.anchor)
            self._seen.add(found.anchor)
        entry = self._reader.entry(found, joined(self._children, found.anchor))
        if self._mark is not None and isinstance(entry, Entry):
            self._mark.window.is_news(found.anchor, self._reader.mark_of(found), shown_of(entry))
        return entry


# what changed


def changes(reading: Reading, marks: Marks) -> Generator[Page | Receipt, None, None]:
    """Yield what may have changed since the marks, and the receipt.

    A kind that does not tell its changes is read as a whole, which proves no absence here.
    Raises WatermarkExpired.
    """
    if marks.era and marks.era != era_of(reading.connection):
        raise WatermarkExpired("the database was restored, or is another one")
    before = write_marks(marks)
    after = _marks(reading, {kind: mark.seen for kind, mark in marks.tables.items()})
    for plan in reading.plans:
        mark, opened = marks.tables.get(plan.kind), after.get(plan.kind)
        if mark is None or opened is None:
            yield from _whole(reading, plan, before, opened)
            continue
        told, faults = plan.settings.changes, list[ReadFault]()
        if told is not None:
            named = _in_changes(reading, told, plan, mark)
        else:
            named = dict.fromkeys(_in_table(reading, plan, mark, faults), False)
        if faults:
            yield Page((), before, tuple(faults))
        yield from _changed(reading, plan, named, before, opened)
    yield Receipt(
        is_snapshot=False,
        rows=dict(reading.rows),
        watermark=_written(reading, after, marks.whole_at),
        void=dict(reading.void),
    )


def _marks(reading: Reading, seen: Mapping[str, Mapping[str, str]]) -> dict[str, _Open]:
    """Return how far this read comes, for each kind that tells its changes."""
    connection = reading.connection
    found: dict[str, _Open] = {}
    for plan in reading.plans:
        settings, before = plan.settings, seen.get(plan.kind, {})
        if not settings.tells_changes:
            continue
        if settings.changes is not None:
            table = _change_table(reading, settings.changes)
            mark = take_mark(connection, table, settings.changes.sequence)
            found[plan.kind] = _Open(mark, Window(None, before))
        else:
            mark = take_mark(connection, plan.table, _mark_column(plan))
            bound = bound_of(connection, plan.table, mark, settings.overlap)
            found[plan.kind] = _Open(mark, Window(bound, before))
    return found


def _written(reading: Reading, found: Mapping[str, _Open], whole_at: datetime) -> Watermark | None:
    """Return the watermark of a read that has come to its end; None where no kind has a mark."""
    if not found:
        return None
    tables = {kind: replace(one.mark, seen=one.window.seen) for kind, one in found.items()}
    era = era_of(reading.connection)
    return write_marks(Marks(settings=reading.digest, era=era, whole_at=whole_at, tables=tables))


def shown_of(entry: Entry | None) -> str:
    """Return what differs when an object does; of one that is gone, nothing."""
    if entry is None:
        return ""
    said = repr(sorted(entry.attributes.items()))
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _mark_column(plan: Plan) -> str | None:
    """Return the watermark column; None where rows are told apart by their `xmin` alone."""
    if plan.mark is not None:
        return plan.mark.name
    if is_system(plan.settings.watermark, plan.table):
        return None
    raise incomplete(f"{plan.table.label} has no column {plan.settings.watermark!r}")


def _in_table(
    reading: Reading, plan: Plan, mark: Mark, faults: list[ReadFault]
) -> Iterator[Anchor]:
    """Yield the anchors of rows that came or changed. Raises WatermarkExpired."""
    column, overlap = _mark_column(plan), plan.settings.overlap
    condition = since(reading.connection, plan.table, column, mark, overlap)
    reader = Reader(plan)
    statement = plan.statement if condition is None else plan.statement.where(condition)
    with streamed(reading.connection, statement, reading.settings.page_rows) as parts:
        for part in parts:
            for found in map(reader.found, part):
                if isinstance(found, Found):
                    yield found.anchor
                else:
                    faults.append(reading.fault(plan, found))


def _in_changes(reading: Reading, told: ChangeTable, plan: Plan, mark: Mark) -> dict[Anchor, bool]:
    """Return whom the change table names, and whether it says of them that they were deleted.

    Raises WatermarkExpired where rows were taken out of it that may not have been read.
    """
    connection, table = reading.connection, _change_table(reading, told)
    sequence, anchor = table.clause.c[told.sequence], table.clause.c[told.anchor]
    if mark.value is not None:
        first = connection.execute(select(func.min(sequence))).scalar()
        if first is None or first > mark.value:
            raise WatermarkExpired(f"{table.label} does not reach back to the last read")
    columns = [anchor, *([table.clause.c[told.operation]] if told.operation else [])]
    statement = select(*columns).order_by(sequence)
    condition = since(connection, table, told.sequence, mark, plan.settings.overlap)
    if condition is not None:
        statement = statement.where(condition)
    key, found = table.column(told.anchor), dict[Anchor, bool]()
    with streamed(connection, statement, reading.settings.page_rows) as parts:
        for part in parts:
            for named, *said in map(tuple, part):
                found |= _told(named, str(said[0]).strip() if said else "", key, told)
    return found


def _told(raw: object, operation: str, key: Column, told: ChangeTable) -> dict[Anchor, bool]:
    """Return whom one row of a change table names. Raises Unreachable."""
    try:
        anchor = anchor_of(raw, key)
    except Unusable as why:
        raise incomplete(f"{told.relation.label}: {key.name} {why}") from why
    return {} if anchor is None else {anchor: operation in told.deletes}


def _change_table(reading: Reading, told: ChangeTable) -> Table:
    table = Catalogue(reading.connection).table(told.relation)
    for column in (told.anchor, told.sequence, *([told.operation] if told.operation else [])):
        table.column(column)
    return table


def _changed(
    reading: Reading,
    plan: Plan,
    named: dict[Anchor, bool],
    watermark: Watermark,
    opened: _Open,
) -> Iterator[Page]:
    """Yield how objects are now; those that are deleted, or not there any more, as gone.

    What was shown by the last read already, and is as it was then, is not shown again.
    """
    connection, reader = reading.connection, Reader(plan)
    for some in chunks([*named], reading.settings.page_rows):
        found: dict[str, Found] = {}
        for one in map(reader.found, rows_of(plan, connection, some)):
            if isinstance(one, Found):
                found[one.anchor] = one
        children = children_of(reader, connection, some)
        said: list[Change] = []
        faults: list[ReadFault] = []
        for anchor in map(Anchor, some):
            one = found.get(anchor)
            living = one if one is not None and not one.is_deleted else None
            entry = reader.entry(living, joined(children, anchor)) if living else None
            if isinstance(entry, Fault):
                faults.append(reading.fault(plan, entry))
                continue
            mark = reader.mark_of(one) if one is not None else None
            if not opened.window.is_news(anchor, mark, shown_of(entry)):
                continue
            if entry is not None:
                said.append(Seen(entry))
            else:
                is_told = one is None and named[anchor]
                absence = Absence.DELETED if is_told else Absence.ABSENT
                said.append(Gone(EntryKey(plan.kind, anchor), absence))
        reading.rows[plan.kind] += sum(isinstance(one, Seen) for one in said)
        if said or faults:
            yield Page(tuple(said), watermark, tuple(faults))
