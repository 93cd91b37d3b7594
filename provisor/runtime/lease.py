"""One cycle of a job at a time on one host: a lock of the operating system's (settled 22).

It dies with its process, so that a run after a crash starts at once. Nothing in the lock file means
anything; it is never removed, since a lock on a removed file would keep nobody out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from provisor.ports import Clock

LOCKS = "locks"
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 20


class Busy(Exception):
    """Another process has what was asked for."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


@contextmanager
def lease(folder: Path, job: str) -> Generator[None]:
    """Have the job to oneself. Raises Busy."""
    with _locked(folder, f"{job}.lock") as is_ours:
        if not is_ours:
            who = holder(folder, job)
            by = f" in process {who}" if who else ""
            raise Busy(f"a cycle of this job is running{by}", who)
        yield


@contextmanager
def asking(folder: Path, job: str) -> Generator[None]:
    """Be the one who stops the job. Raises Busy."""
    with _locked(folder, f"{job}.asking") as is_ours:
        if not is_ours:
            raise Busy("the job is just being paused, restarted or deleted by another process")
        yield


@asynccontextmanager
async def lease_when_free(
    folder: Path, job: str, clock: Clock, on_wait: Callable[[], object]
) -> AsyncGenerator[None]:
    """Have the job to oneself as soon as nobody else has it."""
    with ExitStack() as stack:
        if not _enter(stack, lease(folder, job)):
            on_wait()
            while not _enter(stack, lease(folder, job)):
                await clock.sleep(LOOK_AGAIN_S)
        yield


@asynccontextmanager
async def asking_soon(folder: Path, job: str, clock: Clock) -> AsyncGenerator[None]:
    """As `asking`, but give way for a moment: a cycle that begins looks whether anybody asks."""
    with ExitStack() as stack:
        for _ in range(LOOKS_MAX):
            if _enter(stack, asking(folder, job)):
                break
            await clock.sleep(LOOK_AGAIN_S)
        else:
            stack.enter_context(asking(folder, job))
        yield


def _enter(stack: ExitStack, lock: AbstractContextManager[None]) -> bool:
    try:
        stack.enter_context(lock)
    except Busy:
        return False
    return True


def holder(folder: Path, job: str) -> str:
    """Return the process that had the job last: who has it, if somebody has."""
    try:
        return (folder / LOCKS / f"{job}.lock").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def _locked(folder: Path, name: str) -> Generator[bool]:
    """Lock a file, without waiting; yield whether that worked."""
    path = folder / LOCKS / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        is_ours = _lock(descriptor)
        if is_ours:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        yield is_ours
    finally:
        os.close(descriptor)


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
