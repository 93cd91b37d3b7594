"""What the command line needs of an opened workspace. The composition root fills it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from provisor.cli.glimpse import Glimpse
from provisor.engine.work import Mandate
from provisor.model.decisions import Record
from provisor.model.directories import Probed
from provisor.model.jobs import Application, Job
from provisor.model.rules import MappingName, ObjectMapping, Rules
from provisor.ports import Clock, Entropy, Registry
from provisor.runtime.interruption import Interruption
from provisor.runtime.parts import Parts
from provisor.settings.workspace import Definitions, Surroundings
from provisor.telemetry.levels import LogFormat, LogLevel

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What operators are told, and how."""

    format: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO
    collector: str = ""
    """Where traces go (OTLP over HTTP); empty: nowhere."""
    traced: float = 0.01
    """Which part of the objects that went well is traced: 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The identity provider that vouches for people at the console, and what they may then do."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    title: str = ""
    scopes: tuple[str, ...] = ()
    claim: str = ""
    """What it says of people that counts; empty: `roles`, holding permissions by their names."""
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Permissions, by what the claim may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where the API is served, and whom it believes."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    public_url: str = ""
    """How clients reach it, where that is not how it is served."""
    hosts: tuple[str, ...] = ()
    """Further names under which clients may address it."""
    proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded headers are believed."""
    issuer: str = ""
    """Whose tokens are taken besides API keys."""
    audience: str = ""
    keys_url: str = ""
    sign_in: SignIn | None = None
    """How people sign in to the console besides with keys."""
    runs: bool = True
    """Run cycles as well; False: workers do."""
    has_local_metrics: bool = False
    """Measures are shown without a token to who asks from this machine."""
    telling: Telling = field(default_factory=Telling)

    @property
    def is_exposed(self) -> bool:
        """True where others than this machine may ask."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        names = [name for name in (self.host, public, *self.hosts) if name is not None]
        return bool(self.proxies) or any(name.lower() not in LOOPBACK for name in names)


class Serve(Protocol):
    """Serve API and schedule until an interruption; `began` is told the address.

    Raises OSError where the address cannot be had.
    """

    def __call__(
        self, options: ServeOptions, interruption: Interruption, began: Callable[[str], None]
    ) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaProblem:
    """One thing that is wrong with a schema, or odd: where it is, and the way out."""

    code: str
    path: str
    """`synchronizationRules[0].objectMappings[1].scope`; empty for the whole."""
    message: str
    remedy: str = ""
    position: int | None = None
    """Inside the text at `path`, counted from 0."""
    is_error: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A schema, examined. With any error there are no rules."""

    rules: Rules = field(default_factory=dict[MappingName, ObjectMapping])
    problems: tuple[SchemaProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What configurations are checked and tried with, without a workspace."""

    clock: Clock
    entropy: Entropy
    around: Surroundings
    examine_schema: Callable[[bytes, Definitions], Examined]
    describe_api: Callable[[str], bytes]
    """Return the OpenAPI description of the API, as a server at this address answers it."""


class Mandating(Protocol):
    """Return what a job would be told now, or under a drafted schema. Raises Invalid."""

    def __call__(self, job: Job, draft: bytes | None = None) -> Awaitable[Mandate]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An opened workspace, with what turns values into the JSON that others know."""

    folder: Path
    store: str
    """Where it is, as it may be told."""
    parts: Parts
    around: Surroundings
    mandate: Mandating
    probe: Callable[[Job], Awaitable[Mapping[str, Probed]]]
    """Probe source and target of a job, and keep what was learned. Raises Invalid."""
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
    store_as: Callable[[str], Registry]
    """The store as another tenant of it sees it."""
    serve: Serve
    schedule: Callable[[Interruption, bool, Telling], Awaitable[None]]
    """Run jobs when they are due, beside a process that serves, also to other machines or not."""
    work: Callable[
        [
            Interruption,
            int,
            int | None,
            int | None,
            Telling,
            tuple[str, int] | None,
            Callable[[str], None],
        ],
        Awaitable[None],
    ]
    """Run cycles, so many at a time, and so many of a tenant on all workers together, among other
    workers on the same store; and answer at a host and port how this one is, having said where.
    Raises StoreFailed, OSError."""
    notify: Callable[[], Awaitable[None]]
    """Send what administrators are to be told; what cannot be sent now waits."""


class Open(Protocol):
    """The way to all that takes a while to import."""

    def __call__(
        self, folder: Path, *, creates: bool = False, tenant: str = ""
    ) -> AbstractAsyncContextManager[Workspace]:
        """Open the workspace in a folder as a tenant sees it; unless said otherwise the one that
        the workspace is of. Raises NoWorkspace, StoreFailed."""
        ...

    def glimpse(self, folder: Path, tenant: str = "") -> Glimpse | None:
        """Return where a tenant's jobs stand, without what takes a while to import; None where
        only opening the workspace tells.

        Raises NoWorkspace, StoreFailed.
        """
        ...

    def tools(self) -> Tools:
        """Return what configurations are checked with."""
        ...
