"""CSV files as a source: always the whole of them, with a receipt or without one; nothing of them
where they say what they said before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from provisor.connectors.csvfile.reader import Identity, OpenFile, incomplete, look
from provisor.connectors.csvfile.recognise import looked_ahead, mark, read_so_far
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
    """Users and groups in files. It tells what there is; of what changed, only that nothing did."""

    def __init__(
        self,
        settings: CsvSettings,
        clock: Clock,
        required: Mapping[str, frozenset[str]] | None = None,
        *,
        page_entries: int = 1000,
    ) -> None:
        """`required` names, by kind, the attributes that mappings and filters read."""
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
                yield await asyncio.to_thread(self._unchanged, opened, since)
                return
            for part in Snapshot(self._settings, self._required, opened).parts(self._page_entries):
                if isinstance(part, Receipt):
                    yield self._marked(part, opened)
                elif part is not None:
                    yield part
                await self._clock.sleep(0)

    def _unchanged(self, opened: Opened, since: Watermark) -> Receipt:
        """Return the receipt of a read in which nothing is new. Raises WatermarkExpired."""
        if not names_content(since) or since != self._mark(looked_ahead(opened.files)):
            raise WatermarkExpired("files do not tell what changed; they are read as a whole")
        return Receipt(is_snapshot=False, rows={}, watermark=since)

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
                    "under another name and rename it, and let clocks agree",
                    youngest,
                )
            await self._clock.sleep(wait_s)

    def _paths(self) -> tuple[Path, ...]:
        chosen = self._settings
        manifest = (chosen.manifest,) if chosen.manifest else ()
        return (*chosen.users, *chosen.groups, *chosen.members, *manifest)


def _paths(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))
