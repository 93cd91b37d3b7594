"""Sites: before a server that nobody here wrote, and before ours, which can be hard."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.endtoend.company import Company
from tests.endtoend.site import Site
from tests.endtoend.targets import Foreign, Hard
from tests.worlds.scim2 import Scim2

FAILED = pytest.StashKey[bool]()
QUICK_TIMEOUTS = "timeouts: {connect: 5, read: 2, total: 20}"
"""So that a test of answers that never come does not wait for a minute."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test has failed, where its fixtures find it."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def site(tmp_path: Path, scim2: Scim2) -> Site:
    """Return a site that has not run yet, before a server that nobody here wrote."""
    return Site(tmp_path, Foreign(scim2), Company(tmp_path))


class Lasting:
    """A site that one test hands on to the next, settled; a first cycle takes longer than most
    of what tests are about."""

    def __init__(self, folders: pytest.TempPathFactory, server: Scim2) -> None:
        self._folders, self._server = folders, server
        self._site: Site | None = None

    def settled(self) -> Site:
        if self._site is None:
            self._server.reset()
            folder = self._folders.mktemp("site")
            self._site = Site(folder, Foreign(self._server), Company(folder))
            self._site.run()
        return self._site

    def forget(self) -> None:
        """Begin anew: a test failed, and nobody knows what it left behind."""
        self._site = None


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    log = tmp_path_factory.mktemp("lasting") / "access.jsonl"
    with Scim2.run(access_log=log) as server:
        yield Lasting(tmp_path_factory, server)


@pytest.fixture
def settled(lasting: Lasting, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Return a site whose people and groups have all arrived. Others have used it before, and
    will after: a test leaves it settled."""
    yield lasting.settled()
    if request.node.stash.get(FAILED, False):
        lasting.forget()


@pytest.fixture(scope="session")
def hard_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hard]:
    with Hard.run(tmp_path_factory.mktemp("hard") / "access.jsonl") as hard:
        yield hard


@pytest.fixture
def hard(hard_server: Hard) -> Hard:
    """Return our own server: empty and well-behaved."""
    hard_server.reset()
    return hard_server


@pytest.fixture
def before_hard(tmp_path: Path, hard: Hard) -> Callable[..., Site]:
    """Return what makes a site before our own server."""

    def made(people: int = 60, **settings: str) -> Site:
        target = ", ".join((QUICK_TIMEOUTS, *(f"{k}: {v}" for k, v in settings.items())))
        return Site(tmp_path, hard, Company(tmp_path, people, 6), target_settings=target)

    return made
