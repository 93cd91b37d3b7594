"""A fresh workspace before a real SCIM server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.workspace import Workspace
from tests.worlds.scim2 import Scim2


@pytest.fixture
def workspace(tmp_path: Path, scim2: Scim2) -> Workspace:
    """Return a workspace with five people that nobody has applied yet."""
    made = Workspace(tmp_path, scim2)
    made.hire("ada", "bob", "cyd", "dan", "eve")
    return made


@pytest.fixture
def running(workspace: Workspace) -> Workspace:
    """Return a workspace whose five people are in the target already."""
    workspace.apply()
    ended = workspace.run()
    assert ended.code == 0, ended.err
    return workspace
