"""Questions to the API, in this process, for whoever is signed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from provisor.graph.http.answers import Answer
from provisor.graph.http.auth import Caller
from provisor.graph.http.faults import Fault
from provisor.graph.http.service import Asked, Service
from provisor.graph.wire.coding import decode
from provisor.graph.wire.directory import NON_GALLERY
from provisor.graph.wire.jobs import SynchronizationJob

T = TypeVar("T")
VERSION = "v1.0"
INSTANTIATE = f"applicationTemplates/{NON_GALLERY}/instantiate"
"""Makes an application."""
DEFECT = "The API said something that the console does not understand."


@dataclass(frozen=True, slots=True)
class Api:
    """The API as one person sees it: it decides who may, and every number is its number."""

    service: Service
    caller: Caller
    base: str
    origin: str
    renew: Callable[[], Awaitable[Caller]]

    async def read(self, kind: type[T], path: str, **options: str) -> T:
        """Return what a GET answers. Raises Fault."""
        answer = await self.send("GET", path, query=of_odata(options))
        return _read(kind, answer.body)

    async def job(self, at: str) -> SynchronizationJob:
        """Return a job as Graph has it. Raises Fault."""
        return await self.wire(SynchronizationJob, at)

    async def wire(self, kind: type[T], path: str) -> T:
        """Return one of Graph's own types, in all the forms that it has. Raises Fault."""
        answer = await self.send("GET", path)
        return _whole(decode(kind, answer.body)[0])

    async def posted(self, kind: type[T], path: str, body: object) -> T:
        """Return what a POST answers. Raises Fault."""
        return _read(kind, (await self.send("POST", path, body)).body)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask anything. Paths that begin with a slash are below no version. Raises Fault."""
        content = b"" if body is None else msgspec.json.encode(body)
        return await self.service.ask(
            self.caller, self._asked(method, path, query=query, body=content, headers=headers or {})
        )

    async def stream(self, path: str, last_seen: str) -> AsyncGenerator[bytes]:
        """Return a stream of events, as the API sends it. Raises Fault."""
        headers = {"last-event-id": last_seen} if last_seen else {}
        answer = await self.send("GET", path, headers=headers)
        assert answer.stream is not None, "what streams has a stream"
        return answer.stream

    async def may(self, method: str, path: str) -> bool:
        """Tell whether the API would let this person do something."""
        return await self.service.may(self.caller, method, self._asked(method, path))

    def _asked(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Asked:
        return Asked(
            method=method,
            version="" if path.startswith("/") else VERSION,
            path=path if path.startswith("/") else f"/{path}",
            query=query,
            body=body,
            headers=headers or {},
            base=self.base,
            origin=self.origin,
            renew=self.renew,
        )


def of_odata(options: Mapping[str, str]) -> str:
    """Return options as the API spells them: those of OData with a dollar, others after `_`."""
    named = {
        name[1:] if name.startswith("_") else f"${name}": value for name, value in options.items()
    }
    return urlencode(named, quote_via=quote)


def _read(kind: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as failure:
        raise Fault(500, "InternalServerError", DEFECT) from failure


def skip_token(link: str) -> str:
    """Return what the way to the next page goes on with; empty where there is none."""
    return parse_qs(urlsplit(link).query).get("$skiptoken", [""])[0]


def _whole(value: T | None) -> T:
    if value is None:
        raise Fault(500, "InternalServerError", DEFECT)
    return value


def job_path(principal: str, job: str) -> str:
    """Return where a job is in the API."""
    return f"servicePrincipals/{quote(principal)}/synchronization/jobs/{quote(job)}"


def meant(needs: tuple[str, str], keys: Mapping[str, str]) -> tuple[str, str]:
    """Return method and path in the API that something needs: `@` stands for the job that the
    address names, `~` for what its service principal has of synchronization, `^` for that itself.
    """
    method, path = needs
    if not path.startswith(("@", "~", "^")):
        return method, path
    principal = f"servicePrincipals/{quote(keys['sp'])}"
    match path[0]:
        case "@":
            at = job_path(keys["sp"], keys["job"])
        case "~":
            at = f"{principal}/synchronization"
        case _:
            at = principal
    return method, at + path[1:]


def literal(text: str) -> str:
    """Return a text as a filter of OData writes it."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
