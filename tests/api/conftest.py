"""One server for all tests that do not need one of their own; each makes its own application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.served import Served, serving, target, workspace


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a running server."""
    folder = tmp_path_factory.mktemp("served")
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def sync(house: Served) -> str:
    """Return where the synchronization of a new, configured application is (on beta)."""
    principal = house.principal()
    path = f"/beta/servicePrincipals/{principal}/synchronization"
    secrets = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": "a-token-that-nobody-may-see"},
    ]
    assert house.put(f"{path}/secrets", {"value": secrets}).status == 204
    return path


@pytest.fixture
def job(house: Served, sync: str) -> str:
    """Return the path of a new job."""
    made = house.post(f"{sync}/jobs", {"templateId": "scim"})
    assert made.status == 201, made.body
    return f"{sync}/jobs/{made.json['id']}"
