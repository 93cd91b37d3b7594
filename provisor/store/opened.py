"""A workspace's store with its key: what the rest of a process stands on."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisor.errors import StoreFailed
from provisor.ports import Ledger, Registry, Vault
from provisor.store.keys import KeyFile, KeyRing
from provisor.store.sqlite import SqliteStore
from provisor.store.vault import SealedVault


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStore:
    """What one store file gives."""

    registry: Registry
    ledger: Ledger
    vault: Vault
    seal: Callable[[bytes], bytes]
    unseal: Callable[[bytes], bytes]
    backup: Callable[[Path], Awaitable[None]]


WORKSPACE, PLAN = "workspace", b"plan"
"""What secrets and saved plans are bound to, beside the workspace's own key."""


@asynccontextmanager
async def open_store(store: Path, key: Path, *, creates: bool) -> AsyncGenerator[OpenStore]:
    """Open a workspace's store and key; with `creates`, make them. Raises StoreFailed."""
    keys = KeyFile(key, os.environ)
    if creates:
        keys.make()
    opened = SqliteStore(store)
    try:
        yield OpenStore(
            registry=opened,
            ledger=opened.ledger,
            vault=SealedVault(opened, keys, WORKSPACE),
            seal=lambda content: keys.ring().seal(content, PLAN),
            unseal=lambda sealed: _unsealed(keys.ring(), sealed),
            backup=opened.backup,
        )
    finally:
        opened.close()


def _unsealed(ring: KeyRing, sealed: bytes) -> bytes:
    """Raises ValueError: whoever reads a file says what is wrong with it."""
    try:
        return ring.open(sealed, PLAN)
    except StoreFailed as error:
        raise ValueError(str(error)) from error
