"""What the engine needs of the world. Adapters implement these; nothing else crosses."""

from provisor.ports.directories import (
    Capabilities,
    Ears,
    Listing,
    Opened,
    Prober,
    Referred,
    Sealed,
    Source,
    Target,
    TargetReader,
)
from provisor.ports.journal import Drift, Journal, Listed, Observation, Resting, Wanted
from provisor.ports.leases import Among, Held, LeaseEnds, Leases, alone, forever
from provisor.ports.notices import WAITING_MAX, Notices, Pending
from provisor.ports.registry import Ledger, RecordQuery, Registry, StagedView, Vault
from provisor.ports.surroundings import Clock, Documents, Entropy

__all__ = [
    "WAITING_MAX",
    "Among",
    "Capabilities",
    "Clock",
    "Documents",
    "Drift",
    "Ears",
    "Entropy",
    "Held",
    "Journal",
    "LeaseEnds",
    "Leases",
    "Ledger",
    "Listed",
    "Listing",
    "Notices",
    "Observation",
    "Opened",
    "Pending",
    "Prober",
    "RecordQuery",
    "Referred",
    "Registry",
    "Resting",
    "Sealed",
    "Source",
    "StagedView",
    "Target",
    "TargetReader",
    "Vault",
    "Wanted",
    "alone",
    "forever",
]
