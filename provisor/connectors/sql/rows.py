"""From tables to objects: which columns are read, and what a row with its children says.

Used by source and target alike; what an attribute is called, each of them says itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    cast,
    func,
    literal,
    select,
    types,
)

from provisor.connectors.sql.catalogue import Catalogue, Column, NotInCatalogue, Table
from provisor.connectors.sql.settings import Child, KindSettings
from provisor.connectors.sql.values import (
    Unusable,
    anchor_of,
    keys_of,
    loose_keys_of,
    truth_of,
    value_of,
)
from provisor.model.entries import Anchor, Entry, Reference, Scalar, Value
from provisor.model.rules import ACCOUNT_ENABLED

CHUNK: Final = 500
"""Keys in one statement: SQLite takes 999 parameters where it is old."""


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """A table of children, found in the catalogue."""

    child: Child
    table: Table
    parent: Column
    value: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one kind of object is read."""

    settings: KindSettings
    table: Table
    anchor: Column
    columns: Mapping[str, Column]
    """By attribute: what is shown of a row."""
    references: Mapping[str, str]
    children: tuple[ChildPlan, ...]
    mark: Column | None = None
    soft_delete: Column | None = None

    @property
    def kind(self) -> str:
        return self.settings.kind

    @property
    def read(self) -> tuple[Column, ...]:
        """Return the columns of a statement, in its order, each once."""
        aside = (self.mark, self.soft_delete)
        every = (self.anchor, *self.columns.values(), *(one for one in aside if one is not None))
        return tuple({one.name: one for one in every}.values())

    @property
    def statement(self) -> Select[Any]:
        return select(*(self.table.clause.c[one.name] for one in self.read))


def plan_of(
    settings: KindSettings, catalogue: Catalogue, name_of: Callable[[str], str | None]
) -> Plan:
    """Return how a kind is read; `name_of` names attributes by column. Raises NotInCatalogue."""
    table = catalogue.table(settings.relation)
    for column in settings.attributes:
        table.column(column)
    columns: dict[str, Column] = {}
    for column in table.columns.values():
        name = name_of(column.name)
        if name is not None and name in columns:
            raise NotInCatalogue(
                f"{table.label}: {column.name} and {columns[name].name} are both called {name}; "
                "say in attributes which is which"
            )
        if name is not None:
            columns[name] = column
    mark = settings.watermark
    return Plan(
        settings=settings,
        table=table,
        anchor=table.column(settings.anchor),
        columns=columns,
        references={name: kind for name, kind in settings.references.items() if name in columns},
        children=tuple(child_plan_of(child, catalogue) for child in settings.children),
        mark=table.column(mark) if mark and not is_system(mark, table) else None,
        soft_delete=table.column(settings.soft_delete.column) if settings.soft_delete else None,
    )


def is_system(name: str, table: Table) -> bool:
    """Tell whether a watermark is PostgreSQL's own mark of a row, which is no column."""
    return name == "xmin" and name not in table.columns


def child_plan_of(child: Child, catalogue: Catalogue) -> ChildPlan:
    table = catalogue.table(child.relation)
    return ChildPlan(child, table, table.column(child.parent), table.column(child.value))


# looking up by key


def with_key(
    table: Table, column: Column, anchors: Iterable[str], *, is_loose: bool
) -> ColumnElement[bool] | None:
    """Return what selects rows by keys; None if the column can hold none of them.

    It may select too much, as the database compares: whoever reads looks again, byte by byte.
    """
    of = loose_keys_of if is_loose else keys_of
    keys = [key for anchor in anchors for key in of(anchor, column)]
    if not keys:
        return None
    asked: ColumnElement[Any] = table.clause.c[column.name]
    if not column.is_known:
        asked = cast(asked, types.String())
    return asked.in_(keys)


def exactly(connection: Connection, table: Table, column: Column, key: object) -> Any:
    """Return what selects the one row with this key, byte by byte, for a write.

    The plain comparison comes first, since an index serves it.
    """
    plain: ColumnElement[Any] = table.clause.c[column.name]
    condition = plain == key
    if not column.is_text or not isinstance(key, str):
        return condition
    match connection.dialect.name:
        case "mysql" | "mariadb":
            # The binary collation still fills up with blanks, so that lengths are compared, too.
            same = plain == literal(key, types.String()).collate("utf8mb4_bin")
            return condition & same & (func.char_length(plain) == len(key))
        case "sqlite":
            return condition & (plain.collate("BINARY") == key)
        case "postgresql":
            return condition & (cast(plain, types.Text()).collate("C") == key)
        case _:
            return condition


# objects


@dataclass(slots=True)
class Found:
    """What was read of one row."""

    anchor: Anchor
    row: Row[Any]
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is no object, and why."""

    message: str
    anchor: Anchor | None = None


@dataclass(slots=True)
class Reader:
    """Makes objects from rows of one kind."""

    plan: Plan
    _places: Mapping[str, int] = field(init=False)
    _known: dict[tuple[str, str], Reference] = field(
        default_factory=dict[tuple[str, str], Reference]
    )
    """Each reference made once, however many point at the object."""

    def __post_init__(self) -> None:
        self._places = {one.name: place for place, one in enumerate(self.plan.read)}

    def found(self, row: Row[Any]) -> Found | Fault:
        """Return whose row this is."""
        plan = self.plan
        try:
            anchor = anchor_of(row[self._places[plan.anchor.name]], plan.anchor)
        except Unusable as why:
            return Fault(f"{plan.anchor.name} {why}")
        if anchor is None:
            return Fault(f"{plan.anchor.name} is empty; give the row the id that never changes")
        return Found(anchor, row, self._is_deleted(row))

    def _is_deleted(self, row: Row[Any]) -> bool:
        settings, column = self.plan.settings.soft_delete, self.plan.soft_delete
        if settings is None or column is None:
            return False
        raw = row[self._places[column.name]]
        if settings.values is not None:
            value = value_of(raw, column)
            return value is not None and str(value) in settings.values
        if isinstance(raw, bool | int | bytes):
            return bool(truth_of(raw))
        return raw is not None and str(raw).strip().lower() not in ("", "0", "false", "f", "n")

    def mark_of(self, found: Found) -> object:
        """Return what the watermark column of a row says; None where there is neither."""
        mark = self.plan.mark
        return None if mark is None else found.row[self._places[mark.name]]

    def entry(self, found: Found, children: Mapping[str, tuple[Any, ...]]) -> Entry | Fault:
        """Return the object of a row, with the values that its children say, by attribute."""
        plan, said = self.plan, dict[str, Value]()
        for name, column in plan.columns.items():
            raw = found.row[self._places[column.name]]
            if raw is None:
                continue
            try:
                value = self._value(name, raw, column)
            except Unusable as why:
                return Fault(f"{column.name} {why}", found.anchor)
            if value is not None:
                said[name] = value
        for name, values in children.items():
            if values:
                said[name] = values
        return Entry(plan.kind, found.anchor, said)

    def _value(self, name: str, raw: object, column: Column) -> Value | None:
        kind = self.plan.references.get(name)
        if kind is not None:
            anchor = anchor_of(raw, column)
            return None if anchor is None else self.reference(kind, anchor)
        if name == ACCOUNT_ENABLED:
            truth = truth_of(raw)
            if truth is None:
                raise Unusable("says whether the account is enabled; write true or false")
            return truth
        return value_of(raw, column)

    def reference(self, kind: str, anchor: Anchor) -> Reference:
        known = self._known.get((kind, anchor))
        if known is None:
            known = self._known[kind, anchor] = Reference(kind, anchor)
        return known


# children


class Children:
    """The values of one child table, by the anchor of their object."""

    def __init__(self, reader: Reader, plan: ChildPlan) -> None:
        self._reader, self._plan = reader, plan
        self._values: dict[str, list[Scalar]] = {}
        self.faults: list[Fault] = []

    @property
    def attribute(self) -> str:
        return self._plan.child.attribute

    def take(self, rows: Iterable[Sequence[object]]) -> None:
        """Take in rows of parent and value."""
        plan = self._plan
        for parent, raw in rows:
            try:
                anchor = anchor_of(parent, plan.parent)
                value = self._value(raw)
            except Unusable as why:
                self.faults.append(Fault(f"{plan.table.label}: a key {why}"))
                continue
            if anchor is not None and value is not None:
                self._values.setdefault(anchor, []).append(value)

    def _value(self, raw: object) -> Scalar | None:
        kind = self._plan.child.refers_to
        if not kind:
            value = value_of(raw, self._plan.value)
            return None if isinstance(value, tuple) else value
        anchor = anchor_of(raw, self._plan.value)
        return None if anchor is None else self._reader.reference(kind, anchor)

    def of(self, anchor: str) -> tuple[Value, ...]:
        return tuple(self._values.get(anchor, ()))


def joined(children: Iterable[Children], anchor: Anchor) -> dict[str, tuple[Any, ...]]:
    """Return what all child tables say of an object, by attribute, each value once, in order."""
    found: dict[str, dict[Any, None]] = {}
    for one in children:
        found.setdefault(one.attribute, {}).update(dict.fromkeys(one.of(anchor)))
    return {name: tuple(sorted(values, key=_order)) for name, values in found.items()}


def _order(value: Scalar) -> tuple[str, str]:
    if isinstance(value, Reference):
        return value.anchor, value.kind
    return str(value), type(value).__name__


def all_children(
    reader: Reader, connection: Connection, *, only_values: bool = False
) -> list[Children]:
    """Return every child of a kind. They are held in memory while their parents stream by."""
    found: list[Children] = []
    for plan in reader.plan.children:
        if only_values and plan.child.refers_to:
            continue
        children = Children(reader, plan)
        columns = plan.table.clause.c
        statement = select(columns[plan.parent.name], columns[plan.value.name])
        with streamed(connection, statement) as parts:
            for part in parts:
                children.take(part)
        found.append(children)
    return found


def children_of(
    reader: Reader, connection: Connection, anchors: Sequence[str], *, only_values: bool = False
) -> list[Children]:
    """Return the children of some objects; with `only_values` no references."""
    is_loose = connection.dialect.name == "sqlite"
    found: list[Children] = []
    for plan in reader.plan.children:
        if only_values and plan.child.refers_to:
            continue
        children = Children(reader, plan)
        condition = with_key(plan.table, plan.parent, anchors, is_loose=is_loose)
        if condition is not None:
            columns = plan.table.clause.c
            statement = select(columns[plan.parent.name], columns[plan.value.name])
            children.take(connection.execute(statement.where(condition)).all())
        found.append(children)
    return found


# rows


def abandon(cursor: Any) -> None:
    """Let go of a cursor that was not read to its end, without reading the rest of it."""
    with contextlib.suppress(Exception):  # its connection may be no more
        rest = getattr(cursor, "_result", None)  # PyMySQL would read on when it is closed
        if rest is not None:
            rest.unbuffered_active, cursor._result = False, None
        cursor.close()


class streamed:  # noqa: N801 - used as a function
    """Gives the rows of a statement in parts, through a cursor of the server where there is one."""

    def __init__(self, connection: Connection, statement: Executable, rows: int = 1000) -> None:
        self._connection, self._statement, self._rows = connection, statement, rows

    def __enter__(self) -> Iterator[Sequence[Row[Any]]]:
        options: dict[str, Any] = {"stream_results": True, "max_row_buffer": self._rows}
        self._result = self._connection.execute(self._statement, execution_options=options)
        return self._result.partitions(self._rows)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._result.close()
        else:
            # Closing the result would close the cursor once more, of a connection that has gone.
            abandon(self._result.cursor)
            self._connection.invalidate()


def rows_of(plan: Plan, connection: Connection, anchors: Sequence[str]) -> list[Row[Any]]:
    """Return the rows that may be those of some objects: the reader looks whose they are."""
    is_loose = connection.dialect.name == "sqlite"
    condition = with_key(plan.table, plan.anchor, anchors, is_loose=is_loose)
    if condition is None:
        return []
    return list(connection.execute(plan.statement.where(condition)).all())


def chunks(anchors: Sequence[str], rows: int = CHUNK) -> Iterator[Sequence[str]]:
    size = min(rows, CHUNK)
    for first in range(0, len(anchors), size):
        yield anchors[first : first + size]
