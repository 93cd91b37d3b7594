"""Sources whose system gives the ids: what the suite calls its objects and what those are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from provisor.model.entries import (
    Anchor,
    Change,
    Entry,
    EntryKey,
    Gone,
    Page,
    Receipt,
    Reference,
    Seen,
    System,
    Touched,
    Value,
    Watermark,
)
from provisor.ports import Source


class Renamed:
    """A source whose anchors are what the suite calls them.

    Each question opens a source of its own: the suite may ask from several event loops.
    """

    def __init__(self, opens: Callable[[], Source], names: dict[str, str]) -> None:
        """`names` says what anchors are called; it may grow."""
        self._opens, self._names = opens, names

    @property
    def system(self) -> System:
        return self._opens().system

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        source = self._opens()
        try:
            async for part in source.pull(since):
                if isinstance(part, Page):
                    yield replace(part, changes=tuple(map(self._change, part.changes)))
                else:
                    yield part
        finally:
            await source.close()

    async def fetch(self, key: EntryKey) -> Entry | None:
        ids = {name: id for id, name in self._names.items()}
        source = self._opens()
        try:
            asked = EntryKey(key.kind, Anchor(ids.get(key.anchor, key.anchor)))
            found = await source.fetch(asked)
        finally:
            await source.close()
        return self._entry(found) if found else None

    async def close(self) -> None:
        """Nothing is held open."""

    def _change(self, change: Change) -> Change:
        match change:
            case Seen(entry):
                return Seen(self._entry(entry))
            case Gone(key, absence):
                return Gone(EntryKey(key.kind, self._name(key.anchor)), absence)
            case Touched(key):
                return Touched(EntryKey(key.kind, self._name(key.anchor)))

    def _entry(self, entry: Entry) -> Entry:
        said = {name: self._value(name, value) for name, value in entry.attributes.items()}
        return Entry(entry.kind, self._name(entry.anchor), said)

    def _value(self, name: str, value: Value) -> Value:
        if name == "objectId":
            return str(self._name(Anchor(str(value))))
        if isinstance(value, Reference):
            return self._reference(value)
        if isinstance(value, tuple):
            named = [self._reference(v) for v in value if isinstance(v, Reference)]
            return tuple(sorted(named, key=_in_order)) if named else value
        return value

    def _reference(self, value: Reference) -> Reference:
        return Reference(value.kind, self._name(value.anchor))

    def _name(self, anchor: Anchor) -> Anchor:
        return Anchor(self._names.get(anchor, anchor))


def _in_order(one: Reference) -> tuple[str, str]:
    return one.anchor, one.kind
