"""What SCIM servers send, read leniently: wrong in form, still clear in meaning (scim-target 8)."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.connectors.http.body import Json, encode, get, items, number_of, text_of

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


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
