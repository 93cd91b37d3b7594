"""What the database says of its tables: the only place where identifiers come from.

A name in the settings is looked up here, letter by letter; what is not found never gets into a
statement.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from sqlalchemy import (
    ColumnClause,
    Connection,
    FromClause,
    String,
    exc,
    inspect,
    quoted_name,
    text,
    types,
)
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.types import TypeEngine, UserDefinedType

from provisor.connectors.sql.settings import Relation
from provisor.model.rules import AttributeType

XMIN = "xmin"


class NotInCatalogue(Exception):
    """A table or column that settings or rules name is not there; the text says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, as far as values and keys need to know it."""

    name: str
    type: AttributeType = AttributeType.STRING
    is_known: bool = True
    """False: a query's column, of which only values tell the type."""
    is_array: bool = False
    is_padded: bool = False
    """CHAR(n): blanks at the end fill it up and mean nothing."""
    is_text: bool = False
    is_uuid: bool = False
    is_naive: bool = False
    """A time without zone."""
    is_date: bool = False
    is_nullable: bool = True
    has_default: bool = False
    is_computed: bool = False
    is_case_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, view or query, with its columns by name."""

    label: str
    clause: FromClause
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    """Its primary key."""
    is_base: bool = False
    """A table of rows, neither view nor query."""

    def column(self, name: str) -> Column:
        """Return a column by its exact name. Raises NotInCatalogue."""
        if name not in self.columns:
            raise NotInCatalogue(
                f"{self.label} has no column {name!r}; {_near(name, self.columns)}"
            )
        return self.columns[name]

    def is_key(self, column: str) -> bool:
        """Tell whether no two rows can have one value, nor lack it."""
        return self.key == (column,)


class Catalogue:
    """What one database has, read once and kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inspector: Inspector = inspect(connection)

    def table(self, relation: Relation) -> Table:
        """Return what a relation is. Raises NotInCatalogue, SQLAlchemyError."""
        return self._query(relation) if relation.query else self._table(relation)

    def _table(self, relation: Relation) -> Table:
        schema = relation.schema or None
        if schema is not None and schema not in self._inspector.get_schema_names():
            known = self._inspector.get_schema_names()
            raise NotInCatalogue(f"there is no schema {schema!r}; {_near(schema, known)}")
        tables = self._inspector.get_table_names(schema)
        if relation.table not in tables:
            views = self._views(schema)
            if relation.table not in views:
                near = _near(relation.table, [*tables, *views])
                raise NotInCatalogue(f"there is no table or view {relation.label!r}; {near}")
        is_base = relation.table in tables
        columns = {
            one.name: one
            for one in map(_column, self._inspector.get_columns(relation.table, schema))
        }
        key = self._inspector.get_pk_constraint(relation.table, schema) if is_base else None
        names = [*columns]
        if is_base and self._connection.dialect.name == "postgresql":
            names.append(XMIN)
        clause = named_table(
            quoted_name(relation.table, quote=True),
            *(_named(name) for name in names),
            schema=quoted_name(schema, quote=True) if schema else None,
        )
        return Table(
            label=relation.label,
            clause=clause,
            columns=columns,
            key=tuple(key["constrained_columns"]) if key else (),
            is_base=is_base,
        )

    def _views(self, schema: str | None) -> list[str]:
        found = list(self._inspector.get_view_names(schema))
        with contextlib.suppress(NotImplementedError):  # not every dialect has such
            found += self._inspector.get_materialized_view_names(schema)
        return found

    def pointers(self, relation: Relation) -> Mapping[str, tuple[str, str]]:
        """Return what columns of a table point at, as the database itself keeps it: schema and
        table, by column."""
        if relation.query:
            return {}
        found = self._inspector.get_foreign_keys(relation.table, relation.schema or None)
        return {
            one["constrained_columns"][0]: (one["referred_schema"] or "", one["referred_table"])
            for one in found
            if len(one["constrained_columns"]) == 1
        }

    def _query(self, relation: Relation) -> Table:
        """Return what a query answers with. Its columns are known by name alone."""
        written = as_written(relation.query)
        try:
            asked = text(f"SELECT * FROM ({written}) asked WHERE 1 = 0")  # noqa: S608
            names = list(self._connection.execute(asked).keys())
        except exc.SQLAlchemyError as error:
            said = str(getattr(error, "orig", error)).splitlines()[0]
            raise NotInCatalogue(f"the database does not understand the query: {said}") from error
        if len(set(names)) != len(names):
            raise NotInCatalogue("the query gives one name to several columns; use AS")
        columns = [_named(name) for name in names]
        return Table(
            label=relation.label,
            clause=text(written).columns(*columns).subquery("asked"),
            columns={name: Column(name=name, is_known=False) for name in names},
        )

    def routine(self, schema: str, name: str) -> str:
        """Return `FUNCTION` or `PROCEDURE`. Raises NotInCatalogue."""
        statement = text(
            "SELECT routine_schema, routine_name, routine_type FROM information_schema.routines"
            " WHERE routine_name = :name"
        )
        rows = self._connection.execute(statement, {"name": name}).all()
        default = self._inspector.default_schema_name or ""
        for found_schema, found, kind in rows:
            if found == name and found_schema == (schema or default):
                return str(kind).upper()
        raise NotInCatalogue(f"there is no procedure {f'{schema}.' if schema else ''}{name}")


class Raw(UserDefinedType[Any]):
    """Values go to the driver and come from it as they are: no cast, no conversion on the way."""

    cache_ok = True

    def coerce_compared_value(self, op: object, value: object) -> Raw:
        return self


def _named(name: str) -> ColumnClause[Any]:
    return named_column(quoted_name(name, quote=True), Raw())


def as_written(query: str) -> str:
    """Return a query in which nothing is taken for a parameter: `'10:30'`, `x::text`."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", query)


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(names[:20])}" if names else "there are none"


def _column(found: Any) -> Column:
    kind: TypeEngine[Any] = found["type"]
    is_array = isinstance(kind, types.ARRAY)
    if is_array:
        kind = cast("types.ARRAY[Any]", kind).item_type
    is_text = isinstance(kind, types.String) or type(kind).__name__ == "CITEXT"
    collation = (getattr(kind, "collation", None) or "").lower()
    is_folding = "_ci" in collation or collation == "nocase" or type(kind).__name__ == "CITEXT"
    return Column(
        name=str(found["name"]),
        type=_type(kind),
        is_array=is_array,
        is_padded=isinstance(kind, types.CHAR),
        is_text=is_text,
        is_uuid=isinstance(kind, types.Uuid),
        is_naive=isinstance(kind, types.DateTime) and not kind.timezone,
        is_date=isinstance(kind, types.Date),
        is_nullable=bool(found.get("nullable", True)),
        has_default=found.get("default") is not None
        or found.get("autoincrement") is True
        or bool(found.get("identity")),
        is_computed=bool(found.get("computed")),
        is_case_exact=not is_folding,
    )


def _type(kind: TypeEngine[Any]) -> AttributeType:
    match kind:
        case types.Boolean() | mysql.BIT() | postgresql.BIT():
            return AttributeType.BOOLEAN
        case mysql.TINYINT(display_width=1):
            return AttributeType.BOOLEAN
        case types.Integer():
            return AttributeType.INTEGER
        case types.Float():
            return AttributeType.STRING
        case types.Numeric():
            return AttributeType.INTEGER if kind.scale == 0 else AttributeType.STRING
        case types.DateTime():
            return AttributeType.DATE_TIME
        case types.LargeBinary():
            return AttributeType.BINARY
        case String() | _:
            return AttributeType.STRING
