"""CSV files as a source: the whole of them, with a receipt or without one; nothing of them where
they say what they said before; and where they say little else, that alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from provisor.connectors.csvfile.memory import Memory
from provisor.connectors.csvfile.news import news
from provisor.connectors.csvfile.prints import Unsure, pack
from provisor.connectors.csvfile.reader import Identity, OpenFile, incomplete, look
from provisor.connectors.csvfile.recognise import Ahead, mark, read_so_far
from provisor.connectors.csvfile.settings import CsvSettings
from provisor.connectors.csvfile.snapshot import Opened, Snapshot
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import (
    Entry,
    EntryKey,
    Page,
    Receipt,
    Seen,
    System,
    Watermark,
    names_content,
)
from provisor.model.rules import IS_SOFT_DELETED
from provisor.ports import Clock

PATIENCE_S: Final = 30.0
"""How much longer than `settleFor` a file is waited for that goes on changing."""


class CsvSource:
    """Users and groups in files. It tells what there is, and what is new among users; who is gone
    only a read of the whole tells."""

    def __init__(
        self,
        settings: CsvSettings,
        clock: Clock,
        required: Mapping[str, frozenset[str]] | None = None,
        *,
        page_entries: int = 1000,
        memory: Memory | None = None,
    ) -> None:
        """`required` names, by kind, the attributes that mappings and filters read; `memory` keeps
        the prints of rows from one read to the next."""
        self._memory = memory
        self._ahead = Ahead()
        self._settings = settings
        self._clock = clock
        self._page_entries = page_entries
        self._required = {k: names - {IS_SOFT_DELETED} for k, names in (required or {}).items()}

    @property
    def system(self) -> System:
        """The users' files are the system; which others are read beside them is the view: a job
        that begins to read groups has not come to another organisation."""
        chosen = self._settings
        view = {
            "groups": _paths(chosen.groups),
            "members": _paths(chosen.members),
            "anchor": (chosen.user_anchor, chosen.group_anchor),
            "delimiter": chosen.format.delimiter,
            "quote": chosen.format.quote,
            "encoding": chosen.format.encoding,
            "membership": (chosen.membership.group, chosen.membership.member),
        }
        return System(
            identity=_paths(chosen.users or chosen.groups),
            view=" ".join(f"{name}={value!r}" for name, value in view.items()),
        )

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        with ExitStack() as stack:
            opened = await self._open(stack)
            if since is not None:
                async for part in self._since(since, opened):
                    yield part
                return
            snapshot = Snapshot(self._settings, self._required, opened)
            for part in snapshot.parts(self._page_entries):
                if isinstance(part, Receipt):
                    receipt = self._marked(part, opened)
                    if self._memory is not None and receipt.watermark is not None:
                        await self._memory.keep_whole(snapshot, read_so_far(opened.files))
                    yield receipt
                elif part is not None:
                    yield part
                await self._clock.sleep(0)

    async def _since(self, since: Watermark, opened: Opened) -> AsyncIterator[Page | Receipt]:
        """Yield what the files say that they did not say then. Raises WatermarkExpired."""
        hashes = await asyncio.to_thread(self._ahead.look, opened.files)
        now = self._mark(hashes)
        if since != now:
            for page in await self._news(since, opened, hashes):
                yield page
        yield Receipt(is_snapshot=False, rows={}, watermark=now)

    async def _news(
        self, since: Watermark, opened: Opened, hashes: Sequence[tuple[str, str]]
    ) -> list[Page]:
        known = await self._memory.of(since, self._mark) if self._memory else None
        if self._memory is None or known is None or not names_content(since):
            raise WatermarkExpired("files do not tell what changed; they are read as a whole")
        try:
            frame = Snapshot(self._settings, self._required, opened)
            found = await asyncio.to_thread(news, frame, opened, known, hashes)
        except (Unsure, Unreachable) as why:  # of which the read of the whole makes what it is
            raise WatermarkExpired(f"{why}; the files are read as a whole") from why
        await self._memory.keep(pack(hashes, known.seed, found.tables))
        cut = range(0, len(found.entries), self._page_entries)
        pages = (found.entries[first : first + self._page_entries] for first in cut)
        return [Page(tuple(map(Seen, page)), None) for page in pages]

    def _marked(self, receipt: Receipt, opened: Opened) -> Receipt:
        """A read that had a row amiss is read again, whatever the files say by then."""
        if receipt.void:
            return receipt
        return replace(receipt, watermark=self._mark(read_so_far(opened.files)))

    def _mark(self, hashes: Sequence[tuple[str, str]]) -> Watermark:
        return mark(self.system, self._required, hashes)

    async def fetch(self, key: EntryKey) -> Entry | None:
        """Read everything again: whether somebody is not there only the whole can tell."""
        found: Entry | None = None
        doubt = "the read ended without a receipt"
        async for part in self.pull(None):
            match part:
                case Page(changes):
                    entries = (change.entry for change in changes if isinstance(change, Seen))
                    same = (e for e in entries if EntryKey(e.kind, e.anchor) == key)
                    found = next(same, found)
                case Receipt(void=void):
                    doubt = void.get(key.kind, "")
        if found is None and doubt:
            message = f"whether there is a {key.kind} {key.anchor} cannot be told: {doubt}"
            raise Unreachable(message, code="SourceReadIncomplete")
        return found

    async def close(self) -> None:
        """Files are open only while they are read."""

    async def _open(self, stack: ExitStack) -> Opened:
        """Open all files as one snapshot: each settled, each what it was when that was seen."""
        looked = await self._settled()

        def opened(path: Path) -> OpenFile:
            file = OpenFile(path, self._settings.format)
            stack.callback(file.close)
            if file.identity != looked[path]:
                raise file.changed()
            return file

        chosen = self._settings
        return Opened(
            users=tuple(map(opened, chosen.users)),
            groups=tuple(map(opened, chosen.groups)),
            members=tuple(map(opened, chosen.members)),
            manifest=opened(chosen.manifest) if chosen.manifest else None,
        )

    async def _settled(self) -> Mapping[Path, Identity]:
        """Return what all files are, once nobody has changed one for `settleFor`."""
        patience_s = self._settings.settle_for_s + PATIENCE_S
        while True:
            looked = {path: look(path) for path in self._paths()}
            youngest = max(looked, key=lambda path: looked[path].modified_ns)
            age_s = self._clock.now().timestamp() - looked[youngest].modified_ns / 1e9
            wait_s = self._settings.settle_for_s - age_s
            if wait_s <= 0 or not self._settings.settle_for_s:
                return looked
            patience_s -= wait_s
            if patience_s < 0:
                raise incomplete(
                    f"{youngest.name} goes on changing, or its time lies in the future; write it "
                    "under another name and rename it, and let clocks agree"
                )
            await self._clock.sleep(wait_s)

    def _paths(self) -> tuple[Path, ...]:
        chosen = self._settings
        manifest = (chosen.manifest,) if chosen.manifest else ()
        return (*chosen.users, *chosen.groups, *chosen.members, *manifest)


def _paths(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))
