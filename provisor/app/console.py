"""The console put beside the API."""

from __future__ import annotations

from provisor.app.rooms import Rooms
from provisor.console.app import Console
from provisor.console.entrance import Entrance
from provisor.console.sessions import Keep, Sessions
from provisor.graph.http.service import Service
from provisor.runtime.parts import WORKSPACE

SESSIONS = "console sessions"


def with_console(service: Service, rooms: Rooms) -> Console:
    """Return the API with the console in front of it; its sessions lie in the store."""
    registry, clock, entropy = rooms.opened.registry, rooms.clock, rooms.entropy

    async def load() -> bytes | None:
        return await registry.document(WORKSPACE, SESSIONS)

    async def save(content: bytes) -> None:
        await registry.put_document(WORKSPACE, SESSIONS, content)

    def draw(count: int) -> bytes:
        return bytes(entropy.below(256) for _ in range(count))

    sessions = Sessions(
        keep=Keep(load=load, save=save), gatekeeper=service.gatekeeper, now=clock.now, draw=draw
    )
    return Console(
        service=service,
        sessions=sessions,
        entrance=Entrance(service, sessions),
        now=clock.now,
        draw=draw,
    )
