"""The provisioning log, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisor.model.cycles import Cycle
from provisor.model.decisions import Record
from provisor.ports import RecordQuery
from provisor.store.memory.state import MemoryState


class MemoryLedger:
    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def records(self, query: RecordQuery) -> Sequence[tuple[int, str, Record]]:
        rows = [row for row in self._state.records if _matches(query, *row)]
        rows.sort(key=lambda row: row[0], reverse=query.is_descending)
        return rows[: query.limit]

    async def cycles(self, job: str, limit: int) -> Sequence[Cycle]:
        state = self._state.jobs.get(job)
        return list(reversed(state.cycles))[:limit] if state else []

    async def fold(self, before: datetime) -> int:
        open_cycles = {s.cycle.id for s in self._state.jobs.values() if s.cycle}
        kept = [
            row for row in self._state.records if row[2].at >= before or row[2].cycle in open_cycles
        ]
        folded = len(self._state.records) - len(kept)
        self._state.records[:] = kept
        return folded


def _matches(query: RecordQuery, position: int, job: str, record: Record) -> bool:
    names = {record.key.anchor, record.target, record.source_name, record.target_name}
    ids = {record.key.anchor, record.target}
    is_beyond = position < query.after if query.is_descending else position > query.after
    is_within = position > query.end if query.is_descending else position < query.end
    return (
        query.job in ("", job)
        and query.cycle in ("", record.cycle)
        and query.change in ("", record.change)
        and (query.since is None or record.at >= query.since)
        and (query.until is None or record.at < query.until)
        and query.action in ("", record.action)
        and query.verdict in ("", record.verdict)
        and query.code in ("", record.code)
        and (not query.about or query.about in names)
        and (not query.id or query.id in ids)
        and (not query.naming or _is_naming(query.naming, record))
        and (not query.after or is_beyond)
        and (not query.end or is_within)
    )


def _is_naming(text: str, record: Record) -> bool:
    is_id = text in (record.key.anchor, record.target)
    return is_id or text in record.source_name or text in record.target_name
