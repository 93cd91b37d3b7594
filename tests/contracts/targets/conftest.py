"""Runs each promise in each world: a test is a coroutine that is given an open one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.contracts.targets import ldap, memory, msgraph, scim, sql
from tests.contracts.targets.world import Recipe
from tests.worlds.hands import DIALECTS, hands
from tests.worlds.scim2 import Scim2, Variant

WORLDS = [
    *memory.RECIPES,
    *scim.DIALECTS,
    "msgraph",
    *ldap.WAYS,
    *DIALECTS,
    *(f"scim2-server-{variant}" for variant in scim.SCIM2_VARIANTS),
]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    """Return what opens the world; the test is given the open one."""
    name = cast(str, request.param)
    if name in memory.RECIPES:
        return memory.RECIPES[name]
    if name == "msgraph":
        return msgraph.tenant
    if name in scim.DIALECTS:
        return scim.dialect(name)
    if name in ldap.WAYS:
        return ldap.recipe(request.getfixturevalue("openldap_server"), name)
    if name in DIALECTS:
        return sql.recipe(hands(name, tmp_path, request))
    start = cast("Callable[[Variant], Scim2]", request.getfixturevalue("scim2_world"))
    server = start(cast(Variant, name.removeprefix("scim2-server-")))
    return lambda: scim.scim2(server)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Open the world and run the test in one event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}

    async def run() -> None:
        async with cast(Recipe, given["world"])() as world:
            await pyfuncitem.obj(**{**given, "world": world})

    asyncio.run(run())
    return True
