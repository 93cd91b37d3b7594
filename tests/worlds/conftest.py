"""A database of whatever kind a test asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.hands import hands
from tests.worlds.sql import Make


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Make:
    return lambda dialect: hands(dialect, tmp_path, request)
