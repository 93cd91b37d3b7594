"""A source whose complete reads are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from provisor.connectors.memory import MemorySource
from provisor.errors import Unreachable
from provisor.model.entries import Entry, EntryKey, Page, Receipt, Seen, System, Watermark

LIES = (
    "fail",
    "end early",
    "lose a page",
    "lose a page and count what is left",
    "lose a row and count what is left",
    "repeat a page",
    "repeat a page in place of another",
    "empty",
    "lose a kind",
    "reorder",
    "no look-up",
    "void",
)
HONEST = {"lose a page", "repeat a page", "repeat a page in place of another"}
"""Lies that the source's own total gives away."""


@dataclass
class LyingSource:
    inner: MemorySource
    lie: str = ""
    at: int = 0
    """At which page it lies, where that makes a difference."""

    @property
    def system(self) -> System:
        return self.inner.system

    async def fetch(self, key: EntryKey) -> Entry | None:
        if self.lie == "no look-up":
            raise Unreachable("no answer")
        if self.lie == "void":
            return None  # what could not be read as a row cannot be asked for either
        return await self.inner.fetch(key)

    async def close(self) -> None:
        await self.inner.close()

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        parts = [part async for part in self.inner.pull(since)]
        pages = [part for part in parts if isinstance(part, Page)]
        receipt = next(part for part in parts if isinstance(part, Receipt))
        if since is not None or not pages:
            for part in parts:
                yield part
            return
        at = self.at % len(pages)
        for page in self._read(pages, at):
            yield page
        if self.lie == "fail":
            raise Unreachable("no answer")
        if self.lie != "end early":
            yield self._count(receipt, self._read(pages, at))

    def _read(self, pages: list[Page], at: int) -> list[Page]:
        match self.lie:
            case "fail" | "end early":
                return pages[:at]
            case "lose a page" | "lose a page and count what is left" | "no look-up" | "void":
                return pages[:at] + pages[at + 1 :]
            case "lose a row and count what is left":
                return [*pages[:at], replace(pages[at], changes=()), *pages[at + 1 :]]
            case "repeat a page":
                return [*pages, pages[at]]
            case "repeat a page in place of another":
                return [*pages[:at], pages[at - 1], *pages[at + 1 :]]
            case "empty":
                return []
            case "lose a kind":
                return [_only_groups(page) for page in pages]
            case "reorder":
                return pages[::-1]
            case _:
                return pages

    def _count(self, receipt: Receipt, pages: list[Page]) -> Receipt:
        rows = [c.entry for p in pages for c in p.changes if isinstance(c, Seen)]
        total = receipt.total if self.lie in HONEST else len(rows)
        void = {"user": "a row is faulty", "group": "a row is faulty"} if self.lie == "void" else {}
        counts = Counter(row.kind for row in rows)
        return replace(receipt, rows=counts, total=total, void=void)


def _only_groups(page: Page) -> Page:
    groups = (c for c in page.changes if isinstance(c, Seen) and c.entry.kind == "group")
    return replace(page, changes=tuple(groups))
