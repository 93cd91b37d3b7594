"""Bodies of requests and answers: JSON, read leniently (wrong in form, still clear in meaning)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias, cast

import msgspec

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

BOM = b"\xef\xbb\xbf"

_decoder = msgspec.json.Decoder()


class NotJson(ValueError):
    """What came is no JSON."""


def decode(body: bytes) -> Json:
    """Return the value that a body holds, None if it is empty. Raises NotJson."""
    content = body.removeprefix(BOM)
    if not content or content.isspace():
        return None
    try:
        return cast(Json, _decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from error


def encode(value: Json) -> bytes:
    return msgspec.json.encode(value)


def get(container: object, name: str) -> Json:
    """Return a member of an object; names are compared without case (RFC 7643 2.1)."""
    if not isinstance(container, dict):
        return None
    members = cast(dict[str, Json], container)
    if name in members:
        return members[name]
    folded = name.lower()
    for key, value in members.items():
        if key.lower() == folded:
            return value
    return None


def folded(resource: JsonObject) -> JsonObject:
    """Return the members of an object by their names in small letters."""
    return dict(zip(_in_small_letters(tuple(resource)), resource.values(), strict=True))


@lru_cache(maxsize=1_000)
def _in_small_letters(names: tuple[str, ...]) -> tuple[str, ...]:
    """Most objects of a kind have the same members in the same order."""
    return tuple([name.lower() for name in names])


def key_of(container: object, name: str) -> str:
    """Return the name of a member as an object spells it already, else as it is asked for."""
    folded = name.lower()
    if isinstance(container, dict) and name not in container:
        for key in cast(dict[str, Json], container):
            if key.lower() == folded:
                return key
    return name


def items(raw: Json) -> Iterator[JsonObject]:
    """Yield the complex elements of a multi-valued attribute; one alone may come without list."""
    for element in raw if isinstance(raw, list) else [raw]:
        if isinstance(element, dict):
            yield element


def truth_of(raw: object) -> bool | None:
    """Return a Boolean, which some servers send as text; None if it is none."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("true", "false"):
        return raw.strip().lower() == "true"
    return None


def number_of(raw: object) -> int | None:
    """Return a whole number, which some servers send as text; None if it is none."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)
    if isinstance(raw, str):
        try:
            return int(raw.strip())
        except ValueError:
            return None
    return None


def text_of(raw: object) -> str:
    """Return a text, which may come as a number (ids do); empty if it is neither."""
    if isinstance(raw, str):
        return raw
    number = number_of(raw)
    return "" if number is None else str(number)
