"""Why somebody has no account, in sentences, and where one goes from there to change that.

Nothing is decided here: what the API tells of an object or a job is put into words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from provisor.console.render import said
from provisor.console.shapes import Explanation
from provisor.console.words import ACTIONS, WAYS
from provisor.graph.wire.overview import JobSummary

NONE = "it has none"


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go on."""

    label: str
    below: str
    """Below the job's own page."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way, or that holds something up."""

    text: str
    way: Way | None = None


SCOPE = Way("Look at the scope", "/mappings")
STAGED = Way("Look, and decide", "/staged")


def heading(one: Explanation, *, is_held: bool) -> str:
    """Return in a few words what will become of an object."""
    made = one.decision
    if one.problem or made is None:
        return "No decision can be made"
    if is_held:
        return "It is to leave, and is held until somebody approves"
    if one.escrow:
        return "It failed, and waits for another attempt"
    if made.action != "other" or made.changes:
        return f"The next cycle would do: {ACTIONS.get(made.action, (made.action, ''))[0].lower()}"
    if one.match.linked_to is None:
        return "It gets no account"
    return "The next cycle would do nothing"


def reasons(one: Explanation, *, is_held: bool) -> list[Reason]:
    """Return what keeps an object from having its account, or its account from being changed."""
    found = list(_out_of_scope(one))
    situation = one.decision.situation if one.decision else ""
    if situation == "keyless":
        names = ", ".join(one.match.attributes)
        text = f"It is matched by {names}, and what is mapped to that gives no value."
        found.append(Reason(text, Way("Look at the mappings", "/mappings")))
    if situation == "ambiguous" and one.match.found:
        ids = ", ".join(one.match.found)
        found.append(Reason(f"In the target all of these match: {ids}. Let only one of them do."))
    if situation == "foundAlreadyLinked" and one.match.taken_by:
        owner = one.match.taken_by
        text = f"The account {', '.join(one.match.found)} belongs to {owner}."
        way = Way("Explain that one", f"/explain?object={quote(owner, safe='')}")
        found.append(Reason(text, way))
    if is_held:
        found.append(Reason("More would leave at once than the guard lets pass.", STAGED))
    return found


def _out_of_scope(one: Explanation) -> Iterator[Reason]:
    if not one.is_in_source:
        yield Reason("The source no longer has it.")
    if one.scope is None:
        return
    if one.is_in_source and not one.scope.is_active:
        yield Reason(f"The source says that it is not active: {_says(one, 'accountEnabled')}.")
    if not one.scope.is_assigned:
        yield Reason("Nobody assigned it to the application, and only who is assigned gets one.")
    if one.scope.passes_filter:
        return
    for clause in one.scope.clauses:
        if not clause.holds:
            says = _says(one, clause.attribute)
            yield Reason(f"The scoping filter asks for {clause.clause}: {says}.", SCOPE)


def _says(one: Explanation, attribute: str) -> str:
    value = one.source.get(attribute)
    return f"its {attribute} is {said(value)}" if value is not None else f"{attribute}: {NONE}"


def way_of(job: JobSummary) -> Way | None:
    """Return where somebody goes on whose job is not as it should be; None: nowhere but there."""
    quarantine = job.status.quarantine
    known = WAYS.get(quarantine.reason.value if quarantine else job.concern)
    return Way(*known) if known else None
