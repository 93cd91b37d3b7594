"""What became of what others changed in the target, attribute by attribute. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from provisor.expressions.errors import ExpressionError
from provisor.model.decisions import (
    AttributeChange,
    LinkState,
    ReferencesChange,
    Span,
    Standing,
)
from provisor.planner.decide import known_facts
from provisor.planner.diff import diff
from provisor.planner.echo import is_not_shown, silenced
from provisor.planner.mapping import Excluded, NeedsUnique, Unmappable, map_source
from provisor.planner.scope import is_excluded
from provisor.planner.terms import Terms


class DriftState(StrEnum):
    """How it stands with an attribute that was found to be changed by others."""

    STANDS = "stands"
    """The target says what others wrote, and not what the rules ask for."""
    PENDING = "pending"
    """The next cycle looks at the object anew."""
    FAILED = "failed"
    """It stands, and what was tried about the object failed: it waits in escrow."""
    ACCEPTED = "accepted"
    """An administrator let it be, until another value is to be told or is said."""
    RETURNS = "returns"
    """It came back so often that it is not sent any more."""
    RIGHT = "right"
    """The target says what the rules ask for."""
    FOREIGN = "foreign"
    """Others let it point at somebody: that is theirs, and stays."""
    UNGOVERNED = "ungoverned"
    """The object is no longer looked after: it left, or its mapping did."""


def is_looked_after(terms: Terms, standing: Standing) -> bool:
    """True for what a cycle would put right."""
    link = standing.link
    is_ours = link is not None and link.state is LinkState.MANAGED
    is_wanted = known_facts(terms, standing).is_effectively_entitled
    return is_ours and is_wanted and not is_excluded(terms.mapping, standing)


def amiss(terms: Terms, standing: Standing) -> Mapping[str, AttributeChange] | None:
    """Return what would put right what the target is remembered to say, by attribute; None where
    that is not known: the image is in doubt, or what it should say cannot be worked out."""
    link, source = standing.link, standing.source
    if link is None or link.image is None or source is None:
        return None
    try:
        mapped = map_source(terms, source, is_soft_deleted=False)
        changes = diff(terms.plain, mapped, link.image.attributes, {})
    except (ExpressionError, Excluded, NeedsUnique, Unmappable):
        return None
    return {one.name: one for one in changes if one.before != one.after}


def drift_states(
    terms: Terms | None, standing: Standing | None, names: frozenset[str]
) -> Mapping[str, DriftState]:
    """Return how it stands with each of these attributes of one object."""
    if terms is None or standing is None or not is_looked_after(terms, standing):
        return dict.fromkeys(names, DriftState.UNGOVERNED)
    wrong = amiss(terms, standing)
    if wrong is None:
        return dict.fromkeys(names, DriftState.PENDING)
    return {name: _state(standing, wrong.get(name)) for name in names}


def reference_state(
    terms: Terms | None, standing: Standing | None, change: ReferencesChange
) -> DriftState:
    """Return how it stands with whom an object was found to point at no longer, or besides."""
    if terms is None or standing is None or not is_looked_after(terms, standing):
        return DriftState.UNGOVERNED
    span = standing.referred.get(change.name, Span())
    missing = change.removed & (span.possible - span.certain)
    link = standing.link
    if link is not None and is_not_shown(link.echoes.get(change.name)):
        return DriftState.RETURNS
    if not missing:
        return DriftState.FOREIGN if change.added else DriftState.RIGHT
    if standing.references_escrow is not None:
        return DriftState.FAILED
    is_due = standing.references_seen != standing.references_settled
    return DriftState.PENDING if is_due else DriftState.STANDS


def _state(standing: Standing, change: AttributeChange | None) -> DriftState:
    if change is None:
        return DriftState.RIGHT
    assert standing.link is not None, "who is looked after has a link"
    sent, is_held = silenced((change,), standing.link.echoes)
    if is_held and not sent:
        is_accepted = standing.link.echoes[change.name].is_accepted
        return DriftState.ACCEPTED if is_accepted else DriftState.RETURNS
    if standing.escrow is not None:
        return DriftState.FAILED
    return DriftState.PENDING if standing.seen != standing.settled else DriftState.STANDS
