"""Reading a whole kind and proving it: one generation of pages, from first to last.

No count proves that nobody was skipped (spec: settled 2): with a deletion and a creation between
two pages every total is right. What can be seen is seen here (totals that differ, ids that repeat,
pages that end early, cursors that expire or come round again); then the generation is begun anew.
Whoever is left out all the same is asked for by the engine, one by one, before he departs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from provisor.connectors.scim.wire import ListAnswer, id_of

GENERATIONS_MAX = 3
AskPage = Callable[[str], Awaitable[ListAnswer]]
"""Asks for the page that a query names. Raises CursorLost."""


class CursorLost(Exception):
    """The service does not know the cursor that it gave, or does not know it any longer."""


class Unsound(Exception):
    """The pages do not fit together."""


@dataclass(slots=True)
class Generation:
    """The pages of one kind so far."""

    count: int
    ids: set[str] = field(default_factory=set[str])
    first_total: int | None = None
    last_total: int | None = None
    nameless: int = 0
    """Resources without id."""
    is_ended: bool = False
    """The service itself marked the end."""

    def take(self, answer: ListAnswer) -> int:
        """Note a page; return how many of its objects are new. Raises Unsound."""
        before = len(self.ids)
        for resource in answer.resources:
            anchor = id_of(resource)
            if not anchor:
                self.nameless += 1
            elif anchor in self.ids:
                raise Unsound(f"{anchor!r} was shown on two pages")
            else:
                self.ids.add(anchor)
        if answer.resources or self.first_total is None:
            if self.first_total is None:
                self.first_total = answer.total
            self.last_total = answer.total
        return len(self.ids) - before

    @property
    def is_full(self) -> bool:
        return self.last_total is not None and len(self.ids) + self.nameless >= self.last_total

    def prove(self) -> None:
        """Raise Unsound, unless everything that the service counts was shown, once."""
        if self.first_total != self.last_total:
            raise Unsound(f"it counted {self.first_total} at first, and {self.last_total} at last")
        shown = len(self.ids) + self.nameless
        if self.last_total is not None and shown != self.last_total:
            raise Unsound(f"it counts {self.last_total} and showed {shown}")

    @property
    def is_proven(self) -> bool:
        """Whether there is anything that says this was all."""
        return self.is_ended or self.last_total is not None


async def by_index(generation: Generation, ask: AskPage) -> AsyncIterator[ListAnswer]:
    """Page by `startIndex` (RFC 7644 3.4.2.4). Raises Unsound."""
    start = 1
    while True:
        answer = await ask(f"startIndex={start}&count={generation.count}")
        fresh = generation.take(answer)
        if answer.resources:
            yield answer
        # A first page that is full and counts no more than itself may count its pages.
        counts_itself = start == 1 and len(answer.resources) == answer.total == generation.count
        if not answer.resources or (generation.is_full and not counts_itself):
            break
        if not fresh:
            raise Unsound("a page showed nobody new")
        start += len(answer.resources)
    generation.prove()


async def by_cursor(generation: Generation, ask: AskPage) -> AsyncIterator[ListAnswer]:
    """Page by `cursor` (RFC 9865): the first one has no value, the end is where none follows.

    Raises Unsound, CursorLost.
    """
    query, cursors = "cursor", set[str]()
    while True:
        answer = await ask(f"{query}&count={generation.count}")
        generation.take(answer)
        if answer.resources:
            yield answer
        if not answer.next_cursor:
            generation.is_ended = True
            break
        if answer.next_cursor in cursors:
            raise Unsound("the same cursor came twice")
        cursors.add(answer.next_cursor)
        query = f"cursor={quote(answer.next_cursor, safe='')}"
    generation.prove()


Pages = Callable[[Generation, AskPage], AsyncIterator[ListAnswer]]
