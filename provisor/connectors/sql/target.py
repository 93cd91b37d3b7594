"""Writing to a database: each write is one transaction, and tells what the row says afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Self, TypeVar, assert_never

from sqlalchemy import Connection, delete, exc, insert, select, update

from provisor.connectors.around.trace import Trace
from provisor.connectors.sql.database import Database
from provisor.connectors.sql.failures import (
    BUSY,
    FOREIGN,
    MISSING,
    UNIQUE,
    code_of,
    failure_of_writing,
)
from provisor.connectors.sql.members import change_members, change_values, forget_children
from provisor.connectors.sql.overheard import overhear
from provisor.connectors.sql.procedures import call
from provisor.connectors.sql.rows import Plan, exactly
from provisor.connectors.sql.settings import SqlSettings
from provisor.connectors.sql.targetreader import Kinds, SqlReader, refused, values_of
from provisor.connectors.sql.values import anchor_of, keys_of, stored
from provisor.errors import AdapterError, Rejected, Stale, Unanswered
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    ReferencesChange,
    Update,
    Write,
)
from provisor.model.entries import (
    Anchor,
    Attributes,
    Entry,
    MatchQuery,
    Reference,
    System,
    Value,
)
from provisor.ports import Capabilities, Clock, Entropy, Listing, Referred

Result = TypeVar("Result")
REFUSALS = UNIQUE | FOREIGN | MISSING | BUSY
"""What a commit may be refused for: then it was not done, and that is certain."""


class SqlTarget:
    """Implements `ports.Target` for the tables of one database."""

    def __init__(self, settings: SqlSettings, kinds: Kinds, entropy: Entropy) -> None:
        self._settings, self._entropy = settings, entropy
        self._reader = SqlReader(settings, kinds)
        self._database = Database(
            settings.address, writes=True, connections_max=settings.connections_max
        )

    def overheard(self, trace: Trace | None, clock: Clock) -> Self:
        """Note what is asked from now on, where somebody wants to know."""
        if trace is not None:
            place = self._settings.address.place
            self._database.prepared = lambda engine: overhear(engine, place, trace, clock)
        return self

    @property
    def system(self) -> System:
        return self._reader.system

    @property
    def capabilities(self) -> Capabilities:
        return self._reader.capabilities

    async def probe(self) -> None:
        await self._reader.probe()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return await self._reader.fetch(kind, anchor)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        return await self._reader.find(query)

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        return self._reader.list_all(kind)

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        return await self._reader.referred(kind, anchor, name, known)

    async def close(self) -> None:
        await self._reader.close()
        await self._database.close()

    async def export(self, write: Write) -> Exported:
        match write:
            case Create():
                done, refusals = await self._write(lambda one: (self._create(one, write), ()))
            case Update():
                done, refusals = await self._write(lambda one: self._update(one, write))
            case Delete(kind, anchor):
                done, refusals = await self._write(
                    lambda one: (self._delete(one, kind, anchor), ())
                )
            case _:
                assert_never(write)
        for refusal in refusals:
            raise refusal  # what else was in the write is done
        return done

    async def _write(
        self, work: Callable[[Connection], tuple[Exported, Sequence[Rejected]]]
    ) -> tuple[Exported, Sequence[Rejected]]:
        def in_transaction(connection: Connection) -> tuple[Exported, Sequence[Rejected]]:
            try:
                with refused(self._settings):
                    done = work(connection)
            except AdapterError:
                _roll_back(connection)
                raise
            self._commit(connection)
            return done

        return await self._database.do(in_transaction)

    def _commit(self, connection: Connection) -> None:
        place = self._settings.address.place
        try:
            connection.commit()
        except exc.SQLAlchemyError as error:
            if isinstance(error, exc.DBAPIError) and code_of(error) in REFUSALS:
                _roll_back(connection)
                raise failure_of_writing(error, place) from error
            raise Unanswered(f"{place} did not answer to a commit") from error

    # each in a transaction, in a thread

    def _create(self, connection: Connection, write: Create) -> Exported:
        plan = self._reader.plan(write.kind, connection)
        procedure = plan.settings.procedures.get("create")
        if procedure is not None:
            raw = call(connection, procedure, write.attributes, None)
            if raw is None:
                message = f"{procedure.name} does not say what it created: let it return the key"
                raise Unanswered(message)
        else:
            raw = self._insert(connection, plan, write.attributes)
        anchor = anchor_of(raw, plan.anchor)
        if anchor is None:
            raise Rejected(f"{plan.table.label} gave a new row no {plan.anchor.name}")
        if procedure is None:
            for name, value in write.attributes.items():
                if (child := values_of(plan, name)) is not None:
                    change_values(connection, child, raw, _several(value))
        return self._told(connection, write.kind, anchor)

    def _insert(self, connection: Connection, plan: Plan, attributes: Attributes) -> object:
        row = self._row(connection, plan, attributes)
        if plan.settings.makes_anchor:
            row[plan.anchor.name] = self._entropy.uuid()
        clause: Any = plan.table.clause
        statement = insert(clause).values(row)
        if connection.dialect.insert_returning:
            returning = statement.returning(clause.c[plan.anchor.name])
            return connection.execute(returning).scalar_one()
        done = connection.execute(statement)
        return row.get(plan.anchor.name) or done.lastrowid

    def _row(
        self, connection: Connection, plan: Plan, attributes: Mapping[str, Value | None]
    ) -> dict[str, object]:
        """Return the columns that attributes are written to. Raises Unusable, Rejected."""
        is_sqlite = connection.dialect.name == "sqlite"
        row: dict[str, object] = {}
        for name, value in attributes.items():
            if values_of(plan, name) is not None:
                continue
            column = plan.columns.get(name)
            if column is None:
                raise Rejected(f"{plan.table.label} has no column that is called {name}")
            if value is None or column.is_array:
                row[column.name] = None if value is None else list(_several(value))
                continue
            if isinstance(value, tuple):
                if len(value) != 1:
                    raise Rejected(f"{column.name} holds one value, and there are {len(value)}")
                value = value[0]
            row[column.name] = stored(value, column, is_sqlite=is_sqlite)
        return row

    def _update(self, connection: Connection, write: Update) -> tuple[Exported, Sequence[Rejected]]:
        plan = self._reader.plan(write.kind, connection)
        key = self._key(connection, plan, write.anchor)
        if key is None:
            message = f"there is no {write.kind} {write.anchor} in {plan.table.label}"
            raise Stale(message, code="InvalidAnchor")
        changed = {c.name: c.after for c in write.changes if isinstance(c, AttributeChange)}
        if changed and (procedure := plan.settings.procedures.get("update")) is not None:
            before = self._reader.look(connection, write.kind, write.anchor)
            said = {**(before.attributes if before else {}), **changed}
            call(connection, procedure, said, key)
        elif changed:
            self._change(connection, plan, key, changed)
        refusals: list[Rejected] = []
        for change in write.changes:
            if isinstance(change, ReferencesChange):
                refusals += change_members(connection, plan, key, change)
        return self._told(connection, write.kind, write.anchor), refusals

    def _change(
        self, connection: Connection, plan: Plan, key: object, changed: Mapping[str, Value | None]
    ) -> None:
        row = self._row(connection, plan, changed)
        if row:
            clause: Any = plan.table.clause
            is_it = exactly(connection, plan.table, plan.anchor, key)
            connection.execute(update(clause).where(is_it).values(row))
        for name, value in changed.items():
            if (child := values_of(plan, name)) is not None:
                change_values(connection, child, key, () if value is None else _several(value))

    def _delete(self, connection: Connection, kind: str, anchor: Anchor) -> Exported:
        plan = self._reader.plan(kind, connection)
        key = self._key(connection, plan, anchor)
        if key is None:
            return Exported(None)
        if (procedure := plan.settings.procedures.get("delete")) is not None:
            call(connection, procedure, {}, key)
            return Exported(None)
        for one in self._settings.kinds:
            forget_children(connection, self._reader.plan(one, connection), kind, key)
        clause: Any = plan.table.clause
        connection.execute(delete(clause).where(exactly(connection, plan.table, plan.anchor, key)))
        return Exported(None)

    def _key(self, connection: Connection, plan: Plan, anchor: Anchor) -> object | None:
        """Return what the key column of an object's row holds; None where there is no row."""
        for key in keys_of(anchor, plan.anchor):
            asked = select(plan.table.clause.c[plan.anchor.name])
            statement = asked.where(exactly(connection, plan.table, plan.anchor, key))
            raw = connection.execute(statement).scalar()
            if raw is not None and anchor_of(raw, plan.anchor) == anchor:
                return raw
        return None

    def _told(self, connection: Connection, kind: str, anchor: Anchor) -> Exported:
        """Return what the row says now: defaults, triggers and columns may have changed it."""
        entry = self._reader.look(connection, kind, anchor)
        return Exported(anchor, None, entry.attributes if entry else None)


def _several(value: Value) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _roll_back(connection: Connection) -> None:
    try:
        connection.rollback()
    except exc.SQLAlchemyError:
        connection.invalidate()  # then the server does it
