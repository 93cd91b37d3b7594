"""SCIM services under test: our own, in which anything can go wrong, and one that is not ours."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.connectors.scim.settings import ScimSettings, parse
from provisor.connectors.scim.source import ScimSource
from provisor.model.entries import Entry, EntryKey, Reference
from provisor.ports import Source
from provisor.testing.naming import Renamed
from provisor.testing.reading import LateClock
from provisor.testing.world import Dice
from tests.fakes.scim.server import Fake, Server
from tests.fakes.scim.switches import Switches
from tests.worlds.scim2 import Scim2

PAGE = 2
LEFT_OUT = ("userName",)
"""What the suite's people do not have, and services want."""


def settings(address: str, **chosen: Any) -> ScimSettings:
    attributes = dict.fromkeys(LEFT_OUT)
    raw = {"baseAddress": address, "pageSize": PAGE, "attributes": attributes, **chosen}
    parsed = parse(raw)
    assert isinstance(parsed, ScimSettings), parsed
    return parsed


def body_of(entry: Entry, ids: Callable[[str], str] = str) -> dict[str, Any]:
    """Return what a service is told of one of the suite's objects."""
    name = str(entry.attributes["displayName"])
    body: dict[str, Any] = {
        "schemas": [f"urn:ietf:params:scim:schemas:core:2.0:{entry.kind}"],
        "displayName": name,
    }
    if entry.kind == "User":
        body["userName"] = str(entry.anchor)
        if isinstance(manager := entry.attributes.get("manager"), Reference):
            body["schemas"].append(ENTERPRISE_USER)
            body[ENTERPRISE_USER] = {"manager": {"value": ids(manager.anchor)}}
        return body
    members = entry.attributes.get("members", ())
    held = [m for m in (members if isinstance(members, tuple) else ()) if isinstance(m, Reference)]
    if held:
        body["members"] = [{"value": ids(m.anchor), "type": m.kind} for m in held]
    return body


@contextmanager
def listening(switches: Switches, makes: Callable[[Switches], Fake] = Fake) -> Generator[Server]:
    """Run a server in a thread, for tests that have an event loop now and then."""
    loop = asyncio.new_event_loop()
    server = Server(makes(switches), 0)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.switch_on(), loop).result()
        yield server
        asyncio.run_coroutine_threadsafe(server.switch_off(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class FakeSubject:
    """Our own server. Its ids are what the suite calls its objects."""

    def __init__(self, server: Server, *, has_changes: bool, **chosen: Any) -> None:
        self.server, self.has_changes, self._chosen = server, has_changes, chosen
        self.source: Source = Renamed(self.open, {})

    @property
    def fake(self) -> Fake:
        return self.server.fake

    def open(self) -> ScimSource:
        return ScimSource(settings(self.server.url, **self._chosen), LateClock(), Dice())

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            self.fake.store.put(f"{entry.kind}s", entry.anchor, body_of(entry))

    async def remove(self, gone: EntryKey) -> None:
        self.fake.store.delete(f"{gone.kind}s", gone.anchor)


class Scim2Subject:
    """scim2-server, which gives ids of its own."""

    has_changes = False

    def __init__(self, world: Scim2) -> None:
        self._world = world
        self._names: dict[str, str] = {}
        self.source: Source = Renamed(self._open, self._names)

    def _open(self) -> ScimSource:
        chosen = settings(self._world.url, token=self._world.token)
        return ScimSource(chosen, LateClock(), Dice())

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            await asyncio.to_thread(self._hold, entry)

    async def remove(self, gone: EntryKey) -> None:
        id = self._id(gone.anchor)
        await asyncio.to_thread(self._send, "DELETE", f"/{gone.kind}s/{id}")
        del self._names[id]

    def _hold(self, entry: Entry) -> None:
        known = {name: id for id, name in self._names.items()}
        body, path = body_of(entry, self._id), f"/{entry.kind}s"
        if entry.anchor in known:
            self._send("PUT", f"{path}/{known[entry.anchor]}", body)
        else:
            self._names[self._send("POST", path, body)["id"]] = entry.anchor

    def _id(self, name: str) -> str:
        return next(id for id, called in self._names.items() if called == name)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self._world.token}",
            "Content-Type": "application/scim+json",
        }
        request = Request(self._world.url + path, content, headers, method=method)
        with urlopen(request) as answer:
            said = answer.read()
        return json.loads(said) if said else None


FAKES: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
    "scim by index": ({}, {}),
    "scim by cursor": ({"has_cursors": True}, {}),
    "scim by timestamps": ({}, {"changes": "timestamps"}),
}
"""What our server is like, and what the source is told."""
VARIANTS = {"scim2-server": "full", "scim2-server by cursor": "cursor"}
WAYS = (*FAKES, *VARIANTS)


def subjects(name: str, start: Callable[[str], Scim2]) -> Iterator[FakeSubject | Scim2Subject]:
    """Yield a service, and stop it."""
    if name in VARIANTS:
        yield Scim2Subject(start(VARIANTS[name]))
        return
    switches = Switches()
    switches.set(FAKES[name][0])
    with listening(switches) as server:
        yield FakeSubject(server, has_changes="changes" in FAKES[name][1], **FAKES[name][1])
