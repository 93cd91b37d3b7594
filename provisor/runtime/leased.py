"""Who has which job, for those who only want to know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from provisor.ports import Leases
from provisor.runtime.lease import LOCKS, FileLeases, lock_of

LOCKED = Path("/proc/locks")


def leased(leases: Leases, jobs: Iterable[str]) -> frozenset[str] | None:
    """Return which of these jobs somebody on this host has; None where nobody can say.

    Nobody is kept out by this question: trying the lock would be a moment of having it.
    """
    if not isinstance(leases, FileLeases):
        return None
    try:
        lines = LOCKED.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    # `3: FLOCK  ADVISORY  WRITE 4711 08:01:262146 0 EOF` (proc_locks(5)): the last is the inode.
    held = {fields[5].rpartition(":")[2] for line in lines if len(fields := line.split()) > 5}
    folder = leases.folder / LOCKS
    return frozenset(job for job in jobs if _inode(folder / lock_of(job)) in held)


def _inode(path: Path) -> str:
    try:
        return str(path.stat().st_ino)
    except OSError:
        return ""
