"""What tests of databases share: a database of a kind, and our source of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from provisor.connectors.sql.settings import Invalid, parse
from provisor.connectors.sql.source import SqlSource
from provisor.model.entries import Anchor, EntryKey
from provisor.testing.reading import LateClock
from tests.worlds.hands import Dialect, Hands

Make = Callable[[Dialect], Hands]


def source(made: Hands, clock: LateClock | None = None, **chosen: Any) -> SqlSource:
    parsed = parse({**made.settings, **chosen}, Path())
    assert not isinstance(parsed, Invalid), parsed
    return SqlSource(parsed, clock or LateClock())


def user(anchor: str) -> EntryKey:
    return EntryKey("User", Anchor(anchor))
