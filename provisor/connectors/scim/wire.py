"""What SCIM servers send, read leniently: wrong in form, still clear in meaning (scim-target 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

import msgspec

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

BOM = b"\xef\xbb\xbf"
EXCERPT_BYTES_MAX = 2_048
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

_decoder = msgspec.json.Decoder()


class NotJson(ValueError):
    """What came is no JSON."""


def decode(body: bytes) -> Json:
    """Return the value that a body holds, None if it is empty. Raises NotJson."""
    content = body.removeprefix(BOM)
    if not content.strip():
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
    return {name.lower(): value for name, value in resource.items()}


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


def id_of(resource: Json) -> str:
    return text_of(get(resource, "id"))


def version_of(resource: Json) -> str | None:
    return text_of(get(get(resource, "meta"), "version")) or None


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A page of resources."""

    resources: tuple[dict[str, Json], ...]
    total: int | None
    next_cursor: str = ""


def list_answer(content: Json) -> ListAnswer | None:
    """Return what a query answered, None if that is no list.

    Tolerates missing `Resources`, null elements, totals as text, and a bare resource (Q1, Q3).
    """
    if not isinstance(content, dict):
        return None
    listed, total = get(content, "Resources"), number_of(get(content, "totalResults"))
    if listed is None and total is None and not _says_it_is_a_list(content):
        return ListAnswer((content,), 1) if id_of(content) else None
    return ListAnswer(tuple(items(listed)), total, text_of(get(content, "nextCursor")))


def _says_it_is_a_list(content: dict[str, Json]) -> bool:
    schemas = get(content, "schemas")
    return isinstance(schemas, list) and LIST_RESPONSE in schemas


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What an error says, in SCIM's form or in that of some framework."""

    scim_type: str
    detail: str


def error_answer(content: Json) -> ErrorAnswer:
    for name in ("detail", "message", "error_description", "title", "error"):
        if detail := get(content, name):
            text = detail if isinstance(detail, str) else encode(detail).decode()
            return ErrorAnswer(text_of(get(content, "scimType")), text)
    return ErrorAnswer(text_of(get(content, "scimType")), "")
