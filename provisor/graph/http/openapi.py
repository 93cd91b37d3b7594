"""The description of the API in OpenAPI's form, from the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

from provisor.graph.http.answers import Document
from provisor.graph.http.routes import Route

KEY = re.compile(r"\{(\w+)\}")


def description(routes: Iterable[Route], base: str) -> Document:
    return {**_described(tuple(routes)), "servers": [{"url": base}]}


@cache
def _described(routes: tuple[Route, ...]) -> Document:
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        for prefix in _prefixes(route):
            operations = paths.setdefault(f"{prefix}/{route.path}", {})
            operations[route.method.lower()] = _operation(route, prefix)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Provisor", "version": version("provisor")},
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _error()},
        },
    }


def _prefixes(route: Route) -> tuple[str, ...]:
    if not route.is_versioned:
        return ("",)
    return ("/beta",) if route.is_beta else ("/beta", "/v1.0")


def _operation(route: Route, prefix: str) -> Document:
    name = re.sub(r"\W+", "_", f"{prefix}/{route.path}").strip("_")
    made: Document = {
        "operationId": f"{route.method.lower()}_{name}",
        "summary": (route.handler.__doc__ or route.handler.__name__.replace("_", " ")).split("\n")[
            0
        ],
        "parameters": [
            {"name": key, "in": "path", "required": True, "schema": {"type": "string"}}
            for key in KEY.findall(route.path)
        ],
        "responses": {
            "2XX": {"description": "Done, or taken on."},
            "default": {
                "description": "Refused, and why.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if not route.is_open:
        made["security"] = [{"bearer": []}]
        made["description"] = f"Any of these permissions: {', '.join(route.scopes)}."
    if route.method in ("POST", "PUT", "PATCH"):
        made["requestBody"] = {"content": {route.media: {"schema": {"type": "object"}}}}
    return made


def _error() -> Document:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": text, "message": text, "innerError": {"type": "object"}},
            }
        },
    }
