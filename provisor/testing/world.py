"""What the suite needs of a target besides the port: names to write to, and hands of others.

To join, describe the attributes in a `Model`, implement `World`, and let the fixture `world` return
what opens it.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Protocol, TypeAlias

from provisor.model.decisions import Create, Exported
from provisor.model.entries import Anchor, Attributes, MatchQuery, Value
from provisor.model.rules import AttributeDefinition
from provisor.ports import Target


class Trouble(Enum):
    """What can befall a target, from now on."""

    LOSES_CREATES = auto()  # does them, and the connection breaks before the answer
    FAILS_AFTER_CREATES = auto()  # does them, and answers that it failed
    REFUSES_CREATES = auto()  # for what they say
    HAS_NO_RIGHTS = auto()  # to change anything
    BREAKS_ONE_UPDATE = auto()  # before doing anything; the next one works
    WANTS_PATIENCE_ONCE = auto()
    WANTS_PATIENCE_FOR_EVER = auto()
    IGNORES_FILTERS = auto()
    IS_OFF = auto()
    KNOWS_US_NOT = auto()
    SPEAKS_NONSENSE = auto()


@dataclass(frozen=True, kw_only=True)
class Model:
    """The kinds and attributes that the suite writes to."""

    definitions: Mapping[str, tuple[AttributeDefinition, ...]]
    user: str = "User"
    group: str = "Group"
    user_name: str = "userName"
    group_name: str = "displayName"
    title: str = "displayName"
    """A text of users that nobody checks."""
    members: str = "members"
    manager: str = ""
    """Empty, if the target has no reference of one."""
    samples: Mapping[str, tuple[Value, Value]] = field(
        default_factory=dict[str, "tuple[Value, Value]"]
    )
    """Attributes of users with two values each, one for every type that the target has."""
    siblings: tuple[str, str] | None = None
    """Two attributes that live in the same element of a list."""


class World(Protocol):
    """A target with what is around it."""

    @property
    def model(self) -> Model: ...

    @property
    def target(self) -> Target: ...

    @property
    def troubles(self) -> frozenset[Trouble]:
        """What can be made to befall this target."""
        ...

    @property
    def tells_totals(self) -> bool: ...

    async def members(self, group: Anchor) -> set[Anchor]:
        """Return who is a member, as the target itself holds it."""
        ...

    async def writes(self) -> int | None:
        """Return how many writes reached the target so far; None, if nobody counts."""
        ...

    async def befall(self, trouble: Trouble) -> None: ...


Recipe: TypeAlias = Callable[[], AbstractAsyncContextManager[World]]
"""Opens a world, empty and without troubles, in the running event loop."""
Worlds: TypeAlias = AsyncGenerator[World]


class SteppingClock:
    """A clock on which a sleep takes no time at all, and moves the hands."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class Dice:
    """Chance with a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


class Cast:
    """People and groups, made by way of the port."""

    def __init__(self, world: World) -> None:
        self._world, self._numbers = world, itertools.count(1)

    def attributes(self, **said: Value) -> dict[str, Value]:
        """Return what makes a user that nobody else is; `said` are its own attributes by name."""
        model = self._world.model
        number = next(self._numbers)
        return {model.user_name: f"person{number}", model.title: f"Person {number}", **said}

    async def user(self, attributes: Attributes | None = None) -> Exported:
        model = self._world.model
        said = {**self.attributes(), **(attributes or {})}
        return await self._create(model.user, said, model.user_name)

    async def person(self, attributes: Attributes | None = None) -> Anchor:
        return anchor_of(await self.user(attributes))

    async def group(self, name: str = "") -> Anchor:
        model = self._world.model
        said = {model.group_name: name or f"Group {next(self._numbers)}"}
        return anchor_of(await self._create(model.group, said, model.group_name))

    async def _create(self, kind: str, said: Attributes, name: str) -> Exported:
        query = MatchQuery(kind, name, said[name])
        return await self._world.target.export(Create(kind, said, (query,)))


def anchor_of(exported: Exported) -> Anchor:
    assert exported.anchor is not None
    return exported.anchor
