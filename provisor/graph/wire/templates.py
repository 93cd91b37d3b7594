"""Templates that jobs are made from (spec: graph-api 4.17, 13)."""

from __future__ import annotations

from provisor.graph.wire.base import Wire
from provisor.graph.wire.pairs import TextPair
from provisor.graph.wire.schemas import SynchronizationSchema


class SynchronizationTemplate(Wire, frozen=True, kw_only=True):
    id: str
    application_id: str = "00000000-0000-0000-0000-000000000000"
    """A GUID, never empty: clients give up on the whole answer otherwise."""
    default: bool = False
    description: str | None = None
    discoverable: bool = True
    factory_tag: str | None = None
    metadata: tuple[TextPair, ...] = ()
    schema: SynchronizationSchema = SynchronizationSchema()
