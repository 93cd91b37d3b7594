"""One cycle of a job at a time, wherever the others run that might begin one (settled 22).

On one host that is a lock of the operating system's: it dies with its process, so that a run after
a crash starts at once. Between hosts the store keeps leases with an end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisor.ports import Clock, Held, Leases

LOCKS = "locks"
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 20


class Busy(Exception):
    """Another process has what was asked for."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


def lock_of(job: str) -> str:
    """Return the name under which whoever runs a job has it."""
    return f"{job}.lock"


@contextmanager
def lease(leases: Leases, job: str) -> Generator[Held]:
    """Have the job to oneself. Raises Busy."""
    held = leases.take(lock_of(job))
    if held is None:
        who = holder(leases, job)
        by = f" in process {who}" if who else ""
        raise Busy(f"a cycle of this job is running{by}", who)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def asking(leases: Leases, job: str) -> Generator[None]:
    """Be the one who stops the job. Raises Busy."""
    held = leases.take(f"{job}.asking")
    if held is None:
        raise Busy("the job is just being paused, restarted or deleted by another process")
    try:
        yield
    finally:
        held.release()


@asynccontextmanager
async def lease_when_free(
    leases: Leases, job: str, clock: Clock, on_wait: Callable[[], object]
) -> AsyncGenerator[None]:
    """Have the job to oneself as soon as nobody else has it."""
    with ExitStack() as stack:
        if not _enter(stack, lease(leases, job)):
            on_wait()
            while not _enter(stack, lease(leases, job)):
                await clock.sleep(LOOK_AGAIN_S)
        yield


@asynccontextmanager
async def asking_soon(leases: Leases, job: str, clock: Clock) -> AsyncGenerator[None]:
    """As `asking`, but give way for a moment: a cycle that begins looks whether anybody asks."""
    with ExitStack() as stack:
        for _ in range(LOOKS_MAX):
            if _enter(stack, asking(leases, job)):
                break
            await clock.sleep(LOOK_AGAIN_S)
        else:
            stack.enter_context(asking(leases, job))
        yield


def _enter(stack: ExitStack, lock: AbstractContextManager[object]) -> bool:
    try:
        stack.enter_context(lock)
    except Busy:
        return False
    return True


def holder(leases: Leases, job: str) -> str:
    """Return the process that had the job last: who has it, if somebody has."""
    return leases.holder(lock_of(job))


# on one host


@dataclass(frozen=True, slots=True)
class Locked:
    """A file that is locked for as long as it is open."""

    descriptor: int

    def ends(self) -> None:
        """It is ours for as long as this process lives."""

    def release(self) -> None:
        os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class FileLeases:
    """Implements `ports.Leases` for processes of one host.

    Nothing in a lock file means anything but for people; it is never removed, since a lock on a
    removed file would keep nobody out.
    """

    folder: Path

    def take(self, name: str) -> Locked | None:
        path = self.folder / LOCKS / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if _lock(descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
                return Locked(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def living(self, prefix: str) -> int:
        """On one host nobody shares a job."""
        return 0

    def holder(self, name: str) -> str:
        try:
            return (self.folder / LOCKS / name).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


if sys.platform == "win32":
    import msvcrt

    FAR = 2**30
    """Beyond what is written: a locked byte could not be read."""

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
