"""A plan writes nothing; carrying it out writes what it says and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.model.cycles import Cycle
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Delete,
    ReferencesChange,
    StandingKey,
    TargetChange,
    Update,
    Write,
)
from provisor.model.entries import Anchor, Reference, Value
from provisor.model.plans import Plan, PlanStep
from provisor.planner.diff import as_set
from provisor.ports import RecordQuery
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.histories import EDITS, PLAIN_STEPS, Edit, Step, prepare, take, worlds
from tests.simulation.world import World

MEDDLING = st.lists(
    st.tuples(st.sampled_from(["delete", "rename", "retitle"]), st.integers(0, 5)), max_size=2
)
Values: TypeAlias = frozenset[tuple[str, str]]
Told: TypeAlias = tuple[StandingKey, bool, bool, Values]
"""A write: whom it is about, if it is about references, if it deletes, and what it says."""
NameOf: TypeAlias = Callable[[Reference], Anchor]


def values(changes: Iterable[TargetChange], name_of: NameOf) -> Values:
    """Return what changes say, with people by their anchors in the source."""
    said: set[tuple[str, str]] = set()
    for change in changes:
        match change:
            case AttributeChange(name, _, after):
                said.add((name, _value(after, name_of)))
            case ReferencesChange(name, added, removed):
                said |= {(name, f"+{name_of(r)}") for r in added}
                said |= {(name, f"-{name_of(r)}") for r in removed}
    return frozenset(said)


def _value(value: Value | None, name_of: NameOf) -> str:
    return name_of(value) if isinstance(value, Reference) else repr(value)


def told(write: Write, answer: Anchor | None, owners: dict[Anchor, StandingKey]) -> Told:
    def name_of(reference: Reference) -> Anchor:
        owner = owners.get(reference.anchor)
        return owner.anchor if owner else reference.anchor  # nobody's any more

    match write:
        case Create(_, attributes, _):
            assert answer is not None
            changes = without_references(AttributeChange(n, None, v) for n, v in attributes.items())
            return owners[answer], False, False, values(changes, name_of)
        case Update(_, anchor, changes, _):
            are_references = all(_is_reference(c) for c in changes)
            said = changes if are_references else without_references(changes)
            return owners[anchor], are_references, False, values(said, name_of)
        case Delete(_, anchor):
            return owners[anchor], False, True, frozenset()


def _is_reference(change: TargetChange) -> bool:
    if isinstance(change, ReferencesChange):
        return True
    return bool(as_set(change.before) | as_set(change.after)) or change.name == "manager"


def without_references(changes: Iterable[TargetChange]) -> list[TargetChange]:
    """A write carries whom it can point at by then; the others follow in the second pass."""
    return [c for c in changes if not _is_reference(c)]


def _counted(step: PlanStep) -> Iterable[TargetChange]:
    return step.changes if step.is_reference_pass else without_references(step.changes)


def promised(plan: Plan) -> list[Told]:
    def name_of(reference: Reference) -> Anchor:
        return reference.anchor

    return [
        (s.key, s.is_reference_pass, s.action is Action.DELETE, values(_counted(s), name_of))
        for s in plan.steps
        if s.action is not Action.STAGED_DELETE
    ]


async def carry_out(world: World, plan: Plan | None) -> tuple[Cycle, list[Told]]:
    """Run a cycle, under a plan or without; return what was written in it."""
    before = world.governors()
    world.target.forget()
    cycle = await world.run(plan=plan)
    assert cycle is not None
    owners = {**before, **world.governors(), **dict(world.claimed)}
    return cycle, [told(w, a.anchor, owners) for w, a in world.target.acknowledged]


async def make(world: World) -> Plan:
    """Make a plan, and see that nothing came of it."""
    content, entries = world.memory.content(), dict(world.directory.entries)
    plan = await world.plan()
    assert world.memory.content() == content, "planning wrote to the store"
    assert world.directory.entries == entries, "planning wrote to the target"
    return plan


@pytest.mark.parametrize("store", STORES)
@given(world=worlds(), steps=PLAIN_STEPS, is_applied=st.booleans())
def test_a_plan_says_exactly_what_the_next_cycle_writes(
    store: StoreName, world: World, steps: list[Step], is_applied: bool
) -> None:
    world.play(store, lambda world: _foresee(world, steps, is_applied))


async def _foresee(world: World, steps: Sequence[Step], is_applied: bool) -> None:
    *history, last = steps
    for step in history:
        await take(world, step)
    await prepare(world, last)
    plan = await make(world)

    cycle, written = await carry_out(world, plan if is_applied else None)

    if _contested(world):
        return
    assert Counter(written) == Counter(promised(plan))
    if world.parallel_max == 1 and not cycle.counts.failed:
        assert written == promised(plan)


def _contested(world: World) -> bool:
    """True where somebody was refused: a target tells of some things only when it is written to."""
    return any(s.escrow or s.references_escrow for s in world.standings.values())


@pytest.mark.parametrize("store", STORES)
@given(world=worlds(), steps=PLAIN_STEPS, drift=EDITS, meddling=MEDDLING)
def test_nothing_is_written_that_was_not_planned(
    store: StoreName,
    world: World,
    steps: list[Step],
    drift: tuple[Edit, ...],
    meddling: list[tuple[str, int]],
) -> None:
    """Source and target may change between plan and deed: what differs is left out, by name."""
    world.play(store, lambda world: _apply(world, steps, drift, meddling))


async def _apply(
    world: World,
    steps: Sequence[Step],
    drift: Sequence[Edit],
    meddling: Sequence[tuple[str, int]],
) -> None:
    *history, last = steps
    for step in history:
        await take(world, step)
    await prepare(world, last)
    plan = await make(world)
    for edit in drift:
        world.edit(*edit)
    for deed in meddling:
        world.meddle(*deed)

    cycle, written = await carry_out(world, plan)

    extra = Counter(written) - Counter(promised(plan))
    assert not extra, f"written, and not planned: {extra}"
    logged = await _logged(world, cycle)
    done = {(key, are_references) for key, are_references, *_ in written}
    for step in plan.steps:
        is_named = (step.key, step.is_reference_pass) in done or step.key in logged
        assert is_named or is_at_rest(world, step), f"dropped without a word: {step}"


def is_at_rest(world: World, step: PlanStep) -> bool:
    """True where a step has nothing to do any more: the target says already what it should."""
    standing = world.standings.get(step.key)
    if standing is None:
        return True
    if step.is_reference_pass:
        return standing.references_settled == standing.references_seen
    return standing.settled == standing.seen and standing.escrow is None


async def _logged(world: World, cycle: Cycle) -> set[StandingKey]:
    found = await world.memory.ledger.records(RecordQuery(job=JOB, cycle=cycle.id, limit=1000))
    return {record.key for _, _, record in found if record.code}
