"""A workspace's store with its key: what the rest of a process stands on."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisor.errors import StoreFailed
from provisor.ports import Leases, Ledger, Registry, Vault
from provisor.ports.shares import Sharing
from provisor.store.keys import KeyFile, KeyRing
from provisor.store.owners import WORKSPACE
from provisor.store.place import Place
from provisor.store.sql.database import Home
from provisor.store.sql.registry import SqlStore
from provisor.store.vault import SealedVault


@dataclass(frozen=True, slots=True)
class Shared:
    """A database that processes of several machines share."""

    address: str
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStore:
    """What one store gives."""

    registry: Registry
    ledger: Ledger
    vault: Vault
    leases: Leases | None
    """Who has which job, where the processes that work on the store may be on several machines."""
    shared: Shared | None
    """How others reach the same store; None where it is a file."""
    sharing: Sharing | None
    """What shares one cycle out among the processes that work on the store."""
    seal: Callable[[bytes], bytes]
    unseal: Callable[[bytes], bytes]
    backup: Callable[[Path], Awaitable[None]]
    prove: Callable[[], None]
    """Write something, in any thread. Raises StoreFailed."""


PLAN = b"plan"
"""What saved plans are bound to, beside the workspace's own key."""


def is_there(place: Place) -> bool:
    """Tell whether there is a store at a place. Raises StoreFailed."""
    if isinstance(place, Path):
        return place.exists()
    with _driver():
        from provisor.store.postgresql.connect import Pool
        from provisor.store.postgresql.opening import is_made
    pool = Pool(place)
    try:
        return is_made(pool)
    finally:
        pool.close()


def open_rows(place: Place) -> SqlStore:
    """Open the store at a place, making or migrating it. Raises StoreFailed."""
    if isinstance(place, Path):
        from provisor.store.sqlite.store import SqliteStore

        return SqliteStore(place)
    with _driver():
        from provisor.store.postgresql import PostgresStore
    return PostgresStore(place)


def bring_up_to_date(place: Place) -> tuple[int, int]:
    """Bring the tables of a store up to date; return of which version they were, and are.

    What works on a database meanwhile loses its jobs, and writes nothing more if it does not know
    the new tables; a file is left as it is while somebody has it open. Raises StoreFailed.
    """
    if isinstance(place, Path):
        from provisor.store.sqlite.opening import prepare, version_of

        before = version_of(place)
        prepare(place)
        return before, version_of(place)
    with _driver():
        from provisor.store.postgresql.connect import Pool
        from provisor.store.postgresql.opening import migrate
    pool = Pool(place)
    try:
        return migrate(pool)
    finally:
        pool.close()


@contextmanager
def home_of(place: Place) -> Generator[Home]:
    """Give what opens the store at a place, made or migrated. Raises StoreFailed."""
    if isinstance(place, Path):
        from provisor.store.sqlite.database import FileHome

        yield FileHome(place)
        return
    with _driver():
        from provisor.store.postgresql.home import PgHome
    home = PgHome(place)
    try:
        yield home
    finally:
        home.close()


@contextmanager
def _driver() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        raise StoreFailed(
            "a store on PostgreSQL needs its driver: pip install 'provisor[postgresql]'"
        ) from error


@asynccontextmanager
async def open_store(place: Place, key: Path, *, creates: bool) -> AsyncGenerator[OpenStore]:
    """Open a workspace's store and key; with `creates`, make them. Raises StoreFailed."""
    keys = KeyFile(key, os.environ)
    if creates:
        keys.make()
    opened = open_rows(place)
    try:
        yield OpenStore(
            registry=opened,
            ledger=opened.ledger,
            vault=SealedVault(opened, keys, WORKSPACE),
            leases=opened.leases,
            shared=_shared(place),
            sharing=opened.sharing,
            seal=lambda content: keys.ring().seal(content, PLAN),
            unseal=lambda sealed: _unsealed(keys.ring(), sealed),
            backup=opened.backup,
            prove=opened.prove,
        )
    finally:
        opened.close()


def _shared(place: Place) -> Shared | None:
    if isinstance(place, Path):
        return None
    from provisor.store.postgresql.leases import lease_s

    return Shared(place, lease_s(os.environ))


def _unsealed(ring: KeyRing, sealed: bytes) -> bytes:
    """Raises ValueError: whoever reads a file says what is wrong with it."""
    try:
        return ring.open(sealed, PLAN)
    except StoreFailed as error:
        raise ValueError(str(error)) from error
