"""Stored procedures and functions, for databases that let nobody write to their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, exc, quoted_name, text

from provisor.connectors.sql.catalogue import Catalogue, Raw
from provisor.connectors.sql.failures import is_lost
from provisor.connectors.sql.settings import Procedure
from provisor.errors import Unanswered
from provisor.model.entries import Reference, Value

ANCHOR = "anchor"
"""The argument that is the key of the object meant."""


def call(
    connection: Connection,
    procedure: Procedure,
    attributes: Mapping[str, Value | None],
    key: object,
) -> object:
    """Call a procedure; return the first column of its first row, None where it has none.

    It may have committed by itself, so that a connection that breaks leaves nobody knowing.
    Raises NotInCatalogue, SQLAlchemyError, Unanswered.
    """
    kind = Catalogue(connection).routine(procedure.schema, procedure.name)
    quote = connection.dialect.identifier_preparer.quote
    name = quote(quoted_name(procedure.name, quote=True))
    if procedure.schema:
        name = f"{quote(quoted_name(procedure.schema, quote=True))}.{name}"
    values = [key if one == ANCHOR else _plain(attributes.get(one)) for one in procedure.arguments]
    places = ", ".join(f":a{number}" for number in range(len(values)))
    verb = "CALL" if kind == "PROCEDURE" else "SELECT"
    name = name.replace(":", "\\:")
    statement = text(f"{verb} {name}({places})")
    bound = [bindparam(f"a{number}", value, type_=Raw()) for number, value in enumerate(values)]
    try:
        result = connection.execute(statement.bindparams(*bound))
        row: Any = result.first() if result.returns_rows else None
    except exc.DBAPIError as error:
        if is_lost(error):
            message = f"the connection broke while {procedure.name} was running"
            raise Unanswered(message) from error
        raise
    return None if row is None else row[0]


def _plain(value: Value | None) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(_plain(one)) for one in value)
    return value.anchor if isinstance(value, Reference) else value
