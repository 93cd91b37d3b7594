"""Two SCIM servers seen alike: one that nobody here wrote, and ours, which misbehaves on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from tests.fakes.scim.switches import Fault, Switches
from tests.worlds.processes import Server
from tests.worlds.scim2 import Scim2

WRITES = ("POST", "PUT", "PATCH", "DELETE")
DISCOVERY = ("ServiceProviderConfig", "ResourceTypes", "Schemas")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A value that nobody has: whether the server understands filters is asked with one."""
Kind = Literal["User", "Group"]
Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of a target's access log."""

    method: str
    path: str
    """Below the base: `/Users/7`."""
    query: str
    status: int
    body: str = ""
    effect: str = ""
    """What it did, where the server says so: `created 7`."""

    @property
    def is_write(self) -> bool:
        return self.method in WRITES

    @property
    def is_done(self) -> bool:
        """A change was carried out, whether or not the answer said so."""
        return self.is_write and (self.status < 300 or bool(self.effect))

    @property
    def id(self) -> str:
        """Of the resource it is about; empty for a list or a creation."""
        return self.path.strip("/").partition("/")[2]

    @property
    def is_about_one(self) -> bool:
        """It looks at one object: by its id, or by a value that somebody may have."""
        is_one = bool(self.id) or "filter" in self.query
        is_general = self.path.strip("/") in DISCOVERY or UUID.search(self.query) is not None
        return self.method == "GET" and is_one and not is_general


class Target(Protocol):
    """What a test wants of either."""

    url: str
    token: str

    def says(self, kind: Kind) -> Sequence[Resource]:
        """Return all resources of a kind, as the server itself holds them."""
        ...

    def log(self) -> Sequence[Asked]:
        """Return everything that was asked, oldest first."""
        ...


class Foreign:
    """scim2-server."""

    def __init__(self, server: Scim2) -> None:
        self.server, self.url, self.token = server, server.url, server.token

    def says(self, kind: Kind) -> Sequence[Resource]:
        return self.server.says(kind)

    def log(self) -> Sequence[Asked]:
        return [
            Asked(line.method, line.path.removeprefix("/v2"), line.query, line.status)
            for line in self.server.requests()
        ]


class Hard:
    """Our server, in a process of its own; it begins every test well-behaved and empty."""

    def __init__(self, server: Server, access_log: Path) -> None:
        self._server, self._access_log = server, access_log
        self.url, self.token = str(server.greeting["url"]), "any-token"
        self._begins_at = 0

    @classmethod
    @contextmanager
    def run(cls, access_log: Path, *options: str) -> Generator[Hard]:
        access_log.touch()
        arguments = ("--obey", "--access-log", str(access_log), *options)
        server = Server("tests.fakes.scim.server", *arguments)
        try:
            yield cls(server, access_log)
        finally:
            server.stop()

    @property
    def pid(self) -> int:
        return self._server.pid

    def reset(self) -> None:
        self._server.ask("reset")
        self._begins_at = self._access_log.stat().st_size

    def says(self, kind: Kind) -> Sequence[Resource]:
        held = cast(Mapping[str, Sequence[Resource]], self._server.ask("resources"))
        return held.get(f"{kind}s", ())

    def log(self) -> Sequence[Asked]:
        with self._access_log.open("rb") as file:
            file.seek(self._begins_at)
            lines = file.read().split(b"\n")[:-1]  # the last one may be half written
        return list(map(_asked, lines))

    def put(self, kind: Kind, **resource: object) -> str:
        """Let somebody else create an object; return its id."""
        return str(self._server.ask("put", endpoint=f"{kind}s", resource=resource)["id"])

    @contextmanager
    def behaving(self, *faults: Fault, **switches: object) -> Generator[None]:
        """Misbehave meanwhile."""
        usual = asdict(Switches())
        self._server.ask("switch", switches=switches)
        self._server.ask("misbehave", faults=[asdict(fault) for fault in faults])
        try:
            yield
        finally:
            self._server.ask("switch", switches={name: usual[name] for name in switches})
            self._server.ask("misbehave", faults=[])

    @contextmanager
    def switched_off(self) -> Generator[None]:
        """Refuse all connections meanwhile; what is stored stays."""
        self._server.ask("switch_off")
        try:
            yield
        finally:
            self._server.ask("switch_on")


def _asked(line: bytes) -> Asked:
    said = json.loads(line)
    return Asked(
        said["method"], said["path"], said["query"], said["status"], said["body"], said["effect"]
    )


def by_source_id(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return resources by their id in the files; fails if somebody is there twice."""
    listed = list(resources)
    found = {str(one.get("externalId")): one for one in listed}
    assert len(found) == len(listed), "somebody is there twice"
    return found
