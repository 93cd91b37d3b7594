"""Looking at a database as a target: probe, look up, search, list. Holds no way to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, exc, func, select

from provisor.connectors.sql.catalogue import Catalogue, NotInCatalogue
from provisor.connectors.sql.database import Database
from provisor.connectors.sql.failures import failure_of_writing
from provisor.connectors.sql.members import held_members
from provisor.connectors.sql.rows import (
    ChildPlan,
    Found,
    Plan,
    Reader,
    all_children,
    children_of,
    joined,
    plan_of,
    rows_of,
    streamed,
)
from provisor.connectors.sql.settings import USER, KindSettings, SqlSettings
from provisor.connectors.sql.values import Unusable, defined, keys_of, stored
from provisor.errors import Denied, Rejected, Stale
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, System, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Capabilities, Listing, Referred

Result = TypeVar("Result")
Kinds = Mapping[str, tuple[AttributeDefinition, ...]]
"""The mapped attributes of each kind of target object."""
STAMPS: Final = ("externalId", "external_id")
FOUND_MAX: Final = 3
MEMBERS_MAX: Final = 1000
AMISS: Final = "SchemaAttributeNotFound"


class SqlReader:
    """Implements `ports.TargetReader` for the tables of one database."""

    def __init__(self, settings: SqlSettings, kinds: Kinds) -> None:
        self._settings, self._kinds = settings, kinds
        self._database = Database(
            settings.address, writes=False, connections_max=settings.connections_max
        )
        self._plans: dict[str, Plan] = {}

    @property
    def system(self) -> System:
        return target_system(self._settings)

    @property
    def capabilities(self) -> Capabilities:
        names = [{one.name for one in every} for every in self._kinds.values()]
        stamp = next((s for s in STAMPS if names and all(s in known for known in names)), "")
        return Capabilities(
            page_size=self._settings.page_rows,
            parallel_max=self._settings.connections_max,
            members_max=MEMBERS_MAX,
            stamp=stamp,
            tells_references=True,
        )

    async def close(self) -> None:
        await self._database.close()

    async def probe(self) -> None:
        """Prove that the account may log in, and that whatever is mapped is there."""
        await self._do(lambda connection: [self.plan(kind, connection) for kind in self._kinds])

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return await self._do(lambda connection: self.look(connection, kind, anchor))

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        return await self._do(lambda connection: self._find(connection, query))

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        def steps(connection: Connection) -> Generator[Listing, None, None]:
            with refused(self._settings):
                plan = self.plan(kind, connection)
                reader = Reader(plan)
                children = all_children(reader, connection, only_values=True)
                counting = select(func.count()).select_from(plan.table.clause)
                total = int(connection.execute(counting).scalar_one())
                with streamed(connection, plan.statement, self._settings.page_rows) as parts:
                    for part in parts:
                        found = (one for one in map(reader.found, part) if isinstance(one, Found))
                        said = [self._entry(reader, one, children) for one in found]
                        yield Listing(tuple(said), total)
                if not total:
                    yield Listing((), 0)

        async with self._database.stepped(steps) as step:
            while (part := await step()) is not None:
                yield part

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        """Read the rows of one group in its tables of members."""
        return await self._do(lambda one: self._referred(one, kind, anchor, name, known))

    def _referred(
        self,
        connection: Connection,
        kind: str,
        anchor: Anchor,
        name: str,
        known: frozenset[Reference],
    ) -> Referred:
        plan = self.plan(kind, connection)
        if self.look(connection, kind, anchor) is None:
            raise Stale(f"there is no {kind} {anchor}", code="InvalidAnchor")
        tables = [c for c in plan.children if c.child.attribute == name and c.child.refers_to]
        if not tables:
            raise Rejected(f"no table holds {name} of {plan.table.label}", code=AMISS)
        there: set[Reference] = set()
        for child in tables:
            for key in keys_of(anchor, child.parent)[:1]:
                held = held_members(connection, child, key)
                there.update(Reference(child.child.refers_to, one) for one in held)
        return Referred(known & there, frozenset(there - known))

    async def _do(self, work: Callable[[Connection], Result]) -> Result:
        def told(connection: Connection) -> Result:
            with refused(self._settings):
                return work(connection)

        return await self._database.do(told)

    # on a connection, in a thread

    def plan(self, kind: str, connection: Connection) -> Plan:
        """Return how a kind is read and written. Raises NotInCatalogue, Rejected."""
        if kind not in self._plans:
            settings = self._settings.kinds.get(kind)
            if settings is None:
                raise Rejected(f"the settings name no table of {kind}", code=AMISS)
            definitions = self._kinds.get(kind, ())
            self._plans[kind] = target_plan(settings, Catalogue(connection), definitions)
        return self._plans[kind]

    def look(self, connection: Connection, kind: str, anchor: Anchor) -> Entry | None:
        """Return an object as it is now, seen by this transaction."""
        plan = self.plan(kind, connection)
        reader = Reader(plan)
        for found in map(reader.found, rows_of(plan, connection, [anchor])):
            if isinstance(found, Found) and found.anchor == anchor:
                children = children_of(reader, connection, [anchor], only_values=True)
                return self._entry(reader, found, children)
        return None

    def _entry(self, reader: Reader, found: Found, children: Sequence[Any]) -> Entry:
        entry = reader.entry(found, joined(children, found.anchor))
        kind = reader.plan.kind
        if not isinstance(entry, Entry):
            raise Rejected(f"{kind} {found.anchor} cannot be read: {entry.message}")
        known = {one.name: one for one in self._kinds.get(kind, ())}
        said = {
            name: as_defined(value, known[name])
            for name, value in entry.attributes.items()
            if name in known
        }
        return Entry(entry.kind, entry.anchor, said, entry.version)

    def _find(self, connection: Connection, query: MatchQuery) -> Sequence[Entry]:
        plan = self.plan(query.kind, connection)
        condition = self._condition(plan, query, is_sqlite=connection.dialect.name == "sqlite")
        if condition is None:
            return ()
        reader = Reader(plan)
        statement = plan.statement.where(condition).limit(FOUND_MAX)
        rows = map(reader.found, connection.execute(statement).all())
        found = [one for one in rows if isinstance(one, Found)]
        anchors = [one.anchor for one in found]
        children = children_of(reader, connection, anchors, only_values=True) if found else []
        return [self._entry(reader, one, children) for one in found]

    def _condition(
        self, plan: Plan, query: MatchQuery, *, is_sqlite: bool
    ) -> ColumnElement[bool] | None:
        """Return what selects the rows that match, compared as the database compares."""
        value = query.value[0] if isinstance(query.value, tuple) and query.value else query.value
        if isinstance(value, tuple):
            return None
        try:
            column = plan.columns.get(query.attribute)
            if column is not None:
                cell: ColumnElement[Any] = plan.table.clause.c[column.name]
                return cell == stored(value, column, is_sqlite=is_sqlite)
            child = next((c for c in plan.children if c.child.attribute == query.attribute), None)
            if child is None:
                raise Rejected(f"{plan.kind} has no {query.attribute}", code=AMISS)
            held: ColumnElement[Any] = child.table.clause.c[child.value.name]
            parents = select(child.table.clause.c[child.parent.name])
            inside = parents.where(held == stored(value, child.value, is_sqlite=is_sqlite))
            own: ColumnElement[Any] = plan.table.clause.c[plan.anchor.name]
            return own.in_(inside)
        except Unusable:
            return None  # a column that cannot hold the value holds it in no row


class refused:  # noqa: N801 - used as a function
    """Says in the port's words what goes wrong with a look, or with a write before its commit."""

    def __init__(self, settings: SqlSettings) -> None:
        self._place = settings.address.place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        match error:
            case NotInCatalogue():
                raise Denied(f"{error} (settings of the connection)", code=AMISS) from error
            case exc.SQLAlchemyError():
                raise failure_of_writing(error, self._place) from error
            case Unusable():
                raise Rejected(f"{self._place} cannot store this: {error}") from error
            case UnicodeError():
                raise Rejected(f"{self._place} holds texts in another encoding") from error
            case _:
                return


def target_system(settings: SqlSettings) -> System:
    first = next(iter(settings.kinds.values()))
    return System(
        f"{settings.address.place} {first.relation.label}", f"account={settings.address.account}"
    )


def target_plan(
    settings: KindSettings,
    catalogue: Catalogue,
    definitions: Sequence[AttributeDefinition] | None,
) -> Plan:
    """Return how a kind is read and written; without definitions, all that it has.

    Raises NotInCatalogue where something is mapped that is not there.
    """
    wanted = None if definitions is None else {one.name: one for one in definitions}

    def name_of(column: str) -> str | None:
        name = settings.target_name(column)
        return name if wanted is None or name in wanted else None

    plan = plan_of(settings, catalogue, name_of)
    if wanted is None:
        return plan
    known = {*plan.columns, *(child.child.attribute for child in plan.children)}
    missing = sorted(name for name, one in wanted.items() if name not in known and one.name)
    if missing:
        raise NotInCatalogue(
            f"{plan.table.label} has nothing that is called {', '.join(missing)}, which is mapped"
        )
    references = {
        name: settings.references.get(name) or next(iter(one.refers_to), USER)
        for name, one in wanted.items()
        if one.type is AttributeType.REFERENCE and name in plan.columns
    }
    return replace(plan, references=references)


def values_of(plan: Plan, attribute: str) -> ChildPlan | None:
    """Return the child table of an attribute with plain values; None where it is a column."""
    for child in plan.children:
        if child.child.attribute == attribute and not child.child.refers_to:
            return child
    return None


def as_defined(value: Value, definition: AttributeDefinition) -> Value:
    if isinstance(value, tuple):
        return tuple(defined(one, definition) for one in value)
    return defined(value, definition)
