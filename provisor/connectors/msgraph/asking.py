"""Asking Graph: below one address only, and nothing that is no answer is taken for one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from provisor.connectors.around.pace import Line, Pace
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import Json
from provisor.connectors.http.conversation import Conversation, Request
from provisor.connectors.http.replies import Reply
from provisor.connectors.msgraph.failures import GRAPH, failure_of
from provisor.connectors.msgraph.settings import GraphSettings
from provisor.errors import AdapterError, Denied, Rejected, Throttled, Unanswered, Unreachable
from provisor.ports import Clock, Entropy


class Tenant:
    """One tenant, as one application sees it."""

    def __init__(
        self,
        settings: GraphSettings,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
        is_read_only: bool = True,
    ) -> None:
        self.settings = settings
        limits = settings.rate_limit, settings.connections_max
        pace = pace or Pace(clock, entropy, per_second=limits[0], parallel_max=limits[1])
        self.conversation = Conversation(
            settings, clock, pace, GRAPH, trace=trace, is_read_only=is_read_only
        )

    async def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        content: Json = None,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Reply:
        """Return an answer, whatever it is. Raises as the port does."""
        request = Request(
            method=method,
            path=path,
            query=query,
            content=content,
            headers=headers or {},
            secrets=secrets,
        )
        return await self.conversation.ask(request)

    async def read(
        self, path: str, query: str = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask as a source does: what is no answer ends the read. Raises Unreachable, Denied."""
        try:
            return await self.ask("GET", path, query, headers=headers)
        except (Unanswered, Throttled, Rejected) as error:
            raise Unreachable(str(error), code=error.code, heard=error.heard) from error

    def failure(self, reply: Reply) -> AdapterError:
        return failure_of(reply, self.conversation.narrator)

    def broken(self, reply: Reply) -> Unreachable | Denied:
        """Return what to raise for an answer that ends a read."""
        failure = self.failure(reply)
        if reply.status in (401, 403):
            return Denied(str(failure), code=failure.code, heard=failure.heard)
        return Unreachable(str(failure), code=failure.code, heard=failure.heard)

    def nonsense(self, what: str) -> Unreachable:
        return Unreachable(f"{self.settings.host} {what}", code="SourceReadIncomplete")

    def place(self, link: str) -> tuple[str, str]:
        """Return path and query of a link that Graph gave, if it leads to where we came from.

        Credentials go nowhere else. Raises Unreachable.
        """
        there, base = urlsplit(link), urlsplit(self.settings.base)
        is_here = (there.scheme, there.netloc.lower()) == (base.scheme, base.netloc.lower())
        if not is_here or not there.path.startswith(f"{base.path}/"):
            raise self.nonsense("gave a link that leads elsewhere, which is not followed")
        return there.path.removeprefix(base.path), there.query

    async def close(self) -> None:
        await self.conversation.close()
