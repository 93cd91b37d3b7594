"""The description of the API in OpenAPI's form, from the table of routes and Graph's types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version

from provisor.graph.http.answers import Document
from provisor.graph.http.jsonschema import Described
from provisor.graph.http.query import TOP_MAX
from provisor.graph.http.route import FORM, JSON, TEXT, Gives, Route
from provisor.graph.http.routes import ROUTES
from provisor.graph.wire.beside import TokenRefusal
from provisor.graph.wire.errors import Envelope

KEY = re.compile(r"\{(\w+)\}")
KEYS: Mapping[str, str] = {
    "sp": "The object id of a service principal.",
    "app": "The object id of an application.",
    "job": "The id of a synchronization job.",
    "tpl": "The id of a synchronization template.",
    "dir": "The id of a directory definition, or its name.",
    "object": "The id of an object in the source, or of the one that it governs.",
    "assignment": "The id of an assignment.",
    "person": "The id of a user or group, its name, or its id in the source.",
    "gallery": "The id of an application template.",
    "log": "The id of an entry of the provisioning log.",
    "tenant": "The id of a tenant.",
    "key": "The id of an API key.",
}
REFUSALS: Mapping[int, str] = {
    400: "Something in the request is wrong; the message says what, `details` each thing of it.",
    401: "There is no token that is good.",
    403: "The token lacks the permission, or owns something else.",
    404: "Nobody here knows what the address names.",
    408: "The body was not whole in time.",
    409: "It is there already, or is something else by now.",
    413: "The body is too long.",
    414: "The address is too long.",
    415: "The body is of another kind than is taken here.",
    429: "There were too many of these; Retry-After says when the next one passes.",
    503: "Not now: a cycle runs, the store cannot be used, or the server ends.",
}
OPTIONS: Mapping[str, Document] = {
    "filter": {"schema": {"type": "string"}, "description": "Which entries are meant."},
    "top": {"schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999}},
    "skip": {"schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999}},
    "skiptoken": {"schema": {"type": "string"}, "description": "As the link to it has it."},
    "count": {"schema": {"type": "boolean"}, "description": "Say how many there are in all."},
    "format": {"schema": {"enum": ["csv", "zip", "json"]}},
}
OTHERS: Mapping[str, str] = {
    "search": "A part of a name or id.",
    "attribute": "The name of a target attribute.",
    "state": "How a changed attribute stands by now.",
    "object": "An id in source or target; `kind:` before it where several have it.",
}
WITH_BODY = ("POST", "PUT", "PATCH")


def description(base: str) -> Document:
    """Return all of it, for a server that is seen at `base`."""
    return {**_described(), "servers": [{"url": base}]}


@cache
def _described() -> Document:
    types = Described({one.gives.type for one in ROUTES if one.gives.type and _selects(one)})
    envelope = types.answered(Envelope)
    paths: dict[str, dict[str, object]] = {}
    for route in ROUTES:
        for prefix in prefixes(route):
            operations = paths.setdefault(f"{prefix}/{route.path}", {})
            operations[route.method.lower()] = _operation(route, prefix, types)
    responses = {str(status): _refusal(status, envelope) for status in REFUSALS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Provisor",
            "version": version("provisor"),
            "description": "The synchronization API of Microsoft Graph, and what stands beside it.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": responses,
            "schemas": types.schemas,
        },
    }


def _selects(route: Route) -> bool:
    return "select" in route.options


def prefixes(route: Route) -> tuple[str, ...]:
    if not route.is_versioned:
        return ("",)
    return ("/beta",) if route.is_beta else ("/beta", "/v1.0")


def _operation(route: Route, prefix: str, types: Described) -> Document:
    name = re.sub(r"\W+", "_", f"{prefix}/{route.path}").strip("_")
    told = (route.handler.__doc__ or route.handler.__name__.replace("_", " ")).split("\n")[0]
    made: Document = {
        "operationId": f"{route.method.lower()}_{name}",
        "summary": told.strip().rstrip("."),
        "parameters": list(_parameters(route)),
        "responses": {
            str(route.gives.status): _answer(route.gives, types),
            **{str(status): _refused(route, status, types) for status in _refusals(route)},
        },
    }
    if route.is_open:
        made["security"] = []
    else:
        made["security"] = [{"bearer": [scope]} for scope in route.scopes]
    if route.method in WITH_BODY and route.takes is not None:
        content = {route.media: {"schema": types.taken(route.takes)}}
        made["requestBody"] = {"content": content, "required": _needs_body(route)}
    return made


def _needs_body(route: Route) -> bool:
    return bool(getattr(route.takes, "__struct_fields__", ())) and route.media == FORM


def _parameters(route: Route) -> Iterable[Document]:
    for key in KEY.findall(route.path):
        text: Document = {"type": "string", "minLength": 1}
        yield {"name": key, "in": "path", "required": True, "schema": text,
               "description": KEYS[key]}  # fmt: skip
    for option in route.options:
        yield {"name": f"${option}", "in": "query", **_option(route, option)}
    for other in (*route.others, *route.narrows):
        is_needed = other in route.others
        text = {"type": "string", "minLength": 1} if is_needed else {"type": "string"}
        yield {"name": other, "in": "query", "required": is_needed, "schema": text,
               "description": OTHERS[other]}  # fmt: skip


def _option(route: Route, option: str) -> Document:
    match option:
        case "select":
            return _list(route.properties)
        case "expand":
            return _list(route.expands)
        case "orderby":
            ways = [f"{name}{way}" for name in route.orderable for way in ("", " asc", " desc")]
            return {"schema": {"type": "string", "enum": ways}}
        case "top" if route.gives.is_many:
            return {**OPTIONS["top"], "description": f"A page holds {TOP_MAX} at the most."}
        case _:
            return OPTIONS[option]


def _list(names: Iterable[str]) -> Document:
    known = list(names)
    items: Document = {"type": "string", "enum": known} if known else {"type": "string"}
    schema: Document = {"type": "array", "items": items, "uniqueItems": True}
    if not known:
        schema["maxItems"] = 0
    return {"schema": schema, "style": "form", "explode": False}


def _answer(gives: Gives, types: Described) -> Document:
    made: Document = {"description": "Done." if gives.status != 202 else "Taken on."}
    if gives.media:
        made["content"] = {media: {"schema": _body(gives, media, types)} for media in gives.media}
    text: Document = {"type": "string"}
    made["headers"] = {
        name: {"required": True, "schema": text}
        for name in (*gives.headers, "request-id", "client-request-id")
    }
    return made


def _body(gives: Gives, media: str, types: Described) -> Document:
    if media == TEXT:
        return {"type": "integer", "minimum": 0}
    if media != JSON:
        return {}
    if gives.type is None:
        return {"type": "object"}
    held = types.answered(gives.type)
    if not gives.is_many:
        return held
    return {
        "type": "object",
        "required": ["value"],
        "properties": {
            "@odata.context": {"type": "string"},
            "@odata.count": {"type": "integer", "minimum": 0},
            "@odata.nextLink": {"type": "string", "format": "uri"},
            "value": {"type": "array", "items": held},
        },
        "additionalProperties": False,
    }


def _refusals(route: Route) -> Iterable[int]:
    """Return with which statuses a route may refuse."""
    found = {400, 414, 503, *route.refusals}
    if not route.is_open:
        found |= {401, 403}
    if KEY.search(route.path):
        found.add(404)
    if route.method in WITH_BODY:
        found |= {408, 413, 415}
    if route.media == FORM:
        found |= {401}
    return sorted(found)


def _refused(route: Route, status: int, types: Described) -> Document:
    if route.media == FORM and status in (400, 401):
        kinds = [types.answered(TokenRefusal), types.answered(Envelope)]
        return {"description": REFUSALS[status], "content": {JSON: {"schema": {"anyOf": kinds}}}}
    return {"$ref": f"#/components/responses/{status}"}


def _refusal(status: int, envelope: Document) -> Document:
    made: Document = {
        "description": REFUSALS[status],
        "content": {JSON: {"schema": envelope}},
    }
    text: Document = {"type": "string"}
    if status in (429, 503):
        made["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
    elif status == 401:
        made["headers"] = {"WWW-Authenticate": {"required": True, "schema": text}}
    return made
