"""Log records as they lie in the ledger: what is filtered by in columns, the rest beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Facts,
    Heard,
    Record,
    ReferencesChange,
    Situation,
    StandingKey,
    TargetChange,
    Verdict,
)
from provisor.model.entries import Absence, Anchor, MatchQuery
from provisor.model.rules import MappingName
from provisor.ports import RecordQuery
from provisor.store.sql.codec import (
    INLINE,
    Shapes,
    by_kind,
    from_micros,
    of_kinds,
    pack,
    to_micros,
    unpack,
)

SELECT = """
SELECT r.position, j.id, c.id, r.mapping, r.anchor, r.at, r.change, r.action, r.verdict, r.code,
       r.is_export_due, r.is_exported, r.target, r.source_name, r.target_name, r.content
FROM record r JOIN cycle c ON c.number = r.cycle JOIN job j ON j.number = c.job
"""
OF_CYCLE = """
c.id = ? AND r.position > (SELECT min(records_after) FROM cycle WHERE id = ?)
"""
LATER = """
r.position > coalesce(
    (SELECT records_after FROM cycle WHERE began <= ? ORDER BY began DESC LIMIT 1), 0)
"""
EARLIER = """
r.position <= coalesce(
    (SELECT records_after FROM cycle WHERE began >= ? ORDER BY began LIMIT 1), 9223372036854775807)
"""
"""What was in the log when a cycle began tells of nothing later, and what came after of nothing
that was over long before: positions bound a time, so that not all of the log is looked at."""
ASTRAY = 3_600_000_000
"""Microseconds that clocks may be wrong by, or one object may take."""
OF_ID = """
r.position IN (SELECT position FROM record WHERE anchor = ?
               UNION SELECT position FROM record WHERE target = ?)
"""
"""Few, found by two indexes, whatever else is asked for."""
NAMING = "(r.anchor = ? OR r.target = ? OR instr(r.source_name, ?) OR instr(r.target_name, ?))"
REFERENCES, ATTRIBUTE = 1, 0


def row_of(cycle: int, record: Record, shapes: Shapes) -> tuple[object, ...]:
    """Return the values of `writes.RECORD`."""
    facts, matched = record.facts, record.matched_by
    content = (
        record.duration_ms,
        record.row,
        record.situation,
        _encode_reason(record),
        (facts.is_assigned, facts.is_active, facts.passes_filter),
        facts.deciding_clause,
        facts.absence,
        _encode_changes(record.changes, shapes),
        record.is_reference_pass,
        (matched.kind, matched.attribute, matched.value) if matched else None,
        record.initiated_by,
    )
    return (
        cycle,
        record.key.mapping,
        record.key.anchor,
        to_micros(record.at),
        record.change,
        record.action,
        record.verdict,
        record.code,
        record.is_export_due,
        record.is_exported,
        facts.is_entitled,
        facts.is_effectively_entitled,
        record.target,
        _legible(record.source_name),
        _legible(record.target_name),
        pack(content),
    )


def _legible(name: str) -> str:
    """A column that is searched holds whole characters only, and PostgreSQL takes no zeros."""
    return name.encode("utf-8", "replace").decode().replace("\0", "?")


def _encode_reason(record: Record) -> str | tuple[str, ...]:
    """Return why it is so; with what was heard, as far as there is any. Most records, and all of
    versions before, have the reason alone."""
    if record.heard is None:
        return record.reason
    heard = record.heard
    bodies = (heard.sent, heard.answered) if heard.sent or heard.answered else ()
    return (record.reason, heard.asked, heard.outcome, *bodies)


def _encode_changes(changes: Sequence[TargetChange], shapes: Shapes) -> tuple[object, ...]:
    """Return changes one by one; where there was nothing before, as after a create, the number of
    their names and the values: most objects of a kind are created with the same attributes."""
    made = [c for c in changes if isinstance(c, AttributeChange) and c.before is None]
    if made and len(made) == len(changes):
        number = shapes.number_of(tuple([change.name for change in made]))
        if number != INLINE:
            return (number, *[change.after for change in made])
    return tuple([_encode_change(change) for change in changes])


def _decode_changes(parts: tuple[Any, ...], shapes: Shapes) -> tuple[TargetChange, ...]:
    if parts and isinstance(parts[0], int):
        number, *values = parts
        pairs = zip(shapes.names_of(number), values, strict=True)
        return tuple(AttributeChange(name, None, value) for name, value in pairs)
    return tuple(_decode_change(part) for part in parts)


def _encode_change(change: TargetChange) -> tuple[object, ...]:
    match change:
        case AttributeChange(name, before, after):
            return ATTRIBUTE, name, before, after
        case ReferencesChange(name, added, removed):
            return REFERENCES, name, by_kind(added), by_kind(removed)
        case _:
            assert_never(change)


def _decode_change(parts: tuple[Any, ...]) -> TargetChange:
    form, name, first, second = parts
    if form == ATTRIBUTE:
        return AttributeChange(name, first, second)
    return ReferencesChange(name, of_kinds(first), of_kinds(second))


def compose(row: tuple[Any, ...], shapes: Shapes) -> tuple[int, str, Record]:
    """Return position, job id and record of a row of SELECT."""
    (position, job, cycle, mapping, anchor, at, change, action, verdict, code) = row[:10]
    (is_export_due, is_exported, target, source_name, target_name, content) = row[10:]
    said = unpack(content)
    (duration_ms, number, situation, reason, flags, clause, absence, changes) = said[:8]
    (is_reference_pass, matched, initiated_by) = said[8:]
    reason, *told = (reason,) if isinstance(reason, str) else reason
    is_assigned, is_active, passes_filter = flags
    record = Record(
        cycle=cycle,
        change=change,
        at=from_micros(at),
        duration_ms=duration_ms,
        key=StandingKey(MappingName(mapping), Anchor(anchor)),
        row=number,
        situation=Situation(situation),
        action=Action(action),
        verdict=Verdict(verdict),
        code=code,
        reason=reason,
        is_exported=bool(is_exported),
        is_export_due=bool(is_export_due),
        facts=Facts(
            is_assigned=is_assigned,
            is_active=is_active,
            passes_filter=passes_filter,
            deciding_clause=clause,
            absence=Absence(absence) if absence else None,
        ),
        source_name=source_name,
        target=Anchor(target) if target is not None else None,
        target_name=target_name,
        changes=_decode_changes(changes, shapes),
        is_reference_pass=is_reference_pass,
        matched_by=MatchQuery(*matched) if matched else None,
        initiated_by=initiated_by,
        heard=Heard(*told) if told else None,
    )
    return position, job, record


def select(query: RecordQuery) -> tuple[str, Sequence[object]]:
    """Return the statement that answers a query, and what to bind to it."""
    conditions: list[str] = []
    bound: list[object] = []

    def narrow(condition: str, *values: object) -> None:
        conditions.append(condition)
        bound.extend(values)

    for column, text in (
        ("j.id", query.job),
        ("r.change", query.change),
        ("r.action", query.action),
        ("r.verdict", query.verdict),
        ("r.code", query.code),
    ):
        if text:
            narrow(f"{column} = ?", text)
    if query.code:
        narrow("r.code <> ''")  # for what the index leaves out
    if query.cycle:
        narrow(OF_CYCLE, query.cycle, query.cycle)
    if query.since is not None:
        narrow("r.at >= ?", to_micros(query.since))
        narrow(LATER, to_micros(query.since) - ASTRAY)
    if query.until is not None:
        narrow("r.at < ?", to_micros(query.until))
        narrow(EARLIER, to_micros(query.until) + ASTRAY)
    if query.about:
        narrow("? IN (r.anchor, r.target, r.source_name, r.target_name)", query.about)
    if query.id:
        narrow(OF_ID, query.id, query.id)
    if query.naming:
        narrow(NAMING, *[query.naming] * 4)
    if query.after:
        narrow("r.position < ?" if query.is_descending else "r.position > ?", query.after)
    if query.end:
        narrow("r.position > ?" if query.is_descending else "r.position < ?", query.end)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "DESC" if query.is_descending else "ASC"
    return f"{SELECT} {where} ORDER BY r.position {order} LIMIT ?", [*bound, query.limit]
