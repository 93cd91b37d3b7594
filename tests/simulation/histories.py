"""What happens to an organisation, for Hypothesis to choose from.

Short histories, many of them, one death at a chosen write: wide random ones hide defects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from provisor.errors import Rejected, Stale, Throttled, Unanswered, Unreachable
from provisor.model.jobs import ResetScope
from provisor.model.rules import Guards, Policy, TargetReads
from tests.simulation.faults import CALM, NEVER, Crash, Fault, Mishaps
from tests.simulation.rules import NO_GUARDS, VERSIONS
from tests.simulation.world import PEOPLE, World

Edit = tuple[str, str, int]
DEEDS = (
    "join",
    "rename",
    "marry",
    "usurp",
    "usurp",
    "reclaim",
    "rename",
    "garble",
    "transfer",
    "disable",
    "leave",
    "report",
    "group",
    "disband",
)
SCOPES = (
    ResetScope.NONE,
    ResetScope.WATERMARK,
    ResetScope.QUARANTINE_STATE,
    ResetScope.CONNECTOR_DATA_STORE,
    ResetScope.WATERMARK | ResetScope.ESCROWS,
    ResetScope.FULL,
)
"""Not `Escrows` alone: what it forgets is not tried again by itself (spec: behaviour 15)."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something happens, and a cycle runs."""

    edits: tuple[Edit, ...] = ()
    mishaps: Mishaps = CALM
    hours: int = 0
    """So long after the cycle before."""
    restart: ResetScope | None = None
    version: int | None = None
    """Of the rules, from here on."""
    reconciles: bool = False
    forgets_watermark: bool = False
    """The source does, and is read in full."""


def throttled() -> Throttled:
    return Throttled(5)


def mostly(
    usual: st.SearchStrategy[Fault], *rare: st.SearchStrategy[Fault]
) -> st.SearchStrategy[Fault]:
    return st.one_of(usual, usual, *rare)


def tupled(strategy: st.SearchStrategy[list[Fault]]) -> st.SearchStrategy[tuple[Fault, ...]]:
    return strategy.map(tuple)


def fault(
    when: tuple[str, ...], what: tuple[Callable[[], BaseException], ...]
) -> st.SearchStrategy[Fault]:
    return st.tuples(st.sampled_from(when), st.sampled_from(what))


FAULTS = tupled(
    st.lists(
        mostly(
            st.just(NEVER),
            fault(("after",), (Unanswered, Unreachable)),
            fault(("before", "after"), (Unanswered, Crash)),
            fault(("before",), (throttled, Rejected, Stale, Unreachable)),
            st.just(("twice", Crash)),
        ),
        max_size=6,
    )
)
READ_FAULTS = tupled(
    st.lists(
        mostly(
            st.just(NEVER),
            st.just(NEVER),
            fault(("before",), (Unreachable, Crash, Rejected, Unanswered, throttled)),
        ),
        max_size=4,
    )
)
DEATHS = st.one_of(st.just(0), st.integers(0, 60))
PAUSES = st.one_of(st.just(0), st.just(0), st.integers(1, 8))
SOURCE_FAULTS = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.integers(0, 4), st.sampled_from([Unreachable, Unreachable, Crash])),
)
STATEMENTS = st.one_of(
    st.just((0, "")),
    st.tuples(st.integers(1, 400), st.sampled_from(["dies", "dies after", "fails"])),
)
EDITS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(DEEDS), st.integers(0, 3)), max_size=6
).map(tuple)
MISHAPS = st.builds(
    Mishaps,
    faults=FAULTS,
    read_faults=READ_FAULTS,
    source=SOURCE_FAULTS,
    dies_at=DEATHS,
    statement=STATEMENTS,
    pauses_at=PAUSES,
)
HOURS = st.sampled_from([0, 0, 0, 1, 7, 25])
STEPS = st.lists(
    st.builds(
        Step,
        edits=EDITS,
        mishaps=MISHAPS,
        hours=HOURS,
        restart=st.one_of(st.none(), st.none(), st.none(), st.sampled_from(SCOPES)),
        version=st.one_of(st.none(), st.none(), st.none(), st.integers(0, VERSIONS - 1)),
        reconciles=st.sampled_from([False, False, False, True]),
        forgets_watermark=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=8,
)
PLAIN_STEPS = st.lists(
    st.builds(
        Step,
        edits=EDITS,
        mishaps=st.builds(Mishaps, faults=FAULTS, read_faults=READ_FAULTS, dies_at=DEATHS),
    ),
    min_size=1,
    max_size=8,
)
"""The core: edits, failing writes and reads, a death. Fewer choices find more in the same time."""


def worlds(*choices: Policy, guards: Guards = NO_GUARDS) -> st.SearchStrategy[World]:
    """Organisations of every make. Of each history they are new: nothing is shared."""
    policies = st.sampled_from(choices or (Policy(),))
    return st.builds(
        World,
        seed=st.integers(0, 1000),
        parallel_max=st.sampled_from([1, 3]),
        disables=st.booleans(),
        has_changes=st.booleans(),
        has_versions=st.booleans(),
        lists=st.booleans(),
        target_reads=st.sampled_from(
            [TargetReads.IN_DOUBT, TargetReads.IN_DOUBT, TargetReads.ALWAYS]
        ),
        policy=policies,
        guards=st.just(guards),
    )


async def take(world: World, step: Step) -> None:
    """Let a step happen, without looking at what came of it."""
    await prepare(world, step)
    await world.run(step.mishaps, reconciles=step.reconciles)


async def prepare(world: World, step: Step) -> None:
    """Let everything of a step happen but its cycle."""
    await world.clock.sleep(step.hours * 3600)
    for edit in step.edits:
        world.edit(*edit)
    if step.version is not None:
        world.version = step.version
    if step.forgets_watermark:
        world.source.forget_changes()
    if step.restart is not None:
        await world.restart(step.restart)
