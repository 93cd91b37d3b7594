"""What makes jobs ready to go, and tries their systems out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from provisor.app.connections import Connections, application_of
from provisor.app.machine import OsEntropy, SystemClock
from provisor.app.mandates import Mandates
from provisor.app.views import Views
from provisor.connectors.around.pace import Paces
from provisor.connectors.catalog import Surroundings
from provisor.connectors.http.door import OPEN
from provisor.model.directories import Probed
from provisor.model.jobs import Application, Job
from provisor.model.rules import Rules
from provisor.ports import Among, Documents, LeaseEnds, Registry, alone, forever
from provisor.runtime.parts import Equipment
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.learned import digest_of, keep_learned, load_learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Makes jobs ready to go from what one store holds."""

    registry: Registry
    documents: Documents
    """Where adapters keep things: the store itself, where the registry is of one moment."""
    connections: Connections
    mandates: Mandates
    views: Views
    clock: SystemClock
    entropy: OsEntropy
    paces: Paces

    async def equip(
        self,
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:
        """Raises Invalid with everything that keeps the job from going."""
        application = await application_of(self.registry, job)
        base = await self.connections.base()
        sides = await self.connections.sides(application, base)
        (source, source_settings), (target, target_settings) = sides[SOURCE], sides[TARGET]
        rules = await self.mandates.rules_with(job, source.definitions(source_settings, base))
        around = await self._around(application, rules, base)
        around = replace(around, paces=self.paces.until(lease_ends, among))
        own = replace(around, door=OPEN)  # the source is an administrator's word
        mandate = await self.mandates.under(job, application, rules)
        opens_source, opens_target = source.open_source, target.open_target
        opens_reader, opens_ears = target.open_reader, source.open_ears
        assert opens_source is not None, "that it is a source was checked"
        assert opens_target is not None, "that it is a target was checked"
        assert opens_reader is not None, "whatever can be written can be read"
        return Equipment(
            mandate=replace(mandate, may_change_system=may_change_system),
            source=lambda: opens_source(source_settings, own),
            target=lambda: opens_target(target_settings, around),
            reader=lambda: opens_reader(target_settings, around),
            traced=lambda trace: opens_target(target_settings, replace(around, trace=trace)),
            ears=(lambda: opens_ears(source_settings, around)) if opens_ears else None,
        )

    async def tells(self, job: Job) -> bool:
        """Return whether a job's source is of a kind that may tell by itself what changes."""
        return await self.connections.tells(await application_of(self.registry, job))

    async def probe(self, job: Job) -> Mapping[str, Probed]:
        """Probe both systems of a job, and keep what was found out by trying. Raises Invalid."""
        application = await application_of(self.registry, job)
        base, rules = await self.connections.base(), await self.mandates.rules(job)
        around = await self._around(application, rules, base)
        probed: dict[str, Probed] = {}
        for side in (SOURCE, TARGET):
            connector, written = await self.connections.side(application, side, learns=False)
            digest = digest_of(connector, written)
            learned = await load_learned(self.registry, application.id, side, digest)
            opens = connector.probe_source if side == SOURCE else connector.probe_target
            assert opens is not None, "what can be opened can be probed"
            beside = around if side == TARGET else replace(around, door=OPEN)
            prober = opens({**learned, **written}, beside)
            try:
                told = await prober.probe()
            finally:
                await prober.close()
            if told.learned:
                await keep_learned(self.registry, application.id, side, told.learned, digest)
            probed[side] = Probed(connector.title, told)
        return probed

    async def _around(self, application: Application, rules: Rules, base: Path) -> Surroundings:
        return Surroundings(
            base=base,
            rules=rules,
            clock=self.clock,
            entropy=self.entropy,
            paces=self.paces,
            documents=self.documents,
            owner=application.id,
            door=await self.connections.door(application),
            hidden=await self.connections.hidden(application),
        )
