"""Read the target page by page: an index to match against, and a comparison with what is
remembered (spec: settled 17; behaviour 4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisor.engine.work import Work
from provisor.model.entries import Anchor
from provisor.planner.match import listed_answers
from provisor.planner.terms import Terms
from provisor.ports import Drift, Listed, Listing

LOOK_UPS_MIN = 5
"""Fewer objects than this are looked up one by one, whatever a page would cost."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a reading of the target found."""

    drifts: tuple[Drift, ...] = ()
    is_complete: bool = False


async def survey(work: Work, look_ups: Mapping[str, int] | None = None) -> Survey:
    """List every kind of target object; with `look_ups`, only kinds where that is cheaper.

    `look_ups` says how many objects of each target kind would otherwise be asked for one by one.
    """
    target, journal = work.ports.target, work.ports.journal
    if not target.capabilities.lists:
        return Survey()
    kinds = [k for k in _kinds(work) if _is_worth(work, look_ups, k, None)]
    if not kinds:
        return Survey()
    await journal.begin_listing()
    drifts: list[Drift] = []
    complete: list[str] = []
    for kind in kinds:
        is_complete = await _list_kind(work, kind, look_ups, drifts)
        if is_complete:
            complete.append(kind)
    are_all = len(complete) == len(kinds)
    await journal.end_listing(complete, is_complete=are_all and len(kinds) == len(_kinds(work)))
    return Survey(tuple(drifts), are_all)


def _kinds(work: Work) -> list[str]:
    return list(dict.fromkeys(t.mapping.target_kind for t in work.terms.values()))


def _is_worth(work: Work, look_ups: Mapping[str, int] | None, kind: str, total: int | None) -> bool:
    if look_ups is None:
        return True
    wanted = look_ups.get(kind, 0)
    pages = 1 if total is None else 1 + total // work.ports.target.capabilities.page_size
    return wanted >= LOOK_UPS_MIN and pages <= wanted


async def _list_kind(
    work: Work, kind: str, look_ups: Mapping[str, int] | None, drifts: list[Drift]
) -> bool:
    """List one kind; return whether every object was shown.

    Proven only by as many distinct ids as the target counts, on its first page and on its last.
    """
    terms = [t for t in work.terms.values() if t.mapping.target_kind == kind]
    seen = set[Anchor]()
    first: int | None = None
    last: int | None = None
    is_started = False
    async for page in work.ports.target.list_all(kind):
        if not is_started and not _is_worth(work, look_ups, kind, page.total):
            return False
        first = first if is_started else page.total
        is_started, last = True, page.total
        seen.update(entry.anchor for entry in page.entries)
        drifts += await work.ports.journal.list_target(_listed(work, terms, page))
    return last is not None and first == last == len(seen)


def _listed(work: Work, terms: Sequence[Terms], page: Listing) -> tuple[Listed, ...]:
    return tuple(
        Listed(entry, tuple(q for t in terms for q in listed_answers(t, entry, work.stamp)))
        for entry in page.entries
    )
