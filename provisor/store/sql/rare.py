"""What hardly any job has: somebody staged, claimed, absent, or just gone.

That there is nobody is asked once, by who has the job: he alone can make it otherwise.
"""

from __future__ import annotations

from enum import Flag, auto

from provisor.model.decisions import LinkState, Standing
from provisor.model.entries import Absence
from provisor.store.sql.database import Connection


class Rare(Flag):
    STAGED = auto()
    """A departure waits for an approval, or was approved and is to go on."""
    REFERENCES_STAGED = auto()
    CLAIMED = auto()
    """A target object is kept for somebody, after a restart."""
    ABSENT = auto()
    DEPARTED = auto()
    """Somebody has left, in this mapping or in one that is no longer there."""


NOTHING, EVERYTHING = Rare(0), ~Rare(0)
CONDITIONS = {
    Rare.STAGED: "staged_at IS NOT NULL",
    Rare.REFERENCES_STAGED: "references_staged_at IS NOT NULL",
    Rare.CLAIMED: "target IS NOT NULL AND state = 'claimed'",
    Rare.ABSENT: "absence = 'absent'",
}


def find_rare(connection: Connection, job: int, mappings: tuple[int, ...]) -> Rare:
    """Return what there is; given are the numbers of the job and of its mappings."""
    if not mappings:
        return EVERYTHING
    places = ", ".join("?" for _ in mappings)
    asked = ", ".join(
        f"EXISTS (SELECT 1 FROM standing WHERE mapping IN ({places}) AND {condition})"  # noqa: S608
        for condition in CONDITIONS.values()
    )
    *found, is_any_gone = connection.execute(
        f"SELECT {asked}, EXISTS (SELECT 1 FROM departure WHERE job = ?)",  # noqa: S608
        (*mappings * len(CONDITIONS), job),
    ).fetchone()
    there = Rare.DEPARTED if is_any_gone else NOTHING
    for what, is_there in zip(CONDITIONS, found, strict=True):
        there |= what if is_there else NOTHING
    return there


def rare_in(standing: Standing) -> Rare:
    """Return what a standing is an example of."""
    there = NOTHING
    if standing.staged is not None:
        there |= Rare.STAGED
    if standing.references_staged is not None:
        there |= Rare.REFERENCES_STAGED
    if standing.absence is Absence.ABSENT:
        there |= Rare.ABSENT
    if standing.link is not None and standing.link.state is LinkState.CLAIMED:
        there |= Rare.CLAIMED
    return there
