"""What the command line needs of an opened workspace. The composition root fills it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provisor.model.decisions import Record
from provisor.model.jobs import Application, Job
from provisor.runtime.parts import Parts
from provisor.settings.workspace import Surroundings

FILE = "provisor.yaml"
STORE = "provisor.db"
KEY = "provisor.key"


class NoWorkspace(Exception):
    """There is no store in this folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An opened workspace, with what turns values into the JSON that others know."""

    folder: Path
    parts: Parts
    around: Surroundings
    missing: Callable[[Application], Awaitable[str]]
    """What an application lacks before it can be used; empty when nothing is missing."""
    job_json: Callable[[Job], Awaitable[bytes]]
    """Graph's synchronizationJob, with its status."""
    log_json: Callable[[Job], Awaitable[Callable[[int, Record], bytes | None]]]
    """Makes what turns records of a job into Graph's provisioningObjectSummary; None where
    the API would not show one."""
    advice: Callable[[str], str]
    """What to do about an error code, in one sentence."""
    seal: Callable[[bytes], bytes]
    """Encrypt with the workspace's key; `unseal` is the way back, and raises ValueError."""
    unseal: Callable[[bytes], bytes]
    backup: Callable[[Path], Awaitable[None]]


class Open(Protocol):
    """Open the workspace in a folder. Raises NoWorkspace, StoreFailed."""

    def __call__(
        self, folder: Path, *, creates: bool = False
    ) -> AbstractAsyncContextManager[Workspace]: ...
