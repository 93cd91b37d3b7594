"""The rules that the table is shown under, and small parts that tests of the planner share."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from provisor.expressions.context import Context
from provisor.expressions.parser import parse
from provisor.model.decisions import Escrow, Link, LinkState, Standing, StandingKey
from provisor.model.entries import Absence, Anchor, Attributes, Entry, EntryKey, Value
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Clause,
    ClauseGroup,
    Filter,
    FlowBehavior,
    Flows,
    FlowType,
    MappingName,
    Mutability,
    ObjectMapping,
    Policy,
)
from provisor.planner.terms import Terms, terms_of

USERS, GROUPS = MappingName("user to User"), MappingName("group to Group")
SALES = (ClauseGroup("sales", (Clause("department", "EQUALS", ("Sales",)),)),)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class SteppingClock:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Chance:
    """Chance from a fixed seed."""

    def __init__(self) -> None:
        self._random = random.Random(0)

    def uuid(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


def user(who: str) -> EntryKey:
    return EntryKey("user", Anchor(who))


def group(name: str) -> EntryKey:
    return EntryKey("group", Anchor(name))


def attribute(
    name: str,
    source: str | None,
    *,
    type: AttributeType = AttributeType.STRING,
    is_case_exact: bool = False,
    is_required: bool = False,
    is_multivalued: bool = False,
    mutability: Mutability = Mutability.READ_WRITE,
    flows_null: bool = False,
    refers_to: tuple[str, ...] = (),
    default_value: str | None = None,
    own_default: str | None = None,
    matching_priority: int = 0,
    flow_type: FlowType = FlowType.ALWAYS,
    flow_behavior: FlowBehavior = FlowBehavior.FLOW_WHEN_CHANGED,
) -> AttributeMapping:
    """Return a mapping to one target attribute; `flows_null` turns both of its switches on."""
    definition = AttributeDefinition(
        name=name,
        type=type,
        is_case_exact=is_case_exact,
        is_required=is_required,
        is_multivalued=is_multivalued,
        mutability=mutability,
        flows_null=flows_null,
        refers_to=refers_to,
        default_value=own_default,
    )
    return AttributeMapping(
        target=definition,
        source=None if source is None else parse(source),
        default_value=default_value,
        matching_priority=matching_priority,
        flow_type=flow_type,
        flow_behavior=flow_behavior,
        flows_null=flows_null,
        depends_on_soft_deleted=source is not None and "IsSoftDeleted" in source,
    )


def reference(
    name: str,
    source: str,
    *,
    to_many: bool = False,
    flow_type: FlowType = FlowType.ALWAYS,
    mutability: Mutability = Mutability.READ_WRITE,
    refers_to: tuple[str, ...] = (),
) -> AttributeMapping:
    return attribute(
        name,
        source,
        type=AttributeType.REFERENCE,
        is_multivalued=to_many,
        flow_type=flow_type,
        mutability=mutability,
        refers_to=refers_to,
    )


ACTIVE = attribute(
    "active",
    'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    type=AttributeType.BOOLEAN,
)
AT_WORK = attribute("active", '"True"', type=AttributeType.BOOLEAN)


def people(
    *more: AttributeMapping,
    flows: Flows = Flows.ALL,
    disables: bool = True,
    scope: Filter = SALES,
    is_enabled: bool = True,
    version: str = "",
) -> ObjectMapping:
    """Return how people become accounts; `disables`: the application knows disabled ones."""
    return ObjectMapping(
        name=USERS,
        source_kind="user",
        target_kind="User",
        scope=scope,
        flows=flows,
        is_enabled=is_enabled,
        attributes=(
            attribute("userName", "ToLower([mail])", matching_priority=1),
            attribute("displayName", "[name]"),
            ACTIVE if disables else AT_WORK,
            reference("manager", "[manager]"),
            *more,
        ),
        hash=f"people {flows} {disables} {is_enabled} {version}",
    )


def teams(*, flows: Flows = Flows.ALL, scope: Filter = (), disables: bool = False) -> ObjectMapping:
    """Return how groups become groups; as a rule the application cannot disable one."""
    soft = (ACTIVE,) if disables else ()
    return ObjectMapping(
        name=GROUPS,
        source_kind="group",
        target_kind="Group",
        scope=scope,
        flows=flows,
        attributes=(
            attribute("displayName", "[name]", matching_priority=1),
            reference("members", "[members]", to_many=True),
            *soft,
        ),
        hash=f"teams {flows} {disables}",
    )


# for the pure planner


def mapping_of(mappings: Iterable[AttributeMapping], *, flows: Flows = Flows.ALL) -> ObjectMapping:
    """Return an object mapping of these attributes, without a filter."""
    return ObjectMapping(
        name=USERS,
        source_kind="user",
        target_kind="User",
        attributes=tuple(mappings),
        flows=flows,
        hash="rules",
    )


def terms(mapping: ObjectMapping, policy: Policy | None = None) -> Terms:
    return terms_of(mapping, policy or Policy(), Context(NOW, chance=Chance()))


def entry(**attributes: Value) -> Entry:
    return Entry("user", Anchor("ada"), attributes)


ADA: Attributes = {"mail": "ada@x.org", "name": "ada", "department": "Sales"}


def standing(
    attributes: Attributes | None = None,
    *,
    absence: Absence | None = None,
    state: LinkState | None = None,
    is_assigned: bool = True,
    escrow: Escrow | None = None,
    who: str = "ada",
) -> Standing:
    """Return what is remembered of somebody: as in sales, linked to t1 where `state` is given."""
    return Standing(
        key=StandingKey(USERS, Anchor(who)),
        source=Entry("user", Anchor(who), ADA if attributes is None else attributes),
        absence=absence,
        link=Link(Anchor("t1"), None, state) if state else None,
        is_assigned=is_assigned,
        escrow=escrow,
        seen=1,
    )
