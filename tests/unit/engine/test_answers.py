"""An answer that cannot be right is one object's trouble, not the job's."""

from __future__ import annotations

from provisor.connectors.memory import MemoryTarget
from provisor.model.cycles import CycleResult
from provisor.model.decisions import Create, Exported, Write
from tests.simulation.world import World


class Forgetful(MemoryTarget):
    """Answers every create of a user with the first user it has."""

    async def export(self, write: Write) -> Exported:
        first = next((a for a, e in self.entries.items() if e.kind == "User"), None)
        if isinstance(write, Create) and write.kind == "User" and first is not None:
            return Exported(first)
        return await super().export(write)


def test_a_create_that_is_answered_with_anothers_object_is_escrowed_and_the_rest_goes_on() -> None:
    world = World()
    world.target.inner = Forgetful()
    world.person("a")

    world.play("memory", _run_and_check)


async def _run_and_check(world: World) -> None:
    cycle = await world.run()

    assert cycle is not None
    assert cycle.result is CycleResult.ENTRY_LEVEL_ERRORS
    assert cycle.entry_error == "DuplicateSourceEntries"
    assert cycle.counts.exported == 2  # the first user, and the group
    world.check_links()
