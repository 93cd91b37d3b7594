"""A realistic organisation lives in a server of each kind, and flows into a SCIM service.

People come, marry, move, rise, are disabled, leave, and come again under an old name; the server is
cut off, killed, restored and made to lie, and so are we. Nobody is lost, doubled or left enabled.

A small one is part of the tests; PROVISOR_E2E_ORGANISATION=10000 makes it as large as that, with a
group of half of them, and says how long each step took.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Thread
from typing import cast

import pytest

from tests.endtoend.origins.database import Database
from tests.endtoend.origins.directory import Directory
from tests.endtoend.origins.domain import Domain
from tests.endtoend.origins.hrfiles import Files
from tests.endtoend.origins.origin import Origin, OriginSite
from tests.endtoend.origins.pushed import Pushed
from tests.endtoend.origins.services import Foreign, Service, Tenant
from tests.endtoend.site import JOB, members_of, shown
from tests.endtoend.staff import a_day, staff
from tests.endtoend.targets import Hard
from tests.worlds import openldap
from tests.worlds.hands import Dialect
from tests.worlds.scim2 import Scim2
from tests.worlds.tcp import Wire

PEOPLE = int(os.environ.get("PROVISOR_E2E_ORGANISATION", "300"))
GROUPS = max(PEOPLE // 20, 12)
IS_LARGE = PEOPLE > 1000
PATIENCE_S = 600.0
ORIGINS = (
    *("ldap sync", "domain dirsync", "sqlite snapshot", "postgresql xmin", "graph delta"),
    *("scim index", "files snapshot"),
)
MORE = (
    *("ldap timestamps", "domain usn", "mariadb change table", "scim timestamps", "scim foreign"),
    "inbound push",
    *(("ldap snapshot", "scim cursors") if IS_LARGE else ()),
    *(("postgresql snapshot", "mariadb snapshot") if IS_LARGE else ()),
)
"""Of which a small one lives through less."""
KILLED = ORIGINS if IS_LARGE else ("ldap sync", "graph delta")
"""Where the engine is killed too: that costs a process each time."""
pytestmark = pytest.mark.timeout(3600 if IS_LARGE else 300)


@pytest.fixture(params=ORIGINS + MORE)
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Origin]:
    kind, _, way = str(request.param).partition(" ")
    with _started(kind, way, tmp_path / "origin", request) as made:
        yield made


@contextmanager
def _started(
    kind: str, way: str, folder: Path, request: pytest.FixtureRequest
) -> Generator[Origin]:
    folder.mkdir()
    match kind:
        case "ldap":
            if not openldap.IS_THERE:
                pytest.skip(openldap.NOT_THERE)
            with Directory.run(folder, way) as directory:
                yield directory
        case "domain":
            with Domain.run(folder, request.getfixturevalue("samba_seed"), way) as domain:
                yield domain
        case "scim" if way == "foreign":
            start = cast("Callable[[str], Scim2]", request.getfixturevalue("scim2_world"))
            world = start("full")
            with Wire.to(world.port) as wire:
                yield Foreign(world, wire)
        case "scim":
            with Service.run(way) as service:
                yield service
        case "inbound":
            with Pushed.run(folder.parent) as pushed:
                yield pushed
        case "files":
            yield Files(folder)
        case "graph":
            with Tenant.run() as tenant:
                yield tenant
        case _:
            with Database.run(folder, cast(Dialect, kind), way, request) as database:
                yield database


class Story:
    """What happens, told step by step."""

    def __init__(self, folder: Path, target: Hard, origin: Origin) -> None:
        self.origin, self.chance = origin, Random(5)
        self.now = staff(PEOPLE, GROUPS, PEOPLE // 2)
        self.site = OriginSite(folder, target, origin)
        with self.step("founded"):
            origin.found(self.now)

    @contextmanager
    def step(self, what: str) -> Generator[None]:
        began = time.perf_counter()
        yield
        if IS_LARGE:
            print(f"  {what:<32}{time.perf_counter() - began:8.1f} s", flush=True)  # noqa: T201

    def day(self) -> None:
        before, self.now = self.now, a_day(self.now, self.chance)
        with self.step("a day in the source"):
            self.origin.become(before, self.now)

    def cycle(self, what: str, code: int = 0) -> None:
        with self.step(what):
            self.site.run(code)

    def settle(self, what: str) -> None:
        """Let what happened flow: whoever takes the name of a leaver waits for him to go."""
        if not self.origin.tells_deletions:
            with self.step(what):
                ended = self.site.provisor("run", JOB)
            assert ended.code in (0, 3), ended.told
            self.site.ends(0, "restart", JOB, "--scope", "Watermark")
        self.cycle(what)
        self.cycle("and once more")
        self.is_as_it_is()

    def is_as_it_is(self) -> None:
        with self.step("compared"):
            self.site.is_as(self.now)

    def held(self) -> tuple[dict[str, dict[str, object]], dict[str, set[str]]]:
        """Return what the target says of accounts and of who is in groups, by its own ids."""
        users, groups = (self.site.target.says(kind) for kind in ("User", "Group"))
        accounts = {str(user["id"]): shown(user) for user in users}
        return accounts, {str(group["id"]): {*members_of(group)} for group in groups}

    def is_quiet(self) -> None:
        with self.step("a quiet cycle"):
            self.site.is_quiet()


@pytest.fixture
def story(tmp_path: Path, origin: Origin, hard_server: Hard) -> Story:
    hard_server.reset()
    return Story(tmp_path, hard_server, origin)


def test_an_organisation_lives_through_all_that_happens_to_it(
    story: Story, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["origin"]
    with story.step("cut off at the first read"):
        _cut_off(story)
    if name in KILLED:
        _killed(story)
    story.cycle("first cycle, at last")
    story.is_as_it_is()
    story.is_quiet()

    story.day()
    story.settle("a day")
    story.is_quiet()
    if name in MORE and not IS_LARGE:
        return

    story.day()
    with story.step("cut off at changes"):
        _cut_off(story)
    story.origin.restart()
    story.settle("after a restart")

    _lied_to(story)
    _away(story)
    _restored(story)
    story.is_quiet()


@pytest.mark.skipif(not IS_LARGE, reason="a small one is heard in test_directories")
@pytest.mark.parametrize("origin", ["ldap sync"], indirect=True)
def test_days_of_a_large_organisation_are_heard_and_not_waited_for(story: Story) -> None:
    """The schedule says once an hour."""
    with story.site.process("run", JOB, "--watch") as watching:
        for told in (watching.stdout, watching.stderr):  # else it would wait to be read
            assert told is not None
            Thread(target=told.read, daemon=True).start()
        try:
            for _ in range(2):
                with story.step("heard"):
                    _until_it_is_as_it_is(story)
                story.day()
            with story.step("heard"):
                _until_it_is_as_it_is(story)
        finally:
            watching.send_signal(signal.SIGTERM)
            watching.wait(timeout=PATIENCE_S)
    story.is_quiet()


def _until_it_is_as_it_is(story: Story) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            story.site.is_as(story.now)
        except (AssertionError, KeyError):
            assert time.monotonic() < ends, "it was not heard"
            time.sleep(1.0)
        else:
            return


def _cut_off(story: Story) -> None:
    """Break connections later and later, until a cycle is through."""
    for step in story.origin.steps:
        with story.origin.cut_after(step):
            ended = story.site.provisor("run", JOB)
        assert ended.code in (0, 3, 5), ended.told
        if ended.code == 0:
            return


def _killed(story: Story) -> None:
    """Kill the engine while it writes."""
    for number in range(1, 4 if IS_LARGE else 2):
        mark = story.site.mark
        with story.site.process("run", JOB) as process, story.step("killed"):
            ends = time.monotonic() + PATIENCE_S
            while len(story.site.sent(mark)) < number * PEOPLE // 10 and process.poll() is None:
                assert time.monotonic() < ends, "it writes nothing"
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.communicate()


def _lied_to(story: Story) -> None:
    """Nobody leaves, and nobody is pointed at no longer, whatever is said."""
    for what, lie in story.origin.lies().items():
        accounts, groups = story.held()
        with story.step(f"lie: {what}"), lie():
            ended = story.site.provisor("run", JOB)
        accounts_now, groups_now = story.held()
        lost = {id: (was, accounts_now.get(id)) for id, was in accounts.items()}
        lost = {id: both for id, both in lost.items() if both[0] != both[1]}
        assert not lost, f"{what}: {ended.told}"
        left = {id: was - groups_now.get(id, set()) for id, was in groups.items()}
        assert not any(left.values()), f"{what}: {ended.told}"
    if story.site.status()["code"] == "Quarantine":
        story.site.ends(0, "start", JOB)
    story.settle("the truth again")


def _away(story: Story) -> None:
    story.origin.stop()
    mark = story.site.mark
    story.cycle("the server is away", story.origin.away_code)
    assert story.site.sent(mark) == []
    story.origin.start()
    story.settle("the server is back")


def _restored(story: Story) -> None:
    with story.step("backed up"):
        restore = story.origin.back_up()
    if restore is None:
        return
    kept = story.now
    story.day()
    story.settle("a day after the backup")
    with story.step("restored"):
        restore()
    story.now = kept
    with story.step("what a day undid is approved"):
        _approved(story)
    story.settle("restored")
    story.day()
    story.settle("a day after that")


def _approved(story: Story) -> None:
    """Groups that had grown shrink again: where it is by more than the guard lets through, an
    administrator who knows of the restore says that it is meant."""
    ended = story.site.provisor("run", JOB)
    assert ended.code in (0, 3, 4), ended.told
    if ended.code == 4:
        story.site.approve()
