"""Watermarks: how far a domain was read, on which domain controller, and with what in view."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from provisor.errors import WatermarkExpired
from provisor.model.entries import Watermark

VERSION: Final = 1


class _Written(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A watermark as it is kept."""

    version: int
    how: str
    view: str
    invocation: str
    usn: int
    newest: tuple[str, int] | None
    full_at: float
    read_at: float
    cookie: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark, understood."""

    how: str
    """`dirsync` or `usn`."""
    view: str
    """What names base, filters and attributes: the watermark is good for exactly these."""
    invocation: str
    """The database of the domain controller that was read; another one counts otherwise."""
    usn: int
    """Its highestCommittedUSN before the read began: what changed later has a higher one."""
    newest: tuple[str, int] | None
    """The GUID of an object and its uSNChanged: in a database that went back in time it is not
    there, or has a lower one."""
    full_at: datetime
    """When everything was read last."""
    read_at: datetime
    """When this was read: tombstones do not outlive their lifetime."""
    cookie: bytes = b""
    """DirSync's."""


def write(mark: Mark) -> Watermark:
    written = _Written(
        version=VERSION,
        how=mark.how,
        view=mark.view,
        invocation=mark.invocation,
        usn=mark.usn,
        newest=mark.newest,
        full_at=mark.full_at.timestamp(),
        read_at=mark.read_at.timestamp(),
        cookie=base64.b64encode(mark.cookie).decode(),
    )
    return Watermark(msgspec.json.encode(written).decode())


def read(watermark: Watermark) -> Mark:
    """Raises WatermarkExpired for what we have not written, or have written otherwise."""
    try:
        said = msgspec.json.decode(watermark.encode(), type=_Written)
        cookie = base64.b64decode(said.cookie, validate=True)
        full_at, read_at = (datetime.fromtimestamp(t, UTC) for t in (said.full_at, said.read_at))
    except (msgspec.DecodeError, msgspec.ValidationError, binascii.Error) as odd:
        raise WatermarkExpired("this watermark is not of an Active Directory") from odd
    except (ValueError, OverflowError) as odd:
        raise WatermarkExpired("this watermark was spoiled") from odd
    if said.version != VERSION:
        raise WatermarkExpired("this watermark was made by another version of Provisor")
    return Mark(
        how=said.how,
        view=said.view,
        invocation=said.invocation,
        usn=said.usn,
        newest=said.newest,
        full_at=full_at,
        read_at=read_at,
        cookie=cookie,
    )


def digest(parts: Iterable[str]) -> str:
    """Return what names exactly these texts in this order."""
    found = hashlib.blake2b(digest_size=12)
    for part in parts:
        found.update(part.encode())
        found.update(b"\0")
    return found.hexdigest()
