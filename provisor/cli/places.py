"""Where the parts of a workspace lie in its folder."""

from __future__ import annotations

FILE = "provisor.yaml"
STORE = "provisor.db"
KEY = "provisor.key"


class NoWorkspace(Exception):
    """There is no store in this folder."""
