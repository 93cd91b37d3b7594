"""What goes back: status, headers and body, in the forms that clients rely on (graph-api 1.3)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from provisor.graph.wire.coding import plain

JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8"
)
Document: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. Without a body it has no content type: some clients would read one."""

    status: int = 200
    body: bytes = b""
    media: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    stream: AsyncGenerator[bytes] | None = None
    """What goes out bit by bit, in place of a body."""


def said(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return JSON; Graph's types are written as Graph writes them."""
    body = msgspec.json.encode(plain(document))
    return Answer(status=status, body=body, media=JSON, headers=headers or {})


def done(status: int = 204, headers: Mapping[str, str] | None = None) -> Answer:
    """Return nothing but that it was done, or taken on."""
    return Answer(status=status, headers=headers or {})


def counted(number: int) -> Answer:
    return Answer(body=str(number).encode("ascii"), media="text/plain")


def document(value: object) -> Document:
    """Return one of Graph's types as what JSON is made of, to select and filter in."""
    made = plain(value)
    assert isinstance(made, dict)
    return made  # pyright: ignore[reportUnknownVariableType]
