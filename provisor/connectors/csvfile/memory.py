"""Keeps the prints of rows from one read to the next."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from provisor.connectors.csvfile.prints import (
    Lines,
    Remembered,
    Unsure,
    anchor_hash,
    is_by_lines,
    pack,
    prints_of,
    unpack,
)
from provisor.connectors.csvfile.snapshot import Snapshot
from provisor.model.entries import Watermark
from provisor.ports import Documents

SLOTS: Final = ("rows a", "rows b")
"""What a read began with stays until another has begun with what came after it: a plan reads what a
cycle will read, and the cycle begins where the plan began."""


class Memory:
    """The prints that the reads of one connection left behind."""

    def __init__(self, documents: Documents, owner: str, encoding: str) -> None:
        self._documents, self._owner = documents, owner
        self._is_by_lines = is_by_lines(encoding)
        self._free = SLOTS[0]

    async def of(
        self, since: Watermark, mark: Callable[[Sequence[tuple[str, str]]], Watermark]
    ) -> Remembered | None:
        """Return what was read when that was the watermark, if it is still remembered.

        `mark` makes the watermark of a read of files, given by path and hash.
        """
        for slot, other in (SLOTS, SLOTS[::-1]):
            found = unpack(await self._documents.document(self._owner, slot))
            if found is not None and mark(found.hashes) == since:
                self._free = other
                return found
        return None

    async def keep(self, content: bytes) -> None:
        await self._documents.put_document(self._owner, self._free, content)

    async def keep_whole(self, snapshot: Snapshot, hashes: Sequence[tuple[str, str]]) -> None:
        """Remember a read of the whole, if its rows were lines. Raises Unreachable."""
        if not self._is_by_lines:
            return
        try:
            content = await asyncio.to_thread(_printed, snapshot, hashes)
        except Unsure:
            return
        await self.keep(content)


def _printed(snapshot: Snapshot, hashes: Sequence[tuple[str, str]]) -> bytes:
    """Raises Unsure where rows are no lines."""
    seed = int.from_bytes(os.urandom(8))
    tables: list[Lines] = []
    for table in snapshot.users:
        header, prints = prints_of(table.file, seed)
        if len(prints) != len(table.anchors):
            raise Unsure("rows are no lines")
        hashed = array("Q", (anchor_hash(anchor, seed) for anchor in table.anchors))
        tables.append(Lines(header, prints, hashed))
        table.file.check_there()
    return pack(hashes, seed, tables)
