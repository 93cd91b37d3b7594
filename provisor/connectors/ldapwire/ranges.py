"""Attributes that are shown a range at a time (`member;range=0-1499`, [MS-ADTS] 3.1.1.3.1.3.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from provisor.connectors.ldapwire.connection import Connection
from provisor.connectors.ldapwire.controls import Control
from provisor.connectors.ldapwire.messages import Found, Scope, Search
from provisor.connectors.ldapwire.reading import look
from provisor.connectors.ldapwire.results import read_failure
from provisor.errors import Unreachable

RANGE: Final = re.compile(r"(.+);range=(\d+)-(\d+|\*)", re.IGNORECASE)
ROUNDS_MAX: Final = 100_000


async def all_complete(
    connection: Connection, found: Sequence[Found], *controls: Control
) -> Sequence[Found]:
    """Return entries with all values of attributes of which they showed the first only."""
    if not any(one.has_ranges for one in found):
        return found
    return [await complete(connection, one, *controls) for one in found]


async def complete(connection: Connection, found: Found, *controls: Control) -> Found:
    """Return an entry with all values of attributes of which it showed the first only.

    `controls` are those that it was asked with. Raises Unreachable, Denied: a part of the members
    is not the members.
    """
    if not found.has_ranges:  # of a hundred thousand, hardly any
        return found
    attributes: dict[str, list[bytes]] = {}
    for name, held in found.attributes.items():
        parts = RANGE.fullmatch(name)
        if parts is None:
            attributes.setdefault(name, []).extend(held)
            continue
        base, last = parts[1], parts[3]
        values = attributes.setdefault(base, [])
        values += held
        if last != "*":
            values += await _rest(connection, found.dn, base, int(last) + 1, controls)
    return Found(found.dn, attributes, found.controls)


async def _rest(
    connection: Connection, dn: str, attribute: str, start: int, controls: tuple[Control, ...]
) -> list[bytes]:
    values: list[bytes] = []
    what = f"reading {attribute} of '{dn}' at {connection.endpoint}"
    for _ in range(ROUNDS_MAX):
        asked = f"{attribute};range={start}-*"
        search = Search(base=dn, scope=Scope.BASE, attributes=(asked,), controls=controls)
        found, result = await look(connection, search)
        if not result.is_success:
            raise read_failure(result, what)
        shown = [
            (parts, held)
            for one in found
            for name, held in one.attributes.items()
            if (parts := RANGE.fullmatch(name)) and parts[1].lower() == attribute.lower()
        ]
        if not shown or int(shown[0][0][2]) != start:
            raise Unreachable(f"{what}: the part from {start} on was not shown")
        parts, held = shown[0]
        values += held
        if parts[3] == "*":
            return values
        start = int(parts[3]) + 1
    raise Unreachable(f"{what}: it does not come to an end")
