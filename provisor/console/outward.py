"""Behind a proxy that keeps us below a path: within, addresses are those of a server at the root;
they are carried outward in this one place.

Everything that a page names of ours stands in double quotes and begins with the console's path.
What people wrote has no double quotes in a page: the templates escape them.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from provisor.console.sessions import PATH
from provisor.graph.http.routes import UNVERSIONED

PAGES = ("text/html", "text/event-stream")
LED = ("location", "hx-redirect")
"""Headers that lead a browser on."""


@dataclass(frozen=True, slots=True)
class Outward:
    prefix: str
    """Of `--public-url`, without a slash at its end; empty where we are at the root."""

    def inward(self, scope: Scope) -> Scope:
        """Return a request without the prefix, whether or not the proxy took it away.

        What is an address of the API's as it stands is not taken for one with the prefix, though
        the two may begin alike.
        """
        path = str(scope.get("path", ""))
        begins = path == self.prefix or path.startswith(f"{self.prefix}/")
        if not self.prefix or not begins or UNVERSIONED.find(path).routes:
            return scope
        raw = bytes(scope.get("raw_path") or path.encode())
        return {
            **scope,
            "path": path.removeprefix(self.prefix) or "/",
            "raw_path": raw.removeprefix(self.prefix.encode("ascii")) or b"/",
        }

    def within(self, path: str) -> str:
        """Return a path of ours, as people see it, without the prefix."""
        is_ours = not self.prefix or path.startswith(f"{self.prefix}/")
        return path.removeprefix(self.prefix) if is_ours else path

    def carry(self, answer: Response) -> None:
        """Put the prefix before every address of ours in a page, a part of one, or a header."""
        if not self.prefix:
            return
        for name in LED:
            if answer.headers.get(name, "").startswith(PATH):
                answer.headers[name] = f"{self.prefix}{answer.headers[name]}"
        answer.raw_headers[:] = [
            (name, self._kept(value) if name == b"set-cookie" else value)
            for name, value in answer.raw_headers
        ]
        if not answer.headers.get("content-type", "").startswith(PAGES):
            return
        if isinstance(answer, StreamingResponse):
            answer.body_iterator = self._streamed(answer.body_iterator)
        else:
            answer.body = self._written(bytes(answer.body))
            answer.headers["content-length"] = str(len(answer.body))

    def _kept(self, cookie: bytes) -> bytes:
        return cookie.replace(f"Path={PATH}".encode(), f"Path={self.prefix}{PATH}".encode())

    def _written(self, page: bytes) -> bytes:
        return page.replace(f'"{PATH}/'.encode(), f'"{self.prefix}{PATH}/'.encode())

    async def _streamed(
        self, parts: AsyncIterable[str | bytes | memoryview]
    ) -> AsyncIterator[bytes]:
        async for part in parts:
            yield self._written(part.encode() if isinstance(part, str) else bytes(part))


def outward_of(public_url: str) -> Outward:
    """Return how addresses are carried out of a server that is seen at this address."""
    return Outward(urlsplit(public_url).path.rstrip("/"))
