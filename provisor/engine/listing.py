"""Read the target page by page: an index to match against, and a comparison with what is
remembered (spec: settled 17; behaviour 4.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from provisor.engine.work import Work, mind
from provisor.errors import OBJECT_FAILURES
from provisor.model.entries import Anchor, Entry, MatchQuery
from provisor.planner.match import definitions_of, listed_answers, normal
from provisor.planner.terms import Terms
from provisor.ports import Drift, Listed, Listing

LOOK_UPS_MIN = 5
"""Fewer objects than this are looked up one by one, whatever a page would cost."""


PageOf: TypeAlias = Callable[[Work, Sequence[Terms], Listing], Awaitable[Sequence[Listed]]]
"""What the journal is told of a page of objects of one kind."""


async def survey(
    work: Work, look_ups: Mapping[str, int] | None = None, *, is_indexed: bool = True
) -> tuple[Drift, ...]:
    """List every kind of target object; with `look_ups`, only kinds where that is cheaper.

    Returns what others have changed since we last looked.

    `look_ups` says how many objects of each target kind would otherwise be asked for one by one.
    Without it every image is renewed: what a listing leaves out, or cannot show, is in doubt and
    will be looked up by its anchor. Where hardly anybody is to be matched it needs no index, which
    costs as much as all the rest.
    """
    journal, kinds = work.ports.journal, _kinds(work)
    can_list = work.ports.target.capabilities.lists
    listed = [k for k in kinds if can_list and _is_worth(work, look_ups, k, None)]
    if look_ups is not None and not listed:
        return ()
    await journal.begin_listing(is_indexed=is_indexed)
    drifts: list[Drift] = []
    page_of = _listed if is_indexed else _compared
    complete = [k for k in listed if await _try_to_list(work, k, look_ups, drifts, page_of)]
    work.listed.update(complete if is_indexed else ())
    await journal.end_listing(complete, is_complete=True)
    if look_ups is None:
        await journal.end_listing([k for k in kinds if k not in complete], is_complete=False)
    return tuple(drifts)


def _kinds(work: Work) -> list[str]:
    return list(dict.fromkeys(t.mapping.target_kind for t in work.terms.values()))


def _is_worth(work: Work, look_ups: Mapping[str, int] | None, kind: str, total: int | None) -> bool:
    if look_ups is None:
        return True
    wanted = look_ups.get(kind, 0)
    pages = 1 if total is None else 1 + total // work.ports.target.capabilities.page_size
    return wanted >= LOOK_UPS_MIN and pages <= wanted


async def _try_to_list(
    work: Work,
    kind: str,
    look_ups: Mapping[str, int] | None,
    drifts: list[Drift],
    page_of: PageOf,
) -> bool:
    """List one kind; a target that will not is asked object by object, like any other."""
    try:
        return await _list_kind(work, kind, look_ups, drifts, page_of)
    except OBJECT_FAILURES:
        return False


async def _list_kind(
    work: Work,
    kind: str,
    look_ups: Mapping[str, int] | None,
    drifts: list[Drift],
    page_of: PageOf,
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
        seen.update(page.anchors)
        if listed := await page_of(work, terms, page):
            repairs = work.mandate.policy.repairs_drift
            drifts += await work.ports.journal.list_target(listed, repairs=repairs)
        await mind(work)
    return last is not None and first == last == len(seen)


def note_written(work: Work, terms: Terms, entry: Entry) -> None:
    """Take note of what an object answered to before a write, or answers to after it: the listing
    is older than the write."""
    work.outdated.note(listed_answers(terms, entry, work.stamp))


def note_answers(work: Work, terms: Terms, queries: Iterable[MatchQuery]) -> None:
    """As `note_written`, of an object that was created and answers to these."""
    definitions = definitions_of(terms)
    work.outdated.note(normal(query, definitions) for query in queries)


async def find_listed(work: Work, query: MatchQuery) -> tuple[Entry, ...] | None:
    """Return what the listing of this cycle has for a normalised query; None where the target
    itself must be asked."""
    if query.kind not in work.listed or work.outdated.has(query):
        return None
    listed = await work.ports.journal.listed(query)
    return None if listed is None else tuple(listed)


async def _listed(work: Work, terms: Sequence[Terms], page: Listing) -> Sequence[Listed]:
    return tuple(
        Listed(entry, tuple(q for t in terms for q in listed_answers(t, entry, work.stamp)))
        for entry in page.entries
    )


async def _compared(work: Work, terms: Sequence[Terms], page: Listing) -> Sequence[Listed]:
    """Read only what is not known by how it was sent to be as it was."""
    if not page.sealed:
        return [Listed(entry, ()) for entry in page.entries]
    prints = {one.anchor: one.print for one in page.sealed}
    known = set(await work.ports.journal.recognise(terms[0].mapping.target_kind, prints))
    return [Listed(one.open(), (), one.print) for one in page.sealed if one.anchor not in known]
