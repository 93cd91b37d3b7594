"""One cycle of a job at a time on one host: a lock of the operating system's (settled 22).

It dies with its process, so that a run after a crash starts at once. Nothing in the lock file means
anything; it is never removed, since a lock on a removed file would keep nobody out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from provisor.ports import Clock

LOCKS = "locks"
LOOK_AGAIN_S = 0.1


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


def is_being_asked(folder: Path, job: str) -> bool:
    """Tell whether a living process is stopping the job."""
    with _locked(folder, f"{job}.asking") as is_ours:
        return not is_ours


@asynccontextmanager
async def lease_when_free(
    folder: Path, job: str, clock: Clock, on_wait: Callable[[], object]
) -> AsyncGenerator[None]:
    """Have the job to oneself as soon as nobody else has it."""
    with ExitStack() as stack:
        if not _enter(stack, folder, job):
            on_wait()
            while not _enter(stack, folder, job):
                await clock.sleep(LOOK_AGAIN_S)
        yield


def _enter(stack: ExitStack, folder: Path, job: str) -> bool:
    try:
        stack.enter_context(lease(folder, job))
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
