"""How what was pushed is stored: JSON under a hash, so that damage is never taken for content."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, cast

from provisor.errors import StoreFailed
from provisor.model.entries import Anchor, Entry, Reference, Scalar, Value

Json: TypeAlias = str | int | bool | list["Json"] | dict[str, "Json"] | None
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Upsert:
    """What somebody says of one object. What is not named stays; None takes a value away."""

    kind: str
    attributes: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was pushed at once, and its number in the order of pushing."""

    era: str
    number: int
    upserts: tuple[Upsert, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """An object, and the number of the batch that spoke of it last."""

    entry: Entry
    number: int


@dataclass(frozen=True, slots=True)
class Base:
    """Everything up to a batch."""

    era: str
    number: int
    held: tuple[Held, ...]


def write_batch(batch: Batch) -> bytes:
    upserts: list[Json] = [[u.kind, _mapping(u.attributes)] for u in batch.upserts]
    return _seal([batch.era, batch.number, upserts])


def read_batch(content: bytes) -> Batch:
    """Return what `write_batch` wrote. Raises StoreFailed."""
    era, number, upserts = cast("tuple[str, int, list[list[Json]]]", _open(content))
    return Batch(era, number, tuple(Upsert(str(k), _attributes(a)) for k, a in upserts))


def write_base(base: Base) -> bytes:
    held: list[Json] = [
        [h.number, h.entry.kind, h.entry.anchor, _mapping(h.entry.attributes)] for h in base.held
    ]
    return _seal([base.era, base.number, held])


def read_base(content: bytes) -> Base:
    """Return what `write_base` wrote. Raises StoreFailed."""
    era, number, rows = cast("tuple[str, int, list[tuple[int, str, str, Json]]]", _open(content))
    held = (
        Held(Entry(kind, Anchor(anchor), _present(_attributes(attributes))), last)
        for last, kind, anchor, attributes in rows
    )
    return Base(era, number, tuple(held))


def _seal(whole: Json) -> bytes:
    content = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return hashlib.sha256(content).digest() + content


def _open(sealed: bytes) -> Json:
    content = sealed[HASH_BYTES:]
    if hashlib.sha256(content).digest() != sealed[:HASH_BYTES]:
        raise StoreFailed("what was pushed is damaged in the store; restore a backup of it")
    return cast("Json", json.loads(content))


def _mapping(attributes: Mapping[str, Value | None]) -> Json:
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Value | None) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case tuple():
            return [_plain(one) for one in value]
        case bytes():
            return {"bytes": base64.b64encode(value).decode("ascii")}
        case datetime():
            return {"at": value.isoformat()}
        case Reference(kind, anchor):
            return {"kind": kind, "anchor": anchor}


def _attributes(said: Json) -> dict[str, Value | None]:
    return {name: _value(value) for name, value in cast("dict[str, Json]", said).items()}


def _present(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if value is not None}


def _value(said: Json) -> Value | None:
    match said:
        case None | bool() | int() | str():
            return said
        case list():
            return tuple(cast("Sequence[Scalar]", [_value(one) for one in said]))
        case {"bytes": str(text)}:
            return base64.b64decode(text)
        case {"at": str(text)}:
            return datetime.fromisoformat(text)
        case {"kind": str(kind), "anchor": str(anchor)}:
            return Reference(kind, Anchor(anchor))
        case _:
            raise StoreFailed(f"what was pushed holds a value of an unknown form: {sorted(said)}")
