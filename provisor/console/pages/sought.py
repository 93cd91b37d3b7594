"""A long list on a page: narrowed by what the address asks for, and the way further back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from provisor.console.asking import skip_token
from provisor.console.visit import Visit
from provisor.graph.http.faults import Fault
from provisor.graph.wire.base import instant_text

T = TypeVar("T")


async def sought(visit: Visit, kind: type[T], path: str, size: int, condition: str = "") -> T:
    """Return the page of a list that the address goes on with, else the first. Raises Fault."""
    options = {"top": str(size), **narrowed(condition)}
    if token := visit.asked("after"):
        options["skiptoken"] = token
    return await visit.api.read(kind, path, **options)


def narrowed(condition: str) -> dict[str, str]:
    """Return the option of a request that says it, where there is something to say."""
    return {"filter": condition} if condition else {}


def given(visit: Visit, names: Iterable[str]) -> dict[str, str]:
    """Return what of these the address asks for."""
    return {name: text for name in names if (text := visit.asked(name))}


def further(next_link: str, asked: Mapping[str, str]) -> str:
    """Return the query of the page behind this one; empty where there is none."""
    token = skip_token(next_link)
    return urlencode({**asked, "after": token}) if token else ""


def within(visit: Visit, path: str) -> list[str]:
    """Return the conditions on a time that the address asks for. Raises Fault."""
    return [
        f"{path} {operator} {_instant(text)}"
        for name, operator in (("since", "ge"), ("until", "lt"))
        if (text := visit.asked(name))
    ]


def _instant(text: str) -> str:
    """Return an instant of the address, in UTC where it names no zone. Raises Fault."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as failure:
        raise Fault(400, "BadRequest", f"{text[:40]} is no time.") from failure
    return instant_text(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
