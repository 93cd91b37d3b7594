"""What `/metrics` shows: the census of the store, and what processes have measured."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisor.runtime.census import Census
from provisor.store.owners import HOME
from provisor.telemetry.catalog import API_REQUESTS, API_SECONDS
from provisor.telemetry.measures import Gathered, Meter, exposed, joined

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    census: Census
    gathered: Gathered
    """From the process that runs the schedule."""
    meter: Meter = field(default_factory=Meter)
    """Of this process."""
    is_local_open: bool = False
    """Who asks from this machine needs no token."""

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Take note of a request; a method that nobody knows is not taken at its word."""
        named = method if method in METHODS else OTHER
        self.meter.add(API_REQUESTS, named, str(status))
        self.meter.observe(API_SECONDS, named, seconds=seconds)

    async def exposed(self, tenant: str) -> str:
        """Return everything, to the tenant that the workspace is of; to another what is its."""
        if tenant != HOME:
            return exposed(await self.census.count(tenant))
        counted = await self.census.count()
        return exposed(joined(self.gathered.samples, self.meter.samples, counted))
