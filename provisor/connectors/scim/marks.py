"""Watermarks: until when a SCIM service was read, and what would be shown again though it is known.

Changes are asked for with an overlap, so that what was read last is shown again each time; a hash
of each such object tells that it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
import xxhash

from provisor.connectors.http.body import JsonObject
from provisor.errors import WatermarkExpired
from provisor.model.entries import Watermark

VERSION: Final = 1
KNOWN_MAX: Final = 2_000
"""More objects of a kind are not remembered: they are shown again, which costs nobody anything."""


class _Written(msgspec.Struct):
    """A watermark as it is kept."""

    version: int
    view: str
    until: datetime
    full_at: datetime
    known: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark, understood."""

    view: str
    """Which service, and as whom: a watermark is good for exactly these."""
    until: datetime
    """Everything that changed before then, by the service's clock, was shown."""
    full_at: datetime
    """When everything was read last, by our clock."""
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "dict[str, str]"])
    """Hashes by kind and id: of all groups, and of the users that changed last."""


def write(mark: Mark) -> Watermark:
    kept = {k: dict(known) for k, known in mark.known.items() if len(known) <= KNOWN_MAX}
    written = _Written(VERSION, mark.view, mark.until, mark.full_at, kept)
    return Watermark(msgspec.json.encode(written).decode())


def read(watermark: Watermark, view: str) -> Mark:
    """Return what a watermark of ours means. Raises WatermarkExpired for any other."""
    try:
        written = msgspec.json.decode(watermark.encode(), type=_Written)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise WatermarkExpired("this connector did not give that watermark") from error
    if written.version != VERSION or written.view != view:
        raise WatermarkExpired("that watermark is of another service, account or attributes")
    return Mark(
        view=view,
        until=written.until.astimezone(UTC),
        full_at=written.full_at.astimezone(UTC),
        known=written.known,
    )


def hash_of(resource: JsonObject) -> str:
    """Return what names exactly this content, in whatever order its members come."""
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(resource, order="deterministic"))
