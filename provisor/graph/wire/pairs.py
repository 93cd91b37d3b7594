"""Names with values, in the shapes that Graph has for them (spec: graph-api 4.7).

Keys that Graph closes in enums are open text here: what a key means is decided where it is used,
and metadata with a key nobody knows comes back as it was sent.
"""

from __future__ import annotations

from provisor.graph.wire.base import Open, Wire


class KeyValuePair(Wire, frozen=True, kw_only=True):
    """The one pair with `name`: settings of a job."""

    name: str = ""
    value: str | None = None


class TextPair(Open, frozen=True, kw_only=True):
    """`stringKeyStringValuePair`, and every kind of metadata entry."""

    key: str = ""
    value: str | None = None


class CountPair(Wire, frozen=True, kw_only=True):
    """`stringKeyLongValuePair`."""

    key: str = ""
    value: int = 0


class ObjectPair(Wire, frozen=True, kw_only=True):
    """`stringKeyObjectValuePair`: a text, a number, true or false, null, or a list of these."""

    key: str = ""
    value: object = None


class SecretPair(Wire, frozen=True, kw_only=True):
    """`synchronizationSecretKeyStringValuePair`."""

    key: str = ""
    value: str | None = None


class Secrets(Wire, frozen=True, kw_only=True):
    """The body of `PUT secrets`."""

    value: tuple[SecretPair, ...]
