"""Each source in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisor.testing.organisation import Subject
from tests.contracts.sources import activedirectory, ldap, msgraph, scim
from tests.contracts.sources.subjects import DELTAS, REMOVING, SNAPSHOTS, make


def open_subject(request: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    """Yield a source by its name; those of real servers have one that the tests share."""
    name = str(request.param)
    if name in ldap.WAYS:
        yield from ldap.subjects(request.getfixturevalue("openldap_server"), name, folder)
    elif name == "msgraph":
        with msgraph.tenant() as tenant:
            yield tenant
    elif name in scim.WAYS:
        yield from scim.subjects(name, request.getfixturevalue("scim2_world"))
    elif name in activedirectory.WAYS:
        yield from activedirectory.subjects(request.getfixturevalue("samba_server"), name, folder)
    else:
        yield make(name, folder, request)


@pytest.fixture(params=[*SNAPSHOTS, *DELTAS])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    yield from open_subject(request, tmp_path)


@pytest.fixture(params=DELTAS)
def delta(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Return a source that can tell what changed."""
    yield from open_subject(request, tmp_path)


@pytest.fixture(params=SNAPSHOTS)
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Return a source that can only tell what there is."""
    yield from open_subject(request, tmp_path)


@pytest.fixture(params=REMOVING)
def removing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Return a source from which objects can vanish."""
    yield from open_subject(request, tmp_path)
