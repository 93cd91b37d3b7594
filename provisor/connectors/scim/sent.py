"""Pages of a list as they were sent: what they show is told apart, and read if it is asked for.

Who has listed a target before knows most objects by how they were sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import xxhash

from provisor.connectors.http.body import BOM, JsonObject, NotJson, decode, encode
from provisor.connectors.scim.quirks import Quirks
from provisor.connectors.scim.resources import Shape
from provisor.connectors.scim.wire import id_of, list_answer

READING = 1
"""Goes up whenever resources are read otherwise than before: nothing is known by its print then."""
SIGN = 1 << 63


class _Id(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    """A list in the spelling of the standard."""

    total: int = msgspec.field(name="totalResults")
    resources: list[msgspec.Raw] = msgspec.field(name="Resources")
    next_cursor: str = msgspec.field(name="nextCursor", default="")


_lists = msgspec.json.Decoder(_List)
_ids = msgspec.json.Decoder(_Id)


@dataclass(frozen=True, slots=True)
class Sent:
    """One resource."""

    id: str
    raw: bytes | msgspec.Raw

    def content(self) -> JsonObject:
        content = decode(bytes(self.raw))
        assert isinstance(content, dict), "it was one when its id was read"
        return content


@dataclass(frozen=True, slots=True)
class SentPage:
    """A page of resources."""

    resources: tuple[Sent, ...]
    total: int | None
    next_cursor: str = ""


def sent_page(body: bytes) -> SentPage | None:
    """Return what a query answered, None if that is no list."""
    try:
        found = _lists.decode(body)
        sent = [Sent(_ids.decode(raw).id, raw) for raw in found.resources]
        return SentPage(tuple(sent), found.total, found.next_cursor)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _leniently(body.removeprefix(BOM))


def _leniently(body: bytes) -> SentPage | None:
    """As `wire.list_answer` understands what is spelled otherwise."""
    try:
        answer = list_answer(decode(body))
    except NotJson:
        return None
    if answer is None:
        return None
    sent = (Sent(id_of(resource), encode(resource)) for resource in answer.resources)
    return SentPage(tuple(sent), answer.total, answer.next_cursor)


class Prints:
    """What resources of a kind are known by: how they were sent, and how they are read."""

    def __init__(self, shape: Shape, quirks: Quirks) -> None:
        reading = repr((READING, shape.kind, shape.seen, quirks))
        self._seed = xxhash.xxh3_64_intdigest(reading.encode("utf-8", "surrogatepass"))

    def of(self, sent: Sent) -> int:
        """Return a signed number of 64 bits."""
        return xxhash.xxh3_64_intdigest(sent.raw, seed=self._seed) - SIGN
