"""The remembered image of a tenant: what delta pages are merged into.

A delta page is a patch: it says what changed of an object, not what the object is. The image is
kept in the store, in shards, and is written before the watermark that it belongs to: a patch that
comes twice changes nothing, one that is missed would be lost. It has a name of its own (a
generation), which the watermark carries: another image is never patched.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any, Final

import msgspec

from provisor.connectors.http.body import JsonObject, get, items, text_of
from provisor.connectors.msgraph.naming import MANAGER, Shape, entry_of, pointed_of
from provisor.errors import StoreFailed, Unreachable, WatermarkExpired
from provisor.model.entries import Entry
from provisor.ports import Documents

SHARDS: Final = 64


class Held(msgspec.Struct, array_like=True):
    """One object as far as pages have told."""

    said: dict[str, Any]
    pointed: dict[str, str] = {}
    """Ids that it points at, with their kinds."""


class _Shard(msgspec.Struct):
    generation: str
    held: dict[str, Held]


class Image:
    """All objects of one kind."""

    def __init__(self, documents: Documents, owner: str, shape: Shape, generation: str) -> None:
        self._documents, self._owner, self._shape = documents, owner, shape
        self.generation = generation
        self._shards: dict[int, dict[str, Held]] = {}
        self._changed: set[int] = set()

    def begin(self) -> None:
        """Begin with nobody: everything is going to be read."""
        self._shards = {number: {} for number in range(SHARDS)}
        self._changed = set(range(SHARDS))

    async def merge(self, patch: JsonObject) -> None:
        """Take in what a page says of one object. Raises WatermarkExpired, Unreachable."""
        id = text_of(patch.get("id"))
        shard = await self._shard(id)
        held = shard.setdefault(id, Held({}))
        for name, value in patch.items():
            if "@" not in name and name != self._shape.pointing:
                held.said[name] = value
        self._merge_pointed(held, patch)
        self._changed.add(_number(id))

    def _merge_pointed(self, held: Held, patch: JsonObject) -> None:
        name = self._shape.pointing
        if (whole := get(patch, name)) is not None:
            held.pointed = pointed_of(whole)
        told = list(items(patch.get(f"{name}@delta") or []))
        if told and name == MANAGER:  # one at most: whoever is named last, or nobody
            held.pointed = {}
        for one in told:
            if one.get("@removed") is None:
                held.pointed |= pointed_of([one])
            else:
                held.pointed.pop(text_of(one.get("id")), None)

    async def put(self, id: str, held: Held) -> None:
        (await self._shard(id))[id] = held
        self._changed.add(_number(id))

    async def remove(self, id: str) -> bool:
        """Forget an object; return whether it was known."""
        known = (await self._shard(id)).pop(id, None) is not None
        self._changed.add(_number(id))
        return known

    async def entry(self, id: str) -> Entry | None:
        held = (await self._shard(id)).get(id)
        return None if held is None else entry_of(self._shape, held.said, held.pointed)

    async def is_whole(self, id: str) -> bool:
        """Tell whether pages have told all of an object, not only what changed of it."""
        held = (await self._shard(id)).get(id)
        return held is not None and all(name in held.said for name in ("id", "displayName"))

    async def forget_pointed(self, ids: Collection[str]) -> list[str]:
        """Let nobody point at these any longer; return who did.

        A hard delete takes somebody out of his groups, and no delta of the groups tells it.
        """
        found: list[str] = []
        for number in range(SHARDS) if ids else ():
            if number not in self._shards:
                self._shards[number] = await self._load(number)
            for id, held in self._shards[number].items():
                if gone := held.pointed.keys() & ids:
                    held.pointed = {k: v for k, v in held.pointed.items() if k not in gone}
                    self._changed.add(number)
                    found.append(id)
        return found

    async def save(self) -> None:
        """Keep what changed. Raises Unreachable where the store cannot."""
        for number in sorted(self._changed):
            shard = _Shard(self.generation, self._shards[number])
            try:
                await self._documents.put_document(
                    self._owner, self._name(number), msgspec.msgpack.encode(shard)
                )
            except StoreFailed as failure:
                raise Unreachable(str(failure), code="SourceReadIncomplete") from failure
        self._changed.clear()

    async def _shard(self, id: str) -> dict[str, Held]:
        number = _number(id)
        if number not in self._shards:
            self._shards[number] = await self._load(number)
        return self._shards[number]

    async def _load(self, number: int) -> dict[str, Held]:
        try:
            content = await self._documents.document(self._owner, self._name(number))
        except StoreFailed as failure:
            raise Unreachable(str(failure), code="SourceReadIncomplete") from failure
        try:
            shard = None if content is None else msgspec.msgpack.decode(content, type=_Shard)
        except msgspec.DecodeError:
            shard = None
        if shard is None or shard.generation != self.generation:
            raise WatermarkExpired("what was remembered of the tenant is not of that read")
        return shard.held

    def _name(self, number: int) -> str:
        return f"msgraph-{self._shape.endpoint}-{number}"


def _number(id: str) -> int:
    return zlib.crc32(id.encode()) % SHARDS
