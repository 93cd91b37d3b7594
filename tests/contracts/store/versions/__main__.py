"""Save a store of the present version."""

from __future__ import annotations

import tempfile
from pathlib import Path

from provisor.store.sqlite.opening import VERSION
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import now_or_never
from tests.contracts.store.versions.furnished import furnish, saved_as, statements


def save() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store = SqliteStore(path)
        now_or_never(furnish(store))
        store.close()
        saved_as(VERSION).write_text("\n".join(statements(path)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    save()
