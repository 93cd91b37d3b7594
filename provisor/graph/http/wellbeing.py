"""What a process that serves no API tells of itself: whether it is well, what it has measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from provisor.errors import StoreFailed
from provisor.graph.http.faults import Fault
from provisor.ports import Registry
from provisor.telemetry.measures import MEDIA, Samples, exposed

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WellBeing:
    """An application of three addresses, for probes and for Prometheus.

    `/health` answers while the process does anything at all; `/ready` while it reaches the store;
    `/metrics` says what this process has measured. Nothing of any tenant's people is in it.
    """

    registry: Registry
    measured: Callable[[], Samples]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = await self._answer(scope["method"], scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        said = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": said})

    async def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, TEXT, b"only GET is answered here\n"
        match path:
            case "/health":
                return 200, TEXT, b"ok\n"
            case "/ready":
                try:
                    await self.registry.document("workspace", "tenant")
                except StoreFailed as failure:
                    return 503, TEXT, f"{failure}\n".encode()
                return 200, TEXT, b"ready\n"
            case "/metrics":
                return 200, MEDIA, exposed(self.measured()).encode()
            case _:
                return 404, TEXT, b"here are /health, /ready and /metrics\n"


def early(fault: Fault) -> tuple[bytes, str]:
    """Return what tells of a request that never became one, and the id it is told under."""
    return f"{fault.status}\n".encode(), ""
