"""The rules of the small organisation, in several versions."""

from __future__ import annotations

from functools import cache

from provisor.expressions.parser import parse
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Clause,
    ClauseGroup,
    DepartureLimits,
    Guards,
    MappingName,
    MemberLimits,
    ObjectMapping,
    Rules,
)
from provisor.planner import terms

USERS, GROUPS = MappingName("user to User"), MappingName("group to Group")
NO_GUARDS = Guards(
    departures=DepartureLimits(percent=1000, floor=1000, most=1000),
    members=MemberLimits(floor=1000),
)
STRICT = Guards(departures=DepartureLimits(percent=0, floor=0))
"""Every departure is held."""
SALES = (ClauseGroup("sales", (Clause("department", "EQUALS", ("Sales",)),)),)
VERSIONS = 8
"""How many versions the rules have: each bit changes one thing."""
SUFFIX = " of old"

# Cycles are short here, and compiling took a third of their time. It depends on its argument only.
terms._compile = cache(terms._compile)  # pyright: ignore[reportPrivateUsage]


def attribute(name: str, source: str, **more: object) -> AttributeMapping:
    return AttributeMapping(
        target=AttributeDefinition(name=name),
        source=parse(source),
        depends_on_soft_deleted="IsSoftDeleted" in source,
        **more,  # pyright: ignore[reportArgumentType]
    )


def reference(name: str, source: str, *, to_many: bool) -> AttributeMapping:
    definition = AttributeDefinition(
        name=name, type=AttributeType.REFERENCE, is_multivalued=to_many
    )
    return AttributeMapping(target=definition, source=parse(source))


def truth(name: str, source: str) -> AttributeMapping:
    return AttributeMapping(
        target=AttributeDefinition(name=name, type=AttributeType.BOOLEAN),
        source=parse(source),
        depends_on_soft_deleted="IsSoftDeleted" in source,
    )


ACTIVE = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
AT_WORK = '"True"'


def is_suffixed(version: int) -> bool:
    return bool(version & 1)


def is_scoped(version: int) -> bool:
    return not version & 2


def is_nicknamed(version: int) -> bool:
    return bool(version & 4)


@cache
def rules(*, disables: bool, version: int = 0) -> Rules:
    """Return a version of the rules: with another display name, for everybody, or with a
    target attribute more."""
    name = f'Append([name], "{SUFFIX}")' if is_suffixed(version) else "[name]"
    nickname = (attribute("nickName", "[name]"),) if is_nicknamed(version) else ()
    users = ObjectMapping(
        name=USERS,
        source_kind="user",
        target_kind="User",
        scope=SALES if is_scoped(version) else (),
        attributes=(
            attribute("userName", "ToLower([mail])", matching_priority=1),
            attribute("displayName", name),
            truth("active", ACTIVE if disables else AT_WORK),
            reference("manager", "[manager]", to_many=False),
            *nickname,
        ),
        hash=f"users {version}",
    )
    groups = ObjectMapping(
        name=GROUPS,
        source_kind="group",
        target_kind="Group",
        attributes=(
            attribute("displayName", "[name]", matching_priority=1),
            reference("members", "[members]", to_many=True),
        ),
        hash="groups",
    )
    return {USERS: users, GROUPS: groups}
