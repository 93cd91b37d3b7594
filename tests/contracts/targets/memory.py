"""The target in memory, which simulations stand on, keeps the same promises."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from provisor.connectors.memory import MemoryTarget
from provisor.model.entries import Anchor, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.testing.world import Model, Recipe, Trouble, World

D = AttributeDefinition
SAMPLES: Mapping[str, tuple[Value, Value]] = {
    "displayName": ("Ada", "Ada Łukasińska"),
    "rank": (1, 2),
    "active": (True, False),
    "badge": (b"\x00\xff", b"other"),
    "tags": (("red", "green"), ("green", "blue")),
}
MODEL = Model(
    definitions={
        "User": (
            D(name="userName"),
            *(D(name=name) for name in SAMPLES),
            D(name="manager", type=AttributeType.REFERENCE, refers_to=("User",)),
        ),
        "Group": (
            D(name="displayName"),
            D(name="members", type=AttributeType.REFERENCE, is_multivalued=True),
        ),
    },
    manager="manager",
    samples=SAMPLES,
)


@dataclass(kw_only=True)
class MemoryWorld:
    target: MemoryTarget
    model: Model = field(default_factory=lambda: MODEL)
    troubles: frozenset[Trouble] = frozenset()
    tells_totals: bool = True

    async def members(self, group: Anchor) -> set[Anchor]:
        held = self.target.entries[group].attributes.get("members", ())
        values = held if isinstance(held, tuple) else (held,)
        return {value.anchor for value in values if isinstance(value, Reference)}

    async def writes(self) -> int | None:
        return None

    async def befall(self, trouble: Trouble) -> None:
        raise NotImplementedError(trouble)


@asynccontextmanager
async def memory(target: MemoryTarget, *, tells_totals: bool = True) -> AsyncGenerator[World]:
    yield MemoryWorld(target=target, tells_totals=tells_totals)


def _recipe(make: Callable[[], MemoryTarget]) -> Recipe:
    def open_world() -> AbstractAsyncContextManager[World]:
        return memory(make())

    return open_world


RECIPES: Mapping[str, Recipe] = {
    "memory": _recipe(MemoryTarget),
    "memory-versions": _recipe(lambda: MemoryTarget(has_versions=True, answers_with_object=True)),
    "memory-pages-of-three": _recipe(lambda: MemoryTarget(page_size=3)),
}
