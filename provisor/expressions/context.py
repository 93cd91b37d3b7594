"""What an evaluation is given besides attributes, and what it may answer besides a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol, TypeAlias

from provisor.expressions.errors import ExpressionError
from provisor.model.entries import Value

LENGTH_MAX = 10_000
"""Characters in one expression."""
DEPTH_MAX = 64
"""Nodes from the whole expression down to its innermost part."""
RESULT_MAX = 1 << 20
"""Characters that one function may produce."""
REGEX_TIMEOUT_S = 1.0


class Flow(Enum):
    """An answer that is no value."""

    DROP = "DROP"
    """The attribute takes no part in this export."""
    IGNORE_OBJECT = "IgnoreObjectFlow"
    """The object takes no part in this cycle."""


class Chance(Protocol):
    """Where random values come from: the operating system live, a seed in simulation."""

    def uuid(self) -> str:
        """Return a new UUID as 36 lower-case characters without braces."""
        ...

    def below(self, limit: int) -> int:
        """Return a number from 0 to limit - 1, all equally likely. `limit` is at least 1."""
        ...


class NoChance:
    """The default: refuses to draw, so that nothing predictable is ever taken for random."""

    def uuid(self) -> str:
        raise ExpressionError("no source of random values is at hand")

    def below(self, limit: int) -> int:
        raise ExpressionError(f"no source of random values below {limit} is at hand")


class FixedChance:
    """Chance without chance: counts instead of drawing. For tests and previews only."""

    def __init__(self, start: int = 0) -> None:
        self._drawn = start

    def uuid(self) -> str:
        digits = f"{self.below(1 << 48):012x}"
        return f"00000000-0000-4000-8000-{digits}"

    def below(self, limit: int) -> int:
        self._drawn += 1
        return self._drawn % limit


@dataclass(frozen=True, slots=True)
class Context:
    """The world as one evaluation sees it. `now` is frozen for the whole cycle."""

    now: datetime
    default_domain: str = ""
    """The tenant's own domain; "" where it has none, which DefaultDomain() refuses."""
    chance: Chance = field(default_factory=NoChance)

    def __post_init__(self) -> None:
        now = self.now if self.now.tzinfo is not None else self.now.replace(tzinfo=UTC)
        object.__setattr__(self, "now", now.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Values for one target attribute, best first; the first that the target lacks is used.

    Each step of an iteration evaluates one more rule, so that nothing is computed in vain; it may
    therefore raise ExpressionError. Rules without a value are left out.
    """

    values: Iterable[Value]


Answer: TypeAlias = Value | Flow | Candidates | None
"""A value, none, or an effect that the engine carries out."""
