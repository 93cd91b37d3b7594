"""Each target in turn; `provisor.testing.plugin` opens it for each promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from provisor.testing.world import Recipe
from tests.contracts.targets import activedirectory, ldap, memory, msgraph, scim, sql
from tests.worlds.hands import DIALECTS, hands
from tests.worlds.scim2 import Scim2, Variant

WORLDS = [
    *memory.RECIPES,
    *scim.DIALECTS,
    "msgraph",
    *ldap.WAYS,
    "ad",
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
    if name == "ad":
        return activedirectory.recipe(request.getfixturevalue("samba_server"))
    if name in ldap.WAYS:
        return ldap.recipe(request.getfixturevalue("openldap_server"), name)
    if name in DIALECTS:
        return sql.recipe(hands(name, tmp_path, request))
    start = cast("Callable[[Variant], Scim2]", request.getfixturevalue("scim2_world"))
    server = start(cast(Variant, name.removeprefix("scim2-server-")))
    return lambda: scim.scim2(server)
