"""Values that are stored whole, as JSON: read strictly, so that nothing is half understood."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import msgspec

from provisor.errors import StoreFailed
from provisor.model.jobs import Job, Status

T = TypeVar("T")
_encoder = msgspec.json.Encoder()
_decoders: dict[object, msgspec.json.Decoder[object]] = {}


def to_json(value: object) -> str:
    return _encoder.encode(value).decode()


def from_json(content: str | bytes, type_: type[T]) -> T:
    """Raises StoreFailed where the content is not what this version writes."""
    if type_ not in _decoders:
        _decoders[type_] = msgspec.json.Decoder(type_)
    try:
        return _decoders[type_].decode(content)  # pyright: ignore[reportReturnType]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        name = getattr(type_, "__name__", str(type_))
        raise StoreFailed(f"the store holds a {name} that cannot be read: {error}") from error


def job_of(definition: str, status: str) -> Job:
    return replace(from_json(definition, Job), status=from_json(status, Status))
