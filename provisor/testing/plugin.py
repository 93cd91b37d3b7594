"""What pytest needs to run the suites: `pytest -p provisor.testing.plugin`.

Fixtures of one's own with the same names come before these.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

if TYPE_CHECKING:
    from provisor.testing.organisation import Subject
    from provisor.testing.world import Recipe

TARGETS: Final = "provisor.testing.targets"

# Before anything imports them: a promise that is broken is to show the values it was broken with.
pytest.register_assert_rewrite(
    TARGETS, "provisor.testing.sources", "provisor.testing.reading", "provisor.testing.world"
)


@pytest.fixture
def delta(subject: Subject) -> Subject:
    """Return the source if it can tell what changed."""
    if not subject.has_changes:
        pytest.skip("this source tells no changes")
    return subject


@pytest.fixture
def snapshot(subject: Subject) -> Subject:
    """Return the source if it can only tell what there is."""
    if subject.has_changes:
        pytest.skip("this source tells changes")
    return subject


@pytest.fixture
def removing(subject: Subject) -> Subject:
    """Return the source; override this where no object can vanish from it."""
    return subject


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Open the world that a promise of targets is given, and keep both in one event loop."""
    promise = pyfuncitem.obj
    if promise.__module__ != TARGETS or not inspect.iscoroutinefunction(promise):
        return None
    names = inspect.signature(promise).parameters
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}

    async def run() -> None:
        async with cast("Recipe", given["world"])() as world:
            await promise(**{**given, "world": world})

    asyncio.run(run())
    return True
