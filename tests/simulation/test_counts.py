"""The numbers of a cycle and of its job are what the ledger, the journal and the target say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import pytest
from hypothesis import given

from provisor.model.cycles import Cycle, CycleKind, CycleResult
from provisor.model.decisions import Create, Record, Standing, StandingKey, Verdict
from provisor.model.entries import NO_ATTRIBUTES, Anchor, Entry, EntryKey, Seen, Watermark
from provisor.model.jobs import Status, StatusCode
from provisor.planner.diff import as_set
from provisor.planner.status import UNREACHABLE_CODES
from provisor.ports import RecordQuery
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.histories import STEPS, Step, prepare, worlds
from tests.simulation.rules import STRICT
from tests.simulation.world import World, source_key

Known = dict[StandingKey, Standing]


@pytest.mark.parametrize("store", STORES)
@given(world=worlds(), steps=STEPS)
def test_a_recount_gives_the_same_numbers(
    store: StoreName, world: World, steps: list[Step]
) -> None:
    world.play(store, lambda world: _count(world, steps))


@pytest.mark.parametrize("store", STORES)
@given(world=worlds(guards=STRICT), steps=STEPS)
def test_a_recount_gives_the_same_numbers_while_departures_are_held(
    store: StoreName, world: World, steps: list[Step]
) -> None:
    world.play(store, lambda world: _count(world, steps))


async def _count(world: World, steps: Sequence[Step]) -> None:
    await world.start()
    for step in steps:
        await prepare(world, step)
        before, known = await world.status(), dict(world.standings)
        world.target.forget()
        cycle = await world.run(step.mishaps, reconciles=step.reconciles)
        records = await _records(world)
        check_told(world, records, known)
        if cycle is None:
            continue
        after = await world.status()
        check_counts(world, cycle, records)
        check_target(world, records, known)
        check_status(before, after, cycle)
        check_nothing_dropped(world, await _watermark(world), cycle)


async def _records(world: World) -> list[Record]:
    """Return what the latest cycle has logged, also if it died."""
    query = RecordQuery(job=JOB, cycle=f"cycle {world.cycles}", limit=10_000)
    return [record for _, _, record in await world.memory.ledger.records(query)]


async def _watermark(world: World) -> Watermark | None:
    journal = await world.memory.registry.view_journal(JOB)
    watermark = await journal.watermark()
    world.memory.abandon(journal)
    return watermark


# a recount


def check_counts(world: World, cycle: Cycle, records: Sequence[Record]) -> None:
    counts, standings = cycle.counts, list(world.standings.values())
    assert counts.exports == len({r.key for r in records if r.is_export_due})
    assert counts.exported == len({r.key for r in records if r.is_exported})
    assert counts.failed == len({r.key for r in records if r.verdict is Verdict.FAILURE})
    assert counts.entitled == len({r.key for r in records if r.facts.is_entitled})
    escrows = [e for s in standings for e in (s.escrow, s.references_escrow) if e is not None]
    assert counts.escrowed == counts.escrowed_raw == len(escrows)
    assert counts.escrowed_references == sum(s.references_escrow is not None for s in standings)
    assert counts.staged == sum(_is_staged(s) for s in standings)
    assert counts.unsettled == sum(_is_left_over(s) for s in standings)
    if cycle.kind is CycleKind.INITIAL and cycle.error is None:
        assert counts.imported >= len(world.source.entries)
    has_failed = bool(counts.failed)
    if cycle.error is None:
        result = CycleResult.ENTRY_LEVEL_ERRORS if has_failed else CycleResult.SUCCEEDED
        assert cycle.result is result
    else:
        assert cycle.result is CycleResult.FAILED


def _is_staged(standing: Standing) -> bool:
    staged = standing.staged
    return staged is not None and not (staged.is_approved and staged.seen == standing.seen)


def _is_left_over(standing: Standing) -> bool:
    is_open = standing.seen != standing.settled
    if is_open and standing.escrow is None and not _is_staged(standing):
        return True
    is_managed = standing.link is not None and standing.link.state == "managed"
    attributes = standing.source.attributes if standing.source else NO_ATTRIBUTES
    is_pointing = any(as_set(value) for value in attributes.values())
    is_pointing |= any(span.possible for span in standing.referred.values())
    are_open = standing.references_seen != standing.references_settled
    return is_managed and is_pointing and are_open and standing.references_escrow is None


# the target's own word


def check_target(world: World, records: Sequence[Record], known: Known) -> None:
    """Each object that the target acknowledged counts once; one that was only looked at after an
    answer was lost counts too."""
    owners: dict[Anchor, set[StandingKey]] = {}
    linked = [(s.link.target, s.key) for s in known.values() if s.link is not None]
    for anchor, key in [*linked, *world.governors().items(), *world.claimed]:
        owners.setdefault(anchor, set()).add(key)
    exported = {r.key for r in records if r.is_exported}
    for write, answer in world.target.acknowledged:
        anchor = answer.anchor if isinstance(write, Create) else write.anchor
        assert anchor is not None
        assert exported & owners.get(anchor, set()), f"acknowledged, and not counted: {write}"
    made = list(world.directory.entries)
    changed = [w.anchor for w in world.target.done if not isinstance(w, Create)]
    may_be = set[StandingKey]().union(*(owners.get(anchor, set()) for anchor in made + changed))
    assert exported <= may_be, "counted, and never done"


# the status


def check_status(before: Status, after: Status, cycle: Cycle) -> None:
    """Say once more, in other words, what a cycle makes of a job's status."""
    counts, is_failed = cycle.counts, cycle.result is CycleResult.FAILED
    nothing_left = not (counts.staged or counts.unsettled)
    is_steady = not is_failed and cycle.halt is None and nothing_left
    assert (after.steady_state_last == cycle.ended) >= is_steady
    if not is_steady:
        assert after.steady_state_last == before.steady_state_last
    first = before.steady_state_first or (cycle.ended if is_steady else None)
    assert after.steady_state_first == first
    assert after.last == cycle
    is_clean = cycle.result is CycleResult.SUCCEEDED and nothing_left and not counts.escrowed
    assert (after.last_successful == cycle) == is_clean
    assert (after.last_successful_with_exports == cycle) == (is_clean and counts.exported > 0)
    if cycle.is_cut_short:  # it proves nothing; one whose process died before it was a failure
        died = after.successive_failures - before.successive_failures
        assert died in (0, 1)
    else:
        assert (after.successive_failures > 0) == is_failed
    check_quarantine(before, after, cycle)


def check_quarantine(before: Status, after: Status, cycle: Cycle) -> None:
    is_third = after.successive_unreachable >= 3 and cycle.error is not None
    is_unreachable = cycle.error is not None and cycle.error.code in UNREACHABLE_CODES
    is_imposed = cycle.halt is not None or (is_third and is_unreachable)
    is_kept = before.quarantine is not None and cycle.result is CycleResult.FAILED
    assert (after.code is StatusCode.QUARANTINE) == (is_imposed or is_kept)
    assert (after.quarantine is not None) == (after.code is StatusCode.QUARANTINE)
    if after.quarantine is not None:
        count = before.quarantine.series_count if before.quarantine else 0
        assert after.quarantine.series_count == count + 1
        assert _is_later(after.quarantine.next_attempt, cycle.ended)


def _is_later(at: datetime, than: datetime) -> bool:
    return at > than


# nothing is dropped


def check_nothing_dropped(
    world: World,
    watermark: Watermark | None,
    cycle: Cycle,
) -> None:
    """What the watermark has passed is remembered."""
    remembered = {source_key(s.key): s for s in world.standings.values()}
    for key, entry in read_up_to(world, watermark).items():
        standing = remembered.get(key)
        if entry is None:
            assert standing is None or standing.absence is not None, f"{key} went unnoticed"
        else:
            assert standing is not None, f"{key} was never remembered"
            assert standing.source == entry, f"{key} changed unnoticed"
            assert standing.absence is None
    if cycle.result is not CycleResult.FAILED and cycle.reaches_steady_state:
        for key, standing in world.standings.items():
            assert standing.settled == standing.seen or standing.escrow, f"{key} is open"


def check_told(world: World, records: Collection[Record], known: Known) -> None:
    """What counts as settled has its reason in the ledger, also where the process died."""
    told = {r.key for r in records if r.is_exported or r.code or r.verdict is Verdict.FAILURE}
    for key, standing in world.standings.items():
        old = known.get(key)
        if standing.settled != (old.settled if old else 0):
            assert key in told, f"{key} was settled without a word"


def read_up_to(world: World, watermark: Watermark | None) -> dict[EntryKey, Entry | None]:
    """Return what the source has said up to a watermark; None: gone."""
    said: dict[EntryKey, Entry | None] = {}
    for change in world.said_up_to(watermark):
        match change:
            case Seen(entry):
                said[EntryKey(entry.kind, entry.anchor)] = entry
            case _:
                said[change.key] = None
    return said
