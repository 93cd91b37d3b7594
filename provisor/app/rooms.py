"""One store, as each of its tenants sees it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from provisor.app.composer import Composer
from provisor.app.connections import Connections
from provisor.app.machine import OsEntropy, SystemClock
from provisor.app.mandates import Mandates
from provisor.app.views import Views
from provisor.connectors.around.pace import Paces
from provisor.graph.credentials import SECRETS
from provisor.model.jobs import Job
from provisor.ports import Among, LeaseEnds, Registry, alone, forever
from provisor.runtime.lease import FileLeases
from provisor.runtime.parts import Equipment, Parts
from provisor.settings import stored
from provisor.settings.applied import APPLIED
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.learned import LEARNED
from provisor.store.moment import moment_of, now_beside, vault_of_moment
from provisor.store.opened import OpenStore
from provisor.store.owners import HOME, WORKSPACE, owner_in
from provisor.store.tenants import TenantLedger, TenantVault, view_of
from provisor.telemetry.watch import Watching


@dataclass(frozen=True, slots=True)
class Rooms:
    """One store, as each of its tenants sees it."""

    folder: Path
    opened: OpenStore
    clock: SystemClock
    entropy: OsEntropy
    paces: Paces
    is_exposed: bool = False
    watching: Watching | None = None
    """Who is told what jobs do."""

    def composer(self, tenant: str, moment: Registry | None = None) -> Composer:
        """Return what makes a tenant's jobs ready: as the store is whenever it is asked, or as it
        was in one moment."""
        store = self.opened.registry
        registry = view_of(moment or store, tenant)
        vault = vault_of_moment(self.opened.vault) if moment else self.opened.vault
        vault = TenantVault(vault, moment or store, tenant)
        connections = Connections(
            folder=self.folder, registry=registry, vault=vault, is_exposed=self.is_exposed
        )
        mandates = Mandates(registry=registry, vault=vault, connections=connections)
        return Composer(
            registry=registry,
            documents=view_of(now_beside(store, moment) if moment else store, tenant),
            connections=connections,
            mandates=mandates,
            views=Views(registry=registry, mandates=mandates),
            clock=self.clock,
            entropy=self.entropy,
            paces=self.paces,
        )

    def parts(self, tenant: str) -> Parts:
        composer = self.composer(tenant)
        return replace(
            self.for_all(),
            registry=composer.registry,
            ledger=TenantLedger(self.opened.ledger, composer.registry),
            vault=composer.connections.vault,
            equip=composer.equip,
            tells=composer.tells,
        )

    def for_all(self) -> Parts:
        """Return what the schedule runs all tenants' jobs with."""
        return Parts(
            folder=self.folder,
            leases=self.opened.leases or FileLeases(self.folder),
            registry=self.opened.registry,
            ledger=self.opened.ledger,
            vault=self.opened.vault,
            clock=self.clock,
            entropy=self.entropy,
            equip=self._equip,
            tells=self._tells,
            holder=f"{socket.gethostname()}:{os.getpid()}",
            watching=self.watching,
        )

    async def _equip(
        self,
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:
        """Make a job ready as its own tenant sees it."""
        composer = await self._composer_of(job, asked_of)
        return await composer.equip(
            job, may_change_system=may_change_system, lease_ends=lease_ends, among=among
        )

    async def _tells(self, job: Job) -> bool:
        """Every job is asked about: no more is read than it takes."""
        return await (await self._composer_of(job, source_of)).tells(job)

    async def _composer_of(
        self, job: Job, documents_of: Callable[[Job, str], list[tuple[str, str]]]
    ) -> Composer:
        registry = self.opened.registry
        application = await registry.find_application(job.application_id)
        tenant = application.tenant if application else HOME
        moment = await moment_of(registry, job, application, documents_of(job, tenant))
        return self.composer(tenant, moment)


def source_of(job: Job, tenant: str) -> list[tuple[str, str]]:
    """Return owner and name of the document that says of which kind a job's source is."""
    return [(job.application_id, stored.CONNECTIONS)]


def asked_of(job: Job, tenant: str) -> list[tuple[str, str]]:
    """Return owner and name of the documents that a job is made ready from: what is left out here
    is asked for one by one."""
    workspace = owner_in(tenant, WORKSPACE)
    of_application = (stored.CONNECTIONS, SECRETS, f"{LEARNED}-{SOURCE}", f"{LEARNED}-{TARGET}")
    return [
        *((workspace, name) for name in (APPLIED, stored.TENANT)),
        *((job.application_id, name) for name in of_application),
        *((job.id, name) for name in (stored.POLICY, stored.SCHEMA)),
    ]
