"""Which departures are due, and which of them may go on: weighed together before any is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from provisor.engine.references import RECALLED
from provisor.engine.work import Tally, Work
from provisor.model.decisions import Action, Staged, Standing, StandingKey
from provisor.model.frozen import replace
from provisor.model.rules import MappingName
from provisor.planner.decide import announce, staged
from provisor.planner.leave import departure
from provisor.planner.record import record_of
from provisor.planner.weigh import Weighed, weigh, window_began
from provisor.ports import Journal


def action_of(work: Work, standing: Standing) -> Action:
    found = departure(work.of(standing.key), standing)
    return found.action if found else Action.OTHER


async def weigh_departures(work: Work, now: datetime, *, is_new_view: bool) -> Weighed:
    """Decide which departures may go on, and stage the others, before anything is sent."""
    departures = await _departures(work, now)
    departed, governed = await departed_and_governed(work.ports.journal, work.terms, now)
    limits = work.mandate.policy.guards.departures
    weighed = weigh(departures, departed, governed, limits, holds_all=is_new_view)
    await work.ports.journal.stage({s.key: s.seen for s in weighed.held}, now)
    return weighed


async def departed_and_governed(
    journal: Journal, names: Collection[MappingName], now: datetime
) -> tuple[set[StandingKey], Counter[MappingName]]:
    """Return who has left within the window, and how many were governed at its beginning."""
    since = window_began(await journal.staged_since(), now)
    departed = {k for k in await journal.departed(since) if k.mapping in names}
    governs = await journal.governed()
    governed = Counter({name: governs.get(name, 0) for name in names})
    governed.update(k.mapping for k in departed - set(await journal.anchors(departed)))
    return departed, governed


async def _departures(work: Work, now: datetime) -> list[Standing]:
    # Those who were let go before leave anew with deleteReleased: they are weighed like others.
    journal, reaches_released = work.ports.journal, work.mandate.policy.deletes_released
    due = await (journal.due(now) if reaches_released else journal.due_departures(now))
    keys = [k for k in due if k.mapping in work.terms]
    found: list[Standing] = []
    for first in range(0, len(keys), RECALLED):
        for standing in await work.ports.journal.recall(keys[first : first + RECALLED]):
            if departure(work.of(standing.key), standing) is not None:
                found.append(_let(work, standing))
    return found


def _let(work: Work, standing: Standing) -> Standing:
    """Take a departure for approved that was approved with the plan which is carried out."""
    if not work.gate.approves(work, standing):
        return standing
    at = standing.staged.at if standing.staged else work.ports.clock.now()
    return replace(standing, staged=Staged(at, standing.seen, is_approved=True))


async def announce_staged(work: Work, held: Iterable[Standing], tally: Tally) -> None:
    """Log what is held, so that an administrator sees whom an approval would remove."""
    for standing in held:
        terms = work.of(standing.key)
        decision = staged(announce(terms, standing))
        now = work.ports.clock.now()
        record = record_of(
            terms, standing, decision, None, cycle=work.cycle, began=tally.began, ended=now
        )
        await work.ports.journal.record(record)
        await work.gate.announce(work, standing, decision)
