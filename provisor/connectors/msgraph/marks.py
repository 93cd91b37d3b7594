"""Watermarks: the deltaLinks, the image they belong to, and how old they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from provisor.errors import WatermarkExpired
from provisor.model.entries import Watermark

VERSION: Final = 1
LIFE_S: Final = 7 * 86_400.0
"""Delta tokens of directory objects live for seven days (spec: behaviour 20)."""


class _Written(msgspec.Struct):
    """A watermark as it is kept."""

    version: int
    view: str
    generation: str
    at: datetime
    full_at: datetime
    links: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark, understood."""

    view: str
    generation: str
    """Which image the links go on from."""
    at: datetime
    full_at: datetime
    links: Mapping[str, str]
    """By kind: path and query below the address."""


def write(mark: Mark) -> Watermark:
    written = _Written(VERSION, mark.view, mark.generation, mark.at, mark.full_at, dict(mark.links))
    return Watermark(msgspec.json.encode(written).decode())


def read(watermark: Watermark, view: str, now: datetime, full_read_every_s: float) -> Mark:
    """Return what a watermark of ours means. Raises WatermarkExpired."""
    try:
        written = msgspec.json.decode(watermark.encode(), type=_Written)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise WatermarkExpired("this connector did not give that watermark") from error
    if written.version != VERSION or written.view != view:
        raise WatermarkExpired("that watermark is of another tenant, account or selection")
    at, full_at = written.at.astimezone(UTC), written.full_at.astimezone(UTC)
    if not 0 <= (now - at).total_seconds() < LIFE_S:
        raise WatermarkExpired("the delta links are older than seven days: they hold no longer")
    if (now - full_at).total_seconds() >= full_read_every_s:
        raise WatermarkExpired("it is time to read everything")
    return Mark(
        view=view, generation=written.generation, at=at, full_at=full_at, links=written.links
    )
