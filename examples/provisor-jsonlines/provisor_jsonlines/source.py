"""A file of JSON lines as a source: always the whole of it, with a receipt or an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import (
    Entry,
    EntryKey,
    Page,
    Receipt,
    Seen,
    System,
    Watermark,
)
from provisor_jsonlines.reading import read_file


class JsonLinesSource:
    """Implements `provisor.ports.Source`. It tells what there is, and nothing of what changed."""

    def __init__(self, path: Path, *, page_entries: int = 1000) -> None:
        self._path = path
        self._page_entries = page_entries

    @property
    def system(self) -> System:
        """Another file is another system: nobody is taken for gone because of it."""
        return System(identity=str(self._path))

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        if since is not None:
            raise WatermarkExpired("a file tells not what changed; it is read as a whole")
        content = await asyncio.to_thread(read_file, self._path)
        if content.faults:
            yield Page((), None, content.faults)
        seen = [Seen(entry) for entry in content.entries.values()]
        for start in range(0, len(seen), self._page_entries):
            yield Page(tuple(seen[start : start + self._page_entries]), None)
        yield Receipt(
            is_snapshot=True,
            rows=content.rows,
            total=sum(content.rows.values()),
            void=content.void,
            is_atomic=True,  # one file, read at one moment
            has_manifest=True,  # its last line vouches for the number of rows
            digest=content.digest,
        )

    async def fetch(self, key: EntryKey) -> Entry | None:
        """Read the file again. Who may be in a line that cannot be read is not gone."""
        content = await asyncio.to_thread(read_file, self._path)
        found = content.entries.get(key)
        if found is None and key.kind in content.void:
            raise Unreachable(
                f"whether there is a {key.kind} {key.anchor} cannot be told: "
                f"{content.void[key.kind]}",
                code="SourceReadIncomplete",
            )
        return found

    async def close(self) -> None:
        """The file is open only while it is read."""
