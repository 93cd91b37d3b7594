"""One browser and one server for all journeys that do not need one of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser

from tests.api.served import Served, serving, target, workspace
from tests.browser.browser import EXECUTABLE, NOT_THERE, Person, chromium, person


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for the tests of one file: while it runs, nothing else may run a loop."""
    if EXECUTABLE is None:
        pytest.skip(NOT_THERE)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with the job `people`, which is not started."""
    folder = tmp_path_factory.mktemp("console")
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def visitor(browser: Browser, house: Served) -> Generator[Person]:
    """Return somebody who may do everything, signed in."""
    with person(browser, house) as somebody:
        somebody.sign_in(house.token)
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere
