"""Watermarks: how far a directory was read, and of what the server's cookies are good for."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from provisor.connectors.ldap.followed import Followed
from provisor.errors import WatermarkExpired
from provisor.model.entries import Watermark

VERSION: Final = 1


class Newest(msgspec.Struct, frozen=True, array_like=True):
    """The entry that was changed last, as far as was read: a server that went back in time does
    not have it, or has it as it was before."""

    kind: str
    anchor: str
    changed: str
    """Its modifyTimestamp, as the server writes it: whole seconds, mostly."""
    stamp: str = ""
    """Its entryCSN, which tells changes of one second apart; empty where the server has none."""

    def is_newer(self, other: Newest) -> bool:
        if self.changed != other.changed or not (self.stamp and other.stamp):
            return self.changed > other.changed
        return self.stamp > other.stamp


class _Written(msgspec.Struct, omit_defaults=True):
    """A watermark as it is kept."""

    version: int
    how: str
    view: str
    containers: str
    full_at: float
    cookies: dict[str, str] = {}
    since: str = ""
    newest: Newest | None = None
    unsettled: dict[str, dict[str, float]] = {}
    followed: Followed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark, understood."""

    how: str
    """`sync` or `timestamps`."""
    view: str
    """What names base, filter and attributes: a cookie is good for exactly these."""
    containers: str
    """What names the containers there were: when one moves, its content moves without a trace."""
    full_at: datetime
    """When everything was read last."""
    cookies: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """By kind."""
    since: str = ""
    """The newest modifyTimestamp that was read."""
    newest: Newest | None = None
    unsettled: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict[str, Mapping[str, float]]
    )
    """By kind and anchor: who pointed at names that meant nobody, and since when, in seconds since
    1970. A server that renames who is pointed at does so a while later, and may tell nobody."""
    followed: Followed | None = None
    """Who changed lately, and what points at them; None where nothing has."""


def write(mark: Mark) -> Watermark:
    cookies = {kind: base64.b64encode(cookie).decode() for kind, cookie in mark.cookies.items()}
    written = _Written(
        version=VERSION,
        how=mark.how,
        view=mark.view,
        containers=mark.containers,
        full_at=mark.full_at.timestamp(),
        cookies=cookies,
        since=mark.since,
        newest=mark.newest,
        unsettled={kind: dict(since) for kind, since in mark.unsettled.items()},
        followed=mark.followed,
    )
    return Watermark(msgspec.json.encode(written).decode())


def read(watermark: Watermark) -> Mark:
    """Raises WatermarkExpired for what we have not written, or have written otherwise."""
    try:
        said = msgspec.json.decode(watermark.encode(), type=_Written)
        cookies = {k: base64.b64decode(v, validate=True) for k, v in said.cookies.items()}
    except (msgspec.DecodeError, msgspec.ValidationError, binascii.Error, ValueError) as odd:
        raise WatermarkExpired("this watermark is not of an LDAP directory") from odd
    if said.version != VERSION:
        raise WatermarkExpired("this watermark was made by another version of Provisor")
    return Mark(
        how=said.how,
        view=said.view,
        containers=said.containers,
        full_at=datetime.fromtimestamp(said.full_at, UTC),
        cookies=cookies,
        since=said.since,
        newest=said.newest,
        unsettled=said.unsettled,
        followed=said.followed,
    )


def digest(parts: Iterable[str]) -> str:
    """Return what names exactly these texts in this order."""
    found = hashlib.blake2b(digest_size=12)
    for part in parts:
        found.update(part.encode())
        found.update(b"\0")
    return found.hexdigest()
