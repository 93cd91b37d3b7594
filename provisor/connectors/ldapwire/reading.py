"""Searches carried out: page by page, or for a single answer; and what a server says of itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from provisor.connectors.ldapwire import controls, filters
from provisor.connectors.ldapwire.connection import Connection
from provisor.connectors.ldapwire.messages import Elsewhere, Found, Scope, Search
from provisor.connectors.ldapwire.results import Code, Result, read_failure
from provisor.errors import Unreachable

PAGE: Final = 1000
INCOMPLETE: Final = "SourceReadIncomplete"


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of a search."""

    found: tuple[Found, ...]
    elsewhere: tuple[Elsewhere, ...]
    result: Result
    """How this page ended; of a page that is not the last, always a success."""
    is_last: bool


async def pages(
    connection: Connection, search: Search, size: int = PAGE
) -> AsyncGenerator[ResultPage]:
    """Yield a search page by page (RFC 2696), to the page that says that it is the last.

    A cookie is good for the connection that it was given on, so all is asked on this one. A result
    other than success is in the last page: whether what was shown is of use is for the caller to
    say. Raises Unreachable for a server that goes in circles, or does not page. One cookie may
    stand for all pages (Samba's does): it is a circle only if a page is shown again.
    """
    cookie, seen = b"", set[tuple[bytes, str]]()
    while True:
        asked = replace(search, controls=(*search.controls, controls.paged(size, cookie)))
        shown = await page(connection, asked)
        if not shown.result.is_success:
            yield shown
            return
        following = controls.page_cookie(shown.result.controls)
        if following is None and (cookie or shown.found):
            # A server that does not page answers all at once, or with what it thinks enough: this
            # control is critical, so it should have refused.
            message = f"{connection.endpoint} says nothing of pages, so what it said may not be all"
            raise Unreachable(message, code=INCOMPLETE)
        yield replace(shown, is_last=not following)
        if not following:
            return
        place = (following, shown.found[0].dn if shown.found else "")
        if place in seen:
            message = f"{connection.endpoint} showed a page again, under the cookie it had before"
            raise Unreachable(message, code=INCOMPLETE)
        seen.add(place)
        cookie = following


async def page(connection: Connection, search: Search) -> ResultPage:
    """Return all that a search shows, as one page."""
    found: list[Found] = []
    elsewhere: list[Elsewhere] = []
    async for some in connection.answers(search):
        found += [one for one in some if isinstance(one, Found)]
        elsewhere += [one for one in some if isinstance(one, Elsewhere)]
        if isinstance(result := some[-1], Result):
            return ResultPage(tuple(found), tuple(elsewhere), result, is_last=True)
    raise AssertionError("a search ends with its result, or raises")


async def look(connection: Connection, search: Search) -> tuple[list[Found], Result]:
    """Return all that a small search shows, and its result, whichever it is."""
    shown = await page(connection, search)
    return [*shown.found], shown.result


async def entry(
    connection: Connection,
    dn: str,
    attributes: tuple[str, ...] = (),
    *,
    filter: str = filters.EVERYTHING,
) -> Found | None:
    """Return one entry by its name, None if the server knows of none.

    Raises Unreachable, Denied.
    """
    search = Search(base=dn, scope=Scope.BASE, filter=filter, attributes=attributes)
    found, result = await look(connection, search)
    if result.code == Code.NO_SUCH_OBJECT:
        return None
    if not result.is_success:
        raise read_failure(result, f"looking at '{dn}' at {connection.endpoint}")
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class RootDse:
    """What a server says of itself (RFC 4512, 5.1)."""

    attributes: Mapping[str, list[bytes]]
    """By the attribute's name in small letters."""

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(v.decode(errors="replace") for v in self.attributes.get(name.lower(), ()))

    def text(self, name: str) -> str:
        return next(iter(self.texts(name)), "")

    @property
    def naming_contexts(self) -> tuple[str, ...]:
        return self.texts("namingContexts")

    def has_control(self, oid: str) -> bool:
        return oid in self.texts("supportedControl")

    def has_extension(self, oid: str) -> bool:
        return oid in self.texts("supportedExtension")


async def root_dse(connection: Connection) -> RootDse:
    """Raises Unreachable, Denied."""
    found = await entry(connection, "", ("*", "+"))
    if found is None:
        return RootDse({})
    return RootDse({name.lower(): values for name, values in found.attributes.items()})
