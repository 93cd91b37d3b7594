"""One cycle on many workers: shares of a wave, those who lead it, and those who have a seat at it.

Who has the job leads: it alone reads the source, weighs departures and decides in which order all
goes. A share is a range of anchors of one object mapping. Whoever has a seat takes one share after
the other; each of its transactions holds only while both the job and the share are as they were
when it took the share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, MatchQuery
from provisor.model.rules import MappingName
from provisor.ports.journal import Journal

SEAT = "#"
"""Stands behind a job's id in the names of the leases that those with a seat have."""


def seats_of(job: str) -> str:
    """Return how the names of those leases begin."""
    return f"{job}{SEAT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What everybody who works at a cycle must see alike."""

    cycle: str
    at: datetime
    """The time at which the clock of expressions stands."""
    due: datetime
    """Who is due by then is to be carried through."""
    rules: str
    """What the rules and the policy in force are known by."""
    listed: frozenset[str] = frozenset()
    """Kinds of which the target has listed every object."""


@dataclass(frozen=True, slots=True)
class Share:
    """Objects of one mapping that somebody carries through, in the order of their anchors."""

    number: int
    turn: int
    """How often it was taken, or taken away."""
    mapping: MappingName
    anchors: tuple[Anchor, ...]

    @property
    def keys(self) -> tuple[StandingKey, ...]:
        """Return whose standings these are, in the order of their anchors."""
        return tuple(StandingKey(self.mapping, anchor) for anchor in self.anchors)


class Word(StrEnum):
    """What those at the table are told."""

    WORK = "work"
    REST = "rest"
    """Give back what you have, and wait."""
    GO = "go"
    """The cycle is led no longer, or by somebody else."""


@dataclass(frozen=True, slots=True)
class Said:
    """What those with a seat are told, and how many they are."""

    word: Word
    seats: int
    """So many have a seat, and divide what the target bears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """How far all shares are together."""

    at_work: int
    """Shares that somebody has."""
    left: int
    """Shares that are not over."""
    done: int
    """Objects carried through since the cycle was shared out."""
    failed: Mapping[str, int]
    """Those of them that are in escrow, by code."""
    seats: int


class Shares(Protocol):
    """How the one who has the job shares a cycle out. Each raises Fenced and StoreFailed."""

    async def open(self, brief: Brief, objects: int) -> bool:
        """Begin to share out; False where there is too little to do, or nobody to do it with."""
        ...

    async def cut(self, mapping: MappingName, parts: Sequence[Sequence[Anchor]]) -> None:
        """Lay down shares: of each part the anchors, in order."""
        ...

    async def rest(self) -> None:
        """Return once nobody is at work."""
        ...

    async def resume(self, *, forgets_listing: bool) -> None:
        """Let them work again; with `forgets_listing` nobody trusts what was listed any more."""
        ...

    async def look(self) -> Progressed:
        """Take shares away from the dead, and tell how far all are. Raises what ended our own
        work at the shares."""
        ...

    async def close(self) -> None:
        """Share out no longer: once this returns nobody else writes for the job."""
        ...


class Seat(Protocol):
    """A place at a cycle that somebody else leads, or we do. Each raises Fenced, StoreFailed."""

    @property
    def journal(self) -> Journal:
        """Return the job's journal, for steps of the objects in the share that we have."""
        ...

    def ends(self) -> datetime:
        """Return when others may have our share."""
        ...

    async def brief(self) -> Brief:
        """Return what all must see alike. Raises Fenced once the job is led no longer."""
        ...

    async def said(self) -> Said:
        """Return what we are to do: to go, too, where whoever leads has lost the job."""
        ...

    async def take(self) -> Share | None:
        """Take the next share; None where there is none to take just now."""
        ...

    async def due(self, share: Share, now: datetime) -> Sequence[StandingKey]:
        """Return who of a share is still to be carried through."""
        ...

    def tell(self, queries: Iterable[MatchQuery]) -> None:
        """Have everybody know, with the next step, that the target answers these otherwise than it
        was listed."""
        ...

    async def give_back(self, share: Share, failed: Mapping[str, int], *, is_over: bool) -> None:
        """Let others have it, or nobody any more."""
        ...

    def leave(self) -> None:
        """Have no seat any longer."""
        ...


class Sharing(Protocol):
    """A store whose cycles may be shared out."""

    def lead(self, journal: Journal) -> Led:
        """Return the shares of a job, for who has opened its journal."""
        ...

    async def sit(self, job: str, leader: str) -> Seat | None:
        """Take a seat; `leader` names the lease of whoever leads. None where the job is not shared
        out just now. Raises StoreFailed."""
        ...


class Led(Protocol):
    """What the store keeps of a cycle that is shared out. Only who has the job asks."""

    async def open(self, brief: Brief) -> None:
        """Let others take seats; what was laid down before counts no longer."""
        ...

    async def cut(self, mapping: MappingName, parts: Sequence[Sequence[Anchor]]) -> None:
        """Lay down shares: of each part the anchors, in order."""
        ...

    async def say(self, word: Word) -> None:
        """Tell those with a seat what to do from now on."""
        ...

    async def forget_listing(self) -> None:
        """Have shares that are taken from now on be carried through without what was listed."""
        ...

    async def look(self) -> Progressed:
        """Take shares away from those whose leases have ended, and tell how far all are."""
        ...

    async def close(self) -> None:
        """End it: whoever still has a share is fenced."""
        ...
