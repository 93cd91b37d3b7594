"""In which order arrivals go: managers before those they manage (spec: settled 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from provisor.engine.work import Work
from provisor.model.decisions import StandingKey

WAVES_MAX = 64
"""Longer chains of superiors are not waited for: their reference follows in the second pass."""


async def by_superior(
    work: Work, keys: Sequence[StandingKey], now: datetime
) -> list[list[StandingKey]]:
    """Return the keys in waves: object mappings in their order, and in each, superiors first.

    A reference whose other end is linked by then travels in the create: one request, not two.
    """
    pending = set(keys)
    superiors = await work.ports.journal.superiors(now)
    above: dict[StandingKey, StandingKey] = {}
    for key, referred in superiors.items():
        takers = [t for r in referred for t in work.takers(r) if t in pending and t != key]
        if takers and key in pending:
            above[key] = min(takers)
    depths = depths_of(above)
    waves: list[list[StandingKey]] = []
    for name in work.terms:
        of_mapping = [k for k in keys if k.mapping == name]
        deepest = max((depths.get(k, 0) for k in of_mapping), default=-1)
        levels: list[list[StandingKey]] = [[] for _ in range(deepest + 1)]
        for key in of_mapping:
            levels[depths.get(key, 0)].append(key)
        waves += [level for level in levels if level]
    return waves


def depths_of(above: Mapping[StandingKey, StandingKey]) -> dict[StandingKey, int]:
    """Return how many superiors each key waits for; who manages himself, or is at the end of a
    chain that is too long, waits for nobody."""
    depths: dict[StandingKey, int] = {}
    for start in above:
        chain: list[StandingKey] = []
        on_chain = set[StandingKey]()
        key: StandingKey | None = start
        while key is not None and key not in depths and key not in on_chain:
            chain.append(key)
            on_chain.add(key)
            key = above.get(key)
        depth = depths[key] if key is not None and key in depths else -1
        for link in reversed(chain):
            depth = depth + 1 if depth < WAVES_MAX else 0
            depths[link] = depth
    return depths
