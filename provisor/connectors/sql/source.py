"""A database as a source: a snapshot in one transaction, or what changed since a mark."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import Connection, exc

from provisor.connectors.sql.catalogue import Catalogue, NotInCatalogue
from provisor.connectors.sql.database import Database
from provisor.connectors.sql.failures import INCOMPLETE, failure_of_reading
from provisor.connectors.sql.marks import Marks, read_marks
from provisor.connectors.sql.reading import Reading, incomplete
from provisor.connectors.sql.rows import (
    Found,
    Plan,
    Reader,
    children_of,
    joined,
    plan_of,
    rows_of,
)
from provisor.connectors.sql.settings import KindSettings, SqlSettings
from provisor.connectors.sql.walk import changes, snapshot
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Entry, EntryKey, Page, Receipt, System, Watermark
from provisor.ports import Clock

AGAIN: Final = "everything is due to be read again, since not every deletion shows by itself"


class SqlSource:
    """Implements `ports.Source` for tables, views and queries of one database."""

    def __init__(self, settings: SqlSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._plans: dict[str, Plan] = {}
        """As the last look at the catalogue had them."""
        self._database = Database(
            settings.address, writes=False, connections_max=min(settings.connections_max, 4)
        )

    @property
    def system(self) -> System:
        """The database and its first table are the system; who reads what of it is the view."""
        return system_of(self._settings)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        marks = None if since is None else self._marks(since)
        now = self._clock.now()

        def steps(connection: Connection):
            with told(self._settings):
                plans = plans_of(self._settings, connection)
                self._plans = {plan.kind: plan for plan in plans}
                reading = Reading(
                    settings=self._settings,
                    connection=connection,
                    plans=plans,
                    digest=digest_of(self._settings),
                    now=now,
                )
                parts = snapshot(reading) if marks is None else changes(reading, marks)
                for part in parts:  # noqa: UP028 - a generator's result has no type here
                    yield part

        async with self._database.stepped(steps) as step:
            while (part := await step()) is not None:
                yield part

    def _marks(self, since: Watermark) -> Marks:
        """Return what a watermark says. Raises WatermarkExpired, also when all is due again."""
        marks = read_marks(since)
        if marks.settings != digest_of(self._settings):
            raise WatermarkExpired("tables or columns are set up otherwise since the last read")
        every = self._settings.full_every
        if every is not None and self._clock.now() - marks.whole_at >= every:
            raise WatermarkExpired(AGAIN)
        return marks

    async def fetch(self, key: EntryKey) -> Entry | None:
        settings = self._settings.kinds.get(key.kind)
        if settings is None:
            return None

        def look(connection: Connection) -> Entry | None:
            with told(self._settings):
                plan = self._plans.get(key.kind)
                if plan is None:
                    plan = self._plans[key.kind] = source_plan(settings, Catalogue(connection))
                return one_of(plan, connection, key)

        return await self._database.do(look)

    async def close(self) -> None:
        await self._database.close()


class told:  # noqa: N801 - used as a function
    """Says in the port's words what goes wrong inside."""

    def __init__(self, settings: SqlSettings) -> None:
        self._settings = settings

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        place = self._settings.address.place
        match error:
            case NotInCatalogue():
                raise incomplete(f"{error} (settings of the connection)") from error
            case exc.SQLAlchemyError():
                raise failure_of_reading(error, place) from error
            case UnicodeError():
                message = f"{place} holds texts that are not in its encoding: {error.reason}"  # type: ignore[attr-defined]
                raise Unreachable(message, code=INCOMPLETE) from error
            case _:
                return


def system_of(settings: SqlSettings) -> System:
    kinds = [*settings.kinds.values()]
    relations = (f"{one.kind}={one.relation.query or one.relation.label}" for one in kinds)
    children = (
        f"{one.kind}.{child.attribute}={child.relation.query or child.relation.label}"
        for one in kinds
        for child in one.children
    )
    aside = (f"{one.kind}.deleted={one.soft_delete}" for one in kinds if one.soft_delete)
    account = settings.address.account
    view = " ".join((f"account={account}", *relations, *children, *aside))
    return System(f"{settings.address.place} {kinds[0].relation.label}", view)


def digest_of(settings: SqlSettings) -> str:
    """Return what changes whenever other rows or columns are read."""
    said = repr((settings.address.place, sorted(settings.kinds.items())))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def plans_of(settings: SqlSettings, connection: Connection) -> tuple[Plan, ...]:
    catalogue = Catalogue(connection)
    return tuple(source_plan(one, catalogue) for one in settings.kinds.values())


def source_plan(settings: KindSettings, catalogue: Catalogue) -> Plan:
    """Return how a kind is read as a source. What steers the reading is no attribute."""
    aside = {settings.watermark, settings.soft_delete.column if settings.soft_delete else ""}

    def name_of(column: str) -> str | None:
        if column in aside and column not in settings.attributes:
            return None
        return settings.source_name(column)

    return plan_of(settings, catalogue, name_of)


def one_of(plan: Plan, connection: Connection, key: EntryKey) -> Entry | None:
    """Return one object, byte by byte the one that was asked for. Raises Unreachable."""
    reader = Reader(plan)
    found = map(reader.found, rows_of(plan, connection, [key.anchor]))
    mine = [one for one in found if isinstance(one, Found) and one.anchor == key.anchor]
    if len(mine) > 1:
        raise incomplete(f"{plan.table.label} has {len(mine)} rows for {key.kind} {key.anchor}")
    if not mine or mine[0].is_deleted:
        return None
    children = children_of(reader, connection, [key.anchor])
    entry = reader.entry(mine[0], joined(children, key.anchor))
    if not isinstance(entry, Entry):
        raise incomplete(f"{key.kind} {key.anchor} cannot be read: {entry.message}")
    return entry
