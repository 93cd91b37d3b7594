"""Opening a workspace: the store, the vault and all that stands on them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from provisor.app.checks import advice, tools
from provisor.app.glimpse import missing, unknown
from provisor.app.machine import OsEntropy, SystemClock
from provisor.app.rooms import Rooms
from provisor.app.serving import keep_schedule, serve_workspace, work
from provisor.app.telling import notify
from provisor.cli.places import KEY
from provisor.cli.workspace import Workspace
from provisor.connectors.around.pace import Paces
from provisor.store.opened import is_there, open_store
from provisor.store.owners import HOME
from provisor.store.place import place_of, shown_within
from provisor.store.tenants import tenants, view_of


@asynccontextmanager
async def open_workspace(
    folder: Path, *, creates: bool = False, tenant: str = HOME
) -> AsyncGenerator[Workspace]:
    """Open the store, the vault and all that stands on them, as a tenant sees it.

    Raises NoWorkspace, StoreFailed (too new, key unsafe, damaged).
    """
    store = place_of(folder, os.environ)
    if not creates and not is_there(store):
        raise missing(folder, store)
    clock, entropy = SystemClock(), OsEntropy()
    async with open_store(store, folder / KEY, creates=creates) as opened:
        rooms = Rooms(folder, opened, clock, entropy, Paces(clock, entropy))
        if tenant != HOME and tenant not in await tenants(opened.registry):
            raise unknown(folder, tenant)
        composer, parts = rooms.composer(tenant), rooms.parts(tenant)
        yield Workspace(
            folder=folder,
            store=shown_within(store, folder),
            parts=parts,
            around=tools().around,
            mandate=composer.mandates.mandate,
            probe=composer.probe,
            missing=composer.connections.missing,
            job_json=composer.views.job_json,
            log_json=composer.views.log_json,
            advice=advice,
            seal=opened.seal,
            unseal=opened.unseal,
            backup=opened.backup,
            store_as=lambda id: view_of(opened.registry, id),
            serve=lambda options, interruption, began: serve_workspace(
                rooms, options, interruption, began
            ),
            schedule=lambda interruption, is_exposed, telling: keep_schedule(
                replace(rooms, is_exposed=is_exposed), interruption, telling
            ),
            work=partial(work, rooms),
            notify=lambda: notify(rooms, parts),
        )
