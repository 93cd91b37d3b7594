"""Which objects need nothing: for whoever asks what other rules would change."""

from __future__ import annotations

from provisor.model.decisions import LinkState, Standing
from provisor.store.transitions import is_unsettled


def is_at_rest(standing: Standing) -> bool:
    """True for what needs nothing: all is settled, and what the target says is certain."""
    link, source = standing.link, standing.source
    waits = standing.staged or standing.references_staged or standing.attempt
    has_failed = standing.escrow or standing.references_escrow
    if source is None or standing.absence or is_unsettled(standing) or waits or has_failed:
        return False
    if link is None:
        return True
    return link.state is LinkState.MANAGED and link.image is not None and not link.echoes
