"""A tenant under test: our own, over real HTTP, with the manners of the real one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from provisor.connectors.msgraph.settings import GraphSettings, parse
from provisor.connectors.msgraph.source import GraphSource
from provisor.model.entries import Entry, EntryKey, Reference
from provisor.ports import Source
from provisor.testing.naming import Renamed
from provisor.testing.reading import LateClock
from tests.contracts.sources.scim import listening
from tests.contracts.sources.subjects import Numbers, Shelf
from tests.fakes.msgraph.server import BASE, GraphFake
from tests.fakes.scim.server import Server
from tests.fakes.scim.switches import Switches

PAGE = 2


def settings(server: Server, **chosen: Any) -> GraphSettings:
    raw = {"baseAddress": address(server), "tenant": "contoso", "pageSize": PAGE, **chosen}
    parsed = parse(raw)
    assert isinstance(parsed, GraphSettings), parsed
    return parsed


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}{BASE}"


class GraphSubject:
    has_changes = True

    def __init__(self, server: Server, **chosen: Any) -> None:
        assert isinstance(server.fake, GraphFake)
        self.server, self.fake = server, server.fake
        self.fake.origin = f"http://127.0.0.1:{server.port}"
        self.shelf, self.chance, self.clock = Shelf(), Numbers(), LateClock()
        self._chosen = chosen
        self.source: Source = Renamed(self.open, {})

    def open(self) -> GraphSource:
        chosen = settings(self.server, **self._chosen)
        return GraphSource(chosen, self.shelf, "people", self.clock, self.chance, page_size=PAGE)

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        said: dict[str, Any] = {"displayName": entry.attributes["displayName"]}
        if entry.kind == "User":
            manager = entry.attributes.get("manager")
            said["manager"] = manager.anchor if isinstance(manager, Reference) else None
            self.fake.put("users", entry.anchor, said)
            return
        held = self.fake.put("groups", entry.anchor, said)
        members = entry.attributes.get("members", ())
        listed = members if isinstance(members, tuple) else ()
        wanted = {str(m.anchor): m.kind for m in listed if isinstance(m, Reference)}
        for gone in [m for m in held["members"] if m not in wanted]:
            self.fake.join(entry.anchor, gone, leaves=True)
        for member, kind in wanted.items():
            self.fake.join(entry.anchor, member)
            held["members"][member] = f"{kind.lower()}s"

    async def remove(self, gone: EntryKey) -> None:
        self.fake.remove(f"{gone.kind.lower()}s", gone.anchor)


@contextmanager
def tenant(manners: Mapping[str, object] | None = None, **chosen: Any) -> Generator[GraphSubject]:
    """Run a tenant of these manners."""
    with listening(Switches(), GraphFake) as server:
        subject = GraphSubject(server, **chosen)
        for name, value in (manners or {}).items():
            setattr(subject.fake.manners, name, value)
        yield subject
