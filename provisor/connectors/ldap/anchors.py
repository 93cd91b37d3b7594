"""Anchors: how the directory says them, and how they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from provisor.connectors.ldapwire import values
from provisor.model.entries import Anchor

BINARY_ANCHORS: Final = frozenset({"objectguid", "guid"})


def anchor_of(attribute: str, value: bytes) -> Anchor:
    """Return an anchor as it is kept. Raises NotAValue."""
    return anchor_reader(attribute)(value)


def anchor_reader(attribute: str) -> Callable[[bytes], Anchor]:
    """Return what reads anchors that are of one attribute, and raises NotAValue."""
    return ANCHOR_READERS.get(attribute.lower(), _plain_anchor)


def _plain_anchor(value: bytes) -> Anchor:
    return Anchor(values.text(value))


ANCHOR_READERS: Final[Mapping[str, Callable[[bytes], Anchor]]] = MappingProxyType(
    {
        "objectguid": lambda value: Anchor(str(values.guid(value))),
        "guid": lambda value: Anchor(str(values.uuid(value))),
        "entryuuid": lambda value: Anchor(values.text(value).lower()),
    }
)


def anchor_value(attribute: str, anchor: Anchor) -> bytes | str | None:
    """Return what a filter compares with for an anchor; None if nothing could have it."""
    if attribute.lower() not in BINARY_ANCHORS:
        return str(anchor)
    try:
        found = values.uuid(anchor.encode())
    except values.NotAValue:
        return None
    return found.bytes_le if attribute.lower() == "objectguid" else found.bytes
