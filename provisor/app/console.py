"""The console put beside the API."""

from __future__ import annotations

from provisor.app.rooms import Rooms
from provisor.cli.workspace import SignIn
from provisor.console.app import Console
from provisor.console.entrance import Entrance
from provisor.console.once import Outcomes
from provisor.console.sessions import Keep, Sessions
from provisor.graph.http.exchange import fetch_json
from provisor.graph.http.issuers import KeySource
from provisor.graph.http.service import Service
from provisor.graph.http.signin import Provider, Registration
from provisor.runtime.parts import WORKSPACE
from provisor.settings.tokens import SCOPES

SESSIONS, FORMS = "console sessions", "console forms"


def with_console(service: Service, rooms: Rooms, sign_in: SignIn | None = None) -> Console:
    """Return the API with the console in front of it; its sessions lie in the store."""
    registry, clock, entropy = rooms.opened.registry, rooms.clock, rooms.entropy

    def kept(name: str) -> Keep:
        async def load() -> bytes | None:
            return await registry.document(WORKSPACE, name)

        async def save(content: bytes) -> None:
            await registry.put_document(WORKSPACE, name, content)

        return Keep(load=load, save=save)

    def draw(count: int) -> bytes:
        return bytes(entropy.below(256) for _ in range(count))

    sessions = Sessions(
        keep=kept(SESSIONS), gatekeeper=service.gatekeeper, now=clock.now, draw=draw
    )
    provider = None
    if sign_in is not None:
        provider = Provider(
            registration=registration_of(sign_in),
            clock=clock,
            keys=KeySource(clock, fetch_json),
            draw=draw,
            seal_key=service.gatekeeper.signing_key,
        )
    return Console(
        service=service,
        sessions=sessions,
        outcomes=Outcomes(keep=kept(FORMS), now=clock.now),
        entrance=Entrance(service, sessions, provider),
        now=clock.now,
        draw=draw,
    )


def registration_of(sign_in: SignIn) -> Registration:
    """Return how we are known to a provider. Where nothing is granted by groups, its own roles are
    named as permissions are, as in tokens for the API."""
    by_name = {scope: frozenset({scope}) for scope in SCOPES}
    return Registration(
        issuer=sign_in.issuer,
        client_id=sign_in.client_id,
        client_secret=sign_in.client_secret,
        title=sign_in.title,
        scopes=sign_in.scopes,
        claim=sign_in.claim or "roles",
        grants=sign_in.grants or by_name,
    )
