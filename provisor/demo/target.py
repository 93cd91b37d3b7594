"""The demonstration's target as the demonstration sees it: a process, and what it holds."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, cast

TOKEN: Final = "demonstration"  # noqa: S105
"""Opens a server that lives for a minute."""
STOP_S: Final = 10.0
MODULES: Final = ("scim2_server", "scim2_models", "waitress")


class TargetMissing(Exception):
    """The server for the demonstration is not installed, or does not start."""


@dataclass(frozen=True, slots=True)
class View:
    """What the target itself says."""

    writes: int
    """Requests for a change since it was started."""
    users: Mapping[str, Mapping[str, Any]]
    """By `externalId`: the id in the files."""
    groups: Mapping[str, Mapping[str, Any]]

    @property
    def active(self) -> frozenset[str]:
        return frozenset(id for id, user in self.users.items() if user.get("active") is True)

    @property
    def members(self) -> int:
        return sum(len(group.get("members") or ()) for group in self.groups.values())


class Target:
    """A server in a process of its own, which ends with ours."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        greeting = self._line()
        self.url = f"http://127.0.0.1:{greeting['port']}/v2"

    def stop(self) -> None:
        """End it, once it has said what it was asked; what it holds is kept if that was asked."""
        _stop(self._process)

    def view(self) -> View:
        """Ask the target what it holds."""
        assert self._process.stdin is not None
        self._process.stdin.write("view\n")
        self._process.stdin.flush()
        answer = self._line()
        resources = cast(list[dict[str, Any]], answer["resources"])
        kinds: dict[str, dict[str, Mapping[str, Any]]] = {"User": {}, "Group": {}}
        for resource in resources:
            of_kind = kinds[resource["meta"]["resourceType"]]
            of_kind[str(resource.get("externalId"))] = resource
        return View(int(answer["writes"]), kinds["User"], kinds["Group"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise TargetMissing("the demonstration's server did not start, or has stopped")
        return cast(dict[str, Any], json.loads(line))


def missing() -> str:
    """Return what has to be installed before the server can be started; empty: nothing."""
    absent = [name for name in MODULES if find_spec(name) is None]
    if not absent:
        return ""
    return (
        f"the demonstration brings a real SCIM server, and {', '.join(absent)} is not "
        "installed: pip install 'provisor[demo]'"
    )


def start(*arguments: str) -> Target:
    """Start the server. Raises TargetMissing.

    Without arguments it has a free port, and holds what it is given until it ends; with a port and
    a file it goes on where it was.
    """
    if lacking := missing():
        raise TargetMissing(lacking)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "provisor.demo.server", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        return Target(process)
    except TargetMissing:
        _stop(process)
        raise


@contextmanager
def serve() -> Generator[Target]:
    """Start the server on a free port; stop it at the end. Raises TargetMissing."""
    target = start()
    try:
        yield target
    finally:
        target.stop()


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
