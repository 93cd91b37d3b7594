"""One store, as each of its tenants sees it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from provisor.app.composer import Composer
from provisor.app.connections import Connections
from provisor.app.machine import OsEntropy, SystemClock
from provisor.app.mandates import Mandates
from provisor.app.views import Views
from provisor.connectors.around.pace import Paces
from provisor.model.jobs import Job
from provisor.ports import Among, LeaseEnds, alone, forever
from provisor.runtime.lease import FileLeases
from provisor.runtime.parts import Equipment, Parts
from provisor.store.opened import OpenStore
from provisor.store.owners import HOME
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

    def composer(self, tenant: str) -> Composer:
        registry = view_of(self.opened.registry, tenant)
        vault = TenantVault(self.opened.vault, self.opened.registry, tenant)
        connections = Connections(
            folder=self.folder, registry=registry, vault=vault, is_exposed=self.is_exposed
        )
        mandates = Mandates(registry=registry, vault=vault, connections=connections)
        return Composer(
            registry=registry,
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
        composer = await self._composer_of(job)
        return await composer.equip(
            job, may_change_system=may_change_system, lease_ends=lease_ends, among=among
        )

    async def _tells(self, job: Job) -> bool:
        return await (await self._composer_of(job)).tells(job)

    async def _composer_of(self, job: Job) -> Composer:
        application = await self.opened.registry.find_application(job.application_id)
        return self.composer(application.tenant if application else HOME)
