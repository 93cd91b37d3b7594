"""What pages say: states, what each property means, what each act does. One word for each thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisor.graph.wire.logs import REPLY, REPLY_BODY, REQUEST, REQUEST_BODY

CONCERNS: Mapping[str, tuple[str, str]] = {
    "quarantine": ("Quarantine", "red"),
    "failed": ("Last cycle failed", "red"),
    "staged": ("Departures wait", "yellow"),
    "entryErrors": ("Objects failed", "orange"),
    "escrows": ("Objects in escrow", "orange"),
    "notConfigured": ("Not configured", "secondary"),
    "none": ("Nothing wrong", "green"),
}
"""By what the API calls it, the worst first: the words for it, and its colour."""

CODES: Mapping[str, tuple[str, str]] = {
    "Active": ("Active", "green"),
    "Quarantine": ("Quarantine", "red"),
    "Paused": ("Paused", "secondary"),
    "NotConfigured": ("Not configured", "secondary"),
    "NotRun": ("Not run yet", "blue"),
}
RESULTS: Mapping[str, tuple[str, str]] = {
    "Succeeded": ("Succeeded", "green"),
    "EntryLevelErrors": ("Some objects failed", "orange"),
    "Failed": ("Failed", "red"),
}
CODE_MEANS: Mapping[str, str] = {
    "Active": "The schedule runs this job.",
    "Quarantine": "Something is wrong with more than single objects. The job tries ever more "
    "rarely until somebody acts or the cause is gone.",
    "Paused": "The schedule does not run this job. Nothing is read and nothing is written.",
    "NotConfigured": "The application has no credentials that can be used yet.",
    "NotRun": "The job is started, and its first cycle has not ended yet.",
}
KINDS: Mapping[str, str] = {
    "initial": "Initial: everything was read for the first time, or again after a restart.",
    "incremental": "Incremental: what changed since the last cycle.",
    "reconcile": "Reconcile: the target was read in full as well.",
}
PARTS: Mapping[str, tuple[str, str]] = {
    "source": ("Source", "Reading, and waiting for what is read."),
    "mapping": ("Mapping", "Our own thinking: scoping, matching, mapping, deciding."),
    "target": ("Target", "Waiting for the target's answers, and reading them."),
    "store": ("Store", "Remembering what was seen and done."),
}
"""Where the time of a cycle goes."""
QUARANTINES: Mapping[str, str] = {
    "EncounteredBaseEscrowThreshold": "Too many objects failed.",
    "EncounteredTotalEscrowThreshold": "Too many objects and references failed together.",
    "EncounteredEscrowProportionThreshold": "Too great a part of all objects failed.",
    "EncounteredQuarantineException": "A system cannot be used: credentials, address or answers.",
    "TooManyDeletes": "More departures than the guard lets pass. None was sent.",
    "IngestionInterrupted": "The source cannot be read.",
    "QuarantinedOnDemand": "Somebody put the job into quarantine.",
    "Unknown": "The reason is not known.",
}

LEAVING: Mapping[str, str] = {
    "deleted": "The source says that it is deleted.",
    "absent": "The source no longer has it.",
    "disabled": "The source says that it is not active.",
    "unentitled": "It is in the source and active, but no longer in scope or assigned.",
}
"""Why somebody departs."""
WAYS: Mapping[str, tuple[str, str]] = {
    "TooManyDeletes": ("Look, and decide", "/staged"),
    "EncounteredBaseEscrowThreshold": ("See who failed, and why", "/escrows"),
    "EncounteredTotalEscrowThreshold": ("See who failed, and why", "/escrows"),
    "EncounteredEscrowProportionThreshold": ("See who failed, and why", "/escrows"),
    "EncounteredQuarantineException": ("Look at both systems", "/connection"),
    "IngestionInterrupted": ("Look at both systems", "/connection"),
    "failed": ("Look at both systems", "/connection"),
    "staged": ("Look, and decide", "/staged"),
    "entryErrors": ("See who failed, and why", "/escrows"),
    "escrows": ("See who failed, and why", "/escrows"),
    "notConfigured": ("Set it up", "/setup"),
}
"""Where one goes on, by the reason of a quarantine, else by what the API calls the concern."""

STATUS: Mapping[str, str] = {
    "code": "Where the job stands.",
    "count_successive_complete_failures": "Cycles in a row that failed as a whole. One that "
    "succeeds sets it back to 0.",
    "escrows_pruned": "Whether escrows were discarded because there were too many.",
    "last_execution": "The latest cycle, however it ended.",
    "last_successful_execution": "The latest cycle that succeeded and left nothing undone.",
    "last_successful_execution_with_exports": "The latest successful cycle that wrote something.",
    "quarantine": "Why the job is in quarantine, since when, and when it tries again.",
    "steady_state_first_achieved_time": "When for the first time every change that was read was "
    "exported, skipped with a reason or in escrow, and nothing was staged.",
    "steady_state_last_achieved_time": "When that was so for the last time.",
    "troubleshooting_url": "The page about what is wrong.",
    "progress": "How far the cycle that is running has come.",
    "synchronized_entry_count_by_type": "Objects that are linked to an account or group in the "
    "target, by object mapping.",
}
"""Each property of `synchronizationStatus`, explained."""

EXECUTION: Mapping[str, str] = {
    "activity_identifier": "The id of the cycle; the log names it too.",
    "count_entitled": "Objects that are entitled to an account.",
    "count_entitled_for_provisioning": "Of these, those that were looked at in this cycle.",
    "count_escrowed": "Objects in escrow when the cycle ended.",
    "count_escrowed_raw": "The same, with those counted that were discarded.",
    "count_exported": "Objects whose change the target acknowledged.",
    "count_exports": "Objects for which a change was decided.",
    "count_imported": "Objects read: all of them in an initial cycle, later those that differ.",
    "count_imported_deltas": "Objects that differ from what was known.",
    "count_imported_reference_deltas": "References (managers, members) added or removed.",
    "state": "How the cycle ended.",
    "error": "What ended it, if something did.",
    "time_began": "When it began.",
    "time_ended": "When it ended.",
}
"""Each property of an execution, explained."""

QUARANTINE: Mapping[str, str] = {
    "reason": "What put the job into quarantine.",
    "error": "The error in full.",
    "series_began": "Since when it is, with short interruptions counted in. After 28 days the job "
    "is paused.",
    "series_count": "How often it was imposed in this series.",
    "current_began": "When it was imposed this time.",
    "next_attempt": "When the job tries again by itself.",
}

ACTIONS: Mapping[str, tuple[str, str]] = {
    "create": ("Create", "green"),
    "update": ("Update", "blue"),
    "disable": ("Disable", "orange"),
    "delete": ("Delete", "red"),
    "stagedDelete": ("Staged departure", "yellow"),
    "references": ("Set references", "blue"),
    "other": ("Nothing written", "secondary"),
}
EXCHANGED = frozenset({REQUEST, REQUEST_BODY, REPLY, REPLY_BODY})
"""Details of a step that have a place of their own."""
VERDICTS: Mapping[str, tuple[str, str]] = {
    "success": ("Success", "green"),
    "failure": ("Failure", "red"),
    "skipped": ("Skipped", "secondary"),
    "warning": ("Warning", "yellow"),
}
SITUATIONS: Mapping[str, str] = {
    "absent": "It is to have an account, and none matches: one is made.",
    "found": "It is to have an account, and one that is free matches: it is taken over.",
    "foundAlreadyLinked": "An account matches, but it belongs to another source object.",
    "ambiguous": "Several accounts match, and which is meant cannot be told.",
    "keyless": "It has no value that an account could be matched by.",
    "confirmed": "It has its account.",
    "missing": "Its account is gone from the target.",
    "unqualified": "It is no longer to have an account, and has one.",
    "released": "It is no longer to have an account, and has left before.",
    "linkOnly": "It is no longer to have an account, and its account is gone.",
    "ignored": "It is not to have an account, and never had one.",
    "unmappable": "A value that it must have cannot be worked out.",
    "unknown": "The target could not be asked.",
    "excluded": "A filter or an expression leaves it out.",
    "StagedDelete": "Held by the guard: it waits for an approval.",
}
"""How an object, its link and the target stand to one another: in a sentence."""
FLOWS: Mapping[str, str] = {
    "Always": "always",
    "ObjectAddOnly": "only when the object is created",
    "MultiValueAddOnly": "only adds to what is there",
    "ValueAddOnly": "only where the target has no value",
    "AttributeAddOnly": "only where the target lacks the whole attribute",
}
BEHAVIORS: Mapping[str, str] = {
    "FlowWhenChanged": "when it changed",
    "FlowAlways": "in every write",
}
EFFECTS: Mapping[str, str] = {
    "enter": "Get an account: matched or created",
    "await": "Still wait for an account, to be made with other values",
    "return": "Come back into scope",
    "update": "Get another value",
    "references": "Get other references",
    "disable": "Leave scope: disabled",
    "delete": "Leave scope: deleted",
    "staged": "Leave scope: held by the guard until somebody approves",
    "release": "Leave scope: the account stays as it is",
    "unmappable": "Would fail, and wait in escrow",
    "settle": "Need nothing any more",
}
"""What other rules do to objects."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be done to a job, by one request to the API."""

    label: str
    path: str
    """Below the job."""
    explained: str
    style: str = "btn-outline-secondary"


SIGNED_IN = "Sign in to the console"
"""What the audit calls it."""
ACTS: Mapping[str, Act] = {
    "start": Act(
        "Start",
        "start",
        "The schedule runs the job from now on, and the next cycle begins at once. A quarantine is "
        "lifted; what is staged stays staged.",
        "btn-primary",
    ),
    "pause": Act(
        "Pause",
        "pause",
        "A running cycle stops at its next object. Nothing is forgotten.",
    ),
    "reconcile": Act(
        "Reconcile",
        "reconcile",
        "One cycle now that reads the target in full as well, finds what others changed there, and "
        "puts it right where the job is told to.",
    ),
}

DONE: Mapping[str, str] = {
    "start": "The job is started. Its next cycle begins at once.",
    "pause": "The job is paused. A cycle that was running stops at its next object.",
    "reconcile": "A cycle that reads the target in full is asked for. It begins at once.",
    "restart": "The job is restarted. Its next cycle begins at once.",
    "approve": "Approved. A cycle that carries it out begins at once.",
    "retry": "Tried again by the cycle that begins at once.",
    "saved": "The mappings are saved. The next cycle works with them; Explain shows at "
    "once what it would make of somebody.",
    "application": "The application is made. Give it a job.",
    "job": "The job is made, and not started. See that both systems can be used.",
    "assigned": "Assigned. The next cycle works with it.",
    "unassigned": "No longer assigned. The next cycle works with it.",
    "revoked": "The key is revoked: it is refused from now on.",
    "accept": "Accepted: what the target says is kept until another value is implied or written.",
    "reassert": "The next cycle puts it right. While the job is started it begins at once.",
    "test-removed": "The test is gone.",
    "credentials": "The credentials are saved. The next cycle works with them.",
    "made": "The job is made. Nothing is read or written before you start it.",
    "made-without-credentials": "The job is made, but the target's address or credentials were not "
    "taken: give them again under Connection.",
    "looked": "Both systems can be used, and have told their attributes.",
    "demonstration": "The demo organisation is here: 200 invented people, and a SCIM server that "
    "receives their accounts. Its job has been started.",
    "day": "HR has exported again. The next cycle begins at once.",
    "demonstration-removed": "The demo organisation is gone: job, application, files and server.",
    "signed-out": "You are signed out.",
}
"""What is told once something was done."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing that a restart can forget."""

    name: str
    label: str
    forgets: str
    is_usual: bool = False
    is_grave: bool = False


SCOPES: tuple[Scope, ...] = (
    Scope(
        "Watermark",
        "How far the source was read",
        "The next cycle reads all of the source again. No account is lost or made twice by this.",
        is_usual=True,
    ),
    Scope(
        "Escrows",
        "Errors of single objects",
        "Every object that failed is tried again at once, as if it had never failed.",
        is_usual=True,
    ),
    Scope(
        "QuarantineState",
        "The quarantine",
        "The job is no longer in quarantine. If the cause is still there, it will be again.",
        is_usual=True,
    ),
    Scope(
        "ConnectorDataStore",
        "Which account belongs to whom",
        "All accounts are matched anew by their matching attributes. Whoever is not found again is "
        "made anew; whoever left meanwhile is weighed as a departure. Takes long.",
        is_grave=True,
    ),
    Scope(
        "ForceDeletes",
        "Nothing, but let staged departures pass",
        "What is staged just now is disabled or deleted by the next cycle, once.",
        is_grave=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Credential:
    """One field of the form for a target's credentials."""

    label: str
    is_hidden: bool = False
    hint: str = ""


CREDENTIALS: Mapping[str, Credential] = {
    "BaseAddress": Credential("Address", hint="Such as https://example.com/scim/v2"),
    "SecretToken": Credential("Token", is_hidden=True),
    "UserName": Credential("User name"),
    "Password": Credential("Password", is_hidden=True),
    "Oauth2ClientId": Credential("Client id"),
    "Oauth2ClientSecret": Credential("Client secret", is_hidden=True),
    "Oauth2TokenExchangeUri": Credential("Token address"),
}
"""By the key that Graph has for it."""
CREDENTIAL_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Where the target is", ("BaseAddress",)),
    ("Either a token", ("SecretToken",)),
    ("Or a user name with its password", ("UserName", "Password")),
    ("Or an OAuth client", ("Oauth2ClientId", "Oauth2ClientSecret", "Oauth2TokenExchangeUri")),
)

TOPICS: Mapping[str, str] = {
    "connection": "Connection",
    "credentials": "Credentials",
    "permissions": "Permissions",
    "features": "Features",
    "objects": "Objects",
    "changes": "Changes",
    "conduct": "What will be done",
}
"""What a finding of a probe is about."""
WEIGHTS: Mapping[str, tuple[str, str]] = {
    "ok": ("Good", "green"),
    "warning": ("Warning", "yellow"),
    "error": ("Error", "red"),
}


@dataclass(frozen=True, slots=True)
class Drifting:
    """How it stands with an attribute that others changed."""

    label: str
    colour: str
    means: str
    is_open: bool = False
    """Somebody's word is wanted."""
    may_reassert: bool = False


DRIFTS: Mapping[str, Drifting] = {
    "stands": Drifting(
        "Stands", "yellow", "The target still says so.", is_open=True, may_reassert=True
    ),
    "failed": Drifting(
        "Failed", "red", "It stands; the object is in escrow.", is_open=True, may_reassert=True
    ),
    "pending": Drifting("Next cycle", "blue", "The next cycle looks at it anew."),
    "accepted": Drifting(
        "Accepted", "green", "Kept until another value is implied or written.", may_reassert=True
    ),
    "returns": Drifting(
        "Let be", "orange", "It came back each time it was put right.", may_reassert=True
    ),
    "right": Drifting("Right", "green", "The target says what the rules ask for."),
    "foreign": Drifting("Theirs", "secondary", "Whom others put there stays."),
    "ungoverned": Drifting("Not ours", "secondary", "The object is no longer looked after."),
}
"""By what the API calls it."""

EXPIRIES: tuple[tuple[str, str], ...] = (
    ("P7D", "In 7 days"),
    ("P30D", "In 30 days"),
    ("P90D", "In 90 days"),
    ("P365D", "In a year"),
    ("", "Never, until it is revoked"),
)
PERMISSIONS: Mapping[str, str] = {
    "Synchronization.Read.All": "reads jobs, schemas, templates",
    "Synchronization.ReadWrite.All": "and changes them, starts and stops, sets credentials",
    "SynchronizationData-User.Upload": "uploads people, and nothing else",
    "Application.Read.All": "reads applications and assignments",
    "Application.ReadWrite.All": "makes applications, changes assignments",
    "Application.ReadWrite.OwnedBy": "everything, of applications it owns",
    "AppRoleAssignment.ReadWrite.All": "changes assignments",
    "AuditLog.Read.All": "reads audit and log",
    "ProvisioningLog.Read.All": "reads the log",
    "User.Read.All": "reads people of the sources",
    "Group.Read.All": "reads groups of the sources",
    "Directory.Read.All": "reads applications, people, groups, log",
    "Directory.ReadWrite.All": "everything, keys too",
    "Metrics.Read.All": "reads measures",
}
"""What each permission lets its holder do."""
