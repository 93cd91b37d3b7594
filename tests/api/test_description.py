"""The API describes itself whole, and is as it says (OpenAPI 3.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from provisor.graph.http.route import Route
from provisor.graph.http.routes import ROUTES
from tests.api.served import Served, command
from tests.fuzz.api import Ground, ask, operations

EXAMPLES, SEED = 2, 20_261_128


@pytest.fixture(scope="module")
def described(house: Served) -> dict[str, Any]:
    return dict(house.get("/openapi.json").json)


def places(route: Route) -> Iterator[str]:
    if not route.is_versioned:
        yield f"/{route.path}"
        return
    yield f"/beta/{route.path}"
    if not route.is_beta:
        yield f"/v1.0/{route.path}"


def test_every_route_is_described_with_all_that_belongs_to_it(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    left = {(path, method) for path, each in described["paths"].items() for method in each}
    for route in ROUTES:
        for place in places(route):
            left.remove((place, route.method.lower()))
            told = described["paths"][place][route.method.lower()]
            assert told["security"] == [{"bearer": [scope]} for scope in route.scopes], place
            names = {one["name"] for one in told["parameters"]}
            assert set(re.findall(r"\{(\w+)\}", route.path)) <= names
            assert {f"${option}" for option in route.options} <= names
            assert ("requestBody" in told) == (route.takes is not None), place
            assert {"400", "503", str(route.gives.status)} <= told["responses"].keys()
            assert route.is_open or {"401", "403"} <= told["responses"].keys()
    assert not left


def test_no_name_is_given_twice_and_every_reference_leads_somewhere(
    described: dict[str, Any],
) -> None:
    ids = [one["operationId"] for each in described["paths"].values() for one in each.values()]
    assert len(set(ids)) == len(ids)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described))):
        found: Any = described
        for step in reference.split("/"):
            found = found[step]
    for schema in described["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_the_command_line_prints_the_same(tmp_path: Path, described: dict[str, Any]) -> None:
    (server,) = described["servers"]
    assert json.loads(command(tmp_path, "openapi", "--server", server["url"])) == described


def test_whatever_is_asked_is_answered_as_described(
    house: Served, described: dict[str, Any]
) -> None:
    """Below one of the two roots and of the two anchors, which lead to the same handlers."""
    ground = Ground(house)
    ground.prepare()
    for operation in operations(described, ground.keys, ("/v1.0", "/provisor")):
        if "applications/{app}/synchronization/" not in operation.path:
            found = ask(ground, operation, EXAMPLES, SEED)
            assert found is None, f"{found.operation}: {found.account}"
    done = {label for label, status in ground.answered if status < 400}
    assert len(done) > 30
