"""Listing a whole kind, page by page, with servers that count, cap and repeat as they like.

The end is where the total is reached, where a page shows nothing new, or where none is left.
`itemsPerPage` is never believed, and neither is the length of a page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from provisor.connectors.scim.sent import Sent, SentPage

AskPage = Callable[[str], Awaitable[SentPage]]
"""Asks for the page that a query names."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a page adds to those before it."""

    resources: tuple[Sent, ...]
    total: int | None


@dataclass(slots=True)
class _Seen:
    """The ids of all pages so far."""

    ids: set[str] = field(default_factory=set[str])

    def new(self, answer: SentPage) -> tuple[Sent, ...]:
        fresh: list[Sent] = []
        for resource in answer.resources:
            if resource.id and resource.id not in self.ids:
                self.ids.add(resource.id)
                fresh.append(resource)
        return tuple(fresh)


async def by_index(ask: AskPage, count: int) -> AsyncIterator[Leaf]:
    """Page by `startIndex` (RFC 7644 3.4.2.4)."""
    seen, start, is_total_sure = _Seen(), 1, True
    with _Ahead(ask) as ahead:
        while True:
            answer = await ahead.take(f"startIndex={start}&count={count}")
            fresh = seen.new(answer)
            if answer.total is not None and len(seen.ids) > answer.total:
                is_total_sure = False  # it counts its pages, or somebody is being created
            is_end = not fresh or (is_total_sure and _is_all(seen, answer, start, count))
            is_first, start = start == 1, start + len(answer.resources)
            if not is_end and not is_first:
                ahead.begin(f"startIndex={start}&count={count}")
            if fresh or is_first:
                yield Leaf(fresh, answer.total if is_total_sure else None)
            if is_end:
                return


class _Ahead:
    """Asks for the next page while the one before is worked through. Not for the second: whoever
    has seen the first may want no more."""

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._begun: tuple[str, asyncio.Future[SentPage]] | None = None

    def __enter__(self) -> _Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        if self._begun is not None:
            self._begun[1].cancel()

    def begin(self, query: str) -> None:
        asking = asyncio.ensure_future(self._ask(query))
        asking.add_done_callback(_heard)
        self._begun = query, asking

    async def take(self, query: str) -> SentPage:
        begun, self._begun = self._begun, None
        if begun is None or begun[0] != query:
            return await self._ask(query)
        return await begun[1]


def _heard(asking: asyncio.Future[SentPage]) -> None:
    """What failed is raised when it is taken; if nobody takes it, nobody wants to hear of it."""
    if not asking.cancelled():
        asking.exception()


def _is_all(seen: _Seen, answer: SentPage, start: int, count: int) -> bool:
    """Tell whether the total is reached. A first page that is full may count itself only."""
    if answer.total is None or len(seen.ids) < answer.total:
        return False
    return not (start == 1 and len(answer.resources) == answer.total == count)


async def by_cursor(ask: AskPage, count: int) -> AsyncIterator[Leaf]:
    """Page by `cursor` (RFC 9865)."""
    seen, cursors, query = _Seen(), set[str](), "cursor"
    while True:
        answer = await ask(f"{query}&count={count}")
        yield Leaf(seen.new(answer), answer.total)
        if not answer.next_cursor or answer.next_cursor in cursors:
            return
        cursors.add(answer.next_cursor)
        query = f"cursor={quote(answer.next_cursor, safe='')}"
