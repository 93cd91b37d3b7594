"""A real SCIM 2.0 server that nobody here wrote, on loopback, in the variants that clients meet."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tests.worlds.faults import Fault
from tests.worlds.processes import Server

Variant = Literal["full", "nopatch", "nofilter", "noetag", "nobulk", "cursor", "max50"]
TOKEN = "world-token"


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the server's access log; `is_lost` if its answer was never sent."""

    method: str
    path: str
    query: str
    status: int
    is_lost: bool = False

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change, be it granted or not."""
        return self.method in ("POST", "PUT", "PATCH", "DELETE") and "/.search" not in self.path


class Scim2:
    """A running server. What it is asked to do here leaves no line in its access log."""

    def __init__(self, server: Server, access_log: Path | None) -> None:
        self._server = server
        self._access_log = access_log
        self._read_from = 0
        self.port = int(str(server.greeting["port"]))
        self.url = f"http://127.0.0.1:{self.port}/v2"
        self.token = TOKEN

    @classmethod
    @contextmanager
    def run(
        cls, variant: Variant = "full", *, port: int = 0, access_log: Path | None = None
    ) -> Generator[Scim2]:
        """Start a server on a free port, or on `port`; it answers when this returns."""
        arguments = ["--variant", variant, "--port", str(port)]
        if access_log is not None:
            arguments += ["--access-log", str(access_log)]
        server = Server("tests.worlds.scim2_server", *arguments)
        try:
            yield cls(server, access_log)
        finally:
            server.stop()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._server.pid

    def reset(self) -> None:
        """Forget all resources, faults and requests."""
        self._server.ask("reset")
        if self._access_log is not None:
            self._read_from = self._access_log.stat().st_size

    def requests(self) -> list[Request]:
        """Return what was asked since the last reset, oldest first."""
        if self._access_log is None:
            raise ValueError("this server was started without an access log")
        with self._access_log.open("rb") as log:
            log.seek(self._read_from)
            lines = log.read().decode("utf-8").splitlines()
        return [_request(json.loads(line)) for line in lines]

    def writes(self) -> list[Request]:
        """Return the requests for a change since the last reset."""
        return [request for request in self.requests() if request.is_write]

    def says(self, kind: Literal["User", "Group"]) -> list[dict[str, Any]]:
        """Return all resources of a kind as the server holds them."""
        held = cast(list[dict[str, Any]], self._server.ask("resources")["resources"])
        return [resource for resource in held if resource["meta"]["resourceType"] == kind]

    def misbehave(self, *faults: Fault) -> None:
        """Behave like this from now on; well, if nothing is given."""
        self._server.ask("misbehave", faults=[asdict(fault) for fault in faults])

    @contextmanager
    def switched_off(self) -> Generator[None]:
        """Refuse all connections meanwhile; what is stored stays."""
        self._server.ask("switch_off")
        try:
            yield
        finally:
            self._server.ask("switch_on")


def _request(line: dict[str, Any]) -> Request:
    return Request(
        line["method"], line["path"], line["query"], line["status"], bool(line.get("lost"))
    )
