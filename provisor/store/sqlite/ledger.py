"""The provisioning log, to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisor.model.cycles import Cycle
from provisor.model.decisions import Record
from provisor.ports import RecordQuery
from provisor.store.sqlite import records
from provisor.store.sqlite.codec import to_micros
from provisor.store.sqlite.connect import NAMED_FAILURES, Connection, Transaction
from provisor.store.sqlite.documents import from_json


class SqliteLedger:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def records(self, query: RecordQuery) -> Sequence[tuple[int, str, Record]]:
        statement, bound = records.select(query)
        with NAMED_FAILURES:
            return [records.compose(row) for row in self._connection.execute(statement, bound)]

    async def cycles(self, job: str, limit: int) -> Sequence[Cycle]:
        with NAMED_FAILURES:
            found = self._connection.execute(
                "SELECT c.content FROM cycle c JOIN job j ON j.number = c.job"
                " WHERE j.id = ? AND c.content IS NOT NULL ORDER BY c.number DESC LIMIT ?",
                (job, limit),
            ).fetchall()
        return [from_json(content, Cycle) for (content,) in found]

    async def fold(self, before: datetime) -> int:
        """What the open cycle logged stays, however old: it is counted at its end."""
        with Transaction(self._connection) as connection:
            return connection.execute(
                "DELETE FROM record WHERE at < ?"
                " AND cycle NOT IN (SELECT cycle FROM job WHERE cycle IS NOT NULL)",
                (to_micros(before),),
            ).rowcount
