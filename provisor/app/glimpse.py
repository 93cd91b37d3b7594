"""Looking into a workspace without opening it for work."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from provisor.cli.glimpse import Glimpse
from provisor.cli.places import NoWorkspace
from provisor.settings.applied import APPLIED, read_applied
from provisor.store.glimpse import look
from provisor.store.place import Place, place_of, shown_within


def glimpse(folder: Path, tenant: str) -> Glimpse | None:
    """Return where a tenant's jobs stand; None where the workspace must be opened to tell: the
    store is no file, or there is to be a warning. Raises NoWorkspace, StoreFailed."""
    store = place_of(folder, os.environ)
    if not isinstance(store, Path):
        return None
    if not store.exists():
        raise missing(folder, store)
    seen = look(store, tenant, APPLIED)
    if seen is None:
        raise unknown(folder, tenant)
    applied = read_applied(seen.document)
    if applied is not None and not applied.is_untouched(folder):
        return None
    return Glimpse(seen.jobs, datetime.now(UTC))


def missing(folder: Path, store: Place) -> NoWorkspace:
    return NoWorkspace(f"{folder} is no workspace: there is no {shown_within(store, folder)}")


def unknown(folder: Path, tenant: str) -> NoWorkspace:
    return NoWorkspace(f"{folder} knows no tenant {tenant}; `provisor tenant add` makes one")
