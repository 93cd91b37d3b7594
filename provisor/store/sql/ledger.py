"""The provisioning log, to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisor.model.cycles import Cycle
from provisor.model.decisions import Record
from provisor.ports import RecordQuery
from provisor.store.sql import records
from provisor.store.sql.codec import Shapes, to_micros
from provisor.store.sql.database import Database
from provisor.store.sql.documents import from_json


class SqlLedger:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._shapes = Shapes(database.connection)

    async def records(self, query: RecordQuery) -> Sequence[tuple[int, str, Record]]:
        statement, bound = records.select(query)
        with self._database.failures:
            found = self._connection.execute(statement, bound).fetchall()
            return [records.compose(row, self._shapes) for row in found]

    async def cycles(self, job: str, limit: int) -> Sequence[Cycle]:
        with self._database.failures:
            found = self._connection.execute(
                "SELECT c.content FROM cycle c JOIN job j ON j.number = c.job"
                " WHERE j.id = ? AND c.content IS NOT NULL ORDER BY c.number DESC LIMIT ?",
                (job, limit),
            ).fetchall()
        return [from_json(content, Cycle) for (content,) in found]

    async def fold(self, before: datetime) -> int:
        """What the open cycle logged stays, however old: it is counted at its end."""
        gone = self._database.fold(before)
        with self._database.transaction() as connection:
            return gone + (
                connection.execute(
                    "DELETE FROM record WHERE at < ?"
                    " AND cycle NOT IN (SELECT cycle FROM job WHERE cycle IS NOT NULL)",
                    (to_micros(before),),
                ).rowcount
            )
