"""A file of JSON lines, and hands that write it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from provisor_jsonlines.source import JsonLinesSource

from provisor.model.entries import Entry, EntryKey, Reference
from provisor.testing.organisation import key

PAGE = 2


class JsonLinesSubject:
    """Implements `provisor.testing.organisation.Subject`."""

    has_changes = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = JsonLinesSource(path, page_entries=PAGE)
        self._entries: dict[EntryKey, Entry] = {}
        self._write()

    async def hold(self, *entries: Entry) -> None:
        self._entries.update({key(entry): entry for entry in entries})
        self._write()

    async def remove(self, gone: EntryKey) -> None:
        del self._entries[gone]
        self._write()

    def _write(self) -> None:
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(text_of(*self._entries.values()), encoding="utf-8")
        unfinished.replace(self.path)


def text_of(*entries: Entry) -> str:
    """Return what a whole file says of these objects."""
    lines: list[object] = []
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
        said = {name: _plain(v) for name, v in entry.attributes.items() if name != "objectId"}
        lines.append({"kind": entry.kind, "id": entry.anchor, **said})
    return "".join(f"{json.dumps(line)}\n" for line in (*lines, {"end": counts}))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, Reference):
        return {"kind": value.kind, "id": value.anchor}
    return value
