"""The leavers' lane: whoever is to leave while a long cycle runs does not wait for its end.

Between two objects the source is asked now and then what is new. It is an ordinary import; what it
brings is due like anything else. Departures are weighed with those of the whole cycle before one is
sent; disables go at once, deletes in their place at the end, and whoever else is new after those
who were there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from provisor.engine.departures import action_of, announce_staged, weigh_departures
from provisor.engine.imports import import_changes
from provisor.engine.work import Open, Tally, Work
from provisor.errors import OBJECT_FAILURES, Denied, Unreachable
from provisor.model.decisions import Action, StandingKey

EVERY = timedelta(seconds=1.5)
SHARE = 20
"""Looking takes at most one part in so many of a cycle's time, however slow the source is."""


@dataclass(slots=True)
class Lane:
    """What leaves in one cycle, and when to look who else does."""

    work: Work
    tally: Tally
    is_new_view: bool
    """Nobody departs: what is seen of the source is another part of it than before."""
    deletes: list[StandingKey] = field(default_factory=list[StandingKey])
    """Who is to be deleted at the end."""
    aside: set[StandingKey] = field(default_factory=set[StandingKey])
    """Who is carried through by this lane, or held: nobody else may touch them."""
    held: set[StandingKey] = field(default_factory=set[StandingKey])
    """Who would depart, and is kept: too many would."""
    has_news: bool = False
    _is_begun: bool = False
    """Somebody was carried through since the source was asked last."""
    _again_at: datetime | None = None
    """Nothing is looked for before; None until the first object was carried through."""

    async def weigh(self, now: datetime) -> list[StandingKey]:
        """Decide on all departures that are due; return who is to be disabled now."""
        weighed = await weigh_departures(self.work, now, is_new_view=self.is_new_view)
        self.tally.halt = self.tally.halt or weighed.halt
        new = [standing for standing in weighed.held if standing.key not in self.held]
        await announce_staged(self.work, new, self.tally)
        self.held = {standing.key for standing in weighed.held}
        actions = {s.key: action_of(self.work, s) for s in weighed.leaving}
        known = set(self.deletes)
        self.deletes += [k for k, a in actions.items() if a is Action.DELETE and k not in known]
        self.deletes = [key for key in self.deletes if key not in self.held]
        self.aside |= self.held | actions.keys()
        return [key for key, action in actions.items() if action is Action.DISABLE]

    def is_time(self) -> bool:
        """True when the source is to be asked again; at least one object goes between two times.

        A plan is carried out as it was planned.
        """
        now = self.work.ports.clock.now()
        if self._again_at is None:
            self._again_at = now + EVERY
        is_first, self._is_begun = not self._is_begun, True
        return not is_first and now >= self._again_at and isinstance(self.work.gate, Open)

    async def look(self, since: datetime | None = None) -> Sequence[StandingKey]:
        """Ask the source what is new; return who is to be disabled for it. `since`: when others
        were asked to stop for it, which is part of what looking costs.

        A read that fails is left to the next cycle, which does it again and tells of it.
        """
        ports, began = self.work.ports, self.work.ports.clock.now()
        before = await ports.journal.watermark()
        read = Tally(began=began)
        disables: Sequence[StandingKey] = ()
        if before is not None:  # else a read of the whole has just failed, or it is all there is
            with suppress(*OBJECT_FAILURES, Unreachable, Denied):
                await import_changes(self.work, read)
            self.tally.errors.update(read.errors)
            if await ports.journal.watermark() != before:
                self.has_news = True
                disables = await self.weigh(began)
        now = ports.clock.now()
        self._is_begun = False
        self._again_at = now + max(EVERY, SHARE * (now - (since or began)))
        return disables
