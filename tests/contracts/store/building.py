"""Values that tests of a store are made of."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult
from provisor.model.decisions import (
    Action,
    Create,
    Decision,
    Delete,
    Escrow,
    Escrowed,
    Export,
    Facts,
    Image,
    Keep,
    Link,
    LinkState,
    Record,
    Resolution,
    Settled,
    Situation,
    Standing,
    StandingKey,
    Update,
    Verdict,
)
from provisor.model.entries import (
    Absence,
    Anchor,
    Attributes,
    Entry,
    EntryKey,
    Gone,
    MatchQuery,
    Reference,
    Seen,
    Touched,
    Value,
)
from provisor.model.jobs import Job
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    MappingName,
    ObjectMapping,
    Rules,
)
from provisor.ports import Journal, Observation

T = TypeVar("T")
JOB = "people"
USERS, GROUPS = MappingName("user to User"), MappingName("group to Group")
KINDS = {USERS: "user", GROUPS: "group"}
TARGET_KINDS = {USERS: "User", GROUPS: "Group"}
START = datetime(2026, 1, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def now_or_never(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits: a store does all it does at once."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a method of a store must not wait")


def job(id: str = JOB) -> Job:
    return Job(id=id, name=id, template_id="scim", application_id="app")


SHOWN = ("name", "title", "userName")
"""Target attributes that are mapped, so that images show them."""


def mapping(
    name: MappingName, hash: str = "1", *, shown: Iterable[str] = SHOWN, is_enabled: bool = True
) -> ObjectMapping:
    members = AttributeDefinition(name="members", type=AttributeType.REFERENCE, is_multivalued=True)
    manager = AttributeDefinition(name="manager", type=AttributeType.REFERENCE)
    plain = (AttributeDefinition(name=one) for one in shown)
    return ObjectMapping(
        name=name,
        source_kind=KINDS[name],
        target_kind=TARGET_KINDS[name],
        attributes=tuple(
            AttributeMapping(target=t, source=None) for t in (members, manager, *plain)
        ),
        is_enabled=is_enabled,
        hash=hash,
    )


RULES: Rules = {USERS: mapping(USERS), GROUPS: mapping(GROUPS)}


def key(anchor: str, name: MappingName = USERS) -> StandingKey:
    return StandingKey(name, Anchor(anchor))


def user(anchor: str) -> Reference:
    return Reference("user", Anchor(anchor))


def target_user(anchor: str) -> Reference:
    return Reference("User", Anchor(anchor))


def entry(of: StandingKey, **attributes: Value) -> Entry:
    return Entry(KINDS[of.mapping], of.anchor, attributes)


def seen(of: StandingKey, **attributes: Value) -> Observation:
    return Observation(of, Seen(entry(of, **attributes)))


def gone(of: StandingKey, absence: Absence = Absence.DELETED) -> Observation:
    return Observation(of, Gone(EntryKey(KINDS[of.mapping], of.anchor), absence))


def touched(of: StandingKey) -> Observation:
    return Observation(of, Touched(EntryKey(KINDS[of.mapping], of.anchor)))


def query(value: Value, kind: str = "User", attribute: str = "userName") -> MatchQuery:
    return MatchQuery(kind, attribute, value)


def link(
    target: str, state: LinkState = LinkState.MANAGED, image: Attributes | None = None
) -> Link:
    return Link(Anchor(target), Image(image or {"userName": target}), state)


FACTS = Facts(is_assigned=True, is_active=True, passes_filter=True)


def decision(
    of: StandingKey,
    resolution: Resolution,
    situation: Situation = Situation.CONFIRMED,
    action: Action = Action.UPDATE,
) -> Decision:
    return Decision(
        key=of,
        row=9,
        situation=situation,
        resolution=resolution,
        facts=FACTS,
        action=action,
    )


def creates(of: StandingKey, *queries: MatchQuery, **attributes: Value) -> Decision:
    create = Create(TARGET_KINDS[of.mapping], attributes, queries)
    return decision(of, Export(create, {}), Situation.ABSENT, Action.CREATE)


def updates(of: StandingKey, target: str) -> Decision:
    return decision(of, Export(Update(TARGET_KINDS[of.mapping], Anchor(target), ()), {}))


def joins(of: StandingKey, target: str) -> Decision:
    return decision(of, Keep(link(target)), Situation.FOUND)


def disables(of: StandingKey, target: str) -> Decision:
    update = Update(TARGET_KINDS[of.mapping], Anchor(target), ())
    return decision(of, Export(update, {}), Situation.UNQUALIFIED, Action.DISABLE)


def deletes(of: StandingKey, target: str) -> Decision:
    delete = Delete(TARGET_KINDS[of.mapping], Anchor(target))
    return decision(of, Export(delete, {}), Situation.UNQUALIFIED, Action.DELETE)


def escrow(retry_at: datetime, *, attempts: int = 1) -> Escrow:
    return Escrow(
        code="Timeout",
        reason="no answer",
        first_failed_at=START,
        attempts=attempts,
        retry_at=retry_at,
    )


FAILED = Escrowed(code="Timeout", reason="no answer")


def record(
    of: StandingKey,
    *,
    cycle: str = "c1",
    verdict: Verdict = Verdict.SUCCESS,
    at: datetime = START,
    is_exported: bool = False,
    is_export_due: bool = False,
    facts: Facts = FACTS,
    code: str = "",
) -> Record:
    return Record(
        cycle=cycle,
        change=f"{cycle}/{of.anchor}",
        at=at,
        duration_ms=12,
        key=of,
        row=9,
        situation=Situation.CONFIRMED,
        action=Action.UPDATE,
        verdict=verdict,
        code=code,
        is_exported=is_exported,
        is_export_due=is_export_due,
        facts=facts,
        source_name=f"Name of {of.anchor}",
    )


def ended(id: str, began: datetime, counts: Counts) -> Cycle:
    return Cycle(
        id=id,
        kind=CycleKind.INCREMENTAL,
        began=began,
        ended=began + MINUTE,
        result=CycleResult.SUCCEEDED,
        counts=counts,
    )


async def show(journal: Journal, *observations: Observation, now: datetime = START) -> None:
    await journal.absorb(observations, None, now)


async def recalled(journal: Journal, of: StandingKey) -> Standing:
    (standing,) = await journal.recall([of])
    return standing


async def settle(
    journal: Journal, of: StandingKey, to: Link | None, *, cycle: str = "c1"
) -> Standing:
    """Carry an object's latest observation through, to this link; return what is remembered."""
    standing = await recalled(journal, of)
    await journal.settle(standing, Settled(to), None, record(of, cycle=cycle), keeps_attempt=False)
    found = await journal.recall([of])
    return found[0] if found else standing


async def fail(
    journal: Journal, of: StandingKey, retry_at: datetime, *, keeps_attempt: bool = False
) -> None:
    standing = await recalled(journal, of)
    told = record(of, verdict=Verdict.FAILURE)
    await journal.settle(standing, FAILED, escrow(retry_at), told, keeps_attempt=keeps_attempt)


async def governed(journal: Journal, of: StandingKey, target: str) -> Standing:
    """Make a source object known, linked and settled."""
    await show(journal, seen(of, name=str(of.anchor)))
    return await settle(journal, of, link(target))


def by_key(standings: list[Standing]) -> Mapping[StandingKey, Standing]:
    return {s.key: s for s in standings}
