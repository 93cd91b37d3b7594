"""A whole store, taken from one place to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from provisor.errors import StoreFailed
from provisor.store.opened import home_of, is_there
from provisor.store.place import Place, shown
from provisor.store.sql.copying import copy_store


def move(source: Place, target: Place, told: Callable[[str, int], object]) -> str:
    """Copy the store at a place to another, or go on where an earlier attempt ended; return what
    both are known by. `told` hears of each table, and of how many rows were copied now.

    Raises StoreFailed. The source is left as it is; the copy trusts nothing that it remembers of
    the targets, as a restored store does.
    """
    if _same(source, target):
        raise StoreFailed(f"{shown(target)} is the store itself; name another place")
    if not is_there(source):
        raise StoreFailed(f"there is no store at {shown(source)}")
    with home_of(source) as here, home_of(target) as there:
        one, other = here.look(), there.open()
        try:
            with one.failures, other.failures:
                return copy_store(one, other, told)
        finally:
            one.close()
            other.close()


def _same(one: Place, other: Place) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return one.resolve() == other.resolve()
    return one == other
