"""A decision told in steps, as administrators read it (spec: behaviour 17.3, graph-api 10.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from provisor.graph.wire.logs import (
    NO_ANSWER,
    REPLY,
    REPLY_BODY,
    REQUEST,
    REQUEST_BODY,
    ProvisioningStepType,
)
from provisor.model.decisions import Action, Facts, Heard, Record, Situation, Verdict
from provisor.model.entries import Absence

REPORTABLE = "ReportableIdentifier"
SKIP_REASON = "SkipReason"
NO_DETAILS: Mapping[str, str] = {}

LINKED = frozenset(
    {
        Situation.CONFIRMED,
        Situation.MISSING,
        Situation.UNQUALIFIED,
        Situation.RELEASED,
        Situation.LINK_ONLY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the two systems and the two kinds of object are called."""

    source: str
    target: str
    source_kind: str
    target_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    name: str
    type: ProvisioningStepType
    status: Verdict
    description: str
    details: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Told:
    """A record with the words for what it speaks of."""

    record: Record
    names: Names

    @property
    def who(self) -> str:
        return f"{self.names.source_kind} '{identifier(self.record)}'"

    @property
    def whom(self) -> str:
        """The object on the other side; a name only where it has one."""
        record = self.record
        name = record.target_name or (record.target if record.target else identifier(record))
        return f"{self.names.target_kind} '{name}'"


def narrate(record: Record, names: Names) -> tuple[Step, ...]:
    """Return the steps of a decision, in the order in which they were taken. The last one tells
    how the target was asked and answered, as far as that is kept."""
    *before, last = _steps(record, names)
    if record.heard is not None:
        last = replace(last, details={**last.details, **_heard(record.heard)})
    return (*before, last)


def _heard(heard: Heard) -> dict[str, str]:
    """Bodies are kept of what failed alone."""
    told = {REQUEST: heard.asked, REPLY: heard.outcome or NO_ANSWER}
    bodies = {REQUEST_BODY: heard.sent, REPLY_BODY: heard.answered}
    return told | {name: text for name, text in bodies.items() if text}


def _steps(record: Record, names: Names) -> tuple[Step, ...]:
    told = _Told(record, names)
    if record.code == "SourceRowInvalid":
        return (_unread(told),)
    if record.code == "Drift":
        return (_drift(told),)
    if record.is_reference_pass:
        return (_references(told), *_export(told))
    return (_import(told), *_scoping(told), *_matching(told), *_processing(told), *_export(told))


def identifier(record: Record) -> str:
    """Return the name by which people know the object; else its id."""
    return record.source_name or record.key.anchor


def _import(told: _Told) -> Step:
    record, names = told.record, told.names
    if record.initiated_by:
        name, what = "EntryImport", f"Retrieved {told.who} from {names.source}"
    else:
        change = _change(record)
        name = f"EntryImport{change}"
        what = f"Received {told.who} change of type ({change}) from {names.source}"
    return Step(
        name=name, type=ProvisioningStepType.IMPORT, status=Verdict.SUCCESS, description=what
    )


def _unread(told: _Told) -> Step:
    return Step(
        name="EntryImport",
        type=ProvisioningStepType.IMPORT,
        status=Verdict.FAILURE,
        description=told.record.reason or f"{told.who} cannot be read from {told.names.source}",
    )


def _drift(told: _Told) -> Step:
    return Step(
        name="EntryImportUpdate",
        type=ProvisioningStepType.MATCHING,
        status=Verdict.WARNING,
        description=f"{told.whom} was changed in {told.names.target} by others",
    )


def _change(record: Record) -> str:
    if record.facts.absence in (Absence.DELETED, Absence.ABSENT):
        return "Delete"
    return "Update" if record.situation in LINKED else "Add"


def _scoping(told: _Told) -> Iterator[Step]:
    record = told.record
    is_gone = record.facts.absence is Absence.DELETED
    if is_gone or record.situation is Situation.EXCLUDED:
        return
    kind = told.names.source_kind
    yield Step(
        name="EntrySynchronizationScoping",
        type=ProvisioningStepType.SCOPING,
        status=Verdict.SUCCESS,
        description=f"Determine if {kind} in scope by evaluating against each scoping filter",
        details=scoping_details(record.facts),
    )


def scoping_details(facts: Facts) -> dict[str, str]:
    return {
        "Active in the source system": str(facts.is_active),
        "Assigned to the application": str(facts.is_assigned),
        "User has the required role": str(facts.is_assigned),
        "Scoping filter evaluation passed": str(facts.passes_filter),
        "ScopeEvaluationResult": evaluation(facts),
    }


def evaluation(facts: Facts) -> str:
    """Return the clause that decided, with its result, as JSON in a text."""
    held = {facts.deciding_clause: facts.passes_filter} if facts.deciding_clause else {}
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _matching(told: _Told) -> Iterator[Step]:
    record, names = told.record, told.names
    match record.situation:
        case Situation.ABSENT:
            name, status = "EntrySynchronizationAdd", Verdict.SUCCESS
            what = (
                f"{told.who} will be created in {names.target} ({names.source_kind} is active and "
                f"assigned in {names.source}, but no matching {names.target_kind} was found in "
                f"{names.target})"
            )
        case Situation.FOUND:
            name, status = "EntryImport", Verdict.SUCCESS
            what = f"Retrieved {told.whom} from {names.target}{_by(record)}"
        case Situation.CONFIRMED | Situation.UNQUALIFIED:
            name, status = "EntryImport", Verdict.SUCCESS
            what = f"Retrieved {told.whom} from {names.target}, to which it is linked"
        case Situation.MISSING if record.verdict is not Verdict.FAILURE:
            name, status = "EntrySynchronizationAdd", Verdict.SUCCESS
            what = f"{told.whom} is no longer in {names.target}; another will be created"
        case Situation.LINK_ONLY if not record.is_export_due:
            name, status = "EntryImportObjectNotFound", Verdict.SKIPPED
            what = f"{told.whom} is no longer in {names.target}"
        case Situation.AMBIGUOUS | Situation.FOUND_ALREADY_LINKED | Situation.MISSING:
            name, status = "EntryMatching", Verdict.FAILURE
            what = record.reason or f"{told.who} cannot be matched in {names.target}"
        case Situation.KEYLESS:
            name, status = "EntryMatching", Verdict.SKIPPED
            what = f"{told.who} has no value for any matching attribute"
        case Situation.UNKNOWN:
            name, status = "EntryMatching", Verdict.FAILURE
            what = record.reason or f"{names.target} could not be asked for {told.who}"
        case _:
            return
    yield Step(name=name, type=ProvisioningStepType.MATCHING, status=status, description=what)


def _by(record: Record) -> str:
    query = record.matched_by
    return f", which has the same {query.attribute}" if query is not None else ""


def _processing(told: _Told) -> Iterator[Step]:
    """What was decided, where it is neither a creation nor told with the export."""
    record, names = told.record, told.names
    details = NO_DETAILS
    match record.action:
        case Action.STAGED_DELETE:
            name, status = "EntrySynchronizationDelete", Verdict.WARNING
            what = (
                f"{told.whom} is held with all others that would leave {names.target} at once, "
                "until an administrator approves it"
            )
            details = {SKIP_REASON: record.code, REPORTABLE: identifier(record)}
        case Action.DISABLE if record.is_export_due:
            name, status = "EntrySynchronizationDisable", Verdict.SUCCESS
            what = f"{told.whom} will be disabled in {names.target} ({why_not(record.facts)})"
        case Action.DELETE if record.is_export_due:
            name, status = "EntrySynchronizationDelete", Verdict.SUCCESS
            what = f"{told.whom} will be deleted in {names.target} ({why_not(record.facts)})"
        case Action.UPDATE if record.is_export_due:
            name, status = "EntrySynchronizationUpdate", Verdict.SUCCESS
            what = f"{told.whom} will be updated in {names.target}"
        case _ if record.situation is Situation.UNMAPPABLE:
            name, status = "EntrySynchronizationError", Verdict.FAILURE
            what = record.reason or f"The values of {told.who} cannot be worked out"
        case _:
            return
    yield Step(
        name=name,
        type=ProvisioningStepType.PROCESSING,
        status=status,
        description=what,
        details=details,
    )


def why_not(facts: Facts) -> str:
    """Say why the object is to have no account."""
    match facts.absence:
        case Absence.DELETED:
            return "deleted in the source"
        case Absence.ABSENT:
            return "no longer in the source"
        case Absence.LEFT:
            return "no longer in the part of the source that is read"
        case None if not facts.is_assigned:
            return "not assigned"
        case None if not facts.passes_filter:
            return (
                f"out of scope: {facts.deciding_clause}"
                if facts.deciding_clause
                else "out of scope"
            )
        case None:
            return "not active in the source"


def _references(told: _Told) -> Step:
    record, names = told.record, told.names
    attributes = ", ".join(change.name for change in record.changes) or "references"
    return Step(
        name="EntryReferenceResolution",
        type=ProvisioningStepType.REFERENCE_RESOLUTION,
        status=Verdict.SUCCESS,
        description=f"Found in {names.target} whom {told.who} refers to by {attributes}",
    )


EXPORTS: Mapping[Action, tuple[str, str, str]] = {
    Action.CREATE: ("EntryExportAdd", "created", "create"),
    Action.UPDATE: ("EntryExportUpdate", "updated", "update"),
    Action.DISABLE: ("EntryExportUpdate", "disabled", "disable"),
    Action.DELETE: ("EntryExportDelete", "deleted", "delete"),
    Action.OTHER: ("EntryExportUpdate", "updated", "update"),
}


def _export(told: _Told) -> Iterator[Step]:
    record, names = told.record, told.names
    if record.verdict is Verdict.SKIPPED:
        yield _skip(told)
        return
    if not record.is_export_due or record.action is Action.STAGED_DELETE:
        return
    name, done, undone = EXPORTS[record.action]
    is_failed = record.verdict is Verdict.FAILURE
    description = (
        f"Failed to {undone} {told.who} in {names.target}"
        if is_failed
        else f"{told.who} was {done} in {names.target}"
    )
    yield Step(
        name=name,
        type=ProvisioningStepType.EXPORT,
        status=Verdict.FAILURE if is_failed else Verdict.SUCCESS,
        description=description,
        details={REPORTABLE: identifier(record)},
    )


def _skip(told: _Told) -> Step:
    record = told.record
    details = {SKIP_REASON: record.code}
    if record.code == "NotEffectivelyEntitled":
        details |= {
            "IsActive": str(record.facts.is_active),
            "Assigned to the application": str(record.facts.is_assigned),
            "IsInProvisioningScope": str(record.facts.passes_filter),
        }
    return Step(
        name="EntrySynchronizationSkip",
        type=ProvisioningStepType.EXPORT,
        status=Verdict.SKIPPED,
        description=skip_text(record, told.names),
        details=details,
    )


def skip_text(record: Record, names: Names) -> str:
    """Say why nothing was sent."""
    who = f"the {names.source_kind} '{identifier(record)}'"
    match record.code:
        case "RedundantExport":
            return (
                f"The state of {who} in both the source and target systems already match. No "
                "change currently needs to be made."
            )
        case "PerpetualPatch":
            return (
                f"Nothing is sent about {who}: what differs was sent before, and {names.target} "
                "showed something else again each time"
            )
        case "NotEffectivelyEntitled":
            return f"Nothing is sent about {who}: {why_not(record.facts)}"
        case "ImportSkipped":
            return f"Nothing is sent about {who}: no matching attribute has a value"
        case "AlreadyGone":
            return f"Nothing is sent about {who}: it is no longer in {names.target}"
        case "OutOfScopeDeletionSkipped":
            return f"{who[0].upper()}{who[1:]} left the scope and keeps its account, as configured"
        case "AddFlowDisabled" | "UpdateFlowDisabled" | "DeleteFlowDisabled" as code:
            flow = code.removesuffix("FlowDisabled")
            return f"Nothing is sent about {who}: the flow {flow} of its mapping is off"
        case _:
            return f"Nothing is sent about {who}" + (f": {record.reason}" if record.reason else "")
