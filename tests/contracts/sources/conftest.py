"""Each source in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.sources.subjects import DELTAS, REMOVING, SNAPSHOTS, Subject, make


@pytest.fixture(params=[*SNAPSHOTS, *DELTAS])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return make(str(request.param), tmp_path)


@pytest.fixture(params=DELTAS)
def delta(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Return a source that can tell what changed."""
    return make(str(request.param), tmp_path)


@pytest.fixture(params=SNAPSHOTS)
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Return a source that can only tell what there is."""
    return make(str(request.param), tmp_path)


@pytest.fixture(params=REMOVING)
def removing(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Return a source from which objects can vanish."""
    return make(str(request.param), tmp_path)
