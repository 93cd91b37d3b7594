"""Reading a source to its end, and what no read may ever claim."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from provisor.errors import AdapterError, Unreachable
from provisor.model.entries import (
    Entry,
    EntryKey,
    Gone,
    Page,
    ReadFault,
    Receipt,
    Reference,
    Seen,
    Touched,
    Watermark,
)
from provisor.ports import Source

Result = TypeVar("Result")


def run(work: Coroutine[object, object, Result]) -> Result:
    return asyncio.run(work)


class LateClock:
    """Long after every file was written; time passes only when someone sleeps."""

    def __init__(self, now: datetime = datetime(2200, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


@dataclass
class Read:
    """What one read said, and how it ended."""

    pages: list[Page] = field(default_factory=list[Page])
    receipt: Receipt | None = None
    error: AdapterError | None = None
    entries: dict[EntryKey, Entry] = field(default_factory=dict[EntryKey, Entry])

    @property
    def faults(self) -> list[ReadFault]:
        return [fault for page in self.pages for fault in page.faults]

    def proves(self, kind: str) -> bool:
        """Tell whether what this read left out of a kind may be concluded absent."""
        return self.receipt is not None and kind not in self.receipt.void

    def kind(self, kind: str) -> dict[str, Entry]:
        return {key.anchor: entry for key, entry in self.entries.items() if key.kind == kind}


async def read(source: Source, since: Watermark | None = None) -> Read:
    """Read to the end, whichever it is."""
    found = Read()
    try:
        async for part in source.pull(since):
            take(found, part)
    except AdapterError as error:
        found.error = error
    return found


def take(found: Read, part: Page | Receipt) -> None:
    assert found.receipt is None, "nothing comes after the receipt"
    if isinstance(part, Receipt):
        found.receipt = part
        return
    found.pages.append(part)
    for change in part.changes:
        match change:
            case Seen(entry):
                found.entries[EntryKey(entry.kind, entry.anchor)] = entry
            case Gone(key):
                found.entries.pop(key, None)
            case Touched():
                pass


def members(entry: Entry) -> frozenset[Reference]:
    said = entry.attributes.get("members", ())
    assert isinstance(said, tuple)
    return frozenset(member for member in said if isinstance(member, Reference))


def check_no_false_absence(truth: Mapping[EntryKey, Entry], found: Read) -> None:
    """Whoever is there is shown, or nothing is proven; no group is shown with fewer members."""
    for key, entry in truth.items():
        assert key in found.entries or not found.proves(key.kind), f"{key} would be taken for gone"
        shown = found.entries.get(key)
        if shown is not None and key.kind == "Group":
            assert members(entry) <= members(shown), f"{key} would lose members"
    if found.receipt is None:
        assert found.error is not None, "a read without a receipt says why"
    else:
        assert set(found.receipt.void) <= {fault.kind for fault in found.faults}


async def check_fetch_never_denies(truth: Mapping[EntryKey, Entry], source: Source) -> None:
    """An error is never an answer: asked for somebody who is there, nobody says no."""
    for key in truth:
        try:
            found = await source.fetch(key)
        except Unreachable:
            continue
        assert found is not None, f"{key} would be taken for gone"
