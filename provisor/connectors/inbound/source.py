"""The inbound directory: upserts in, changes out, nothing lost that was acknowledged.

Nobody is ever removed from it: who leaves is pushed as inactive (spec: behaviour 21). What is
pushed goes to the store as a numbered batch; every sixty-fourth push writes everything anew and
lets batches be written over. One process pushes; any number may read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

from provisor.connectors.inbound.wire import (
    Base,
    Batch,
    Held,
    Upsert,
    read_base,
    read_batch,
    write_base,
    write_batch,
)
from provisor.errors import Rejected, StoreFailed, Unreachable, WatermarkExpired
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    Page,
    Receipt,
    Seen,
    System,
    Value,
    Watermark,
)
from provisor.ports import Documents, Entropy

SLOTS: Final = 64
BASE: Final = "inbound-base"
LOST: Final = (
    "something that was pushed is missing from the store; restore a backup of all of it, or push "
    "everything again and restart the job"
)


class InboundDirectory:
    """A source whose objects are pushed by those who know of them."""

    def __init__(
        self,
        documents: Documents,
        owner: str,
        entropy: Entropy,
        *,
        match: str = "externalId",
        page_size: int = 1000,
    ) -> None:
        """`match` names the attribute that says which object is meant; its value is the anchor.

        `owner` names the directory among the documents.
        """
        self._documents = documents
        self._owner = owner
        self._entropy = entropy
        self._match = match
        self._page_size = page_size
        self._is_loaded = False
        self._era = ""
        self._number = 0
        self._base_number = 0
        self._held: dict[EntryKey, Held] = {}
        self._lock = asyncio.Lock()

    @property
    def system(self) -> System:
        return System(f"inbound:{self._owner}")

    async def push(self, upserts: Sequence[Upsert]) -> Watermark:
        """Take in all of these or none; once this returns they are kept.

        Raises Rejected, naming every one that does not say which object it means.
        """
        self._refuse_nameless(upserts)
        async with self._lock:
            await self._catch_up()
            if not self._era or self._number - self._base_number >= SLOTS:
                await self._write_base()
            batch = Batch(self._era, self._number + 1, tuple(upserts))
            await self._documents.put_document(self._owner, _slot(batch.number), write_batch(batch))
            self._apply(batch)
            return self._mark(self._number)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        async with self._lock:
            await self._see()
            after = 0 if since is None else self._position(since)
            end = self._mark(self._number) if self._era else None
            held = sorted(
                (held for held in self._held.values() if held.number > after),
                key=lambda held: held.number,
            )
        for first in range(0, len(held), self._page_size):
            page = held[first : first + self._page_size]
            following = held[first + self._page_size : first + self._page_size + 1]
            covered = min([page[-1].number, *(h.number - 1 for h in following)])
            yield Page(
                tuple(Seen(h.entry) for h in page),
                None if since is None else self._mark(max(covered, after)),
            )
        yield Receipt(
            is_snapshot=since is None,
            rows=Counter(h.entry.kind for h in held),
            total=len(held) if since is None else None,
            watermark=end,
        )

    async def fetch(self, key: EntryKey) -> Entry | None:
        async with self._lock:
            await self._see()
            held = self._held.get(key)
            return held.entry if held else None

    async def close(self) -> None:
        """Nothing is held open."""

    def _apply(self, batch: Batch) -> None:
        for upsert in batch.upserts:
            anchor = Anchor(str(upsert.attributes[self._match]))
            key = EntryKey(upsert.kind, anchor)
            before = self._held.get(key)
            values: dict[str, Value | None] = dict(before.entry.attributes) if before else {}
            values.update(upsert.attributes)
            said = {name: value for name, value in values.items() if value is not None}
            self._held[key] = Held(Entry(upsert.kind, anchor, said), batch.number)
        self._number = batch.number

    async def _see(self) -> None:
        """Catch up in order to answer: what cannot be read is no answer."""
        try:
            await self._catch_up()
        except StoreFailed as failure:
            raise Unreachable(str(failure), code="SourceReadIncomplete") from failure

    async def _catch_up(self) -> None:
        """Take in what was pushed elsewhere since this was last in use. Raises StoreFailed."""
        if not self._is_loaded:
            self._era = ""
            await self._read_base()
        while batch := await self._batch(self._number + 1):
            if batch.number > self._number + 1:
                await self._read_base()
            else:
                self._apply(batch)
        if not self._is_loaded:
            await self._refuse_gap()
            self._is_loaded = bool(self._era)

    async def _batch(self, number: int) -> Batch | None:
        """Return what stands where a batch would, if it is that one or a later one."""
        content = await self._documents.document(self._owner, _slot(number))
        if content is None:
            return None
        batch = read_batch(content)
        return batch if batch.era == self._era and batch.number >= number else None

    async def _read_base(self) -> None:
        content = await self._documents.document(self._owner, BASE)
        if content is None:
            if self._era or await self._documents.document(self._owner, _slot(1)) is not None:
                raise StoreFailed(LOST)
            return
        base = read_base(content)
        if base.era == self._era and base.number <= self._number:
            raise StoreFailed(LOST)
        self._era, self._number, self._base_number = base.era, base.number, base.number
        self._held = {EntryKey(h.entry.kind, h.entry.anchor): h for h in base.held}

    async def _refuse_gap(self) -> None:
        """Refuse a store that has lost a batch before one that it has."""
        for number in range(self._number + 2, self._number + SLOTS + 1):
            if await self._batch(number):
                raise StoreFailed(LOST)

    async def _write_base(self) -> None:
        era = self._era or self._entropy.uuid()
        base = Base(era, self._number, tuple(self._held.values()))
        await self._documents.put_document(self._owner, BASE, write_base(base))
        self._era, self._base_number, self._is_loaded = era, self._number, True

    def _refuse_nameless(self, upserts: Sequence[Upsert]) -> None:
        problems: list[str] = []
        for place, upsert in enumerate(upserts):
            value = upsert.attributes.get(self._match)
            if not isinstance(value, str) or not value.strip():
                problems.append(f"operation {place}: {self._match} is to say who is meant")
        if problems:
            raise Rejected("; ".join(problems), code="MissingValues")

    def _mark(self, number: int) -> Watermark:
        return Watermark(f"{self._era}.{number}")

    def _position(self, mark: Watermark) -> int:
        era, _, number = mark.rpartition(".")
        if not era or era != self._era or not number.isdecimal():
            raise WatermarkExpired("this directory did not give that watermark, or was made anew")
        if int(number) > self._number:
            raise Unreachable(LOST, code="SourceReadIncomplete")
        return int(number)


def _slot(number: int) -> str:
    return f"inbound-batch-{number % SLOTS}"
