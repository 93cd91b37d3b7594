"""What a probe has found out by trying: settings that hold where an administrator says nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from provisor.connectors.catalog import Connector
from provisor.ports import Registry
from provisor.settings.leaves import flatten

LEARNED = "learned"
Values: TypeAlias = Mapping[str, str | int | bool]


class Learned(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was found out, and of which connection."""

    settings: dict[str, str | int | bool]
    digest: str
    """Of the settings it was found out under; under others it means nothing."""


def digest_of(connector: Connector, settings: Mapping[str, object]) -> str:
    """Return what changes whenever a connection does, its secrets aside."""
    said = {path: v for path, v in flatten(settings).items() if not connector.is_secret(path)}
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()


async def keep_learned(
    registry: Registry, application: str, side: str, learned: Values, digest: str
) -> None:
    """Keep what was learned of one side, beside what was learned before under these settings."""
    before = await load_learned(registry, application, side, digest)
    content = msgspec.json.encode(Learned(settings={**before, **learned}, digest=digest))
    await registry.put_document(application, f"{LEARNED}-{side}", content)


async def load_learned(registry: Registry, application: str, side: str, digest: str) -> Values:
    """Return what was learned under exactly the settings that the digest is of."""
    content = await registry.document(application, f"{LEARNED}-{side}")
    if content is None:
        return {}
    learned = msgspec.json.decode(content, type=Learned)
    return learned.settings if learned.digest == digest else {}
