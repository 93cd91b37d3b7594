"""What becomes of an object that is not wanted, or not any more (spec: behaviour 7).

Known from what is remembered alone, before anybody looks at the target: that is why departures
can be counted before the first one is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from provisor.expressions.errors import ExpressionError
from provisor.model.decisions import Action, AttributeChange, Facts, LinkState, Standing
from provisor.model.entries import NO_ATTRIBUTES, Attributes, Entry
from provisor.model.rules import Flows
from provisor.planner.diff import diff
from provisor.planner.mapping import Excluded, NeedsUnique, Unmappable, map_source
from provisor.planner.scope import Presence, facts, is_excluded, presence
from provisor.planner.terms import Terms

ENTITLED_NOT = "NotEffectivelyEntitled"


@dataclass(frozen=True, slots=True)
class Leave:
    """The row that applies, what it sends, and what remains."""

    row: int
    action: Action
    """DISABLE, DELETE, or OTHER: nothing is sent."""
    after: LinkState | None
    """Of the link afterwards; None: it is removed."""
    code: str = ""
    """Why nothing is sent."""

    @property
    def is_departure(self) -> bool:
        return self.action is not Action.OTHER


def leave(terms: Terms, standing: Standing, known: Facts) -> Leave:
    """Find the row for an object that is not effectively entitled."""
    state = standing.link.state if standing.link else None
    if state is None and standing.attempt:
        state = LinkState.MANAGED  # a create that may have been done is taken for done
    match presence(standing):
        case Presence.HARD_DELETED:
            return _hard_deleted(terms, state)
        case Presence.SOFT_DELETED | Presence.DISABLED:
            if state is LinkState.DISABLED and is_back_in_use(terms, standing):
                state = LinkState.MANAGED  # it is to leave like any other, and weighed like any
            return _disabled(terms, state, known)
        case Presence.ACTIVE:
            return _unassigned(terms, state)


def _hard_deleted(terms: Terms, state: LinkState | None) -> Leave:
    if state is None:
        return Leave(27, Action.OTHER, None, ENTITLED_NOT)
    if state is LinkState.RELEASED and not terms.policy.deletes_released:
        return Leave(26, Action.OTHER, None, ENTITLED_NOT)
    if Flows.DELETE in terms.mapping.flows:
        return Leave(24, Action.DELETE, None)
    return Leave(25, Action.OTHER, None, "DeleteFlowDisabled")


def _disabled(terms: Terms, state: LinkState | None, known: Facts) -> Leave:
    has_lost_entitlement = not (known.is_assigned and known.passes_filter)
    after = LinkState.RELEASED if has_lost_entitlement else LinkState.DISABLED
    match state:
        case None:
            return Leave(14, Action.OTHER, None, ENTITLED_NOT)
        case LinkState.RELEASED if not terms.policy.deletes_released:
            return Leave(28, Action.OTHER, LinkState.RELEASED, ENTITLED_NOT)
        case LinkState.DISABLED if has_lost_entitlement:
            return Leave(35, Action.OTHER, after, ENTITLED_NOT)
        case LinkState.DISABLED:
            return Leave(23, Action.OTHER, after, "RedundantExport")
        case _:
            return _disable_or_delete(terms, after)


def is_back_in_use(terms: Terms, standing: Standing) -> bool:
    """True when a target object that we disabled was seen since, and is not disabled: others have
    enabled it."""
    image = standing.link.image if standing.link else None
    if image is None:
        return False
    try:
        return bool(disabling_changes(terms, standing, image.attributes))
    except (Excluded, ExpressionError, NeedsUnique, Unmappable):
        return False  # nobody can say what disabling it would mean


def disabling_changes(
    terms: Terms, standing: Standing, said: Attributes
) -> tuple[AttributeChange, ...]:
    """Return what disables a target object that says this; nothing where it is disabled.

    Raises Excluded, ExpressionError, NeedsUnique, Unmappable.
    """
    source = standing.source or Entry(terms.mapping.source_kind, standing.key.anchor, NO_ATTRIBUTES)
    mapped = map_source(terms, source, is_soft_deleted=True)
    disabling = (mapping for mapping in terms.plain if mapping.depends_on_soft_deleted)
    return diff(disabling, mapped, said, {})


def _disable_or_delete(terms: Terms, after: LinkState) -> Leave:
    if terms.mapping.supports_soft_delete:
        if Flows.UPDATE in terms.mapping.flows:
            return Leave(20, Action.DISABLE, after)
        return Leave(22, Action.OTHER, after, "UpdateFlowDisabled")
    if Flows.DELETE in terms.mapping.flows:
        return Leave(21, Action.DELETE, None)
    return Leave(22, Action.OTHER, after, "DeleteFlowDisabled")


def _unassigned(terms: Terms, state: LinkState | None) -> Leave:
    released, flows = LinkState.RELEASED, terms.mapping.flows
    if state is None:
        return Leave(13, Action.OTHER, None, ENTITLED_NOT)
    if state in {LinkState.RELEASED, LinkState.DISABLED}:
        return Leave(34, Action.OTHER, released, ENTITLED_NOT)
    if terms.policy.skips_out_of_scope_deletions:
        return Leave(16, Action.OTHER, released, "OutOfScopeDeletionSkipped")
    if terms.mapping.supports_soft_delete:
        if Flows.UPDATE in flows:
            return Leave(15, Action.DISABLE, released)
        return Leave(17, Action.OTHER, released, "UpdateFlowDisabled")
    if Flows.DELETE in flows:
        return Leave(18, Action.DELETE, None)
    return Leave(19, Action.OTHER, released, "DeleteFlowDisabled")


def departure(terms: Terms, standing: Standing) -> Leave | None:
    """Return how an object that may be at work in the target is to leave it; None if it is not."""
    if is_excluded(terms.mapping, standing) or not (standing.link or standing.attempt):
        return None
    known = facts(terms.mapping, terms.policy, standing)
    if known.is_effectively_entitled:
        return None
    found = leave(terms, standing, known)
    return found if found.is_departure else None
