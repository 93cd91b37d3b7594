"""People pushed through the API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provisor.connectors.catalog.connector import Complaint, Settings, Surroundings
from provisor.ports import Prober, Source


def check_inbound(settings: Settings, base: Path) -> Sequence[Complaint]:
    return [Complaint(name, "is not a setting of inbound sources") for name in settings]


def open_inbound(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.inbound.source import InboundDirectory

    assert around.documents is not None, "what was pushed is kept in the store"
    return InboundDirectory(around.documents, around.owner, around.entropy, match="objectId")


def probe_inbound(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.inbound.probe import InboundProber
    from provisor.connectors.inbound.source import InboundDirectory

    assert around.documents is not None, "what was pushed is kept in the store"
    directory = InboundDirectory(around.documents, around.owner, around.entropy, match="objectId")
    return InboundProber(directory, "objectId")
